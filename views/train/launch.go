package train

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/dataset"
	"finetui/core/finetune"
	"finetui/core/level"
	"finetui/core/printable"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// launch is the question for a new run: its name, and under it what lint says of recipe, data and model.
type launch struct {
	prompt   *widget.Prompt
	lint     views.Request
	findings []dataset.Finding
	linted   bool  // lint has answered
	refused  error // why nothing was started, or what kept lint from answering
	starting bool
	scroll   widget.Scroll

	foreseeing views.Request
	outlook    []string // what the run comes to
	measuring  views.Request
	measured   step  // how far that is
	unmeasured error // why it could not be
	measurable bool
}

// step is how far long work is.
type step struct {
	done, total int
	what        string
}

// outlook is what a run comes to, in lines.
type outlook struct{ lines []string }

// launcher starts runs.
type launcher struct {
	*shared
	launch   *launch // open while a new run is asked for
	starting views.Request
}

// checkup is what lint found.
type checkup struct{ findings []dataset.Finding }

// launched is a new run, or what kept it from being started.
type launched struct {
	run      *run.Run
	findings []dataset.Finding
}

// open says whether a new run is being asked for.
func (p *launcher) open() bool { return p.launch != nil }

func (p *launcher) canStart() bool {
	return p.control.Start != nil && p.control.Runs() != "" && p.launch == nil
}

// ask opens the question and lints meanwhile.
func (p *launcher) ask() tea.Cmd {
	if p.starting.Pending() {
		return views.Warn("the run before is still being started")
	}
	p.launch = &launch{prompt: widget.NewPrompt("name", ""), measurable: p.control.Measure != nil}
	p.launch.prompt.Hint = "empty: named after its recipe"
	if p.control.Lint == nil {
		p.launch.linted = true
		return p.foresee()
	}
	lint := p.control.Lint
	return tea.Batch(p.foresee(), views.Ask(&p.launch.lint, func(ctx context.Context) (checkup, error) {
		found, err := lint(ctx)
		return checkup{found}, err
	}))
}

// foresee works out what the run comes to.
func (p *launcher) foresee() tea.Cmd {
	foresee := p.control.Foresee
	if foresee == nil {
		return nil
	}
	return views.Ask(&p.launch.foreseeing, func(ctx context.Context) (outlook, error) {
		lines, err := foresee(ctx)
		return outlook{lines}, err
	})
}

// foreseen takes what the run comes to; why that is not known, lint says.
func (p *launcher) foreseen(msg views.Answer[outlook]) {
	if p.launch == nil || !p.launch.foreseeing.Takes(msg.Ticket) {
		return
	}
	p.launch.foreseeing.Close()
	p.launch.outlook = msg.Value.lines
}

// measure takes a few steps, whose figures are what the run then comes to.
func (p *launcher) measure() tea.Cmd {
	measure := p.control.Measure
	if measure == nil || p.launch.measuring.Pending() {
		return nil
	}
	p.launch.measured, p.launch.unmeasured = step{}, nil
	return views.Listen(&p.launch.measuring, func(ctx context.Context, emit func(step)) error {
		return measure(ctx, func(done, total int, what string) { emit(step{done, total, what}) })
	})
}

// measuredOn takes how far that is.
func (p *launcher) measuredOn(msg views.Batch[step]) tea.Cmd {
	l := p.launch
	if l == nil || !l.measuring.Takes(msg.Ticket) {
		return nil
	}
	if n := len(msg.Values); n > 0 {
		l.measured = msg.Values[n-1]
	}
	if !msg.Ended {
		return msg.Next
	}
	l.measuring.Close()
	if l.unmeasured = msg.Err; msg.Err != nil {
		return nil
	}
	return p.foresee()
}

// close takes the question away, and ends what works for it.
func (p *launcher) close() {
	p.launch.lint.Close()
	p.launch.foreseeing.Close()
	p.launch.measuring.Close()
	p.launch = nil
}

