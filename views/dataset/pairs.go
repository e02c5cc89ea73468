package dataset

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// pairs is the view of classes that are in one picture. A is the row of the table and the selected class of all views.
type pairs struct {
	b       int         // the other class
	measure int         // what the table shows
	items   []int       // pictures with both
	shown   widget.List // which of them is the first that is seen
}

// What the heat table shows of two classes.
const (
	pairCount = iota
	pictureCount
	liftRatio
	measures
)

var orderWords = [measures]string{"most pairs first", "most pictures first", "highest lift first"}

var measureWords = [measures]string{"pairs of objects", "pictures with both", "lift: times as often as by chance"}

func (p *Pane) pairsBoard() *views.Board {
	node := layout.Row(
		layout.Column(layout.Panel("table", 56, 9).AtMost(0, 30).Prior(2), layout.Panel("list", 56, 7)).Weighted(3),
		layout.Column(layout.Panel("relation", 40, 9).AtMost(0, 15).Prior(1), layout.Panel("both", 40, 9)).Weighted(2),
	)
	return views.NewBoard(node,
		views.Panel{Name: "table", Tab: "Table", Title: p.pairsTitle, Right: func() string { return p.scopeWords() }, Draw: p.drawPairs, Move: p.movePairs, Actions: p.openPair},
		views.Panel{Name: "list", Tab: "List", Title: func() string { return "All pairs · " + orderWords[p.pairs.measure] }, Draw: p.drawPairList, Move: p.movePairList, Click: p.clickPairList, Actions: p.openPair},
		views.Panel{Name: "relation", Tab: "Relation", Title: p.relationTitle, Draw: p.drawRelation, Actions: p.openPair},
		views.Panel{Name: "both", Tab: "Pictures", Title: p.bothTitle, Right: p.bothPlace, Draw: p.drawBoth, Move: p.moveBoth, Actions: p.openPair},
	)
}

func (p *Pane) pairsActions() []views.Action {
	return []views.Action{{Name: "measure", Keys: []string{"m"}, Label: "measure", Help: "numbers are pairs of objects, pictures with both, or lift", Group: "Data",
		Run: func() tea.Cmd { p.pairs.measure = (p.pairs.measure + 1) % measures; return nil }}}
}

// openPair shows the pictures with both classes.
func (p *Pane) openPair() []views.Action {
	return []views.Action{{Name: "open", Keys: []string{"enter"}, Label: "pictures", Help: "show the pictures with both classes", Group: "Data",
		Enabled: func() bool { return len(p.pairs.items) > 0 }, Run: func() tea.Cmd {
			p.showSamples(facets{class: p.rawName(p.class), other: p.rawName(p.pairs.b)})
			return nil
		}}}
}

func (p *Pane) bothTitle() string {
	return "Pictures with both"
}

func (p *Pane) bothPlace() string {
	return place(p.pairs.shown, len(p.pairs.items))
}

func (p *Pane) drawBoth(t *widget.Theme, w, h int) string {
	if len(p.pairs.items) == 0 {
		return p.centred(t.Muted, "There are none.", w, h)
	}
	return p.drawSheet(t, p.bothSheet(w, h), w, h)
}

func (p *Pane) bothSheet(w, h int) sheet {
	s := sheet{items: p.pairs.items, class: p.class, other: p.pairs.b, cursor: -1}
	s.grid = p.gridFor(len(s.items), w, h)
	s.first = max(p.pairs.shown.At(len(s.items)), 0)
	return s
}

func (p *Pane) moveBoth(m widget.Move, page int) { step(&p.pairs.shown, m, len(p.pairs.items), page) }

// strongest is the class that is in one picture with another most often.
func (p *Pane) strongest(class int) int {
	best, most := class, 0
	for _, c := range p.part().Cooccurrence {
		if (c.A == class) != (c.B == class) && c.Pairs > most {
			best, most = c.A+c.B-class, c.Pairs
		}
	}
	return best
}

func (p *Pane) pairsTitle() string { return "In one picture · " + measureWords[p.pairs.measure] }

// pairPlaces are the places in Cooccurrence, and in Relations, which have the same order, of two classes.
func pairPlaces(part *stats.Part) map[[2]int]int {
	places := make(map[[2]int]int, len(part.Cooccurrence))
	for i, c := range part.Cooccurrence {
		places[[2]int{c.A, c.B}] = i
	}
	return places
}

// together is how often two classes are in one picture; false where they never are.
func (p *Pane) together(a, b int) (stats.Cooccurrence, bool) {
	part := p.part()
	for _, key := range [][2]int{{a, b}, {b, a}} {
		if i, there := p.places[part.Split][key]; there {
			return part.Cooccurrence[i], true
		}
	}
	return stats.Cooccurrence{A: a, B: b, Lifted: a != b}, false
}

