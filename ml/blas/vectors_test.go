package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// sets runs a test with every kernel set of this platform; those the processor lacks are skipped with a reason.
func sets(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	for _, s := range kernelSets() {
		t.Run(s.name, func(t *testing.T) {
			if err := Use(s.name); err != nil {
				t.Skip(err)
			}
			defer Use("")
			f(t)
		})
	}
}

var lengths = []int{0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 23, 31, 32, 33, 40, 63, 64, 65, 100, 128, 129, 257, 1000}

// inputs are normal numbers, a third of them large or small enough to reach the ends of exp.
func inputs(r *rand.Rand, n int) []float32 {
	x := normals(r, n)
	for i := range x {
		switch r.IntN(6) {
		case 0:
			x[i] *= 40
		case 1:
			x[i] *= 1e-6
		}
	}
	return x
}

func normals(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// near fails unless got is within ulps units in the last place of want, or within floor of it.
func near(t *testing.T, what string, got float32, want, ulps, floor float64) {
	t.Helper()
	rounded := float32(want)
	if got == rounded || got != got && math.IsNaN(want) {
		return
	}
	size := float32(math.Abs(want))
	unit := float64(math.Nextafter32(size, float32(math.Inf(1)))) - float64(size)
	if off := math.Abs(float64(got) - want); !(off <= ulps*unit+floor) {
		t.Fatalf("%s: got %g, want %g (%.2f units off)", what, got, want, off/unit)
	}
}

// guarded is a copy of x, and a check that what lies behind it stays as it was.
func guarded(x []float32) (slice []float32, intact func() bool) {
	all := make([]float32, len(x)+16)
	copy(all, x)
	for i := len(x); i < len(all); i++ {
		all[i] = 12345
	}
	return all[:len(x):len(x)], func() bool {
		for _, v := range all[len(x):] {
			if v != 12345 {
				return false
			}
		}
		return true
	}
}

func TestElementwiseFunctionsAgreeWithFloat64(t *testing.T) {
	slope := func(x float64) float64 { s := sigmoid(x); return s * (1 + x*(1-s)) }
	quick := func(a float64) float64 { return float64(float32(1.702) * float32(a)) }
	bell := func(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }
	const s, d = float32(0.37), float32(-0.21)
	const s64, d64 = float64(s), float64(d)
	type of3 = func(dst, a, b float64) float64
	smallest := func(dst, a, b float64) float64 { return 1e-36 }
	// 1-σ loses what σ rounds
	bent := func(dst, a, b float64) float64 { return 1.2e-7 * (2 + math.Abs(a)) * math.Abs(b) }
	functions := []struct {
		name  string
		run   func(dst, a, b []float32)
		want  of3
		ulps  float64
		floor of3 // where terms cancel
	}{
		{"Axpy", func(dst, a, b []float32) { Axpy(dst, a, s) }, func(dst, a, b float64) float64 { return dst + s64*a },
			1,
			func(dst, a, b float64) float64 { return 1e-7 * math.Abs(a) }},
		{"Scale", func(dst, a, b []float32) { Scale(dst, s) }, func(dst, a, b float64) float64 { return dst * s64 },
			0.51, nil},
		{"Add", func(dst, a, b []float32) { Add(dst, a) }, func(dst, a, b float64) float64 { return dst + a },
			0.51, nil},
		{"MulScaled", func(dst, a, b []float32) { MulScaled(dst, a, b, s) },
			func(dst, a, b float64) float64 { return a * b * s64 }, 1.6, nil},
		{"MulAdd", func(dst, a, b []float32) { MulAdd(dst, a, b) },
			func(dst, a, b float64) float64 { return dst + a*b }, 1,
			func(dst, a, b float64) float64 { return 1e-7 * math.Abs(a*b) }},
		{"SoftmaxBackward", func(dst, a, b []float32) { SoftmaxBackward(dst, a, b, d, s) },
			func(dst, a, b float64) float64 { return a * (b - d64) * s64 }, 2.6, nil},
		{"SiLUMul", func(dst, a, b []float32) { SiLUMul(dst, a, b) },
			func(dst, a, b float64) float64 { return a * sigmoid(a) * b }, 4, smallest},
		{"QuickGELU", func(dst, a, b []float32) { QuickGELU(dst, a) },
			func(dst, a, b float64) float64 { return a * sigmoid(quick(a)) }, 4, smallest},
		{"QuickGELUBackward", func(dst, a, b []float32) { QuickGELUBackward(dst, b, a) },
			func(dst, a, b float64) float64 { return b * slope(quick(a)) }, 4, bent},
		{"GELU", func(dst, a, b []float32) { GELU(dst, a) },
			func(dst, a, b float64) float64 { return a * normalCDF(a) }, 6, smallest},
		{"GELUBackward", func(dst, a, b []float32) { GELUBackward(dst, b, a) },
			func(dst, a, b float64) float64 { return b * (normalCDF(a) + a*bell(a)) }, 4, bent},
	}
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, f := range functions {
			for _, n := range lengths {
				before, a, b := normals(r, n), inputs(r, n), normals(r, n)
				dst, intact := guarded(before)
				f.run(dst, a, b)
				for i := range dst {
					x, y, z := float64(before[i]), float64(a[i]), float64(b[i])
					floor := 0.0
					if f.floor != nil {
						floor = f.floor(x, y, z)
					}
					near(t, fmt.Sprintf("%s of %d elements at %d (%g, %g, %g)", f.name, n, i, x, y, z), dst[i],
						f.want(x, y, z), f.ulps, floor)
				}
				if !intact() {
					t.Fatalf("%s of %d elements writes beyond its end", f.name, n)
				}
			}
		}
	})
}

