package eval

import (
	"strings"
	"testing"

	"finetui/core/dataset"
)

func TestAnswerIsMappedTo(t *testing.T) {
	p := NewParser(drainClasses)
	for _, c := range []struct{ answer, want string }{
		{"Toe drain- Blocked", "Toe drain- Blocked"},
		{"toe drain blocked", "Toe drain- Blocked"},
		{"  TOE-DRAIN,\nBLOCKED. ", "Toe drain- Blocked"},
		{"rock_toe damaged", "rock toe damaged"},
		{"The answer is: slope drain damaged!", "slope drain damaged"},
		{"It is a slope drain and not blocked", "slope drain"},
		{"toe drain", "Toe drain"},
		{"rock toe, or rather rock toe damaged", "rock toe damaged"},
		{"slope drain blocked slope drain damaged", "slope drain blocked"}, // equally long: the first
		{"", UnparsedLabel},
		{"brock toes", UnparsedLabel},
		{"slope drains", UnparsedLabel},
		{"blocked", UnparsedLabel},
		{"heap broken", UnparsedLabel},
	} {
		got := UnparsedLabel
		if class := p.Parse(c.answer); class != Unparsed {
			got = drainClasses[class].Name
		}
		if got != c.want {
			t.Errorf("%q is taken for %q, want %q", c.answer, got, c.want)
		}
	}
}

func TestScriptsWithoutSpacesAreSearched(t *testing.T) {
	classes := []dataset.Class{{Name: "排水沟"}, {Name: "排水沟堵塞"}}
	if got := NewParser(classes).Parse("这是排水沟堵塞。"); got != 1 {
		t.Errorf("class %d", got)
	}
}

func TestSelfTestNamesWhatCollides(t *testing.T) {
	if accuracy, err := SelfTest(drainClasses); accuracy != 1 || err != nil {
		t.Errorf("drains: %v, %v", accuracy, err)
	}
	for _, c := range []struct {
		names    []string
		accuracy float64
		says     string
	}{
		{[]string{"rock toe", "Rock-Toe"}, 0.5, `class 1 "Rock-Toe" reads as class 0 "rock toe"`},
		{[]string{"a", "!!"}, 0.5, "neither letter nor digit"},
		{[]string{"a", "Unparsed"}, 0.5, "names none"},
		{nil, 0, "empty"},
	} {
		classes := make([]dataset.Class, len(c.names))
		for i, n := range c.names {
			classes[i].Name = n
		}
		accuracy, err := SelfTest(classes)
		if err == nil || accuracy != c.accuracy || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, %v", c.names, accuracy, err)
		}
		if _, err := Score(nil, classes, Options{}); err == nil {
			t.Errorf("%q were scored", c.names)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("slope drain\xff damaged")
	p := NewParser(drainClasses)
	f.Fuzz(func(t *testing.T, answer string) {
		if c := p.Parse(answer); c < Unparsed || c >= len(drainClasses) {
			t.Errorf("class %d", c)
		}
	})
}
