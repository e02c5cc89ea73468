package draw

import (
	"math"
	"math/rand/v2"
)

// Gap is a hole in a heap, from and to as shares of its width.
type Gap struct {
	From, To float64
	Part     GapPart
}

// GapPart says which rows of a heap a gap goes through.
type GapPart int

// The parts: all rows, those in the upper 65 %, or the rest.
const (
	GapWhole GapPart = iota
	GapUpper
	GapLower
)

// Holds says whether the gap is at (u, v), shares of the heap's width and height.
func (g Gap) Holds(u, v float64) bool {
	if u <= g.From || u >= g.To {
		return false
	}
	return g.Part == GapWhole || (v < .65) == (g.Part == GapUpper)
}

// Piece is what a heap is made of.
type Piece int

// The pieces: uneven stones, stones of many shapes, blocks with four corners, logs seen from the end.
const (
	Boulder Piece = iota
	Pebble
	Block
	Log
)

// Heap is rows of pieces, laid like masonry.
type Heap struct {
	X, Y, W, H   float64
	Piece        Piece
	Size         float64 // mean radius of a piece
	Spacing, Row float64 // distance within and between rows, in sizes
	Colour       RGB
	Gaps         []Gap
	Pointed      bool // narrower towards the top
}

// Hole shows the earth in one gap.
func (h Heap) Hole(c *Canvas, rng *rand.Rand, g Gap, soil RGB) {
	mid, wide := (g.From+g.To)/2, g.To-g.From
	c.earth(rng, Blob(rng, h.X+h.W*mid, h.Y+h.H/2, h.W*wide*.58, h.H*.48, 9, .2, 0), soil.Jitter(rng, 6))
}

// Draw lays the rows and leaves the gaps out.
func (h Heap) Draw(c *Canvas, rng *rand.Rand) {
	rows := max(2, int(h.H/(h.Size*h.Row)+.5))
	n := max(2, int(h.W/(h.Size*h.Spacing)+.5))
	for j := range rows {
		v := (float64(j) + .5) / float64(rows)
		for i := range n {
			u := (float64(i) + .5 + .4*float64(j%2) + Normal(rng, 0, .085)) / float64(n)
			if u > 1 || h.missing(u, v) {
				continue
			}
			if h.Pointed && math.Abs(u-.5) > .5*(float64(j)+1.2)/float64(rows) {
				continue
			}
			h.piece(c, rng, h.X+u*h.W, h.Y+v*h.H+Normal(rng, 0, h.Size*.12), h.Size*Uniform(rng, .79, 1.11))
		}
	}
}

func (h Heap) missing(u, v float64) bool {
	for _, g := range h.Gaps {
		if g.Holds(u, v) {
			return true
		}
	}
	return false
}

// Scatter drops n displaced pieces below the heap, from lo to hi sizes away.
func (h Heap) Scatter(c *Canvas, rng *rand.Rand, n int, lo, hi float64) {
	for range n {
		h.piece(c, rng, h.X+Uniform(rng, 0, 1)*h.W, h.Y+h.H+Uniform(rng, lo, hi)*h.Size, h.Size*Uniform(rng, .6, .95))
	}
}

func (h Heap) piece(c *Canvas, rng *rand.Rand, x, y, r float64) {
	col := h.Colour.Scale(Uniform(rng, .72, 1.22))
	var p []Point
	switch h.Piece {
	case Boulder:
		p = Blob(rng, x, y, r*1.12, r*.82, 7, .18, Uniform(rng, -.4, .4))
	case Pebble:
		p = Blob(rng, x, y, r*Uniform(rng, .85, 1.15), r*Uniform(rng, .7, 1), Between(rng, 5, 9), .2, anyTurn(rng))
	case Block:
		p = block(x, y, r*1.05, r*.75, Normal(rng, 0, .12))
	default:
		p = Blob(rng, x, y, r*.95, r*.95, 10, .05, 0)
	}
	c.Fill(Moved(p, r*.14, r*.22), h.Colour.Scale(.38))
	c.Fill(p, col)
	switch {
	case h.Piece == Log:
		c.Ellipse(x, y, r*.55, r*.55, col.Scale(.68))
		c.Ellipse(x, y, r*.4, r*.4, col.Scale(1.05))
	case r > 2.5 && rng.Float64() < .8: // the sunny side
		c.Fill(facet(p, x-r*.12, y-r*.16, .62), col.Scale(Uniform(rng, 1.06, 1.18)))
	}
}

