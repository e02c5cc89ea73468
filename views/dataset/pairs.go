package dataset

import (
	"context"
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
	*shared

	seen    int         // reading in which b was looked at last; 0: none yet
	row     int         // the class at the last look
	b       int         // the other class
	measure int         // what the table shows
	items   []int       // pictures with both
	shown   widget.List // which of them is the first that is seen
	pairsTables
	lists clipLists
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

func newPairs(s *shared) views.View { return (&pairs{shared: s}).view() }

func (v *pairs) view() views.View {
	board, clips := v.board(), v.clipBoard()
	return views.View{Name: pairsView, Label: v.labelled(pairsView, "Variations"), Boards: []*views.Board{board, clips},
		Pick: v.byMedia(board, clips), Actions: v.actions, Copy: v.text, Want: v.want, Refresh: func() {
			if v.clips() {
				v.listClips()
				return
			}
			board.Layout = pairsLayout(len(v.set.Classes))
			v.refresh()
		}, List: v.listItems}
}

// refresh chooses the other class where there is none yet, and lists pairs.
func (v *pairs) refresh() {
	if v.seen == 0 || v.b >= len(v.set.Classes) {
		v.b = v.strongest(v.class)
	}
	v.seen = v.reads
	if v.row != v.class {
		v.row, v.shown.Index = v.class, 0
	}
	v.tabulate()
}

// listItems looks for the pictures with both classes, or for the clips of the selected variation.
func (v *pairs) listItems() views.Listing {
	v.items = nil
	set, split, class, b, clips, way := v.loaded, v.split, v.class, v.b, v.clips(), v.selectedWay()
	return func(context.Context) func() {
		var items []int
		switch {
		case !clips:
			items = set.holding(set.withClass(class, split), class, b)
		case way != nil:
			items = set.waysItems(set.withClass(way.Class, split), way)
		}
		return func() { v.items = items }
	}
}

// want asks for the pictures with both.
func (v *pairs) want() tea.Cmd {
	w, h := v.views.Board().Inside("both")
	return v.drawPictures(v.sheetKeys(v.bothSheet(w, h)))
}

// pairsLayout gives the table as many lines as it has rows, with its header and what is said below it; the list of
// pairs has the rest.
func pairsLayout(classes int) layout.Node {
	return layout.Row(
		layout.Column(layout.Panel("table", 56, 9).AtMost(0, max(classes+6, 9)).Prior(2),
			layout.Panel("list", 56, 7)).Weighted(3),
		layout.Column(layout.Panel("relation", 40, 9).AtMost(0, 15).Prior(1), layout.Panel("both", 40, 9)).Weighted(2),
	)
}

func (v *pairs) board() *views.Board {
	return views.NewBoard(pairsLayout(26),
		views.Panel{Name: "table", Tab: "Table", Title: v.pairsTitle, Right: func() string { return v.scopeWords() },
			Draw: v.drawPairs, Move: v.movePairs, Actions: v.openPair},
		views.Panel{Name: "list", Tab: "List", Title: func() string {
			return "All pairs · " +
				orderWords[v.measure]
		}, Draw: v.drawPairList, Move: v.movePairList, Click: v.clickPairList,
			Actions: v.openPair},
		views.Panel{Name: "relation", Tab: "Relation", Title: v.relationTitle, Draw: v.drawRelation,
			Actions: v.openPair},
		views.Panel{Name: "both", Tab: "Pictures", Title: v.bothTitle, Right: v.bothPlace, Draw: v.drawBoth,
			Move: v.moveBoth, Actions: v.openPair},
	)
}

func (v *pairs) actions() []views.Action {
	if v.clips() {
		return nil
	}
	return []views.Action{{Name: "measure", Label: "measure", Help: "show pairs, pictures, or lift", Group: "Data",
		Run: func() tea.Cmd {
			v.measure = (v.measure + 1) % measures
			v.tabulate()
			return nil
		}}}
}

// openPair shows the pictures with both classes.
func (v *pairs) openPair() []views.Action {
	return []views.Action{{Name: "open", Label: "pictures", Help: "show the pictures with both", Group: "Data",
		Enabled: func() bool { return len(v.items) > 0 }, Run: func() tea.Cmd {
			v.samples.show(facets{pair: []string{v.rawName(v.class), v.rawName(v.b)}}, 0)
			return nil
		}}}
}

func (v *pairs) bothTitle() string {
	return "Pictures with both"
}

func (v *pairs) bothPlace() string {
	return place(v.shown, len(v.items))
}

func (v *pairs) drawBoth(t *widget.Theme, w, h int) string {
	if len(v.items) == 0 {
		return widget.Middle(t.Muted, v.none("There are none."), w, h)
	}
	return v.drawSheet(t, v.bothSheet(w, h), w, h)
}

func (v *pairs) bothSheet(w, h int) sheet {
	s := sheet{items: v.items, classes: []int{v.class, v.b}, cursor: -1}
	s.grid = v.gridFor(len(s.items), w, h)
	s.first = max(v.shown.At(len(s.items)), 0)
	return s
}

func (v *pairs) moveBoth(m widget.Move, page int) { step(&v.shown, m, len(v.items), page) }

// strongest is the class that is in one picture with another most often.
func (v *pairs) strongest(class int) int {
	best, most := class, 0
	for _, c := range v.part().Cooccurrence {
		if (c.A == class) != (c.B == class) && c.Pairs > most {
			best, most = c.A+c.B-class, c.Pairs
		}
	}
	return best
}

func (v *pairs) pairsTitle() string { return "In one picture · " + measureWords[v.measure] }

// pairPlaces are the places in Cooccurrence, and in Relations, which have the same order, of two classes.
func pairPlaces(part *stats.Part) map[[2]int]int {
	places := make(map[[2]int]int, len(part.Cooccurrence))
	for i, c := range part.Cooccurrence {
		places[[2]int{c.A, c.B}] = i
	}
	return places
}

// together is how often two classes are in one picture; false where they never are.
func (v *pairs) together(a, b int) (stats.Cooccurrence, bool) {
	part := v.part()
	for _, key := range [][2]int{{a, b}, {b, a}} {
		if i, there := v.places[part.Split][key]; there {
			return part.Cooccurrence[i], true
		}
	}
	return stats.Cooccurrence{A: a, B: b, Lifted: a != b}, false
}

// relation is how a lies to b, turned round where the statistics have them the other way.
func (v *pairs) relation(a, b int) stats.Directions {
	part := v.part()
	if i, there := v.places[part.Split][[2]int{a, b}]; there {
		return part.Relations[i].Directions
	}
	i, there := v.places[part.Split][[2]int{b, a}]
	if !there {
		return stats.Directions{}
	}
	d := part.Relations[i].Directions
	d.Above, d.Below, d.Left, d.Right = d.Below, d.Above, d.Right, d.Left
	return d
}

// tabulate makes the tables anew where what they show has changed.
func (v *pairs) tabulate() {
	key := pairsKey{v.reads, v.split, v.filter.Text(), v.measure}
	if v.of == key {
		return
	}
	v.pairsTables = pairsTables{of: key, heat: v.heatTable(), list: v.pairList()}
	for _, c := range v.list {
		v.rows = append(v.rows, v.pairRow(c))
	}
}

func (v *pairs) heatTable() widget.Heatmap {
	order := v.order()
	m := widget.Heatmap{Corner: "row ↓ with column →"}
	most := 0.0
	for _, a := range order {
		values, texts := make([]float64, len(order)), make([]string, len(order))
		for j, b := range order {
			c, _ := v.together(a, b)
			values[j], texts[j] = v.measured(c)
			if x := v.strength(values[j]); !math.IsNaN(x) {
				most = max(most, x)
			}
		}
		m.Rows, m.Values, m.Texts = append(m.Rows, v.set.Classes[a].Name), append(m.Values, values),
			append(m.Texts, texts)
	}
	m.Columns = m.Rows
	for _, values := range m.Values {
		for j, x := range values {
			values[j] = v.warmth(v.strength(x), most)
		}
	}
	return m
}

func (v *pairs) drawPairs(t *widget.Theme, w, h int) string {
	order := v.order()
	m := v.heat
	m.Row, m.Column = at(order, v.class), at(order, v.b)
	text := m.View(t, w, min(len(order)+1, h))
	return widget.Block(text+"\n"+strings.Join(v.pairsLegend(t, w), "\n"), w, h)
}

// measured is the number of two classes that the table shows, and how it is written.
func (v *pairs) measured(c stats.Cooccurrence) (float64, string) {
	switch v.measure {
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
func (v *pairs) strength(x float64) float64 {
	if v.measure == liftRatio {
		return x - 1
	}
	return x
}

// warmth is a strength's place on the ramp: counts from none to the most; lifts around chance, which is its middle.
func (v *pairs) warmth(x, most float64) float64 {
	if v.measure == liftRatio {
		return 0.5 + x/(2*max(most, 0.25))
	}
	return x / max(most, 1)
}

func (v *pairs) pairsLegend(t *widget.Theme, w int) []string {
	text := "A class with itself: two of its objects in one picture."
	if v.measure == liftRatio {
		text = "Lift 1: as often together as by chance; above 1 more often, below 1 less often. It says nothing " +
			"about a class with itself."
	}
	return append([]string{""}, wrapped(t.Muted, text, w)...)
}

func (v *pairs) movePairs(m widget.Move, page int) {
	order := v.order()
	if len(order) == 0 {
		return
	}
	switch m {
	case widget.MoveLeft, widget.MoveRight:
		column := at(order, v.b)
		column.Move(map[widget.Move]widget.Move{widget.MoveLeft: widget.Up, widget.MoveRight: widget.Down}[m],
			len(order), page)
		v.selectOther(order[column.At(len(order))])
	default:
		v.moveClass(m, page)
	}
}

// text is the view as a table.
func (v *pairs) text() string {
	if v.clips() {
		return v.clipText()
	}
	rows := [][]string{{"A", "B", "pairs", "pictures", "lift", "A above B", "level", "A below B", "A left of B",
		"aligned", "A right of B"}}
	for _, c := range v.list {
		d := v.relation(c.A, c.B)
		lift := ""
		if c.Lifted {
			lift = fmt.Sprintf("%.3f", c.Lift)
		}
		rows = append(rows, []string{v.set.Classes[c.A].Name, v.set.Classes[c.B].Name, fmt.Sprint(c.Pairs),
			fmt.Sprint(c.Images), lift,
			fmt.Sprint(d.Above), fmt.Sprint(d.Level), fmt.Sprint(d.Below), fmt.Sprint(d.Left), fmt.Sprint(d.Aligned),
			fmt.Sprint(d.Right)})
	}
	return tabbed(rows)
}