func TestExpSumIsAccurateOverTheRangeOfSoftmax(t *testing.T) {
	sets(t, func(t *testing.T) {
		var x []float32
		for v := -110.0; v < 88; v += 0.0137 {
			x = append(x, float32(v))
		}
		x = append(x, 0, 88, -87.33654, -87.33655, -103.97, -103.98, 1e-30, -1e-30, 1e-45, -1e30, float32(math.Inf(-1)),
			float32(math.NaN()))
		dst := make([]float32, len(x))
		ExpSum(dst, x, 1, 0)
		for i, v := range x {
			near(t, fmt.Sprintf("exp(%g)", v), dst[i], math.Exp(float64(v)), 1+1.5*math.Abs(float64(v)), 1.2e-38)
		}
	})
}

func TestExpSumScalesShiftsAndAddsUp(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 1))
		for _, n := range lengths {
			x, intact := guarded(normals(r, n))
			want, wanted := make([]float64, n), 0.0
			for i, v := range x {
				if i%5 == 3 {
					x[i] = float32(math.Inf(-1))
					continue
				}
				want[i] = math.Exp(float64(v)*0.5 - 1.25)
				wanted += want[i]
			}
			sum := ExpSum(x, x, 0.5, 1.25)
			for i, v := range x {
				near(t, "ExpSum", v, want[i], 4, 0)
			}
			near(t, "sum", sum, wanted, 20, 0)
			if !intact() {
				t.Fatalf("ExpSum of %d elements writes beyond its end", n)
			}
		}
	})
}

func TestReductionsAgreeWithFloat64(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 1))
		for _, n := range lengths {
			a, b := normals(r, n), normals(r, n)
			dot, sum, size, largest := 0.0, 0.0, 0.0, math.Inf(-1)
			for i := range a {
				dot += float64(a[i]) * float64(b[i])
				sum += float64(a[i])
				size += math.Abs(float64(a[i])) + math.Abs(float64(a[i]*b[i]))
				largest = math.Max(largest, float64(a[i]))
			}
			near(t, "Dot", Dot(a, b), dot, 1, 1e-6*size)
			near(t, "Sum", Sum(a), sum, 1, 1e-6*size)
			near(t, "Max", Max(a), largest, 0, 0)
			for i := range a {
				a[i] = -1 - a[i]*a[i]
			}
			if n > 0 && Max(a) >= 0 {
				t.Fatalf("Max of %d negative elements is %g", n, Max(a))
			}
		}
	})
}

func TestSiLUMulBackwardIsTheGradient(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 1))
		for _, n := range lengths {
			gate, up, dOut := inputs(r, n), normals(r, n), normals(r, n)
			dGate, intactGate := guarded(dOut)
			dUp, intactUp := guarded(up)
			SiLUMulBackward(dGate, dUp, dGate, gate, dUp) // in place
			for i := range gate {
				g, u, d := float64(gate[i]), float64(up[i]), float64(dOut[i])
				s := sigmoid(g)
				near(t, fmt.Sprintf("dGate at %g", g), dGate[i], d*u*s*(1+g*(1-s)), 5,
					1.2e-7*(2+math.Abs(g))*math.Abs(d*u))
				near(t, fmt.Sprintf("dUp at %g", g), dUp[i], d*g*s, 5, 1e-36)
			}
			if !intactGate() || !intactUp() {
				t.Fatalf("SiLUMulBackward of %d elements writes beyond its end", n)
			}
		}
	})
}

