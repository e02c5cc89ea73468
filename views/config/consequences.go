package config

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/printable"
	"finetui/views"
	"finetui/views/widget"
)

// Consequences is what constants come to. A zero is something that is not known.
type Consequences struct {
	TrainSamples   int    // an epoch, after sampling
	StepsPerEpoch  int    // of the optimizer
	Steps          int    // of the whole run
	Warmup         int    // steps in which the learning rate rises
	EffectiveBatch int    // samples of one optimizer step
	Trainable      int    // parameters of the adapters
	VisualTokens   string // of a picture or clip: "16", "4 to 1280"
	Frames         string // that are shown of a clip; empty: of pictures
	MemoryBytes    int64
	FreeBytes      int64   // that a program can have now
	DownloadBytes  int64   // of the base, before the first step
	Takes          string  // time of the whole run, in words
	TakesOf        string  // what that goes to, in words
	MassBefore     float64 // largest over smallest loss mass of a class, were nothing done
	MassAfter      float64 // the same with the recipe
	Notes          []string
}

// Estimate works out consequences on the data set, which is there. It runs beside the screen and may take its time; any
// number of goroutines may call it. Config must not be changed.
type Estimate func(ctx context.Context, cfg *config.Config) (Consequences, error)

// effect is what one state of the constants comes to.
type effect struct {
	of *config.Config
	Consequences
}

// effects is the panel of the consequences, of the constants as they are shown and as they are on disk.
type effects struct {
	*shared

	on       *dataset.Dataset // what they were worked out on
	pause    time.Duration    // without a key, before they are worked out
	guessing views.Request
	effect   *effect // worked out last
	base     *effect // of the file on disk
	err      error
	top      int // first line that is seen
}

func (v *effects) panel() views.Panel {
	return views.Panel{Name: "consequences", Tab: "Consequences", Right: v.state, Draw: v.draw,
		Move: func(m widget.Move, page int) { scroll(&v.top, m, page) }}
}

// worked is the answer to estimate: for the constants now, and for those on disk where they were asked for.
type worked struct{ now, base *effect }

// estimate asks for the consequences of the constants, or of what is being written, once no key came for a moment.
func (v *effects) estimate() tea.Cmd {
	if v.control.Estimate == nil {
		return nil
	}
	of, disk, known := v.shown(), v.disk, v.base
	await, calculate, pause := v.control.Await, v.control.Estimate, v.pause
	work := views.InTurn(func(ctx context.Context) (w worked, err error) {
		if w.base = known; known == nil || known.of != disk {
			if w.base, err = work(ctx, calculate, disk); err != nil && of == disk {
				return w, err
			}
		}
		if w.base != nil && w.base.of == of {
			w.now = w.base
			return w, nil
		}
		w.now, err = work(ctx, calculate, of)
		return w, err
	})
	return views.Ask(&v.guessing, func(ctx context.Context) (w worked, err error) {
		if await != nil {
			if err := await(ctx, of); err != nil {
				return w, err
			}
		}
		select {
		case <-ctx.Done():
			return w, ctx.Err()
		case <-time.After(pause): // also for those who show what was read
		}
		return work(ctx)
	})
}

// heard works the consequences out anew on another data set than before.
func (v *effects) heard(now views.Dataset) tea.Cmd {
	if now.Reading || now.Set == nil || now.Set == v.on {
		return nil
	}
	first := v.on == nil
	if v.on = now.Set; v.file == nil || first && v.err == nil {
		return nil // the first estimate waits for the first reading itself
	}
	v.base = nil
	return v.estimate()
}

