package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Ordered is a JSON object that keeps its order: classes as in the closed list, not by the alphabet.
type Ordered[T any] []Named[T]

// Named is one entry of an Ordered.
type Named[T any] struct {
	Name  string
	Value T
}

// Get returns the value of a name.
func (o Ordered[T]) Get(name string) (value T, ok bool) {
	for i := range o {
		if o[i].Name == name {
			return o[i].Value, true
		}
	}
	return value, false
}

// MarshalJSON writes {"name": value, …} in order.
func (o Ordered[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(o[i].Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o[i].Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o[i].Name, err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads an object in the order in which it was written.
func (o *Ordered[T]) UnmarshalJSON(data []byte) error {
	*o = nil
	d := json.NewDecoder(bytes.NewReader(data))
	start, err := d.Token()
	if err != nil || start == nil {
		return err
	}
	if start != json.Delim('{') {
		return fmt.Errorf("expected an object, found %v", start)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value T
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		*o = append(*o, Named[T]{Name: name.(string), Value: value}) // a key is always a string
	}
	_, err = d.Token()
	return err
}
