package nn

import (
	"math"

	"finetui/ml/blas"
)

// HeadWeights are the final norm and the output product [vocabulary, hidden]. Where the embeddings are tied, Out.W is
// theirs, and if they are trained Out.WSpan lies in their flat vector.
type HeadWeights struct {
	Norm   *Norm
	Out    *Linear
	Tied   bool
	Gamma  float64 // focal loss; 0: cross entropy
	Layout Layout  // of the norm and, untied, of the product, where they are trained
	Value  []float32
}

// Head is the loss of a language model: Σ weight · nll · Scale over the supervised positions of the batch,
// or with Gamma the focal Σ weight · (1−p)^γ · nll · Scale (Lin et al. 2017, arXiv 1708.02002). Logits
// exist only at supervised positions, a few rows at a time.
type Head struct {
	w      *HeadWeights
	e      *Exec
	batch  *Batch
	params Params
	norm   norm
	out    product

	at   []int     // [n] supervised positions
	x    []float32 // [n, hidden] the rows there
	xn   []float32 // [n, hidden] norm(x)
	dxn  []float32 // [n, hidden]
	dx   []float32 // [T, hidden]
	nll  []float64 // [n]
	hit  []bool    // [n]
	grad bool
}

// NewHead returns a replica of w. tied are the parameters of the Embed that shares the product, zero where none does.
func NewHead(w *HeadWeights, e *Exec, batch *Batch, tied Params) *Head {
	p := Params{Value: w.Value, Grad: make([]float32, len(w.Value))}
	out := p
	if w.Tied {
		out = tied
	}
	return &Head{w: w, e: e, batch: batch, params: p, norm: newNorm(w.Norm, p), out: newProduct(w.Out, out), grad: true}
}

// Name is "lm_head".
func (h *Head) Name() string { return "lm_head" }

// Params are the norm and, untied, the output product where they are trained.
func (h *Head) Params() Params { return h.params }

// WithGradient says whether Forward prepares Backward (true at first). Evaluation switches it off.
func (h *Head) WithGradient(on bool) { h.grad = on }

// Positions are the supervised positions of the last Forward, in order.
func (h *Head) Positions() []int { return h.at }

// NLL are the plain negative log-likelihoods at Positions, in nats.
func (h *Head) NLL() []float64 { return h.nll }

// Hit says for each of Positions whether the likeliest token was the target.
func (h *Head) Hit() []bool { return h.hit }

const logitRows = 64

// Forward returns the loss of x [T, hidden].
func (h *Head) Forward(x []float32) float64 {
	b, d, vocab := h.batch, h.w.Out.W.Cols, h.w.Out.W.Rows
	h.at = b.Supervised(h.at[:0])
	n := len(h.at)
	h.x, h.xn = grow(h.x, n*d), grow(h.xn, n*d)
	for i, t := range h.at {
		copy(h.x[i*d:(i+1)*d], x[t*d:(t+1)*d])
	}
	h.norm.run(h.e, n, h.x, h.xn)
	h.nll, h.hit = h.nll[:0], h.hit[:0]
	h.dxn = grow(h.dxn, n*d)
	logits := h.e.take(scratchLogits, min(n, logitRows)*vocab)
	nll, hit, weighted := make([]float64, logitRows), make([]bool, logitRows), make([]float64, logitRows)
	var loss float64
	for i := 0; i < n; i += logitRows {
		m := min(logitRows, n-i)
		h.out.run(h.e, m, h.xn[i*d:], nil, logits, nil, false)
		h.e.Team.For(m, 1, func(lo, hi int) {
			for j := lo; j < hi; j++ {
				t := h.at[i+j]
				row := logits[j*vocab : (j+1)*vocab]
				nll[j], weighted[j], hit[j] = h.rowLoss(row, int(b.Targets[t]), b.Weights[t]*b.Scale)
			}
		})
		for j := range m {
			loss += weighted[j]
		}
		h.nll, h.hit = append(h.nll, nll[:m]...), append(h.hit, hit[:m]...)
		if h.grad {
			h.out.back(h.e, m, h.xn[i*d:(i+m)*d], logits[:m*vocab], h.dxn[i*d:(i+m)*d], nil)
		}
	}
	return loss
}

// rowLoss replaces a row of logits by the gradient of its weighted loss and returns the plain nll, the weighted loss
// and whether the target has the largest logit. With p the target's probability and s the softmax, d/dlogits = weight ·
// c · (s − onehot), c = (1−p)^γ − γ (1−p)^(γ−1) p ln p, which is 1 for γ = 0.
func (h *Head) rowLoss(row []float32, target int, weight float32) (nll, weighted float64, hit bool) {
	at, top := row[target], blas.Max(row)
	sum := blas.ExpSum(row, row, 1, top)
	nll = math.Log(float64(sum)) + float64(top) - float64(at)
	weighted, c := nll*float64(weight), float64(1)
	if g := h.w.Gamma; g > 0 {
		p := math.Exp(-nll)
		rest := -math.Expm1(-nll) // 1−p without cancellation
		weighted *= math.Pow(rest, g)
		c = math.Pow(rest, g)
		if rest > 0 {
			c += g * math.Pow(rest, g-1) * p * nll
		}
	}
	if h.grad {
		f := weight * float32(c)
		blas.Scale(row, f/sum)
		row[target] -= f
	}
	return nll, weighted, at >= top
}

// Backward returns dx [T, hidden] of the last Forward, times scale. The gradients of the head's own parameters were
// added by Forward with the factor 1: scale must be 1 where they are trained.
func (h *Head) Backward(x []float32, scale float32) []float32 {
	d, n := h.w.Out.W.Cols, len(h.at)
	if scale != 1 {
		blas.Scale(h.dxn[:n*d], scale)
	}
	picked := h.e.take(scratchPickedGrad, n*d)
	h.norm.back(h.e, n, h.x, h.dxn, nil, picked)
	h.dx = grow(h.dx, len(x))
	clear(h.dx)
	for i, t := range h.at {
		copy(h.dx[t*d:(t+1)*d], picked[i*d:(i+1)*d])
	}
	return h.dx
}

// Logits returns the logits [len(at), vocabulary] of the rows at of x [T, hidden], and those rows after the
// norm [len(at), hidden], which belong to the head until its next call.
func (h *Head) Logits(x []float32, at []int) (logits, normed []float32) {
	d, vocab := h.w.Out.W.Cols, h.w.Out.W.Rows
	picked := h.e.take(scratchPicked, len(at)*d)
	for i, t := range at {
		copy(picked[i*d:(i+1)*d], x[t*d:(t+1)*d])
	}
	h.xn = grow(h.xn, len(at)*d)
	h.norm.run(h.e, len(at), picked, h.xn)
	logits = make([]float32, len(at)*vocab)
	h.out.run(h.e, len(at), h.xn, nil, logits, nil, false)
	return logits, h.xn
}
