package widget

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// hostile are names as no one should give them: control bytes, wide and combining characters, none, and long ones.
var hostile = []string{"rock toe damaged", "", "\x1b[31mred\x07\t", "斜面排水溝の損傷", "e\u0301\u0301\u0301", "👩‍👩‍👧 family",
	"a\nb", strings.Repeat("long ", 30), "\u200b\u202e", string([]byte{0xff, 0xfe}), "पानी নালা வடிகால்"}

// subjects are all widgets as functions of a size, in states that strain them.
func subjects() map[string]func(t *Theme, w, h int) string {
	bars := Bars{Total: 1465, Cursor: &List{Index: 4}}
	table := Table{Columns: []Column{{Title: "class", Flex: true}, {Title: "n", Right: true},
		{Title: "share", Right: true, Priority: 1}}, Cursor: &List{Index: 3}}
	heat := Heatmap{Rows: hostile, Columns: hostile[:5], Corner: "expected ↓", Row: &List{Index: 2},
		Column: &List{Index: 1}}
	choice := NewChoice("Presets", true)
	for i, name := range hostile {
		v := []float64{366, 0, math.NaN(), math.Inf(1), -3, 1e-9, 257, 1e12, 78, 52, 41}[i]
		bars.Items = append(bars.Items, Bar{Label: name, Value: v, Note: "rare", Warn: i%2 == 0})
		table.Rows = append(table.Rows, []Cell{{Text: name, Tone: Warning}, Cell{Text: Number(v)},
			Cell{Text: Percent(v/1465, 1)}}[:1+i%3])
		heat.Values = append(heat.Values, []float64{0, 0.3, 1, math.NaN(), 7})
		choice.Options = append(choice.Options, Option{Text: name, Detail: name, Key: "ctrl+p"})
	}
	prompt := NewPrompt("LEARNING_RATE", "0.0002 斜面排水溝 "+strings.Repeat("x", 50))
	prompt.Error = "not a number: " + hostile[7]
	histogram := Histogram{Counts: []float64{0, 3, 9, 40, 12, 1, 0, 2, 5, 7}, From: 0, To: 1,
		Bands: []Band{{"Top", 0, 0.4}, {"Middle", 0.4, 0.6}, {"Bottom", 0.6, 1}}, Marks: []Mark{{0.66, "mean 0.66"}}}
	var x, y []float64
	for i := range 3000 {
		x = append(x, float64(i%2000))
		y = append(y, 3*math.Exp(-float64(i)/500)+0.2*math.Sin(float64(i)))
	}
	y[100], y[200], y[300], y[400] = math.NaN(), math.Inf(1), -5, 90
	chart := LineChart{Lines: []Line{{Name: "raw", X: x, Y: y, Faint: true}, {Name: "smoothed", X: x, Y: Smooth(y, 0.9),
		Tone: Accent}, {Name: "other 斜面", X: x[:50], Y: y[50:100]}, {Name: "valid", X: x[:5], Y: y[:5], Glyph: "◆"}},
		XName: "step", IgnoreOutliers: true}
	logChart := chart
	logChart.LogY = true
	img := image.NewRGBA(image.Rect(0, 0, 37, 23))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	raster := NewRaster(img)
	outline := Outline{X0: 0.1, Y0: -0.2, X1: 1.3, Y1: 0.8, Colour: color.RGBA{255, 200, 0, 255}, Label: "斜面排水溝"}
	picture := func(mode PictureMode) func(*Theme, int, int) string {
		return func(_ *Theme, w, h int) string { return NewPicture(mode, raster, w, h, outline).View(w, h) }
	}
	line := func(draw func(t *Theme, w int) string) func(*Theme, int, int) string {
		return func(t *Theme, w, h int) string { return draw(t, w) }
	}
	return map[string]func(*Theme, int, int) string{
		"bars": bars.View, "no bars": Bars{}.View, "table": table.View, "empty table": Table{}.View,
		"heatmap":        heat.View,
		"histogram down": histogram.Down, "histogram upright": histogram.Upright, "empty histogram": Histogram{}.Down,
		"line chart": chart.View, "log chart": logChart.View, "empty chart": LineChart{}.View,
		"one point": LineChart{Lines: []Line{{X: []float64{3}, Y: []float64{0}}}}.View,
		"choice":    choice.View, "ascii picture": picture(ASCII), "halves": picture(Halves),
		"quadrants": picture(Quadrants), "words": picture(Words),
		"panel": func(t *Theme, w, h int) string {
			return Panel{Titles: hostile[:5], Open: 2, Right: hostile[3], Focused: true}.View(t,
				strings.Join(hostile[3:], "\n"), w, h)
		},
		"prompt": func(t *Theme, w, h int) string { return Block(prompt.View(t, w), w, h) },
		"scroll": func(_ *Theme, w, h int) string {
			text := Wrap(Clean(strings.Join(hostile, " ")), w)
			s := Scroll{AtEnd: true}
			s.Move(Up, len(text), h)
			return s.View(append(text, hostile[10]), w, h)
		},
		"middle": func(t *Theme, w, h int) string { return Middle(t.Muted, hostile[10]+hostile[3], w, h) },
		"notice": func(t *Theme, w, h int) string {
			n := NewNotice(w)
			n.Say(t.Strong, hostile[10]+" "+hostile[7])
			n.Say(t.Text, hostile[10])
			return n.View(w, h)
		},
		"gauge":    line(Gauge{Label: hostile[3], Share: 0.4, Goal: 0.9, Text: "61/80 GiB", Warn: true}.View),
		"unknown":  line(Gauge{Label: "GPU", Share: math.NaN(), Text: Missing}.View),
		"progress": line(Progress{What: hostile[2], Done: 412, Total: 1455, Elapsed: 1e11}.View),
		"overlay": func(t *Theme, w, h int) string {
			return Overlay(Block(strings.Repeat("斜", 200), w, h), "╭─────╮\n│ 斜x │\n╰─────╯", w/2, 1)
		},
	}
}