// typed gives keys to the question.
func (p *launcher) typed(msg tea.Msg) tea.Cmd {
	l := p.launch
	if key, ok := msg.(tea.KeyPressMsg); ok {
		moves := map[string]widget.Move{"up": widget.Up, "down": widget.Down, "pgup": widget.PageUp,
			"pgdown": widget.PageDown}
		if move, scrolls := moves[key.String()]; scrolls {
			w, h := l.size(p.views.Size())
			l.scroll.Move(move, len(l.lines(widget.NewTheme(true, false), w-4)), h-launchFrame)
			return nil
		}
	}
	if l.starting {
		if key, ok := msg.(tea.KeyPressMsg); ok && key.String() == "esc" {
			p.close() // it starts all the same; launched says so
		}
		return nil
	}
	if key, ok := msg.(tea.KeyPressMsg); ok && key.String() == measureKey {
		return p.measure()
	} else if ok && key.String() == "esc" && l.measuring.Pending() {
		l.measuring.Close()
		return nil
	} else if ok && key.String() == "enter" && l.measuring.Pending() {
		return views.Warn("steps are being measured, which a run would disturb: esc stops them")
	}
	outcome, cmd := l.prompt.Update(msg)
	switch outcome {
	case widget.Cancelled:
		p.close()
	case widget.Accepted:
		name := strings.TrimSpace(l.prompt.Value())
		if name != "" {
			if l.refused = run.CheckName(name); l.refused != nil {
				return nil
			}
		}
		return p.start(name)
	}
	return cmd
}

// start starts a run beside the screen.
func (p *launcher) start(name string) tea.Cmd {
	p.launch.starting, p.launch.refused = true, nil
	start := p.control.Start
	return views.Ask(&p.starting, func(ctx context.Context) (launched, error) {
		r, found, err := start(ctx, name)
		return launched{r, found}, err
	})
}

// checked takes what lint found.
func (p *launcher) checked(msg views.Answer[checkup]) {
	if p.launch == nil || !p.launch.lint.Takes(msg.Ticket) {
		return
	}
	p.launch.lint.Close()
	p.launch.linted, p.launch.findings = true, worstFirst(msg.Value.findings)
	if msg.Err != nil {
		p.launch.refused = msg.Err
	}
}

// launched takes the new run and selects it; what was refused stays open with its findings.
func (p *launcher) launched(msg views.Answer[launched]) tea.Cmd {
	if !p.starting.Takes(msg.Ticket) {
		return nil
	}
	p.starting.Close()
	p.scanNow()
	if msg.Err != nil {
		if p.launch == nil || !p.launch.starting {
			return views.Fail(msg.Err)
		}
		p.launch.lint.Close()
		p.launch.starting, p.launch.refused, p.launch.linted = false, msg.Err, true
		if len(msg.Value.findings) > 0 {
			p.launch.findings = worstFirst(msg.Value.findings)
		}
		return nil
	}
	if p.launch != nil && p.launch.starting {
		p.close()
	}
	if msg.Value.run == nil {
		return nil
	}
	p.views.Show(overviewView)
	p.filter.Set("")
	p.chosen = msg.Value.run.Dir
	p.begun[msg.Value.run.Dir] = true
	return views.Say("%s has begun; it goes on when finetui is left", msg.Value.run.Label())
}

// measureKey takes a few steps before a run is started.
const measureKey = "ctrl+t"

// launchFrame is the lines of the question that are not findings.
const launchFrame = 6

func (l *launch) size(w, h int) (bw, bh int) {
	bw = min(w-4, 100)
	return bw, min(max(len(l.lines(widget.NewTheme(true, false), bw-4))+launchFrame, 10), h-2)
}

// over lays the question over the screen.
func (l *launch) over(t *widget.Theme, screen string, w, h int) string {
	bw, bh := l.size(w, h)
	all := l.lines(t, bw-4)
	room := bh - launchFrame
	text := strings.Join([]string{strings.Split(l.prompt.View(t, bw-4), "\n")[0], "", l.summary(t),
		l.scroll.View(all, bw-4, room), t.Muted.Render(l.hint(len(all) > room))}, "\n")
	box := widget.Panel{Titles: []string{"New run with the constants of config.toml"}, Focused: true}.View(t,
		" "+strings.ReplaceAll(text, "\n", "\n "), bw, bh)
	return widget.Overlay(screen, box, (w-bw)/2, max((h-bh)/2-1, 0))
}