// relation is how a lies to b, turned round where the statistics have them the other way.
func (p *Pane) relation(a, b int) stats.Directions {
	part := p.part()
	if i, there := p.places[part.Split][[2]int{a, b}]; there {
		return part.Relations[i].Directions
	}
	i, there := p.places[part.Split][[2]int{b, a}]
	if !there {
		return stats.Directions{}
	}
	d := part.Relations[i].Directions
	d.Above, d.Below, d.Left, d.Right = d.Below, d.Above, d.Right, d.Left
	return d
}

func (p *Pane) drawPairs(t *widget.Theme, w, h int) string {
	order := p.order()
	m := widget.Heatmap{Corner: "row ↓ with column →", Row: at(order, p.class), Column: at(order, p.pairs.b)}
	most := 0.0
	values := make([][]float64, len(order))
	for i, a := range order {
		m.Rows = append(m.Rows, p.set.Classes[a].Name)
		texts := make([]string, len(order))
		values[i] = make([]float64, len(order))
		for j, b := range order {
			c, _ := p.together(a, b)
			values[i][j], texts[j] = p.measured(c)
			if v := p.strength(values[i][j]); !math.IsNaN(v) {
				most = max(most, v)
			}
		}
		m.Texts = append(m.Texts, texts)
	}
	m.Columns = m.Rows
	for i := range values {
		for j, v := range values[i] {
			values[i][j] = p.heat(p.strength(v), most)
		}
	}
	m.Values = values
	if w < 2 || h < 1 {
		return ""
	}
	rows := min(len(order)+1, h)
	text := m.View(t, w, rows)
	return widget.Block(text+"\n"+strings.Join(p.pairsLegend(t, w), "\n"), w, h)
}

// measured is the number of two classes that the table shows, and how it is written.
func (p *Pane) measured(c stats.Cooccurrence) (float64, string) {
	switch p.pairs.measure {
	case pairCount:
		return float64(c.Pairs), widget.Count(c.Pairs)
	case pictureCount:
		return float64(c.Images), widget.Count(c.Images)
	}
	if !c.Lifted {
		return math.NaN(), widget.Missing
	}
	return c.Lift, fmt.Sprintf("%.1f", c.Lift)
}

// strength is what the ramp shows of a number: a count itself, how far a lift is from chance.
func (p *Pane) strength(v float64) float64 {
	if p.pairs.measure == liftRatio {
		return v - 1
	}
	return v
}

// heat is a strength's place on the ramp: counts from none to the most; lifts around chance, which is its middle.
func (p *Pane) heat(v, most float64) float64 {
	if p.pairs.measure == liftRatio {
		return 0.5 + v/(2*max(most, 0.25))
	}
	return v / max(most, 1)
}

func (p *Pane) pairsLegend(t *widget.Theme, w int) []string {
	text := "A class with itself: two of its objects in one picture."
	if p.pairs.measure == liftRatio {
		text = "Lift 1: as often together as by chance; above 1 more often, below 1 less often. It says nothing about a class with itself."
	}
	return append([]string{""}, wrapped(t.Muted, text, w)...)
}

func (p *Pane) movePairs(m widget.Move, page int) {
	order := p.order()
	switch m {
	case widget.MoveLeft, widget.MoveRight:
		column := at(order, p.pairs.b)
		column.Move(map[widget.Move]widget.Move{widget.MoveLeft: widget.Up, widget.MoveRight: widget.Down}[m], len(order), page)
		p.selectOther(order[column.At(len(order))])
	default:
		p.moveClass(m, page)
	}
}

