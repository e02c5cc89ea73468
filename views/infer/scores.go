package infer

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// scores is the view of one evaluation's figures.
type scores struct {
	*shared
	list     *answerList
	board    *views.Board
	group    widget.List // among the lines of the table
	coaching *coaching   // what is shown in its place of feedback that has its moment
}

func newScores(s *shared) *scores {
	v := &scores{shared: s}
	v.list = newAnswerList(s, v.selected)
	v.board = v.newBoard()
	v.list.on(v.board)
	v.coaching = newCoaching(s, v.verdictPanel())
	return v
}

func (v *scores) view() views.View {
	return views.View{Name: scoresView, Boards: []*views.Board{v.board, v.coaching.board}, Pick: v.pick,
		Actions: v.actions, Copy: v.text, Want: v.want, Refresh: v.refresh}
}

// byTimes says whether what is said when is scored.
func (v *scores) byTimes() bool {
	return v.now != nil && v.coaching.times() != nil && v.measure == ofTimes
}

// pick is the board of what is scored.
func (v *scores) pick(int, int) *views.Board {
	if v.byTimes() {
		return v.coaching.board
	}
	return v.board
}

func (v *scores) want() tea.Cmd {
	if v.byTimes() {
		return v.coaching.want()
	}
	return v.list.object.want()
}

// actions are those of the list of answers; a time line has none to choose among.
func (v *scores) actions() []views.Action {
	list := v.list.actions()
	for i, action := range list {
		list[i].Enabled = func() bool { return !v.byTimes() && action.Enabled() }
	}
	return list
}

// text is the evaluation as the verb eval prints it.
func (v *scores) text() string {
	switch r := v.result(); {
	case r == nil:
		return ""
	case v.byTimes():
		return v.coaching.times().Text()
	case v.byWords():
		return v.texts().Text()
	default:
		return r.Text()
	}
}

// refresh gives the tables the room that they have a use for.
func (v *scores) refresh() {
	v.board.Layout = scoresLayout()
	if v.byWords() {
		v.board.Layout = wordsLayout(len(exercises(v.texts())))
	}
	v.list.arrive()
	v.coaching.refresh()
}

func (v *scores) verdictPanel() views.Panel {
	return views.Panel{Name: "verdict", Tab: "Verdict", Draw: v.drawVerdict}
}

func (v *scores) newBoard() *views.Board {
	return views.NewBoard(scoresLayout(),
		views.Panel{Name: "scores", Tab: "Scores", Title: v.scoresTitle, Right: v.groupPosition, Draw: v.drawScores,
			Move: v.moveGroup, Click: v.clickGroup, Actions: v.list.toItems},
		v.verdictPanel(),
		v.list.itemsPanel(),
		v.list.object.panel(),
	)
}

func scoresLayout() layout.Node {
	beside := layout.Column(layout.Panel("verdict", 36, 8).AtMost(0, 22).Weighted(4).Prior(1),
		layout.Panel("items", 36, 6))
	left := layout.Column(layout.Panel("scores", 60, 20).AtMost(0, 26).Prior(1), layout.Panel("picture", 60,
		16).Extra())
	return layout.Row(left.Weighted(9).Prior(1), beside.Weighted(5))
}

// group is one line of the scores: a class, a condition or an object type; or a heading.
type group struct {
	heading string
	name    string
	kind    func(eval.Label) string
	value   eval.Group
	several bool // of several classes
}

// groups are the lines of the table.
func groups(r *eval.Result) []group {
	var list []group
	add := func(heading string, of eval.Ordered[eval.Group], kind func(eval.Label) string) {
		if heading != "" && len(of) > 0 {
			list = append(list, group{heading: heading})
		}
		for _, g := range of {
			list = append(list, group{name: g.Name, kind: kind, value: g.Value, several: heading != ""})
		}
	}
	add("", r.Classes, func(l eval.Label) string { return l.Name })
	conditions, objects := r.Grouped()
	add("by condition", conditions, func(l eval.Label) string { return l.Condition })
	add("by object", objects, func(l eval.Label) string { return l.Object })
	return list
}

// selected are the answers of the selected group of classes, or of the selected exercise.
func (v *scores) selected(r *eval.Result) (name string, holds func(*eval.Answer) bool) {
	if v.byWords() {
		return v.selectedExercise()
	}
	list := groups(r)
	name = "answers"
	within := map[string]bool{} // the classes of the selected group
	if at := v.group.At(len(list)); at >= 0 {
		name = list[at].name
		for _, label := range r.ClosedList {
			within[label.Name] = list[at].heading == "" && list[at].kind(label) == list[at].name
		}
	}
	return name, func(item *eval.Answer) bool { return within[item.Expected] }
}

