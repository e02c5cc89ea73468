package infer

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/views"
	"finetui/views/widget"
)

// answerList is the scored answers beside a table of figures: those behind the selected place of the table, the wrong
// ones, those that name no class, or all.
type answerList struct {
	*shared
	board  *views.Board // with the panels "items" and "picture"
	object *object

	// selected is what is selected in the table: its name, and which answers lie behind it.
	selected func(r *eval.Result) (name string, holds func(*eval.Answer) bool)

	item   widget.List // among the answers that are listed
	listed listing
}

// listing is which answers are listed.
type listing int

const (
	ofSelection listing = iota
	wrongOnes
	unparsedOnes
	allOfThem
	listingCount
)

func newAnswerList(s *shared, selected func(*eval.Result) (string, func(*eval.Answer) bool)) *answerList {
	v := &answerList{shared: s, selected: selected}
	v.object = newObject(s, v.present)
	return v
}

// on puts the list on its view's board.
func (v *answerList) on(board *views.Board) { v.board, v.object.board = board, board }

// arrive starts the list of answers anew: it is another subject's, or another filter's.
func (v *answerList) arrive() { v.item.Index = 0 }

// follow lists what is selected in the table.
func (v *answerList) follow() { v.listed, v.item.Index = ofSelection, 0 }

// showUnparsed lists the answers that name no class, the cursor on the first that says text.
func (v *answerList) showUnparsed(text string) {
	v.listed, v.item.Index = unparsedOnes, 0
	for place, i := range v.items() {
		if v.result().Items[i].Answer == text {
			v.item.Index = place
			return
		}
	}
}

// itemsPanel is the list.
func (v *answerList) itemsPanel() views.Panel {
	return views.Panel{Name: "items", Tab: "Answers", Title: v.itemsTitle, Right: v.itemPosition, Draw: v.drawItems,
		Move: v.moveItem, Click: v.clickItem, Actions: v.toSample}
}

// present is the place of the object of the selected answer; false where there is none.
func (v *answerList) present() (place int, there bool) {
	return v.now.samples.Find(v.itemID())
}

// actions are those of the two views of one evaluation.
func (v *answerList) actions() []views.Action {
	return []views.Action{
		{Name: "list_answers", Label: "list",
			Help:    "list the answers of what is selected, the wrong ones, those that name no class, or all",
			Group:   "Scores",
			Enabled: func() bool { return v.result() != nil }, Run: func() tea.Cmd {
				v.listed = (v.listed + 1) % listingCount
				v.item.Index = 0
				return nil
			}},
	}
}

// toItems leads from a table to the answers behind its selected place.
func (v *answerList) toItems() []views.Action {
	return []views.Action{{Name: "show_answers", Label: "answers", Help: "go to the answers behind this number",
		Group:   "Scores",
		Enabled: func() bool { return v.result() != nil }, Run: func() tea.Cmd {
			v.follow()
			v.board.Focus("items")
			return nil
		}}}
}

// toSample leads from an answer to its picture.
func (v *answerList) toSample() []views.Action {
	return []views.Action{{Name: "show_sample", Label: "look at it", Help: "go to this answer's picture and question",
		Group:   "Scores",
		Enabled: func() bool { return len(v.items()) > 0 }, Run: v.jump}}
}

// items are the answers that are listed, as places in the result: of a selection the wrong ones first.
func (v *answerList) items() []int {
	r := v.result()
	if r == nil {
		return nil
	}
	listed := v.listing(r)
	if v.byWords() { // the farthest from its truth first
		return slices.DeleteFunc(slices.Clone(v.now.worst[v.main()]), func(i int) bool {
			return !listed(&r.Items[i]) || !v.passes(&r.Items[i])
		})
	}
	var first, then []int
	for i := range r.Items {
		item := &r.Items[i]
		switch {
		case !listed(item) || !v.passes(item):
		case item.Right:
			then = append(then, i)
		default:
			first = append(first, i)
		}
	}
	return append(first, then...)
}

