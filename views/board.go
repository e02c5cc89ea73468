package views

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/views/layout"
	"finetui/views/widget"
)

// The groups of the actions that every board has: those that move a cursor, and those that go from panel to panel.
const (
	Moving = "Moving"
	Panels = "Panels"
)

// Panel is one box of a board. Only Name and Draw are needed.
type Panel struct {
	Name    string                                 // its name in the layout
	Title   func() string                          // title of a box of its own; nil: Tab
	Tab     string                                 // short title while it shares a box; empty: Name
	Right   func() string                          // right end of the title line
	Draw    func(t *widget.Theme, w, h int) string // the inside
	Move    func(m widget.Move, page int)          // arrows, hjkl, g, G, the wheel
	Click   func(x, y, w, h int) tea.Cmd           // a click on the inside, which is w×h
	Actions func() []Action                        // what can be done while it has the focus
}

// Board is a screen of panels: where they stand, which one has the focus, whether it is zoomed.
type Board struct {
	Layout layout.Node
	Panels []Panel

	recent     []string // names of panels, the one with the focus first, then as they had it
	zoomed     bool
	x, y, w, h int // where the pane draws the board, for the mouse and for pages
}

// NewBoard is a board whose first panel has the focus.
func NewBoard(node layout.Node, panels ...Panel) *Board {
	b := &Board{Layout: node, Panels: panels}
	for _, p := range panels {
		b.recent = append(b.recent, p.Name)
	}
	return b
}

// Place tells the board where in the pane it is drawn; the pane calls it for every tea.WindowSizeMsg.
func (b *Board) Place(x, y, w, h int) { b.x, b.y, b.w, b.h = x, y, w, h }

// Inside is the room in a panel as the board stands now, in cells; nothing where the panel is not seen.
func (b *Board) Inside(name string) (w, h int) {
	for _, box := range b.boxes(b.w, b.h) {
		if slices.Contains(box.Names, name) {
			return widget.Panel{}.Inside(box.W, box.H)
		}
	}
	return 0, 0
}

// Focused is the name of the panel that has the keyboard: the one that had it last among those that have a box.
func (b *Board) Focused() string {
	there := b.names()
	for _, name := range b.recent {
		if slices.Contains(there, name) {
			return name
		}
	}
	return ""
}

// names are the panels that have a box, or share one, in the order of the layout. Before the board is placed it is all.
func (b *Board) names() []string {
	all := layout.Names(b.Layout)
	boxes := layout.Arrange(b.Layout, b.w, b.h)
	if boxes == nil {
		return all
	}
	return slices.DeleteFunc(all, func(name string) bool {
		return !slices.ContainsFunc(boxes, func(box layout.Box) bool { return slices.Contains(box.Names, name) })
	})
}

// Focus gives the keyboard to a panel, and shows it where it shares a box.
func (b *Board) Focus(name string) {
	if i := slices.Index(b.recent, name); i >= 0 {
		b.recent = slices.Insert(slices.Delete(b.recent, i, i+1), 0, name)
	}
}

// Zoomed says whether one panel fills the board.
func (b *Board) Zoomed() bool { return b.zoomed }

// Leave ends the zoom and says whether there was one.
func (b *Board) Leave() bool {
	was := b.zoomed
	b.zoomed = false
	return was
}

// Update handles the mouse: a click focuses, the wheel moves.
func (b *Board) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.MouseClickMsg:
		if msg.Button == tea.MouseLeft {
			return b.click(msg.X-b.x, msg.Y-b.y)
		}
	case tea.MouseWheelMsg:
		box, ok := b.boxAt(msg.X-b.x, msg.Y-b.y)
		p := b.panel(b.shown(box))
		if !ok || p == nil || p.Move == nil {
			return nil
		}
		_, page := widget.Panel{}.Inside(box.W, box.H)
		switch msg.Button {
		case tea.MouseWheelUp:
			p.Move(widget.Up, page)
		case tea.MouseWheelDown:
			p.Move(widget.Down, page)
		}
	}
	return nil
}

func (b *Board) click(x, y int) tea.Cmd {
	box, ok := b.boxAt(x, y)
	if !ok {
		return nil
	}
	if y == box.Y {
		if tab := b.frame(box, b.Focused()).TabAt(x - box.X); tab >= 0 {
			b.Focus(box.Names[tab])
			return nil
		}
	}
	b.Focus(b.shown(box))
	p := b.panel(b.Focused())
	w, h := widget.Panel{}.Inside(box.W, box.H)
	if ix, iy := x-box.X-1, y-box.Y-1; p != nil && p.Click != nil && ix >= 0 && iy >= 0 && ix < w && iy < h {
		return p.Click(ix, iy, w, h)
	}
	return nil
}

