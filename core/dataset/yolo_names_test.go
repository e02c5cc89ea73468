package dataset

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"finetui/core/level"
)

// asUTF16 is a text in little-endian UTF-16, with a byte-order mark before it or not.
func asUTF16(text, mark string) string {
	out := []byte(mark)
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return string(out)
}

func TestNamesAreReadWhereItIsCertainWhatIsMeant(t *testing.T) {
	ab := []string{"a", "b c"}
	for name, test := range map[string]struct {
		yaml  string
		names []string
		found string // "code@line"
	}{
		"name and id swapped":           {"names:\n  b c: 1\n  a: 0\n", ab, "names_swapped@2"},
		"no space after the colon":      {"nc: 2\nnames:\n  0:a\n  1:b c\n", ab, "names_are_one_text@3"},
		"no space, in braces":           {"names: {0:a, 1:b c}\n", ab, "names_are_one_text@1"},
		"a list of pairs":               {"names:\n- 0: a\n- 1: b c\n", ab, "names_are_one_text@2"},
		"names between commas":          {"names: a, 'b c'\n", ab, "names_are_one_text@1"},
		"one name for one class":        {"nc: 1\nnames: a\n", []string{"a"}, "names_are_one_text@2"},
		"ids not indented":              {"names:\n0: a\n1: b c\n", ab, "names_astray@2"},
		"another key":                   {"train: x\nclasses: [a, b c]\n", ab, "names_astray@2"},
		"a key in upper case":           {"NAMES: [a, b c]\n", ab, "names_astray@1"},
		"one text that may be anything": {"names: a b c\n", nil, "names_are_one_text@1"},
		"an id twice":                   {"names:\n  0: a\n  1: b c\n  1: d\n", ab, "bad_class_id@4"},
		"words that YAML reads otherwise": {"names: [on, null, ~, 007]\n", []string{"on", "null", "~", "007"},
			"name_not_text@1"},
		"a tag": {"names:\n  0: a\n  1: !hole\n", []string{"a", "class 1"},
			"name_needs_quotes@3"},
		"keys and values":       {"names:\n- a\n- b: c\n", []string{"a", "class 1"}, "name_needs_quotes@3"},
		"UTF-16":                {asUTF16("names: [a, b c]\n", "\xff\xfe"), ab, "utf_16@0"},
		"UTF-16 without a mark": {asUTF16("names: [a, b c]\n", ""), ab, "utf_16@0"},
		"bytes of another encoding": {"names:\n- caf\xe9\n- caf\xe8\n", []string{`caf\xE9`, `caf\xE8`},
			"not_utf8@2 not_utf8@3"},
		"such bytes in double quotes": {"names: [\"\xa4\xa4\", b]\n", []string{`\xA4\xA4`, "b"}, "not_utf8@1"},
		"such bytes in a comment":     {"# caf\xe9\nnames: [a, b c]\n", ab, "not_utf8@1"},
	} {
		data, err := parseDataYAML("data.yaml", []byte(test.yaml))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(data.names, test.names) || codesOf(data.findings) != test.found {
			t.Errorf("%s: names %q, findings %s, want %q and %s", name, data.names, codesOf(data.findings), test.names,
				test.found)
		}
	}
}

func TestBytesInACommentDoNotStopTraining(t *testing.T) {
	data, err := parseDataYAML("data.yaml", []byte("# caf\xe9\nnames: [a]\n"))
	if err != nil || len(data.findings) != 1 || data.findings[0].Level != level.Warn {
		t.Errorf("got %v, %v", data, err)
	}
}

func TestYAMLThatCannotBeReadSaysWhatToDo(t *testing.T) {
	for text, words := range map[string][]string{
		"train: x\nnames:\n  0: crack: deep\n": {"line 3", "quotes"},
		"names: [a, : b, ?]\nx: [\n":           {"line ", "quotes"},
		"names:\n\t- a\n":                      {"line ", "tabs"},
		"names: [a, *b]\n":                     {"unknown anchor", "quotes"},
	} {
		_, err := parseDataYAML("data.yaml", []byte(text))
		if err == nil {
			t.Errorf("%q: no error", text)
			continue
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q: %v does not say %q", text, err, word)
			}
		}
	}
}

func TestClassListsOfOtherEncodings(t *testing.T) {
	for name, test := range map[string]struct {
		list  string
		names []string
		found string
	}{
		"cp950": {"\xb5\xf5\xc1_\n\xa6|\xac}\n", []string{`\xB5\xF5\xC1_`, `\xA6|\xAC}`},
			"not_utf8 names_missing"},
		"UTF-16": {asUTF16("crack\r\nhole\r\n", "\xff\xfe"), []string{"crack", "hole"},
			"names_missing utf_16"},
		"UTF-16 without a mark": {asUTF16("crack\r\nhole\r\n", ""), []string{"crack", "hole"}, "names_missing utf_16"},
		"a name twice":          {"crack\ncrack\n", []string{"crack", "crack (2)"}, "duplicate_name names_missing"},
	} {
		set := open(t, write(t, map[string]string{"classes.txt": test.list, "train/images/1.jpg": "",
			"train/labels/1.txt": box}))
		var names, codes []string
		for _, class := range set.Classes {
			names = append(names, class.Name)
		}
		for _, f := range set.Findings {
			if !slices.Contains(codes, f.Code) {
				codes = append(codes, f.Code)
			}
		}
		if !slices.Equal(names, test.names) || strings.Join(codes, " ") != test.found {
			t.Errorf("%s: %q, %q", name, names, codes)
		}
	}
}
