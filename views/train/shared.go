package train

import (
	"strings"

	"finetui/views"
	"finetui/views/widget"
)

// shared is what the views of the pane share: the runs as they were read, which of them are looked at, how curves are
// drawn, and the way from one view to another.
type shared struct {
	selection
	plot  plotOptions
	views *views.Views
}

func newShared(c Control) *shared {
	return &shared{selection: selection{source: newSource(c)}, plot: plotOptions{smoothing: byLength}}
}

// panels are those that several views have; where one has a cursor, it is the same one in each.
type panels struct {
	runs    views.Panel
	loss    views.Panel
	rate    views.Panel
	time    views.Panel
	machine views.Panel
	classes views.Panel
	metric  *metric
	journal []views.Panel // what a run wrote down: its events, checkpoints and log
}

func newPanels(s *shared) *panels {
	figure := newMetric(s)
	return &panels{runs: newRunsPanel(s), loss: newLossPanel(s, figure), rate: newRatePanel(s), time: newTimePanel(s),
		machine: newMachinePanel(s), classes: newClassesPanel(s), metric: figure, journal: newJournal(s)}
}

func title(s string) func() string { return func() string { return s } }

// nothing is what a panel says in place of figures: that the run is still being read, or what there is none of.
func (p *shared) nothing(t *widget.Theme, what string, w, h int) string {
	return widget.Block(strings.Join(p.nothingLines(t, what, w), "\n"), w, h)
}

// nothingLines are the lines that a panel says that in.
func (p *shared) nothingLines(t *widget.Theme, what string, w int) []string {
	if p.current() == nil {
		what = "reading the run"
	}
	return widget.Hang(" ", what, t.Muted, w-1)
}

// absent is what a panel says of figures that no row holds: in a run of this program's own they may come, another
// trainer does not write them down.
func (p *shared) absent(figures, otherwise string) string {
	if r := p.current(); r != nil && r.run.Tool() != "" {
		return r.run.Tool() + " has written down nothing of " + figures
	}
	return otherwise
}

// fromZero is a scale that begins at nothing.
func fromZero(c *widget.LineChart) { c.FromZero, c.YText = true, tickText }

// tickText is a number without zeros at its end.
func tickText(v float64) string {
	text := widget.Number(v)
	if strings.Contains(text, ".") && !strings.Contains(text, "e") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}
