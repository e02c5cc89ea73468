package exercise

import (
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"testing"
)

// TestSheet writes contact sheets to the folder FINETUI_SHEETS, for people to look at: a row is a variation.
func TestSheet(t *testing.T) {
	dir := os.Getenv("FINETUI_SHEETS")
	if dir == "" {
		t.Skip("FINETUI_SHEETS names no folder")
	}
	const small = 96
	for part := range 4 {
		sheet := image.NewRGBA(image.Rect(0, 0, 16*small, 11*small))
		row := 0
		for _, e := range exercises[3*part : 3*part+3] {
			for _, v := range e.variations {
				rng := rand.New(rand.NewPCG(uint64(part), uint64(row)))
				film := NewPerson(rng).Shoot(rng, v.motion, 16, clipSide)
				for i, f := range film.Frames {
					c := f.Resize(small, small)
					for y := range small {
						for x := range small {
							at := 3 * (y*small + x)
							sheet.SetRGBA(i*small+x, row*small+y, color.RGBA{c.Pix[at], c.Pix[at+1], c.Pix[at+2], 255})
						}
					}
				}
				row++
			}
		}
		f, err := os.Create(dir + "/sheet" + string(rune('0'+part)) + ".png")
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, sheet); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
