package dataset

import (
	"cmp"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views/widget"
)

// pairList is the pairs that the filter lets through, most frequent first, as the selected measure orders them.
func (v *pairs) pairList() []stats.Cooccurrence {
	list := slices.DeleteFunc(slices.Clone(v.part().Cooccurrence), func(c stats.Cooccurrence) bool {
		return !v.filter.Passes(v.set.Classes[c.A].Name, v.set.Classes[c.B].Name)
	})
	slices.SortStableFunc(list, func(a, b stats.Cooccurrence) int {
		switch v.measure {
		case liftRatio:
			return cmp.Compare(b.Lift, a.Lift)
		case pictureCount:
			return cmp.Compare(b.Images, a.Images)
		}
		return cmp.Compare(b.Pairs, a.Pairs)
	})
	return list
}

func (v *pairs) pairTable() (widget.Table, []stats.Cooccurrence) {
	table := widget.Table{Rows: v.rows, Cursor: &widget.List{}, Columns: []widget.Column{
		{Title: "class", Flex: true, Min: 12, Priority: 9}, {Title: "and", Flex: true, Min: 12, Priority: 9},
		{Title: "pairs", Right: true, Priority: 8},
		{Title: "pictures", Right: true, Priority: 6}, {Title: "lift", Right: true, Priority: 7},
		{Title: "above", Right: true, Priority: 5}, {Title: "level", Right: true, Priority: 4},
		{Title: "below", Right: true, Priority: 5}}}
	for i, c := range v.list {
		if c.A == v.class && c.B == v.b || c.B == v.class && c.A == v.b {
			table.Cursor.Index = i
		}
	}
	return table, v.list
}

func (v *pairs) pairRow(c stats.Cooccurrence) []widget.Cell {
	d := v.relation(c.A, c.B)
	lift, above, below := widget.Missing, widget.Missing, widget.Missing
	if c.Lifted {
		lift = widget.Ratio(c.Lift)
		above, below = share(d.Above, c.Pairs), share(d.Below, c.Pairs)
	}
	return []widget.Cell{{Text: v.set.Classes[c.A].Name}, {Text: v.set.Classes[c.B].Name},
		{Text: widget.Count(c.Pairs)},
		{Text: widget.Count(c.Images)}, {Text: lift}, {Text: above}, {Text: share(d.Level, c.Pairs)}, {Text: below}}
}

func share(n, of int) string {
	if of == 0 {
		return widget.Missing
	}
	return widget.Percent(float64(n)/float64(of), 0)
}

func (v *pairs) drawPairList(t *widget.Theme, w, h int) string {
	table, list := v.pairTable()
	if len(list) == 0 {
		return widget.Middle(t.Muted, "No picture of "+v.scopeWords()+" holds two objects.", w, h)
	}
	return table.View(t, w, h)
}

func (v *pairs) movePairList(m widget.Move, page int) {
	table, list := v.pairTable()
	table.Cursor.Move(m, len(list), page)
	v.selectPair(list, table.Cursor.Index)
}

func (v *pairs) selectPair(list []stats.Cooccurrence, place int) {
	if place < 0 || place >= len(list) {
		return
	}
	v.class = list[place].A
	v.selectOther(list[place].B)
}

// selectOther selects the class that the selected one is compared with.
func (v *pairs) selectOther(class int) {
	v.b, v.shown.Index = class, 0
	v.refilter()
}

func (v *pairs) clickPairList(_, y, _, h int) tea.Cmd {
	if table, list := v.pairTable(); table.Click(y, h) {
		v.selectPair(list, table.Cursor.Index)
	}
	return nil
}
