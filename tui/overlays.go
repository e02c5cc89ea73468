package main

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

// palette finds an action by some of its letters.
type palette struct {
	root    *root
	actions []views.Action
	choice  *widget.Choice
}

func newPalette(r *root) *palette {
	p := &palette{root: r}
	var options []widget.Option
	for _, action := range r.actions() {
		if !action.On() {
			continue
		}
		p.actions = append(p.actions, action)
		options = append(options, widget.Option{Text: strings.ReplaceAll(action.Name, "_", " "), Detail: action.Help, Key: action.KeyText()})
	}
	p.choice = widget.NewChoice("Commands", true, options...)
	return p
}

func (p *palette) update(msg tea.Msg) (bool, tea.Cmd) {
	outcome, cmd := p.choice.Update(msg)
	switch outcome {
	case widget.Accepted:
		p.root.over = nil
		return false, p.actions[p.choice.Chosen()].Run()
	case widget.Cancelled:
		return false, nil
	}
	return true, cmd
}

func (p *palette) draw(t *widget.Theme, w, h int) (string, int, int) {
	bw, bh := p.choice.Size()
	bw, bh = min(bw, w-8), min(bh, h-4)
	return p.choice.View(t, bw, bh), (w - bw) / 2, 2
}

// help shows every action with its keys, by group, as many columns as fit.
type help struct {
	root  *root
	first int // line at the top
}

func newHelp(r *root) *help { return &help{root: r} }

func (o *help) update(msg tea.Msg) (bool, tea.Cmd) {
	_, h := widget.Panel{}.Inside(o.root.w, o.root.bodyHeight())
	lines := len(o.lines(o.root.theme, o.root.w-2))
	page := max(h-1, 1)
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		if msg.Button == tea.MouseWheelUp {
			o.first--
		} else {
			o.first++
		}
	case tea.KeyPressMsg:
		switch msg.String() {
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
			return false, nil
		}
	}
	o.first = max(min(o.first, lines-h), 0)
	return true, nil
}

func (o *help) draw(t *widget.Theme, w, h int) (string, int, int) {
	frame := widget.Panel{Titles: []string{"Keys"}, Focused: true, Right: t.Muted.Render("any other key leaves")}
	iw, ih := frame.Inside(w, h)
	lines := o.lines(t, iw)
	first := max(min(o.first, len(lines)-ih), 0)
	if len(lines) > ih {
		frame.Right = t.Muted.Render("↑ ↓ more; any other key leaves")
	}
	return frame.View(t, strings.Join(lines[first:min(first+ih, len(lines))], "\n"), w, h), 0, 0
}

// lines are the groups below each other, in two columns where they have the room.
func (o *help) lines(t *widget.Theme, w int) []string {
	var blocks [][]string
	width := w
	if w >= 110 {
		width = w / 2
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
