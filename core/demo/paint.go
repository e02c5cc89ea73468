package demo

import (
	"math/rand/v2"

	"finetui/core/demo/draw"
)

// paint draws an image with everything in it, side pixels square.
func (p photo) paint(rng *rand.Rand, side int) *draw.Canvas {
	c := draw.New(side, side, float64(side)/studySide)
	kinds := []string{"grass", "soil"}
	c.Ground(rng, kinds[draw.Weighted(rng, .6, .4)], []string{"soil", "grass", "gravel"}[rng.IntN(3)])
	berms(c, rng)
	soil := c.Soil(rng)
	for _, o := range p.objects {
		switch shapeOf(o.class) {
		case chute, trough:
			o.drain(c, rng, soil)
		case rocks:
			o.rocks(c, rng, soil)
		default:
			c.Bush(rng, o.x-o.w/2, o.y-o.h/2, o.w, o.h, draw.Greens)
		}
	}
	draw.Drone.Shoot(c, rng)
	return c
}

// berms are faint steps across the slope: a lit edge that fades into a shaded one.
func berms(c *draw.Canvas, rng *rand.Rand) {
	for range draw.Between(rng, 0, 3) {
		y, lean := draw.Uniform(rng, .05, .95)*studySide, draw.Normal(rng, 0, 10)
		edge := draw.NewBand(draw.Point{X: -10, Y: y - lean}, draw.Point{X: studySide + 10, Y: y + lean},
			draw.Uniform(rng, 6, 14), draw.Normal(rng, 0, .6))
		lit, dark := draw.Uniform(rng, 1.01, 1.03), draw.Uniform(rng, .95, .98)
		for step := range 4 { // nested strips: soft borders
			t := float64(step) * .22
			c.Shade(edge.Strip(0, 1, -1.3+t, .3-t*.5), lit)
			c.Shade(edge.Strip(0, 1, .3+t*.6, 2.2-t), dark)
		}
	}
}

var concrete = []draw.RGB{{176, 172, 162}, {160, 158, 152}, {188, 182, 168}, {150, 150, 148}, {170, 166, 150}}

// drain is a trough or a chute with what has happened to it. Stains, joints and stray leaves come in every condition.
func (o object) drain(c *draw.Canvas, rng *rand.Rand, soil draw.RGB) {
	b := o.band()
	col := concrete[rng.IntN(len(concrete))].Jitter(rng, 8)
	c.Shade(draw.Moved(b.Outline(), 2, 2), draw.Uniform(rng, .5, .65))
	c.Fill(b.Outline(), col)
	bed := draw.Uniform(rng, .5, .66) // half the width of the channel, in half widths
	if shapeOf(o.class) == trough {
		troughBed(c, rng, b, col, bed)
	} else {
		chuteSteps(c, rng, b, col, bed)
	}
	c.Grain(b.Outline(), rng, draw.Uniform(rng, 1, 5))
	c.Stains(rng, b, draw.Between(rng, 0, 3), col)
	if rng.Float64() < .5 {
		c.StrayLeaves(rng, b, draw.Between(rng, 1, 4))
	}
	if damaged(o.class) {
		c.Bites(rng, b, draw.Between(rng, 1, 3), 1, soil)
		c.Cracks(rng, b, draw.Between(rng, 2, 4))
	}
	if blocked(o.class) {
		what := []string{"leaves", "soil", "rubble"}[draw.Weighted(rng, .45, .35, .2)]
		c.Cover(rng, b, what, bed*1.05, draw.Uniform(rng, .4, .85), 1)
	}
}

// troughBed is a wet bed, darkest in the middle, with joints two widths apart.
func troughBed(c *draw.Canvas, rng *rand.Rand, b draw.Band, col draw.RGB, bed float64) {
	c.Fill(b.Strip(0, 1, -bed, bed), col.Scale(draw.Uniform(rng, .66, .8)))
	wet := draw.RGB{80, 85, 90}
	c.Fill(b.Strip(0, 1, -bed*.45, bed*.45), col.Mix(wet, .15).Scale(draw.Uniform(rng, .54, .66)))
	n := max(2, int(b.Length/(b.Width*draw.Uniform(rng, 1.6, 2.4))))
	for i := 1; i < n; i++ {
		s := float64(i) / float64(n)
		c.Line([]draw.Point{b.At(s, -1), b.At(s, 1)}, 1, col.Scale(draw.Uniform(rng, .5, .62)))
	}
}

// chuteSteps is a channel in the shade of one rim, with a step every half width.
func chuteSteps(c *draw.Canvas, rng *rand.Rand, b draw.Band, col draw.RGB, bed float64) {
	c.Fill(b.Strip(0, 1, -bed, bed), col.Scale(draw.Uniform(rng, .66, .8)))
	c.Fill(b.Strip(0, 1, -bed, -bed*.6), col.Scale(draw.Uniform(rng, .42, .56)))
	n := max(2, int(b.Length/(b.Width*draw.Uniform(rng, .45, .75))))
	for i := 1; i < n; i++ {
		s, lip := float64(i)/float64(n), float64(i)/float64(n)+1.3/b.Length
		c.Line([]draw.Point{b.At(s, -bed), b.At(s, bed)}, 1, col.Scale(draw.Uniform(rng, .5, .62)))
		c.Line([]draw.Point{b.At(lip, -bed), b.At(lip, bed)}, 1, col.Scale(.95))
	}
}

// rocks is a band of stones; a damaged one has gaps in which the earth shows, and stones that rolled down.
func (o object) rocks(c *draw.Canvas, rng *rand.Rand, soil draw.RGB) {
	hp := draw.Heap{X: o.x - o.w/2, Y: o.y - o.h/2, W: o.w, H: o.h, Piece: draw.Boulder, Size: o.stone,
		Spacing: 1.75, Row: 1.35,
		Colour: draw.RGB{142, 138, 130}.Jitter(rng, 10)}
	if damaged(o.class) {
		for range draw.Between(rng, 1, 2) {
			wide := draw.Uniform(rng, .19, .33)
			from := draw.Uniform(rng, .08, .92-wide)
			hp.Gaps = append(hp.Gaps, draw.Gap{From: from, To: from + wide, Part: []draw.GapPart{draw.GapWhole,
				draw.GapUpper}[rng.IntN(2)]})
		}
		for _, g := range hp.Gaps {
			if rng.Float64() < .9 {
				hp.Hole(c, rng, g, soil)
			}
		}
	}
	hp.Draw(c, rng)
	if damaged(o.class) {
		hp.Scatter(c, rng, draw.Between(rng, 2, 5), .1, 1.2)
	}
	if rng.Float64() < .3 {
		b := draw.NewBand(draw.Point{X: o.x - o.w/2, Y: o.y}, draw.Point{X: o.x + o.w/2, Y: o.y}, o.h, 0)
		c.StrayLeaves(rng, b, draw.Between(rng, 1, 3))
	}
}
