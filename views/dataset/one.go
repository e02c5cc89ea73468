package dataset

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	data "finetui/core/dataset"
	"finetui/core/media"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// oneBoard is one picture in full: its boxes by number, its objects in a table, and what a model is asked about the
// selected one.
func (p *Pane) oneBoard() *views.Board {
	node := layout.Row(
		layout.Panel("picture", 36, 12).Weighted(3).Prior(1),
		layout.Column(layout.Panel("objects", 36, 8).AtMost(0, 24), layout.Panel("asked", 36, 9)).Weighted(2),
	)
	return views.NewBoard(node,
		views.Panel{Name: "picture", Tab: "Picture", Title: p.oneTitle, Right: p.samplesPlace, Draw: p.drawOne,
			Move: p.moveOne},
		views.Panel{Name: "objects", Tab: "Objects", Title: p.objectsTitle, Draw: p.drawObjectTable, Move: p.moveOne,
			Click: p.clickObject},
		views.Panel{Name: "asked", Tab: "Prompt", Title: func() string { return "What the model is asked" },
			Right: p.contextName, Draw: p.drawAsked, Move: p.moveOne},
	)
}

// oneItem is the opened picture; nil where none passes.
func (p *Pane) oneItem() *data.Item {
	if i := p.oneIndex(); i >= 0 {
		return &p.set.Items[i]
	}
	return nil
}

func (p *Pane) oneIndex() int {
	at := p.samples.cursor.At(len(p.samples.items))
	if at < 0 {
		return -1
	}
	return p.samples.items[at]
}

// firstObject is the first object of the opened picture that is of the class asked for.
func (p *Pane) firstObject() int {
	item := p.oneItem()
	if item == nil {
		return 0
	}
	classes := p.standsOut()
	for i, object := range item.Objects {
		if slices.Contains(classes, object.Class) {
			return i
		}
	}
	return 0
}

func (p *Pane) oneActions() []views.Action {
	step := func(n int) func() tea.Cmd {
		return func() tea.Cmd { p.stepOne(n); return nil }
	}
	return []views.Action{
		{Name: "next_picture", Label: "next picture", Help: "open the next picture", Group: "Data", Run: step(1)},
		{Name: "previous_picture", Help: "open the picture before", Group: "Data", Run: step(-1)},
	}
}

func (p *Pane) stepOne(n int) {
	p.samples.cursor.Index = max(min(p.samples.cursor.At(len(p.samples.items))+n, len(p.samples.items)-1), 0)
	p.samples.object.Index = p.firstObject()
}

// moveOne goes through the objects up and down, and through the pictures left and right.
func (p *Pane) moveOne(m widget.Move, page int) {
	switch item := p.oneItem(); {
	case m == widget.MoveLeft:
		p.stepOne(-1)
	case m == widget.MoveRight:
		p.stepOne(1)
	case item != nil:
		p.samples.object.Move(m, len(item.Objects), page)
	}
}

func (p *Pane) oneTitle() string {
	item := p.oneItem()
	if item == nil {
		return "Picture"
	}
	if item.Width > 0 {
		return fmt.Sprintf("%s · %d×%d pixels", widget.Clean(item.ID), item.Width, item.Height)
	}
	return widget.Clean(item.ID)
}

func (p *Pane) drawOne(t *widget.Theme, w, h int) string {
	if p.oneItem() == nil {
		return p.centred(t.Muted, "No picture passes: esc goes back.", w, h)
	}
	return p.drawThumb(t, p.oneKey(w, h), p.classList(p.oneIndex()))
}

func (p *Pane) oneKey(w, h int) pictureKey {
	mode, _ := p.pictureMode()
	item := p.oneItem()
	return pictureKey{reads: p.reads, item: p.oneIndex(), object: p.samples.object.At(len(item.Objects)), numbers: true,
		mode: mode, w: w, h: h}
}