// passes says whether the filter lets an answer through.
func (v *answerList) passes(item *eval.Answer) bool {
	if a := v.said(item.ID); a != nil {
		return v.filter.Passes(item.ID, item.Expected, a.Truth, a.Answer)
	}
	return v.filter.Passes(item.ID, item.Expected, item.Answer)
}

// listing says which answers are listed.
func (v *answerList) listing(r *eval.Result) func(*eval.Answer) bool {
	switch v.listed {
	case wrongOnes:
		return func(item *eval.Answer) bool { return !item.Right }
	case unparsedOnes:
		return func(item *eval.Answer) bool { return item.Parsed == eval.UnparsedLabel }
	case allOfThem:
		return func(*eval.Answer) bool { return true }
	}
	_, holds := v.selected(r)
	return holds
}

func (v *answerList) itemsTitle() string {
	r := v.result()
	if r == nil {
		return "Answers"
	}
	which := map[listing]string{wrongOnes: "wrong answers", unparsedOnes: "answers that name no class",
		allOfThem: "all answers"}[v.listed]
	if v.listed == ofSelection {
		which, _ = v.selected(r)
	}
	return fmt.Sprintf("%s · %s", widget.Capital(which), widget.Count(len(v.items())))
}

func (v *answerList) itemsTable(r *eval.Result) widget.Table {
	if v.byWords() {
		return v.wordsTable(r)
	}
	table := widget.Table{Cursor: &v.item, Columns: []widget.Column{{Title: "answer", Flex: true, Min: 12},
		{Title: "truth", Flex: true, Min: 8, Priority: 1}, {Title: "item", Flex: true, Middle: true, Min: 10,
			Priority: 2}}}
	items := v.items()
	table.Len, table.Row = len(items), func(i int) []widget.Cell {
		item := &r.Items[items[i]]
		return []widget.Cell{judged(item), {Text: item.Expected, Tone: widget.Muted}, {Text: v.shortID(item.ID)}}
	}
	return table
}

func (v *answerList) drawItems(t *widget.Theme, w, h int) string {
	r := v.result()
	if r == nil {
		return widget.Middle(t.Muted, "the answers stand here after an evaluation", w, h)
	}
	table := v.itemsTable(r)
	if table.Len == 0 {
		none := map[listing]string{wrongOnes: "no answer is wrong",
			unparsedOnes: "every answer names a class"}[v.listed]
		if none == "" {
			none = "no such answer"
		}
		return widget.Middle(t.Muted, none+"; f lists others", w, h)
	}
	var lines []string
	if a := v.said(v.itemID()); a != nil && h >= 8 {
		lines = strings.Split(indent(besideTruth(t, a, w-2, h/2)), "\n")
	} else if text := v.itemText(r); text != "" && h >= 10 {
		lines = append(lines, "", " "+t.Muted.Render(widget.Cut("it said: ", w-2))+widget.Cut(text, w-12))
	}
	return strings.Join(append([]string{table.View(t, w, h-len(lines))}, lines...), "\n")
}

// itemText is the selected answer as it was given.
func (v *answerList) itemText(r *eval.Result) string {
	items := v.items()
	if len(items) == 0 {
		return ""
	}
	return widget.Clean(r.Items[items[v.item.At(len(items))]].Answer)
}

// itemPosition says which answer is selected where not all are seen.
func (v *answerList) itemPosition() string {
	r := v.result()
	if r == nil {
		return ""
	}
	_, h := v.board.Inside("items")
	return v.itemsTable(r).Position(h)
}

func (v *answerList) moveItem(m widget.Move, page int) { v.item.Move(m, len(v.items()), page-1) }

func (v *answerList) clickItem(_, y, _, h int) tea.Cmd {
	if r := v.result(); r != nil {
		v.itemsTable(r).Click(y, h)
	}
	return nil
}

// jump shows the selected answer's picture and question.
func (v *answerList) jump() tea.Cmd {
	if id := v.itemID(); id != "" {
		return v.openSample(id)
	}
	return nil
}

// itemID names the object of the selected answer, or is empty.
func (v *answerList) itemID() string {
	r, items := v.result(), v.items()
	if r == nil || len(items) == 0 {
		return ""
	}
	return r.Items[items[v.item.At(len(items))]].ID
}
