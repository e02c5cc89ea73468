package config

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/widget"
)

// editor changes one constant where it stands: a line of text, a choice, or a list of ticks. Exactly one of prompt,
// choice and ticks is there.
type editor struct {
	field  config.Field
	adds   bool // prompt writes "action = key"
	tries  bool // prompt writes the values that a sweep is to try
	prompt *widget.Prompt
	choice *widget.Choice
	ticks  *ticks

	found   []string       // what a path can be completed to
	preview *config.Config // the constants as they would be; nil: what is written is not allowed
}

// editing opens the editors and gives them their keys.
type editing struct {
	*shared

	paths views.Request // completions
}

// open opens the editor that fits the constant under the cursor; a switch is turned
// at once. From the sections it only goes to the constant.
func (v *editing) open() tea.Cmd {
	r, ok := v.list.selected()
	if !ok {
		return nil
	}
	if board := v.views.Board(); board.Focused() == "sections" {
		board.Focus("constants")
		return nil
	}
	v.views.Board().Focus("constants")
	if r.adds {
		return v.openKey()
	}
	field, value := r.field, config.Plain(v.file.Config, r.field.Name())
	e := &editor{field: field}
	switch {
	case field.Kind == config.Switch:
		return v.set(field.Name(), map[string]string{"true": "false", "false": "true"}[value])
	case field.Kind == config.List && field.Choices != nil:
		e.ticks = newTicks(field.Key, field.Choices, valuesOf(v.file.Config, field))
	case field.Choices != nil:
		e.choice = newChoice(field, value)
	default:
		e.prompt = widget.NewPrompt("", editable(v.file.Config, field))
		e.prompt.Check = func(text string) error { _, _, err := v.try(field.Name(), text); return err }
		e.prompt.Hint = hintOf(field)
	}
	v.editor = e
	if field.Kind == config.Path {
		return v.complete()
	}
	return nil
}

// openKey writes a new line of [KEYS].
func (v *editing) openKey() tea.Cmd {
	e := &editor{field: config.Field{Section: keysSection}, adds: true, prompt: widget.NewPrompt("", "")}
	e.prompt.Hint = "action = key, such as save = ctrl+s; ? names the actions"
	e.prompt.Check = func(text string) error {
		name, key, err := splitBinding(text)
		if err == nil {
			_, _, err = v.try(name, key)
		}
		return err
	}
	if v.control.Actions != nil {
		names := slices.Sorted(slices.Values(v.control.Actions()))
		for i := range names {
			names[i] += " = "
		}
		e.prompt.Suggest(slices.Compact(names))
	}
	v.editor = e
	return nil
}

// editable is the value as it is written in an editor of one line: with line breaks as the file writes them.
func editable(c *config.Config, field config.Field) string {
	value := config.Plain(c, field.Name())
	if strings.ContainsFunc(value, unicode.IsControl) {
		return config.Get(c, field.Name())
	}
	return value
}

func hintOf(field config.Field) string {
	switch field.Kind {
	case config.List:
		return "words with commas between; empty: none"
	case config.Integer, config.Number:
		return boundsText(field)
	case config.Path:
		return "a path; tab completes"
	}
	return "empty"
}

// valuesOf are the entries of a list.
func valuesOf(c *config.Config, field config.Field) []string {
	var list []string
	for entry := range strings.SplitSeq(config.Plain(c, field.Name()), ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			list = append(list, entry)
		}
	}
	return list
}

func newChoice(field config.Field, value string) *widget.Choice {
	options := make([]widget.Option, len(field.Choices))
	for i, choice := range field.Choices {
		options[i] = widget.Option{Text: choice}
	}
	c := widget.NewChoice(field.Key, false, options...)
	c.Cursor.Index = max(slices.Index(field.Choices, value), 0)
	return c
}

// typed gives a key to the editor, then shows what the change would come to.
func (v *editing) typed(msg tea.Msg) tea.Cmd {
	e := v.editor
	before := e.text()
	var outcome widget.Outcome
	var cmd tea.Cmd
	switch {
	case e.choice != nil:
		outcome, cmd = e.choice.Update(msg)
	case e.ticks != nil:
		outcome = e.ticks.update(msg)
	case e.steps(msg):
	default:
		outcome, cmd = e.prompt.Update(msg)
	}
	switch outcome {
	case widget.Cancelled:
		v.editor = nil
		return v.effects.estimate()
	case widget.Accepted:
		v.editor = nil
		if e.tries {
			return v.trying.take(v.shared, e)
		}
		if e.text() == e.initialText(v.file.Config) {
			return v.effects.estimate()
		}
		return v.accept(e)
	}
	if e.text() == before {
		return cmd
	}
	if e.tries {
		e.suggest()
		return cmd
	}
	cmds := []tea.Cmd{cmd, v.foresee()}
	if e.field.Kind == config.Path && !e.adds {
		cmds = append(cmds, v.complete())
	}
	return tea.Batch(cmds...)
}

