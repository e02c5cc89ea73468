package draw

import (
	"math"
	"math/rand/v2"
)

// Camera says how a picture is taken. Ranges are uniform.
type Camera struct {
	Blur, Noise [2]float64 // standard deviations, in units and in levels
	Shadow      float64    // probability of a soft cast shadow
	Subsampled  float64    // probability that colour has half the resolution, as in a JPEG file
}

// Drone is the camera of all pictures here.
var Drone = Camera{Blur: [2]float64{.3, .8}, Noise: [2]float64{2, 6}, Shadow: .35}

// Shoot turns the clean drawing into a photograph: blur, uneven light, a cast shadow, a colour cast, sensor noise.
func (k Camera) Shoot(c *Canvas, rng *rand.Rand) {
	rows := blurRows(c, Uniform(rng, k.Blur[0], k.Blur[1])*c.Unit)
	w, h := c.W, c.H
	sin, cos := math.Sincos(Uniform(rng, 0, 2*math.Pi))
	slope, light := Uniform(rng, 0, .45), Uniform(rng, .82, 1.14)
	var shade []float32
	depth, shift := float32(0), float32(0)
	if rng.Float64() < k.Shadow {
		shade = clouds(w, h, rng, softShadow)
		depth, shift = float32(Uniform(rng, .15, .35)), float32(Uniform(rng, -1, .3))
	}
	var cast [3]float32
	for i := range cast {
		cast[i] = 1 + .035*gauss(rng)
	}
	lift := 4 * gauss(rng)
	noise := float32(Uniform(rng, k.Noise[0], k.Noise[1]))
	kernel := gaussKernel(rows.sd)
	line := make([]float32, 3*w)
	gx, gy := float32(cos*slope/float64(w)), float32(sin*slope/float64(h))
	for y := range h {
		rows.column(line, kernel, y)
		g := float32(light) - float32((cos+sin)*slope/2) + gy*float32(y)
		dst := c.Pix[3*y*w : 3*(y+1)*w]
		for x := range w {
			v := g + gx*float32(x)
			if shade != nil {
				v *= 1 - depth*min(max(shade[y*w+x]*3+shift, 0), 1)
			}
			n := lift + noise*gauss(rng)
			// three uniform deviates of sd 1.5 out of one word: the colour noise
			u := rng.Uint64()
			for ch := range 3 {
				e := float32(u>>(20*ch)&0xfffff)*(5.2/0xfffff) - 2.6
				dst[3*x+ch] = level(line[3*x+ch]*v*cast[ch] + n + e)
			}
		}
	}
	if rng.Float64() < k.Subsampled {
		c.halveColour()
	}
}

// halveColour gives each 2×2 block its mean colour and leaves the brightness alone.
func (c *Canvas) halveColour() {
	for y := 0; y+1 < c.H; y += 2 {
		for x := 0; x+1 < c.W; x += 2 {
			at := [4]int{3 * (y*c.W + x), 3 * (y*c.W + x + 1), 3 * ((y+1)*c.W + x), 3 * ((y+1)*c.W + x + 1)}
			var mean [3]float32
			for _, i := range at {
				for ch := range 3 {
					mean[ch] += float32(c.Pix[i+ch]) / 4
				}
			}
			bright := luma(mean[0], mean[1], mean[2])
			for _, i := range at {
				d := luma(float32(c.Pix[i]), float32(c.Pix[i+1]), float32(c.Pix[i+2])) - bright
				for ch := range 3 {
					c.Pix[i+ch] = level(mean[ch] + d)
				}
			}
		}
	}
}

func luma(r, g, b float32) float32 { return .299*r + .587*g + .114*b }

// gaussKernel is one half of a Gaussian of sd pixels: the middle weight first.
func gaussKernel(sd float64) []float32 {
	k := make([]float32, int(math.Ceil(2.6*sd))+1)
	sum := float32(0)
	for i := range k {
		k[i] = float32(math.Exp(-float64(i*i) / (2 * sd * sd)))
		sum += k[i]
		if i > 0 {
			sum += k[i]
		}
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}

// blurred holds rows that are blurred across; column finishes them downwards.
type blurred struct {
	w, h int // w in values, three to a pixel
	sd   float64
	pix  []float32
}

func blurRows(c *Canvas, sd float64) blurred {
	k := gaussKernel(sd)
	w := 3 * c.W
	b := blurred{w: w, h: c.H, sd: sd, pix: make([]float32, w*c.H)}
	r := 3 * (len(k) - 1)
	padded := make([]float32, w+2*r)
	for y := range c.H {
		src, dst := c.Pix[y*w:(y+1)*w], b.pix[y*w:(y+1)*w]
		for i, v := range src {
			padded[r+i] = float32(v)
		}
		for i := range r {
			padded[i], padded[r+w+i] = padded[r+i%3], padded[r+w-3+i%3]
		}
		for i := range dst {
			dst[i] = padded[r+i] * k[0]
		}
		for j := 1; j < len(k); j++ {
			lo, hi, f := padded[r-3*j:], padded[r+3*j:], k[j]
			for i := range dst {
				dst[i] += f * (lo[i] + hi[i])
			}
		}
	}
	return b
}

// column writes row y of the fully blurred picture to dst.
func (b blurred) column(dst []float32, k []float32, y int) {
	at := func(y int) []float32 { y = min(max(y, 0), b.h-1); return b.pix[y*b.w : (y+1)*b.w] }
	for i, v := range at(y) {
		dst[i] = v * k[0]
	}
	for j := 1; j < len(k); j++ {
		lo, hi, f := at(y-j), at(y+j), k[j]
		for i := range dst {
			dst[i] += f * (lo[i] + hi[i])
		}
	}
}
