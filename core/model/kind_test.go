package model

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestPicturesAreRefusedPast200To1(t *testing.T) {
	for _, test := range []struct {
		w, h    int
		tooLong bool
	}{{200, 1, false}, {201, 1, true}, {1, 227, true}, {2300, 10, true}, {2000, 10, false}} {
		var refusal *Refusal
		_, err := Usual().Measure(View{3136, 12544}, []Size{{W: test.w, H: test.h}})
		if errors.As(err, &refusal) != test.tooLong || test.tooLong && !strings.Contains(refusal.Why, "200 to 1") {
			t.Errorf("%d×%d: %v", test.w, test.h, err)
		}
	}
}

func TestTemplatesAreJSONSafe(t *testing.T) {
	for _, kind := range []string{"qwen2", "qwen2_vl"} {
		text, err := chatTemplates.ReadFile("templates/" + kind + ".jinja")
		if err != nil {
			t.Fatal(err)
		}
		if data, err := json.Marshal(string(text)); err != nil || strings.HasSuffix(string(text), "\n") {
			t.Errorf("%s: %s, %v", kind, data, err)
		}
	}
}
