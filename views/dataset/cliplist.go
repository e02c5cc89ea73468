package dataset

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// fileBoard takes the place of heights, which clips have none of: how long they are, at which rate, in which codec.
func (v *position) fileBoard() *views.Board {
	node := layout.Row(
		layout.Column(layout.Panel("length", 40, 7), layout.Panel("rate", 40, 7)).Weighted(3),
		layout.Column(layout.Panel("count", 34, 7), layout.Panel("files", 34, 8)).Weighted(2),
	)
	panel := func(name, tab, title string, what measured) views.Panel {
		return views.Panel{Name: name, Tab: tab, Title: func() string { return title + " · " + v.scopeWords() },
			Draw: func(t *widget.Theme, w, h int) string { return drawMeasure(t, v.part().Clips, what, w, h) }}
	}
	return views.NewBoard(node,
		panel("length", "Length", "Length in seconds", seconds),
		panel("rate", "Rate", "Frames a second", rates),
		panel("count", "Frames", "Frames of a clip", frames),
		views.Panel{Name: "files", Tab: "Files", Title: func() string { return "Codecs and sizes" },
			Draw: v.drawFiles},
	)
}

// drawFiles lists the codecs and the sizes, most first.
func (v *position) drawFiles(t *widget.Theme, w, h int) string {
	part := v.part()
	if part.Clips == nil || part.Clips.Known == 0 {
		return widget.Middle(t.Muted, "no clip was looked into", w, h)
	}
	bars := widget.Bars{Total: float64(part.Clips.N), Digits: 1}
	for _, codec := range part.Clips.Codecs {
		bars.Items = append(bars.Items, widget.Bar{Label: codec.Name, Value: float64(codec.N)})
	}
	if n := part.Clips.N - part.Clips.Known; n > 0 {
		bars.Items = append(bars.Items, widget.Bar{Label: "not looked into", Value: float64(n), Note: "!", Warn: true})
	}
	codecs := min(len(bars.Items), max(h-2, 1))
	sizes := widget.Bars{Total: bars.Total, Digits: 1}
	for _, size := range part.Resolution.Distinct {
		sizes.Items = append(sizes.Items, widget.Bar{Label: fmt.Sprintf("%d×%d", size.Width, size.Height),
			Value: float64(size.N)})
	}
	text := bars.View(t, w, codecs)
	if room := h - codecs - 1; room > 0 {
		text += "\n\n" + drawSome(t, sizes, w, room)
	}
	return widget.Block(text, w, h)
}

// drawSome draws as many bars as fit, and how many more there are.
func drawSome(t *widget.Theme, bars widget.Bars, w, h int) string {
	room := listRoom(len(bars.Items), h)
	text := bars.View(t, w, min(len(bars.Items), room))
	if room < len(bars.Items) {
		text += "\n" + more(t, len(bars.Items), room, w)
	}
	return text
}

// fileText is the clips of the scope as a table.
func (v *position) fileText() string {
	rows := [][]string{{"clip", "split", "seconds", "frames", "fps", "width", "height", "codec", "participant"}}
	for i := range v.set.Items {
		item := &v.set.Items[i]
		if c := item.Clip; c != nil && (v.split == "" || v.split == item.Split) {
			rows = append(rows, []string{item.ID, item.Split, fmt.Sprintf("%.3f", c.Seconds), fmt.Sprint(c.Frames),
				fmt.Sprintf("%.3f", c.FPS), fmt.Sprint(item.Width), fmt.Sprint(item.Height), c.Codec, item.Group.String()})
		}
	}
	return tabbed(rows)
}

// clipLists is what stands in the place of pairs, of which clips have none: all variations, and all participants.
type clipLists struct {
	way, person widget.List

	of     pairsKey // what the lists were made of
	ways   []stats.Variation
	rows   [][]widget.Cell // of ways
	people [][]widget.Cell
}

func (v *pairs) clipBoard() *views.Board {
	node := layout.Row(
		layout.Panel("ways", 50, 9).Weighted(3).Prior(1),
		layout.Column(layout.Panel("people", 40, 7).Prior(1), layout.Panel("both", 40, 9)).Weighted(2),
	)
	return views.NewBoard(node,
		views.Panel{Name: "ways", Tab: "Variations", Title: v.waysTitle, Right: func() string {
			return place(v.lists.way, len(v.lists.ways))
		}, Draw: v.drawWays, Move: v.moveWay, Click: v.clickWay, Actions: v.openWay},
		views.Panel{Name: "people", Tab: "Participants", Title: v.peopleTitle, Right: func() string {
			return place(v.lists.person, len(v.lists.people))
		}, Draw: v.drawPeople, Move: v.movePerson, Click: v.clickPerson, Actions: v.openPerson},
		views.Panel{Name: "both", Tab: "Clips", Title: func() string { return "Clips of this variation" },
			Right: v.bothPlace, Draw: v.drawBoth, Move: v.moveBoth, Actions: v.openWay},
	)
}

