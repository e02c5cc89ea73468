package generic

import (
	"math"
	"math/rand/v2"

	"finetui/core/demo/draw"
)

// studio is one thing being drawn. With cells > 0 it marks the dense maps, by comparing the canvas around each step.
type studio struct {
	c     *draw.Canvas
	rng   *rand.Rand
	t     *Thing
	soil  draw.RGB
	cells int
}

func (s *studio) chance(p float64) bool { return s.rng.Float64() < p }

// differs is the smallest change of a channel, in levels, that counts as painted.
const differs = 12

// marking runs a drawing step and marks the cells in which it changed at least the given share of the pixels.
func (s *studio) marking(m Map, share float64, step func()) {
	if s.cells == 0 {
		step()
		return
	}
	before := s.c.Clone()
	step()
	n, w, h := s.cells, s.c.W, s.c.H
	count := make([]int, n*n)
	for y := range h {
		row := y * n / h * n
		for x := range w {
			if changed(before, s.c, 3*(y*w+x)) {
				count[row+x*n/w]++
			}
		}
	}
	least := share * float64(w*h) / float64(n*n)
	for i, k := range count {
		if float64(k) >= least {
			s.t.Maps[m][i] = true
		}
	}
}

func changed(a, b *draw.Canvas, i int) bool {
	for ch := range 3 {
		if d := int(a.Pix[i+ch]) - int(b.Pix[i+ch]); d > differs || d < -differs {
			return true
		}
	}
	return false
}

// neighbour lets something else look in at the edge: it belongs to no map.
func (s *studio) neighbour() {
	w, h := s.c.Width(), s.c.Height()
	x, y := draw.Uniform(s.rng, -.15, .1)*w, draw.Uniform(s.rng, .1, .9)*h
	if s.chance(.5) {
		x = w - x
	}
	if s.chance(.5) {
		x, y = y/h*w, x/w*h
	}
	switch draw.Weighted(s.rng, .4, .35, .25) {
	case 0:
		s.c.Bush(s.rng, x-15, y-15, 30, 30, draw.Greens)
	case 1:
		s.heap("heap", colours["grey"].Jitter(s.rng, 10), x-15, y-10, 30, 20).Draw(s.c, s.rng)
	default:
		turn := s.rng.Float64() * math.Pi
		dx, dy := 25*math.Cos(turn), 25*math.Sin(turn)
		b := draw.NewBand(draw.Point{X: x - dx, Y: y - dy}, draw.Point{X: x + dx, Y: y + dy},
			draw.Uniform(s.rng, 12, 26), 0)
		col := colours["grey"].Jitter(s.rng, 14)
		s.c.Shade(draw.Moved(b.Outline(), 2, 2), .6)
		s.c.Fill(b.Outline(), col)
		s.joints(b, 4, col)
	}
}

// thing draws what the studio is for and fills in the rest of its description.
func (s *studio) thing() {
	t := s.t
	names := kindColours[t.Kind]
	t.Colour = names[s.rng.IntN(len(names))]
	col := colours[t.Colour].Jitter(s.rng, 10)
	bare := s.c.Clone()
	switch {
	case isBand(t.Kind):
		s.band(col)
	case t.IsHeap():
		s.pieces(col)
	case t.Kind == "pond":
		s.pond()
	case t.Kind != "ground":
		s.plants(col)
	}
	t.Box = painted(bare, s.c)
}