// oneKeys are the drawings of the opened picture: whole, and as the model sees the selected object.
func (p *Pane) oneKeys() []pictureKey {
	if p.oneItem() == nil {
		return nil
	}
	w, h := p.board().Inside("picture")
	keys := []pictureKey{p.oneKey(w, h)}
	if key, seen := p.askedKey(p.board().Inside("asked")); seen {
		keys = append(keys, key)
	}
	return keys
}

func (p *Pane) objectsTitle() string {
	if item := p.oneItem(); item != nil {
		return p.holdsTitle(len(item.Objects))
	}
	return "Objects"
}

func (p *Pane) holdsTitle(n int) string {
	if n == 1 {
		return "1 object"
	}
	return widget.Count(n) + " objects"
}

// objectTable lists the objects of the opened picture with where they lie: x and y of the centre, and the share of the
// picture that the box covers.
func (p *Pane) objectTable() widget.Table {
	table := widget.Table{Cursor: &p.samples.object, Columns: []widget.Column{
		{Title: "box", Right: true, Priority: 9}, {Title: "class", Flex: true, Min: 19, Priority: 8},
		{Title: "y", Right: true, Priority: 6}, {Title: "lies", Priority: 5}, {Title: "x", Right: true, Priority: 3},
		{Title: "covers", Right: true, Priority: 2}, {Title: "line", Right: true, Priority: 1}}}
	item := p.oneItem()
	if item == nil {
		return table
	}
	for i, object := range item.Objects {
		class, centre := p.set.Classes[object.Class], object.Box.Center()
		covers := (object.Box.X1 - object.Box.X0) * (object.Box.Y1 - object.Box.Y0)
		table.Rows = append(table.Rows, []widget.Cell{
			{Text: widget.Count(i + 1)}, {Text: class.Name},
			{Text: fmt.Sprintf("%.2f", centre.Y)}, {Text: p.bandOf(centre.Y)}, {Text: fmt.Sprintf("%.2f", centre.X)},
			{Text: widget.Percent(covers, 1)}, {Text: lineNumber(object.Line)}})
	}
	return table
}

func lineNumber(line int) string {
	if line == 0 {
		return widget.Missing
	}
	return widget.Count(line)
}

func (p *Pane) drawObjectTable(t *widget.Theme, w, h int) string {
	table := p.objectTable()
	if len(table.Rows) == 0 {
		return p.centred(t.Muted, "Nothing is labelled in this picture.", w, h)
	}
	return table.View(t, w, h)
}

func (p *Pane) clickObject(_, y, _, h int) tea.Cmd {
	p.objectTable().Click(y, h)
	return nil
}

// contextName says what of the picture the model is shown.
func (p *Pane) contextName() string {
	return map[string]string{
		media.Full: "sees the whole picture", media.Marked: "sees it outlined", media.Crop: "sees it cut out",
		media.FullCrop: "sees it outlined, and cut out",
	}[p.recipe.draft().Recipe.Context]
}

// drawAsked shows the prompt and the answer about the selected object, beside what the model sees of it.
func (p *Pane) drawAsked(t *widget.Theme, w, h int) string {
	item := p.oneItem()
	if item == nil || len(item.Objects) == 0 {
		return p.centred(t.Muted, "Nothing is labelled, so nothing is asked.", w, h)
	}
	key, seen := p.askedKey(w, h)
	return p.drawAskedBeside(t, p.oneRef(), key, seen, w, h)
}

// oneRef is the selected object of the opened picture.
func (p *Pane) oneRef() data.Ref {
	return data.Ref{Item: p.oneIndex(), Object: p.samples.object.At(len(p.oneItem().Objects))}
}

// askedKey is the drawing of what the model sees of the selected object, where that is not the picture beside it.
func (p *Pane) askedKey(w, h int) (pictureKey, bool) {
	ref := p.oneRef()
	key, seen := p.contextKey(ref, w, h)
	return key, seen && ref.Object >= 0 && key.seen.context != media.Full && key.seen.context != media.Marked
}
