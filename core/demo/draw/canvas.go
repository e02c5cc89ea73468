// Package draw paints small photograph-like pictures: ground, things that lie on it, damage, debris, a camera.
// It never knows what a picture is for: no class, no label and no file is known here.
package draw

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
)

// Point is a position in drawing units, x to the right, y downwards.
type Point struct{ X, Y float64 }

// RGB is an opaque colour.
type RGB [3]uint8

// Canvas is a picture of W×H pixels, three bytes each in the order red, green, blue, row by row.
// Everything is drawn in units; one unit is Unit pixels, so the same drawing fits canvases of several sizes.
type Canvas struct {
	W, H int
	Unit float64
	Pix  []uint8

	points []Point   // polygon in pixels
	xs     []float64 // crossings of one sub-scanline
	row    []float32 // coverage of one row, as differences while it is gathered
}

// New returns a black canvas of w×h pixels with unit pixels to the drawing unit.
func New(w, h int, unit float64) *Canvas {
	return &Canvas{W: w, H: h, Unit: unit, Pix: make([]uint8, 3*w*h)}
}

// Clone returns an independent copy.
func (c *Canvas) Clone() *Canvas {
	return &Canvas{W: c.W, H: c.H, Unit: c.Unit, Pix: slices.Clone(c.Pix)}
}

// Width is the canvas's width in units.
func (c *Canvas) Width() float64 { return float64(c.W) / c.Unit }

// Height is the canvas's height in units.
func (c *Canvas) Height() float64 { return float64(c.H) / c.Unit }

// Image returns the picture as Go's encoders like it best; it is a copy.
func (c *Canvas) Image() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, c.W, c.H))
	for i, j := 0, 0; i < len(c.Pix); i, j = i+3, j+4 {
		m.Pix[j], m.Pix[j+1], m.Pix[j+2], m.Pix[j+3] = c.Pix[i], c.Pix[i+1], c.Pix[i+2], 255
	}
	return m
}

// subRows is the number of sub-scanlines a pixel row is sampled with; across, coverage is exact.
const subRows = 4

// scan calls paint once for each pixel row that the polygon touches, with the covered share (0 to 1) of each
// pixel from x0 on. Overlapping parts of one outline cancel (even-odd).
func (c *Canvas) scan(outline []Point, paint func(y, x0 int, cover []float32)) {
	if len(outline) < 3 {
		return
	}
	p := c.points[:0]
	left, right, top, bottom := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, q := range outline {
		q = Point{q.X * c.Unit, q.Y * c.Unit}
		left, right = min(left, q.X), max(right, q.X)
		top, bottom = min(top, q.Y), max(bottom, q.Y)
		p = append(p, q)
	}
	c.points = p
	x0, x1 := max(0, int(math.Floor(left))), min(c.W, int(math.Ceil(right)))
	y0, y1 := max(0, int(math.Floor(top))), min(c.H, int(math.Ceil(bottom)))
	if x0 >= x1 || y0 >= y1 {
		return
	}
	if cap(c.row) < x1-x0+2 {
		c.row = make([]float32, c.W+2)
	}
	row := c.row[:x1-x0+2]
	for y := y0; y < y1; y++ {
		clear(row)
		for k := range subRows {
			c.crossings(float64(y) + (float64(k)+.5)/subRows)
			for i := 0; i+1 < len(c.xs); i += 2 {
				addEdge(row, c.xs[i]-float64(x0), 1./subRows)
				addEdge(row, c.xs[i+1]-float64(x0), -1./subRows)
			}
		}
		sum := float32(0)
		for i := range row {
			sum += row[i]
			row[i] = sum
		}
		paint(y, x0, row[:x1-x0])
	}
}

// crossings gathers where the polygon in c.points crosses the height y, sorted.
func (c *Canvas) crossings(y float64) {
	xs := c.xs[:0]
	a := c.points[len(c.points)-1]
	for _, b := range c.points {
		if (a.Y <= y) != (b.Y <= y) {
			x := a.X + (b.X-a.X)*(y-a.Y)/(b.Y-a.Y)
			i := len(xs)
			xs = append(xs, x)
			for ; i > 0 && xs[i-1] > x; i-- {
				xs[i] = xs[i-1]
			}
			xs[i] = x
		}
		a = b
	}
	c.xs = xs
}

// addEdge lets everything right of x gain q in a row of differences.
func addEdge(row []float32, x float64, q float32) {
	x = min(max(x, 0), float64(len(row)-2))
	i := int(x)
	f := float32(x - float64(i))
	row[i] += (1 - f) * q
	row[i+1] += f * q
}

// Fill paints a polygon in one colour with smooth edges.
func (c *Canvas) Fill(outline []Point, col RGB) {
	r, g, b := int32(col[0]), int32(col[1]), int32(col[2])
	c.scan(outline, func(y, x0 int, cover []float32) {
		at := c.Pix[3*(y*c.W+x0):]
		for _, v := range cover {
			a := int32(v*256 + .5)
			if a > 0 {
				at[0] = uint8(int32(at[0]) + ((r-int32(at[0]))*a)>>8)
				at[1] = uint8(int32(at[1]) + ((g-int32(at[1]))*a)>>8)
				at[2] = uint8(int32(at[2]) + ((b-int32(at[2]))*a)>>8)
			}
			at = at[3:]
		}
	})
}

