package infer

import (
	"fmt"
	"math"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/model"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// coaching is what Scores shows of feedback that has its moment: the clips with their figures, and of one of them what
// is expected and what was given on one time line, with the frame that is seen at that moment.
type coaching struct {
	*shared
	board  *views.Board
	player *player
	clips  []int       // places in the result's items, the lowest T-F first; see refresh
	clip   widget.List // among clips
	moment widget.List // of the selected clip

	line   timeline
	lineOf lineKey
	sought lineKey // where the player was led to: the arrows may have gone on from there
}

// lineKey is one moment of one clip of an evaluation.
type lineKey struct {
	of     *eval.TimedResult
	item   int
	moment int
}

// times are the figures of the evaluation that is shown; nil: it has none of times.
func (v *coaching) times() *eval.TimedResult { return v.now.times[v.main()] }

func newCoaching(s *shared, verdict views.Panel) *coaching {
	v := &coaching{shared: s}
	v.player = newPlayer(s, func() model.Attention { return model.Attention{} })
	v.board = views.NewBoard(coachingLayout(1),
		views.Panel{Name: "scores", Tab: "Scores", Title: v.clipsTitle, Right: v.clipPosition, Draw: v.drawClips,
			Move: v.moveClip, Click: v.clickClip, Actions: v.toLine},
		verdict,
		views.Panel{Name: "items", Tab: "Time line", Title: v.lineTitle, Right: v.momentPosition, Draw: v.drawLine,
			Move: v.moveMoment, Click: v.clickMoment, Actions: v.toSample},
		views.Panel{Name: "picture", Tab: "Frame", Title: v.frameTitle, Draw: v.player.drawFrame, Move: v.player.step},
	)
	return v
}

// coachingLayout gives the clips the lines that they have a use for, and the time line the most.
func coachingLayout(clips int) layout.Node {
	left := layout.Column(layout.Panel("scores", 60, 6).AtMost(0, max(clips+3, 6)).Weighted(2).Prior(2),
		layout.Panel("items", 60, 11).Weighted(4).Prior(1))
	right := layout.Column(layout.Panel("verdict", 36, 8).AtMost(0, 17).Weighted(4), layout.Panel("picture", 36,
		9).Weighted(4))
	return layout.Row(left.Weighted(9).Prior(1), right.Weighted(5))
}

// refresh lists the clips that the filter lets through: those without an answer first, then the lowest T-F.
func (v *coaching) refresh() {
	v.clips, v.clip.Index, v.moment.Index = nil, 0, 0
	r := v.times()
	if r == nil {
		return
	}
	score := make([]float64, len(r.Items))
	for i := range r.Items {
		a := &r.Items[i]
		texts := []string{a.ID}
		for _, f := range slices.Concat(a.Truth, a.Answer) {
			texts = append(texts, f.Text)
		}
		if score[i] = a.Figures().TF; a.Status != eval.Answered {
			score[i] = -1
		}
		if v.filter.Passes(texts...) {
			v.clips = append(v.clips, i)
		}
	}
	slices.SortStableFunc(v.clips, func(a, b int) int {
		switch {
		case score[a] < score[b]:
			return -1
		case score[a] > score[b]:
			return 1
		}
		return 0
	})
	v.board.Layout = coachingLayout(len(v.clips))
}

// present is the clip whose time line is shown; nil: the filter lets none through.
func (v *coaching) present() *eval.TimedAnswer {
	r := v.times()
	if at := v.clip.At(len(v.clips)); r != nil && at >= 0 {
		return &r.Items[v.clips[at]]
	}
	return nil
}

// at is the selected moment.
func (v *coaching) at() lineKey {
	key := lineKey{of: v.times(), item: -1}
	if at := v.clip.At(len(v.clips)); at >= 0 {
		key.item, key.moment = v.clips[at], v.moment.Index
	}
	return key
}

// selected is the time line of the present clip, worked out once.
func (v *coaching) selected() *timeline {
	key := v.at()
	key.moment = 0
	if a := v.present(); key != v.lineOf || a == nil {
		v.lineOf, v.line = key, timeline{}
		if a != nil {
			v.line = newTimeline(a)
		}
	}
	return &v.line
}

// path is that of the present clip; "": it is not here.
func (v *coaching) path() string {
	a := v.present()
	if a == nil {
		return ""
	}
	place, there := v.now.samples.Find(a.ID)
	if !there {
		return ""
	}
	return v.clipOf(motif{sample: place, label: true})
}

// want asks for the clip, leads it to the selected moment, and asks for the drawing of that frame.
func (v *coaching) want() tea.Cmd {
	path := v.path()
	w, h := v.board.Inside("picture")
	if path == "" || w <= 0 || h <= 0 {
		return nil
	}
	cmd := v.player.follow(path)
	if key := v.at(); v.player.there() && key != v.sought {
		v.sought = key
		if moments := v.selected().moments; len(moments) > 0 {
			v.player.seek(moments[v.moment.At(len(moments))].At)
		}
	}
	return tea.Batch(cmd, v.drawPictures(v.player.keys(w, h, 0, 0), v.player))
}

func (v *coaching) frameTitle() string {
	a := v.present()
	if a == nil || v.path() == "" {
		return "Frame"
	}
	return v.player.frameTitle(v.shortID(a.ID), v.board.Focused() == "picture")
}

func (v *coaching) clipsTitle() string {
	r, setting := v.times(), v.now.settings[v.main()]
	if r == nil || setting == nil {
		return "Scores"
	}
	return "Scores of " + setting.Name + " on " + v.now.split + " · " + inClips(r.N)
}

// table lists the clips, each with what is expected of it, what was given and what of both is matched.
func (v *coaching) table(r *eval.TimedResult) widget.Table {
	table := widget.Table{Cursor: &v.clip, Len: len(v.clips), Columns: []widget.Column{
		{Title: "clip", Flex: true, Middle: true, Min: 12},
		{Title: "expected", Right: true, Priority: 6}, {Title: "given", Right: true, Priority: 5},
		{Title: "matched", Right: true, Priority: 7},
		{Title: "precision", Right: true, Priority: 3}, {Title: "recall", Right: true, Priority: 4},
		{Title: "T-F", Right: true, Priority: 8},
		{Title: "METEOR", Right: true, Priority: 2}, {Title: "ROUGE-L", Right: true, Priority: 1}}}
	table.Row = func(i int) []widget.Cell {
		a := &r.Items[v.clips[i]]
		name := widget.Cell{Text: v.shortID(a.ID)}
		if a.Status != eval.Answered {
			return []widget.Cell{name, {Text: widget.Count(len(a.Truth))}, {Text: "✗ no answer", Tone: widget.Warning}}
		}
		f := a.Figures()
		of := func(n int, text string) widget.Cell {
			if n == 0 {
				return widget.Cell{Text: widget.Missing, Tone: widget.Muted}
			}
			return widget.Cell{Text: text}
		}
		return []widget.Cell{name, {Text: widget.Count(f.Expected)}, {Text: widget.Count(f.Given)},
			{Text: widget.Count(f.Matched)}, of(f.Given, widget.Percent(f.Precision, 0)),
			of(f.Expected, widget.Percent(f.Recall, 0)), {Text: fmt.Sprintf("%.2f", f.TF)}, of(f.Matched, mean(f.METEOR)),
			of(f.Matched, mean(f.ROUGEL))}
	}
	return table
}

func (v *coaching) drawClips(t *widget.Theme, w, h int) string {
	r := v.times()
	if r == nil || len(v.clips) == 0 {
		return widget.Middle(t.Muted, "the filter lets no clip through", w, h)
	}
	return v.table(r).View(t, w, h)
}

func (v *coaching) clipPosition() string {
	r := v.times()
	if r == nil {
		return ""
	}
	_, h := v.board.Inside("scores")
	return v.table(r).Position(h)
}

func (v *coaching) moveClip(m widget.Move, page int) {
	if v.clip.Move(m, len(v.clips), page-1) {
		v.moment.Index = 0
	}
}

func (v *coaching) clickClip(_, y, _, h int) tea.Cmd {
	if r := v.times(); r != nil && v.table(r).Click(y, h) {
		v.moment.Index = 0
	}
	return nil
}

// toLine leads from a clip to its time line.
func (v *coaching) toLine() []views.Action {
	return []views.Action{{Name: "show_answers", Label: "time line", Help: "go to the answers behind this number",
		Group: "Scores", Enabled: func() bool { return v.present() != nil },
		Run: func() tea.Cmd {
			v.board.Focus("items")
			return nil
		}}}
}

// toSample leads to the clip and its question.
func (v *coaching) toSample() []views.Action {
	return []views.Action{{Name: "show_sample", Label: "look at it", Help: "go to this answer's picture and question",
		Group: "Scores", Enabled: func() bool { return v.present() != nil },
		Run: func() tea.Cmd { return v.openSample(v.present().ID) }}}
}

// timesVerdict is what the timed feedback of the whole split came to.
func (v *scores) timesVerdict(t *widget.Theme, r *eval.TimedResult, w int) (lines []string) {
	say := func(style widget.Style, text string) { lines = append(lines, toned(style, wrapped(text, w))...) }
	for _, m := range []struct {
		name     string
		of       int
		value    float64
		interval *eval.Interval
	}{{"T-F      ", r.Expected + r.Given, r.TF, r.TFInterval}, {"precision", r.Given, r.Precision, r.PrecisionInterval},
		{"recall   ", r.Expected, r.Recall, r.RecallInterval}, {"METEOR   ", r.Matched, r.METEOR, r.METEORInterval},
		{"ROUGE-L  ", r.Matched, r.ROUGEL, r.ROUGELInterval}} {
		g := widget.Gauge{Label: m.name, Share: m.value, Text: mean(m.value) + " " + widget.Left(fraction(m.interval), 9)}
		if m.of == 0 {
			g.Share, g.Text = math.NaN(), widget.Missing
		}
		lines = append(lines, g.View(t, w))
	}
	say(t.Text, fmt.Sprintf("%s expected, %s given, %s matched less than %g s apart", widget.Count(r.Expected),
		widget.Count(r.Given), widget.Count(r.Matched), r.Within))
	say(t.Muted, "T-F: 2PR/(P+R), pooled over the clips; 95 % beside each figure; METEOR and ROUGE-L of the matched "+
		"pairs alone")
	say(t.Text, fmt.Sprintf("perfect answers would score T-F %s, METEOR %s, ROUGE-L %s", mean(r.SelfTest.TF),
		mean(r.SelfTest.METEOR), mean(r.SelfTest.ROUGEL)))
	if others := len(v.now.answers[v.main()]) - len(r.Items); others > 0 {
		say(t.Muted, inClips(others)+" more whose feedback has no times: "+views.KeyOf("score_words")+
			" scores the words")
	}
	for _, note := range r.Notes() {
		say(t.Warning, "! "+note)
	}
	return lines
}
