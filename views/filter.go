package views

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/views/widget"
)

// Filter is the text that / asks for. It takes effect with every letter, and begins empty each time; esc while it is
// written brings back the one before, esc afterwards takes it off (Clear).
type Filter struct {
	words  []string // in small letters
	text   string
	before string
	prompt *widget.Prompt // open while it is written
}

// Open asks for a text: what it is for, what it looks at, and what tab can complete to.
func (f *Filter) Open(label, hint string, complete ...string) {
	f.before = f.text
	f.prompt = widget.NewPrompt(label, "")
	f.prompt.Hint = hint
	f.prompt.Suggest(complete)
	f.Set("")
}

// Set makes text the filter.
func (f *Filter) Set(text string) {
	f.text = strings.TrimSpace(text)
	f.words = strings.Fields(strings.ToLower(text))
}

// Now is the filter as it stands, for who goes by it while another one is written.
func (f *Filter) Now() Filter { return Filter{words: f.words, text: f.text} }

// Text is the filter; nothing: all pass.
func (f *Filter) Text() string { return f.text }

// Writing says whether the filter has the keyboard.
func (f *Filter) Writing() bool { return f.prompt != nil }

// Update takes keys while it is written, and says whether the filter is another one now.
func (f *Filter) Update(msg tea.Msg) (changed bool, cmd tea.Cmd) {
	was := f.text
	outcome, cmd := f.prompt.Update(msg)
	f.Set(f.prompt.Value())
	if outcome == widget.Cancelled {
		f.Set(f.before)
	}
	if outcome != widget.Editing {
		f.prompt = nil
	}
	return f.text != was, cmd
}

// Close ends the writing, with the filter as it is.
func (f *Filter) Close() { f.prompt = nil }

// Clear takes the filter off and says whether there was one.
func (f *Filter) Clear() bool {
	was := f.text != ""
	f.Set("")
	return was
}

// Passes says whether one of the texts holds every word of the filter, in any case of letters.
func (f *Filter) Passes(texts ...string) bool {
	return len(f.words) == 0 || slices.ContainsFunc(texts, func(text string) bool {
		text = strings.ToLower(text)
		return !slices.ContainsFunc(f.words, func(word string) bool { return !strings.Contains(text, word) })
	})
}

// Over lays the line that is written over the last one of a screen.
func (f *Filter) Over(t *widget.Theme, screen string, w, h int) string {
	return widget.Overlay(screen, widget.Block(f.prompt.View(t, w), w, 1), 0, h-1)
}

// Keys is what the bottom line says while the filter is written.
func (f *Filter) Keys() string { return "enter keeps the filter   esc leaves it as it was" }

// Status names the filter for the bottom line; nothing where there is none.
func (f *Filter) Status() string {
	if f.text == "" {
		return ""
	}
	return " · filter “" + widget.Clean(f.text) + "”"
}
