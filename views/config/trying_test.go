package config

import (
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
)

func TestConstantsAreGivenValuesThatASweepTries(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	d.Press("N")
	if len(planned(d.Seen())) != 0 {
		t.Error("a sweep over nothing is planned")
	}
	at(p, "RECIPE.SAMPLING")
	now := config.Plain(p.file.Config, "RECIPE.SAMPLING")
	d.Press("V").Type("instence").Press("enter")
	if !d.Shows("did you") || !strings.Contains(p.editor.prompt.Error, "did you mean instance?") {
		t.Errorf("a wrong value is not refused where it is written:\n%s", d.Screen())
	}
	for range "ence" {
		d.Press("backspace")
	}
	d.Press("tab", "enter") // completes it
	if !d.Shows("to try    "+now+", instance") || !d.Shows("◇ SAMPLING") || !d.Shows("◇ to try") || p.Unsaved() != "" {
		t.Errorf("the mark is not seen, or the file has changed (%q):\n%s", p.Unsaved(), d.Screen())
	}
	at(p, "LORA.RSLORA")
	d.Press("V", "enter")
	at(p, "LORA.TARGETS")
	d.Press("V").Type("q_proj").Press("enter")
	at(p, "TRAIN.EPOCHS")
	d.Press("V").Type("6").Press("enter")
	if !d.Shows("has the value 6") {
		t.Errorf("a value that is given twice is not refused:\n%s", d.Screen())
	}
	d.Press("esc")
	at(p, "VIEW.THEME")
	if d.Press("V"); p.Capturing() {
		t.Error("a constant that makes no other run can be tried")
	}
	d.Press("N")
	want := "SEEDS=3 RECIPE.SAMPLING=" + now + ",instance LORA.RSLORA=false,true \"LORA.TARGETS=" +
		config.Plain(p.file.Config, "LORA.TARGETS") + "|q_proj\""
	if got := planned(d.Seen()); len(got) != 1 || got[0].Line != want || got[0].From != "Config" {
		t.Errorf("planned: %+v, want %s", got, want)
	}
	marked := p.Marked()
	at(p, "RECIPE.SAMPLING")
	d.Press("V", "ctrl+u", "enter")
	if _, still := p.trying.of("RECIPE.SAMPLING"); still || len(p.Marked()) != 2 {
		t.Errorf("left: %q", p.Marked())
	}
	p.Mark(append(marked, "LORA.R=4,x"))
	if !slices.Equal(p.Marked(), marked) {
		t.Errorf("brought back: %q, not %q", p.Marked(), marked)
	}
}

// planned are the sweeps that were asked for.
func planned(msgs []tea.Msg) (list []views.PlanSweep) {
	for _, msg := range msgs {
		if plan, ok := msg.(views.PlanSweep); ok {
			list = append(list, plan)
		}
	}
	return list
}
