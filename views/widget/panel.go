package widget

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// edges are those of a box. Its lines are put together here, because lipgloss has no titles in a border and measures
// every line inside anew (BenchmarkPanel: ten times as long).
var edges = lipgloss.RoundedBorder()

// Panel is a rounded box around one part of a screen.
type Panel struct {
	Titles  []string // one, or the names of the panels that share this box as tabs
	Open    int      // which of several titles is shown in the box
	Right   string   // what stands at the right of the title line, where it has room
	Focused bool     // the box has the keyboard: ▸ before its title, and the accent
}

// Inside is how many cells are left for the content of a box of w×h.
func (Panel) Inside(w, h int) (iw, ih int) { return max(w-2, 0), max(h-2, 0) }

// View draws the box of w×h cells around content, which is cut or filled up to fit. Below 4×3 nothing fits into a box,
// and the content is drawn alone.
func (p Panel) View(t *Theme, content string, w, h int) string {
	if w < 4 || h < 3 {
		return Block(content, w, h)
	}
	edge := t.Border
	if p.Focused {
		edge = t.Focus
	}
	iw, ih := p.Inside(w, h)
	left, right := edge.Render(edges.Left), edge.Render(edges.Right)
	top, lines := p.top(t, w), blockLines(content, iw, ih)
	bottom := edge.Render(edges.BottomLeft + strings.Repeat(edges.Bottom, iw) + edges.BottomRight)
	size := len(top) + len(bottom) + ih*(len(left)+len(right)+1) + 1
	for _, line := range lines {
		size += len(line)
	}
	var box strings.Builder
	box.Grow(size)
	box.WriteString(top)
	for _, line := range lines {
		box.WriteByte('\n')
		box.WriteString(left)
		box.WriteString(line)
		box.WriteString(right)
	}
	box.WriteByte('\n')
	box.WriteString(bottom)
	return box.String()
}

// top is the line with the titles. What stands at the right is there whole or not at all: half a number is a wrong one.
// A single title is cut for it, the names of tabs are not.
func (p Panel) top(t *Theme, w int) string {
	edge := t.Border
	if p.Focused {
		edge = t.Focus
	}
	lead := edges.TopLeft + " "
	if p.Focused {
		lead = edges.TopLeft + "▸"
	}
	title := p.title(t)
	right, rightW := "", 0
	least := Width(title)
	switch {
	case len(p.Titles) > 1:
	case Width(p.Right) <= 12: // a number matters more than most of a title
		least = min(least, w/2, 12)
	default:
		least = min(least, w/2)
	}
	if p.Right != "" && least+7+Width(p.Right) <= w {
		right, rightW = " "+p.Right+" "+edge.Render(edges.Top), Width(p.Right)+3
	}
	title = Cut(title, w-5-max(rightW-1, 0))
	room := w - 4 - Width(title) - rightW
	return edge.Render(lead) + title + " " + edge.Render(strings.Repeat(edges.Top, max(room, 0))) + right +
		edge.Render(edges.TopRight)
}

func (p Panel) title(t *Theme) string {
	own := t.Strong
	if p.Focused {
		own = t.Active
	}
	if len(p.Titles) == 1 {
		return own.Render(Clean(p.Titles[0]))
	}
	parts := make([]string, len(p.Titles))
	for i, title := range p.Titles {
		if i == p.Open {
			parts[i] = own.Render("[" + Clean(title) + "]")
		} else {
			parts[i] = t.Muted.Render(Clean(title))
		}
	}
	return strings.Join(parts, " ")
}

// TabAt is which of several titles stands x cells from the left edge of the box, or -1.
func (p Panel) TabAt(x int) int {
	if len(p.Titles) < 2 {
		return -1
	}
	left := 2
	for i, title := range p.Titles {
		w := Width(Clean(title))
		if i == p.Open {
			w += 2
		}
		if x >= left && x < left+w {
			return i
		}
		left += w + 1
	}
	return -1
}
