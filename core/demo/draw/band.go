package draw

import (
	"math"
	"math/rand/v2"
)

// Band is a long thing with a frame of its own: s from 0 to 1 along it, t from −1 to 1 across.
type Band struct {
	Length, Width float64
	start         Point
	along, across Point // the whole length; half the width
	bend          Point
}

// NewBand lies between two points; bend is the bow in its middle, in widths.
func NewBand(a, b Point, width, bend float64) Band {
	dx, dy := b.X-a.X, b.Y-a.Y
	n := math.Hypot(dx, dy)
	nx, ny := -dy/n, dx/n
	return Band{Length: n, Width: width, start: a, along: Point{dx, dy}, across: Point{nx * width / 2, ny * width / 2},
		bend: Point{nx * bend * width, ny * bend * width}}
}

// At is the point at (s, t).
func (b Band) At(s, t float64) Point {
	bow := math.Sin(math.Pi * s)
	return Point{b.start.X + b.along.X*s + b.across.X*t + b.bend.X*bow, b.start.Y + b.along.Y*s + b.across.Y*t +
		b.bend.Y*bow}
}

// Strip is the outline of the part from s0 to s1 and t0 to t1.
func (b Band) Strip(s0, s1, t0, t1 float64) []Point {
	const k = 6
	p := make([]Point, 2*k)
	for i := range k {
		s := s0 + (s1-s0)*float64(i)/(k-1)
		p[i], p[2*k-1-i] = b.At(s, t0), b.At(s, t1)
	}
	return p
}

// Outline is the whole band.
func (b Band) Outline() []Point { return b.Strip(0, 1, -1, 1) }

// Moved is an outline shifted by (dx, dy): where a shadow falls.
func Moved(outline []Point, dx, dy float64) []Point {
	p := make([]Point, len(outline))
	for i, q := range outline {
		p[i] = Point{q.X + dx, q.Y + dy}
	}
	return p
}

// Blob is an uneven round outline of k corners with radii rx and ry, turned by turn radians.
func Blob(rng *rand.Rand, x, y, rx, ry float64, k int, rough, turn float64) []Point {
	p := make([]Point, k)
	sin, cos := math.Sincos(turn)
	start := rng.Float64()
	for i := range p {
		s, c := math.Sincos(start + 2*math.Pi*float64(i)/float64(k))
		r := 1 + Uniform(rng, -rough, rough)
		a, b := rx*r*c, ry*r*s
		p[i] = Point{x + a*cos - b*sin, y + a*sin + b*cos}
	}
	return p
}

func anyTurn(rng *rand.Rand) float64 { return rng.Float64() * math.Pi }

// Stains are dull spots on a band: they mean nothing and lie on everything.
func (c *Canvas) Stains(rng *rand.Rand, b Band, n int, col RGB) {
	for range n {
		p := b.At(rng.Float64(), Uniform(rng, -.9, .9))
		r := Uniform(rng, 1, 3.5)
		c.Ellipse(p.X, p.Y, r, r, col.Scale(Uniform(rng, .72, .92)))
	}
}

// StrayLeaves are n single leaves on and beside a band, too few to be debris.
func (c *Canvas) StrayLeaves(rng *rand.Rand, b Band, n int) {
	for range n {
		p := b.At(rng.Float64(), Uniform(rng, -1.1, 1.1))
		c.leaf(rng, p, Uniform(rng, 1.4, 3.6))
	}
}

var leafColours = []RGB{{140, 96, 40}, {166, 120, 50}, {110, 84, 40}, {96, 110, 48}, {120, 130, 60}, {172, 92, 40},
	{88, 70, 44}}

func (c *Canvas) leaf(rng *rand.Rand, p Point, r float64) {
	col := leafColours[rng.IntN(len(leafColours))].Jitter(rng, 14)
	c.Fill(Blob(rng, p.X, p.Y, r*1.35, r*.75, 6, .2, anyTurn(rng)), col)
}
