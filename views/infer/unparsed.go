package infer

import (
	"cmp"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/views"
	"finetui/views/widget"
)

// unparsedAnswer is an answer that names no class, and how often it was given.
type unparsedAnswer struct {
	text string
	n    int
	of   map[string]int // true class → how often
}

// unparsedAnswers are the unparsed answers, the most frequent first.
func unparsedAnswers(r *eval.Result) []unparsedAnswer {
	place := map[string]int{}
	var list []unparsedAnswer
	for i := range r.Items {
		item := &r.Items[i]
		if item.Parsed != eval.UnparsedLabel {
			continue
		}
		at, there := place[item.Answer]
		if !there {
			at = len(list)
			place[item.Answer] = at
			list = append(list, unparsedAnswer{text: item.Answer, of: map[string]int{}})
		}
		list[at].n++
		list[at].of[item.Expected]++
	}
	slices.SortStableFunc(list, func(a, b unparsedAnswer) int { return cmp.Compare(b.n, a.n) })
	return list
}

// mostly is the class that got the answer most often, the first of the closed list among equals.
func (o unparsedAnswer) mostly(r *eval.Result) string {
	name, most := "", 0
	for _, label := range r.ClosedList {
		if n := o.of[label.Name]; n > most {
			name, most = label.Name, n
		}
	}
	return name
}

func (v *confusion) unparsedTitle() string {
	r := v.result()
	if r == nil {
		return "Unparsed answers"
	}
	return fmt.Sprintf("Unparsed answers · %s of %s", widget.Count(r.Unparsed), widget.Count(r.N))
}

func (v *confusion) drawUnparsed(t *widget.Theme, w, h int) string {
	r := v.result()
	switch {
	case r == nil:
		return widget.Middle(t.Muted, "answers that name no class stand here after an evaluation", w, h)
	case r.Unparsed == 0:
		return widget.Middle(t.Muted, "every answer names a class", w, h)
	}
	table := widget.Table{Cursor: &v.unparsed, Columns: []widget.Column{{Title: "answer that names no class",
		Flex: true, Min: 16}, {Title: "times", Right: true, Priority: 2}, {Title: "mostly to", Flex: true, Min: 10,
		Priority: 1}}}
	for _, o := range unparsedAnswers(r) {
		text := "“" + o.text + "”"
		if o.text == "" {
			text = "(nothing)"
		}
		table.Rows = append(table.Rows, []widget.Cell{{Text: text}, {Text: widget.Count(o.n)},
			{Text: o.mostly(r), Tone: widget.Muted}})
	}
	return table.View(t, w, h)
}

func (v *confusion) moveUnparsed(m widget.Move, page int) {
	if r := v.result(); r != nil {
		v.unparsed.Move(m, len(unparsedAnswers(r)), page-1)
	}
}

// toUnparsed leads to the items that got such an answer.
func (v *confusion) toUnparsed() []views.Action {
	return []views.Action{{Name: "show_unparsed", Label: "answers", Help: "list the objects that got such an answer",
		Group:   "Scores",
		Enabled: func() bool { return v.result() != nil && v.result().Unparsed > 0 }, Run: func() tea.Cmd {
			list := unparsedAnswers(v.result())
			v.list.showUnparsed(list[v.unparsed.At(len(list))].text)
			v.board.Focus("items")
			return nil
		}}}
}
