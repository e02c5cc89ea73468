package widget

import (
	"image/color"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestSixteenColoursGetHalfTonesAndNoForeignColour(t *testing.T) {
	mode, _ := ChoosePictures("auto", colorprofile.ANSI)
	if mode != Tones {
		t.Fatalf("the mode is %v", mode)
	}
	r := Raster{64, 32, make([]byte, 64*32*3)}
	for y := range r.H {
		for x := range r.W { // from black to a yellowish white
			r.set(x, y, color.RGBA{uint8(x * 4), uint8(x * 4), uint8(x * 3), 255})
		}
	}
	p := NewPicture(mode, r, 64, 16)
	text := strings.Join(p.Lines, "\n")
	for _, foreign := range []string{"38;", "48;", "31", "33", "35", "91"} {
		if strings.Contains(text, foreign) {
			t.Errorf("the picture has %q", foreign)
		}
	}
	for _, grey := range []string{"30", "90", "37", "97"} {
		if !strings.Contains(text, "["+grey+";") {
			t.Errorf("grey %s is not used", grey)
		}
	}
	bright := func(x int) (sum int) {
		for y := range 16 {
			sum += map[ansi.BasicColor]int{ansi.Black: 0, ansi.BrightBlack: 50, ansi.White: 83,
				ansi.BrightWhite: 100}[toned(luminance(r.at(x, y)), x, y)]
		}
		return sum
	}
	for x := 4; x < 64; x += 4 {
		if before, now := bright(x-4), bright(x); now < before {
			t.Errorf("column %d is darker (%d) than the one before (%d)", x, now, before)
		}
	}
}

func TestColoursThatMeanSomethingStayApartWithSixteen(t *testing.T) {
	seen := map[ansi.BasicColor]color.RGBA{}
	for _, c := range []color.RGBA{{230, 159, 0, 255}, {86, 180, 233, 255}, {0, 158, 115, 255}, {240, 228, 66, 255},
		{0, 114, 178, 255}, {213, 94, 0, 255}, {204, 121, 167, 255}, {255, 255, 255, 255}} {
		if other, taken := seen[Basic(c)]; taken {
			t.Errorf("%v and %v are both %v", c, other, Basic(c))
		}
		seen[Basic(c)] = c
	}
	theme := NewBasicTheme(true)
	if theme.Ink(color.RGBA{213, 94, 0, 255}).Render("x") == theme.Ink(color.RGBA{240, 228, 66, 255}).Render("x") {
		t.Error("blocked and damaged look the same")
	}
}
