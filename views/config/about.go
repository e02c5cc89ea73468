package config

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/widget"
)

// about is the panel that explains the constant under the cursor.
type about struct {
	*shared

	of  string // the constant that top belongs to
	top int    // first line that is seen
}

func (v *about) panel() views.Panel {
	return views.Panel{Name: "about", Tab: "About", Title: v.title, Draw: v.draw, Move: v.move}
}

func (v *about) move(m widget.Move, page int) { scroll(v.from(), m, page) }

// from is the first line that is seen; that of another constant than before is its own first.
func (v *about) from() *int {
	r, _ := v.list.selected()
	if name := r.field.Name(); name != v.of {
		v.of, v.top = name, 0
	}
	return &v.top
}

func (v *about) title() string {
	r, ok := v.list.selected()
	switch {
	case !ok:
		return "About"
	case r.adds:
		return "KEYS"
	}
	return r.field.Name()
}

// fact is one line of the explanation: what it is about, the value, and what is to be said of it.
type fact struct {
	label, value, note string
	tone               widget.Tone // of the note
}

// draw explains the constant under the cursor.
func (v *about) draw(t *widget.Theme, w, h int) string {
	r, ok := v.list.selected()
	if !ok {
		return widget.Block("", w, h)
	}
	return scrolled(t, v.lines(t, r, w-1), *v.from(), w, h)
}

func (v *about) lines(t *widget.Theme, r row, w int) []string {
	if r.adds {
		return wrapped(t.Text, "Binds a key to an action of the workbench, instead of the built-in one: action = key. "+
			"The names of the actions stand at the right of the help (?). An empty key leaves the action to the "+
			"palette.", w)
	}
	name := r.field.Name()
	lines := wrapped(t.Text, v.explanation(r.field), w)
	for _, problem := range v.problems[name] {
		lines = append(lines, wrapped(t.Warning, problemGlyph(problem)+" "+problem.Text, w)...)
	}
	var facts []string
	for _, f := range v.facts(r.field) {
		facts = append(facts, factLines(t, f, w)...)
	}
	parts := [][]string{facts, v.choiceLines(t, r.field, w)}
	if v.editor != nil { // what one chooses from comes first then
		slices.Reverse(parts)
	}
	for _, part := range parts {
		if len(part) > 0 {
			lines = append(append(lines, ""), part...)
		}
	}
	return lines
}

// facts are the values of a constant: now, and where they differ on disk, of the preset and by default; and what is
// allowed.
func (v *about) facts(field config.Field) []fact {
	name := field.Name()
	value := func(c *config.Config) string { return plainValue(config.Get(c, name)) }
	now := fact{label: "now", value: value(v.file.Config), tone: widget.Muted}
	if field.Unit != "" {
		now.value += " " + field.Unit
	}
	var same []string
	var others []fact
	if change, differs := changeOf(v.unsaved, name); differs {
		others = append(others, fact{"on disk", plainValue(change.Old), "● not saved", widget.Accent})
	}
	if old, overridden := v.file.Overridden(name); overridden {
		others = append(others, fact{"in file", plainValue(old), "» s leaves it; set it here to save it",
			widget.Accent})
	}
	compare := func(label, as, note string, c *config.Config) {
		if config.Get(c, name) == config.Get(v.file.Config, name) {
			same = append(same, as)
		} else {
			others = append(others, fact{label, value(c), note, widget.Muted})
		}
	}
	if field.Section != keysSection {
		compare("preset", "as in "+v.preset, "○ "+v.preset, projects()[v.preset])
		compare("default", "by default", "", config.Default())
	}
	now.note = strings.Join(same, ", ")
	if !v.file.Has(name) {
		now.note = "not in the file"
	}
	list := append([]fact{now}, others...)
	if a, marked := v.trying.of(name); marked {
		list = append(list, fact{"to try", valuesText(a), tryMark + " by a sweep", widget.Accent})
	}
	if bounds := boundsText(field); bounds != "" {
		list = append(list, fact{label: "allowed", value: bounds})
	}
	return list
}

// boundsText says which numbers are allowed.
func boundsText(field config.Field) string {
	what := ""
	if field.Kind == config.Integer {
		what = "whole, "
	}
	low, high := !math.IsInf(field.Min, -1), !math.IsInf(field.Max, 1)
	write := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch {
	case low && high:
		return what + write(field.Min) + " to " + write(field.Max)
	case low:
		return what + "at least " + write(field.Min)
	case high:
		return what + "at most " + write(field.Max)
	}
	return strings.TrimSuffix(what, ", ")
}

const labelWidth = 9

const mostFactLines = 5

// factLines writes a fact: the note behind the value where both fit on a line, else below it.
func factLines(t *widget.Theme, f fact, w int) []string {
	room := max(w-labelWidth-1, 8)
	values := widget.Wrap(widget.Clean(f.value), room)
	if len(values) > mostFactLines {
		values = append(values[:mostFactLines-1], "…")
	}
	tone := t.Tone(f.tone)
	switch {
	case f.note == "":
	case len(values) == 1 && widget.Width(values[0])+2+widget.Width(f.note) <= room:
		values[0] += "  " + tone.Render(f.note)
	default:
		for _, line := range widget.Wrap(f.note, room) {
			values = append(values, tone.Render(line))
		}
	}
	for i, label := range append([]string{f.label}, make([]string, len(values)-1)...) {
		values[i] = t.Muted.Render(widget.Left(widget.Clean(label), labelWidth)) + " " + values[i]
	}
	return values
}

// choiceLines are the choices with their meanings; the one that holds, or that the editor is on, is marked.
func (v *about) choiceLines(t *widget.Theme, field config.Field, w int) []string {
	if len(field.Choices) == 0 || field.Kind == config.List {
		return nil
	}
	current, longest := config.Plain(v.file.Config, field.Name()), 0
	if v.editor != nil && v.editor.choice != nil {
		current = v.editor.text()
	}
	for _, choice := range field.Choices {
		longest = max(longest, widget.Width(choice))
	}
	var lines []string
	for _, choice := range field.Choices {
		style := pick(choice == current, t.Strong, t.Text)
		lead := cursorMark(t, choice == current) + style.Render(widget.Left(choice, longest)) + "  "
		meaning := widget.Wrap(config.Means(field.Name(), choice), max(w-longest-3, 12))
		if len(meaning) == 0 {
			meaning = []string{""}
		}
		for i, text := range meaning {
			if i > 0 {
				lead = strings.Repeat(" ", longest+3)
			}
			lines = append(lines, lead+t.Muted.Render(text))
		}
	}
	return lines
}

// wrapped breaks a text into lines of w cells in one style.
func wrapped(style widget.Style, text string, w int) []string {
	lines := widget.Wrap(widget.Clean(text), w)
	for i := range lines {
		lines[i] = style.Render(lines[i])
	}
	return lines
}

// scrolled is the part of some lines that a window of w×h shows from top on, one blank cell at the left; the last line
// says how many there are below.
func scrolled(t *widget.Theme, lines []string, top, w, h int) string {
	top = max(min(top, len(lines)-h), 0)
	shown := lines[top:min(top+h, len(lines))]
	drawn := make([]string, len(shown))
	for i, text := range shown {
		drawn[i] = " " + text
	}
	if more := len(lines) - top - h; more > 0 && h > 1 {
		drawn[h-1] = widget.Ends(drawn[h-1], t.Muted.Render("↓ "+widget.Count(more)+" more"), w)
	}
	return widget.Block(strings.Join(drawn, "\n"), w, h)
}
