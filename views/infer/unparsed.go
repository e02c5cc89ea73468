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

// odd is an answer that names no class, and how often it was given.
type odd struct {
	text string
	n    int
	of   map[string]int // true class → how often
}

// odds are the unparsed answers, the most frequent first.
func odds(r *eval.Result) []odd {
	place := map[string]int{}
	var list []odd
	for i := range r.Items {
		item := &r.Items[i]
		if item.Parsed != eval.UnparsedLabel {
			continue
		}
		at, there := place[item.Answer]
		if !there {
			at = len(list)
			place[item.Answer] = at
			list = append(list, odd{text: item.Answer, of: map[string]int{}})
		}
		list[at].n++
		list[at].of[item.Expected]++
	}
	slices.SortStableFunc(list, func(a, b odd) int { return cmp.Compare(b.n, a.n) })
	return list
}

// mostly is the class that got the answer most often, the first of the closed list among equals.
func (o odd) mostly(r *eval.Result) string {
	name, most := "", 0
	for _, label := range r.ClosedList {
		if n := o.of[label.Name]; n > most {
			name, most = label.Name, n
		}
	}
	return name
}

func (p *Pane) unparsedTitle() string {
	r := p.result()
	if r == nil {
		return "Unparsed answers"
	}
	return fmt.Sprintf("Unparsed answers · %s of %s", widget.Count(r.Unparsed), widget.Count(r.N))
}

func (p *Pane) drawUnparsed(t *widget.Theme, w, h int) string {
	r := p.result()
	switch {
	case r == nil:
		return widget.Middle(t.Muted, "answers that name no class stand here after an evaluation", w, h)
	case r.Unparsed == 0:
		return widget.Middle(t.Muted, "every answer names a class", w, h)
	}
	table := widget.Table{Cursor: &p.scores.odd, Columns: []widget.Column{{Title: "answer that names no class",
		Flex: true, Min: 16}, {Title: "times", Right: true, Priority: 2}, {Title: "mostly to", Flex: true, Min: 10,
		Priority: 1}}}
	for _, o := range odds(r) {
		text := "“" + o.text + "”"
		if o.text == "" {
			text = "(nothing)"
		}
		table.Rows = append(table.Rows, []widget.Cell{{Text: text}, {Text: widget.Count(o.n)},
			{Text: o.mostly(r), Tone: widget.Muted}})
	}
	return table.View(t, w, h)
}

func (p *Pane) moveUnparsed(m widget.Move, page int) {
	if r := p.result(); r != nil {
		p.scores.odd.Move(m, len(odds(r)), page-1)
	}
}

// toUnparsed leads to the items that got such an answer.
func (p *Pane) toUnparsed() []views.Action {
	return []views.Action{{Name: "show_unparsed", Label: "answers", Help: "list the objects that got such an answer",
		Group:   "Scores",
		Enabled: func() bool { return p.result() != nil && p.result().Unparsed > 0 }, Run: func() tea.Cmd {
			list := odds(p.result())
			text := list[p.scores.odd.At(len(list))].text
			p.scores.listed, p.scores.item.Index = unparsedOnes, 0
			for place, i := range p.items() { // the cursor goes to the first of that answer
				if p.result().Items[i].Answer == text {
					p.scores.item.Index = place
					break
				}
			}
			p.views.Board().Focus("items")
			return nil
		}}}
}
