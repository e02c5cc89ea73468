package infer

import (
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// mostCompared are so many evaluations that their pairs are done in a moment: the base and the newest runs.
const mostCompared = 8

// compare is the evaluations of a split side by side.
type compare struct {
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

// compared is what comparing came to.
type compared struct {
	board *eval.Board
	kept  []session.Kept // in the order of the board
	left  []string       // who was left out, and why
}

// compareResults compares the evaluations of the split when they are looked at and have not been yet.
func (p *Pane) compareResults() tea.Cmd {
	c := &p.compare
	of := versions(p.scene.kept) + c.reference
	if c.of == of {
		return nil
	}
	c.of = of
	s, kept, reference := p.session, p.scene.kept, c.reference
	return views.Ask(&c.request, func(context.Context) (compared, error) { return compareKept(s, kept, reference) })
}

// versions tells evaluations from others and from what they were before.
func versions(kept []session.Kept) string {
	text := "."
	for _, k := range kept {
		text += fmt.Sprintln(k.Path, k.When.UnixNano())
	}
	return text
}

// compareKept compares what can be read and was asked with one closed list, that of the newest evaluation. The
// reference comes first, so that every difference is one from it.
func compareKept(s *session.Session, kept []session.Kept, reference string) (compared, error) {
	var c compared
	var list []eval.Label
	for i := len(kept) - 1; i >= 0 && list == nil; i-- {
		if kept[i].Result != nil {
			list = kept[i].Result.ClosedList
		}
	}
	for _, k := range kept {
		switch {
		case k.Fault != nil:
			c.left = append(c.left, k.Name+": "+printable.Error(k.Fault))
		case !sameList(k.Result.ClosedList, list):
			c.left = append(c.left, k.Name+": it was asked with another closed list; evaluate it again")
		default:
			c.kept = append(c.kept, k)
		}
	}
	named := func(k session.Kept) bool { return k.Name == reference }
	if i := slices.IndexFunc(c.kept, named); i > 0 {
		one := c.kept[i]
		c.kept = slices.Insert(slices.Delete(c.kept, i, i+1), 0, one)
	}
	if over := len(c.kept) - mostCompared; over > 0 {
		first := 0
		if c.kept[0].Name == session.Base || named(c.kept[0]) {
			first = 1
		}
		c.left = append(c.left, fmt.Sprintf("the %d oldest runs", over))
		c.kept = append(c.kept[:first:first], c.kept[first+over:]...)
	}
	if len(c.kept) < 2 {
		return c, nil
	}
	var err error
	c.board, err = s.Board(c.kept)
	return c, err
}

func sameList(a, b []eval.Label) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (c *compare) answered(msg views.Answer[compared]) {
	if !c.request.Takes(msg.Ticket) {
		return
	}
	c.request.Close()
	name := c.nameAt(c.cursor.Index)
	c.compared, c.err = msg.Value, msg.Err
	if name == "" {
		c.cursor.Index = len(c.kept) - 1 // the newest run
	}
	for i, k := range c.kept {
		if k.Name == name {
			c.cursor.Index = i
		}
	}
}

func (c *compare) nameAt(i int) string {
	if i < 0 || i >= len(c.kept) {
		return ""
	}
	return c.kept[i].Name
}

// second is the place of the subject that is compared with the reference, which stands at 0: the one under the cursor,
// the next one where that is the reference itself; false where there are no two.
func (c *compare) second() (place int, ok bool) {
	return max(c.cursor.At(len(c.kept)), 1), c.board != nil && len(c.kept) > 1
}

// comparison is the board's of the reference and the subject under the cursor, or nil.
func (c *compare) comparison() *eval.Comparison {
	place, ok := c.second()
	if !ok {
		return nil
	}
	return &c.board.Pairs[place-1] // the pairs of the first subject come first
}

func (c *compare) text() string {
	if c.board == nil {
		return ""
	}
	return c.board.Text()
}

// compareView is the view of all evaluations of the split beside each other.
func (p *Pane) compareView() views.View {
	return views.View{Name: compareView, Boards: []*views.Board{p.compareBoard()}, Actions: p.compareActions,
		Copy: p.compare.text, Want: func() tea.Cmd { return tea.Batch(p.drawPictures(), p.compareResults()) }}
}

func (p *Pane) compareBoard() *views.Board {
	return views.NewBoard(compareLayout(2),
		views.Panel{Name: "subjects", Tab: "Subjects", Title: func() string {
			return "Side by side on " +
				p.scene.split
		}, Draw: p.drawSubjects, Move: p.moveSubject, Click: p.clickSubject, Actions: p.toSubject},
		views.Panel{Name: "words", Tab: "What it says", Title: p.pairTitle, Draw: p.drawPair, Move: p.scrollPair},
		views.Panel{Name: "classes", Tab: "Class by class", Draw: p.drawPairClasses, Move: p.movePairClass},
		views.Panel{Name: "differ", Tab: "Where they differ", Title: p.differTitle, Draw: p.drawDiffer,
			Move: p.moveDiffer, Click: p.clickDiffer, Actions: p.toDiffering},
		p.objectPanel(),
	)
}

// compareLayout gives the table of so many subjects the lines that it has a use for.
func compareLayout(subjects int) layout.Node {
	below := layout.Row(layout.Panel("words", 42, 8).Weighted(4).Prior(1), layout.Panel("classes", 44, 8).Weighted(4))
	objects := layout.Row(layout.Panel("differ", 56, 9).Prior(1), layout.Panel("picture", 44, 9).Extra())
	return layout.Column(layout.Panel("subjects", 56, 6).AtMost(0, max(subjects+5, 8)).Prior(2),
		below.AtMost(0, 19).Weighted(3), objects)
}

func (p *Pane) compareActions() []views.Action {
	several := func() bool { return len(p.compare.kept) > 1 }
	return []views.Action{{Name: "compare_with", Label: "reference", Group: "Compare",
		Help: "make the subject under the cursor the reference that the others are compared with", Enabled: several,
		Run: p.takeReference}}
}

// Marked is the reference that was chosen, if one was.
func (p *Pane) Marked() []string {
	if p.compare.reference == "" {
		return nil
	}
	return []string{p.compare.reference}
}

// Mark chooses the reference of that name.
func (p *Pane) Mark(names []string) {
	if len(names) > 0 {
		p.compare.reference = names[0]
	}
}

// takeReference compares all others with the subject under the cursor.
func (p *Pane) takeReference() tea.Cmd {
	c := &p.compare
	name := c.nameAt(c.cursor.At(len(c.kept)))
	if name == c.nameAt(0) {
		return views.Say("%s is the reference already: move to another subject", subjectTitle(name))
	}
	c.reference = name
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
func (p *Pane) toSubject() []views.Action {
	return []views.Action{{Name: "show_scores", Label: "scores",
		Help: "go to the scores of the subject under the cursor", Group: "Compare",
		Enabled: func() bool { return len(p.compare.kept) > 0 }, Run: p.toScores}}
}

// toScores shows the scores of the subject under the cursor.
func (p *Pane) toScores() tea.Cmd {
	name := p.compare.nameAt(p.compare.cursor.At(len(p.compare.kept)))
	p.views.Show(scoresView)
	if name == session.Base {
		p.mode = baseOnly
		p.scores.arrive()
		return nil
	}
	p.mode, p.chosen.run = adapterOnly, name
	return p.look()
}

func (p *Pane) subjectsTable(w int) widget.Table {
	c := &p.compare
	table := widget.Table{Cursor: &c.cursor, Columns: []widget.Column{
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
	for i, k := range c.kept {
		r := k.Result
		name := k.Name
		if k.Name == session.Base {
			name = "base (zero-shot)"
		}
		mark := widget.Cell{}
		if i == 0 {
			mark = widget.Cell{Text: "◆", Tone: widget.Accent}
		}
		met := widget.Cell{Text: "✗ missed", Tone: widget.Warning}
		if r.Success.Met {
			met = widget.Cell{Text: "✓ met", Tone: widget.OK}
		}
		row := []widget.Cell{mark, {Text: name}, {Text: widget.Count(r.N)},
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

func (p *Pane) drawSubjects(t *widget.Theme, w, h int) string {
	c := &p.compare
	var lines []string
	say := func(style widget.Style, text string) { lines = append(lines, toned(style, wrapped(text, w-2))...) }
	switch {
	case c.request.Pending() && c.board == nil:
		return widget.Middle(t.Muted, "comparing …", w, h)
	case len(c.kept) == 0:
		say(t.Strong, "Nobody has been evaluated on "+p.scene.split)
		say(t.Text, "Choose base, adapter or both with m (R picks the run) and press b; at least two evaluations "+
			"can be compared.")
	case c.err != nil:
		say(t.Warning, "✗ "+printable.Error(c.err))
	case len(c.kept) == 1:
		say(t.Text, "Only "+c.kept[0].Name+" has been evaluated on this split: choose another subject with m and R "+
			"and press b.")
	}
	for _, why := range c.left {
		say(t.Muted, "left out: "+why)
	}
	if len(c.kept) == 0 {
		return widget.Block(indent(lines), w, h)
	}
	if len(lines) > 0 {
		lines = append([]string{""}, lines...)
	}
	room := max(h-len(lines), 2)
	return widget.Block(p.subjectsTable(w).View(t, w, min(room, len(c.kept)+1))+"\n"+indent(lines), w, h)
}

func (p *Pane) moveSubject(m widget.Move, page int) {
	p.compare.cursor.Move(m, len(p.compare.kept), page)
	p.compare.scroll, p.compare.differ.Index = 0, 0
}

func (p *Pane) clickSubject(_, y, w, h int) tea.Cmd {
	p.subjectsTable(w).Click(y, h)
	return nil
}

func (p *Pane) pairTitle() string {
	second, ok := p.compare.second()
	if !ok {
		return "What it says"
	}
	return p.compare.nameAt(0) + " → " + p.compare.nameAt(second)
}

// pairLines are the sentences of the pair.
func (p *Pane) pairLines(t *widget.Theme, w int) []string {
	pair := p.compare.comparison()
	if pair == nil {
		return nil
	}
	var lines []string
	test := "McNemar's exact p " + widget.Probability(pair.P)
	if pairs := len(p.compare.board.Pairs); pairs > 1 {
		test += fmt.Sprintf(" (%s for all %d pairs together)", widget.Probability(pair.PHolm), pairs)
	}
	style, sign := t.Warning, "! "
	told, verdict := views.Told(pair)
	if told {
		style, sign = t.OK, "✓ "
	}
	lines = append(lines, toned(style, wrapped(sign+test+": "+verdict, w))...)
	for _, sentence := range pair.Sentences {
		lines = append(lines, widget.Hang("· ", widget.Clean(sentence), t.Text, w)...)
	}
	return lines
}

func (p *Pane) drawPair(t *widget.Theme, w, h int) string {
	lines := p.pairLines(t, w-2)
	if lines == nil {
		return widget.Middle(t.Muted, "what two evaluations of this split say about each other stands here", w, h)
	}
	first := min(p.compare.scroll, max(len(lines)-h, 0))
	lines = lines[first:]
	if len(lines) > h {
		lines = append(lines[:h-1:h-1], t.Muted.Render(fmt.Sprintf("… %d lines more; tab here, then ↓",
			len(lines)-h+1)))
	}
	return widget.Block(indent(lines), w, h)
}

func (p *Pane) scrollPair(m widget.Move, page int) {
	w, h := p.views.Board().Inside("words")
	l := widget.List{Index: p.compare.scroll}
	l.Move(m, max(len(p.pairLines(widget.NewTheme(true, false), w-2))-h, 0)+1, page)
	p.compare.scroll = l.Index
}

// drawPairClasses is the pair class by class and condition by condition: how many of each are right.
func (p *Pane) drawPairClasses(t *widget.Theme, w, h int) string {
	pair := p.compare.comparison()
	if pair == nil {
		return widget.Middle(t.Muted, "class by class", w, h)
	}
	table := widget.Table{Cursor: &p.compare.class, Columns: []widget.Column{{Title: "right answers", Flex: true,
		Min: 12}, {Title: "n", Right: true, Priority: 4},
		{Title: pair.Subjects[0], Right: true, Flex: true, Min: 6, Priority: 3}, {Title: pair.Subjects[1], Right: true,
			Flex: true, Min: 6, Priority: 3},
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
	add("by condition", pair.Conditions)
	return table.View(t, w, h)
}

func (p *Pane) movePairClass(m widget.Move, page int) {
	if pair := p.compare.comparison(); pair != nil {
		p.compare.class.Move(m, len(pair.Classes)+1+len(pair.Conditions), page)
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
