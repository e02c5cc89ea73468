package dataset

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/level"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/widget"
)

// shared is what the views of the pane share: the data set, what is selected of it, the recipe as it is turned, the
// drawings, and the way from one view to another.
type shared struct {
	control Control
	file    *config.File // nil: no config.toml was read

	source
	scope
	recipe   recipeDraft
	pictures pictures
	film     film
	choice   *choice // open while something is chosen from a list

	views   *views.Views
	samples *samples // where the others lead to: the pictures of what is selected in them
}

// choice is an open list to choose from, and what is done with what was chosen.
type choice struct {
	*widget.Choice
	take func(i int) error
	ask  func(i int) tea.Cmd // in place of take: what was chosen leads on
}

// choose gives a key to the open list.
func (p *shared) choose(msg tea.Msg) tea.Cmd {
	open := p.choice
	outcome, cmd := open.Update(msg)
	if outcome == widget.Editing {
		return cmd
	}
	p.choice = nil
	if outcome == widget.Accepted && open.ask != nil {
		return open.ask(open.Chosen())
	}
	if outcome == widget.Accepted {
		if err := open.take(open.Chosen()); err != nil {
			return views.Fail(err)
		}
	}
	return cmd
}

// openClass shows the pictures of the selected class.
func (p *shared) openClass() []views.Action {
	return []views.Action{{Name: "open", Label: "show", Help: "show what there is of this class", Group: "Data",
		Enabled: func() bool { return p.class >= 0 && p.class < len(p.set.Classes) }, Run: func() tea.Cmd {
			p.samples.show(facets{classes: p.names(p.class)}, 0)
			return nil
		}}}
}

// byMedia picks the board for pictures or the one for clips, by what the set holds.
func (p *shared) byMedia(pictures, clips *views.Board) func(w, h int) *views.Board {
	return func(int, int) *views.Board {
		if p.clips() {
			return clips
		}
		return pictures
	}
}

// labelled is a view's name for pictures, or another for clips.
func (p *shared) labelled(pictures, clips string) func() string {
	return func() string {
		if p.clips() {
			return clips
		}
		return pictures
	}
}

// step moves a cursor that goes forwards to the right as well as downwards.
func step(cursor *widget.List, m widget.Move, n, page int) {
	switch m {
	case widget.MoveLeft:
		m = widget.Up
	case widget.MoveRight:
		m = widget.Down
	}
	cursor.Move(m, n, page)
}

// place says where a cursor is among n: "3 of 38"; nothing where there is nothing.
func place(cursor widget.List, n int) string {
	if n == 0 {
		return ""
	}
	return widget.Count(cursor.At(n)+1) + " of " + widget.Count(n)
}

// none stands in the place of an empty list: what is missing, or that it is being looked for.
func (p *shared) none(missing string) string {
	if p.views.Listing() {
		return "looking for them …"
	}
	return missing
}

// listCount is how many are listed in the view that is seen; … while another list is on its way.
func (p *shared) listCount(n int) string {
	if p.views.Listing() {
		return "…"
	}
	return widget.Count(n)
}

func (p *shared) bands() []widget.Band {
	cfg := p.loaded.cfg
	return []widget.Band{{Name: stats.Top, From: 0, To: cfg.TopBelow}, {Name: stats.Middle, From: cfg.TopBelow,
		To: cfg.BottomAbove}, {Name: stats.Bottom, From: cfg.BottomAbove, To: 1}}
}

// bandOf is the word for a height.
func (p *shared) bandOf(y float64) string { return stats.Band(y, p.loaded.cfg) }

// positionOf is where a class lies; nowhere where the set has no such class.
func positionOf(part *stats.Part, class int) stats.Position {
	if class < 0 || class >= len(part.Positions) {
		return stats.Position{}
	}
	return part.Positions[class]
}

// findingWords is a finding's code for people.
func findingWords(code string) string {
	return strings.NewReplacer("_", " ", "-", " ").Replace(code)
}

// levelSign is the sign and the style of a level.
func levelSign(t *widget.Theme, bad level.Level) (string, widget.Style) {
	switch bad {
	case level.Error:
		return "✗", t.Warning
	case level.Warn:
		return "!", t.Warning
	}
	return "·", t.Muted
}

// wrapped is a text in lines of w cells, one of them left free at the left.
func wrapped(style widget.Style, text string, w int) []string {
	lines := widget.Wrap(widget.Clean(text), w-1)
	for i, line := range lines {
		lines[i] = " " + style.Render(line)
	}
	return lines
}

// tabbed is a table as lines of cells with tabs between, for a spreadsheet.
func tabbed(rows [][]string) string {
	var text strings.Builder
	for _, row := range rows {
		for j := range row {
			row[j] = widget.Clean(row[j])
		}
		text.WriteString(strings.Join(row, "\t") + "\n")
	}
	return text.String()
}

// tickIf is the word with ✓ before it where on, and as much room where not.
func tickIf(on bool, word string) string {
	if on {
		return "✓ " + word
	}
	return "  " + word
}

// at is the cursor of a widget at the place of value in list; the first where it is not there.
func at(list []int, value int) *widget.List {
	return &widget.List{Index: max(slices.Index(list, value), 0)}
}
