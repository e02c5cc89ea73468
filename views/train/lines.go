package train

import (
	"strings"

	"finetui/views"
	"finetui/views/widget"
)

// lines is a panel of lines that are wrapped to its width and can be scrolled. How far it was scrolled holds for the
// run that was selected then: another one's lines are seen from where they begin.
type lines struct {
	*shared
	name, tab string
	text      func(t *widget.Theme, w int) []string
	note      func() string // at the right of the title, before how many lines are out of sight; nil: nothing
	atEnd     bool          // rests at its last line

	of       string // the run that was selected when it was scrolled
	scrolled widget.Scroll
}

// linesPanel is a panel of lines.
func (p *shared) linesPanel(name, tab string, text func(t *widget.Theme, w int) []string) views.Panel {
	return (&lines{shared: p, name: name, tab: tab, text: text}).panel()
}

func (l *lines) panel() views.Panel {
	return views.Panel{Name: l.name, Tab: l.tab, Right: l.right, Draw: l.draw, Move: l.move}
}

// scroll is how far it is scrolled. Drawing only looks at it.
func (l *lines) scroll() widget.Scroll {
	if e := l.selected(); e != nil && e.run.Dir == l.of {
		return l.scrolled
	}
	return widget.Scroll{AtEnd: l.atEnd}
}

func (l *lines) right() string {
	w, h := l.views.Board().Inside(l.name)
	var parts []string
	if l.note != nil && l.note() != "" {
		parts = append(parts, l.note())
	}
	if w > 0 && h > 0 {
		if text := hidden(l.scroll().Hidden(len(l.text(plainTheme, w)), h)); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " · ")
}

// hidden says how many lines are out of sight, above and below.
func hidden(above, below int) string {
	var parts []string
	if above > 0 {
		parts = append(parts, "↑ "+widget.Count(above))
	}
	if below > 0 {
		parts = append(parts, "↓ "+widget.Count(below)+" more")
	}
	return strings.Join(parts, " · ")
}

func (l *lines) draw(t *widget.Theme, w, h int) string { return l.scroll().View(l.text(t, w), w, h) }

func (l *lines) move(m widget.Move, page int) {
	s := l.scroll()
	w, _ := l.views.Board().Inside(l.name)
	s.Move(m, len(l.text(plainTheme, w)), page)
	if e := l.selected(); e != nil {
		l.of, l.scrolled = e.run.Dir, s
	}
}

// plainTheme is for counting lines.
var plainTheme = widget.NewTheme(true, false)