// painted is the box, in pixels, around all that changed; the whole canvas where nothing did.
func painted(a, b *draw.Canvas) [4]float64 {
	x0, y0, x1, y1 := a.W, a.H, 0, 0
	for y := range a.H {
		for x := range a.W {
			if changed(a, b, 3*(y*a.W+x)) {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	if x0 >= x1 {
		return [4]float64{0, 0, float64(a.W), float64(a.H)}
	}
	return [4]float64{float64(x0), float64(y0), float64(x1), float64(y1)}
}

func (s *studio) band(col draw.RGB) {
	t, rng := s.t, s.rng
	w, h := s.c.Width(), s.c.Height()
	long, wide := w, h
	turn := 0.
	switch t.Direction {
	case "upright":
		long, wide, turn = h, w, math.Pi/2
	case "slanted":
		turn = math.Pi / 4
		if s.chance(.5) {
			turn = -turn
		}
	}
	turn += draw.Normal(rng, 0, .1)
	long *= draw.Uniform(rng, .8, 1.05)
	if s.chance(.8) {
		wide *= draw.Uniform(rng, .26, .62)
	} else {
		wide *= draw.Uniform(rng, .16, .3)
	}
	cx, cy := w/2+draw.Normal(rng, 0, w*.03), h/2+draw.Normal(rng, 0, h*.03)
	dx, dy := math.Cos(turn)*long/2, math.Sin(turn)*long/2
	b := draw.NewBand(draw.Point{X: cx - dx, Y: cy - dy}, draw.Point{X: cx + dx, Y: cy + dy}, wide,
		draw.Normal(rng, 0, .12))

	if t.Kind != "fence" {
		s.c.Shade(draw.Moved(b.Outline(), 2, 2), draw.Uniform(rng, .45, .65))
	}
	s.marking(Body, .2, func() { s.body(b, col) })
	s.c.Stains(rng, b, draw.Between(rng, 0, 4), col)
	if s.chance(.4) {
		s.c.StrayLeaves(rng, b, draw.Between(rng, 1, 4))
	}
	s.state(b)
}

// state leaves a band whole or damages and covers it.
func (s *studio) state(b draw.Band) {
	t, rng := s.t, s.rng
	covered := false
	switch draw.Weighted(rng, .3, .17, .14, .1, .22, .07) {
	case 1:
		t.Cracked = true
	case 2:
		t.Broken = true
	case 3:
		t.Cracked, t.Broken = true, true
	case 4:
		covered = true
	case 5:
		t.Cracked, covered = true, true
	}
	if t.Broken {
		s.marking(Bite, .04, func() { s.c.Bites(rng, b, draw.Between(rng, 1, 3), draw.Uniform(rng, .8, 1.2), s.soil) })
	}
	if t.Cracked {
		s.marking(Crack, .025, func() { s.c.Cracks(rng, b, draw.Between(rng, 1, 4)) })
	}
	if covered {
		t.Cover = Covers[1+draw.Weighted(rng, .3, .12, .12, .2, .1, .16)]
		t.Amount = draw.Uniform(rng, .25, .85)
		s.marking(Cover, .07, func() {
			s.c.Cover(rng, b, t.Cover, draw.Uniform(rng, .45, 1), t.Amount, draw.Uniform(rng, .8, 1.6))
		})
	}
}

func (s *studio) heap(kind string, col draw.RGB, x, y, w, h float64) draw.Heap {
	piece := map[string]draw.Piece{"heap": draw.Pebble, "pile": draw.Block, "logs": draw.Log}[kind]
	if piece == draw.Pebble && s.chance(.5) {
		piece = draw.Boulder
	}
	return draw.Heap{X: x, Y: y, W: w, H: h, Piece: piece, Size: draw.Uniform(s.rng, 4, 11),
		Spacing: draw.Uniform(s.rng, 1.5, 2),
		Row:     1.3, Colour: col, Pointed: kind != "pile" && s.chance(.35)}
}

func (s *studio) pieces(col draw.RGB) {
	t, rng := s.t, s.rng
	cw, ch := s.c.Width(), s.c.Height()
	w, h := cw*draw.Uniform(rng, .7, .9), ch*draw.Uniform(rng, .4, .8)
	hp := s.heap(t.Kind, col, (cw-w)/2, (ch-h)/2-ch*.03, w, h)
	t.Broken = s.chance(.5)
	if t.Broken {
		t.Scattered = s.chance(.7)
		wide, from := draw.Uniform(rng, .22, .42), draw.Uniform(rng, .08, .6)
		hp.Pointed = false // a gap in the slope of a pointed heap could not be told from the slope
		hp.Gaps = []draw.Gap{{From: from, To: min(.96, from+wide),
			Part: draw.GapPart(draw.Weighted(rng, .5, .25, .25))}}
	} else {
		t.Scattered = s.chance(.2)
	}
	s.marking(Body, .15, func() {
		if t.Broken && s.chance(.7) {
			hp.Hole(s.c, rng, hp.Gaps[0], s.soil)
		}
		hp.Draw(s.c, rng)
	})
	s.markHole(hp)
	if t.Scattered {
		s.marking(Scattered, .05, func() { hp.Scatter(s.c, rng, draw.Between(rng, 2, 6), .3, 1.9) })
	}
	if s.chance(.15) {
		t.Cover = []string{"leaves", "snow", "sand"}[rng.IntN(3)]
		b := draw.NewBand(draw.Point{X: cw * .15, Y: ch / 2}, draw.Point{X: cw * .85, Y: ch / 2}, ch*.45, 0)
		s.marking(Cover, .07, func() { s.c.Cover(rng, b, t.Cover, .8, .6, 1) })
	}
}

// markHole marks the cells whose middle lies in a gap.
func (s *studio) markHole(hp draw.Heap) {
	n := s.cells
	for i := range n * n {
		x, y := (float64(i%n)+.5)*s.c.Width()/float64(n), (float64(i/n)+.5)*s.c.Height()/float64(n)
		u, v := (x-hp.X)/hp.W, (y-hp.Y)/hp.H
		for _, g := range hp.Gaps {
			if v > 0 && v < 1 && g.Holds(u, v) {
				s.t.Maps[Hole][i] = true
			}
		}
	}
}

var foliage = map[string][]draw.RGB{"green": {{70, 104, 46}, {90, 120, 60}}, "brown": {{120, 92, 56}, {96, 80, 50}},
	"yellow": {{150, 140, 60}, {120, 120, 56}}}

func (s *studio) plants(col draw.RGB) {
	t, rng := s.t, s.rng
	cw, ch := s.c.Width(), s.c.Height()
	w, h := cw*draw.Uniform(rng, .6, .9), ch*draw.Uniform(rng, .6, .9)
	if t.Kind == "hedge" {
		h *= .5
	}
	x, y := (cw-w)/2, (ch-h)/2
	green, ok := foliage[t.Colour]
	if !ok || t.Kind == "flowers" {
		green = []draw.RGB{{76, 104, 54}, {60, 90, 44}}
	}
	s.marking(Body, .2, func() {
		s.c.Bush(rng, x, y, w, h, green)
		switch t.Kind {
		case "hedge":
			s.c.Bush(rng, x, y+4, w*.5, h*.8, green)
			s.c.Bush(rng, x+w*.45, y+4, w*.5, h*.8, green)
		case "flowers":
			s.c.Flowers(rng, cw/2, ch/2, w, h, draw.Between(rng, 12, 40), col)
		}
	})
}

var waters = map[string]draw.RGB{"blue": {70, 110, 150}, "grey": {110, 120, 126}, "green": {80, 110, 84}}

func (s *studio) pond() {
	t, rng := s.t, s.rng
	w, h := s.c.Width(), s.c.Height()
	s.marking(Body, .2, func() {
		s.c.Pond(rng, w/2, h/2, w*draw.Uniform(rng, .28, .45), h*draw.Uniform(rng, .24, .4),
			waters[t.Colour].Jitter(rng, 8), s.soil)
	})
	if s.chance(.3) {
		t.Cover = "leaves"
		s.marking(Cover, .07, func() { s.c.LeavesAround(rng, w/2, h/2, min(w, h)*.13, 40) })
	}
}
