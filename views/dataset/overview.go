package dataset

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// overview is the first view: how many of what, and what a class looks like.
type overview struct {
	*shared

	of        int         // the class that the pictures are of
	items     []int       // pictures with the selected class, in the set's order
	shown     widget.List // which of them is the first that is seen
	condition widget.List
	object    widget.List // kind of
}

// overviewLayout gives the lists as many lines as they have entries, and the rest to pictures and heights.
func overviewLayout(classes, conditions, kinds int) layout.Node {
	return layout.Row(
		layout.Column(layout.Panel("classes", 40, 8).AtMost(0, max(classes+2, 8)).Prior(2), layout.Panel("preview", 40,
			9)).Weighted(3),
		layout.Column(
			layout.Panel("conditions", 34, 5).AtMost(0, max(conditions+2, 5)).Prior(1),
			layout.Panel("objects", 34, 6).AtMost(0, max(kinds+2, 6)),
			layout.Panel("imbalance", 34, 7).AtMost(0, 9).Prior(2),
			layout.Panel("position", 34, 8).Prior(1),
		).Weighted(2),
	)
}

// rankedLayout is overviewLayout with room for the rank of the classes in the place of their kinds.
func rankedLayout(conditions int) layout.Node {
	return layout.Row(
		layout.Column(layout.Panel("classes", 40, 8).Weighted(3).Prior(2),
			layout.Panel("preview", 40, 9).Weighted(2)).Weighted(3),
		layout.Column(
			layout.Panel("conditions", 34, min(conditions+2, 5)).AtMost(0, conditions+2),
			layout.Panel("objects", 34, 9).Weighted(2).Prior(2),
			layout.Panel("imbalance", 34, 7).AtMost(0, 9).Prior(2),
			layout.Panel("position", 34, 8).Prior(1),
		).Weighted(2),
	)
}

func newOverview(s *shared) views.View {
	v := &overview{shared: s}
	board, clips := v.board(), v.overviewOfClips()
	return views.View{Name: overviewView, Boards: []*views.Board{board, clips}, Pick: s.byMedia(board, clips),
		Copy: v.text, Want: v.want, Refresh: func() { v.refresh(board) }, List: v.list}
}

// refresh gives the panels as many lines as the set needs.
func (v *overview) refresh(board *views.Board) {
	whole := &v.analysis.Whole
	board.Layout = overviewLayout(len(v.set.Classes), len(whole.Conditions), len(whole.ObjectTypes))
	if v.ranked() {
		board.Layout = rankedLayout(len(whole.Conditions))
	}
	if v.of != v.class {
		v.of, v.shown.Index = v.class, 0
	}
}

// list looks for the pictures of the selected class.
func (v *overview) list() views.Listing {
	v.items = nil
	set, class, split := v.loaded, v.class, v.split
	return func(context.Context) func() {
		items := set.withClass(class, split)
		return func() { v.items = items }
	}
}

// want asks for the pictures of the preview.
func (v *overview) want() tea.Cmd {
	w, h := v.views.Board().Inside("preview")
	return v.drawPictures(v.sheetKeys(v.previewSheet(w, h)))
}

func (v *overview) board() *views.Board {
	return views.NewBoard(overviewLayout(9, 3, 4),
		views.Panel{Name: "classes", Tab: "Classes", Title: v.classesTitle, Right: v.barsPlace("classes", v.classBars),
			Draw: v.drawClasses, Move: v.moveClass, Click: v.clickClass, Actions: v.openClass},
		views.Panel{Name: "preview", Tab: "Pictures", Title: v.previewTitle, Right: v.previewPlace, Draw: v.drawPreview,
			Move: v.movePreview, Actions: v.openClass},
		views.Panel{Name: "conditions", Tab: "Conditions", Draw: v.drawConditions, Move: v.moveCondition,
			Actions: v.openCondition},
		views.Panel{Name: "position", Tab: "Height", Title: func() string {
			return "Height in the picture · " +
				v.className()
		}, Right: v.positionCount, Draw: v.drawHeight, Move: v.moveClass, Actions: v.openClass},
		views.Panel{Name: "objects", Tab: "Kinds", Title: v.objectsTitle, Right: v.objectsPlace,
			Draw: v.drawObjects, Move: v.moveObject},
		views.Panel{Name: "imbalance", Tab: "Imbalance", Draw: v.drawImbalance},
	)
}

