package generic

import (
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"testing"

	"finetui/core/demo/draw"
)

func seeded(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, 1)) }

// TestContactSheet writes sheets to the folder FINETUI_SHEETS for looking at.
func TestContactSheet(t *testing.T) {
	dir := os.Getenv("FINETUI_SHEETS")
	if dir == "" {
		t.Skip("FINETUI_SHEETS names no folder")
	}
	rng := seeded(3)
	sheet := draw.New(12*114, 8*114, 1)
	for i := range 96 {
		s := Sample(rng, 0)
		sheet.Paste(s.Picture, i%12*114, i/12*114)
	}
	save(t, dir+"/generic.png", sheet.Image())
	sheet = draw.New(3*340, 2*340, 1)
	for i := range 6 {
		s := NewScene(rng)
		for _, th := range s.Things {
			b := th.Box
			for _, l := range [][2]draw.Point{{{X: b[0], Y: b[1]}, {X: b[2], Y: b[1]}}, {{X: b[2], Y: b[1]}, {X: b[2], Y: b[3]}}, {{X: b[2], Y: b[3]}, {X: b[0], Y: b[3]}}, {{X: b[0], Y: b[3]}, {X: b[0], Y: b[1]}}} {
				s.Picture.Line(l[:], 1, draw.RGB{255, 0, 0})
			}
		}
		sheet.Paste(s.Picture, i%3*340, i/3*340)
	}
	save(t, dir+"/scenes.png", sheet.Image())
}

func save(t *testing.T, path string, m image.Image) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkSample(b *testing.B) {
	rng := seeded(1)
	for b.Loop() {
		Sample(rng, 0)
	}
}

func BenchmarkNewScene(b *testing.B) {
	rng := seeded(1)
	for b.Loop() {
		NewScene(rng)
	}
}
