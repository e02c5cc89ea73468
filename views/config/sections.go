package config

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/level"
	"finetui/views/widget"
)

// tally counts the marks of a section.
type tally struct{ unsaved, errors, notes int }

func (p *Pane) tally(section string) (t tally) {
	of := func(name string) bool { return strings.HasPrefix(name, section+".") }
	for _, change := range p.unsaved {
		if of(change.Key) {
			t.unsaved++
		}
	}
	for name, problems := range p.problems {
		for _, problem := range problems {
			switch {
			case !of(name):
			case problem.Level == level.Error:
				t.errors++
			default:
				t.notes++
			}
		}
	}
	return t
}

// drawSections lists the sections with their marks; the one of the cursor is selected.
func (p *Pane) drawSections(t *widget.Theme, w, h int) string {
	names := p.present()
	at := widget.List{Index: slices.Index(names, p.section())}
	first, end := at.Window(len(names), h)
	var lines []string
	for i := first; i < end; i++ {
		sum := p.tally(names[i])
		marks := ""
		if sum.unsaved > 0 {
			marks += t.Accent.Render("●" + widget.Count(sum.unsaved))
		}
		switch {
		case sum.errors > 0:
			marks += t.Warning.Render("✗" + widget.Count(sum.errors))
		case sum.notes > 0:
			marks += t.Warning.Render("!" + widget.Count(sum.notes))
		}
		style := pick(i == at.Index, t.Selected, t.Text)
		lines = append(lines, widget.Ends(cursorMark(t, i == at.Index)+style.Render(names[i]), marks, w))
	}
	widget.Edges(t, lines, first, end, len(names), w)
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

func (p *Pane) moveSections(m widget.Move, page int) {
	if m == widget.MoveRight {
		p.views.Board().Focus("constants")
		return
	}
	names := p.present()
	at := widget.List{Index: max(slices.Index(names, p.section()), 0)}
	if at.Move(m, len(names), page) {
		p.jumpTo(names[at.Index])
	}
}

func (p *Pane) clickSections(_, y, _, h int) tea.Cmd {
	names := p.present()
	at := widget.List{Index: max(slices.Index(names, p.section()), 0)}
	if at.Click(y, len(names), h) {
		p.jumpTo(names[at.Index])
	}
	return nil
}

// tabs are the sections as a line of w cells shows them: as many around the open one as fit.
func (p *Pane) tabs(w int) (names []string, before, after bool) {
	all := p.present()
	at := max(slices.Index(all, p.section()), 0)
	first, end := 0, len(all)
	room := func() int {
		n := 3 // the brackets of the open one, and a blank
		for _, name := range all[first:end] {
			n += widget.Width(name) + 1
		}
		if first > 0 {
			n += 2
		}
		if end < len(all) {
			n += 2
		}
		return n
	}
	for end-first > 1 && room() > w {
		if end-1-at >= at-first {
			end--
		} else {
			first++
		}
	}
	return all[first:end], first > 0, end < len(all)
}

func (p *Pane) strip(t *widget.Theme, w int) string {
	names, before, after := p.tabs(w)
	text := " "
	if before {
		text += t.Muted.Render("‹ ")
	}
	for _, name := range names {
		if name == p.section() {
			text += t.Active.Render("["+name+"]") + " "
		} else {
			text += t.Muted.Render(name) + " "
		}
	}
	if after {
		text += t.Muted.Render("›")
	}
	return widget.Left(text, w)
}

// stripAt is the section x cells from the left of the strip.
func (p *Pane) stripAt(x, w int) string {
	names, before, _ := p.tabs(w)
	left := 1
	if before {
		left += 2
	}
	for _, name := range names {
		wide := widget.Width(name)
		if name == p.section() {
			wide += 2
		}
		if x >= left && x < left+wide {
			return name
		}
		left += wide + 1
	}
	return ""
}
