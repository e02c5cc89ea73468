package nn

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestETProjGradient(t *testing.T) {
	for _, c := range []struct{ side, grid int }{{5, 3}, {4, 4}, {7, 2}} {
		const in, hidden, maps = 6, 10, 2
		rng := rand.New(rand.NewPCG(21, uint64(c.side)))
		var l Layout
		w := &ETProjWeights{Called: "mm_projector", Side: c.side, Grid: c.grid}
		w.FC1, w.FC2 = trained(&l, "mlp.0", hidden, in, true), trained(&l, "mlp.2", hidden, hidden, true)
		w.Peg = trained(&l, "peg.0", hidden, 9, true)
		value := noise(rng, l.Size, .3)
		bind(value, w.FC1, w.FC2, w.Peg)
		m := NewETProj(w, NewExec(2), Params{Value: value, Grad: make([]float32, l.Size)})
		checkBlock(t, m, noise(rng, maps*c.side*c.side*in, 1), rng)
	}
}

func TestPlaceGradient(t *testing.T) {
	for _, frames := range []int{0, 3} {
		const d, patches, clips = 5, 4, 2
		rng := rand.New(rand.NewPCG(22, uint64(frames)))
		w := &PlaceWeights{}
		w.ClassSpan = w.Layout.Add("class", d)
		w.PositionSpan = w.Layout.Add("position", 1+patches, d)
		if frames > 0 {
			w.TimeSpan = w.Layout.Add("time", frames, d)
		}
		w.Value = noise(rng, w.Layout.Size, 1)
		w.Class, w.Position, w.Time = w.ClassSpan.Of(w.Value), w.PositionSpan.Of(w.Value), w.TimeSpan.Of(w.Value)
		checkBlock(t, NewPlace(w, NewExec(2)), noise(rng, clips*max(1, frames)*patches*d, 1), rng)
	}
}

func TestNormBlockGradient(t *testing.T) {
	for _, shift := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(23, 1))
		w := &NormWeights{Called: "norm"}
		w.Norm = trainedNorm(&w.Layout, "norm", 9, shift)
		w.Value = noise(rng, w.Layout.Size, .3)
		bindNorm(w.Value, w.Norm)
		checkBlock(t, NewNormBlock(w, NewExec(1)), noise(rng, 4*9, 1), rng)
	}
}

// TestAttentionReceivedIsTheWholeMatrixsColumnSums holds the sums against the matrix that is never made.
func TestAttentionReceivedIsTheWholeMatrixsColumnSums(t *testing.T) {
	const tokens, width = 148, 9
	x := noise(rand.New(rand.NewPCG(24, 1)), tokens*width, 1)
	want := make([]float64, tokens)
	for i := range tokens {
		row, sum := make([]float64, tokens), 0.
		for j := range row {
			dot := 0.
			for k := range width {
				dot += float64(x[i*width+k]) * float64(x[j*width+k])
			}
			row[j] = math.Exp(dot / math.Sqrt(width))
			sum += row[j]
		}
		for j, v := range row {
			want[j] += v / sum
		}
	}
	total := 0.
	for i, got := range AttentionReceived(NewExec(2), x, width) {
		if math.Abs(got-want[i]) > 1e-4*want[i] {
			t.Errorf("token %d receives %g, want %g", i, got, want[i])
		}
		total += got
	}
	if math.Abs(total-tokens) > 1e-3 {
		t.Errorf("all tokens together receive %g of %d", total, tokens)
	}
}

// TestVisionBlockWithoutRotation is CLIP's block: positions are learned, and no angle was ever prepared.
func TestVisionBlockWithoutRotation(t *testing.T) {
	const embed, heads, hd, inner = 16, 2, 8, 24
	rng := rand.New(rand.NewPCG(25, 1))
	w := &VisionWeights{Heads: heads, HeadDim: hd}
	w.Norm1, w.Norm2 = trainedNorm(&w.Layout, "n1", embed, true), trainedNorm(&w.Layout, "n2", embed, true)
	w.QKV, w.Proj = trained(&w.Layout, "qkv", 3*embed, embed, true), trained(&w.Layout, "proj", embed, embed, true)
	w.FC1, w.FC2 = trained(&w.Layout, "fc1", inner, embed, true), trained(&w.Layout, "fc2", embed, inner, true)
	w.Value = noise(rng, w.Layout.Size, .2)
	bind(w.Value, w.QKV, w.Proj, w.FC1, w.FC2)
	bindNorm(w.Value, w.Norm1, w.Norm2)
	b := NewVisionBlock(w, NewExec(2), &Patches{Starts: []int{0, 5, 10}})
	checkBlock(t, b, noise(rng, 10*embed, 1), rng)
}

// TestMambaGradient runs two sequences, the shorter of which its kernels reach across, in two pieces of channels.
func TestMambaGradient(t *testing.T) {
	const d, inner, states, rank, taps = 6, scanChannels + 16, 3, 2, 4
	for name, all := range map[string]bool{"all parameters": true, "frozen": false} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(26, 1))
			w := &MambaWeights{Norm: &Norm{W: noise(rng, d, 1), Eps: 1e-5}}
			linear := func(name string, out, in int, bias bool) *Linear {
				if all {
					return trained(&w.Layout, name, out, in, bias)
				}
				return frozen(rng, out, in, bias)
			}
			w.In, w.Out = linear("in", 2*inner, d, false), linear("out", d, inner, false)
			lins := []*Linear{w.In, w.Out}
			for i := range w.Ways {
				s := &w.Ways[i]
				s.Conv, s.X = linear("conv", inner, taps, true), linear("x", rank+2*states, inner, false)
				s.DT = linear("dt", inner, rank, true)
				lins = append(lins, s.Conv, s.X, s.DT)
				s.ALog, s.D = noise(rng, inner*states, .5), noise(rng, inner, 1)
				if all {
					s.ALogSpan, s.DSpan = w.Layout.Add("A", inner, states), w.Layout.Add("D", inner)
				}
			}
			w.Value = noise(rng, w.Layout.Size, .4)
			bind(w.Value, lins...)
			for i := range w.Ways {
				if s := &w.Ways[i]; all {
					s.ALog, s.D = s.ALogSpan.Of(w.Value), s.DSpan.Of(w.Value)
				}
			}
			checkBlock(t, NewMamba(w, NewExec(2), &Patches{Starts: []int{0, 2, 11}}), noise(rng, 11*d, 1), rng)
		})
	}
}
