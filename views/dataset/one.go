package dataset

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	data "finetui/core/dataset"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// one is a picture in full, opened from Samples.
type one struct {
	*samples
	object widget.List // the selected one
}

func (v *one) view() views.View {
	picture, clip := v.board(), v.clipBoard()
	return views.View{Name: pictureView, Boards: []*views.Board{picture, clip}, Actions: v.oneActions, Copy: v.text,
		Want: v.want, Pick: func(int, int) *views.Board {
			if v.ready() && v.isClip() {
				return clip
			}
			return picture
		}}
}

// want asks for the picture, for what the model sees of the object, and what the recipe says of it.
func (v *one) want() tea.Cmd {
	if !v.isClip() {
		return tea.Batch(v.weigh(), v.drawPictures(v.oneKeys()))
	}
	return tea.Batch(v.weigh(), v.watch(v.oneIndex()), v.drawPictures(v.filmKeys()))
}

// board is one picture in full: its boxes by number, its objects in a table, and what a model is asked about the
// selected one.
func (v *one) board() *views.Board {
	node := layout.Row(
		layout.Panel("picture", 36, 12).Weighted(3).Prior(1),
		layout.Column(layout.Panel("objects", 36, 8).AtMost(0, 24), layout.Panel("asked", 36, 9)).Weighted(2),
	)
	return views.NewBoard(node,
		views.Panel{Name: "picture", Tab: "Picture", Title: v.oneTitle, Right: v.samplesPlace, Draw: v.drawOne,
			Move: v.moveOne},
		views.Panel{Name: "objects", Tab: "Objects", Title: v.objectsTitle, Draw: v.drawObjectTable, Move: v.moveOne,
			Click: v.clickObject},
		views.Panel{Name: "asked", Tab: "Prompt", Title: func() string { return "What the model is asked" },
			Right: v.contextName, Draw: v.drawAsked, Move: v.moveOne},
	)
}

// oneItem is the opened picture; nil where none passes.
func (v *one) oneItem() *data.Item {
	if i := v.oneIndex(); i >= 0 {
		return &v.set.Items[i]
	}
	return nil
}

func (v *one) oneIndex() int {
	at := v.cursor.At(len(v.items))
	if at < 0 {
		return -1
	}
	return v.items[at]
}

// firstObject is the first object of the opened picture that is of the class asked for.
func (v *one) firstObject() int {
	item := v.oneItem()
	if item == nil {
		return 0
	}
	classes := v.standsOut()
	for i, object := range item.Objects {
		if slices.Contains(classes, object.Class) {
			return i
		}
	}
	return 0
}

func (v *one) oneActions() []views.Action {
	step := func(n int) func() tea.Cmd {
		return func() tea.Cmd { v.stepOne(n); return nil }
	}
	return []views.Action{
		{Name: "next_picture", Label: "next " + v.media(1), Help: "open the next " + v.media(1), Group: "Data",
			Run: step(1)},
		{Name: "previous_picture", Help: "open the " + v.media(1) + " before", Group: "Data", Run: step(-1)},
	}
}

func (v *one) stepOne(n int) {
	v.cursor.Index = max(min(v.cursor.At(len(v.items))+n, len(v.items)-1), 0)
	v.object.Index = v.firstObject()
}

// moveOne goes through the objects up and down, and through the pictures left and right.
func (v *one) moveOne(m widget.Move, page int) {
	switch item := v.oneItem(); {
	case m == widget.MoveLeft:
		v.stepOne(-1)
	case m == widget.MoveRight:
		v.stepOne(1)
	case item != nil:
		v.object.Move(m, len(item.Objects), page)
	}
}

func (v *one) oneTitle() string {
	item := v.oneItem()
	if item == nil {
		return "Picture"
	}
	if item.Width > 0 {
		return fmt.Sprintf("%s · %d×%d pixels", widget.Clean(item.ID), item.Width, item.Height)
	}
	return widget.Clean(item.ID)
}

