package train

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/level"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// scrollOf is the scroll of a panel. Drawing only looks at it.
func (p *Pane) scrollOf(name string) widget.Scroll {
	if s := p.scrolls[name]; s != nil {
		return *s
	}
	return widget.Scroll{AtEnd: name == logPanel}
}

// linesPanel is a panel of lines that are wrapped to its width and can be scrolled; the right end of its title says how
// many are out of sight, after note (nil: nothing).
func (p *Pane) linesPanel(name, tab string, lines func(t *widget.Theme, w int) []string,
	note func() string) views.Panel {
	plain := widget.NewTheme(true, false)
	return views.Panel{Name: name, Tab: tab,
		Right: func() string {
			w, h := p.views.Board().Inside(name)
			var parts []string
			if note != nil && note() != "" {
				parts = append(parts, note())
			}
			if w > 0 && h > 0 {
				above, below := p.scrollOf(name).Hidden(len(lines(plain, w)), h)
				if above > 0 {
					parts = append(parts, "▲ "+widget.Count(above))
				}
				if below > 0 {
					parts = append(parts, "▼ "+widget.Count(below)+" more")
				}
			}
			return strings.Join(parts, " · ")
		},
		Draw: func(t *widget.Theme, w, h int) string {
			return p.scrollOf(name).View(lines(t, w), w, h)
		},
		Move: func(m widget.Move, page int) {
			s := p.scrollOf(name)
			w, _ := p.views.Board().Inside(name)
			s.Move(m, len(lines(plain, w)), page)
			p.scrolls[name] = &s
		},
	}
}

const logPanel = "log"

// logLinesOf is the end of the run's log.
func (p *Pane) logLinesOf(t *widget.Theme, w int) []string {
	r := p.current()
	if r == nil || len(r.log) == 0 {
		return []string{p.nothing(t, "the log is empty", w, 1)}
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

// happenings are the run's events and what its figures give reason to say, newest first.
func (p *Pane) happenings() []run.Alert {
	r := p.current()
	if r == nil {
		return nil
	}
	all := slices.Clone(r.alerts)
	for _, result := range r.results {
		commonest, right := 0, 0
		for _, c := range result.Classes {
			commonest, right = max(commonest, c.Value.Support), right+c.Value.Right
		}
		if level, text, do := run.UselessAnswers(result.Split, result.N, right, result.Unparsed,
			commonest); text != "" {
			newest := run.Head{Step: r.history.Step(), Time: float64(p.now().Unix())}
			all = append(all, run.Alert{Head: newest, Level: level, Text: text, Do: do})
		}
	}
	for _, e := range r.history.Events {
		all = append(all, run.Alert{Head: e.Head, Level: e.Level, Text: e.Text})
	}
	slices.SortStableFunc(all, func(a, b run.Alert) int { return cmp.Compare(b.Time, a.Time) })
	return all
}

// warned are the happenings that are more than a note, newest first.
func (p *Pane) warned() []run.Alert {
	return slices.DeleteFunc(p.happenings(), func(a run.Alert) bool { return a.Level == level.Info })
}

// eventLines are the happenings, each with its step and time of day.
func (p *Pane) eventLines(t *widget.Theme, w int) []string {
	var lines []string
	for _, h := range p.happenings() {
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
		lines = append(lines, t.Warning.Render(fmt.Sprintf(" ! %d lines of metrics.jsonl cannot be read; they are "+
			"left out", r.history.Bad)))
	}
	if r != nil && r.bad != nil {
		for _, line := range widget.Wrap("✗ "+widget.Clean(r.bad.Error()), w-2) {
			lines = append(lines, " "+t.Warning.Render(line))
		}
	}
	if len(lines) == 0 {
		return []string{p.nothing(t, "✓ nothing has happened that needs a word", w, 1)}
	}
	return lines
}

// eventsNote is how many alerts there are.
func (p *Pane) eventsNote() string {
	n := len(p.warned())
	if n == 0 {
		return ""
	}
	return "! " + widget.Count(n)
}

// checkpointLines are the checkpoints on disk, newest first, best and latest marked.
func (p *Pane) checkpointLines(t *widget.Theme, w int) []string {
	r := p.current()
	if r == nil || len(r.saved) == 0 {
		text := "no checkpoint yet"
		if r != nil && r.config != nil && r.config.Train.SaveEvery > 0 {
			text += fmt.Sprintf(": the first comes at step %d", r.config.Train.SaveEvery)
		}
		return []string{p.nothing(t, text, w, 1)}
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
		row := []widget.Cell{{Text: widget.Count(s.Step)}, {Text: sign, Tone: widget.Accent}}
		for _, m := range measures {
			text := widget.Missing
			if e := checks[s.Step]; e != nil {
				text = score{by: m, value: checked(e, m)}.text(false)
			}
			row = append(row, widget.Cell{Text: text})
		}
		size, when := widget.Missing, widget.Missing
		if c := written[s.Step]; c != nil {
			size, when = widget.Bytes(c.Bytes), clockText(c.Time, p.now().Location())
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
