package run

import (
	"math"
	"strings"
	"testing"

	"finetui/core/config"
)

func TestAChoiceByChanceIsAnAlert(t *testing.T) {
	type check struct{ value, se float64 }
	for _, c := range []struct {
		name   string
		by     config.BestBy
		checks []check
		want   string
	}{
		{"within the error", config.BestByMacroF1, []check{{.90, .03}, {.95, .02}, {.94, .02}},
			"macro_f1 takes step 2 before step 3 by 1.0 points, on 40 objects of valid"},
		{"a tie", config.BestByAccuracy, []check{{.95, .02}, {.95, .02}}, "takes step 2 before step 1 by 0.0 points"},
		{"clearly ahead", config.BestByMacroF1, []check{{.70, .03}, {.95, .02}, {.80, .02}}, ""},
		{"of losses, the lowest", config.BestByLoss, []check{{.5, .1}, {.3, .05}, {.32, .05}},
			"loss takes step 2 before step 3 by 0.0200"},
		{"one check", config.BestByMacroF1, []check{{.9, .1}}, ""},
		{"the last", config.BestByLast, []check{{.9, .1}, {.91, .1}}, ""},
		{"an older program's rows", "", []check{{.9, 0}, {.91, 0}}, ""},
		{"no number", config.BestByMacroF1, []check{{.9, .1}, {math.NaN(), .1}}, ""},
	} {
		var h History
		for i, x := range c.checks {
			h.Evals = append(h.Evals, &Eval{Head: Head{Step: i + 1}, Split: "valid", Loss: Float(x.value),
				Accuracy: Float(x.value), MacroF1: Float(x.value), By: c.by, SE: Float(x.se),
				Recall: map[string]Recall{"a": {N: 10}, "b": {N: 30}}})
		}
		var text string
		for _, a := range h.Alerts(0) {
			if strings.Contains(a.Text, "BEST_BY") {
				text += a.Text
			}
		}
		if (c.want == "") != (text == "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}