func TestRopeRotatesHalvesAndBack(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 1))
		for _, h := range lengths {
			before := normals(r, 2*h)
			x, intact := guarded(before)
			cos, sin, back := make([]float32, h), make([]float32, h), make([]float32, h)
			for i := range h {
				angle := r.Float64() * 7
				cos[i], sin[i], back[i] = float32(math.Cos(angle)), float32(math.Sin(angle)), float32(-math.Sin(angle))
			}
			Rope(x, cos, sin)
			for i := range h {
				a, b, c, s := float64(before[i]), float64(before[h+i]), float64(cos[i]), float64(sin[i])
				near(t, "Rope", x[i], a*c-b*s, 1, 3e-7)
				near(t, "Rope", x[h+i], b*c+a*s, 1, 3e-7)
			}
			Rope(x, cos, back)
			for i, v := range x {
				near(t, "Rope back", v, float64(before[i]), 1, 2e-6)
			}
			if !intact() {
				t.Fatalf("Rope of %d pairs writes beyond its end", h)
			}
		}
	})
}

func TestBF16RoundsToNearestEvenAndWidensExactly(t *testing.T) {
	sets(t, func(t *testing.T) {
		words := make([]uint16, 1<<16)
		for i := range words {
			words[i] = uint16(i)
		}
		x := make([]float32, len(words))
		WidenBF16(x, words)
		back := make([]uint16, len(words))
		NarrowBF16(back, x)
		for i, v := range x {
			if math.Float32bits(v) != uint32(i)<<16 {
				t.Fatalf("word %#x widens to %#x", i, math.Float32bits(v))
			}
			if v == v && back[i] != uint16(i) || v != v && back[i] != uint16(i)|0x40 {
				t.Fatalf("word %#x comes back as %#x", i, back[i])
			}
		}
		for bits, want := range map[uint32]uint16{
			0x3f808000: 0x3f80, // half, even stays
			0x3f818000: 0x3f82, // half, odd goes up
			0x3f808001: 0x3f81,
			0x3f807fff: 0x3f80,
			0xbf818000: 0xbf82,
			0x7f7fffff: 0x7f80, // beyond the largest
			0x00008000: 0x0000,
			0x00018000: 0x0002,
			0x7f800001: 0x7fc0, // NaN in its low half only
		} {
			in := make([]float32, 17)
			for i := range in {
				in[i] = math.Float32frombits(bits)
			}
			out := make([]uint16, len(in))
			NarrowBF16(out, in)
			for i, w := range out {
				if w != want {
					t.Fatalf("%#x narrows to %#x at %d, want %#x", bits, w, i, want)
				}
			}
		}
	})
}

func TestAdamWFollowsTorch(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 1))
		const lr, b1, b2, decay, eps = 1e-3, 0.9, 0.999, 0.01, 1e-8
		for _, n := range lengths {
			start := normals(r, n)
			w, intact := guarded(start)
			m, v := make([]float32, n), make([]float32, n)
			w64, m64, v64 := make([]float64, n), make([]float64, n), make([]float64, n)
			for i := range w64 {
				w64[i] = float64(start[i])
			}
			for step := 1; step <= 3; step++ {
				g := normals(r, n)
				c1, c2 := 1-math.Pow(b1, float64(step)), 1-math.Pow(b2, float64(step))
				AdamW(w, g, m, v, b1, b2, float32(lr/c1), float32(1-lr*decay), float32(1/math.Sqrt(c2)), eps)
				for i, x := range g {
					gradient := float64(x)
					m64[i] = b1*m64[i] + (1-b1)*gradient
					v64[i] = b2*v64[i] + (1-b2)*gradient*gradient
					w64[i] = w64[i]*(1-lr*decay) - lr/c1*m64[i]/(math.Sqrt(v64[i]/c2)+eps)
				}
			}
			for i := range w {
				near(t, "w", w[i], w64[i], 4, 2e-9)
				near(t, "m", m[i], m64[i], 4, 3e-8)
				near(t, "v", v[i], v64[i], 6, 0)
			}
			if !intact() {
				t.Fatalf("AdamW of %d elements writes beyond its end", n)
			}
		}
	})
}

func TestUnequalSlicesAreRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("Dot took slices of 3 and 4 elements")
		}
	}()
	Dot(make([]float32, 3), make([]float32, 4))
}
