package train

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/printable"
	"finetui/core/sweep"
	"finetui/views"
	"finetui/views/widget"
)

// sweepQuestion is the line on which a sweep is planned, as the verb takes it, or on which stands how many seeds are
// added to one, and what that comes to.
type sweepQuestion struct {
	title  string
	prompt *widget.Prompt
	more   bool // seeds are added
	// what the line comes to, and doing it; foresee may be nil
	foresee    func(ctx context.Context, line string) (*sweep.Outlook, error)
	begin      func(ctx context.Context, line string) (swept, error)
	from       string // the pane that asked for it, to go back to; "": this one
	foreseen   string // the line that outlook and refused are of
	outlook    *sweep.Outlook
	refused    error
	starting   bool
	scroll     widget.Scroll
	foreseeing views.Request
}

// plan opens the question.
func (v *sweeps) plan(line, from string) tea.Cmd {
	plan := v.control.PlanSweep
	v.question = &sweepQuestion{title: "New sweep", prompt: widget.NewPrompt("sweep", line), from: from,
		foresee: v.control.ForeseeSweep, begin: func(ctx context.Context, line string) (swept, error) {
			name, err := plan(ctx, line)
			return swept{name, "has begun; it goes on when finetui is left"}, err
		}}
	v.question.prompt.Hint = sweep.Usage
	return v.foresee()
}

// moreSeeds asks how many seeds more the selected sweep gets.
func (v *sweeps) moreSeeds() tea.Cmd {
	of, foresee, add := v.current().Sweep, v.control.ForeseeSeeds, v.control.AddSeeds
	v.question = &sweepQuestion{title: "More seeds for " + widget.Clean(of.Plan.Name), more: true,
		prompt: widget.NewPrompt("seeds more", "1"),
		begin: func(ctx context.Context, line string) (swept, error) {
			n, err := sweep.MoreSeeds(line)
			if err == nil {
				_, err = add(ctx, of, n)
			}
			return swept{of.Plan.Name, "goes on with " + strings.TrimSpace(line) + " more"}, err
		}}
	if foresee != nil {
		v.question.foresee = func(ctx context.Context, line string) (*sweep.Outlook, error) {
			n, err := sweep.MoreSeeds(line)
			if err != nil {
				return nil, err
			}
			return foresee(ctx, of, n)
		}
	}
	return v.foresee()
}

// planFor opens the question for another pane, and brings this one to the front.
func (p *Pane) planFor(msg views.PlanSweep) tea.Cmd {
	show := func() tea.Msg { return views.Show{Pane: p.Name()} }
	switch {
	case p.Capturing():
		return tea.Batch(show, views.Warn("something else is being asked here: answer it, then plan the sweep again"))
	case p.control.PlanSweep == nil:
		return views.Warn("no sweep can be planned from here")
	}
	return tea.Batch(show, p.sweeps.plan(msg.Line, msg.From))
}

// foresee works out what the line comes to, once it rests.
func (v *sweeps) foresee() tea.Cmd {
	q, pause := v.question, v.pause
	foresee := q.foresee
	line := q.prompt.Value()
	if foresee == nil || line == q.foreseen || strings.TrimSpace(line) == "" {
		return nil
	}
	return views.Ask(&q.foreseeing, func(ctx context.Context) (foreseen, error) {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return foreseen{}, ctx.Err()
		}
		o, err := foresee(ctx, line)
		return foreseen{line, o}, err
	})
}

// foreseen is what a line comes to.
type foreseen struct {
	line    string
	outlook *sweep.Outlook
}

func (v *sweeps) cameForeseen(msg views.Answer[foreseen]) {
	q := v.question
	if q == nil || !q.foreseeing.Takes(msg.Ticket) {
		return
	}
	q.foreseeing.Close()
	q.foreseen, q.outlook, q.refused = msg.Value.line, msg.Value.outlook, msg.Err
}

// typed gives keys to the question.
func (v *sweeps) typed(msg tea.Msg) tea.Cmd {
	q := v.question
	if key, ok := msg.(tea.KeyPressMsg); ok {
		w, h := v.views.Size()
		bw, bh := q.size(w, h)
		switch key.String() {
		case "up":
			q.moreSeeds(1)
			return v.foresee()
		case "down":
			q.moreSeeds(-1)
			return v.foresee()
		case "pgup":
			q.scroll.Move(widget.PageUp, len(q.lines(plainTheme, bw-4)), bh-questionFrame)
			return nil
		case "pgdown":
			q.scroll.Move(widget.PageDown, len(q.lines(plainTheme, bw-4)), bh-questionFrame)
			return nil
		}
	}
	if q.starting {
		return nil
	}
	outcome, cmd := q.prompt.Update(msg)
	switch outcome {
	case widget.Cancelled:
		q.foreseeing.Close()
		v.question = nil
		if q.from != "" {
			return func() tea.Msg { return views.Show{Pane: q.from} }
		}
	case widget.Accepted:
		return tea.Batch(cmd, v.begin())
	default:
		return tea.Batch(cmd, v.foresee())
	}
	return cmd
}

