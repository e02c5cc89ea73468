package widget

import (
	"image/color"
	"math"
	"strings"
)

// Bar is one line of Bars.
type Bar struct {
	Label string
	Value float64
	Text  string      // the number as written; empty: as Count or Number
	Note  string      // a word after the share: "rare"
	Warn  bool        // the note is a warning
	Ink   color.Color // of the bar, where the theme has colours; nil: the theme's own
}

// Bars is a list of horizontal bars: label, bar to an eighth of a cell, number, share of the total, note.
type Bars struct {
	Items  []Bar
	Max    float64 // value of a full bar; 0: the largest
	Log    bool    // lengths are logarithms: a bar of one cell is the least value above nothing
	Total  float64 // what shares refer to; 0: no shares
	Digits int     // decimals of the shares
	Cursor *List   // the selection, marked ▸; nil: none
}

// View draws as many bars as fit, the selected one among them. The bar gives way to the words, then the label.
func (b Bars) View(t *Theme, w, h int) string {
	full := w
	w -= edgeRoom(len(b.Items), h, w)
	first, end := 0, min(len(b.Items), h)
	if b.Cursor != nil {
		first, end = b.Cursor.Window(len(b.Items), h)
	}
	longest := b.Max
	var labelW, textW, shareW, noteW int
	for _, item := range b.Items {
		if b.Max == 0 && !math.IsInf(item.Value, 0) && item.Value > longest {
			longest = item.Value
		}
		labelW = max(labelW, Width(Clean(item.Label)))
		textW = max(textW, Width(item.text()))
		noteW = max(noteW, Width(item.Note))
		shareW = max(shareW, Width(b.share(item)))
	}
	after := textW
	for _, column := range []int{shareW, noteW} {
		if column > 0 {
			after += 1 + column
		}
	}
	mark := 0
	if b.Cursor != nil {
		mark = 1
	}
	// At least six cells of bar as long as the label keeps twelve.
	labelW = min(labelW, max(w-mark-after-2-6, 12))
	barW := max(w-mark-labelW-after-2, 0)
	lines := make([]string, 0, h)
	for i := first; i < end; i++ {
		item := b.Items[i]
		var line strings.Builder
		label := Left(Clean(item.Label), labelW)
		if b.Cursor != nil && i == b.Cursor.At(len(b.Items)) {
			line.WriteString(t.Accent.Render("▸") + t.Selected.Render(label))
		} else {
			line.WriteString(blanks(mark) + label)
		}
		if barW > 0 {
			style := t.Bar
			if item.Ink != nil && t.Colour {
				style = t.Ink(item.Ink)
			}
			line.WriteString(" " + style.Render(Left(Block8(b.length(item.Value, longest, barW), barW), barW)))
		}
		line.WriteString(" " + Right(item.text(), textW))
		if shareW > 0 {
			line.WriteString(" " + t.Muted.Render(Right(b.share(item), shareW)))
		}
		if noteW > 0 {
			style := t.Muted
			if item.Warn {
				style = t.Warning
			}
			line.WriteString(" " + style.Render(Left(item.Note, noteW)))
		}
		lines = append(lines, Left(line.String(), w))
	}
	w = full
	Edges(t, lines, first, end, len(b.Items), w)
	return Block(strings.Join(lines, "\n"), w, h)
}

// Position says which line is selected when not all are seen: "3 of 38"; else it is empty.
func (b Bars) Position(h int) string {
	if b.Cursor == nil {
		return ""
	}
	return b.Cursor.position(len(b.Items), h)
}

// length is the share of a bar of w cells that stands for a value.
func (b Bars) length(value, longest float64, w int) float64 {
	least := longest
	for _, item := range b.Items {
		if b.Log && item.Value > 0 {
			least = min(least, item.Value)
		}
	}
	switch {
	case !b.Log || value <= 0:
		return value / longest
	case least == longest:
		return 1
	}
	first := 1 / float64(w)
	return first + (1-first)*math.Log(value/least)/math.Log(longest/least)
}

func (item Bar) text() string {
	if item.Text != "" {
		return item.Text
	}
	if item.Value == math.Trunc(item.Value) && math.Abs(item.Value) < 1e15 {
		return Count(int(item.Value))
	}
	return Number(item.Value)
}

func (b Bars) share(item Bar) string {
	if b.Total == 0 {
		return ""
	}
	return Percent(item.Value/b.Total, b.Digits)
}

// Block8 is a bar of share 0 … 1 of w cells, its end to an eighth; anything above nothing is at least an eighth.
func Block8(share float64, w int) string {
	if math.IsNaN(share) || share <= 0 || w <= 0 {
		return ""
	}
	eighths := max(int(math.Min(share, 1)*float64(w)*8+0.5), 1)
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return bar
}
