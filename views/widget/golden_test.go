package widget_test

import (
	"image"
	"image/color"
	"testing"

	"finetui/views/viewtest"
	"finetui/views/widget"
)

// Each widget's look is a file in testdata that a reader can open.
func TestLooks(t *testing.T) {
	theme := widget.NewTheme(true, true)
	heat := widget.Heatmap{
		Rows: []string{"rock toe", "rock toe damaged", "slope drain", "vegetation"}, Columns: []string{"rock toe",
			"rock toe damaged", "slope drain", "vegetation", "unparsed"},
		Values: [][]float64{{0.9, 0.08, 0, 0, 0.02}, {0.3, 0.7, 0, 0, 0}, {0, 0, 1, 0, 0}, {0, 0, 0.05, 0.95, 0}},
		Corner: "expected ↓ answered →",
		Row:    &widget.List{Index: 1}, Column: &widget.List{},
	}
	table := widget.Table{
		Columns: []widget.Column{{Title: "class", Flex: true}, {Title: "n", Right: true},
			{Title: "copies", Right: true}, {Title: "weight", Right: true}, {Title: "mass", Right: true},
			{Title: "", Flex: true}},
		Rows: [][]widget.Cell{
			{{Text: "rock toe damaged"}, {Text: "279"}, {Text: "1"}, {Text: "1.00"}, {Text: "7.2 %"},
				{Text: "✓", Tone: widget.OK}},
			{{Text: "Toe drain"}, {Text: "40"}, {Text: "7"}, {Text: "6.98"}, {Text: "50.3 %"},
				{Text: "! inverted", Tone: widget.Warning}},
			{{Text: "vegetation"}, {Text: "180"}, {Text: "2"}, {Text: "1.55"}, {Text: "10.4 %"}},
		},
		Cursor: &widget.List{Index: 1},
	}
	upright := widget.Histogram{Counts: []float64{3, 41, 60, 52, 30, 22, 14, 9, 4, 2, 2, 0, 1}, From: 1, To: 18}
	choice := widget.NewChoice("Presets", true, widget.Option{Text: "basic", Detail: "every sample once", Key: "b"},
		widget.Option{Text: "enhanced", Detail: "the rare classes weigh more"}, widget.Option{Text: "custom",
			Detail: "no preset", Off: true})
	choice.Cursor.Index = 1
	gauges := func(t *widget.Theme, w, _ int) string {
		return widget.Gauge{Label: "memory", Share: 61.0 / 80, Text: "61/80 GiB"}.View(t, w) + "\n" +
			widget.Gauge{Label: "accuracy", Share: 0.87, Goal: 0.9, Text: "87.0 %", Warn: true}.View(t, w) + "\n" +
			widget.Progress{What: "evaluating", Done: 64, Total: 128, Elapsed: 9e9}.View(t, w) + "\n" +
			"GPU " + widget.Sparkline([]float64{0, 10, 35, 60, 87, 100, 90}, 0, 100, 7)
	}
	picture := widget.NewPicture(widget.ASCII, shades(), 30, 12, widget.Outline{X0: 0.5, Y0: 0.3, X1: 0.9, Y1: 0.8,
		Colour: color.RGBA{255, 200, 0, 255}, Label: "rock toe"})
	runs := widget.LineChart{LogY: true, XName: "step", Lines: []widget.Line{
		{Name: "basic", X: []float64{0, 100, 200, 300, 400}, Y: []float64{3, 1, 0.5, 0.3, 0.25}},
		{Name: "enhanced", X: []float64{0, 100, 200, 150, 250, 400}, Y: []float64{3, 0.6, 0.2, 0.3, 0.1, 0.04},
			Tone: widget.Accent}}}
	for _, c := range []struct {
		name string
		draw func(*widget.Theme, int, int) string
		w, h int
	}{
		{"heatmap", heat.View, 60, 8}, {"table", table.View, 64, 5}, {"histogram", upright.Upright, 60, 8},
		{"choice", choice.View, 50, 7},
		{"gauges", gauges, 60, 4}, {"linechart", runs.View, 70, 16},
		{"picture", func(_ *widget.Theme, w, h int) string { return picture.View(w, h) }, 40, 12},
	} {
		viewtest.Golden(t, c.name, viewtest.DrawStyled(c.draw(theme, c.w, c.h), c.w, c.h))
	}
}

func shades() widget.Raster {
	img := image.NewGray(image.Rect(0, 0, 120, 96))
	for y := range 96 {
		for x := range 120 {
			img.SetGray(x, y, color.Gray{uint8(x*2 + y/4)})
		}
	}
	return widget.NewRaster(img)
}
