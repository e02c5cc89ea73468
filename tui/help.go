package main

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

// help shows every action of the open pane with its keys, by group, as many
// columns as fit; what / asks for is looked for in all panes.
type help struct {
	root   *root
	first  int // line at the top
	filter views.Filter
}

func newHelp(r *root) *help { return &help{root: r} }

func (o *help) update(msg tea.Msg) (bool, tea.Cmd) {
	_, h := widget.Panel{}.Inside(o.root.w, o.root.bodyHeight())
	lines := len(o.lines(o.root.theme, o.root.w-2))
	page := max(h-1, 1)
	if _, mouse := msg.(tea.MouseMsg); o.filter.Writing() && !mouse {
		_, cmd := o.filter.Update(msg)
		o.first = 0
		return true, cmd
	}
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		if msg.Button == tea.MouseWheelUp {
			o.first--
		} else {
			o.first++
		}
	case tea.KeyPressMsg:
		switch msg.String() {
		case "/":
			o.filter.Open("find", "words of what is done, a key, or a name in [KEYS]")
		case "up", "k":
			o.first--
		case "down", "j":
			o.first++
		case "pgup":
			o.first -= page
		case "pgdown", "space":
			o.first += page
		case "g", "home":
			o.first = 0
		case "G", "end":
			o.first = lines
		default:
			return msg.String() == "esc" && o.filter.Clear(), nil
		}
	}
	o.first = max(min(o.first, lines-h), 0)
	return true, nil
}

func (o *help) draw(t *widget.Theme, w, h int) (string, int, int) {
	frame := widget.Panel{Titles: []string{"Keys"}, Focused: true,
		Right: t.Muted.Render("/ finds; any other key leaves")}
	if text := o.filter.Text(); text != "" {
		frame.Titles[0] = "Keys with “" + text + "”"
		frame.Right = t.Muted.Render("esc shows all")
	}
	iw, ih := frame.Inside(w, h)
	lines := o.lines(t, iw)
	first := max(min(o.first, len(lines)-ih), 0)
	if len(lines) > ih {
		frame.Right = t.Muted.Render("↑ ↓ more; / finds; any other key leaves")
	}
	box := frame.View(t, strings.Join(lines[first:min(first+ih, len(lines))], "\n"), w, h)
	if o.filter.Writing() {
		box = o.filter.Over(t, box, w, h)
	}
	return box, 0, 0
}

// found are the actions of all panes that the filter lets through, those of others under their pane's name.
func (o *help) found() []views.Action {
	var found []views.Action
	for _, offer := range o.root.offers() {
		a := offer.action
		a.Group = o.root.place(offer) + a.Group
		if o.filter.Passes(a.KeyText() + " " + a.Help + " " + strings.ReplaceAll(a.Name, "_", " ") + " " + a.Name +
			" " + a.Group) {
			found = append(found, a)
		}
	}
	return found
}

// lines are the groups below each other, in two columns where they have the room.
func (o *help) lines(t *widget.Theme, w int) []string {
	var blocks [][]string
	width := w
	if w >= 110 {
		width = w / 2
	}
	if o.filter.Text() != "" {
		for _, group := range groups(o.found()) {
			blocks = append(blocks, o.block(t, group, width))
		}
		if len(blocks) == 0 {
			return []string{"", " " +
				t.Muted.Render("no key does that; the command palette finds views, runs and constants, too")}
		}
		if width == w {
			return slices.Concat(blocks...)
		}
		return twoColumns(blocks, width)
	}
	for _, group := range groups(o.root.actions()) {
		blocks = append(blocks, o.block(t, group, width))
	}
	blocks = append(blocks, []string{
		"", " " + t.Strong.Render("Always"),
		widget.Cut("  "+t.Key.Render("ctrl+c")+"  leave finetui at once; runs go on", width),
		widget.Cut("  "+t.Key.Render("ctrl+z")+"  back to the shell; fg returns here", width),
	}, []string{
		"", " " + t.Strong.Render("Mouse"),
		widget.Cut("  click goes to a panel, the wheel moves in it", width),
		widget.Cut("  shift+drag selects text, as everywhere in the terminal", width),
		widget.Cut("  "+t.Muted.Render("grey: the action's name in [KEYS] of config.toml"), width),
	})
	if width == w {
		return slices.Concat(blocks...)
	}
	return twoColumns(blocks, width)
}

// twoColumns puts blocks into the first column until it holds half of all lines.
func twoColumns(blocks [][]string, w int) []string {
	total := len(slices.Concat(blocks...))
	var left, right []string
	for _, block := range blocks {
		if len(right) == 0 && len(left) < total/2 {
			left = append(left, block...)
		} else {
			right = append(right, block...)
		}
	}
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		if i < len(left) {
			lines[i] = left[i]
		}
		lines[i] = widget.Left(lines[i], w)
		if i < len(right) {
			lines[i] += right[i]
		}
	}
	return lines
}

// block is one group: keys, what each does, wrapped where it is long, and at the right its name in [KEYS].
func (o *help) block(t *widget.Theme, group []views.Action, w int) []string {
	keys := 0
	for _, action := range group {
		keys = max(keys, widget.Width(action.KeyText()))
	}
	lines := []string{"", " " + t.Strong.Render(group[0].Group)}
	for _, action := range group {
		lead, name := "  "+t.Key.Render(widget.Left(action.KeyText(), keys))+"  ", t.Muted.Render(action.Name)+"  "
		for _, text := range widget.Wrap(action.Help, max(w-keys-4-2-widget.Width(name), 12)) {
			lines = append(lines, widget.Ends(lead+text, name, w))
			lead, name = strings.Repeat(" ", keys+4), ""
		}
	}
	return lines
}

// groups divides actions by their group, in the order in which the groups come first.
func groups(actions []views.Action) [][]views.Action {
	var groups [][]views.Action
	for _, action := range actions {
		i := slices.IndexFunc(groups, func(g []views.Action) bool { return g[0].Group == action.Group })
		if i < 0 {
			groups = append(groups, []views.Action{action})
			continue
		}
		groups[i] = append(groups[i], action)
	}
	return groups
}
