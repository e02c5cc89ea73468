package blas

import (
	"fmt"
	"math"
)

// ScanLanes is the number of channels that a Scan keeps side by side. Their number is a multiple of it.
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
// Channels lie in groups of ScanLanes: of A and H, a group's states lie one after the other, each with the values of
// its channels side by side. A is at most 0 and in units of ln 2.
type Scan struct {
	Steps, Channels, States int

	Y, U, DT Walk      // [Steps, Channels]; Y may be U
	B, C     Walk      // [Steps, States], the same for all channels and equally far apart
	A        []float32 // [Channels/ScanLanes, States, ScanLanes]
	D        []float32 // [Channels]
	H        []float32 // as A: the state before the first step, then after the last
}

// Run takes the steps, on the calling goroutine.
func (s *Scan) Run() {
	if s.Steps <= 0 || s.Channels <= 0 || s.States <= 0 {
		return
	}
	for _, w := range []struct {
		name  string
		walk  Walk
		width int
	}{{"Y", s.Y, s.Channels}, {"U", s.U, s.Channels}, {"DT", s.DT, s.Channels}, {"B", s.B, s.States},
		{"C", s.C, s.States}} {
		w.walk.check(w.name, s.Steps, w.width)
	}
	n := s.Channels * s.States
	if s.B.Ld != s.C.Ld {
		panic("blas: Scan: B and C are rows of one matrix")
	}
	if s.Channels%ScanLanes != 0 || len(s.A) < n || len(s.H) < n || len(s.D) < s.Channels {
		panic(fmt.Sprintf("blas: Scan: %d channels of %d states with %d values of A, %d of H and %d of D", s.Channels,
			s.States, len(s.A), len(s.H), len(s.D)))
	}
	for at := 0; at < s.Channels; at += ScanLanes {
		scanGroup(s, at)
	}
}

// scanGroupGo runs the channels from at on.
func scanGroupGo(s *Scan, at int) {
	a, h := s.A[at*s.States:(at+ScanLanes)*s.States], s.H[at*s.States:(at+ScanLanes)*s.States]
	for t := range s.Steps {
		y, u, dt := s.Y.First+t*s.Y.Ld+at, s.U.First+t*s.U.Ld+at, s.DT.First+t*s.DT.Ld+at
		b, c := s.B.V[s.B.First+t*s.B.Ld:], s.C.V[s.C.First+t*s.C.Ld:]
		for lane := range ScanLanes {
			step, in := s.DT.V[dt+lane], s.U.V[u+lane]
			sum := s.D[at+lane] * in
			in *= step
			for n := range s.States {
				i := n*ScanLanes + lane
				h[i] = float32(math.Exp2(float64(max(step*a[i], -100))))*h[i] + in*b[n]
				sum += h[i] * c[n]
			}
			s.Y.V[y+lane] = sum
		}
	}
}

// Softplus sets dst = ln(1 + exp x). dst may be x.
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