func (v *overview) classesTitle() string {
	part := v.part()
	scale := ""
	if v.longTailed() {
		scale = " · log scale"
	}
	return fmt.Sprintf("Classes%s · %s · %s objects · %s pictures", scale, v.scopeWords(), widget.Count(part.Objects),
		widget.Count(part.Images))
}

// drawClasses are the bars, and below them how many more there are.
func (v *overview) drawClasses(t *widget.Theme, w, h int) string {
	bars := v.classBars()
	room := listRoom(len(bars.Items), h)
	text := bars.View(t, w, room)
	if room < len(bars.Items) && room < h {
		text += "\n" + more(t, len(bars.Items), room, w)
	}
	return text
}

// classBars are the classes by their number of objects; those so rare that the imbalance is severe say so.
func (v *overview) classBars() widget.Bars {
	part, order := v.part(), v.order()
	bars := widget.Bars{Total: float64(part.Objects), Digits: 1, Cursor: at(order, v.class), Log: v.longTailed()}
	var sums []float64
	if bars.Log {
		sums = v.sums()
	}
	for _, class := range order {
		n := part.ClassCounts[class]
		bar := widget.Bar{Label: v.set.Classes[class].Name, Value: float64(n)}
		bar.Note, bar.Warn = v.rarity(n, part.Imbalance)
		if bars.Log && n > 0 {
			bar.Note, bar.Warn = "Σ "+widget.Percent(sums[class], 1), false
		}
		if v.coloursByClass() {
			bar.Ink = v.colour(class)
		}
		bars.Items = append(bars.Items, bar)
	}
	return bars
}

// rarity is the word for a class whose number is far below the most frequent one's.
func (v *overview) rarity(n int, of stats.Imbalance) (word string, warn bool) {
	switch {
	case n == 0:
		return "none", true
	case of.Most >= 0 && float64(v.part().ClassCounts[of.Most])/float64(n) > v.loaded.cfg.SevereAbove:
		return "rare", true
	}
	return "", false
}

func (v *overview) clickClass(_, y, _, h int) tea.Cmd {
	order := v.order()
	if cursor := at(order, v.class); cursor.Click(y, len(order), listRoom(len(order), h)) {
		v.selectClass(order, cursor.Index)
	}
	return nil
}

func (v *overview) previewTitle() string { return "Pictures of " + v.className() }

func (v *overview) previewPlace() string {
	return place(v.shown, len(v.items))
}

func (v *overview) drawPreview(t *widget.Theme, w, h int) string {
	if len(v.items) == 0 {
		return widget.Block(t.Muted.Render(" "+v.none("no "+v.media(1)+" of "+v.scopeWords()+" shows this class")), w, h)
	}
	return v.drawSheet(t, v.previewSheet(w, h), w, h)
}

// previewSheet is the pictures from the first that is shown on.
func (v *overview) previewSheet(w, h int) sheet {
	s := sheet{items: v.items, classes: []int{v.class}, cursor: -1}
	s.grid = v.gridFor(len(s.items), w, h)
	s.first = max(v.shown.At(len(s.items)), 0)
	return s
}

func (v *overview) movePreview(m widget.Move, page int) {
	step(&v.shown, m, len(v.items), page)
}

func (v *overview) drawConditions(t *widget.Theme, w, h int) string {
	return v.countBars(v.part().Conditions, &v.condition).View(t, w, h)
}

func (v *overview) moveCondition(m widget.Move, page int) {
	v.condition.Move(m, len(v.part().Conditions), page)
}

