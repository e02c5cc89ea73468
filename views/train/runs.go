package train

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/printable"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// broken is the state of a run whose run.json cannot be read.
const broken = "broken"

// stateOf is the state that is shown of a run.
func (e *entry) state() string {
	if e.run.Fault != nil {
		return broken
	}
	return e.status.State
}

// fault is what is wrong with a broken run, its files named from the run's own folder.
func (e *entry) fault() string {
	return widget.Clean(strings.ReplaceAll(printable.Error(e.run.Fault), e.run.Dir+"/", ""))
}

// glyphOf is the glyph of a state and how it is toned; the word always stands beside it.
func glyphOf(state string) (glyph string, tone widget.Tone) {
	switch state {
	case run.Running:
		return "●", widget.Accent
	case run.Stopping:
		return "◐", widget.Accent
	case run.Done:
		return "✓", widget.OK
	case run.Stopped:
		return "■", widget.Plain
	case run.Failed:
		return "✗", widget.Warning
	case run.Killed:
		return "†", widget.Warning
	case run.Stalled:
		return "◌", widget.Warning
	case broken:
		return "?", widget.Warning
	}
	return "○", widget.Muted
}

// runsPanel is the list of runs.
type runsPanel struct{ *shared }

func newRunsPanel(s *shared) views.Panel {
	p := &runsPanel{s}
	return views.Panel{Name: "runs", Tab: "Runs", Title: p.title, Right: p.note, Draw: p.draw, Move: p.move,
		Click: p.click}
}

func (p *runsPanel) note() string {
	if p.paused {
		return "‖ display paused"
	}
	return ""
}

// table is the list of runs.
func (p *runsPanel) table() widget.Table {
	runs := p.listedRuns()
	table := widget.Table{Cursor: p.runCursor(runs), Columns: []widget.Column{
		{Title: "run", Flex: true, Middle: true, Min: 12}, {Title: "state", Priority: 5},
		{Title: "steps", Right: true, Priority: 4}, {Title: p.bestTitle(), Right: true, Priority: 3},
		{Title: "recipe", Flex: true, Priority: 1}, {Title: "age", Right: true, Priority: 2}}}
	sameBy := p.sameBy()
	for i := range runs {
		e := &runs[i]
		glyph, tone := glyphOf(e.state())
		table.Rows = append(table.Rows, []widget.Cell{
			{Text: p.letterBefore(e.run.Dir) + e.run.Label(), Tone: p.letterTone(e.run.Dir)},
			{Text: glyph + " " + e.state(), Tone: tone},
			{Text: e.steps()},
			{Text: e.best.text(sameBy == "")},
			{Text: e.run.Info.Recipe, Tone: widget.Muted},
			{Text: age(p.now(), e.run.Info.Created), Tone: widget.Muted},
		})
	}
	return table
}

// letterBefore is the letter of a marked run, which its curve has in Compare, and as much room for the others.
func (p *runsPanel) letterBefore(dir string) string {
	if len(p.marks) == 0 {
		return ""
	}
	if i := slices.Index(p.marks, dir); i >= 0 {
		return letter(i) + " "
	}
	return "  "
}

func (p *runsPanel) letterTone(dir string) widget.Tone {
	if slices.Contains(p.marks, dir) {
		return widget.Accent
	}
	return widget.Plain
}

func letter(i int) string { return string(rune('A' + i)) }

// steps is how far a run is: of how many where that is known and not reached.
func (e *entry) steps() string {
	total := e.run.Info.Steps
	switch {
	case !e.read && total > 0:
		return "…/" + widget.Count(total)
	case !e.read || e.step == 0 && total == 0:
		return widget.Missing
	case total == 0 || e.step == total:
		return widget.Count(e.step)
	}
	return widget.Count(e.step) + "/" + widget.Count(total)
}

// scoreWords are what the scores of TRAIN.BEST_BY are called here.
var scoreWords = map[config.BestBy]string{config.BestByLoss: "loss", config.BestByAccuracy: "right",
	config.BestByMacroF1: "F1", config.BestByLast: "F1"}

// text is a score, with the word for what it is where that is not said elsewhere.
func (s score) text(word bool) string {
	if s.by == "" {
		return widget.Missing
	}
	text := widget.Number(s.value)
	if s.by == "accuracy" {
		text = widget.Percent(s.value, 1)
	}
	if word {
		text += " " + scoreWords[s.by]
	}
	return text
}

// sameBy is what all runs that have been checked are scored by; empty where that differs.
func (p *runsPanel) sameBy() (by config.BestBy) {
	for _, e := range p.list.runs {
		switch {
		case e.best.by == "" || e.best.by == by:
		case by == "":
			by = e.best.by
		default:
			return ""
		}
	}
	return by
}

// bestTitle heads the column of the best checks on valid.
func (p *runsPanel) bestTitle() string {
	if by := p.sameBy(); by == config.BestByLast {
		return "last " + scoreWords[by]
	} else if by != "" {
		return "best " + scoreWords[by]
	}
	return "best valid"
}

// age is how long ago something was, in its largest unit; unix is in seconds, 0 where it is not known.
func age(now time.Time, unix float64) string {
	if unix == 0 || now.IsZero() {
		return widget.Missing
	}
	switch d := now.Sub(time.UnixMilli(int64(unix * 1000))); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(int(d.Seconds()), 0))
	case d < time.Hour:
		return fmt.Sprintf("%d m", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}

func (p *runsPanel) title() string {
	n := len(p.list.runs)
	if shown := len(p.listedRuns()); shown != n {
		return fmt.Sprintf("Runs · %s of %s", widget.Count(shown), widget.Count(n)) + p.order.String()
	}
	return "Runs · " + widget.Count(n) + p.order.String()
}

func (p *runsPanel) draw(t *widget.Theme, w, h int) string {
	if len(p.listedRuns()) == 0 {
		return widget.Block(t.Muted.Render(" no run fits the filter; esc takes it off"), w, h)
	}
	return p.table().View(t, w, h)
}

func (p *runsPanel) click(_, y, _, h int) tea.Cmd {
	table := p.table()
	if table.Click(y, h) {
		p.chosen = p.listedRuns()[table.Selected()].run.Dir
	}
	return nil
}
