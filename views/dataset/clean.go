package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// clean is what the view of findings shows where there are none: what was read, and the outermost pictures or clips,
// which deserve a look all the same.
type clean struct {
	*shared
	list  []stats.Extreme
	of    string // the scope that list was made of
	where widget.List
}

func (v *clean) board() *views.Board {
	node := layout.Row(
		layout.Column(layout.Panel("verdict", 36, 6).AtMost(0, 9).Prior(1), layout.Panel("extremes", 36,
			6)).Weighted(2),
		layout.Panel("picture", 36, 8).Weighted(3).Prior(2),
	)
	return views.NewBoard(node,
		views.Panel{Name: "extremes", Tab: "Outermost", Title: func() string { return "Worth a look all the same" },
			Right: func() string { return place(v.where, len(v.list)) }, Draw: v.drawList, Move: v.move, Click: v.click,
			Actions: v.open},
		views.Panel{Name: "verdict", Tab: "Verdict", Title: func() string { return "Findings" }, Draw: v.drawVerdict,
			Move: v.move},
		views.Panel{Name: "picture", Tab: "Picture", Title: v.pictureTitle, Draw: v.drawPicture, Move: v.move,
			Actions: v.open},
	)
}

// look finds the outermost ones again where the set or the split is another.
func (v *clean) look() views.Listing {
	of := fmt.Sprint(v.reads, " ", v.split)
	if of == v.of {
		return func(context.Context) func() { return func() {} }
	}
	v.list = nil
	set, split := v.loaded, v.split
	return func(context.Context) func() {
		list := set.analysis.Extremes(set.set, set.index.Items(stats.Filter{Split: split}))
		return func() { v.list, v.of, v.where.Index = list, of, 0 }
	}
}

func (v *clean) drawVerdict(t *widget.Theme, w, h int) string {
	lines := wrapped(t.OK, fmt.Sprintf("✓ Nothing is wrong: every label of %s was read.", v.mediaOf(len(v.set.Items))),
		w)
	lines = append(lines, labelled(t, "classes", widget.Count(len(v.set.Classes)), "", w))
	if !v.clips() {
		lines = append(lines, labelled(t, "objects", widget.Count(v.analysis.Whole.Objects), "", w))
	}
	for _, split := range v.set.Splits {
		if part := v.analysis.Split(split); part != nil {
			lines = append(lines, labelled(t, widget.Clean(split), v.mediaOf(part.Images), "", w))
		}
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

func (v *clean) drawList(t *widget.Theme, w, h int) string {
	if len(v.list) == 0 {
		return widget.Middle(t.Muted, v.none("All "+v.media(2)+" of "+v.scopeWords()+" are alike."), w, h)
	}
	table := widget.Table{Cursor: &v.where, Columns: []widget.Column{{Title: "what", Priority: 9},
		{Title: "how much", Flex: true, Min: 12, Priority: 8}, {Title: v.media(1), Priority: 7}}}
	for _, e := range v.list {
		table.Rows = append(table.Rows, []widget.Cell{{Text: e.What}, {Text: widget.Clean(e.Much)},
			{Text: widget.CutLeft(widget.Clean(v.set.Items[e.Item].ID), max(w/3, 12)), Tone: widget.Muted}})
	}
	return table.View(t, w, h)
}

func (v *clean) move(m widget.Move, page int) { step(&v.where, m, len(v.list), page) }

func (v *clean) click(_, y, _, h int) tea.Cmd {
	v.where.Click(y-1, len(v.list), h-1)
	return nil
}

// extreme is the one under the cursor; nil where there is none.
func (v *clean) extreme() *stats.Extreme {
	if i := v.where.At(len(v.list)); i >= 0 {
		return &v.list[i]
	}
	return nil
}

func (v *clean) pictureTitle() string {
	if e := v.extreme(); e != nil {
		return widget.Capital(e.What) + " · " + widget.Clean(v.set.Items[e.Item].ID)
	}
	return widget.Capital(v.media(1))
}

func (v *clean) pictureKey(e *stats.Extreme, w, h int) pictureKey {
	mode, _ := v.pictureMode()
	return pictureKey{reads: v.reads, item: e.Item, object: e.Object, mode: mode, w: w, h: h}
}

// want asks for the picture, where there is room for it.
func (v *clean) want() tea.Cmd {
	w, h := v.views.Board().Inside("picture")
	if e := v.extreme(); w > 0 && e != nil {
		return v.drawPictures([]pictureKey{v.pictureKey(e, w, h)})
	}
	return nil
}

func (v *clean) drawPicture(t *widget.Theme, w, h int) string {
	e := v.extreme()
	if e == nil {
		return widget.Block("", w, h)
	}
	return v.drawThumb(t, v.pictureKey(e, w, h), v.classList(e.Item))
}

// open shows it among the others.
func (v *clean) open() []views.Action {
	e := v.extreme()
	return []views.Action{{Name: "open", Label: v.media(1), Help: "show it among the others", Group: "Data",
		Enabled: func() bool { return e != nil }, Run: func() tea.Cmd {
			v.filter.Set("")
			v.samples.show(facets{}, 0)
			v.samples.cursor.Index = max(slices.Index(v.samples.items, e.Item), 0)
			return nil
		}}}
}
