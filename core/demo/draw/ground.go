package draw

import (
	"math/rand/v2"
)

// Grounds are the kinds of ground.
var Grounds = []string{"grass", "soil", "sand", "gravel"}

var groundColours = map[string][]RGB{
	"grass":  {{86, 112, 52}, {104, 124, 62}, {70, 98, 48}, {122, 128, 70}},
	"soil":   {{128, 98, 66}, {112, 84, 60}, {146, 114, 80}, {120, 96, 78}},
	"sand":   {{190, 170, 124}, {204, 184, 142}, {176, 156, 112}},
	"gravel": {{136, 132, 126}, {120, 118, 114}, {152, 146, 136}},
}

// GroundColour is one of the colours a kind of ground comes in.
func GroundColour(rng *rand.Rand, kind string) RGB {
	cols := groundColours[kind]
	return cols[rng.IntN(len(cols))]
}

// Soil is the earth that shows where something is missing: between the picture's own colour and bare soil.
// Call it before anything lies on the ground.
func (c *Canvas) Soil(rng *rand.Rand) RGB { return c.Mean().Mix(GroundColour(rng, "soil"), .5) }

// octave is one layer of clouds: cells along the longer side, and its share.
type octave struct {
	cells int
	amp   float32
}

var (
	fineClouds  = []octave{{4, 1}, {10, .6}, {24, .4}}
	largeClouds = []octave{{3, 1}, {7, .5}}
	softShadow  = []octave{{2, 1}, {4, .4}}
)

// clouds is smooth noise of w×h values, sd about .6: layers of random grids, joined linearly.
func clouds(w, h int, rng *rand.Rand, layers []octave) []float32 {
	out := make([]float32, w*h)
	total := float32(0)
	for _, l := range layers {
		total += l.amp
	}
	left, frac := make([]int32, w), make([]float32, w)
	for _, l := range layers {
		gw, gh := max(2, l.cells*w/max(w, h)+1), max(2, l.cells*h/max(w, h)+1)
		grid := make([]float32, gw*gh)
		for i := range grid {
			grid[i] = gauss(rng) * l.amp / total
		}
		for x := range w {
			f := float32(x) * float32(gw-1) / float32(w)
			left[x], frac[x] = int32(f), f-float32(int32(f))
		}
		line := make([]float32, gw)
		for y := range h {
			f := float32(y) * float32(gh-1) / float32(h)
			r := int(f)
			f -= float32(r)
			for i := range line {
				line[i] = grid[r*gw+i] + (grid[(r+1)*gw+i]-grid[r*gw+i])*f
			}
			dst := out[y*w : (y+1)*w]
			for x := range dst {
				a, b := line[left[x]], line[left[x]+1]
				dst[x] += a + (b-a)*frac[x]
			}
		}
	}
	return out
}

// Ground covers the whole canvas with a kind of ground; with mix, patches of a second kind ("" for none).
func (c *Canvas) Ground(rng *rand.Rand, kind, mix string) {
	w, h := c.W, c.H
	base := GroundColour(rng, kind).Jitter(rng, 9)
	fine, amp := clouds(w, h, rng, fineClouds), float32(Uniform(rng, 14, 26))
	var patch []float32
	var second RGB
	shift := float32(0)
	if mix != "" {
		patch, second = clouds(w, h, rng, largeClouds), GroundColour(rng, mix).Jitter(rng, 9)
		shift = float32(Uniform(rng, -.9, .3))
	}
	grain := groundGrain(w, h, rng, kind)
	rough := float32(Uniform(rng, 6, 13))
	for i := range fine {
		v := fine[i]*amp + grain[i]*rough
		r, g, b := float32(base[0]), float32(base[1]), float32(base[2])
		if patch != nil {
			m := min(max(patch[i]*2.5+shift, 0), 1)
			r += (float32(second[0]) - r) * m
			g += (float32(second[1]) - g) * m
			b += (float32(second[2]) - b) * m
		}
		c.Pix[3*i], c.Pix[3*i+1], c.Pix[3*i+2] = level(r+v), level(g+v), level(b+v)
	}
	c.litter(rng, kind, base)
}

// groundGrain is the fine structure: blades that stand upright in grass, pebbles in gravel, else plain noise.
func groundGrain(w, h int, rng *rand.Rand, kind string) []float32 {
	g := make([]float32, w*h)
	if kind == "gravel" {
		const pebble = 3
		line := make([]float32, w/pebble+2)
		shift := 0
		for y := range h {
			if y%(pebble-1) == 0 {
				shift = rng.IntN(pebble)
				for i := range line {
					line[i] = gauss(rng) * 1.1
				}
			}
			for x := range w {
				g[y*w+x] = line[(x+shift)/pebble] + .4*gauss(rng)
			}
		}
		return g
	}
	for i := range g {
		g[i] = gauss(rng)
	}
	if kind == "grass" {
		for i := len(g) - 1; i >= 2*w; i-- {
			g[i] = (g[i] + g[i-w] + g[i-2*w]) * .58
		}
	}
	return g
}

// litter strews what every ground has: tufts on grass, small stones elsewhere.
func (c *Canvas) litter(rng *rand.Rand, kind string, base RGB) {
	w, h := c.Width(), c.Height()
	for range int(w * h / Uniform(rng, 700, 4000)) {
		x, y := rng.Float64()*w, rng.Float64()*h
		if kind == "grass" {
			col := base.Scale(Uniform(rng, .7, 1.35))
			for range 3 {
				c.Line([]Point{{x, y}, {x + Normal(rng, 0, 1.6), y - Uniform(rng, 1.5, 4)}}, .8, col)
			}
			continue
		}
		r := Uniform(rng, .5, 1.3)
		c.Ellipse(x+.5, y+.6, r, r*.8, base.Scale(.6))
		c.Ellipse(x, y, r, r*.8, base.Scale(Uniform(rng, .8, 1.3)))
	}
}
