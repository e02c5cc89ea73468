package widget

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"finetui/core/printable"
)

// longestText is how many characters a prompt takes: longer than any constant, shorter than a file pasted by mistake.
const longestText = 1 << 16

// Outcome is what a key did to something that asks.
type Outcome int

const (
	Editing   Outcome = iota // still open
	Accepted                 // enter
	Cancelled                // esc
)

// Prompt is one line of text being written, with history (↑ ↓), completion (tab), and a complaint below it that goes
// with the next key. While it is open its pane is Capturing.
type Prompt struct {
	Label   string
	Hint    string             // shown while nothing is written
	Error   string             // why the text was refused; the cursor stays where it was
	Check   func(string) error // asked at enter; an error refuses; nil: everything is accepted
	History []string           // oldest first; Accept adds to it

	input    textinput.Model
	selected bool   // what is typed next replaces the text
	back     int    // how far ↑ went into the history
	draft    string // what was written before ↑
}

// NewPrompt is an open prompt with a text to start from.
func NewPrompt(label, value string) *Prompt {
	p := &Prompt{Label: label, input: textinput.New()}
	styles := textinput.DefaultStyles(true)
	styles.Cursor.Blink = false // nothing moves on the screen by itself
	p.input.SetStyles(styles)
	p.input.ShowSuggestions = true
	p.input.CharLimit = longestText
	p.input.Focus()
	p.SetValue(value)
	return p
}

// Value is what is written.
func (p *Prompt) Value() string { return p.input.Value() }

// SetValue replaces the text and puts the cursor behind it.
func (p *Prompt) SetValue(s string) {
	p.input.SetValue(s)
	p.input.CursorEnd()
}

// Select marks the whole text: what is typed or pasted next replaces it, and a key that deletes empties it. Any other
// key keeps it.
func (p *Prompt) Select() { p.selected = p.Value() != "" }

// Suggest sets what tab can complete to.
func (p *Prompt) Suggest(values []string) { p.input.SetSuggestions(values) }

// Update takes keys and pasted text.
func (p *Prompt) Update(msg tea.Msg) (Outcome, tea.Cmd) {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		p.Error = ""
		switch key.String() {
		case "esc":
			return Cancelled, nil
		case "enter":
			return p.accept(), nil
		case "up", "ctrl+p":
			p.selected = false
			p.recall(1)
			return Editing, nil
		case "down", "ctrl+n":
			p.recall(-1)
			return Editing, nil
		}
	}
	if p.replaces(msg) {
		p.SetValue("")
	}
	var cmd tea.Cmd
	p.input, cmd = p.input.Update(msg)
	return Editing, cmd
}

// replaces says whether a message takes the place of the selected text. Keys and pastes end the selection.
func (p *Prompt) replaces(msg tea.Msg) bool {
	if !p.selected {
		return false
	}
	switch msg := msg.(type) {
	case tea.PasteMsg:
		p.selected = false
		return true
	case tea.KeyPressMsg:
		p.selected = false
		return msg.Text != "" || msg.String() == "backspace" || msg.String() == "delete"
	}
	return false
}

func (p *Prompt) accept() Outcome {
	value := p.Value()
	if p.Check != nil {
		if err := p.Check(value); err != nil {
			p.Error = printable.Error(err)
			return Editing
		}
	}
	if n := len(p.History); value != "" && (n == 0 || p.History[n-1] != value) {
		p.History = append(p.History, value)
	}
	p.back = 0
	return Accepted
}

func (p *Prompt) recall(n int) {
	if p.back == 0 {
		p.draft = p.Value()
	}
	p.back = clampInt(p.back+n, 0, len(p.History))
	if p.back == 0 {
		p.SetValue(p.draft)
		return
	}
	p.SetValue(p.History[len(p.History)-p.back])
}

// View draws the label and the text around the cursor on one line of w cells, and the complaint below it: one line,
// or two.
func (p *Prompt) View(t *Theme, w int) string {
	label := ""
	if p.Label != "" {
		label = t.Accent.Render(Cut(Clean(p.Label), max(w/2, w-24))) + " "
	}
	line := label + p.text(t, w-Width(label))
	if p.Error == "" {
		return Left(line, w)
	}
	return Left(line, w) + "\n" + Left(t.Warning.Render(Cut("✗ "+Clean(p.Error), w)), w)
}

// text is the input as it is seen in w cells. The input's own View would let control characters through and measures
// wide ones by clusters.
func (p *Prompt) text(t *Theme, w int) string {
	value := []rune(Clean(p.Value()))
	if len(value) == 0 && p.Hint != "" {
		return cursorCell(t, " ") + t.Muted.Render(Cut(Clean(p.Hint), w-1))
	}
	if p.selected {
		return t.Cursor.Render(CutLeft(string(value), w-1)) + " "
	}
	at := clampInt(p.input.Position(), 0, len(value))
	from, shown := at, 0 // first rune shown: the earliest from which the cursor is still seen
	for from > 0 && shown+Width(string(value[from-1:from])) <= w-1 {
		from--
		shown += Width(string(value[from : from+1]))
	}
	under, after := " ", ""
	if at < len(value) {
		under, after = string(value[at]), string(value[at+1:])
	} else if s := p.input.CurrentSuggestion(); strings.HasPrefix(s, p.Value()) && len(s) > len(p.Value()) {
		if rest := []rune(Clean(s[len(p.Value()):])); len(rest) > 0 { // the cursor stands on what tab would add
			under, after = string(rest[:1]), t.Muted.Render(string(rest[1:]))
		}
	}
	before := string(value[from:at])
	return before + cursorCell(t, under) + Cut(after, w-Width(before)-Width(under))
}

func cursorCell(t *Theme, s string) string { return t.Cursor.Render(s) }
