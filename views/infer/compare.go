package infer

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// compare is the view of all evaluations of the split beside each other.
type compare struct {
	*shared
	board  *views.Board
	object *object // on which the pair differs

	compared
	err       error
	request   views.Request
	of        string      // which evaluations were asked for
	cursor    widget.List // among the subjects
	reference string      // stands first, and all others are compared with it; empty: the base, else the oldest run
	class     widget.List // among the classes of the pair
	differ    widget.List // among the objects on which the pair differs
	scroll    int         // lines of the sentences that are above the panel
}

func newCompare(s *shared) *compare {
	v := &compare{shared: s}
	v.object = newObject(s, v.present)
	v.board = v.newBoard()
	v.object.board = v.board
	return v
}

func (v *compare) view() views.View {
	return views.View{Name: compareView, Boards: []*views.Board{v.board}, Actions: v.actions, Copy: v.text,
		Want: func() tea.Cmd { return tea.Batch(v.object.want(), v.compareResults()) }}
}

// present is the place of the object under the cursor of those on which the pair differs; false where there is none.
func (v *compare) present() (place int, there bool) {
	return v.now.samples.Find(v.differingID())
}

func (v *compare) newBoard() *views.Board {
	return views.NewBoard(compareLayout(2),
		views.Panel{Name: "subjects", Tab: "Subjects", Title: func() string {
			return "Side by side on " +
				v.now.split
		}, Draw: v.drawSubjects, Move: v.moveSubject, Click: v.clickSubject, Actions: v.toSubject},
		views.Panel{Name: "words", Tab: "What it says", Title: v.pairTitle, Draw: v.drawPair, Move: v.scrollPair},
		views.Panel{Name: "classes", Tab: "Class by class", Title: v.classesTitle,
			Draw: v.drawPairClasses, Move: v.movePairClass},
		views.Panel{Name: "differ", Tab: "Where they differ", Title: v.differTitle, Draw: v.drawDiffer,
			Move: v.moveDiffer, Click: v.clickDiffer, Actions: v.toDiffering},
		v.object.panel(),
	)
}

// compareLayout gives the table of so many subjects the lines that it has a use for.
func compareLayout(subjects int) layout.Node {
	below := layout.Row(layout.Panel("words", 42, 8).Weighted(4).Prior(1), layout.Panel("classes", 44, 8).Weighted(4))
	objects := layout.Row(layout.Panel("differ", 56, 9).Prior(1), layout.Panel("picture", 44, 9).Extra())
	return layout.Column(layout.Panel("subjects", 56, 6).AtMost(0, max(subjects+5, 8)).Prior(2),
		below.AtMost(0, 19).Weighted(3), objects)
}

func (v *compare) actions() []views.Action {
	several := func() bool { return len(v.sides) > 1 }
	return []views.Action{{Name: "compare_with", Label: "reference", Group: "Compare",
		Help: "make the subject under the cursor the reference that the others are compared with", Enabled: several,
		Run: v.takeReference}}
}

// marked is the reference that was chosen, if one was.
func (v *compare) marked() []string {
	if v.reference == "" {
		return nil
	}
	return []string{v.reference}
}

// mark chooses the reference of that name.
func (v *compare) mark(names []string) {
	if len(names) > 0 {
		v.reference = names[0]
	}
}

// takeReference compares all others with the subject under the cursor.
func (v *compare) takeReference() tea.Cmd {
	name := v.nameAt(v.cursor.At(len(v.sides)))
	if name == v.nameAt(0) {
		return views.Say("%s is the reference already: move to another subject", subjectTitle(name))
	}
	v.reference = name
	return views.Say("the others are compared with %s now", subjectTitle(name))
}

// subjectTitle is a subject's name for people.
func subjectTitle(name string) string {
	if name == session.Base {
		return "the base (zero-shot)"
	}
	return name
}

// toSubject leads from a line of the table to that subject's scores.
func (v *compare) toSubject() []views.Action {
	return []views.Action{{Name: "show_scores", Label: "scores",
		Help: "go to the scores of the subject under the cursor", Group: "Compare",
		Enabled: func() bool { return len(v.sides) > 0 }, Run: v.toScores}}
}

// toScores shows the scores of the subject under the cursor.
func (v *compare) toScores() tea.Cmd {
	v.views.Show(scoresView)
	return v.lookAt(v.nameAt(v.cursor.At(len(v.sides))))
}