// summary is how the check stands, in a line.
func (l *launch) summary(t *widget.Theme) string {
	if !l.linted {
		return t.Muted.Render("checking the recipe against data and model …")
	}
	counts := map[level.Level]int{}
	for _, f := range l.findings {
		counts[f.Level]++
	}
	var parts []string
	for _, kind := range []struct {
		level     level.Level
		one, many string
	}{{level.Error, "error", "errors"},
		{level.Warn, "warning", "warnings"}, {level.Info, "note", "notes"}} {
		switch n := counts[kind.level]; {
		case n == 1:
			parts = append(parts, "1 "+kind.one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, kind.many))
		}
	}
	switch text := strings.Join(parts, " · "); {
	case text == "" && l.refused != nil:
		return t.Warning.Render("✗ the check did not come to its end")
	case text == "":
		return t.OK.Render("✓ the check finds nothing wrong")
	case slices.ContainsFunc(l.findings, finetune.Refuses):
		return t.Warning.Render("✗ " + text + ": a run with errors in its recipe is refused")
	case counts[level.Error] > 0:
		return t.Warning.Render("✗ "+text) + t.Muted.Render(": it can be started, without what cannot be used")
	case counts[level.Warn] > 0:
		return t.Warning.Render("! "+text) + t.Muted.Render(": it can be started all the same")
	default:
		return t.OK.Render("✓ " + text)
	}
}

// lines are why it was refused, what the run comes to, then the findings, worst first as they come.
func (l *launch) lines(t *widget.Theme, w int) []string {
	var lines []string
	say := func(style widget.Style, lead, text string) {
		for i, line := range widget.Wrap(widget.Clean(text), max(w-widget.Width(lead), 10)) {
			if i > 0 {
				lead = strings.Repeat(" ", widget.Width(lead))
			}
			lines = append(lines, style.Render(lead+line))
		}
	}
	if l.refused != nil {
		say(t.Warning, "✗ ", printable.Error(l.refused))
	}
	if l.unmeasured != nil {
		say(t.Warning, "✗ ", "not measured: "+printable.Error(l.unmeasured))
	}
	for _, line := range l.outlook {
		if rest, bad := strings.CutPrefix(line, "! "); bad {
			say(t.Warning, "! ", rest)
		} else {
			say(t.Text, "", line)
		}
	}
	if len(l.outlook) > 0 && len(l.findings) > 0 {
		lines = append(lines, "")
	}
	for _, f := range l.findings {
		sign, style := "· ", t.Text
		switch f.Level {
		case level.Error:
			sign, style = "✗ ", t.Warning
		case level.Warn:
			sign, style = "! ", t.Text
		}
		say(style, sign, f.Text)
		if f.Do != "" {
			say(t.Muted, "  → ", f.Do)
		}
		if f.File != "" {
			where := f.File
			if f.Line > 0 {
				where = fmt.Sprintf("%s:%d", f.File, f.Line)
			}
			lines = append(lines, t.Muted.Render("    "+widget.CutLeft(widget.Clean(where), w-4)))
		}
	}
	return lines
}

func (l *launch) hint(more bool) string {
	enter := "enter starts it"
	if l.measuring.Pending() {
		m := l.measured
		text := "measuring"
		if m.what != "" {
			text += fmt.Sprintf(": %d of %d %s", m.done, m.total, widget.Clean(m.what))
		}
		return text + "   esc stops it"
	}
	switch {
	case l.starting:
		return "starting it …   esc leaves; it starts all the same"
	case l.refused != nil || slices.ContainsFunc(l.findings, finetune.Refuses):
		enter = "enter checks it again and starts it if all is well"
	}
	if l.measurable {
		enter += "   " + measureKey + " measures steps"
	}
	if more {
		return enter + "   esc leaves   ↑ ↓ more"
	}
	return enter + "   esc leaves"
}

// worstFirst orders findings by how much they matter, else as they come.
func worstFirst(found []dataset.Finding) []dataset.Finding {
	sorted := slices.Clone(found)
	slices.SortStableFunc(sorted, func(a, b dataset.Finding) int { return a.Level.Severity() - b.Level.Severity() })
	return sorted
}

func (l *launch) status() string { return l.hint(false) }