func block(x, y, rx, ry, turn float64) []Point {
	sin, cos := math.Sincos(turn)
	p := make([]Point, 4)
	for i, q := range [4]Point{{-rx, -ry}, {rx, -ry}, {rx, ry}, {-rx, ry}} {
		p[i] = Point{x + q.X*cos - q.Y*sin, y + q.X*sin + q.Y*cos}
	}
	return p
}

// facet is an outline shrunk towards a point.
func facet(outline []Point, x, y, f float64) []Point {
	p := make([]Point, len(outline))
	for i, q := range outline {
		p[i] = Point{x + (q.X-x)*f, y + (q.Y-y)*f}
	}
	return p
}

// Greens are the colours of a bush.
var Greens = []RGB{{58, 92, 40}, {74, 110, 46}, {46, 78, 36}, {92, 120, 52}}

// Bush grows leaves in an ellipse of w×h around its corner (x, y), darker below, over a shadow.
func (c *Canvas) Bush(rng *rand.Rand, x, y, w, h float64, colours []RGB) {
	cx, cy := x+w/2, y+h/2
	cols := make([]RGB, len(colours))
	for i := range cols {
		cols[i] = colours[i].Jitter(rng, 8)
	}
	c.Shade(Blob(rng, cx+2, cy+3, w*.44, h*.44, 12, .1, 0), .6)
	n := int(18 + w*h/45)
	for i := range n {
		sin, cos := math.Sincos(rng.Float64() * 2 * math.Pi)
		q := .45 * math.Sqrt(rng.Float64())
		px, py := cx+q*w*cos, cy+q*h*sin
		r := Uniform(rng, 2, 5.2)
		depth := .75 + .35*float64(i)/float64(n) // later leaves lie on top and catch the light
		col := cols[rng.IntN(len(cols))].Scale(Uniform(rng, .75, 1.3) * depth * (1.05 - .3*(py-cy)/h))
		c.Fill(Blob(rng, px, py, r, r*.8, 7, .3, anyTurn(rng)), col)
	}
}

// Flowers are n blossoms over a bush of w×h around (x, y), its middle.
func (c *Canvas) Flowers(rng *rand.Rand, x, y, w, h float64, n int, col RGB) {
	for range n {
		r := Uniform(rng, 1.3, 3)
		c.Ellipse(Normal(rng, x, w/5), Normal(rng, y, h/5), r, r, col.Jitter(rng, 14))
	}
}

// Pond is a water patch around (x, y) with radii rx and ry.
func (c *Canvas) Pond(rng *rand.Rand, x, y, rx, ry float64, water, shore RGB) {
	edge := Blob(rng, x, y, rx, ry, 14, .12, 0)
	c.Fill(edge, shore.Scale(.6))
	c.Fill(facet(edge, x, y, .96), water)
	c.Fill(facet(edge, x+rx*.05, y+ry*.05, .6), water.Scale(.9))
	for range Between(rng, 2, 7) {
		px, py := Normal(rng, x, rx*.35), Normal(rng, y, ry*.35)
		c.Line([]Point{{px, py}, {px + Uniform(rng, 5, 16), py}}, 1, water.Scale(1.3))
	}
}

// LeavesAround strews n leaves around (x, y) with the standard deviation sd.
func (c *Canvas) LeavesAround(rng *rand.Rand, x, y, sd float64, n int) {
	for range n {
		c.leaf(rng, Point{Normal(rng, x, sd), Normal(rng, y, sd)}, Uniform(rng, 1.6, 3.6))
	}
}
