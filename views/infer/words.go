package infer

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/views/layout"
	"finetui/views/widget"
)

// texts are the answers in free words of the evaluation that is shown; nil: it has none.
func (p *shared) texts() *eval.FreeTextResult { return p.now.texts[p.main()] }

// measure is what answers are scored by.
type measure int

const (
	ofTimes measure = iota // what is said when, of feedback that has its moment
	ofWords
	ofClass // the class, or the exercise, that an answer names
)

// byWords says whether more of the answers is scored on the screen than the exercise that they name.
func (p *shared) byWords() bool { return p.texts() != nil && p.measure != ofClass }

// nextMeasure turns to the next coarser measure, and from the coarsest back to the finest. Scores and Compare alone
// have one of times.
func (p *Pane) nextMeasure() tea.Cmd {
	byTimes := p.scores.byTimes() && p.views.Is(scoresView) || p.compare.timed() && p.views.Is(compareView)
	if p.measure == ofTimes && !byTimes {
		p.measure = ofWords // as it is seen
	}
	panel := p.views.Board().Focused()
	p.measure = (p.measure + 1) % (ofClass + 1)
	p.views.Refresh()
	p.views.Board().Focus(panel)
	return nil
}

// counted says how many of what a split asks about there are: clips, or objects in pictures.
func (p *shared) counted(n int) string {
	if p.now.samples != nil && p.now.samples.Len() > 0 && p.now.samples.Item(0).Clip != nil {
		return inClips(n)
	}
	if n == 1 {
		return "1 object"
	}
	return widget.Count(n) + " objects"
}

// inClips says how many things were asked about, as what they are.
func inClips(n int) string {
	if n == 1 {
		return "1 clip"
	}
	return widget.Count(n) + " clips"
}

// mean writes a mean of METEOR or ROUGE-L.
func mean(v float64) string { return fmt.Sprintf("%.3f", v) }

// change is a difference of two of them.
func change(d float64) widget.Cell {
	cell := widget.Cell{Text: strings.Replace(fmt.Sprintf("%+.3f", d), "-", "−", 1), Tone: widget.OK}
	switch {
	case cell.Text == "+0.000" || cell.Text == "−0.000":
		return widget.Cell{Text: "=", Tone: widget.Muted}
	case d < 0:
		cell.Tone = widget.Warning
	}
	return cell
}

// exercises are the lines of the table of scores: all answers, then each exercise, the rarest last.
func exercises(r *eval.FreeTextResult) []eval.Named[eval.FreeTextFigures] {
	all := eval.Named[eval.FreeTextFigures]{Name: "all", Value: r.FreeTextFigures}
	return append([]eval.Named[eval.FreeTextFigures]{all}, r.Exercises...)
}

// exercisesTable is the table of scores of answers in free words.
func (v *scores) exercisesTable(r *eval.FreeTextResult, w int) widget.Table {
	table := widget.Table{Cursor: &v.group, Columns: []widget.Column{
		{Title: "exercise", Flex: true, Min: 16}, {Title: "n", Right: true, Priority: 9},
		{Title: "identified", Right: true, Priority: 8}, {Title: "95 %", Right: true, Priority: 5},
		{Title: "METEOR", Right: true, Priority: 7}, {Title: "95 %", Right: true, Priority: 4},
		{Title: "ROUGE-L", Right: true, Priority: 6}, {Title: "95 %", Right: true, Priority: 3}}}
	plot := min(w-100, 41)
	if plot >= 11 {
		table.Columns = append(table.Columns, widget.Column{Title: widget.Ends("METEOR 0", "1", plot)})
	}
	for _, e := range exercises(r) {
		table.Rows = append(table.Rows, exerciseRow(exerciseTitle(e.Name), e.Value, plot))
	}
	return table
}

// exerciseTitle is an exercise's name for people.
func exerciseTitle(name string) string {
	if name == "" {
		return "(none named)"
	}
	return name
}

