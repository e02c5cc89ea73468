package widget

import (
	"fmt"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
)

// BenchmarkTable draws the window of a table of 10,000 rows, two columns of which are text from files.
func BenchmarkTable(b *testing.B) {
	table := Table{Columns: []Column{{Title: "picture", Flex: true, Middle: true}, {Title: "class", Flex: true},
		{Title: "n", Right: true}, {Title: "share", Right: true}}, Cursor: &List{Index: 5000}}
	for i := range 10_000 {
		table.Rows = append(table.Rows, []Cell{{Text: fmt.Sprintf("train/images/slope_drain_%06d.jpg", i)},
			{Text: "Toe drain- Blocked", Tone: Accent}, {Text: Count(i)}, {Text: Percent(float64(i)/10_000, 1),
				Tone: Muted}})
	}
	theme := NewTheme(true, true)
	b.ReportAllocs()
	for b.Loop() {
		table.View(theme, 200, 60)
	}
}

// BenchmarkPanel puts a box around a full screen of text, and joins two of them.
func BenchmarkPanel(b *testing.B) {
	theme := NewTheme(true, true)
	inside := strings.Repeat(strings.Repeat("loss 0.25 ", 9)+"\n", 57) + "end"
	b.ReportAllocs()
	for b.Loop() {
		left := Panel{Titles: []string{"Loss"}, Focused: true}.View(theme, inside, 100, 60)
		right := Panel{Titles: []string{"Classes"}, Right: "3 of 38"}.View(theme, inside, 100, 60)
		Columns(left, right)
	}
}

// BenchmarkJoin sets two pictures of colours beside each other, by Columns and by lipgloss, which measures every line.
func BenchmarkJoin(b *testing.B) {
	line := strings.Repeat("\x1b[38;2;120;130;140;48;2;90;80;70m▀", 100) + "\x1b[m"
	picture := strings.TrimSuffix(strings.Repeat(line+"\n", 58), "\n")
	b.Run("Columns", func(b *testing.B) {
		for b.Loop() {
			Columns(picture, picture)
		}
	})
	b.Run("lipgloss", func(b *testing.B) {
		for b.Loop() {
			lipgloss.JoinHorizontal(lipgloss.Top, picture, picture)
		}
	})
}

// BenchmarkStyle renders one piece of a line.
func BenchmarkStyle(b *testing.B) {
	theme := NewTheme(true, true)
	b.ReportAllocs()
	for b.Loop() {
		theme.Muted.Render("steps")
	}
}

// BenchmarkChart draws a line of 2,000 points and its smoothed one.
func BenchmarkChart(b *testing.B) {
	y := make([]float64, 2000)
	x := make([]float64, len(y))
	for i := range y {
		x[i], y[i] = float64(i), float64(i*i%97)/97
	}
	theme := NewTheme(true, true)
	b.ReportAllocs()
	for b.Loop() {
		LineChart{Lines: []Line{{Name: "raw", X: x, Y: y, Faint: true}, {Name: "loss", X: x, Y: Smooth(y, 0.9),
			Tone: Accent}},
			IgnoreOutliers: true, XName: "step"}.View(theme, 150, 20)
	}
}
