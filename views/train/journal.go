package train

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/level"
	"finetui/core/printable"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// journal is what a run wrote down: its events, checkpoints and log.
type journal struct{ *shared }

func newJournal(s *shared) []views.Panel {
	p := &journal{s}
	events := lines{shared: s, name: "events", tab: "Events", text: p.eventLines, note: p.eventsNote}
	log := lines{shared: s, name: "log", tab: "Log", text: p.logLines, atEnd: true}
	return []views.Panel{events.panel(), s.linesPanel("checkpoints", "Checkpoints", p.checkpointLines), log.panel()}
}

// logLines is the end of the run's log.
func (p *journal) logLines(t *widget.Theme, w int) []string {
	r := p.current()
	if r == nil || len(r.log) == 0 {
		what := "the log is empty"
		if r != nil && r.run.Tool() != "" {
			what = r.run.Tool() + " has left no log here"
		}
		return p.nothingLines(t, what, w)
	}
	var lines []string
	for _, line := range r.log {
		wrapped := widget.Wrap(widget.Clean(line), w-2)
		for i, part := range wrapped {
			if i > 0 {
				part = t.Muted.Render("  ") + part
			}
			lines = append(lines, " "+part)
		}
	}
	return lines
}

// eventLines are the happenings, each with its step and time of day.
func (p *journal) eventLines(t *widget.Theme, w int) []string {
	var lines []string
	for _, h := range p.current().happenings() {
		sign, style := "·", t.Muted
		switch h.Level {
		case level.Error:
			sign, style = "✗", t.Warning
		case level.Warn:
			sign, style = "!", t.Warning
		}
		head := fmt.Sprintf("step %d ", h.Step)
		text := widget.Wrap(head+widget.Clean(h.Text), w-4)
		for i, line := range text {
			lead := "   "
			if i == 0 {
				lead = " " + style.Render(sign) + " "
				if rest, whole := strings.CutPrefix(line, head); whole {
					line = t.Muted.Render(head) + rest
				}
			}
			lines = append(lines, lead+line)
		}
		if h.Do != "" {
			lines = append(lines, widget.Hang(t.Muted.Render("   → "), h.Do, t.Muted, w-1)...)
		}
	}
	r := p.current()
	if r != nil && r.history.Bad > 0 {
		lines = append(lines, t.Warning.Render(fmt.Sprintf(" ! %d lines of %s cannot be read; they are "+
			"left out", r.history.Bad, rowsOf(r.run))))
	}
	if r != nil && r.bad != nil {
		for _, line := range widget.Wrap("✗ "+widget.Clean(r.bad.Error()), w-2) {
			lines = append(lines, " "+t.Warning.Render(line))
		}
	}
	if len(lines) == 0 {
		if r != nil && (r.status.State == run.Killed || r.status.State == run.Failed) {
			return p.nothingLines(t, "nothing but its end needs a word", w)
		}
		return p.nothingLines(t, "✓ nothing has happened that needs a word", w)
	}
	return lines
}

// rowsOf is where a run's rows stand.
func rowsOf(r *run.Run) string {
	if r.Tool() != "" {
		return "its log"
	}
	return "metrics.jsonl"
}

// eventsNote is how many alerts there are.
func (p *journal) eventsNote() string {
	n := len(p.current().warned())
	if n == 0 {
		return ""
	}
	return "! " + widget.Count(n)
}

// checkpointLines are the checkpoints on disk, newest first, best and latest marked.
func (p *journal) checkpointLines(t *widget.Theme, w int) []string {
	r := p.current()
	if r == nil || len(r.saved) == 0 {
		text := "no checkpoint yet"
		if r != nil && !r.status.Live() {
			text = "no checkpoint"
		}
		if r != nil && r.config != nil && r.config.Train.SaveEvery > 0 {
			text += fmt.Sprintf(": the first comes at step %d", r.config.Train.SaveEvery)
		}
		return p.nothingLines(t, text, w)
	}
	written := map[int]*run.Checkpoint{}
	for _, c := range r.history.Checkpoints {
		written[c.Step] = c
	}
	checks := map[int]*run.Eval{}
	for _, e := range r.history.Checks() {
		checks[e.Step] = e
	}
	by := r.by()
	measures := []config.BestBy{config.BestByLoss, config.BestByAccuracy}
	if by == config.BestByLast {
		by = config.BestByMacroF1
	}
	if !slices.Contains(measures, by) {
		measures = append([]config.BestBy{by}, measures...)
	}
	table := widget.Table{Columns: []widget.Column{{Title: "step", Right: true}, {Priority: 9}}}
	for i, m := range measures {
		table.Columns = append(table.Columns, widget.Column{Title: scoreWords[m], Right: true, Priority: 8 - i})
	}
	table.Columns[2].Title = "valid " + table.Columns[2].Title
	table.Columns = append(table.Columns, widget.Column{Title: "size", Right: true, Priority: 3},
		widget.Column{Title: "written", Right: true, Priority: 4})
	for _, s := range slices.Backward(r.saved) {
		sign := ""
		switch {
		case s.Best && s.Latest:
			sign = "★ best, latest"
		case s.Best:
			sign = "★ best"
		case s.Latest:
			sign = "latest"
		}
		at := widget.Count(s.Step)
		if s.Step == 0 && r.run.Tool() != "" {
			at = widget.Clean(filepath.Base(s.Path))
		}
		row := []widget.Cell{{Text: at}, {Text: sign, Tone: widget.Accent}}
		for _, m := range measures {
			text := widget.Missing
			if e := checks[s.Step]; e != nil {
				text = score{by: m, value: checked(e, m)}.text(false)
			}
			row = append(row, widget.Cell{Text: text})
		}
		size, when := widget.Missing, widget.Missing
		if c := written[s.Step]; c != nil {
			size, when = printable.Bytes(c.Bytes), clockText(c.Time, p.now().Location())
		}
		row = append(row, widget.Cell{Text: size, Tone: widget.Muted}, widget.Cell{Text: when, Tone: widget.Muted})
		table.Rows = append(table.Rows, row)
	}
	lines := strings.Split(table.View(t, w-2, len(table.Rows)+1), "\n")
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return lines
}