func work(ctx context.Context, calculate Estimate, cfg *config.Config) (*effect, error) {
	c, err := calculate(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &effect{cfg, c}, nil
}

// shown are the constants whose consequences are to be seen: those being written or chosen, else the file's.
func (v *effects) shown() *config.Config {
	if v.editor != nil && v.editor.preview != nil {
		return v.editor.preview
	}
	if v.question != nil && v.question.preview != nil {
		if c := v.question.preview[v.question.chosen()]; c != nil {
			return c
		}
	}
	return v.file.Config
}

func (v *effects) worked(msg views.Answer[worked]) {
	if !v.guessing.Takes(msg.Ticket) {
		return
	}
	v.guessing.Close()
	if v.err = msg.Err; msg.Err == nil {
		v.effect = msg.Value.now
	}
	if msg.Value.base != nil && msg.Value.base.of == v.disk {
		v.base = msg.Value.base
	}
}

// state is the right end of the panel's title.
func (v *effects) state() string {
	switch {
	case v.guessing.Pending():
		return "working out …"
	case v.file != nil && v.shown() != v.file.Config:
		return "if you take it"
	case v.effect != nil && v.err == nil && len(v.effect.Notes) > 0:
		return "! " + plural(len(v.effect.Notes), "note", "notes")
	}
	return ""
}

func (v *effects) draw(t *widget.Theme, w, h int) string {
	return scrolled(t, v.lines(t, w-1), v.top, w, h)
}

func (v *effects) lines(t *widget.Theme, w int) []string {
	switch {
	case v.control.Estimate == nil:
		return wrapped(t.Muted, "nothing to work out here", w)
	case v.err != nil:
		return wrapped(t.Warning, "✗ "+printable.Error(v.err), w)
	case v.effect == nil:
		return wrapped(t.Muted, "reading the data set …", w)
	}
	before := v.effect
	if v.base != nil {
		before = v.base
	}
	was, now := quantities(before), quantities(v.effect)
	lines := make([]string, 0, len(now))
	for i, q := range now {
		text := t.Muted.Render(widget.Left(q.label, labelWidth)) + " "
		if i >= len(was) || was[i].label != q.label || was[i].value == q.value {
			for _, part := range phrases(q.value, max(1, w-labelWidth-1)) {
				lines = append(lines, widget.Cut(text+part, w))
				text = strings.Repeat(" ", labelWidth+1)
			}
			continue
		}
		old := "  was " + was[i].short
		if labelWidth+1+widget.Width(q.value+old) > w {
			q.value = q.short
		}
		lines = append(lines, widget.Cut(text+t.Strong.Render(q.value)+t.Accent.Render(old), w))
	}
	for _, note := range v.effect.Notes {
		lines = append(lines, wrapped(t.Warning, "! "+note, w)...)
	}
	return lines
}

// phrases parts a text into lines of at most w cells, after its commas where that can be.
func phrases(text string, w int) (lines []string) {
	line := ""
	for part := range strings.SplitAfterSeq(text, ", ") {
		if line != "" && widget.Width(strings.TrimSpace(line+part)) > w {
			lines = append(lines, widget.Wrap(line, w)...)
			line = ""
		}
		line += part
	}
	return append(lines, widget.Wrap(line, w)...)
}

// quantity is one consequence, and how it is written where it is only compared with.
type quantity struct{ label, value, short string }

func quantities(e *effect) []quantity {
	train := e.of.Train
	count := func(n int) string {
		if n == 0 {
			return widget.Missing
		}
		return widget.Count(n)
	}
	tokens := " tokens"
	if e.VisualTokens == "1" {
		tokens = " token"
	}
	list := []quantity{
		{"steps", count(e.Steps), count(e.Steps)},
		{"samples", count(e.TrainSamples) + " an epoch", count(e.TrainSamples)},
		{"batch", count(e.EffectiveBatch), count(e.EffectiveBatch)},
		{"warm-up", widget.Missing, widget.Missing},
		{"loss mass", widget.Missing, widget.Missing},
		{"trainable", count(e.Trainable) + " parameters", count(e.Trainable)},
		{"picture", orMissing(e.VisualTokens) + tokens, orMissing(e.VisualTokens)},
		{"memory", widget.Missing, widget.Missing},
	}
	if e.Frames != "" {
		list[6] = quantity{"clip", e.Frames + " frames, " + list[6].value, e.Frames + " f, " + list[6].short}
	}
	if e.Steps > 0 {
		list[0].value += fmt.Sprintf(" = %d × %s", train.Epochs, count(e.StepsPerEpoch))
	}
	if train.GradAccum > 1 {
		list[2].value += fmt.Sprintf(" = %d × %d", train.BatchSize, train.GradAccum)
	}
	if e.Steps > 0 {
		list[3].short = widget.Percent(float64(e.Warmup)/float64(e.Steps), 1)
		list[3].value = plural(e.Warmup, "step", "steps") + " " + list[3].short
	}
	if e.MassBefore > 0 {
		list[4].short = widget.Ratio(e.MassAfter)
		list[4].value = widget.Ratio(e.MassBefore) + " → " + list[4].short
	}
	if e.MemoryBytes > 0 {
		list[7].short = printable.Bytes(e.MemoryBytes)
		list[7].value = "about " + list[7].short
		if e.MemoryBytes > e.FreeBytes && e.FreeBytes > 0 {
			list[7].value += " of " + printable.Bytes(e.FreeBytes) + " free"
		}
	}
	takes := []quantity{list[7]} // what a person has to have comes before what the recipe comes to
	if e.Takes != "" {
		takes = append(takes, quantity{"time", "about " + e.Takes, e.Takes})
		if e.TakesOf != "" {
			takes = append(takes, quantity{"", e.TakesOf, e.TakesOf})
		}
	}
	if e.DownloadBytes > 0 {
		size := printable.Gigabytes(e.DownloadBytes)
		takes = append(takes, quantity{"download", "about " + size, size})
	}
	return slices.Concat(list[:1], takes, list[1:7])
}

func orMissing(text string) string {
	if strings.TrimSpace(text) == "" {
		return widget.Missing
	}
	return widget.Clean(text)
}
