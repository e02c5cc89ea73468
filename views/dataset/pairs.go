package dataset

import (
	"fmt"
	"math"
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
	pairsTables
}

// pairsTables are the heat table and the list of pairs, made once for what they show, not for every drawing.
type pairsTables struct {
	of   pairsKey
	heat widget.Heatmap
	list []stats.Cooccurrence
	rows [][]widget.Cell // of list
}

// pairsKey is everything that the tables depend on.
type pairsKey struct {
	reads       int
	split, text string
	measure     int
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
		views.Panel{Name: "table", Tab: "Table", Title: p.pairsTitle, Right: func() string { return p.scopeWords() },
			Draw: p.drawPairs, Move: p.movePairs, Actions: p.openPair},
		views.Panel{Name: "list", Tab: "List", Title: func() string {
			return "All pairs · " +
				orderWords[p.pairs.measure]
		}, Draw: p.drawPairList, Move: p.movePairList, Click: p.clickPairList,
			Actions: p.openPair},
		views.Panel{Name: "relation", Tab: "Relation", Title: p.relationTitle, Draw: p.drawRelation,
			Actions: p.openPair},
		views.Panel{Name: "both", Tab: "Pictures", Title: p.bothTitle, Right: p.bothPlace, Draw: p.drawBoth,
			Move: p.moveBoth, Actions: p.openPair},
	)
}

func (p *Pane) pairsActions() []views.Action {
	return []views.Action{{Name: "measure", Label: "measure", Help: "show pairs, pictures, or lift", Group: "Data",
		Run: func() tea.Cmd {
			p.pairs.measure = (p.pairs.measure + 1) % measures
			p.tabulatePairs()
			return nil
		}}}
}

// openPair shows the pictures with both classes.
func (p *Pane) openPair() []views.Action {
	return []views.Action{{Name: "open", Label: "pictures", Help: "show the pictures with both", Group: "Data",
		Enabled: func() bool { return len(p.pairs.items) > 0 }, Run: func() tea.Cmd {
			p.showSamples(facets{pair: []string{p.rawName(p.class), p.rawName(p.pairs.b)}})
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
	s := sheet{items: p.pairs.items, classes: []int{p.class, p.pairs.b}, cursor: -1}
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

// tabulatePairs makes the tables anew where what they show has changed.
func (p *Pane) tabulatePairs() {
	key := pairsKey{p.reads, p.split, p.filter.Text(), p.pairs.measure}
	if p.pairs.of == key {
		return
	}
	p.pairs.pairsTables = pairsTables{of: key, heat: p.heatTable(), list: p.pairList()}
	for _, c := range p.pairs.list {
		p.pairs.rows = append(p.pairs.rows, p.pairRow(c))
	}
}

func (p *Pane) heatTable() widget.Heatmap {
	order := p.order()
	m := widget.Heatmap{Corner: "row ↓ with column →"}
	most := 0.0
	for _, a := range order {
		values, texts := make([]float64, len(order)), make([]string, len(order))
		for j, b := range order {
			c, _ := p.together(a, b)
			values[j], texts[j] = p.measured(c)
			if v := p.strength(values[j]); !math.IsNaN(v) {
				most = max(most, v)
			}
		}
		m.Rows, m.Values, m.Texts = append(m.Rows, p.set.Classes[a].Name), append(m.Values, values),
			append(m.Texts, texts)
	}
	m.Columns = m.Rows
	for _, values := range m.Values {
		for j, v := range values {
			values[j] = p.heat(p.strength(v), most)
		}
	}
	return m
}

func (p *Pane) drawPairs(t *widget.Theme, w, h int) string {
	order := p.order()
	m := p.pairs.heat
	m.Row, m.Column = at(order, p.class), at(order, p.pairs.b)
	text := m.View(t, w, min(len(order)+1, h))
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
		text = "Lift 1: as often together as by chance; above 1 more often, below 1 less often. It says nothing " +
			"about a class with itself."
	}
	return append([]string{""}, wrapped(t.Muted, text, w)...)
}

func (p *Pane) movePairs(m widget.Move, page int) {
	order := p.order()
	if len(order) == 0 {
		return
	}
	switch m {
	case widget.MoveLeft, widget.MoveRight:
		column := at(order, p.pairs.b)
		column.Move(map[widget.Move]widget.Move{widget.MoveLeft: widget.Up, widget.MoveRight: widget.Down}[m],
			len(order), page)
		p.selectOther(order[column.At(len(order))])
	default:
		p.moveClass(m, page)
	}
}
