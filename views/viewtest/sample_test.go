package viewtest

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

func TestSampleAtItsSizes(t *testing.T) {
	Open(t, NewSample("Data"), 120, 30).Golden("overview-120x30").Press("]").Golden("loss-120x30")
	Open(t, NewSample("Data"), 80, 22).Golden("overview-80x22").Press("]").Golden("loss-80x22")
	Open(t, NewSample("Data"), 60, 18).Golden("overview-60x18").Press("tab").Golden("overview-60x18-tab")
}

func TestEverySizeIsDrawnWhole(t *testing.T) {
	p := NewSample("Data")
	d := Open(t, p, 120, 30)
	for range p.views.Names() {
		Sizes(t, func(w, h int) string { return p.View(widget.NewTheme(true, true), w, h) })
		d.Press("]")
	}
}

func TestZoomFillsThePaneAndEscEndsIt(t *testing.T) {
	d := Open(t, NewSample("Data"), 100, 24).Press("tab", "+")
	if d.Shows("Conditions") || !d.Shows("Samples with") {
		t.Errorf("zoomed:\n%s", d.Screen())
	}
	if d.Press("esc"); !d.Shows("Conditions") {
		t.Errorf("after esc:\n%s", d.Screen())
	}
}

func TestMouseFocusesSelectsAndScrolls(t *testing.T) {
	p := NewSample("Data")
	d := Open(t, p, 120, 30)
	d.Click(5, 3) // the third line of the first box
	if got := p.classes.Cursor.Index; got != 2 {
		t.Errorf("the click selected line %d", got)
	}
	d.Send(tea.MouseWheelMsg{X: 5, Y: 5, Button: tea.MouseWheelDown})
	if got := p.classes.Cursor.Index; got != 3 {
		t.Errorf("the wheel went to line %d", got)
	}
	d.Click(100, 20)
	if got := p.views.Board().Focused(); got != "position" {
		t.Errorf("the click focused %q", got)
	}
}

func TestTabsOfASharedBoxAreClicked(t *testing.T) {
	p := NewSample("Data")
	d := Open(t, p, 60, 18)
	line := strings.Split(d.Screen(), "\n")[0]
	d.Click(len([]rune(line[:strings.Index(line, "Samples")])), 0)
	if got := p.views.Board().Focused(); got != "samples" {
		t.Errorf("the click focused %q:\n%s", got, d.Screen())
	}
}

func TestStreamArrivesWholeAndStaleOnesAreDropped(t *testing.T) {
	p := NewSample("Data")
	d := Open(t, p, 100, 24).Press("s")
	d.Wait("the words", func() bool { return len(p.Tokens) == 5 })
	if !d.Shows("The rock toe is damaged.") {
		t.Errorf("screen:\n%s", d.Screen())
	}
	p.request.Close()
	d.Send(views.Batch[string]{Ticket: 1, Values: []string{"late"}})
	if len(p.Tokens) != 5 {
		t.Error("a stale batch was taken")
	}
}

func TestPromptTakesEveryKeyAndEscLeavesIt(t *testing.T) {
	p := NewSample("Data")
	d := Open(t, p, 100, 24).Press("/").Type("s+y]").Press("enter")
	if p.Filter.Text() != "s+y]" || p.Capturing() {
		t.Errorf("filter %q, capturing %v", p.Filter.Text(), p.Capturing())
	}
	d.Press("/").Type("zzz").Press("esc")
	if p.Filter.Text() != "s+y]" {
		t.Errorf("esc took %q", p.Filter.Text())
	}
	if d.Press("esc"); p.Filter.Text() != "" {
		t.Error("the second esc left the filter on")
	}
}
