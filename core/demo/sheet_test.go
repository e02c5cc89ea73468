package demo

import (
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"finetui/core/demo/draw"
)

// TestContactSheet writes contact sheets to the folder FINETUI_SHEETS for looking at: twelve pictures, and twelve crops
// of each class, one row a class.
func TestContactSheet(t *testing.T) {
	dir := os.Getenv("FINETUI_SHEETS")
	if dir == "" {
		t.Skip("FINETUI_SHEETS names no folder")
	}
	images, err := published.plan(0)
	if err != nil {
		t.Fatal(err)
	}
	arrange(images, 0)
	sheet, crops := draw.New(4*studySide, 3*studySide, 1), draw.New(12*112, 9*112, 1)
	var have [classCount]int
	for i, p := range images {
		c := p.paint(rand.New(rand.NewPCG(0, uint64(i))), studySide)
		if i < 12 {
			sheet.Paste(c, i%4*studySide, i/4*studySide)
		}
		for _, o := range p.objects {
			if k := have[o.class]; k < 12 {
				crops.Paste(crop(c, o.bounds()), k*112, o.class*112)
				have[o.class]++
			}
		}
		if i > 80 {
			break
		}
	}
	save(t, filepath.Join(dir, "demo.png"), sheet)
	save(t, filepath.Join(dir, "democrops.png"), crops)
}

// crop shows an object as the model sees it: 10 % around, the shorter side at least half the longer, 112×112 pixels.
func crop(c *draw.Canvas, b bounds) *draw.Canvas {
	w, h := b.x1-b.x0, b.y1-b.y0
	m := .1 * max(10, min(w, h))
	w, h = w+2*m, h+2*m
	w, h = max(w, h/2), max(h, w/2)
	x, y := (b.x0+b.x1)/2, (b.y0+b.y1)/2
	return c.View(x-w/2, y-h/2, x+w/2, y+h/2, 112, 112)
}

func save(t *testing.T, path string, c *draw.Canvas) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, c.Image()); err != nil {
		t.Fatal(err)
	}
}
