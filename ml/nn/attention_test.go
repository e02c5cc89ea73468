package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// plainAttention is attention with all its probabilities stored, in float64, and its gradient for do.
func plainAttention(a *attention, starts []int, qkv, do []float32) (o, dqkv []float64) {
	hd, w, wo, group := a.headDim, a.width(), a.heads*a.headDim, a.group()
	o, dqkv = make([]float64, len(do)), make([]float64, len(qkv))
	scale := 1 / math.Sqrt(float64(hd))
	for s := range len(starts) - 1 {
		for h := range a.heads {
			q, k, v := h*hd, (a.heads+h/group)*hd, (a.heads+a.kvHeads+h/group)*hd
			for t := starts[s]; t < starts[s+1]; t++ {
				end := starts[s+1]
				if a.causal {
					end = t + 1
				}
				p, sum := make([]float64, end-starts[s]), 0.
				for i := range p {
					for d := range hd {
						p[i] += float64(qkv[t*w+q+d]) * float64(qkv[(starts[s]+i)*w+k+d])
					}
					p[i] = math.Exp(p[i] * scale)
					sum += p[i]
				}
				delta := 0.
				dp := make([]float64, len(p))
				for i := range p {
					p[i] /= sum
					for d := range hd {
						x := float64(qkv[(starts[s]+i)*w+v+d])
						o[t*wo+q+d] += p[i] * x
						dp[i] += float64(do[t*wo+q+d]) * x
						dqkv[(starts[s]+i)*w+v+d] += p[i] * float64(do[t*wo+q+d])
					}
					delta += p[i] * dp[i]
				}
				for i := range p {
					ds := p[i] * (dp[i] - delta) * scale
					for d := range hd {
						dqkv[t*w+q+d] += ds * float64(qkv[(starts[s]+i)*w+k+d])
						dqkv[(starts[s]+i)*w+k+d] += ds * float64(qkv[t*w+q+d])
					}
				}
			}
		}
	}
	return o, dqkv
}

func TestAttentionInBlocksEqualsStoredProbabilities(t *testing.T) {
	for _, c := range []struct {
		heads, kv, hd int
		causal        bool
		lengths       []int
	}{
		{4, 2, 8, true, []int{1, 5, 40}},
		{14, 2, 4, true, []int{700, 3}},      // several blocks of queries and of keys
		{2, 1, 4, true, []int{2, 1400, 600}}, // and several ranges of queries
		{2, 1, 4, false, []int{1100}},
		{9, 9, 4, false, []int{300, 1, 260}}, // heads enough for one range
	} {
		t.Run(fmt.Sprintf("%d/%d heads, causal %v, %v", c.heads, c.kv, c.causal, c.lengths), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(11, 12))
			a := &attention{heads: c.heads, kvHeads: c.kv, headDim: c.hd, causal: c.causal}
			starts := []int{0}
			for _, n := range c.lengths {
				starts = append(starts, starts[len(starts)-1]+n)
			}
			rows := starts[len(starts)-1]
			qkv, do := noise(rng, rows*a.width(), 2), noise(rng, rows*a.heads*a.headDim, 1)
			cos, sin := make([]float32, rows*c.hd/2), make([]float32, rows*c.hd/2)
			for i := range cos {
				cos[i] = 1
			}
			wantO, wantGrad := plainAttention(a, starts, qkv, do)
			var first []float32
			for _, cores := range []int{1, 2, 5} {
				e := NewExec(cores)
				o, dqkv := make([]float32, len(do)), noise(rng, len(qkv), 1)
				a.run(e, asking{starts: starts}, qkv, o, true)
				a.back(e, asking{starts: starts}, qkv, o, do, dqkv, cos, sin)
				close := func(what string, got []float32, want []float64) {
					var squares float64
					for _, v := range want {
						squares += v * v
					}
					rms := math.Sqrt(squares / float64(len(want)))
					for i := range want {
						if math.Abs(float64(got[i])-want[i]) > 6e-5*(rms+math.Abs(want[i])) {
							t.Fatalf("%s[%d] is %g, want %g", what, i, got[i], want[i])
						}
					}
				}
				close("o", o, wantO)
				close("dqkv", dqkv, wantGrad)
				all := append(o, dqkv...)
				for i := range first {
					if first[i] != all[i] {
						t.Fatalf("%d cores give other bits than one", cores)
					}
				}
				first = all
			}
		})
	}
}

// Where some tokens ask, their rows are those of all, and gradients those of a loss that looks at nothing else.
func TestAttentionOfTheTokensThatAsk(t *testing.T) {
	for _, c := range []struct {
		heads, kv int
		causal    bool
		lengths   []int
	}{{4, 2, true, []int{40, 30, 5}}, {2, 1, true, []int{3000, 2, 900}}, {9, 9, false, []int{300, 1, 260}}} {
		rng := rand.New(rand.NewPCG(15, 16))
		a := &attention{heads: c.heads, kvHeads: c.kv, headDim: 8, causal: c.causal}
		starts := []int{0}
		for _, n := range c.lengths {
			starts = append(starts, starts[len(starts)-1]+n)
		}
		tokens, wo := starts[len(starts)-1], a.heads*a.headDim
		var rows []int // none of the second sequence
		for row := range tokens {
			if (row < starts[1] || row >= starts[2]) && rng.IntN(3) == 0 {
				rows = append(rows, row)
			}
		}
		qkv, do := noise(rng, tokens*a.width(), 2), make([]float32, tokens*wo)
		few := noise(rng, len(rows)*wo, 1)
		spread(do, few, rows, wo)
		wantO, wantGrad := plainAttention(a, starts, qkv, do)
		e, o, dqkv := NewExec(2), make([]float32, len(few)), noise(rng, len(qkv), 1)
		a.run(e, asking{starts, rows}, qkv, o, true)
		a.back(e, asking{starts, rows}, qkv, o, few, dqkv, nil, nil)
		for i, row := range rows {
			for j := range wo {
				if got, want := float64(o[i*wo+j]), wantO[row*wo+j]; math.Abs(got-want) > 6e-5*(1+math.Abs(want)) {
					t.Fatalf("%v: o of row %d is %g, want %g", c, row, got, want)
				}
			}
		}
		for i, want := range wantGrad {
			if got := float64(dqkv[i]); math.Abs(got-want) > 6e-5*(1+math.Abs(want)) {
				t.Fatalf("%v: dqkv[%d] is %g, want %g", c, i, got, want)
			}
		}
	}
}

func TestAttentionMemoryGrowsWithTheLengthNotItsSquare(t *testing.T) {
	bytes := func(n int) int {
		rng := rand.New(rand.NewPCG(13, 14))
		a := &attention{heads: 2, kvHeads: 1, headDim: 4, causal: true}
		e := NewExec(1)
		qkv, o := noise(rng, n*a.width(), 1), make([]float32, n*a.heads*a.headDim)
		cos := make([]float32, n*a.headDim/2)
		a.run(e, asking{starts: []int{0, n}}, qkv, o, true)
		a.back(e, asking{starts: []int{0, n}}, qkv, o, o, make([]float32, len(qkv)), cos, cos)
		if b := blocks.Get().(*block); cap(b.p) > 2*queryRows*keyBlock {
			t.Errorf("room for %d probabilities at once", cap(b.p))
		}
		size := len(a.lse.v)
		for _, s := range e.scratch {
			size += cap(s)
		}
		return 4 * size
	}
	short, long := bytes(4096), bytes(8192)
	if 2*long > 5*short {
		t.Errorf("%d bytes for 4096 tokens, %d for 8192", short, long)
	}
}
