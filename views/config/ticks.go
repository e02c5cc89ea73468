package config

import (
	"errors"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/views/widget"
)

var errBinding = errors.New("write action = key, such as save = ctrl+s")

// ticks is a list of words of which any number are chosen. What was chosen keeps its order; new ones come behind.
type ticks struct {
	title   string
	options []string
	chosen  []string
	cursor  widget.List
}

func newTicks(title string, options, chosen []string) *ticks {
	return &ticks{title: title, options: options, chosen: slices.Clone(chosen)}
}

func (k *ticks) update(msg tea.Msg) widget.Outcome {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return widget.Editing
	}
	switch key.String() {
	case "esc":
		return widget.Cancelled
	case "enter":
		return widget.Accepted
	case "up", "k":
		k.cursor.Move(widget.Up, len(k.options), 10)
	case "down", "j":
		k.cursor.Move(widget.Down, len(k.options), 10)
	case "space", "x":
		option := k.options[k.cursor.At(len(k.options))]
		if i := slices.Index(k.chosen, option); i >= 0 {
			k.chosen = slices.Delete(slices.Clone(k.chosen), i, i+1)
		} else {
			k.chosen = append(slices.Clone(k.chosen), option)
		}
	}
	return widget.Editing
}

// view draws the list in a box of at most w×h cells.
func (k *ticks) view(t *widget.Theme, w, h int) string {
	wide := widget.Width(k.title) + 6
	for _, option := range k.options {
		wide = max(wide, widget.Width(option)+8)
	}
	h = min(h, len(k.options)+2)
	var lines []string
	first, end := k.cursor.Window(len(k.options), h-2)
	for i := first; i < end; i++ {
		at := i == k.cursor.At(len(k.options))
		style := pick(at, t.Selected, t.Text)
		lines = append(lines, cursorMark(t, at)+style.Render(box(slices.Contains(k.chosen,
			k.options[i]))+" "+k.options[i]))
	}
	inside, _ := widget.Panel{}.Inside(min(wide, w), h)
	widget.Edges(t, lines, first, end, len(k.options), inside)
	return widget.Panel{Titles: []string{k.title}, Focused: true}.View(t, strings.Join(lines, "\n"), min(wide, w), h)
}