// begin plans the sweep and starts it, once what it comes to has been seen.
func (v *sweeps) begin() tea.Cmd {
	q := v.question
	if q.foreseeing.Pending() {
		return nil
	}
	text, begin := q.prompt.Value(), q.begin
	q.starting, q.refused = true, nil
	return views.Ask(&v.asking, func(ctx context.Context) (swept, error) { return begin(ctx, text) })
}

var seedsWord = regexp.MustCompile(`(^| )SEEDS=(\d+)( |$)`)

// moreSeeds asks for n seeds more; where the line lists them, it is left.
func (q *sweepQuestion) moreSeeds(n int) {
	text := q.prompt.Value()
	if q.more {
		if now, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && now+n > 0 {
			q.prompt.SetValue(strconv.Itoa(now + n))
		}
		return
	}
	if !strings.Contains(text, "SEEDS=") {
		text = strings.TrimRight(text, " ") + " SEEDS=3"
	}
	at := seedsWord.FindStringSubmatchIndex(text)
	if at == nil {
		return
	}
	now, err := strconv.Atoi(text[at[4]:at[5]])
	if err != nil || now+n < 1 {
		return
	}
	q.prompt.SetValue(text[:at[4]] + strconv.Itoa(now+n) + text[at[5]:])
}

// lines are what the plan comes to, or how it is written.
func (q *sweepQuestion) lines(t *widget.Theme, w int) (lines []string) {
	switch {
	case q.refused != nil:
		lines = widget.Hang(t.Warning.Render("✗ "), widget.Clean(printable.Error(q.refused)), t.Warning, w)
	case q.outlook != nil && q.foreseen == q.prompt.Value():
		for i, line := range q.outlook.Lines() {
			style := t.Text
			switch {
			case i == 0:
				style = t.Strong
			case strings.HasPrefix(line, "!"):
				style = t.Warning
			}
			lines = append(lines, widget.Hang("", widget.Clean(line), style, w)...)
		}
		return lines
	case q.foreseeing.Pending():
		lines = []string{t.Muted.Render("working out what it comes to …")}
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	if q.more {
		return append(lines, widget.Hang("", "How many runs under new seeds each variant gets.", t.Muted, w)...)
	}
	return append(lines, widget.Hang("", "SEEDS=3 or SEEDS=1,2,3, and constants with their values: "+
		"RECIPE.SAMPLING=instance,square_root. Several constants make every combination; with the word each, one "+
		"constant at a time differs from the first values; with zip, the values of all go in step. A word of its own "+
		"is the name. All else is as config.toml has it.", t.Muted, w)...)
}

// questionFrame is the lines of the question that are not lines.
const questionFrame = 6

func (q *sweepQuestion) size(w, h int) (bw, bh int) {
	bw = min(w-4, 100)
	return bw, min(len(q.lines(plainTheme, bw-4))+questionFrame, h-2)
}

// over lays the question over the screen.
func (v *sweeps) over(t *widget.Theme, screen string, w, h int) string {
	q := v.question
	bw, bh := q.size(w, h)
	all, room := q.lines(t, bw-4), bh-questionFrame
	body := q.scroll.View(all, bw-4, room)
	text := strings.Join([]string{strings.Split(q.prompt.View(t, bw-4), "\n")[0], "", body, "",
		t.Muted.Render(q.hint(len(all) > room))}, "\n")
	box := widget.Panel{Titles: []string{q.title}, Focused: true}.View(t,
		" "+strings.ReplaceAll(text, "\n", "\n "), bw, bh)
	return widget.Overlay(screen, box, (w-bw)/2, max((h-bh)/2-1, 0))
}

func (q *sweepQuestion) hint(more bool) string {
	hint := "enter starts it   ↑ ↓ seeds   esc leaves"
	switch {
	case q.starting:
		hint = "starting it …"
	case q.refused != nil:
		hint = "mend it above   ↑ ↓ seeds   esc leaves"
	}
	if more {
		hint += "   pgdn more"
	}
	return hint
}
