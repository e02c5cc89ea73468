package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	data "finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// findings is the view of what is wrong: kinds of faults, worst first, and where each is.
type findings struct {
	*shared

	groups []findingGroup
	kind   widget.List // among the groups
	spot   widget.List // among the group's findings
	clean  clean       // where there are none
}

const noFindings = "No finding contains the filter's text: esc shows all."

type findingGroup struct {
	code  string
	level level.Level
	all   []int // places in the set's findings
}

func newFindings(s *shared) views.View { return (&findings{shared: s, clean: clean{shared: s}}).view() }

func (v *findings) view() views.View {
	faults, clean := v.board(), v.clean.board()
	return views.View{Name: findingsView, Label: v.label, Boards: []*views.Board{faults, clean}, Copy: v.text,
		Pick: func(int, int) *views.Board {
			if v.ready() && len(v.set.Findings) == 0 {
				return clean
			}
			return faults
		},
		Want: func() tea.Cmd {
			if len(v.set.Findings) == 0 {
				return v.clean.want()
			}
			return v.want()
		},
		List: v.list}
}

// label is the view's name with how many findings there are.
func (v *findings) label() string {
	if n := len(v.set.Findings); n > 0 {
		return fmt.Sprintf("%s(%d)", findingsView, n)
	}
	return findingsView
}

func (v *findings) board() *views.Board {
	node := layout.Column(
		layout.Row(layout.Panel("kinds", 36, 7).Weighted(2).AtMost(60, 0),
			layout.Column(layout.Panel("places", 44, 7).Prior(1),
				layout.Panel("picture", 44, 24).Weighted(2).Extra()).Weighted(3).Prior(1)),
		layout.Panel("fault", 50, 7).AtMost(0, 8).Prior(1),
	)
	return views.NewBoard(node,
		views.Panel{Name: "kinds", Tab: "Kinds", Title: v.kindsTitle, Draw: v.drawKinds, Move: v.moveKind,
			Click: v.clickKind, Actions: v.openKind},
		views.Panel{Name: "places", Tab: "Places", Title: v.placesTitle, Right: v.placesCount, Draw: v.drawPlaces,
			Move: v.movePlace, Click: v.clickPlace, Actions: v.openPlace},
		views.Panel{Name: "fault", Tab: "What to do", Title: func() string { return "What is wrong, and what to do" },
			Draw: v.drawFault, Actions: v.openPlace},
		views.Panel{Name: "picture", Tab: "Picture", Title: v.pictureTitle, Draw: v.drawPicture, Actions: v.openPlace},
	)
}

// list groups the findings that the filter lets through; where the set has none, it looks for the outermost pictures.
func (v *findings) list() views.Listing {
	v.groups = nil
	if v.ready() && len(v.set.Findings) == 0 {
		return v.clean.look()
	}
	set, filter := v.loaded, v.filter.Now()
	return func(ctx context.Context) func() {
		groups := set.grouped(ctx, filter)
		return func() { v.groups = groups }
	}
}

// grouped is the findings that a filter lets through, by kind, worst first.
func (l *loaded) grouped(ctx context.Context, filter views.Filter) []findingGroup {
	var groups []findingGroup
	place := map[string]int{}
	for at := range l.set.Findings {
		f := &l.set.Findings[at]
		if ctx.Err() != nil || !filter.Passes(f.File, f.Text, findingWords(f.Code), f.Code) {
			continue
		}
		i, there := place[f.Code]
		if !there {
			i = len(groups)
			place[f.Code] = i
			groups = append(groups, findingGroup{code: f.Code, level: f.Level})
		}
		groups[i].all = append(groups[i].all, at)
	}
	return groups
}

func (v *findings) kindsTitle() string {
	counts := map[level.Level]int{}
	for _, group := range v.groups {
		counts[group.level] += len(group.all)
	}
	var words []string
	for _, kind := range []struct {
		level     level.Level
		one, many string
	}{{level.Error, "error", "errors"},
		{level.Warn, "warning", "warnings"}, {level.Info, "note", "notes"}} {
		switch n := counts[kind.level]; {
		case n == 1:
			words = append(words, "1 "+kind.one)
		case n > 1:
			words = append(words, widget.Count(n)+" "+kind.many)
		}
	}
	if len(words) == 0 {
		return "Findings"
	}
	return strings.Join(words, ", ")
}

func (v *findings) drawKinds(t *widget.Theme, w, h int) string {
	if len(v.groups) == 0 {
		return widget.Middle(t.Muted, v.none(noFindings), w, h)
	}
	return v.kindTable(t).View(t, w, h)
}

func (v *findings) kindTable(t *widget.Theme) widget.Table {
	table := widget.Table{Cursor: &v.kind, Columns: []widget.Column{{Title: "", Priority: 9},
		{Title: "kind", Flex: true, Min: 12, Priority: 8}, {Title: "places", Right: true, Priority: 7}}}
	for _, group := range v.groups {
		sign, _ := levelSign(t, group.level)
		tone := widget.Warning
		if group.level == level.Info {
			tone = widget.Muted
		}
		table.Rows = append(table.Rows, []widget.Cell{{Text: sign, Tone: tone}, {Text: findingWords(group.code)},
			{Text: widget.Count(len(group.all))}})
	}
	return table
}

func (v *findings) moveKind(m widget.Move, page int) {
	if v.kind.Move(m, len(v.groups), page) {
		v.spot.Index = 0
	}
}

func (v *findings) clickKind(_, y, _, h int) tea.Cmd {
	before := v.kind.Index
	v.kind.Click(y-1, len(v.groups), h-1)
	if v.kind.Index != before {
		v.spot.Index = 0
	}
	return nil
}

