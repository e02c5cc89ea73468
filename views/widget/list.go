package widget

// Move is a step of the cursor in whatever has one.
type Move int

const (
	Up Move = iota
	Down
	PageUp
	PageDown
	First
	Last
	MoveLeft
	MoveRight
)

// List is the cursor of something with lines: which one is selected. What part of it a window shows follows from the
// cursor and the size, so drawing needs no other state. The zero value selects the first line.
type List struct{ Index int }

// Move moves the cursor among n lines, of which page are seen at once. It says whether it moved.
func (l *List) Move(m Move, n, page int) bool {
	before := l.Index
	switch m {
	case Up:
		l.Index--
	case Down:
		l.Index++
	case PageUp:
		l.Index -= max(page-1, 1)
	case PageDown:
		l.Index += max(page-1, 1)
	case First:
		l.Index = 0
	case Last:
		l.Index = n - 1
	}
	l.Index = max(min(l.Index, n-1), 0)
	return l.Index != before
}

// At is the selected line of n, or -1 when there is none.
func (l List) At(n int) int {
	if n == 0 {
		return -1
	}
	return max(min(l.Index, n-1), 0)
}

// Window is the part of n lines that h lines show: from first up to and without end. The selected line is in it, in
// its middle where the ends allow.
func (l List) Window(n, h int) (first, end int) {
	if h <= 0 {
		return 0, 0
	}
	first = max(min(l.At(n)-h/2, n-h), 0)
	return first, min(first+h, n)
}

// edgeRoom is how many cells of w the marks of Edges need, where not all of n lines
// are seen in h; in a very narrow place there are no marks.
func edgeRoom(n, h, w int) int {
	if n <= h || w < narrowest {
		return 0
	}
	return 2
}

// narrowest is the width from which windows are marked.
const narrowest = 24

// Edges marks a window that does not show all of n lines: ↑ at the right of its first line where some are above, ↓ at
// the right of its last where some are below. The lines are those from first up to and without end, w cells wide.
func Edges(t *Theme, lines []string, first, end, n, w int) {
	if len(lines) == 0 || w < narrowest {
		return
	}
	if first > 0 {
		lines[0] = Left(truncate(lines[0], w-1, ""), w-1) + t.Muted.Render("↑")
	}
	if last := len(lines) - 1; end < n {
		lines[last] = Left(truncate(lines[last], w-1, ""), w-1) + t.Muted.Render("↓")
	}
}

// Click selects the line that stands y lines below the top of a window of h, and says whether there is one.
func (l *List) Click(y, n, h int) bool {
	first, end := l.Window(n, h)
	if y < 0 || first+y >= end {
		return false
	}
	l.Index = first + y
	return true
}

// position is the note on a window that does not show everything: "3 of 38", else empty.
func (l List) position(n, h int) string {
	if n <= h {
		return ""
	}
	return Count(l.At(n)+1) + " of " + Count(n)
}
