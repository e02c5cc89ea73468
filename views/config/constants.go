package config

import (
	"fmt"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/level"
	"finetui/views/widget"
)

const gutter = 4 // cells before a name: cursor, ● not saved, ○ not the preset's or ◇ to try, a blank

// columns are where name, value and note of a constant stand in w cells.
type columns struct{ name, value, note int }

const (
	numberWidth = 7  // cells in which numbers stand at the right; the unit comes behind them
	leastNote   = 16 // cells from which on an explanation is worth beginning
)

func columnsFor(w int) columns {
	c := columns{name: longestKey()}
	room := max(w-gutter-c.name-1, 0)
	c.value = min(max(room*11/20, min(room, 21)), 34)
	c.note = max(room-c.value-2, 0)
	return c
}

// valueAt is the column of the values.
func (c columns) valueAt() int { return gutter + c.name + 1 }

// longestKey is the width of the longest name of a constant.
var longestKey = sync.OnceValue(func() (longest int) {
	for _, field := range config.Fields() {
		longest = max(longest, widget.Width(field.Key))
	}
	return longest
})

func (v *constants) title() string {
	if v.filter.Text() != "" {
		return fmt.Sprintf("config.toml · %d with %q", len(v.rows), v.filter.Text())
	}
	return "config.toml"
}

// legend says what the marks before the names mean.
func (v *constants) legend() string {
	legend := "● not saved  ○ not as in " + v.preset
	if len(v.trying.axes) > 0 {
		legend = tryMark + " to try  " + legend
	}
	return legend
}

// line is one line of the list of constants: a section's heading, or a constant.
type line struct {
	heading string
	row     int // -1: heading
}

// lines are the rows under the headings of their sections.
func (v *constants) lines() (lines []line, selected int) {
	section := ""
	for i, r := range v.rows {
		if r.field.Section != section {
			section = r.field.Section
			lines = append(lines, line{heading: section, row: -1})
		}
		if i == v.cursor.At(len(v.rows)) {
			selected = len(lines)
		}
		lines = append(lines, line{row: i})
	}
	return lines, selected
}

func sectionDoc(name string) string {
	for _, section := range config.Sections() {
		if section.Name == name {
			return section.Doc
		}
	}
	return ""
}

// window is the part of the lines that h lines show.
func (v *constants) window(h int) (lines []line, first, end, selected int) {
	lines, selected = v.lines()
	if v.filter.Writing() {
		h--
	}
	at := widget.List{Index: selected}
	first, end = at.Window(len(lines), h)
	if first == 1 && end-first > 2 && selected < end-1 { // the first heading, rather than a line more below
		first, end = 0, end-1
	}
	return lines, first, end, selected
}

// drawWithStrip is drawConstants below a line of the sections, where they have no panel of their own.
func (v *constants) drawWithStrip(t *widget.Theme, w, h int) string {
	return v.strip(t, w) + "\n" + v.draw(t, w, h-1)
}

func (v *constants) draw(t *widget.Theme, w, h int) string {
	lines, first, end, selected := v.window(h)
	var drawn []string
	if len(lines) == 0 {
		drawn = append(drawn, t.Muted.Render(widget.Cut(fmt.Sprintf("  no constant has %q in its name or "+
			"explanation; esc shows all", widget.Clean(v.filter.Text())), w)))
	}
	for i := first; i < end; i++ {
		if lines[i].row < 0 {
			drawn = append(drawn, heading(t, lines[i], w))
			continue
		}
		drawn = append(drawn, v.drawRow(t, v.rows[lines[i].row], i == selected, w))
	}
	if len(lines) > 0 {
		widget.Edges(t, drawn, first, end, len(lines), w)
	}
	text := widget.Block(strings.Join(drawn, "\n"), w, h)
	if v.filter.Writing() {
		text = v.filter.Over(t, text, w, h)
	}
	if v.editor == nil {
		return text
	}
	x := columnsFor(w).valueAt()
	return hang(text, v.editor.below(t, w-x, h), x, selected-first, h)
}

// hang lays a box under line y of a text of h lines, above it where there is no room, or else where it fits.
func hang(text, box string, x, y, h int) string {
	if box == "" {
		return text
	}
	tall := strings.Count(box, "\n") + 1
	switch {
	case y+1+tall <= h:
		y++
	case y-tall >= 0:
		y -= tall
	default:
		y = max(h-tall, 0)
	}
	return widget.Overlay(text, box, x, y)
}

// heading is a section's name and what it is about, on a rule.
func heading(t *widget.Theme, l line, w int) string {
	text := "── " + t.Strong.Render(l.heading) + " " + t.Muted.Render(widget.Clean(sectionDoc(l.heading))) + " "
	return widget.Left(t.Border.Render("")+text+t.Border.Render(strings.Repeat("─", max(w-widget.Width(text), 0))), w)
}