// openCondition shows the pictures of the condition under the cursor.
func (v *overview) openCondition() []views.Action {
	return []views.Action{{Name: "open", Label: "pictures", Help: "show the pictures with this condition",
		Group: "Data", Run: func() tea.Cmd {
			conditions := v.part().Conditions
			if i := v.condition.At(len(conditions)); i >= 0 {
				v.samples.show(facets{conditions: []string{conditions[i].Name}}, 0)
			}
			return nil
		}}}
}

// ranked says whether the rank of the classes stands in the place of kinds that are the classes again.
func (v *overview) ranked() bool { return v.kindsAreClasses() && v.longTailed() }

func (v *overview) objectsPlace() string {
	if v.ranked() {
		return place(*at(v.part().ByCount(), v.class), len(v.set.Classes))
	}
	return v.barsPlace("objects", v.objectBars)()
}

func (v *overview) objectsTitle() string {
	if v.ranked() {
		return "Classes by rank · logarithmic"
	}
	return "Kinds of object"
}

func (v *overview) drawObjects(t *widget.Theme, w, h int) string {
	if v.ranked() {
		return v.drawRank(t, w, h)
	}
	return v.objectBars().View(t, w, h)
}

func (v *overview) objectBars() widget.Bars { return v.countBars(v.part().ObjectTypes, &v.object) }

func (v *overview) moveObject(m widget.Move, page int) {
	if v.ranked() {
		v.moveClass(m, page)
		return
	}
	v.object.Move(m, len(v.part().ObjectTypes), page)
}

// barsPlace says where the cursor of a panel of bars is, where they are not all seen.
func (v *overview) barsPlace(panel string, bars func() widget.Bars) func() string {
	return func() string {
		_, h := v.views.Board().Inside(panel)
		return bars().Position(h)
	}
}

func (v *overview) countBars(counts []stats.Count, cursor *widget.List) widget.Bars {
	part := v.part()
	bars := widget.Bars{Total: float64(part.Objects), Digits: 1, Cursor: cursor}
	most := 0
	for _, count := range counts {
		most = max(most, count.N)
	}
	for _, count := range counts {
		bar := widget.Bar{Label: count.Name, Value: float64(count.N)}
		if count.N == 0 || float64(most)/float64(count.N) > v.loaded.cfg.SevereAbove {
			bar.Note, bar.Warn = "rare", true
		}
		bars.Items = append(bars.Items, bar)
	}
	return bars
}

