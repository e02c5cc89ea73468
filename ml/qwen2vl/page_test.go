package qwen2vl

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
)

// rows are computed as the package comment says, line by line, in float64; the weights come from
// goldentest.Drawn.
type rows [][]float64

func each(x rows, f func(row []float64) []float64) rows {
	y := make(rows, len(x))
	for i := range x {
		y[i] = f(x[i])
	}
	return y
}

// linear is x·Wᵀ + b for the module's tensors.
func (x rows) linear(module string, out int, bias bool) rows {
	in := len(x[0])
	w, _ := goldentest.Drawn{}.Matrix(module+".weight", out, in)
	b, _ := goldentest.Drawn{}.Vector(module+".bias", out)
	return each(x, func(row []float64) (y []float64) {
		for o := range out {
			s := 0.
			if bias {
				s = float64(b[o])
			}
			for i, v := range row {
				s += v * float64(w.F32[o*in+i])
			}
			y = append(y, s)
		}
		return y
	})
}

func (x rows) layernorm(module string) rows {
	w, _ := goldentest.Drawn{}.Vector(module+".weight", len(x[0]))
	b, _ := goldentest.Drawn{}.Vector(module+".bias", len(x[0]))
	return each(x, func(row []float64) (y []float64) {
		n, mean, variance := float64(len(row)), 0., 0.
		for _, v := range row {
			mean += v / n
		}
		for _, v := range row {
			variance += (v - mean) * (v - mean) / n
		}
		for i, v := range row {
			y = append(y, (v-mean)/math.Sqrt(variance+1e-6)*float64(w[i])+float64(b[i]))
		}
		return y
	})
}

func (x rows) apply(f func(v float64) float64) rows {
	return each(x, func(row []float64) (y []float64) {
		for _, v := range row {
			y = append(y, f(v))
		}
		return y
	})
}

func (x rows) plus(y rows) rows {
	out := x.apply(func(v float64) float64 { return v })
	for i := range y {
		for j, v := range y[i] {
			out[i][j] += v
		}
	}
	return out
}

// patch is where a row of pixels lies.
type patch struct{ slice, row, column int }

// rope turns a head by the patch's place.
func rope(u []float64, p patch) []float64 {
	d, y := len(u), make([]float64, len(u))
	for i := range d / 2 {
		phi := float64(p.row) * math.Pow(10000, -4*float64(i)/float64(d))
		if i >= d/4 {
			phi = float64(p.column) * math.Pow(10000, -4*float64(i-d/4)/float64(d))
		}
		sin, cos := math.Sincos(phi)
		y[i], y[i+d/2] = u[i]*cos-u[i+d/2]*sin, u[i+d/2]*cos+u[i]*sin
	}
	return y
}

func attend(qkv rows, places []patch, heads int) rows {
	width := len(qkv[0]) / 3
	d := width / heads
	out := make(rows, len(qkv))
	for t := range qkv {
		for h := range heads {
			q := rope(qkv[t][h*d:(h+1)*d], places[t])
			a, sum := make([]float64, d), 0.
			for u := range qkv {
				if places[u].slice != places[t].slice {
					continue
				}
				score := 0.
				for i, v := range rope(qkv[u][width+h*d:width+(h+1)*d], places[u]) {
					score += q[i] * v
				}
				p := math.Exp(score / math.Sqrt(float64(d)))
				sum += p
				for i := range a {
					a[i] += p * qkv[u][2*width+h*d+i]
				}
			}
			for _, v := range a {
				out[t] = append(out[t], v/sum)
			}
		}
	}
	return out
}

// Two pictures of different sizes and a clip, in a tower of odd sizes.
func TestTowerIsWhatThePackageCommentSays(t *testing.T) {
	m := small(t)
	v, grids := m.Config.Vision, []Grid{{T: 1, H: 2, W: 6}, {T: 3, H: 4, W: 2}, {T: 1, H: 2, W: 2}}
	draw := rand.New(rand.NewPCG(5, 0))
	var x rows
	var pixels []float32
	var places []patch
	slice := 0
	for _, g := range grids {
		for range g.T {
			for block := range g.H * g.W / 4 {
				for i := range 4 {
					places = append(places, patch{slice, block/(g.W/2)*2 + i/2, block%(g.W/2)*2 + i%2})
					row := make([]float64, v.PatchWidth())
					for k := range row {
						pixels = append(pixels, float32(draw.NormFloat64()))
						row[k] = float64(pixels[len(pixels)-1])
					}
					x = append(x, row)
				}
			}
			slice++
		}
	}

	x = x.linear("visual.patch_embed.proj", v.Embed, false)
	for i := range v.Depth {
		p := fmt.Sprintf("visual.blocks.%d.", i)
		a := attend(x.layernorm(p+"norm1").linear(p+"attn.qkv", 3*v.Embed, true), places, v.Heads)
		y := x.plus(a.linear(p+"attn.proj", v.Embed, true))
		quick := func(z float64) float64 { return z / (1 + math.Exp(-1.702*z)) }
		x = y.plus(y.layernorm(p+"norm2").linear(p+"mlp.fc1", v.Inner(), true).apply(quick).linear(p+"mlp.fc2",
			v.Embed, true))
	}
	var merged rows
	for i, row := range x.layernorm("visual.merger.ln_q") {
		if i%4 == 0 {
			merged = append(merged, nil)
		}
		merged[i/4] = append(merged[i/4], row...)
	}
	gelu := func(z float64) float64 { return z / 2 * (1 + math.Erf(z/math.Sqrt2)) }
	want := merged.linear("visual.merger.mlp.0", 4*v.Embed, true).apply(gelu).linear("visual.merger.mlp.2",
		v.Hidden, true)

	got, err := m.NewTower(nn.NewExec(2)).Features(pixels, grids)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		for k, w := range want[i] {
			if d := math.Abs(float64(got[i*v.Hidden+k]) - w); d > 1e-4*(1+math.Abs(w)) {
				t.Fatalf("value %d of token %d is %v, the page says %v", k, i, got[i*v.Hidden+k], w)
			}
		}
	}
}
