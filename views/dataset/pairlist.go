package dataset

import (
	"cmp"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views/widget"
)

// pairList is the pairs that the filter lets through, most frequent first, as the selected measure orders them.
func (p *Pane) pairList() []stats.Cooccurrence {
	list := slices.DeleteFunc(slices.Clone(p.part().Cooccurrence), func(c stats.Cooccurrence) bool {
		return !p.filter.Passes(p.set.Classes[c.A].Name, p.set.Classes[c.B].Name)
	})
	slices.SortStableFunc(list, func(a, b stats.Cooccurrence) int {
		switch p.pairs.measure {
		case liftRatio:
			return cmp.Compare(b.Lift, a.Lift)
		case pictureCount:
			return cmp.Compare(b.Images, a.Images)
		}
		return cmp.Compare(b.Pairs, a.Pairs)
	})
	return list
}

func (p *Pane) pairTable() (widget.Table, []stats.Cooccurrence) {
	table := widget.Table{Rows: p.pairs.rows, Cursor: &widget.List{}, Columns: []widget.Column{
		{Title: "class", Flex: true, Min: 12, Priority: 9}, {Title: "and", Flex: true, Min: 12, Priority: 9},
		{Title: "pairs", Right: true, Priority: 8},
		{Title: "pictures", Right: true, Priority: 6}, {Title: "lift", Right: true, Priority: 7},
		{Title: "above", Right: true, Priority: 5}, {Title: "level", Right: true, Priority: 4},
		{Title: "below", Right: true, Priority: 5}}}
	for i, c := range p.pairs.list {
		if c.A == p.class && c.B == p.pairs.b || c.B == p.class && c.A == p.pairs.b {
			table.Cursor.Index = i
		}
	}
	return table, p.pairs.list
}

func (p *Pane) pairRow(c stats.Cooccurrence) []widget.Cell {
	d := p.relation(c.A, c.B)
	lift, above, below := widget.Missing, widget.Missing, widget.Missing
	if c.Lifted {
		lift = widget.Ratio(c.Lift)
		above, below = share(d.Above, c.Pairs), share(d.Below, c.Pairs)
	}
	return []widget.Cell{{Text: p.set.Classes[c.A].Name}, {Text: p.set.Classes[c.B].Name},
		{Text: widget.Count(c.Pairs)},
		{Text: widget.Count(c.Images)}, {Text: lift}, {Text: above}, {Text: share(d.Level, c.Pairs)}, {Text: below}}
}

func share(n, of int) string {
	if of == 0 {
		return widget.Missing
	}
	return widget.Percent(float64(n)/float64(of), 0)
}

func (p *Pane) drawPairList(t *widget.Theme, w, h int) string {
	table, list := p.pairTable()
	if len(list) == 0 {
		return p.centred(t.Muted, "No picture of "+p.scopeWords()+" holds two objects.", w, h)
	}
	return table.View(t, w, h)
}

func (p *Pane) movePairList(m widget.Move, page int) {
	table, list := p.pairTable()
	table.Cursor.Move(m, len(list), page)
	p.selectPair(list, table.Cursor.Index)
}

func (p *Pane) selectPair(list []stats.Cooccurrence, place int) {
	if place < 0 || place >= len(list) {
		return
	}
	p.class = list[place].A
	p.selectOther(list[place].B)
}

// selectOther selects the class that the selected one is compared with.
func (p *Pane) selectOther(class int) {
	p.pairs.b, p.pairs.shown.Index = class, 0
	p.refilter()
}

func (p *Pane) clickPairList(_, y, _, h int) tea.Cmd {
	if table, list := p.pairTable(); table.Click(y, h) {
		p.selectPair(list, table.Cursor.Index)
	}
	return nil
}
