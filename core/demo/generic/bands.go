package generic

import (
	"math"

	"finetui/core/demo/draw"
)

// body draws the undamaged band of the thing's kind.
func (s *studio) body(b draw.Band, col draw.RGB) {
	switch s.t.Kind {
	case "road":
		s.road(b, col)
	case "pipe":
		s.pipe(b, col)
	case "plank":
		s.plank(b, col)
	case "wall":
		s.courses(b, col, draw.Between(s.rng, 2, 5), 1.9, true)
	case "path":
		s.courses(b, col, draw.Between(s.rng, 1, 3), 1, false)
	case "canal":
		s.canal(b, col)
	default:
		s.fence(b, col)
		return
	}
	s.c.Grain(b.Outline(), s.rng, draw.Uniform(s.rng, 1, 6))
}

// parts is how many pieces a band falls into lengthwise.
func (s *studio) parts(b draw.Band) int { return max(3, int(b.Length/draw.Uniform(s.rng, 5, 13))) }

func (s *studio) joints(b draw.Band, n int, col draw.RGB) {
	for i := 1; i < n; i++ {
		a := float64(i) / float64(n)
		s.c.Line([]draw.Point{b.At(a, -1), b.At(a, 1)}, 1, col.Scale(.6))
	}
}

func (s *studio) road(b draw.Band, col draw.RGB) {
	s.c.Fill(b.Outline(), col.Scale(draw.Uniform(s.rng, .45, .7)))
	if s.chance(.7) {
		n, width := max(2, s.parts(b)/3), draw.Uniform(s.rng, 1, 2.2)
		for i := range n {
			from, to := (float64(i)+.2)/float64(n), (float64(i)+.7)/float64(n)
			s.c.Line([]draw.Point{b.At(from, 0), b.At(to, 0)}, width, draw.RGB{220, 214, 190})
		}
	}
	if s.chance(.5) {
		for _, t := range []float64{-.85, .85} {
			s.c.Line(b.Strip(0, 1, t, t)[:6], 1, col.Scale(1.3))
		}
	}
}

func (s *studio) pipe(b draw.Band, col draw.RGB) {
	const slices = 9
	bright := draw.Uniform(s.rng, -.5, .5)
	for i := range slices {
		t0, t1 := -1+2*float64(i)/slices, -1+2*float64(i+1)/slices
		s.c.Fill(b.Strip(0, 1, t0, min(1, t1+.06)), col.Scale(1.25-.75*math.Abs((t0+t1)/2-bright)))
	}
	if s.chance(.6) {
		n := max(2, s.parts(b)/4)
		for i := 1; i < n; i++ {
			a := float64(i) / float64(n)
			s.c.Line([]draw.Point{b.At(a, -1), b.At(a, 1)}, 2, col.Scale(.5))
		}
	}
}

func (s *studio) plank(b draw.Band, col draw.RGB) {
	s.c.Fill(b.Outline(), col)
	for i := range draw.Between(s.rng, 4, 8) {
		t := draw.Uniform(s.rng, -.9, .9)
		var grain [7]draw.Point
		for j := range grain {
			a := float64(j) / 6
			grain[j] = b.At(a, t+.06*math.Sin(7*a+float64(i)))
		}
		s.c.Line(grain[:], 1, col.Scale(draw.Uniform(s.rng, .6, 1.25)))
	}
	for range draw.Between(s.rng, 0, 2) {
		knot := b.At(draw.Uniform(s.rng, .1, .9), draw.Uniform(s.rng, -.6, .6))
		s.c.Ellipse(knot.X, knot.Y, 2, 1.5, col.Scale(.5))
	}
}

// courses are rows of bricks (each second one shifted by half) or of slabs; long is a stone's length in its height.
func (s *studio) courses(b draw.Band, col draw.RGB, rows int, long float64, bond bool) {
	mortar := col.Scale([]float64{.6, 1.35}[s.rng.IntN(2)])
	s.c.Fill(b.Outline(), mortar)
	n := max(3, int(b.Length/b.Width*float64(rows)/long))
	joint := .5 / b.Width
	for j := range rows {
		t0, t1 := -1+2*float64(j)/float64(rows), -1+2*float64(j+1)/float64(rows)
		shift := 0.
		if bond && j%2 == 1 {
			shift = .5
		}
		for i := range n + 1 {
			a0, a1 := (float64(i)-shift)/float64(n), (float64(i)+1-shift)/float64(n)
			a0, a1 = max(0, a0)+.5/b.Length, min(1, a1)-.5/b.Length
			if a1 <= a0 {
				continue
			}
			stone := []draw.Point{b.At(a0, t0+joint), b.At(a1, t0+joint), b.At(a1, t1-joint), b.At(a0, t1-joint)}
			s.c.Fill(stone, col.Scale(draw.Uniform(s.rng, .82, 1.14)))
		}
	}
}

func (s *studio) canal(b draw.Band, col draw.RGB) {
	s.c.Fill(b.Outline(), col)
	half := draw.Uniform(s.rng, .4, .75)
	water := draw.RGB{64, 96, 120}.Jitter(s.rng, 14)
	s.c.Fill(b.Strip(0, 1, -half, half), water)
	for range draw.Between(s.rng, 2, 6) {
		a, t := draw.Uniform(s.rng, 0, .8), draw.Uniform(s.rng, -half, half)*.9
		ripple := []draw.Point{b.At(a, t), b.At(a+draw.Uniform(s.rng, .08, .2), t)}
		s.c.Line(ripple, 1, water.Scale(draw.Uniform(s.rng, .7, 1.5)))
	}
	if s.chance(.5) {
		n := max(2, s.parts(b)/2)
		for i := 1; i < n; i++ {
			a := float64(i) / float64(n)
			for _, side := range []float64{-1, 1} {
				s.c.Line([]draw.Point{b.At(a, side*half), b.At(a, side)}, 1, col.Scale(.6))
			}
		}
	}
}

func (s *studio) fence(b draw.Band, col draw.RGB) {
	for _, t := range []float64{-.6, .5} {
		s.c.Line(b.Strip(0, 1, t, t)[:6], 2, col.Scale(.8))
	}
	n := max(4, int(b.Length/draw.Uniform(s.rng, 6, 11)))
	for i := range n + 1 {
		a := float64(i) / float64(n)
		s.c.Line([]draw.Point{b.At(a+.012, -1), b.At(a+.012, 1)}, 2, draw.RGB{60, 54, 46})
		s.c.Line([]draw.Point{b.At(a, -1), b.At(a, 1)}, draw.Uniform(s.rng, 2, 3.2),
			col.Scale(draw.Uniform(s.rng, .85, 1.15)))
	}
}
