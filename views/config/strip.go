package config

import (
	"slices"

	"finetui/views/widget"
)

// present are the sections of which the filter shows something.
func (v *constants) present() []string {
	var names []string
	for _, r := range v.rows {
		if !slices.Contains(names, r.field.Section) {
			names = append(names, r.field.Section)
		}
	}
	return names
}

func (v *constants) section() string {
	r, _ := v.selected()
	return r.field.Section
}

// jumpTo selects the first constant of a section.
func (v *constants) jumpTo(section string) {
	if i := slices.IndexFunc(v.rows, func(r row) bool { return r.field.Section == section }); i >= 0 {
		v.cursor.Index = i
	}
}

func (v *constants) stepSection(n int) {
	names := v.present()
	if i := slices.Index(names, v.section()); i >= 0 {
		v.jumpTo(names[(i+n+len(names))%len(names)])
	}
}

// tabs are the sections as a line of w cells shows them: as many around the open one as fit.
func (v *constants) tabs(w int) (names []string, before, after bool) {
	all := v.present()
	at := max(slices.Index(all, v.section()), 0)
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

func (v *constants) strip(t *widget.Theme, w int) string {
	names, before, after := v.tabs(w)
	text := " "
	if before {
		text += t.Muted.Render("‹ ")
	}
	for _, name := range names {
		if name == v.section() {
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
func (v *constants) stripAt(x, w int) string {
	names, before, _ := v.tabs(w)
	left := 1
	if before {
		left += 2
	}
	for _, name := range names {
		wide := widget.Width(name)
		if name == v.section() {
			wide += 2
		}
		if x >= left && x < left+wide {
			return name
		}
		left += wide + 1
	}
	return ""
}