// pairList is the pairs that the filter lets through, most frequent first, as the selected measure orders them.
func (p *Pane) pairList() []stats.Cooccurrence {
	list := slices.DeleteFunc(slices.Clone(p.part().Cooccurrence), func(c stats.Cooccurrence) bool {
		return !p.passes(p.set.Classes[c.A].Name, p.set.Classes[c.B].Name)
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
	list := p.pairList()
	table := widget.Table{Cursor: &widget.List{}, Columns: []widget.Column{
		{Title: "class", Flex: true, Min: 12, Priority: 9}, {Title: "and", Flex: true, Min: 12, Priority: 9}, {Title: "pairs", Right: true, Priority: 8},
		{Title: "pictures", Right: true, Priority: 6}, {Title: "lift", Right: true, Priority: 7},
		{Title: "above", Right: true, Priority: 5}, {Title: "level", Right: true, Priority: 4}, {Title: "below", Right: true, Priority: 5}}}
	for i, c := range list {
		if c.A == p.class && c.B == p.pairs.b || c.B == p.class && c.A == p.pairs.b {
			table.Cursor.Index = i
		}
		d := p.relation(c.A, c.B)
		lift, above, below := widget.Missing, widget.Missing, widget.Missing
		if c.Lifted {
			lift = widget.Ratio(c.Lift)
			above, below = share(d.Above, c.Pairs), share(d.Below, c.Pairs)
		}
		table.Rows = append(table.Rows, []widget.Cell{{Text: p.set.Classes[c.A].Name}, {Text: p.set.Classes[c.B].Name}, {Text: widget.Count(c.Pairs)},
			{Text: widget.Count(c.Images)}, {Text: lift}, {Text: above}, {Text: share(d.Level, c.Pairs)}, {Text: below}})
	}
	return table, list
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

func (p *Pane) relationTitle() string {
	if p.class == p.pairs.b {
		return p.className() + " with itself"
	}
	return p.className() + " and " + p.nameOf(p.pairs.b)
}

// drawRelation says in words and bars how the two classes lie to one another.
func (p *Pane) drawRelation(t *widget.Theme, w, h int) string {
	c, there := p.together(p.class, p.pairs.b)
	var lines []string
	lines = append(lines, wrapped(t.Text, p.pairSentence(), w)...)
	if !there {
		return widget.Block(strings.Join(lines, "\n"), w, h)
	}
	d := p.relation(p.class, p.pairs.b)
	lines = append(lines, "")
	vertical := []widget.Bar{{Label: "above", Value: float64(d.Above)}, {Label: "level", Value: float64(d.Level)}, {Label: "below", Value: float64(d.Below)}}
	horizontal := []widget.Bar{{Label: "left", Value: float64(d.Left)}, {Label: "aligned", Value: float64(d.Aligned)}, {Label: "right", Value: float64(d.Right)}}
	if p.class == p.pairs.b {
		vertical = []widget.Bar{{Label: "level", Value: float64(d.Level)}, {Label: "one above", Value: float64(d.Above + d.Below)}}
		horizontal = []widget.Bar{{Label: "aligned", Value: float64(d.Aligned)}, {Label: "one beside", Value: float64(d.Left + d.Right)}}
	}
	for _, bars := range [][]widget.Bar{vertical, horizontal} {
		for i := range bars {
			bars[i].Label = widget.Left(bars[i].Label, 10)
		}
		drawn := widget.Bars{Items: bars, Max: float64(c.Pairs), Total: float64(c.Pairs)}.View(t, w-1, len(bars))
		for line := range strings.SplitSeq(drawn, "\n") {
			lines = append(lines, " "+line)
		}
		lines = append(lines, "")
	}
	cfg := p.loaded.cfg
	about := wrapped(t.Muted, fmt.Sprintf("Level: heights differ by at most %s of the picture. Aligned: within %s of its width.", widget.Number1(cfg.LevelWithin), widget.Number1(cfg.AlignedWithin)), w)
	if len(lines)+len(about) <= h {
		lines = append(lines, about...)
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// pairSentence is the pair in words.
func (p *Pane) pairSentence() string {
	a, b := p.className(), p.nameOf(p.pairs.b)
	c, there := p.together(p.class, p.pairs.b)
	d := p.relation(p.class, p.pairs.b)
	switch {
	case !there && p.class == p.pairs.b:
		return fmt.Sprintf("No picture of %s holds two objects of %s.", p.scopeWords(), a)
	case !there:
		return fmt.Sprintf("%s and %s are never in one picture.", a, b)
	case p.class == p.pairs.b:
		return fmt.Sprintf("%s have two or more %s: %s pairs, %s of them level.", picturesOf(c.Images), a, widget.Count(c.Pairs), share(d.Level, c.Pairs))
	}
	often := "about as often as by chance"
	switch {
	case c.Lift >= 1.1:
		often = widget.Ratio(c.Lift) + " as often as by chance"
	case c.Lift <= 0.9:
		often = "only " + widget.Ratio(c.Lift) + " as often as by chance"
	}
	return fmt.Sprintf("%s show both, %s: %s pairs. %s.", picturesOf(c.Images), often, widget.Count(c.Pairs), placeWords(a, b, d, c.Pairs))
}

func picturesOf(n int) string {
	if n == 1 {
		return "1 picture"
	}
	return widget.Count(n) + " pictures"
}

// usual is how much more frequent than the next one a direction must be to be told as the usual one, of all pairs.
const usual = 0.1

// placeWords says how a lies to b, where one direction stands out; else that none does.
func placeWords(a, b string, d stats.Directions, pairs int) string {
	vertical := direction(pairs, way{d.Above, "above"}, way{d.Below, "below"}, way{d.Level, "level with"})
	horizontal := direction(pairs, way{d.Left, "to the left of"}, way{d.Right, "to the right of"}, way{d.Aligned, "in one column with"})
	switch {
	case vertical == "" && horizontal == "":
		return fmt.Sprintf("%s lies now above, now below %s, on either side", a, b)
	case vertical == "":
		return fmt.Sprintf("%s lies %s %s, now above, now below", a, horizontal, b)
	case horizontal == "":
		return fmt.Sprintf("%s lies %s %s, on either side", a, vertical, b)
	}
	return fmt.Sprintf("%s lies %s and %s %s", a, vertical, horizontal, b)
}

// way is a direction and in how many pairs it is.
type way struct {
	n    int
	text string
}

// direction is the most frequent way with its share; nothing where it does not stand out.
func direction(pairs int, ways ...way) string {
	slices.SortStableFunc(ways, func(a, b way) int { return b.n - a.n })
	if float64(ways[0].n-ways[1].n) < usual*float64(pairs) {
		return ""
	}
	return fmt.Sprintf("%s (%s)", ways[0].text, share(ways[0].n, pairs))
}