// listClips makes the lists anew where what they show has changed.
func (v *pairs) listClips() {
	l := &v.lists
	key := pairsKey{reads: v.reads, split: v.split, text: v.filter.Text()}
	if l.of != key {
		*l = clipLists{of: key, way: l.way, person: l.person}
		total := float64(max(v.part().Objects, 1))
		if clips := v.part().Clips; clips != nil {
			for _, way := range clips.Variations {
				if v.filter.Passes(v.set.Classes[way.Class].Name + " " + way.Name) {
					l.ways = append(l.ways, way)
					l.rows = append(l.rows, []widget.Cell{{Text: v.nameOf(way.Class)}, {Text: wayName(way)},
						{Text: widget.Count(way.N)}, {Text: widget.Percent(float64(way.N)/total, 1),
							Tone: widget.Muted}})
				}
			}
		}
		for _, person := range v.people() {
			splits, tone := strings.Join(person.Splits, ", "), widget.Plain
			if len(person.Splits) > 1 {
				splits, tone = "! "+splits, widget.Warning
			}
			l.people = append(l.people, []widget.Cell{{Text: person.Name}, {Text: widget.Count(person.Clips)},
				{Text: widget.Count(person.Classes)}, {Text: splits, Tone: tone}})
		}
	}
}

// waysItems keeps the clips of a variation.
func (l *loaded) waysItems(items []int, way *stats.Variation) []int {
	return slices.DeleteFunc(items, func(i int) bool {
		for _, object := range l.set.Items[i].Objects {
			if object.Class == way.Class && stats.VariationOf(l.rawName(way.Class), object.Text) == way.Name {
				return false
			}
		}
		return true
	})
}

func (v *pairs) selectedWay() *stats.Variation {
	if i := v.lists.way.At(len(v.lists.ways)); i >= 0 {
		return &v.lists.ways[i]
	}
	return nil
}

func (v *pairs) waysTitle() string {
	return fmt.Sprintf("Exercises and variations · %s · %s", v.scopeWords(), widget.Count(len(v.lists.ways)))
}

func (v *pairs) wayTable() widget.Table {
	return widget.Table{Cursor: &v.lists.way, Rows: v.lists.rows, Columns: []widget.Column{
		{Title: "exercise", Flex: true, Min: 14, Priority: 9}, {Title: "variation", Flex: true, Min: 14, Priority: 8},
		{Title: "clips", Right: true, Priority: 7}, {Title: "of all", Right: true, Priority: 6}}}
}

func (v *pairs) drawWays(t *widget.Theme, w, h int) string {
	if len(v.lists.rows) == 0 {
		return widget.Middle(t.Muted, "No variation contains the filter's text: esc shows all.", w, h)
	}
	return v.wayTable().View(t, w, h)
}

// moveWay selects another variation, and with it its exercise for all views.
func (v *pairs) moveWay(m widget.Move, page int) {
	v.lists.way.Move(m, len(v.lists.ways), page)
	v.followWay()
}

func (v *pairs) followWay() {
	if way := v.selectedWay(); way != nil {
		v.class, v.shown.Index = way.Class, 0
		v.refilter()
	}
}

func (v *pairs) clickWay(_, y, _, h int) tea.Cmd {
	if v.wayTable().Click(y, h) {
		v.followWay()
	}
	return nil
}

// openWay shows the clips of the selected variation.
func (v *pairs) openWay() []views.Action {
	return []views.Action{{Name: "open", Label: "clips", Help: "show the clips of this variation", Group: "Data",
		Enabled: func() bool { return v.selectedWay() != nil }, Run: func() tea.Cmd {
			way := *v.selectedWay()
			v.samples.show(facets{way: &way}, 0)
			return nil
		}}}
}

func (v *pairs) peopleTitle() string {
	if clips := v.part().Clips; clips != nil && clips.Unnamed > 0 && len(clips.People) > 0 {
		return fmt.Sprintf("Participants · not known of %s", v.mediaOf(clips.Unnamed))
	}
	return "Participants"
}

func (v *pairs) peopleTable() widget.Table {
	return widget.Table{Cursor: &v.lists.person, Rows: v.lists.people, Columns: []widget.Column{
		{Title: "participant", Flex: true, Min: 10, Priority: 9}, {Title: "clips", Right: true, Priority: 8},
		{Title: "exercises", Right: true, Priority: 6}, {Title: "splits", Priority: 7}}}
}

func (v *pairs) drawPeople(t *widget.Theme, w, h int) string {
	if len(v.lists.people) == 0 {
		return widget.Middle(t.Muted, "Who is seen is not known: no worker_id or participant is given.", w, h)
	}
	return v.peopleTable().View(t, w, h)
}

func (v *pairs) movePerson(m widget.Move, page int) {
	v.lists.person.Move(m, len(v.lists.people), page)
}

func (v *pairs) clickPerson(_, y, _, h int) tea.Cmd {
	v.peopleTable().Click(y, h)
	return nil
}

// openPerson shows the clips of the selected participant.
func (v *pairs) openPerson() []views.Action {
	return []views.Action{{Name: "open", Label: "clips", Help: "show the clips of this participant", Group: "Data",
		Enabled: func() bool { return len(v.lists.people) > 0 }, Run: func() tea.Cmd {
			person := v.lists.people[v.lists.person.At(len(v.lists.people))][0].Text
			v.samples.show(facets{person: person}, 0)
			return nil
		}}}
}

// clipText is the variations as a table.
func (v *pairs) clipText() string {
	rows := [][]string{{"exercise", "variation", "clips"}}
	for _, way := range v.lists.ways {
		rows = append(rows, []string{v.rawName(way.Class), way.Name, fmt.Sprint(way.N)})
	}
	return tabbed(rows)
}
