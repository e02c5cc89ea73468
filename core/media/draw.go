package media

import (
	"image/color"
	"math"

	"finetui/core/dataset"
	"finetui/ml/picture"
)

// palette holds colours that also people who see few of them tell apart (Okabe and Ito), without black, on which
// photographs lie anyway.
var palette = []color.RGBA{
	{230, 159, 0, 255}, {86, 180, 233, 255}, {0, 158, 115, 255}, {240, 228, 66, 255},
	{0, 114, 178, 255}, {213, 94, 0, 255}, {204, 121, 167, 255}, {255, 255, 255, 255},
}

// Colour is the colour of the nth class or condition; they repeat after the eighth.
func Colour(n int) color.RGBA { return palette[(n%len(palette)+len(palette))%len(palette)] }

// Objects returns a copy of the picture with the objects on it: outlines where the label is one, boxes otherwise.
func Objects(img *picture.RGB, objects []dataset.Object, colour func(dataset.Object) color.RGBA) *picture.RGB {
	out := clone(img)
	thick := thickness(out)
	for _, object := range objects {
		rings := object.Rings()
		if rings == nil {
			drawFrame(out, object.Box, thick, colour(object))
		}
		for _, ring := range rings {
			drawPolygon(out, ring, thick, colour(object))
		}
	}
	return out
}

// thickness of a line in pixels: 3 on the 336 of the demo's pictures, in proportion on others, at least 1.
func thickness(img *picture.RGB) int {
	return max((min(img.W, img.H)+56)/112, 1)
}

// drawFrame draws a rectangle just outside of a box, as far as there is room.
func drawFrame(img *picture.RGB, box dataset.Box, thick int, colour color.RGBA) {
	x0, x1 := frameSides(box.X0, box.X1, img.W, thick)
	y0, y1 := frameSides(box.Y0, box.Y1, img.H, thick)
	fill(img, x0, y0, x1, y0+thick, colour)
	fill(img, x0, y1-thick, x1, y1, colour)
	fill(img, x0, y0, x0+thick, y1, colour)
	fill(img, x1-thick, y0, x1, y1, colour)
}

// frameSides is where a frame begins (inside) and ends (outside) along one axis of n pixels.
func frameSides(from, to float64, n, thick int) (begin, end int) {
	begin = int(math.Floor(within(from)*float64(n))) - thick
	end = int(math.Ceil(within(to)*float64(n))) + thick
	return max(begin, 0), min(end, n)
}

// fill paints the columns from x0 up to x1 of the rows from y0 up to y1, as far as they lie inside.
func fill(img *picture.RGB, x0, y0, x1, y1 int, colour color.RGBA) {
	for y := max(y0, 0); y < min(y1, img.H); y++ {
		for x := max(x0, 0); x < min(x1, img.W); x++ {
			put(img, x, y, colour)
		}
	}
}

func put(img *picture.RGB, x, y int, colour color.RGBA) {
	at := 3 * (y*img.W + x)
	img.Pix[at], img.Pix[at+1], img.Pix[at+2] = colour.R, colour.G, colour.B
}

// drawPolygon draws the closed line through the points.
func drawPolygon(img *picture.RGB, points []dataset.Point, thick int, colour color.RGBA) {
	for i, point := range points {
		next := points[(i+1)%len(points)]
		drawLine(img,
			within(point.X)*float64(img.W), within(point.Y)*float64(img.H),
			within(next.X)*float64(img.W), within(next.Y)*float64(img.H), thick, colour)
	}
}

// drawLine colours the pixels whose middle lies within half the thickness of the line between two points. It goes along
// the longer side, so that a long line costs its length, not its square.
func drawLine(img *picture.RGB, x0, y0, x1, y1 float64, thick int, colour color.RGBA) {
	reach := max(float64(thick)/2, 0.5)
	dx, dy := x1-x0, y1-y0
	length := math.Hypot(dx, dy)
	steps := max(int(math.Ceil(length/reach)), 1)
	for step := range steps + 1 {
		share := float64(step) / float64(steps)
		x, y := x0+share*dx, y0+share*dy
		for py := int(math.Floor(y - reach)); py <= int(math.Ceil(y+reach)); py++ {
			for px := int(math.Floor(x - reach)); px <= int(math.Ceil(x+reach)); px++ {
				if px < 0 || py < 0 || px >= img.W || py >= img.H {
					continue
				}
				if distance(float64(px)+0.5, float64(py)+0.5, x0, y0, dx, dy) <= reach {
					put(img, px, py, colour)
				}
			}
		}
	}
}

// distance of a point to the line of direction (dx, dy) that starts in (x0, y0) and ends after that direction once.
func distance(x, y, x0, y0, dx, dy float64) float64 {
	square := dx*dx + dy*dy
	share := 0.0
	if square > 0 {
		share = min(max(((x-x0)*dx+(y-y0)*dy)/square, 0), 1)
	}
	return math.Hypot(x-x0-share*dx, y-y0-share*dy)
}