func (v *editing) accept(e *editor) tea.Cmd {
	if !e.adds {
		return v.set(e.field.Name(), e.text())
	}
	name, key, err := splitBinding(e.text())
	if err != nil {
		return views.Fail(err)
	}
	cmd := v.set(name, key)
	v.list.selectName(name)
	return cmd
}

// foresee works out the consequences of what is written, where it is allowed.
func (v *editing) foresee() tea.Cmd {
	e := v.editor
	if e.adds {
		return nil
	}
	_, after, err := v.try(e.field.Name(), e.text())
	e.preview = after
	if err != nil {
		e.preview = nil
	}
	return v.effects.estimate()
}

// steps takes ↑ and ↓ in a number: one more or less of the last digit that is written.
func (e *editor) steps(msg tea.Msg) bool {
	key, ok := msg.(tea.KeyPressMsg)
	n := map[string]float64{"up": 1, "down": -1}[key.String()]
	if !ok || n == 0 || e.field.Kind != config.Integer && e.field.Kind != config.Number || e.adds || e.tries {
		return false
	}
	e.prompt.Error = ""
	e.prompt.SetValue(stepped(e.prompt.Value(), n, e.field.Min, e.field.Max))
	return true
}

// stepped adds n to the last digit of a number before its exponent; text that is
// no number, and numbers that would leave the bounds, stay.
func stepped(text string, n, least, most float64) string {
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i:]
	}
	value, err := strconv.ParseFloat(mantissa, 64)
	if err != nil {
		return text
	}
	_, fraction, _ := strings.Cut(mantissa, ".")
	next := strconv.FormatFloat(value+n*math.Pow(10, -float64(len(fraction))), 'f', len(fraction), 64) + exponent
	if v, err := strconv.ParseFloat(next, 64); err != nil || v < least || v > most {
		return text
	}
	return next
}

// text is the value as it is now in the editor.
func (e *editor) text() string {
	switch {
	case e.choice != nil:
		if i := e.choice.Chosen(); i >= 0 {
			return e.choice.Options[i].Text
		}
		return ""
	case e.ticks != nil:
		return strings.Join(e.ticks.chosen, ", ")
	}
	return e.prompt.Value()
}

// initialText is what text was when the editor opened.
func (e *editor) initialText(c *config.Config) string {
	switch {
	case e.adds:
		return ""
	case e.ticks != nil:
		return strings.Join(valuesOf(c, e.field), ", ")
	case e.prompt != nil:
		return editable(c, e.field)
	}
	return config.Plain(c, e.field.Name())
}

// hint is what the bottom line says while the editor is open.
func (e *editor) hint() string {
	switch {
	case e.tries:
		return "enter marks it   nothing: no mark   esc leaves it as it was"
	case e.ticks != nil:
		return "space ticks   enter takes it   esc leaves it as it was"
	case e.choice != nil:
		return "↑ ↓ choose   enter takes it   esc leaves it as it was"
	case e.field.Kind == config.Integer || e.field.Kind == config.Number:
		return "↑ ↓ more or less   enter takes it   esc leaves it as it was"
	case e.field.Kind == config.Path:
		return "tab completes   enter takes it   esc leaves it as it was"
	}
	return "enter takes it   esc leaves it as it was"
}

// inPlace is the editor in the constant's own line, w cells.
func (e *editor) inPlace(t *widget.Theme, w int) string {
	switch {
	case e.prompt != nil:
		line, _, _ := strings.Cut(e.prompt.View(t, w), "\n")
		return line
	case e.choice != nil:
		return t.Accent.Render(widget.Cut(widget.Clean(e.text())+" ▾", w))
	}
	return t.Accent.Render(widget.Cut(plural(len(e.ticks.chosen), "entry", "entries")+" ▾", w))
}

// below is what hangs under the line: the choice, why the text was refused, or how a path can go on. At most w×h
// cells, "" for nothing.
func (e *editor) below(t *widget.Theme, w, h int) string {
	switch {
	case e.choice != nil:
		bw, bh := e.choice.Size()
		return e.choice.View(t, min(bw, w), min(bh, h))
	case e.ticks != nil:
		return e.ticks.view(t, w, h)
	case e.prompt.Error != "":
		lines := widget.FirstLines(widget.Hang(" ✗ ", widget.Clean(e.prompt.Error), t.Text, w-1), w-1, 8)
		for i, line := range lines {
			lines[i] = t.Warning.Inherit(t.Selected).Render(widget.Left(line, w))
		}
		return strings.Join(lines, "\n")
	}
	return e.candidates(t, w)
}

// splitBinding takes "action = key" apart.
func splitBinding(text string) (name, key string, err error) {
	action, key, found := strings.Cut(text, "=")
	action, key = strings.TrimSpace(action), strings.TrimSpace(key)
	if !found || action == "" {
		return "", "", errBinding
	}
	return keysSection + "." + action, key, nil
}