func (v *constants) drawRow(t *widget.Theme, r row, selected bool, w int) string {
	c := columnsFor(w)
	if r.adds {
		text := "bind a key to an action …"
		if selected && v.editor != nil {
			return t.Accent.Render("▸") + "   " + widget.Left(v.editor.inPlace(t, w-gutter), w-gutter)
		}
		return cursorMark(t, selected) + "   " + pick(selected, t.Selected, t.Muted).Render(widget.Cut(text, w-gutter))
	}
	name := r.field.Name()
	marks := v.marks(t, name)
	label := pick(selected, t.Selected, t.Text).Render(widget.Left(widget.Clean(r.field.Key), c.name))
	lead := cursorMark(t, selected) + marks + " " + label + " "
	if selected && v.editor != nil {
		return lead + widget.Left(v.editor.inPlace(t, w-c.valueAt()), w-c.valueAt())
	}
	note, tone := v.note(r.field)
	need := widget.Width(note)
	switch {
	case need == 0 || tone == widget.Muted && c.note < leastNote: // not worth beginning
		c.value, note = c.value+2+c.note, ""
	case tone != widget.Muted && need > c.note: // what it says matters more than where it begins
		least := widget.Width(strings.TrimRight(v.shownValue(r.field, c.value), " "))
		c.value = max(c.value-(need-c.note), least)
	}
	value := v.shownValue(r.field, c.value)
	style := t.Text
	switch {
	case selected:
		style = t.Selected
	case strings.HasPrefix(value, emptyText):
		style = t.Muted
	}
	if note != "" {
		note = "  " + t.Tone(tone).Render(widget.Cut(note, w-c.valueAt()-c.value-2))
	}
	return lead + style.Render(value) + note
}

func cursorMark(t *widget.Theme, selected bool) string {
	if selected {
		return t.Accent.Render("▸")
	}
	return " "
}

func pick(first bool, a, b widget.Style) widget.Style {
	if first {
		return a
	}
	return b
}

func (v *constants) marks(t *widget.Theme, name string) string {
	saved, own := " ", " "
	if _, differs := changeOf(v.unsaved, name); differs {
		saved = t.Accent.Render("●")
	} else if _, overridden := v.file.Overridden(name); overridden {
		saved = t.Accent.Render("»")
	}
	if _, marked := v.trying.of(name); marked {
		own = t.Accent.Render(tryMark)
	} else if _, differs := changeOf(v.strays, name); differs {
		own = t.Muted.Render("○")
	}
	return saved + own
}

const emptyText = "(empty)"

// shownValue is the value of a constant in exactly w cells: numbers at the right of the first few with their unit,
// paths by their end, switches with a box.
func (v *constants) shownValue(field config.Field, w int) string {
	value := widget.Clean(config.Plain(v.file.Config, field.Name()))
	switch {
	case value == "":
		value = emptyText
	case field.Kind == config.Integer || field.Kind == config.Number:
		value = widget.Right(value, max(min(w, numberWidth), widget.Width(value)))
		if field.Unit != "" {
			value += " " + field.Unit
		}
	case field.Kind == config.Switch:
		value = box(value == "true") + " " + value
	case field.Kind == config.Path:
		value = widget.CutLeft(value, w)
	case field.Kind == config.Text && field.Choices != nil:
		value = widget.Cut(value, w-2) + " ▾"
	}
	return widget.Left(value, w)
}

func box(on bool) string {
	if on {
		return "[x]"
	}
	return "[ ]"
}

// note is what stands behind a value: a problem, the value on disk, or the explanation.
func (v *constants) note(field config.Field) (string, widget.Tone) {
	if problems := v.problems[field.Name()]; len(problems) > 0 {
		return problemGlyph(problems[0]) + " " + widget.Clean(problems[0].Text), widget.Warning
	}
	if a, marked := v.trying.of(field.Name()); marked {
		return tryMark + " " + widget.Clean(valuesText(a)), widget.Accent
	}
	if change, differs := changeOf(v.unsaved, field.Name()); differs {
		return "was " + widget.Clean(plainValue(change.Old)), widget.Accent
	}
	if old, overridden := v.file.Overridden(field.Name()); overridden {
		return "for this session; the file: " + widget.Clean(plainValue(old)), widget.Accent
	}
	return widget.Clean(v.explanation(field)), widget.Muted
}

func problemGlyph(problem config.Problem) string {
	if problem.Level == level.Error {
		return "✗"
	}
	return "!"
}

// plainValue writes a value of the file for people: no quotes where none are needed, lists with commas.
func plainValue(source string) string {
	if source == `""` || source == "[]" {
		return emptyText
	}
	if strings.ContainsRune(source, '\\') {
		return source
	}
	if list, ok := strings.CutPrefix(source, "["); ok {
		return strings.ReplaceAll(strings.TrimSuffix(list, "]"), `"`, "")
	}
	return strings.Trim(source, `"`)
}

func (v *constants) move(m widget.Move, page int) {
	switch m {
	case widget.MoveLeft:
		v.stepSection(-1)
	case widget.MoveRight:
		v.stepSection(1)
	default:
		v.cursor.Move(m, len(v.rows), page)
	}
}

// click selects the constant that was clicked; on the selected one it opens the editor.
func (v *constants) click(_, y, _, h int) tea.Cmd {
	lines, first, end, selected := v.window(h)
	at := first + y
	if at >= end || lines[at].row < 0 {
		return nil
	}
	if at == selected {
		return v.editing.open()
	}
	v.cursor.Index = lines[at].row
	return nil
}

func (v *constants) clickWithStrip(x, y, w, h int) tea.Cmd {
	if y == 0 {
		v.jumpTo(v.stripAt(x, w))
		return nil
	}
	return v.click(x, y-1, w, h-1)
}