func exerciseRow(name string, f eval.FreeTextFigures, plot int) []widget.Cell {
	missing := widget.Cell{Text: widget.Missing, Tone: widget.Muted}
	identified, interval := missing, missing
	if f.Named > 0 {
		identified = widget.Cell{Text: widget.Percent(f.IdentifiedShare, 0)}
		interval = widget.Cell{Text: span(f.IdentifiedInterval), Tone: widget.Muted}
		if vague(f.IdentifiedInterval) {
			interval.Text, interval.Tone = "!"+interval.Text, widget.Warning
		}
	}
	row := []widget.Cell{{Text: name}, {Text: widget.Count(f.N)}, identified, interval,
		{Text: mean(f.METEOR)}, {Text: fraction(f.METEORInterval), Tone: widget.Muted},
		{Text: mean(f.ROUGEL)}, {Text: fraction(f.ROUGELInterval), Tone: widget.Muted}}
	if plot >= 11 {
		row = append(row, widget.Cell{Text: ruler(f.METEOR, f.METEORInterval, plot), Tone: widget.Accent})
	}
	return row
}

// wordsVerdict is what the answers in free words of the whole split came to.
func (v *scores) wordsVerdict(t *widget.Theme, r *eval.FreeTextResult, w int) (lines []string) {
	say := func(style widget.Style, text string) { lines = append(lines, toned(style, wrapped(text, w))...) }
	if r.Named > 0 {
		lines = append(lines, widget.Gauge{Label: "identified", Share: r.IdentifiedShare, Warn: r.ExerciseTold() > 0,
			Text: fmt.Sprintf("%s %s of %s", widget.Percent(r.IdentifiedShare, 1), span(r.IdentifiedInterval),
				widget.Count(r.Named))}.View(t, w))
	}
	for _, m := range []struct {
		name     string
		mean     float64
		interval *eval.Interval
	}{{"METEOR    ", r.METEOR, r.METEORInterval}, {"ROUGE-L   ", r.ROUGEL, r.ROUGELInterval}} {
		lines = append(lines, widget.Gauge{Label: m.name, Share: m.mean,
			Text: mean(m.mean) + " " + fraction(m.interval)}.View(t, w))
	}
	if r.Named > 0 {
		say(t.Muted, "identified: the answer names the clip's exercise; 95 % beside each figure")
	}
	say(t.Text, fmt.Sprintf("perfect answers would score METEOR %s, ROUGE-L %s", mean(r.SelfTest.METEOR),
		mean(r.SelfTest.ROUGEL)))
	if r.TokensPerSecond > 0 {
		say(t.Text, fmt.Sprintf("%s an answer · %s tokens/s", widget.Number(r.SecondsPerAnswer)+" s",
			widget.Number(r.TokensPerSecond)))
	}
	for _, note := range r.Notes() {
		say(t.Warning, "! "+note)
	}
	return lines
}

// wordsLayout gives the table of so many lines what it has a use for, and answers beside truths the most.
func wordsLayout(lines int) layout.Node {
	left := layout.Column(layout.Panel("scores", 60, 8).AtMost(0, max(lines+3, 8)).Weighted(2).Prior(2),
		layout.Panel("items", 60, 10).Weighted(3).Prior(1))
	right := layout.Column(layout.Panel("verdict", 36, 8).AtMost(0, 20).Weighted(4), layout.Panel("picture", 36,
		9).Weighted(4))
	return layout.Row(left.Weighted(9).Prior(1), right.Weighted(5))
}

// selectedExercise are the answers of the selected exercise.
func (v *scores) selectedExercise() (name string, holds func(*eval.Answer) bool) {
	list := exercises(v.texts())
	at := v.group.At(len(list))
	if at <= 0 {
		return "all answers", func(*eval.Answer) bool { return true }
	}
	return exerciseTitle(list[at].Name), func(item *eval.Answer) bool {
		a := v.list.said(item.ID)
		return a != nil && a.Exercise == list[at].Name
	}
}