func TestEveryWidgetStaysInItsSize(t *testing.T) {
	defer Measure(ansi.WcWidth)
	for _, method := range []ansi.Method{ansi.GraphemeWidth, ansi.WcWidth} {
		Measure(method)
		checkSizes(t)
	}
}

func checkSizes(t *testing.T) {
	t.Helper()
	themes := []*Theme{NewTheme(true, true), NewTheme(false, false)}
	for name, draw := range subjects() {
		for i, theme := range themes {
			for _, size := range [][2]int{{1, 1}, {2, 3}, {3, 2}, {5, 5}, {8, 3}, {10, 1}, {12, 4}, {17, 9}, {23, 2},
				{40, 10}, {41, 33}, {61, 8}, {80, 24}, {199, 50}} {
				w, h := size[0], size[1]
				if fault := fault(draw(theme, w, h), w, h); fault != "" {
					t.Errorf("%s, theme %d, at %d×%d: %s", name, i, w, h, fault)
				}
			}
			for w := 1; w < 70; w++ {
				if fault := fault(draw(theme, w, 7), w, 7); fault != "" {
					t.Errorf("%s, theme %d, at %d×7: %s", name, i, w, fault)
				}
			}
		}
	}
}

// fault says what a drawing does that it must not.
func fault(s string, w, h int) string {
	lines := strings.Split(s, "\n")
	if len(lines) > h {
		return fmt.Sprintf("%d lines", len(lines))
	}
	for i, line := range lines {
		if got := measure().StringWidth(line); got > w {
			return fmt.Sprintf("line %d is %d cells wide: %q", i+1, got, line)
		}
		if plain := ansi.Strip(line); strings.ContainsAny(plain, "\x1b\a\t\r") {
			return fmt.Sprintf("line %d lets control characters through: %q", i+1, plain)
		}
	}
	return ""
}
