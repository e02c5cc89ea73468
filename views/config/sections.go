package config

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

// sections is the panel that goes from section to section of the list.
type sections struct{ *constants }

func (v *sections) panel() views.Panel {
	return views.Panel{Name: "sections", Tab: "Sections", Draw: v.draw, Move: v.move, Click: v.click}
}

// draw lists the sections with their marks; the one of the cursor is selected.
func (v *sections) draw(t *widget.Theme, w, h int) string {
	names := v.present()
	at := widget.List{Index: slices.Index(names, v.section())}
	first, end := at.Window(len(names), h)
	var lines []string
	for i := first; i < end; i++ {
		sum := v.tally(names[i])
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

func (v *sections) move(m widget.Move, page int) {
	if m == widget.MoveRight {
		v.views.Board().Focus("constants")
		return
	}
	names := v.present()
	at := widget.List{Index: max(slices.Index(names, v.section()), 0)}
	if at.Move(m, len(names), page) {
		v.jumpTo(names[at.Index])
	}
}

func (v *sections) click(_, y, _, h int) tea.Cmd {
	names := v.present()
	at := widget.List{Index: max(slices.Index(names, v.section()), 0)}
	if at.Click(y, len(names), h) {
		v.jumpTo(names[at.Index])
	}
	return nil
}
