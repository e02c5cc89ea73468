package infer

import (
	"fmt"
	"strings"

	"finetui/core/eval"
	"finetui/views/widget"
)

// said is the answer in free words to what an item asks; nil: there is none.
func (v *answerList) said(id string) *eval.FreeTextAnswer {
	if !v.byWords() {
		return nil
	}
	return v.now.worded[v.main()][id]
}

// wordsTable lists answers beside truths, each with what it is worth.
func (v *answerList) wordsTable(r *eval.Result) widget.Table {
	table := widget.Table{Cursor: &v.item, Columns: []widget.Column{{Title: "answer", Flex: true, Min: 12},
		{Title: "truth", Flex: true, Min: 8, Priority: 1}, {Title: "METEOR", Right: true, Priority: 3},
		{Title: "item", Flex: true, Middle: true, Min: 12, Priority: 2}}}
	items := v.items()
	table.Len, table.Row = len(items), func(i int) []widget.Cell {
		item := &r.Items[items[i]]
		id := widget.Cell{Text: v.shortID(item.ID)}
		if a := v.said(item.ID); a != nil {
			return []widget.Cell{worded(a), {Text: a.Truth, Tone: widget.Muted}, {Text: mean(a.METEOR)}, id}
		}
		return []widget.Cell{judged(item), {Text: item.Expected, Tone: widget.Muted},
			{Text: widget.Missing, Tone: widget.Muted}, id}
	}
	return table
}

// worded is an answer in free words, with a sign whether it names the exercise.
func worded(a *eval.FreeTextAnswer) widget.Cell {
	switch {
	case a.Status != eval.Answered:
		return widget.Cell{Text: "✗ no answer: " + a.Error, Tone: widget.Warning}
	case !a.Named:
		return widget.Cell{Text: "“" + a.Answer + "”"}
	case a.Identified:
		return widget.Cell{Text: "✓ " + a.Answer, Tone: widget.OK}
	}
	return widget.Cell{Text: "✗ " + a.Answer, Tone: widget.Warning}
}

// besideTruth is the selected answer in full, its truth below it, and what it is worth, in at most so many lines.
func besideTruth(t *widget.Theme, a *eval.FreeTextAnswer, w, most int) []string {
	text := a.Answer
	if a.Status != eval.Answered {
		text = "no answer: " + a.Error
	}
	lines := append([]string{""}, hung(t.Strong, "it said: ", text, w)...)
	lines = append(lines, hung(t.Text, "truth:   ", a.Truth, w)...)
	worth := fmt.Sprintf("METEOR %.2f · ROUGE-L %.2f", a.METEOR, a.ROUGEL)
	switch {
	case a.Status != eval.Answered:
		worth = "counted in none of the figures"
	case a.Named && a.Identified:
		worth = "✓ names the exercise · " + worth
	case a.Named:
		worth = "✗ names another exercise or none · " + worth
	}
	lines = append(lines, toned(t.Muted, wrapped(worth, w))...)
	return widget.FirstLines(lines, w, most)
}

// hung is a text behind a label, its further lines below its first.
func hung(style widget.Style, label, text string, w int) []string {
	lines := wrapped(text, w-widget.Width(label))
	for i, line := range lines {
		lines[i] = label + style.Render(line)
		label = strings.Repeat(" ", widget.Width(label))
	}
	return lines
}
