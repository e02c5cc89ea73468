package infer

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// scores is what is selected of an evaluation: a group in the table, a cell of the confusion, an answer in the list.
type scores struct {
	group       widget.List // among the lines of the table
	row, column widget.List // of the confusion
	item        widget.List // among the answers that are listed
	odd         widget.List // among the unparsed answers
	listed      listing
}

// listing is which answers are listed.
type listing int

const (
	ofSelection listing = iota
	wrongOnes
	unparsedOnes
	allOfThem
	listingCount
)

// arrive starts the list of answers anew: it is another subject's.
func (s *scores) arrive() { s.item.Index = 0 }

// kept is the evaluation that is shown; nil: there is none.
func (p *Pane) kept() *session.Kept { return p.scene.keptOf(p.scene.settings[p.main()]) }

func (p *Pane) result() *eval.Result {
	if k := p.kept(); k != nil {
		return k.Result
	}
	return nil
}

// scoresView is the view of one evaluation's figures.
func (p *Pane) scoresView() views.View {
	return views.View{Name: scoresView, Boards: []*views.Board{p.scoresBoard()}, Actions: p.scoresActions,
		Copy: p.scoresText, Want: p.drawPictures}
}

// scoresText is the evaluation as the verb eval prints it.
func (p *Pane) scoresText() string {
	if r := p.result(); r != nil {
		return r.Text()
	}
	return ""
}

func (p *Pane) scoresBoard() *views.Board {
	return views.NewBoard(scoresLayout(),
		views.Panel{Name: "scores", Tab: "Scores", Title: p.scoresTitle, Right: p.groupPosition, Draw: p.drawScores,
			Move: p.moveGroup, Click: p.clickGroup, Actions: p.toItems},
		views.Panel{Name: "verdict", Tab: "Verdict", Draw: p.drawVerdict},
		views.Panel{Name: "items", Tab: "Answers", Title: p.itemsTitle, Right: p.itemPosition, Draw: p.drawItems,
			Move: p.moveItem, Click: p.clickItem, Actions: p.toSample},
		p.objectPanel(),
	)
}

func scoresLayout() layout.Node {
	beside := layout.Column(layout.Panel("verdict", 36, 8).AtMost(0, 22).Weighted(4).Prior(1),
		layout.Panel("items", 36, 6))
	left := layout.Column(layout.Panel("scores", 60, 20).AtMost(0, 26).Prior(1), layout.Panel("picture", 60,
		16).Extra())
	return layout.Row(left.Weighted(9).Prior(1), beside.Weighted(5))
}

// scoresActions are those of the two views of one evaluation.
func (p *Pane) scoresActions() []views.Action {
	return []views.Action{
		{Name: "list_answers", Label: "list",
			Help:    "list the answers of what is selected, the wrong ones, those that name no class, or all",
			Group:   "Scores",
			Enabled: func() bool { return p.result() != nil }, Run: func() tea.Cmd {
				p.scores.listed = (p.scores.listed + 1) % listingCount
				p.scores.item.Index = 0
				return nil
			}},
	}
}

// toItems leads from a table to the answers behind its selected place.
func (p *Pane) toItems() []views.Action {
	return []views.Action{{Name: "show_answers", Label: "answers", Help: "go to the answers behind this number",
		Group:   "Scores",
		Enabled: func() bool { return p.result() != nil }, Run: func() tea.Cmd {
			p.scores.listed, p.scores.item.Index = ofSelection, 0
			p.views.Board().Focus("items")
			return nil
		}}}
}

// toSample leads from an answer to its picture.
func (p *Pane) toSample() []views.Action {
	return []views.Action{{Name: "show_sample", Label: "look at it", Help: "go to this answer's picture and question",
		Group:   "Scores",
		Enabled: func() bool { return len(p.items()) > 0 }, Run: p.jump}}
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
		if heading != "" {
			list = append(list, group{heading: heading})
		}
		for _, g := range of {
			list = append(list, group{name: g.Name, kind: kind, value: g.Value, several: heading != ""})
		}
	}
	add("", r.Classes, func(l eval.Label) string { return l.Name })
	add("by condition", r.Conditions, func(l eval.Label) string { return l.Condition })
	add("by object", r.Objects, func(l eval.Label) string { return l.Object })
	return list
}