func (v *one) drawOne(t *widget.Theme, w, h int) string {
	if v.oneItem() == nil {
		return widget.Middle(t.Muted, "No picture passes: esc goes back.", w, h)
	}
	return v.drawThumb(t, v.oneKey(w, h), v.classList(v.oneIndex()))
}

func (v *one) oneKey(w, h int) pictureKey {
	mode, _ := v.pictureMode()
	item := v.oneItem()
	return pictureKey{reads: v.reads, item: v.oneIndex(), object: v.object.At(len(item.Objects)), numbers: true,
		mode: mode, w: w, h: h}
}

// oneKeys are the drawings of the opened picture: whole, and as the model sees the selected object.
func (v *one) oneKeys() []pictureKey {
	if v.oneItem() == nil {
		return nil
	}
	w, h := v.views.Board().Inside("picture")
	keys := []pictureKey{v.oneKey(w, h)}
	if key, seen := v.askedKey(v.views.Board().Inside("asked")); seen {
		keys = append(keys, key)
	}
	return keys
}

func (v *one) objectsTitle() string {
	if item := v.oneItem(); item != nil {
		return v.holdsTitle(len(item.Objects))
	}
	return "Objects"
}

func (v *one) holdsTitle(n int) string {
	return objectsOf(n)
}

// objectTable lists the objects of the opened picture with where they lie: x and y of the centre, and the share of the
// picture that the box covers.
func (v *one) objectTable() widget.Table {
	table := widget.Table{Cursor: &v.object, Columns: []widget.Column{
		{Title: "box", Right: true, Priority: 9}, {Title: "class", Flex: true, Min: 19, Priority: 8},
		{Title: "y", Right: true, Priority: 6}, {Title: "lies", Priority: 5}, {Title: "x", Right: true, Priority: 3},
		{Title: "covers", Right: true, Priority: 2}, {Title: "line", Right: true, Priority: 1}}}
	item := v.oneItem()
	if item == nil {
		return table
	}
	for i, object := range item.Objects {
		class, centre := v.set.Classes[object.Class], object.Box.Center()
		covers := (object.Box.X1 - object.Box.X0) * (object.Box.Y1 - object.Box.Y0)
		table.Rows = append(table.Rows, []widget.Cell{
			{Text: widget.Count(i + 1)}, {Text: class.Name},
			{Text: fmt.Sprintf("%.2f", centre.Y)}, {Text: v.bandOf(centre.Y)}, {Text: fmt.Sprintf("%.2f", centre.X)},
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

func (v *one) drawObjectTable(t *widget.Theme, w, h int) string {
	table := v.objectTable()
	if len(table.Rows) == 0 {
		return widget.Middle(t.Muted, "Nothing is labelled in this picture.", w, h)
	}
	return table.View(t, w, h)
}

func (v *one) clickObject(_, y, _, h int) tea.Cmd {
	v.objectTable().Click(y, h)
	return nil
}

// drawAsked shows the prompt and the answer about the selected object, beside what the model sees of it.
func (v *one) drawAsked(t *widget.Theme, w, h int) string {
	item := v.oneItem()
	if item == nil || len(item.Objects) == 0 {
		return widget.Middle(t.Muted, "Nothing is labelled, so nothing is asked.", w, h)
	}
	key, seen := v.askedKey(w, h)
	if item.Clip != nil {
		key, seen = pictureKey{}, false // its frames stand beside it
	}
	return v.drawAskedBeside(t, v.oneRef(), key, seen, w, h)
}

// oneRef is the selected object of the opened picture.
func (v *one) oneRef() data.Ref {
	return data.Ref{Item: v.oneIndex(), Object: v.object.At(len(v.oneItem().Objects))}
}

// askedKey is the drawing of what the model sees of the selected object, where that is not the picture beside it.
func (v *one) askedKey(w, h int) (pictureKey, bool) {
	ref := v.oneRef()
	key, seen := v.contextKey(ref, w, h)
	return key, seen && ref.Object >= 0 && key.seen.context != config.ContextFull &&
		key.seen.context != config.ContextMarked
}