// drawImbalance says the imbalance, the objects a picture holds, the splits, and the size of the pictures.
func (v *overview) drawImbalance(t *widget.Theme, w, h int) string {
	part := v.part()
	var lines []string
	if v.analysis.Lost > 0 {
		lost := fmt.Sprintf("! %s of %s rows do not count: see Findings", widget.Count(v.analysis.Lost),
			widget.Count(v.analysis.Rows))
		lines = append(lines, wrapped(t.Warning, lost, w)...)
	}
	lines = append(lines, v.ratioLines(t, part, w)...)
	lines = append(lines, labelled(t, "per picture", spread(part.PerImageWithObjects),
		widget.Count(part.ImagesWithObjects)+" with objects", w))
	if part.Images != part.ImagesWithObjects {
		lines = append(lines, labelled(t, "with empty", spread(part.PerImage), "all "+widget.Count(part.Images), w))
	}
	splits := v.splitCounts()
	if long := splits + " objects"; widget.Width(long) < w {
		splits = long
	}
	lines = append(lines, wrapped(t.Text, splits, w)...)
	lines = append(lines,
		labelled(t, "pictures", v.sizes(part), v.set.Format+" labels", w),
		labelled(t, "pairs", widget.Count(part.Pairs), "of objects in one picture", w))
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// labelled is a line of a name, what it is, and more about it where there is room.
func labelled(t *widget.Theme, name, text, more string, w int) string {
	line := " " + t.Muted.Render(widget.Left(name, 11)) + " " + text
	if more != "" && widget.Width(line)+3+widget.Width(more) <= w {
		line += t.Muted.Render(" · " + more)
	}
	return line
}

// ratioLines are the imbalance in a number and a word, and the two classes it is between.
func (v *overview) ratioLines(t *widget.Theme, part *stats.Part, w int) []string {
	b := part.Imbalance
	if b.Most < 0 {
		return wrapped(t.Muted, "nothing is labelled", w)
	}
	text := widget.Ratio(b.Ratio) + " " + b.Level
	line, more := " "+t.Warning.Render("! "+text), "most to least frequent class"
	if b.Level == stats.Balanced {
		line = " " + t.OK.Render("✓ "+text)
	}
	if widget.Width(line)+3+widget.Width(more) <= w {
		line += t.Muted.Render(" · " + more)
	}
	if len(b.Absent) > 0 {
		return append([]string{line}, wrapped(t.Warning, "! no object of "+v.namesOf(b.Absent), w)...)
	}
	if b.Ratio == 1 && len(part.ClassCounts) > 1 {
		return []string{line, " " + widget.Cut("every class has "+widget.Count(part.ClassCounts[b.Most]), w-1)}
	}
	return []string{line, " " + widget.Cut(fmt.Sprintf("%s %s : %s %s", v.nameOf(b.Most),
		widget.Count(part.ClassCounts[b.Most]), widget.Count(part.ClassCounts[b.Least]), v.nameOf(b.Least)), w-1)}
}

// namesOf are the names of classes: the first few, and how many more.
func (v *overview) namesOf(classes []int) string {
	const most = 6
	names := make([]string, 0, len(classes))
	for _, class := range classes[:min(len(classes), most)] {
		names = append(names, v.nameOf(class))
	}
	text := strings.Join(names, ", ")
	if n := len(classes) - most; n > 0 {
		text += fmt.Sprintf(" and %s more", widget.Count(n))
	}
	return text
}

// spread is mean ± standard deviation (smallest … largest).
func spread(s stats.Summary) string {
	if s.N == 0 {
		return widget.Missing
	}
	return fmt.Sprintf("%.2f ± %.2f (%d…%d)", s.Mean, s.SD, s.Min, s.Max)
}

func (v *overview) splitCounts() string {
	parts := make([]string, len(v.analysis.Splits))
	for i, part := range v.analysis.Splits {
		parts[i] = widget.Clean(part.Split) + " " + widget.Count(part.Objects)
	}
	return strings.Join(parts, ", ")
}

func (v *overview) positionCount() string {
	return "n " + widget.Count(positionOf(v.part(), v.class).N)
}

// drawHeight is the histogram of the selected class's heights, with its mean and middle half.
func (v *overview) drawHeight(t *widget.Theme, w, h int) string {
	position := positionOf(v.part(), v.class)
	if position.N == 0 {
		return widget.Block(t.Muted.Render(" no object of this class in "+v.scopeWords()), w, h)
	}
	line := fmt.Sprintf(" mostly %s · half in %.2f…%.2f", position.Band, position.Q25, position.Q75)
	if sd := fmt.Sprintf(" · sd %.2f", position.SD); widget.Width(line+sd) <= w {
		line += sd
	}
	return widget.Block(line+"\n"+v.histogram(position).Down(t, w, h-1), w, h)
}

// histogram is the heights of a class with the bands of DATASET.TOP_BELOW and BOTTOM_ABOVE and its mean.
func (v *overview) histogram(position stats.Position) widget.Histogram {
	counts := make([]float64, len(position.Histogram))
	for i, n := range position.Histogram {
		counts[i] = float64(n)
	}
	return widget.Histogram{Counts: counts, From: 0, To: 1, Bands: v.bands(),
		Marks: []widget.Mark{{At: position.Mean, Text: fmt.Sprintf("mean %.2f", position.Mean)}}}
}

// text is the view as a table.
func (v *overview) text() string {
	part := v.part()
	rows := [][]string{{"class", "object", "condition", "objects", "pictures"}}
	for _, i := range v.order() {
		class := v.set.Classes[i]
		rows = append(rows, []string{class.Name, class.Object, class.Condition, fmt.Sprint(part.ClassCounts[i]),
			fmt.Sprint(part.ImagesWithClass[i])})
	}
	return tabbed(rows)
}
