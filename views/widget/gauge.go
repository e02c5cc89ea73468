package widget

import (
	"math"
	"strings"
)

// Gauge is a share of something limited on one line: GPU memory, accuracy against its goal.
type Gauge struct {
	Label string
	Share float64 // 0 … 1; NaN: not known
	Text  string  // after the bar: "61/80 GiB"
	Goal  float64 // a mark │ on the bar; 0: none
	Warn  bool    // text in the warning colour, with !
}

// View draws the gauge in w cells.
func (g Gauge) View(t *Theme, w int) string {
	text := g.Text
	if g.Warn {
		text += " !"
	}
	label := Clean(g.Label)
	room := w - Width(label) - Width(text) - 2
	if room < 4 {
		return Ends(label, text, w)
	}
	filled := []rune(Block8(g.Share, room))
	bar := t.Bar.Render(string(filled)) + t.BarFaint.Render(strings.Repeat("░", room-len(filled)))
	if math.IsNaN(g.Share) {
		bar = t.Muted.Render(strings.Repeat("·", room))
	} else if g.Goal > 0 && g.Goal <= 1 {
		at := min(int(g.Goal*float64(room)), room-1)
		bar = Overlay(bar, t.Accent.Render("│"), at, 0)
	}
	if g.Warn {
		text = t.Warning.Render(text)
	}
	return label + " " + bar + " " + text
}

// Sparkline is a row of values as columns of one line's height, low to high; NaN leaves a blank. Values beyond w are
// the newest w.
func Sparkline(values []float64, low, high float64, w int) string {
	if len(values) > w {
		values = values[len(values)-max(w, 0):]
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case high <= low:
			b.WriteRune('▁')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[int(clamp((v-low)/(high-low), 0, 1)*7+0.5)])
		}
	}
	return b.String()
}
