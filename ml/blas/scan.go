package blas

import (
	"fmt"
	"math"
)

// ScanLanes is what the number of channels of a Scan is a multiple of.
const ScanLanes = 8

// Walk is a way through the rows of a matrix: row t begins at V[First + t·Ld]. A negative Ld walks backwards.
type Walk struct {
	V         []float32
	First, Ld int
}

// From is the walk from its row t on.
func (w Walk) From(t int) Walk { return Walk{w.V, w.First + t*w.Ld, w.Ld} }

// check panics unless steps rows of so many values lie within V.
func (w Walk) check(name string, steps, width int) {
	last := w.First + (steps-1)*w.Ld
	if min(w.First, last) < 0 || max(w.First, last)+width > len(w.V) {
		panic(fmt.Sprintf("blas: Scan: %d rows of %d from %d on, %d apart, do not fit in %d elements of %s", steps,
			width, w.First, w.Ld, len(w.V), name))
	}
}

// Scan is the recurrence of a selective state space (Gu and Dao 2023, arXiv 2312.00752), channel by channel:
//
//	h ← 2^(dt·A)·h + dt·u·B;  y = C·h + D·u
//
// A is at most 0 and in units of ln 2.
type Scan struct {
	Steps, Channels, States int

	Y, U, DT Walk      // [Steps, Channels]; Y may be U
	B, C     Walk      // [Steps, States], the same for all channels and equally far apart
	A        Walk      // [States, Channels]
	D        []float32 // [Channels]
	H        Walk      // [States, Channels] before the first step, then after the last
}

// Run takes the steps, on the calling goroutine.
func (s *Scan) Run() {
	if s.Steps <= 0 || s.Channels <= 0 || s.States <= 0 {
		return
	}
	for _, w := range []struct {
		name        string
		walk        Walk
		rows, width int
	}{{"Y", s.Y, s.Steps, s.Channels}, {"U", s.U, s.Steps, s.Channels}, {"DT", s.DT, s.Steps, s.Channels},
		{"B", s.B, s.Steps, s.States}, {"C", s.C, s.Steps, s.States}, {"A", s.A, s.States, s.Channels},
		{"H", s.H, s.States, s.Channels}} {
		w.walk.check(w.name, w.rows, w.width)
	}
	if s.B.Ld != s.C.Ld || s.Channels%ScanLanes != 0 || len(s.D) < s.Channels {
		panic(fmt.Sprintf("blas: Scan: %d channels with %d values of D, B and C %d and %d apart", s.Channels, len(s.D),
			s.B.Ld, s.C.Ld))
	}
	for at := 0; at < s.Channels; {
		at += scanSome(s, at)
	}
}

// scanSomeGo runs ScanLanes channels from at on.
func scanSomeGo(s *Scan, at int) int {
	for t := range s.Steps {
		y, u, dt := s.Y.First+t*s.Y.Ld+at, s.U.First+t*s.U.Ld+at, s.DT.First+t*s.DT.Ld+at
		b, c := s.B.V[s.B.First+t*s.B.Ld:], s.C.V[s.C.First+t*s.C.Ld:]
		for lane := range ScanLanes {
			step, in := s.DT.V[dt+lane], s.U.V[u+lane]
			sum := s.D[at+lane] * in
			in *= step
			for n := range s.States {
				a, h := s.A.V[s.A.First+n*s.A.Ld+at+lane], &s.H.V[s.H.First+n*s.H.Ld+at+lane]
				*h = float32(math.Exp2(float64(max(step*a, -100))))**h + in*b[n]
				sum += *h * c[n]
			}
			s.Y.V[y+lane] = sum
		}
	}
	return ScanLanes
}

// ConvSiLU sets y = silu(b + Σ x·w), the sum going over so many taps: rows of x and of w, element by element. The
// number of elements is a multiple of ScanLanes. The rounding of Softplus is that of silu, too.
func ConvSiLU(y, b []float32, taps int, x, w Walk) {
	check("ConvSiLU", len(y), len(b))
	if taps > 0 {
		x.check("x", taps, len(y))
		w.check("w", taps, len(y))
	}
	checkLanes("ConvSiLU", len(y))
	convSiLU(y, b, taps, x, w)
}

// SiLUMulSum sets y = silu(z)·(a + b), element by element. Their number is a multiple of ScanLanes. y may be any of
// them.
func SiLUMulSum(y, z, a, b []float32) {
	check("SiLUMulSum", len(y), len(z))
	check("SiLUMulSum", len(y), len(a))
	check("SiLUMulSum", len(y), len(b))
	checkLanes("SiLUMulSum", len(y))
	siluMulSum(y, z, a, b)
}

func checkLanes(function string, n int) {
	if n%ScanLanes != 0 {
		panic(fmt.Sprintf("blas: %s: %d elements are no multiple of %d", function, n, ScanLanes))
	}
}

func silu(x float64) float32 { return float32(x / (1 + math.Exp(-x))) }

func convSiLUGo(y, b []float32, taps int, x, w Walk) {
	for i := range y {
		sum := b[i]
		for k := range taps {
			sum += x.V[x.First+k*x.Ld+i] * w.V[w.First+k*w.Ld+i]
		}
		y[i] = silu(float64(sum))
	}
}

func siluMulSumGo(y, z, a, b []float32) {
	for i := range y {
		y[i] = silu(float64(z[i])) * (a[i] + b[i])
	}
}

// Softplus sets dst = ln(1 + exp x). Rounding an exponent costs the result up to 1.5·|x| units in the last place where
// x is negative, and what is less than the smallest normal number may be that. dst may be x.
func Softplus(dst, x []float32) {
	check("Softplus", len(dst), len(x))
	softplus(dst, x)
}

func softplusGo(dst, x []float32) {
	for i, v := range x {
		w := float64(v)
		dst[i] = float32(max(w, 0) + math.Log1p(math.Exp(-math.Abs(w))))
	}
}
