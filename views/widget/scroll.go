package widget

import (
	"strings"

	"charm.land/bubbles/v2/viewport"
)

// Scroll is how far the lines of a text have been moved in its window, a viewport: away from its first line, or from
// its last one, where the text grows there as a log does. The zero value has not been moved.
type Scroll struct {
	AtEnd bool // it rests at its last line
	away  int  // lines from where it rests
}

// Move moves among n lines, of which h are seen.
func (s *Scroll) Move(m Move, n, h int) {
	v := s.over(make([]string, n), 1, h)
	switch m {
	case Up:
		v.ScrollUp(1)
	case Down:
		v.ScrollDown(1)
	case PageUp:
		v.ScrollUp(max(h-1, 1))
	case PageDown:
		v.ScrollDown(max(h-1, 1))
	case First:
		v.GotoTop()
	case Last:
		v.GotoBottom()
	}
	if s.away = v.YOffset(); s.AtEnd {
		s.away = max(n-h, 0) - v.YOffset()
	}
}

// Hidden is how many of n lines are out of sight, above and below a window of h.
func (s Scroll) Hidden(n, h int) (above, below int) {
	most := max(n-h, 0)
	above = min(s.away, most)
	if s.AtEnd {
		above = most - above
	}
	return above, most - above
}

// View draws the lines that are seen in w×h cells.
func (s Scroll) View(lines []string, w, h int) string {
	v := s.over(lines, w, h)
	seen := strings.Split(v.View(), "\n")
	for i, line := range seen { // the viewport fills lines up by clusters, the terminal may count otherwise
		seen[i] = strings.TrimRight(line, " ")
	}
	return Block(strings.Join(seen, "\n"), w, h)
}

// over is the window over lines as far as they have been moved.
func (s Scroll) over(lines []string, w, h int) viewport.Model {
	v := viewport.New(viewport.WithWidth(w), viewport.WithHeight(h))
	v.SetContentLines(lines)
	above, _ := s.Hidden(len(lines), h)
	v.SetYOffset(above)
	return v
}