// group is the selected kind; false where there is none.
func (v *findings) group() (findingGroup, bool) {
	i := v.kind.At(len(v.groups))
	if i < 0 {
		return findingGroup{}, false
	}
	return v.groups[i], true
}

// selected is the place of the selected finding in the set's; -1 where there is none.
func (v *findings) selected() int {
	group, there := v.group()
	if !there {
		return -1
	}
	return group.all[v.spot.At(len(group.all))]
}

// fault is the selected finding; false where there is none.
func (v *findings) fault() (data.Finding, bool) {
	if at := v.selected(); at >= 0 {
		return v.set.Findings[at], true
	}
	return data.Finding{}, false
}

func (v *findings) placesTitle() string {
	group, there := v.group()
	if !there {
		return "Places"
	}
	return widget.Capital(findingWords(group.code))
}

func (v *findings) placesCount() string {
	group, _ := v.group()
	return place(v.spot, len(group.all))
}

func (v *findings) drawPlaces(t *widget.Theme, w, h int) string {
	group, there := v.group()
	if !there {
		return widget.Block("", w, h)
	}
	table := widget.Table{Cursor: &v.spot, Columns: []widget.Column{{Title: "file", Priority: 9},
		{Title: "line", Right: true, Priority: 8}, {Title: "what is wrong", Flex: true, Min: 10, Priority: 7}},
		Len: len(group.all), Row: func(i int) []widget.Cell {
			f := &v.set.Findings[group.all[i]]
			return []widget.Cell{{Text: widget.CutLeft(widget.Clean(f.File), max(w*9/20, 16))},
				{Text: lineNumber(f.Line)}, {Text: f.Text}}
		}}
	return table.View(t, w, h)
}

func (v *findings) movePlace(m widget.Move, page int) {
	group, _ := v.group()
	v.spot.Move(m, len(group.all), page)
}

func (v *findings) clickPlace(_, y, _, h int) tea.Cmd {
	group, _ := v.group()
	v.spot.Click(y-1, len(group.all), h-1)
	return nil
}

func (v *findings) drawFault(t *widget.Theme, w, h int) string {
	f, there := v.fault()
	if !there {
		return widget.Middle(t.Muted, v.none(noFindings), w, h)
	}
	where := widget.Clean(f.File)
	if f.Line > 0 {
		where += fmt.Sprintf(", line %d", f.Line)
	}
	lines := []string{" " + t.Strong.Render(widget.CutLeft(where, w-2))}
	for _, cause := range v.analysis.Causes { // what is likely behind all places comes before the one
		if cause.Likely && cause.Code == f.Code && cause.Count > 1 {
			lines = append(lines, findingLines(t, cause.Finding, w)...)
		}
	}
	lines = append(lines, findingLines(t, f, w)...)
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// item is the picture that the selected finding is about; -1 where it is about none.
func (v *findings) item() int {
	at := v.selected()
	if at < 0 {
		return -1
	}
	return v.index.ItemOf(at)
}

func (v *findings) pictureTitle() string {
	if i := v.item(); i >= 0 {
		return "Picture " + widget.Clean(v.set.Items[i].ID)
	}
	return "Picture"
}

// pictureKey is the drawing of the picture with all its boxes by number.
func (v *findings) pictureKey(item, w, h int) pictureKey {
	mode, _ := v.pictureMode()
	return pictureKey{reads: v.reads, item: item, object: -1, numbers: true, mode: mode, w: w, h: h}
}

// want asks for the picture, where there is room for it.
func (v *findings) want() tea.Cmd {
	w, h := v.views.Board().Inside("picture")
	item := v.item()
	if w <= 0 || item < 0 {
		return nil
	}
	return v.drawPictures([]pictureKey{v.pictureKey(item, w, h)})
}

func (v *findings) drawPicture(t *widget.Theme, w, h int) string {
	item := v.item()
	if item < 0 {
		return widget.Middle(t.Muted, "This finding is about no single picture.", w, h)
	}
	return v.drawThumb(t, v.pictureKey(item, w, h), v.classList(item))
}

// openKind shows the pictures that have the selected kind of fault.
func (v *findings) openKind() []views.Action {
	group, there := v.group()
	return []views.Action{{Name: "open", Label: "pictures", Help: "show the pictures with this finding", Group: "Data",
		Enabled: func() bool { return there }, Run: func() tea.Cmd { return v.showFinding(group.code, -1) }}}
}

// openPlace shows the picture that the selected finding is about.
func (v *findings) openPlace() []views.Action {
	f, there := v.fault()
	return []views.Action{{Name: "open", Label: "picture", Help: "show the picture it is about", Group: "Data",
		Enabled: func() bool { return there }, Run: func() tea.Cmd { return v.showFinding(f.Code, v.selected()) }}}
}

// showFinding shows the pictures with a finding of that code, that of the finding at a place selected; -1: the first.
func (v *findings) showFinding(code string, place int) tea.Cmd {
	with := v.index.Items(stats.Filter{Findings: []string{code}})
	selected := 0
	if place >= 0 {
		selected = slices.Index(with, v.index.ItemOf(place))
	}
	if len(with) == 0 || selected < 0 {
		return views.Warn("this finding is about no single picture")
	}
	v.split = ""
	v.filter.Set("")
	v.samples.show(facets{findings: []string{code}}, selected)
	return nil
}

// text is the view as a table.
func (v *findings) text() string {
	rows := [][]string{{"level", "code", "file", "line", "text", "do"}}
	for _, group := range v.groups {
		for _, at := range group.all {
			f := &v.set.Findings[at]
			rows = append(rows, []string{string(f.Level), f.Code, f.File, fmt.Sprint(f.Line), f.Text, f.Do})
		}
	}
	return tabbed(rows)
}