func (v *compare) subjectsTable(w int) widget.Table {
	switch {
	case v.timed():
		return v.timesTable(w)
	case v.worded():
		return v.wordsTable(w)
	}
	table := widget.Table{Cursor: &v.cursor, Columns: []widget.Column{
		{Title: "", Priority: 10}, {Title: "subject", Flex: true, Middle: true, Min: 16, Priority: 10},
		{Title: "n", Right: true, Priority: 5},
		{Title: "right", Right: true, Priority: 9}, {Title: "95 %", Right: true, Priority: 8},
		{Title: "macro-F1", Right: true, Priority: 7}, {Title: "95 %", Right: true, Priority: 4},
		{Title: "balanced", Right: true, Priority: 3}, {Title: "unparsed", Right: true, Priority: 2},
		{Title: "goal", Priority: 6}}}
	plot := min(w-96, 41)
	if plot >= 11 {
		table.Columns = append(table.Columns, widget.Column{Title: widget.Ends("right 0", "100 %", plot)})
	}
	for i, k := range v.sides {
		r := k.Result
		met := widget.Cell{Text: "✗ missed", Tone: widget.Warning}
		if r.Success.Met {
			met = widget.Cell{Text: "✓ met", Tone: widget.OK}
		}
		row := []widget.Cell{referenceMark(i), {Text: sideName(k.Name)}, {Text: widget.Count(r.N)},
			{Text: widget.Percent(r.Accuracy, 1)}, {Text: span(r.AccuracyInterval), Tone: widget.Muted},
			{Text: fmt.Sprintf("%.3f", r.MacroF1)}, {Text: fraction(r.MacroF1Interval), Tone: widget.Muted},
			{Text: widget.Percent(r.BalancedAccuracy, 1)}, {Text: widget.Count(r.Unparsed)}, met}
		if plot >= 11 {
			row = append(row, widget.Cell{Text: ruler(r.Accuracy, r.AccuracyInterval, plot), Tone: widget.Accent})
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

func (v *compare) drawSubjects(t *widget.Theme, w, h int) string {
	var lines []string
	say := func(style widget.Style, text string) { lines = append(lines, toned(style, wrapped(text, w-2))...) }
	switch {
	case v.request.Pending() && v.table == nil:
		return widget.Middle(t.Muted, "comparing …", w, h)
	case len(v.sides) == 0:
		say(t.Strong, "Nobody has been evaluated on "+v.now.split)
		say(t.Text, "Choose base, adapter or both with m (R picks the run) and press b; at least two evaluations "+
			"can be compared.")
	case v.err != nil:
		say(t.Warning, "✗ "+printable.Error(v.err))
	case len(v.sides) == 1:
		say(t.Text, "Only "+v.sides[0].Name+" has been evaluated on this split: choose another subject with m and R "+
			"and press b.")
	}
	for _, why := range v.left {
		say(t.Muted, "left out: "+why)
	}
	if len(v.sides) == 0 {
		return widget.Block(indent(lines), w, h)
	}
	if len(lines) > 0 {
		lines = append([]string{""}, lines...)
	}
	room := max(h-len(lines), 2)
	return widget.Block(v.subjectsTable(w).View(t, w, min(room, len(v.sides)+1))+"\n"+indent(lines), w, h)
}

func (v *compare) moveSubject(m widget.Move, page int) {
	v.cursor.Move(m, len(v.sides), page)
	v.scroll, v.differ.Index = 0, 0
}

func (v *compare) clickSubject(_, y, w, h int) tea.Cmd {
	v.subjectsTable(w).Click(y, h)
	return nil
}

func (v *compare) pairTitle() string {
	second, ok := v.second()
	if !ok {
		return "What it says"
	}
	return v.nameAt(0) + " → " + v.nameAt(second)
}

// sideName is a subject's name in the table.
func sideName(name string) string {
	if name == session.Base {
		return "base (zero-shot)"
	}
	return name
}

// referenceMark stands before the first side, with which the others are compared.
func referenceMark(i int) widget.Cell {
	if i == 0 {
		return widget.Cell{Text: "◆", Tone: widget.Accent}
	}
	return widget.Cell{}
}

// pairLines are the sentences of the pair.
func (v *compare) pairLines(t *widget.Theme, w int) []string {
	if c := v.wording(); c != nil {
		return wordLines(t, c, w)
	}
	pair := v.comparison()
	if pair == nil {
		return nil
	}
	var lines []string
	test := "McNemar's exact p " + widget.Probability(pair.P)
	if pairs := len(v.table.Pairs); pairs > 1 {
		test += fmt.Sprintf(" (%s for all %d pairs together)", widget.Probability(pair.PHolm), pairs)
	}
	style, sign := t.Warning, "! "
	differs, verdict := views.PairVerdict(pair)
	if differs {
		style, sign = t.OK, "✓ "
	}
	lines = append(lines, toned(style, wrapped(sign+test+": "+verdict, w))...)
	for _, sentence := range pair.Sentences {
		lines = append(lines, widget.Hang("· ", widget.Clean(sentence), t.Text, w)...)
	}
	return lines
}

func (v *compare) drawPair(t *widget.Theme, w, h int) string {
	lines := v.pairLines(t, w-2)
	if lines == nil {
		return widget.Middle(t.Muted, "what two evaluations of this split say about each other stands here", w, h)
	}
	first := min(v.scroll, max(len(lines)-h, 0))
	lines = lines[first:]
	if len(lines) > h {
		lines = append(lines[:h-1:h-1], t.Muted.Render(fmt.Sprintf("… %d lines more; tab here, then ↓",
			len(lines)-h+1)))
	}
	return widget.Block(indent(lines), w, h)
}

func (v *compare) scrollPair(m widget.Move, page int) {
	w, h := v.board.Inside("words")
	l := widget.List{Index: v.scroll}
	l.Move(m, max(len(v.pairLines(widget.NewTheme(true, false), w-2))-h, 0)+1, page)
	v.scroll = l.Index
}

func (v *compare) classesTitle() string {
	if v.worded() {
		return "Exercise by exercise"
	}
	return "Class by class"
}

// drawPairClasses is the pair class by class and condition by condition: how many of each are right.
func (v *compare) drawPairClasses(t *widget.Theme, w, h int) string {
	pair := v.comparison()
	if pair == nil {
		return widget.Middle(t.Muted, "class by class", w, h)
	}
	if c := v.wording(); c != nil {
		return v.wordPairs(c).View(t, w, h)
	}
	table := widget.Table{Cursor: &v.class, Columns: []widget.Column{{Title: "right answers", Flex: true,
		Min: 12}, {Title: "n", Right: true, Priority: 4},
		{Title: pair.Subjects[0], Right: true, Flex: true, Middle: true, Min: 6, Priority: 3},
		{Title: pair.Subjects[1], Right: true, Flex: true, Middle: true, Min: 6, Priority: 3},
		{Title: "points", Right: true, Priority: 2}}}
	add := func(heading string, list eval.Ordered[eval.Pair]) {
		if heading != "" {
			table.Rows = append(table.Rows, []widget.Cell{{Text: heading, Tone: widget.Muted}})
		}
		for _, g := range list {
			table.Rows = append(table.Rows, pairRow(g.Name, g.Value))
		}
	}
	add("", pair.Classes)
	if conditions, _ := pair.Grouped(); len(conditions) > 0 {
		add("by condition", conditions)
	}
	return table.View(t, w, h)
}

func (v *compare) movePairClass(m widget.Move, page int) {
	if c := v.wording(); c != nil {
		v.class.Move(m, len(c.Exercises), page)
	} else if pair := v.comparison(); pair != nil {
		rows := len(pair.Classes)
		if conditions, _ := pair.Grouped(); len(conditions) > 0 {
			rows += 1 + len(conditions)
		}
		v.class.Move(m, rows, page)
	}
}

func pairRow(name string, v eval.Pair) []widget.Cell {
	missing := widget.Cell{Text: widget.Missing, Tone: widget.Muted}
	if v.Support == 0 {
		return []widget.Cell{{Text: name}, {Text: "0"}, missing, missing, missing}
	}
	points := 100 * (v.Recall[1] - v.Recall[0])
	change := widget.Cell{Text: fmt.Sprintf("%+.0f", points)}
	switch {
	case v.Right[1] > v.Right[0]:
		change.Tone = widget.OK
	case v.Right[1] < v.Right[0]:
		change.Tone = widget.Warning
	default:
		change = widget.Cell{Text: "=", Tone: widget.Muted}
	}
	return []widget.Cell{{Text: name}, {Text: widget.Count(v.Support)}, {Text: widget.Count(v.Right[0])},
		{Text: widget.Count(v.Right[1])}, change}
}
