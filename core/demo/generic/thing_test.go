package generic

import (
	"bytes"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"slices"
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
			for _, l := range [][2]draw.Point{{{X: b[0], Y: b[1]}, {X: b[2], Y: b[1]}},
				{{X: b[2], Y: b[1]}, {X: b[2], Y: b[3]}}, {{X: b[2], Y: b[3]}, {X: b[0], Y: b[3]}},
				{{X: b[0], Y: b[3]}, {X: b[0], Y: b[1]}}} {
				s.Picture.Line(l[:], 1, draw.RGB{255, 0, 0})
			}
		}
		sheet.Paste(s.Picture, i%3*340, i/3*340)
	}
	save(t, dir+"/scenes.png", sheet.Image())
}

func TestSampleIsTheSameForTheSameSeed(t *testing.T) {
	a, b := Sample(seeded(7), 0), Sample(seeded(7), 0)
	if !bytes.Equal(a.Picture.Pix, b.Picture.Pix) || a.report() != b.report() {
		t.Error("two draws from one seed differ")
	}
	x, y := NewScene(seeded(7)), NewScene(seeded(7))
	if !bytes.Equal(x.Picture.Pix, y.Picture.Pix) {
		t.Error("two scenes from one seed differ")
	}
}

func TestMapsAgreeWithTheDescription(t *testing.T) {
	rng := seeded(9)
	n, seen := map[Map]int{}, map[Map]int{}
	for range 600 {
		s := Sample(rng, 0)
		for m, said := range map[Map]bool{Body: s.Kind != "ground", Crack: s.Cracked, Bite: s.Broken &&
			s.IsBand(), Cover: s.Cover != "nothing",
			Hole: s.Broken && s.IsHeap(), Scattered: s.Scattered} {
			marked := slices.Contains(s.Maps[m], true)
			if marked && !said {
				t.Fatalf("map %d is marked for %q", m, s.report())
			}
			if len(s.Maps[m]) != (Size/Cell)*(Size/Cell) {
				t.Fatalf("map %d has %d cells", m, len(s.Maps[m]))
			}
			if said {
				n[m]++
				if marked {
					seen[m]++
				}
			}
		}
	}
	for m := range MapCount {
		t.Logf("map %d: said of %d, marked in %d", m, n[m], seen[m])
		if seen[m]*100 < n[m]*90 {
			t.Errorf("map %d is marked in only %d of %d pictures that have it", m, seen[m], n[m])
		}
	}
}

func TestSceneBoxesLieInThePicture(t *testing.T) {
	rng := seeded(10)
	for range 30 {
		for _, th := range NewScene(rng).Things {
			b := th.Box
			if b[0] < 0 || b[1] < 0 || b[2] > SceneSize || b[3] > SceneSize || b[2]-b[0] < 8 || b[3]-b[1] < 8 {
				t.Fatalf("%s has the box %v", th.report(), b)
			}
		}
	}
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
