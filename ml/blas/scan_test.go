package blas

import (
	"math"
	"math/rand/v2"
	"testing"
)

// scanOf is a random scan, and what float64 makes of it: y and the last state.
func scanOf(r *rand.Rand, steps, channels, states int, backwards bool) (s *Scan, y, h []float64) {
	u, dt, bc, d := normals(r, steps*channels), normals(r, steps*channels), normals(r, steps*(2*states+3)),
		normals(r, channels)
	for i, v := range dt {
		dt[i] = float32(math.Exp(float64(v)*1.5 - 2))
	}
	ld := channels
	walk := func(v []float32, first, width, ld int) Walk {
		if backwards {
			return Walk{v, first + (steps-1)*ld, -ld}
		}
		return Walk{v, first, ld}
	}
	s = &Scan{Steps: steps, Channels: channels, States: states, U: walk(u, 0, channels, ld), DT: walk(dt, 0, channels,
		ld), Y: walk(make([]float32, steps*channels), 0, channels, ld), B: walk(bc, 3, states, 2*states+3),
		C: walk(bc, 3+states, states, 2*states+3), D: d, A: Walk{make([]float32, channels*states), 0, channels},
		H: Walk{normals(r, channels*states), 0, channels}}
	for i := range s.A.V {
		s.A.V[i] = -float32(math.Exp(r.NormFloat64() * 2))
	}
	y, h = make([]float64, steps*channels), make([]float64, channels*states)
	for i, v := range s.H.V {
		h[i] = float64(v)
	}
	for t := range steps {
		for c := range channels {
			row := t
			if backwards {
				row = steps - 1 - t
			}
			x, step := float64(u[row*channels+c]), float64(dt[row*channels+c])
			sum := float64(d[c]) * x
			for n := range states {
				i := n*channels + c
				at := row*(2*states+3) + 3 + n
				h[i] = math.Exp2(step*float64(s.A.V[i]))*h[i] + step*x*float64(bc[at])
				sum += h[i] * float64(bc[at+states])
			}
			y[row*channels+c] = sum
		}
	}
	return s, y, h
}

func largestOf(v []float64) (most float64) {
	for _, x := range v {
		most = max(most, math.Abs(x))
	}
	return most
}

func TestScanFollowsTheRecurrence(t *testing.T) {
	sets(t, func(t *testing.T) {
		for _, backwards := range []bool{false, true} {
			for _, c := range [][3]int{{1, 8, 1}, {5, 16, 3}, {200, 24, 16}} {
				r := rand.New(rand.NewPCG(1, uint64(c[0])))
				s, y, h := scanOf(r, c[0], c[1], c[2], backwards)
				s.Run()
				for i, v := range y {
					near(t, "y", s.Y.V[i], v, 0, 1e-6*largestOf(y))
				}
				for i, v := range h {
					near(t, "state", s.H.V[i], v, 0, 1e-6*largestOf(h))
				}
			}
		}
	})
}

// TestScanGoesOnWhereItStood takes the steps in pieces, and works in place.
func TestScanGoesOnWhereItStood(t *testing.T) {
	sets(t, func(t *testing.T) {
		whole, _, _ := scanOf(rand.New(rand.NewPCG(2, 3)), 50, 16, 4, true)
		parts, _, _ := scanOf(rand.New(rand.NewPCG(2, 3)), 50, 16, 4, true)
		whole.Run()
		parts.Y = parts.U
		for at := 0; at < 50; at += 16 {
			p := *parts
			p.Steps = min(16, 50-at)
			for _, w := range []*Walk{&p.Y, &p.U, &p.DT, &p.B, &p.C} {
				*w = w.From(at)
			}
			p.Run()
		}
		for i, v := range whole.Y.V {
			if v != parts.U.V[i] {
				t.Fatalf("value %d is %g in pieces, %g at once", i, parts.U.V[i], v)
			}
		}
	})
}

func TestScanRefusesRowsThatAreNotThere(t *testing.T) {
	s, _, _ := scanOf(rand.New(rand.NewPCG(2, 3)), 4, 8, 2, false)
	s.Steps = 5
	defer func() {
		if recover() == nil {
			t.Error("a fifth row of four was read")
		}
	}()
	s.Run()
}

func TestSoftplusAgreesWithFloat64(t *testing.T) {
	sets(t, func(t *testing.T) {
		for _, n := range lengths {
			x := inputs(rand.New(rand.NewPCG(5, uint64(n))), n)
			y, intact := guarded(x)
			Softplus(y, y)
			for i, v := range x {
				w := float64(v)
				near(t, "softplus", y[i], max(w, 0)+math.Log1p(math.Exp(-math.Abs(w))), 3+1.5*math.Abs(w), 2e-38)
			}
			if !intact() {
				t.Fatal("what lies behind the slice was written")
			}
		}
	})
}

func TestGatesAgreeWithFloat64(t *testing.T) {
	sets(t, func(t *testing.T) {
		silu := func(x float64) float64 { return x / (1 + math.Exp(-x)) }
		for _, n := range []int{0, 8, 16, 24, 40, 64} {
			r := rand.New(rand.NewPCG(6, uint64(n)))
			z, a, b := inputs(r, n), normals(r, n), normals(r, n)
			y, intact := guarded(a)
			SiLUMulSum(y, z, y, b)
			for i, v := range z {
				w := float64(v)
				near(t, "SiLUMulSum", y[i], silu(w)*float64(a[i]+b[i]), 4+1.5*math.Abs(w), 1e-35)
			}
			if !intact() {
				t.Fatal("what lies behind the slice was written")
			}
			for _, taps := range []int{0, 1, 4} {
				x, w := normals(r, taps*(n+3)+1), normals(r, taps*n)
				out, intact := guarded(make([]float32, n))
				down := Walk{x, 1 + max(taps-1, 0)*(n+3), -(n + 3)} // the rows of x from the last one on
				if taps > 0 && n > 0 {
					down.V = x[: taps*(n+3)+1 : taps*(n+3)+1]
				}
				ConvSiLU(out, b, taps, down, Walk{w, 0, n})
				for i := range out {
					sum := float64(b[i])
					for k := range taps {
						sum += float64(x[1+(taps-1-k)*(n+3)+i]) * float64(w[k*n+i])
					}
					near(t, "ConvSiLU", out[i], silu(sum), 8, 2e-6)
				}
				if !intact() {
					t.Fatal("what lies behind the slice was written")
				}
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	s, _, _ := scanOf(rand.New(rand.NewPCG(2, 3)), 64, 128, 16, false)
	for b.Loop() {
		s.Run()
	}
	b.ReportMetric(float64(s.Steps*s.Channels*s.States)*float64(b.N)/b.Elapsed().Seconds()/1e9, "states/ns")
}
