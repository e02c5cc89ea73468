package main

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"finetui/views"
	"finetui/views/widget"
)

// keyPage shows every action of the open pane with its keys, by group, as many columns as fit; what / asks for is
// looked for in all panes.
type keyPage struct {
	root   *root
	text   viewport.Model
	filter views.Filter
	laid   pageOf // of the text as it is
}

// pageOf is what the lines of the page depend on; the keyboard is the page's own, so the actions stay as they are.
type pageOf struct {
	theme  *widget.Theme
	w      int
	pane   int
	filter string
}

func newHelp(r *root) *keyPage {
	o := &keyPage{root: r, text: viewport.New()}
	o.text.MouseWheelDelta = 1
	o.text.KeyMap = viewport.KeyMap{Up: views.BindingOf("up"), Down: views.BindingOf("down"),
		PageUp: views.BindingOf("page_up"), PageDown: views.To(append(views.BindingOf("page_down").Keys(), "space")...)}
	return o
}

func (o *keyPage) update(msg tea.Msg) (bool, tea.Cmd) {
	if _, mouse := msg.(tea.MouseMsg); o.filter.Writing() && !mouse {
		_, cmd := o.filter.Update(msg)
		o.text.GotoTop()
		return true, cmd
	}
	o.lay(o.root.theme, o.root.w, o.root.bodyHeight())
	pressed, isKey := msg.(tea.KeyPressMsg)
	keys := o.text.KeyMap
	switch {
	case !isKey, key.Matches(pressed, keys.Up, keys.Down, keys.PageUp, keys.PageDown):
		o.text, _ = o.text.Update(msg)
	case key.Matches(pressed, views.BindingOf("filter")):
		o.filter.Open("find", "words of what is done, a key, or a name in [KEYS]")
	case key.Matches(pressed, views.BindingOf("first")):
		o.text.GotoTop()
	case key.Matches(pressed, views.BindingOf("last")):
		o.text.GotoBottom()
	default:
		return pressed.String() == "esc" && o.filter.Clear(), nil
	}
	return true, nil
}

// lay gives the text the size that it has in a box of w×h.
func (o *keyPage) lay(t *widget.Theme, w, h int) {
	iw, ih := widget.Panel{}.Inside(w, h)
	o.text.SetWidth(iw)
	o.text.SetHeight(ih)
	if now := (pageOf{t, iw, o.root.open, o.filter.Text()}); now != o.laid {
		o.text.SetContentLines(o.lines(t, iw))
		o.laid = now
	}
}

func (o *keyPage) draw(t *widget.Theme, w, h int) (string, int, int) {
	frame := widget.Panel{Titles: []string{"Keys"}, Focused: true,
		Right: t.Muted.Render("/ finds; any other key leaves")}
	if text := o.filter.Text(); text != "" {
		frame.Titles[0] = "Keys with “" + text + "”"
		frame.Right = t.Muted.Render("esc shows all")
	}
	o.lay(t, w, h)
	if o.text.TotalLineCount() > o.text.Height() {
		frame.Right = t.Muted.Render("↑ ↓ more; / finds; any other key leaves")
	}
	box := frame.View(t, o.text.View(), w, h)
	if o.filter.Writing() {
		box = o.filter.Over(t, box, w, h)
	}
	return box, 0, 0
}

// found are the actions of all panes that the filter lets through, those of others under their pane's name.
func (o *keyPage) found() []views.Action {
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

// sections are the groups of actions of what is open.
func (o *keyPage) sections() [][]views.Action {
	sections := groups(o.root.actions())
	for i, section := range sections {
		sections[i] = reached(section)
	}
	return sections
}

// reached are the actions of a section, each with the keys that run it, so that none stands there twice: where several
// have a key it is that of the one that can be run now, else of the first.
func reached(section []views.Action) (reached []views.Action) {
	runs := map[string]int{}
	for i, action := range section {
		for _, key := range action.Keys() {
			if first, taken := runs[key]; !taken || !section[first].On() && action.On() {
				runs[key] = i
			}
		}
	}
	for i, action := range section {
		all := action.Keys()
		own := slices.DeleteFunc(slices.Clone(all), func(key string) bool { return runs[key] != i })
		if len(own) == 0 && len(all) > 0 {
			continue
		}
		if len(own) < len(all) {
			action.Bound = views.To(own...)
		}
		reached = append(reached, action)
	}
	return reached
}

// lines are the groups below each other, in two columns where they have the room.
func (o *keyPage) lines(t *widget.Theme, w int) []string {
	var blocks [][]string
	width := w
	if w >= 110 {
		width = w / 2
	}
	sections, always := o.sections(), true
	if o.filter.Text() != "" {
		sections, always = groups(o.found()), false
	}
	for _, section := range sections {
		blocks = append(blocks, o.block(t, section, width))
	}
	switch {
	case always:
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
	case len(blocks) == 0:
		return []string{"", " " +
			t.Muted.Render("no key does that; the command palette finds views, runs and constants, too")}
	}
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
	first := lipgloss.NewStyle().Width(w).Render(strings.Join(left, "\n"))
	return strings.Split(lipgloss.JoinHorizontal(lipgloss.Top, first, strings.Join(right, "\n")), "\n")
}

// block is one group: keys, what each does, wrapped where it is long, and at the right its name in [KEYS].
func (o *keyPage) block(t *widget.Theme, group []views.Action, w int) []string {
	keys := 0
	for _, action := range group {
		keys = max(keys, widget.Width(action.KeyText()))
	}
	var rows []key.Binding
	var names []string
	for _, action := range group {
		lead, name := action.KeyText(), t.Muted.Render(action.Name)+"  "
		for _, text := range widget.Wrap(action.Help, max(w-keys-4-2-widget.Width(name), 12)) {
			rows = append(rows, key.NewBinding(key.WithKeys(lead), key.WithHelp(lead, text)))
			names = append(names, name)
			lead, name = "", ""
		}
	}
	lines := []string{"", " " + t.Strong.Render(group[0].Group)}
	for i, line := range strings.Split(keyHelp(t).FullHelpView([][]key.Binding{rows}), "\n") {
		lines = append(lines, widget.Ends("  "+strings.TrimRight(line, " "), names[i], w))
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
