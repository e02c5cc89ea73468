package nn

import "math"

// Rotary holds the rotation angles of one batch: cos and sin of [rows, head dim / 2], made once and used by all blocks
// of a replica (rotate-half form; Su et al. 2021, arXiv 2104.09864).
type Rotary struct {
	Theta   float64
	HeadDim int
	// M-RoPE: how many of the HeadDim/2 frequencies follow the t, h and w position; nil: all follow row 0
	Sections []int

	Cos, Sin []float32
	freq     []float64
	row      []int
}

// Prepare sets the angles of text positions, rows t, h, w of [tokens].
func (r *Rotary) Prepare(pos [3][]int32) {
	half := r.HeadDim / 2
	if len(r.freq) != half {
		r.freq, r.row = make([]float64, half), make([]int, half)
		at := 0
		for s, n := range r.Sections {
			for ; n > 0 && at < half; n-- {
				r.row[at] = s % 3
				at++
			}
		}
		for i := range half {
			r.freq[i] = math.Pow(r.Theta, -2*float64(i)/float64(r.HeadDim))
		}
	}
	tokens := len(pos[0])
	r.Cos, r.Sin = grow(r.Cos, tokens*half), grow(r.Sin, tokens*half)
	for t := range tokens {
		for i := range half {
			s, c := math.Sincos(float64(pos[r.row[i]][t]) * r.freq[i])
			r.Cos[t*half+i], r.Sin[t*half+i] = float32(c), float32(s)
		}
	}
}

// PrepareGrid sets the angles of picture patches: a quarter of the head dim turns with the row, a quarter with the
// column (each [patches]), with θ^(−4i/head dim).
func (r *Rotary) PrepareGrid(rows, cols []int32) {
	half, quarter := r.HeadDim/2, r.HeadDim/4
	r.Cos, r.Sin = grow(r.Cos, len(rows)*half), grow(r.Sin, len(rows)*half)
	for i := range quarter {
		f := math.Pow(r.Theta, -4*float64(i)/float64(r.HeadDim))
		for p := range rows {
			s, c := math.Sincos(float64(rows[p]) * f)
			r.Cos[p*half+i], r.Sin[p*half+i] = float32(c), float32(s)
			s, c = math.Sincos(float64(cols[p]) * f)
			r.Cos[p*half+quarter+i], r.Sin[p*half+quarter+i] = float32(c), float32(s)
		}
	}
}
