package dataset

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// anything reads a value as encoding/json does.
func anything(r *jsonReader) (v any, err error) {
	switch c := r.peek(); {
	case c == '{':
		m := map[string]any{}
		err = r.object(func(key []byte) error {
			name := string(key)
			inner, err := anything(r)
			m[name] = inner
			return err
		})
		return m, err
	case c == '[':
		list := []any{}
		err = r.array(func() error {
			inner, err := anything(r)
			list = append(list, inner)
			return err
		})
		return list, err
	case c == '"':
		text, err := r.text()
		return string(text), err
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	switch word := string(r.word()); word {
	case "true", "false":
		return word == "true", nil
	case "null":
		return nil, nil
	}
	return nil, r.fault("no value")
}

func TestJSONIsReadAsEncodingJSONReadsIt(t *testing.T) {
	long := strings.Repeat(`abc\n\"\u00e9`, 60_000)
	for _, text := range []string{
		`{}`, `[]`, ` [ ] `, `{"a":1,"b":[true,false,null,"x"]}`,
		`[0,-0,1.5,-2.25e3,123456789012345678,0.1,1e-7,0.30000000000000004]`,
		`"\u00e9\n\t\"\\\/\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx\u0041"`, `["` + long + `",{"` + long + `":[1]}]`,
		`"` + strings.Repeat(`\\`, 1<<18) + `"`, strings.Repeat("[", 150) + strings.Repeat("]", 150),
	} {
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		for _, in := range []*jsonReader{newJSONReader(strings.NewReader(text)),
			newJSONReader(iotest.HalfReader(strings.NewReader(text))),
			newJSONReader(iotest.OneByteReader(strings.NewReader(text)))} {
			got, err := anything(in)
			if err != nil || in.peek() != 0 || !reflect.DeepEqual(got, want) {
				t.Errorf("%.80s: got %.80s, %v", text, fmt.Sprint(got), err)
			}
		}
	}
}

func TestWhatIsNoJSONIsSaidWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		`[1,`: "cut off", `{"a"`: "cut off", `["a`: "cut off", `["a\`: "cut off", `[1 2]`: "byte 3",
		`{"a" 1}`: "byte 5",
		`{1:2}`:   "byte 1", `[}`: "byte 1", strings.Repeat("[", 300): "too deep", "": "cut off",
	} {
		r := newJSONReader(strings.NewReader(text))
		if _, err := anything(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e3,"x\u00e9"],"b":null}`, `[[[]]]`, `"\ud83d\ude00"`, `[1,`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := newJSONReader(iotest.HalfReader(strings.NewReader(text)))
		got, err := anything(r)
		var want any
		if utf8.ValidString(text) && json.Unmarshal([]byte(text), &want) == nil &&
			(err != nil || !reflect.DeepEqual(got, want)) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	})
}
