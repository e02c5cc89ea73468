package widget

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// Option is one line of a Choice.
type Option struct {
	Text   string // what is chosen
	Detail string // what it means, at its right
	Key    string // its key, at the right end
	Off    bool   // shown, but cannot be chosen now
}

// Choice is a list to choose from by arrows and by writing some of its letters: presets, values of a constant, the
// command palette. While it is open its pane is Capturing.
type Choice struct {
	Title   string
	Options []Option
	Filter  *Prompt // nil: letters do not filter
	Cursor  List
}

// NewChoice is an open choice; with filter, what is written narrows it down.
func NewChoice(title string, filter bool, options ...Option) *Choice {
	c := &Choice{Title: title, Options: options}
	if filter {
		c.Filter = NewPrompt("", "")
	}
	return c
}

// Update takes keys and pasted text. After Accepted, Chosen says which option it was.
func (c *Choice) Update(msg tea.Msg) (Outcome, tea.Cmd) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return c.filter(msg)
	}
	n := len(c.matches())
	switch k := key.String(); {
	case k == "esc":
		return Cancelled, nil
	case k == "enter":
		if i := c.Chosen(); i >= 0 && !c.Options[i].Off {
			return Accepted, nil
		}
	case k == "up" || k == "ctrl+p" || c.Filter == nil && k == "k":
		c.Cursor.Move(Up, n, 10)
	case k == "down" || k == "ctrl+n" || c.Filter == nil && k == "j":
		c.Cursor.Move(Down, n, 10)
	case k == "pgup":
		c.Cursor.Move(PageUp, n, 10)
	case k == "pgdown":
		c.Cursor.Move(PageDown, n, 10)
	default:
		return c.filter(msg)
	}
	return Editing, nil
}

func (c *Choice) filter(msg tea.Msg) (Outcome, tea.Cmd) {
	if c.Filter == nil {
		return Editing, nil
	}
	before := c.Filter.Value()
	_, cmd := c.Filter.Update(msg)
	if c.Filter.Value() != before {
		c.Cursor.Index = 0
	}
	return Editing, cmd
}

// Chosen is the index in Options of the line under the cursor, or -1.
func (c *Choice) Chosen() int {
	matches := c.matches()
	if len(matches) == 0 {
		return -1
	}
	return matches[c.Cursor.At(len(matches))]
}

// Size is how large a box the choice wants, its frame included.
func (c *Choice) Size() (w, h int) {
	text, detail, key := c.widths(c.all())
	w, h = text+detail+key+8, len(c.Options)+2
	if c.Filter != nil {
		w, h = max(w, 40), h+1
	}
	return max(w, Width(c.Title)+6), h
}

// Over lays the choice over the middle of a screen of w×h cells.
func (c *Choice) Over(t *Theme, screen string, w, h int) string {
	cw, ch := c.Size()
	cw, ch = min(cw, w-4), min(ch, h-2)
	return Overlay(screen, c.View(t, cw, ch), (w-cw)/2, (h-ch)/2)
}

// View draws the choice in a box of w×h cells.
func (c *Choice) View(t *Theme, w, h int) string {
	frame := Panel{Titles: []string{c.Title}, Focused: true}
	iw, ih := frame.Inside(w, h)
	var lines []string
	if c.Filter != nil && ih > 0 {
		lines = append(lines, t.Accent.Render("›")+" "+c.Filter.View(t, iw-2))
	}
	matches := c.matches()
	if len(matches) == 0 {
		lines = append(lines, t.Muted.Render(" nothing fits; esc leaves"))
	}
	room := ih - len(lines)
	first, end := c.Cursor.Window(len(matches), room)
	text, detail, key := c.widths(matches)
	for i := first; i < end; i++ {
		option := c.Options[matches[i]]
		right := ""
		if key > 0 {
			right = t.Key.Render(option.Key) + " "
		}
		left := Left(Clean(option.Text), min(text, iw-2))
		switch {
		case option.Off:
			left = " " + t.Muted.Render(left)
		case i == c.Cursor.At(len(matches)):
			left = t.Accent.Render("▸") + t.Selected.Render(left)
		default:
			left = " " + left
		}
		if detail > 0 {
			left += "  " + t.Muted.Render(Clean(option.Detail))
		}
		lines = append(lines, Ends(left, right, iw-edgeRoom(len(matches), room, iw)))
	}
	Edges(t, lines[len(lines)-(end-first):], first, end, len(matches), iw)
	return frame.View(t, strings.Join(lines, "\n"), w, h)
}

func (c *Choice) all() []int {
	all := make([]int, len(c.Options))
	for i := range all {
		all[i] = i
	}
	return all
}

func (c *Choice) widths(of []int) (text, detail, key int) {
	for _, i := range of {
		option := c.Options[i]
		text, detail, key = max(text, Width(Clean(option.Text))), max(detail, Width(Clean(option.Detail))),
			max(key, Width(option.Key))
	}
	return text, detail, key
}

// matches are the options that the filter lets through, the best first.
func (c *Choice) matches() []int {
	all := c.all()
	if c.Filter == nil || c.Filter.Value() == "" {
		return all
	}
	scores := make([]int, len(c.Options))
	kept := slices.DeleteFunc(all, func(i int) bool {
		score, ok := Fuzzy(c.Filter.Value(), c.Options[i].Text)
		if detail, fits := Fuzzy(c.Filter.Value(), c.Options[i].Detail); fits && (!ok || detail/2 > score) {
			score, ok = detail/2, true
		}
		scores[i] = score
		return !ok
	})
	slices.SortStableFunc(kept, func(i, j int) int { return scores[j] - scores[i] })
	return kept
}

// Fuzzy says whether the letters of pattern stand in text in their order, whatever their case, and how well: letters
// in a row and at the beginnings of words count more, and so does a short text.
func Fuzzy(pattern, text string) (score int, ok bool) {
	letters := []rune(strings.ToLower(strings.Join(strings.Fields(pattern), "")))
	in := []rune(strings.ToLower(text))
	if len(letters) == 0 {
		return 0, true
	}
	best := -1
	for start := range in { // greedy from every beginning; texts are short
		if in[start] != letters[0] {
			continue
		}
		if s, fits := fuzzyFrom(letters, in, start); fits {
			best = max(best, s)
		}
	}
	if best < 0 {
		return 0, false
	}
	return max(best*4-len(in)/4, 0), true
}

func fuzzyFrom(letters, in []rune, start int) (score int, ok bool) {
	k, last := 0, -1
	for i := start; i < len(in) && k < len(letters); i++ {
		if in[i] != letters[k] {
			continue
		}
		score++
		if last == i-1 && k > 0 {
			score += 3
		}
		if i == 0 || !unicode.IsLetter(in[i-1]) && !unicode.IsDigit(in[i-1]) {
			score += 2
		}
		k, last = k+1, i
	}
	return score, k == len(letters)
}
