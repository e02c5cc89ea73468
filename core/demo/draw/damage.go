package draw

import (
	"math/rand/v2"
)

// Widths of a crack, in units. A thin one is rare: a small picture would lose it.
var crackWidths = []float64{1.3, 2.3, 3.3}

func crackWidth(rng *rand.Rand) float64 { return crackWidths[Weighted(rng, .15, .5, .35)] }

var crackColour = RGB{26, 23, 22}

// Cracks draws n jagged, nearly black cracks: most run from rim to rim, some along the band.
func (c *Canvas) Cracks(rng *rand.Rand, b Band, n int) {
	for range n {
		mid := Uniform(rng, .08, .92)
		col, width := crackColour.Jitter(rng, 8), crackWidth(rng)
		if rng.Float64() < .6 {
			c.crack(rng, b, [2]float64{mid + Uniform(rng, -.05, .05), mid + Uniform(rng, -.05, .05)}, [2]float64{-1, 1},
				width, col)
			continue
		}
		long, t := Uniform(rng, .12, .3), Uniform(rng, -.7, .7)
		c.crack(rng, b, [2]float64{max(0, mid-long/2), min(1, mid+long/2)}, [2]float64{t, t + Normal(rng, 0, .3)},
			width, col)
	}
}

// crack runs from (s[0], t[0]) to (s[1], t[1]) of the band, with a side branch now and then.
func (c *Canvas) crack(rng *rand.Rand, b Band, s, t [2]float64, width float64, col RGB) {
	k := Between(rng, 5, 8)
	p := make([]Point, k)
	for i := range p {
		f := float64(i) / float64(k-1)
		u, v := s[0]+(s[1]-s[0])*f, t[0]+(t[1]-t[0])*f
		if i > 0 && i < k-1 {
			u += Normal(rng, 0, 2.2/b.Length)
			v += Normal(rng, 0, .16)
		}
		p[i] = b.At(u, min(max(v, -1.05), 1.05))
	}
	c.Line(p, width, col)
	if rng.Float64() < .6 {
		j := p[Between(rng, 1, k-2)]
		c.Line([]Point{j, {j.X + Normal(rng, 0, 6), j.Y + Normal(rng, 0, 6)}}, 1.2, col)
	}
}

// Bites breaks n pieces out of a band's rim: earth shows, behind a dark edge. strength scales their size.
func (c *Canvas) Bites(rng *rand.Rand, b Band, n int, strength float64, soil RGB) {
	for range n {
		mid, side := Uniform(rng, .1, .9), float64(2*rng.IntN(2)-1)
		long := Uniform(rng, .5, 1) * b.Width * strength / b.Length
		deep := Uniform(rng, .5, .95) * strength
		const k = 6
		inner, hole := make([]Point, k), make([]Point, 0, 2*k)
		for i := range k {
			d := deep * Uniform(rng, .6, 1)
			if i == 0 || i == k-1 {
				d *= .35
			}
			inner[i] = b.At(mid+long*(float64(i)/(k-1)-.5), side*(1.06-d))
		}
		hole = append(hole, inner...)
		for i := k - 1; i >= 0; i-- {
			hole = append(hole, b.At(mid+long*(float64(i)/(k-1)-.5), side*1.12))
		}
		c.earth(rng, hole, soil.Jitter(rng, 6))
		c.Line(inner, 1.2, crackColour)
	}
}

// earth fills an outline with crumbly ground.
func (c *Canvas) earth(rng *rand.Rand, outline []Point, col RGB) {
	c.Fill(outline, col)
	lo, hi := outline[0], outline[0]
	for _, p := range outline {
		lo, hi = Point{min(lo.X, p.X), min(lo.Y, p.Y)}, Point{max(hi.X, p.X), max(hi.Y, p.Y)}
	}
	w, h := hi.X-lo.X, hi.Y-lo.Y
	for range int(6 + w*h/30) {
		x, y := Normal(rng, (lo.X+hi.X)/2, w/4.5), Normal(rng, (lo.Y+hi.Y)/2, h/4.5)
		r := Uniform(rng, .7, 1.8)
		c.Ellipse(x, y, r, r, col.Scale(Uniform(rng, .65, 1.3)))
	}
}

// Covers are the kinds of debris; the first means none.
var Covers = []string{"nothing", "leaves", "sand", "snow", "rubble", "mud", "soil"}

var coverColours = map[string]RGB{"soil": {118, 90, 62}, "mud": {96, 78, 60}, "sand": {196, 176, 132},
	"snow": {232, 236, 240}}

// Cover lays debris on the middle |t| < inner of a band, over about share of its length, in one or two clumps.
// dense scales the number of pieces.
func (c *Canvas) Cover(rng *rand.Rand, b Band, what string, inner, share, dense float64) {
	clumps := 1
	if share >= .3 {
		clumps = Between(rng, 1, 2)
	}
	for i := range clumps {
		f := share / float64(clumps)
		room := 1/float64(clumps) - f
		s0 := float64(i)/float64(clumps) + Uniform(rng, 0, max(1e-3, room))
		c.clump(rng, b, what, inner, s0, s0+f, dense)
	}
}

func (c *Canvas) clump(rng *rand.Rand, b Band, what string, inner, s0, s1, dense float64) {
	if base, ok := coverColours[what]; ok {
		const k = 7
		p := make([]Point, 2*k)
		for i := range k {
			s, end := s0+(s1-s0)*float64(i)/(k-1), 1.
			if i == 0 || i == k-1 {
				end = .5
			}
			p[i] = b.At(s, inner*end*Uniform(rng, .55, 1))
			p[2*k-1-i] = b.At(s, -inner*end*Uniform(rng, .55, 1))
		}
		c.earth(rng, p, base.Jitter(rng, 8))
	}
	area := b.Length * (s1 - s0) * b.Width * inner
	per := map[string]float64{"leaves": 9, "soil": 40, "rubble": 16}[what]
	if per == 0 {
		return
	}
	for range max(4, int(dense*area/per)) {
		p := b.At(Uniform(rng, s0, s1), Normal(rng, 0, .45)*inner)
		if what == "rubble" {
			c.pebble(rng, p)
		} else {
			c.leaf(rng, p, Uniform(rng, 1.6, 3.6))
		}
	}
}

func (c *Canvas) pebble(rng *rand.Rand, p Point) {
	col := RGB{128, 118, 106}
	for i := range col { // hues differ too, or rubble would vanish on concrete
		col[i] = level(float32(col[i]) + 18*gauss(rng))
	}
	r := Uniform(rng, 1.5, 3.6)
	stone := Blob(rng, p.X, p.Y, r, r*.8, 6, .25, anyTurn(rng))
	c.Fill(Moved(stone, .8, 1), col.Scale(.45))
	c.Fill(stone, col)
}