// Shade multiplies what lies under a polygon by f, below 1 for a shadow.
func (c *Canvas) Shade(outline []Point, f float64) {
	c.scan(outline, func(y, x0 int, cover []float32) {
		at := c.Pix[3*(y*c.W+x0):]
		for i, v := range cover {
			if v > 0 {
				k := 1 + v*(float32(f)-1)
				for ch := range 3 {
					at[3*i+ch] = uint8(min(255, float32(at[3*i+ch])*k))
				}
			}
		}
	})
}

// Grain roughens the brightness under a polygon: sd is the standard deviation in levels (0 to 255).
func (c *Canvas) Grain(outline []Point, rng *rand.Rand, sd float64) {
	c.scan(outline, func(y, x0 int, cover []float32) {
		at := c.Pix[3*(y*c.W+x0):]
		for i, v := range cover {
			if v > 0 {
				k := v * float32(sd) * gauss(rng)
				for ch := range 3 {
					at[3*i+ch] = level(float32(at[3*i+ch]) + k)
				}
			}
		}
	})
}

// Line draws an open line of the given width through the points.
func (c *Canvas) Line(points []Point, width float64, col RGB) {
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		dx, dy := b.X-a.X, b.Y-a.Y
		n := math.Hypot(dx, dy)
		if n < 1e-9 {
			continue
		}
		dx, dy = dx/n*width/2, dy/n*width/2
		// a little over each end, so that bends show no gap
		ax, ay, bx, by := a.X-dx*.6, a.Y-dy*.6, b.X+dx*.6, b.Y+dy*.6
		q := [4]Point{{ax - dy, ay + dx}, {bx - dy, by + dx}, {bx + dy, by - dx}, {ax + dy, ay - dx}}
		c.Fill(q[:], col)
	}
}

// Ellipse fills an upright ellipse.
func (c *Canvas) Ellipse(x, y, rx, ry float64, col RGB) {
	var p [12]Point
	for i := range p {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(p)))
		p[i] = Point{x + rx*cos, y + ry*sin}
	}
	c.Fill(p[:], col)
}

// Mean is the average colour of the picture.
func (c *Canvas) Mean() RGB {
	var sum [3]int
	for i := 0; i < len(c.Pix); i += 3 {
		sum[0] += int(c.Pix[i])
		sum[1] += int(c.Pix[i+1])
		sum[2] += int(c.Pix[i+2])
	}
	n := max(1, c.W*c.H)
	return RGB{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n)}
}

// Scale multiplies the colour's brightness by f.
func (c RGB) Scale(f float64) RGB {
	k := float32(f)
	return RGB{level(float32(c[0]) * k), level(float32(c[1]) * k), level(float32(c[2]) * k)}
}

// Mix returns the colour a share t of the way towards d.
func (c RGB) Mix(d RGB, t float64) RGB {
	var m RGB
	for i := range m {
		m[i] = level(float32(float64(c[i]) + (float64(d[i])-float64(c[i]))*t))
	}
	return m
}

// Jitter changes the colour at random, brightness more than hue; sd is in levels.
func (c RGB) Jitter(rng *rand.Rand, sd float64) RGB {
	all := gauss(rng) * float32(.75*sd)
	var j RGB
	for i := range j {
		j[i] = level(float32(c[i]) + all + gauss(rng)*float32(.6*sd))
	}
	return j
}

func level(v float32) uint8 {
	if v <= 0 {
		return 0
	}
	if v >= 255 {
		return 255
	}
	return uint8(v)
}

// gauss is a quick normal deviate: the sum of the four quarters of one random word, mean 0, variance 1, cut at ±3.5.
func gauss(rng *rand.Rand) float32 {
	const mean, sd = 2 * 65535, 37837.2
	u := rng.Uint64()
	return float32(int(u&0xffff)+int(u>>16&0xffff)+int(u>>32&0xffff)+int(u>>48)-mean) / sd
}

// Normal is a normal deviate.
func Normal(rng *rand.Rand, mean, sd float64) float64 { return mean + sd*float64(gauss(rng)) }

// Uniform is a number from lo to hi.
func Uniform(rng *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }

// Between is a whole number from lo to hi, both possible.
func Between(rng *rand.Rand, lo, hi int) int { return lo + rng.IntN(hi-lo+1) }

// Weighted draws an index with the probabilities w/Σw.
func Weighted(rng *rand.Rand, w ...float64) int {
	sum := 0.
	for _, v := range w {
		sum += v
	}
	u := rng.Float64() * sum
	for i, v := range w {
		if u < v {
			return i
		}
		u -= v
	}
	return len(w) - 1
}