func (v *scores) scoresTitle() string {
	setting := v.now.settings[v.main()]
	if setting == nil {
		return "Scores"
	}
	title := "Scores of " + setting.Name + " on " + v.now.split
	if r := v.result(); r != nil {
		title += " · " + v.counted(r.N)
		if v.byWords() {
			title = "Scores of " + setting.Name + " on " + v.now.split + " · " + inClips(r.N)
		}
	}
	return title
}

func (v *scores) scoresTable(r *eval.Result, w int) widget.Table {
	table := widget.Table{Cursor: &v.group, Columns: []widget.Column{
		{Title: "class", Flex: true, Min: 20}, {Title: "n", Right: true, Priority: 9},
		{Title: "recall", Right: true, Priority: 8}, {Title: "95 %", Right: true, Priority: 7},
		{Title: "precision", Right: true, Priority: 6}, {Title: "95 %", Right: true, Priority: 3},
		{Title: "F1", Right: true, Priority: 5}, {Title: "95 %", Right: true, Priority: 2},
		{Title: "exact", Right: true, Priority: 1}}}
	plot := min(w-100, 41)
	if plot >= 11 {
		table.Columns = append(table.Columns, widget.Column{Title: widget.Ends("recall 0", "100 %", plot)})
	}
	for _, g := range groups(r) {
		if g.heading != "" {
			table.Rows = append(table.Rows, []widget.Cell{{Text: g.heading, Tone: widget.Muted}})
			continue
		}
		row := groupRow(g.name, g.value, g.several)
		if plot >= 11 && g.value.Support > 0 {
			row = append(row, widget.Cell{Text: ruler(g.value.Recall, g.value.Interval, plot), Tone: widget.Accent})
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// groupRow is one group in numbers, several saying that it holds several
// classes. What was never asked, or never answered, has none.
func groupRow(name string, g eval.Group, several bool) []widget.Cell {
	number := func(of int, share float64) widget.Cell {
		if of == 0 {
			return widget.Cell{Text: widget.Missing, Tone: widget.Muted}
		}
		return widget.Cell{Text: widget.Percent(share, 0)}
	}
	interval := func(i *eval.Interval) widget.Cell {
		cell := widget.Cell{Text: span(i), Tone: widget.Muted}
		if vague(i) {
			cell.Tone, cell.Text = widget.Warning, "!"+cell.Text
		}
		return cell
	}
	exact := widget.Cell{}
	if several { // of a class it is the recall
		exact = number(g.Support, g.Exact)
	}
	return []widget.Cell{{Text: name}, {Text: widget.Count(g.Support)},
		number(g.Support, g.Recall), interval(g.Interval), number(g.Predicted, g.Precision),
		interval(g.PrecisionInterval),
		{Text: fmt.Sprintf("%.2f", g.F1)}, {Text: fraction(g.F1Interval), Tone: widget.Muted}, exact}
}

func (v *scores) drawScores(t *widget.Theme, w, h int) string {
	r := v.result()
	if r == nil {
		return v.noResult(t, w, h)
	}
	return v.table(r, w).View(t, w, h)
}

// table is the table of scores by classes, or by exercises where the answers' words are scored.
func (v *scores) table(r *eval.Result, w int) widget.Table {
	if v.byWords() {
		return v.exercisesTable(v.texts(), w)
	}
	return v.scoresTable(r, w)
}

// groupPosition says which line is selected where not all are seen.
func (v *scores) groupPosition() string {
	r := v.result()
	if r == nil {
		return ""
	}
	w, h := v.board.Inside("scores")
	return v.table(r, w).Position(h)
}

func (v *scores) moveGroup(m widget.Move, page int) {
	r := v.result()
	if r == nil {
		return
	}
	if v.byWords() {
		v.group.Move(m, len(exercises(v.texts())), page)
		v.list.follow()
		return
	}
	list := groups(r)
	v.group.Move(m, len(list), page)
	if at := v.group.At(len(list)); at >= 0 && list[at].heading != "" { // headings are stepped over
		if m == widget.Up || m == widget.PageUp {
			v.group.Index--
		} else {
			v.group.Index++
		}
	}
	v.list.follow()
}

func (v *scores) clickGroup(_, y, w, h int) tea.Cmd {
	if r := v.result(); r != nil {
		v.table(r, w).Click(y, h)
		if v.byWords() {
			v.list.follow()
			return nil
		}
		v.moveGroup(widget.MoveRight, 1)
	}
	return nil
}
