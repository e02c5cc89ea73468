package config

import (
	"strings"

	"finetui/views"
	"finetui/views/widget"
)

// inFile is the panel with the lines of the file.
type inFile struct{ *shared }

func (v *inFile) panel() views.Panel {
	return views.Panel{Name: "text", Tab: "In the file", Draw: v.draw}
}

// draw shows the lines of the file around the constant under the cursor, as they will be saved.
func (v *inFile) draw(t *widget.Theme, w, h int) string {
	r, ok := v.list.selected()
	if !ok {
		return widget.Block("", w, h)
	}
	lines := strings.Split(strings.TrimRight(string(v.file.Raw()), "\n"), "\n")
	at := lineOf(lines, r.field.Section, r.field.Key)
	if at < 0 {
		return widget.Block(" "+t.Muted.Render(widget.Cut("the file leaves it to its default", w-1)), w, h)
	}
	cursor := widget.List{Index: at}
	first, end := cursor.Window(len(lines), h)
	drawn := make([]string, 0, h)
	for i := first; i < end; i++ {
		text := widget.Clean(lines[i])
		trimmed := strings.TrimSpace(text)
		style := t.Text
		switch {
		case i == at:
			style = t.Selected
		case strings.HasPrefix(trimmed, "#"):
			style = t.Muted
		case strings.HasPrefix(trimmed, "["):
			style = t.Strong
		}
		number := t.Muted.Render(widget.Right(widget.Count(i+1), 4))
		drawn = append(drawn, number+" "+style.Render(widget.Cut(text, w-5)))
	}
	return widget.Block(strings.Join(drawn, "\n"), w, h)
}

// lineOf finds the line on which a section sets a constant, -1 where none does.
func lineOf(lines []string, section, key string) int {
	within := ""
	for i, text := range lines {
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "[") {
			name, _, _ := strings.Cut(strings.TrimPrefix(text, "["), "]")
			within = strings.TrimSpace(name)
			continue
		}
		name, _, found := strings.Cut(text, "=")
		name = strings.Trim(strings.TrimSpace(name), `"'`)
		if found && (within == section && name == key || within == "" && name == section+"."+key) {
			return i
		}
	}
	return -1
}
