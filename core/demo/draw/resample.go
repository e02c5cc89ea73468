package draw

import "math"

// View is the part [x0,x1)×[y0,y1) of the picture (in pixels, fractions allowed) at w×h pixels, by cubic
// convolution (Keys, a = −½), widened when shrinking. Beyond the edge the edge's own pixels go on.
func (c *Canvas) View(x0, y0, x1, y1 float64, w, h int) *Canvas {
	across, down := taps(x0, x1, w, c.W), taps(y0, y1, h, c.H)
	lo, hi := c.H, 0
	for _, t := range down {
		for _, i := range t.at {
			lo, hi = min(lo, i), max(hi, i+1)
		}
	}
	mid := make([]float32, 3*w*max(0, hi-lo))
	for y := lo; y < hi; y++ {
		src, dst := c.Pix[3*y*c.W:3*(y+1)*c.W], mid[3*(y-lo)*w:]
		for x, t := range across {
			var r, g, b float32
			for j, i := range t.at {
				f := t.weight[j]
				r += f * float32(src[3*i])
				g += f * float32(src[3*i+1])
				b += f * float32(src[3*i+2])
			}
			dst[3*x], dst[3*x+1], dst[3*x+2] = r, g, b
		}
	}
	out := New(w, h, c.Unit*float64(w)/(x1-x0))
	sum := make([]float32, 3*w)
	for y, t := range down {
		clear(sum)
		for j, i := range t.at {
			f, src := t.weight[j], mid[3*(i-lo)*w:3*(i-lo+1)*w]
			for x, v := range src {
				sum[x] += f * v
			}
		}
		for x, v := range sum {
			out.Pix[3*y*w+x] = level(v + .5)
		}
	}
	return out
}

// Resize is the whole picture at w×h pixels.
func (c *Canvas) Resize(w, h int) *Canvas {
	return c.View(0, 0, float64(c.W), float64(c.H), w, h)
}

// Part is a copy of w×h pixels from (x, y) on, which must lie within the picture.
func (c *Canvas) Part(x, y, w, h int) *Canvas {
	p := New(w, h, c.Unit)
	for r := range h {
		copy(p.Pix[3*r*w:3*(r+1)*w], c.Pix[3*((y+r)*c.W+x):])
	}
	return p
}

// Paste lays a part back with its corner at pixel (x, y).
func (c *Canvas) Paste(p *Canvas, x, y int) {
	for r := range p.H {
		copy(c.Pix[3*((y+r)*c.W+x):], p.Pix[3*r*p.W:3*(r+1)*p.W])
	}
}

// tap is what one output sample is made of.
type tap struct {
	at     []int
	weight []float32
}

// taps are the samples of n outputs that share [lo, hi) of size inputs.
func taps(lo, hi float64, n, size int) []tap {
	step := (hi - lo) / float64(n)
	wide := max(1, step)
	out := make([]tap, n)
	for i := range out {
		mid := lo + (float64(i)+.5)*step
		a, b := int(math.Floor(mid-2*wide)), int(math.Ceil(mid+2*wide))
		t := tap{at: make([]int, 0, b-a), weight: make([]float32, 0, b-a)}
		sum := float32(0)
		for j := a; j < b; j++ {
			f := float32(keys((float64(j) + .5 - mid) / wide))
			if f == 0 {
				continue
			}
			t.at, t.weight = append(t.at, min(max(j, 0), size-1)), append(t.weight, f)
			sum += f
		}
		for j := range t.weight {
			t.weight[j] /= sum
		}
		out[i] = t
	}
	return out
}

func keys(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-.5*x+2.5)*x-4)*x + 2
	}
	return 0
}