// View draws all boxes, or the zoomed one.
func (b *Board) View(t *widget.Theme, w, h int) string {
	boxes, focused := b.boxes(w, h), b.Focused()
	// Boxes of one line follow each other from left to right, because rectangles that tile a plane can be sorted so.
	slices.SortStableFunc(boxes, func(p, q layout.Box) int { return p.X - q.X })
	lines, size := make([][]string, h), h
	for _, box := range boxes {
		at := box.Y
		for line := range strings.SplitSeq(b.drawBox(t, box, focused), "\n") {
			lines[at] = append(lines[at], line)
			size += len(line)
			at++
		}
	}
	var text strings.Builder
	text.Grow(size)
	for i, parts := range lines {
		if i > 0 {
			text.WriteByte('\n')
		}
		for _, part := range parts {
			text.WriteString(part)
		}
	}
	return text.String()
}

func (b *Board) drawBox(t *widget.Theme, box layout.Box, focused string) string {
	inside := ""
	if p := b.panel(b.shown(box)); p != nil {
		if w, h := (widget.Panel{}).Inside(box.W, box.H); w > 0 && h > 0 {
			inside = p.Draw(t, w, h)
		}
	}
	return b.frame(box, focused).View(t, inside, box.W, box.H)
}

func (b *Board) frame(box layout.Box, focused string) widget.Panel {
	shown := b.shown(box)
	frame := widget.Panel{Focused: shown == focused}
	for i, name := range box.Names {
		p := b.panel(name)
		if p == nil {
			continue
		}
		title := p.Name
		if p.Tab != "" {
			title = p.Tab
		}
		if len(box.Names) == 1 && p.Title != nil {
			title = p.Title()
		}
		frame.Titles = append(frame.Titles, title)
		if name == shown {
			frame.Open = i
			if p.Right != nil {
				frame.Right = p.Right()
			}
		}
	}
	return frame
}

func (b *Board) boxes(w, h int) []layout.Box {
	if b.zoomed {
		return []layout.Box{{W: w, H: h, Names: []string{b.Focused()}}}
	}
	return layout.Arrange(b.Layout, w, h)
}

func (b *Board) boxAt(x, y int) (layout.Box, bool) {
	for _, box := range b.boxes(b.w, b.h) {
		if box.Contains(x, y) {
			return box, true
		}
	}
	return layout.Box{}, false
}

// shown is the panel of a box that is seen: the one that had the focus last.
func (b *Board) shown(box layout.Box) string {
	for _, name := range b.recent {
		if slices.Contains(box.Names, name) {
			return name
		}
	}
	return ""
}

func (b *Board) panel(name string) *Panel {
	for i := range b.Panels {
		if b.Panels[i].Name == name {
			return &b.Panels[i]
		}
	}
	return nil
}

// page is how many lines the focused panel shows.
func (b *Board) page() int {
	for _, box := range b.boxes(b.w, b.h) {
		if slices.Contains(box.Names, b.Focused()) {
			_, h := widget.Panel{}.Inside(box.W, box.H)
			return h
		}
	}
	return 1
}

// Actions are those of the focused panel, then moving in it and between panels.
func (b *Board) Actions() []Action {
	var actions []Action
	p := b.panel(b.Focused())
	if p != nil && p.Actions != nil {
		actions = append(actions, p.Actions()...)
	}
	several := func() bool { return len(b.Panels) > 1 }
	move := func(name string, m widget.Move, help string) Action {
		return Action{Name: name, Help: help, Group: Moving,
			Enabled: func() bool { return p != nil && p.Move != nil },
			Run:     func() tea.Cmd { p.Move(m, b.page()); return nil }}
	}
	return append(actions,
		Action{Name: "next_panel", Help: "go to the next panel", Group: Panels, Enabled: several,
			Run: func() tea.Cmd { return b.step(1) }},
		Action{Name: "previous_panel", Help: "go to the panel before", Group: Panels, Enabled: several,
			Run: func() tea.Cmd { return b.step(-1) }},
		Action{Name: "zoom", Help: "show this panel alone, or all", Group: Panels, Enabled: several,
			Run: func() tea.Cmd { b.zoomed = !b.zoomed; return nil }},
		move("up", widget.Up, "one line up"),
		move("down", widget.Down, "one line down"),
		move("left", widget.MoveLeft, "to the left"),
		move("right", widget.MoveRight, "to the right"),
		move("page_up", widget.PageUp, "one page up"),
		move("page_down", widget.PageDown, "one page down"),
		move("first", widget.First, "to the first line"),
		move("last", widget.Last, "to the last line"),
	)
}

// AllActions are those of every panel, then moving.
func (b *Board) AllActions() []Action {
	actions := b.Actions()
	for _, p := range b.Panels {
		if p.Actions != nil {
			actions = append(actions, In(func() { b.Focus(p.Name) }, p.Actions()...)...)
		}
	}
	return actions
}

// step gives the focus to the panel n further on in the order of the layout.
func (b *Board) step(n int) tea.Cmd {
	names := b.names()
	if i := slices.Index(names, b.Focused()); i >= 0 {
		b.Focus(names[(i+n+len(names))%len(names)])
	}
	return nil
}
