package media

import (
	"math"

	"finetui/core/dataset"
	"finetui/ml/picture"
)

// Cut returns the part of the picture around the box. margin, a share of the box's shorter side, is added on all four
// sides; then the shorter side is widened to at least half the longer, so that a long thin object keeps something of
// its surroundings. At the picture's edge the part moves inwards, so that it shows picture; where it is larger than the
// picture, the pixel at the edge is repeated.
func Cut(img *picture.RGB, box dataset.Box, margin float64) *picture.RGB {
	x0, y0, x1, y1 := cutFrame(img.W, img.H, box, margin)
	out := picture.NewRGB(x1-x0, y1-y0)
	inside, beyond := min(max(x0, 0), img.W), min(max(x1, 0), img.W) // columns of the picture that are in the cut
	for y := range out.H {
		source := img.Pix[3*img.W*clamp(y0+y, img.H):][:3*img.W]
		row := out.Pix[3*out.W*y:][:3*out.W]
		for x := 0; x0+x < inside; x++ {
			copy(row[3*x:], source[:3])
		}
		copy(row[3*(inside-x0):], source[3*inside:3*beyond])
		for x := beyond - x0; x < out.W; x++ {
			copy(row[3*x:], source[3*(img.W-1):])
		}
	}
	return out
}

// cutFrame is where a cut-out begins (inside) and ends (outside), in pixels of a w×h picture.
// It may reach past the edges, and holds at least one pixel.
func cutFrame(w, h int, box dataset.Box, margin float64) (x0, y0, x1, y1 int) {
	left, right := within(box.X0)*float64(w), within(box.X1)*float64(w)
	top, bottom := within(box.Y0)*float64(h), within(box.Y1)*float64(h)
	width, height := max(right-left, 1), max(bottom-top, 1)
	around := 2 * max(margin, 0) * min(width, height)
	width, height = width+around, height+around
	width, height = max(width, height/2), max(height, width/2)
	x0, x1 = span((left+right)/2, width, w)
	y0, y1 = span((top+bottom)/2, height, h)
	return x0, y0, x1, y1
}

// CutSize is the width and height of what Cut returns for a w×h picture.
func CutSize(w, h int, box dataset.Box, margin float64) (width, height int) {
	x0, y0, x1, y1 := cutFrame(w, h, box, margin)
	return x1 - x0, y1 - y0
}

// span is the whole pixels of a length around a middle, moved into 0 … all where it fits there.
func span(middle, length float64, all int) (from, to int) {
	from = int(math.Round(middle - length/2))
	n := max(int(math.Round(length)), 1)
	if n <= all {
		from = min(max(from, 0), all-n)
	}
	return from, from + n
}

// within limits a share to the picture: a box may end past its edge.
func within(share float64) float64 {
	if !(share > 0) {
		return 0
	}
	return min(share, 1)
}

// clamp is the nearest place of a list of n.
func clamp(at, n int) int { return min(max(at, 0), n-1) }

// Fit returns the picture at the largest size of its shape within w×h pixels, and no larger than it is.
func Fit(img *picture.RGB, w, h int) *picture.RGB {
	w, h = fitted(img, w, h)
	return picture.Resize(img, w, h)
}

// fitted is the size of what Fit returns.
func fitted(img *picture.RGB, w, h int) (fitW, fitH int) {
	scale := min(float64(w)/float64(img.W), float64(h)/float64(img.H), 1)
	return max(int(math.Round(float64(img.W)*scale)), 1), max(int(math.Round(float64(img.H)*scale)), 1)
}
