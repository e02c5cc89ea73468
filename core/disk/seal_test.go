package disk

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestASealedObjectTellsEveryChange(t *testing.T) {
	type object struct {
		Name  string
		Deep  []int
		Other *object `json:",omitempty"`
	}
	text, err := Seal(object{"a <b> & ü", []int{1, 2}, &object{Name: "x"}}, "  ")
	if err != nil {
		t.Fatal(err)
	}
	plain, sealed, err := Unseal(text)
	var back object
	if err != nil || !sealed || json.Unmarshal(plain, &back) != nil || back.Name != "a <b> & ü" || back.Other == nil {
		t.Fatalf("%s: %v %v", plain, sealed, err)
	}
	if again, err := Seal(json.RawMessage(plain), "  "); err != nil || !bytes.Equal(again, text) {
		t.Errorf("sealed again: %s %v", again, err)
	}
	if _, sealed, err := Unseal(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))); !sealed || err != nil {
		t.Errorf("another indentation: %v %v", sealed, err)
	}
	for i := range text { // no character may change without a word, but those of the field's own name
		if bytes.IndexByte([]byte(" \n"), text[i]) >= 0 {
			continue
		}
		bad := bytes.Clone(text)
		bad[i] ^= 1
		var o object
		if plain, sealed, err := Unseal(bad); err == nil && sealed && json.Unmarshal(plain, &o) == nil {
			t.Errorf("byte %d, %q, is another: not noticed", i, text[i])
		}
	}
	for _, other := range []string{`{"a":1}`, `{}`, ``, `[1]`, `{"a":`, `{"sum":"` + strings.Repeat("0", 64) + `"}`} {
		if plain, sealed, err := Unseal([]byte(other)); sealed || err != nil || string(plain) != other {
			t.Errorf("%s: %s %v %v", other, plain, sealed, err)
		}
	}
	for _, none := range []any{1, struct{}{}, []int{1}, func() {}} {
		if _, err := Seal(none, ""); err == nil {
			t.Errorf("%T is sealed", none)
		}
	}
}