func (p *Pane) scoresTitle() string {
	setting := p.scene.settings[p.main()]
	if setting == nil {
		return "Scores"
	}
	title := "Scores of " + setting.Name + " on " + p.scene.split
	if r := p.result(); r != nil {
		title += " · " + widget.Count(r.N) + " objects"
	}
	return title
}

func (p *Pane) scoresTable(r *eval.Result, w int) widget.Table {
	table := widget.Table{Cursor: &p.scores.group, Columns: []widget.Column{
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

func (p *Pane) drawScores(t *widget.Theme, w, h int) string {
	r := p.result()
	if r == nil {
		return p.noResult(t, w, h)
	}
	return p.scoresTable(r, w).View(t, w, h)
}

// groupPosition says which line is selected where not all are seen.
func (p *Pane) groupPosition() string {
	r := p.result()
	if r == nil {
		return ""
	}
	w, h := p.views.Board().Inside("scores")
	return p.scoresTable(r, w).Position(h)
}

func (p *Pane) moveGroup(m widget.Move, page int) {
	r := p.result()
	if r == nil {
		return
	}
	list := groups(r)
	p.scores.group.Move(m, len(list), page)
	if at := p.scores.group.At(len(list)); at >= 0 && list[at].heading != "" { // headings are stepped over
		if m == widget.Up || m == widget.PageUp {
			p.scores.group.Index--
		} else {
			p.scores.group.Index++
		}
	}
	p.scores.listed, p.scores.item.Index = ofSelection, 0
}

func (p *Pane) clickGroup(_, y, w, h int) tea.Cmd {
	if r := p.result(); r != nil {
		p.scoresTable(r, w).Click(y, h)
		p.moveGroup(widget.MoveRight, 1)
	}
	return nil
}

// noResult says that there is no evaluation and how to make one, or how far it is.
func (p *Pane) noResult(t *widget.Theme, w, h int) string {
	setting := p.scene.settings[p.main()]
	k := p.kept()
	var lines []string
	say := func(style widget.Style, text string) { lines = append(lines, toned(style, wrapped(text, w-4))...) }
	switch {
	case p.evaluatingThis():
		say(t.Strong, "Asking about every object of "+p.batch.split)
		lines = append(lines, p.batch.bar(t, w-4))
		say(t.Muted, "x stops it. The other views and panes are open meanwhile.")
	case setting == nil:
		say(t.Text, widget.Capital(p.whyNobody())+".")
	case k != nil && k.Fault != nil:
		say(t.Warning, "✗ "+widget.Capital(printable.Error(k.Fault)))
		say(t.Text, "Press b to evaluate again.")
	case p.batch.err != nil && p.batch.failedOn == setting.Name+" "+p.scene.split:
		say(t.Warning, "✗ "+widget.Capital(printable.Error(p.batch.err)))
		say(t.Text, "Press b to try again.")
	default:
		n := len(p.scene.samples[base])
		say(t.Strong, setting.Name+" has not been evaluated on "+p.scene.split)
		say(t.Text, fmt.Sprintf("Press b to ask it about all %s objects of this split and score the answers; %s and "+
			"%s choose who is asked, %s another split.", widget.Count(n),
			views.KeyOf("subject"), views.KeyOf("run"), views.KeyOf("next_split")))
	}
	return widget.Block(strings.Repeat("\n", min(max((h-len(lines))/3, 0), 6))+"  "+strings.Join(lines, "\n  "), w, h)
}

// evaluatingThis says whether the evaluation that is going on is the one that is looked at.
func (p *Pane) evaluatingThis() bool {
	setting := p.scene.settings[p.main()]
	return p.batch.request.Pending() && setting != nil && p.batch.name == setting.Name && p.batch.split == p.scene.split
}
