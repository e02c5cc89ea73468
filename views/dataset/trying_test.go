package dataset

import (
	"strings"
	"testing"

	"finetui/views"
)

func TestRecipesThatAreShownAreTried(t *testing.T) {
	p, d := open(t, 120, 30)
	show(p, d, recipeName)
	chosen := func(keys ...string) string {
		before := len(d.Seen())
		d.Press(append([]string{"V"}, keys...)...)
		for _, msg := range d.Seen()[before:] {
			if plan, ok := msg.(views.PlanSweep); ok && plan.From == "Data" {
				return plan.Line
			}
		}
		return ""
	}
	if got := chosen("down", "enter"); got != "SEEDS=3 RECIPE.PRESET=basic,enhanced" {
		t.Errorf("the presets: %s", got)
	}
	if got := chosen("enter"); !strings.HasPrefix(got, "SEEDS=3 RECIPE.CLASS_WEIGHTS=none,max_ratio,balanced,") {
		t.Errorf("the values of the constant under the cursor: %s", got)
	}
	d.Press("right").Wait("the recipe", p.settled) // CLASS_WEIGHTS is max_ratio
	if got := chosen("enter"); got !=
		"SEEDS=3 zip RECIPE.PRESET=enhanced,custom RECIPE.CLASS_WEIGHTS=none,max_ratio" {
		t.Errorf("config.toml's recipe and this one: %s", got)
	}
	d.Press("down", "right").Wait("the recipe", p.settled) // CONDITION_WEIGHTS, too
	both := " RECIPE.CLASS_WEIGHTS=none,max_ratio RECIPE.CONDITION_WEIGHTS=none,max_ratio"
	if got := chosen("down", "enter"); got != "SEEDS=3 each"+both {
		t.Errorf("each change alone: %s", got)
	}
	if got := chosen("down", "down", "enter"); got != "SEEDS=3"+both {
		t.Errorf("every combination: %s", got)
	}
	if got := chosen("esc"); got != "" || p.Capturing() {
		t.Errorf("what was left is planned: %s", got)
	}
}
