package base

import (
	"math"
	"math/rand/v2"
	"slices"

	"finetui/core/demo/generic"
	"finetui/ml/blas"
	"finetui/ml/nn"
)

// question is one thing that is asked of a whole picture in stage 1.
type question struct {
	choices int
	weight  float64
	answer  func(t *generic.Thing) int
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}

var questions = [...]question{
	{len(generic.Kinds), 1, func(t *generic.Thing) int { return slices.Index(generic.Kinds, t.Kind) }},
	{len(generic.Directions), .5, func(t *generic.Thing) int { return slices.Index(generic.Directions, t.Direction) }},
	{len(generic.Grounds), .2, func(t *generic.Thing) int { return slices.Index(generic.Grounds, t.Ground) }},
	{len(generic.Colours), .2, func(t *generic.Thing) int { return slices.Index(generic.Colours, t.Colour) }},
	{2, 1.5, func(t *generic.Thing) int { return yes(t.Cracked) }},
	{2, 1.5, func(t *generic.Thing) int { return yes(t.Broken) }},
	{len(generic.Covers), 1, func(t *generic.Thing) int { return slices.Index(generic.Covers, t.Cover) }},
	{2, .7, func(t *generic.Thing) int { return yes(t.Scattered) }},
}

// What a wrongly free cell costs compared with a wrongly set one, and each map's share of the loss: body, crack, bite,
// cover, hole, scattered.
var (
	setWeight = [generic.MapCount]float64{1, 4, 4, 2, 3, 4}
	mapWeight = [generic.MapCount]float64{.3, 2, 1.5, 1, 1, .7}
)

const (
	perToken   = 16                               // merged tokens of a picture
	cells      = 4                                // patches of a merged token
	maps       = int(generic.MapCount)            //
	denseWidth = (cells + 1) * maps               // each patch's maps, then those of the token as a whole
	denseShare = 4.                               // of the loss
	grid       = generic.Size / generic.Cell      // cells of a side
	_          = uint(perToken*cells - grid*grid) // the constants agree
)

// labelWeights are the heads of stage 1, shared by all viewers.
type labelWeights struct {
	hidden       int
	choices      int // of all questions together
	layout       nn.Layout
	dense, whole nn.Span // [denseWidth, hidden], [choices, 2·hidden]
	denseBias    nn.Span
	wholeBias    nn.Span
	value        []float32
}

func newLabelWeights(hidden int, seed uint64) *labelWeights {
	w := &labelWeights{hidden: hidden}
	for _, q := range questions {
		w.choices += q.choices
	}
	w.dense, w.denseBias = w.layout.Add("dense.weight", denseWidth, hidden), w.layout.Add("dense.bias", denseWidth)
	w.whole, w.wholeBias = w.layout.Add("whole.weight", w.choices, 2*hidden), w.layout.Add("whole.bias", w.choices)
	w.value = make([]float32, w.layout.Size)
	rng := rand.New(rand.NewPCG(seed, 3))
	for _, s := range []nn.Span{w.dense, w.whole} {
		for i := range s.Of(w.value) {
			s.Of(w.value)[i] = float32(rng.NormFloat64() / math.Sqrt(float64(s.Shape[1])))
		}
	}
	return w
}

// labelLoss is the loss of stage 1 on merged tokens [pictures·16, hidden]: cross entropies of the questions from the
// tokens' mean and maximum, and binary cross entropies of the maps from each token.
type labelLoss struct {
	w      *labelWeights
	grad   []float32
	things []generic.Thing

	dense, whole, pooled, dpooled, dx []float32
	argmax                            []int32

	keep  bool // note what is right
	right [len(questions)]float64
	marks [generic.MapCount][]mark
}

func newLabelLoss(w *labelWeights) *labelLoss {
	return &labelLoss{w: w, grad: make([]float32, len(w.value))}
}

func (l *labelLoss) Name() string      { return "labels" }
func (l *labelLoss) Params() nn.Params { return nn.Params{Value: l.w.value, Grad: l.grad} }

func room(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// Forward returns the loss and makes its gradients, as shares of a batch of towerBatch pictures.
func (l *labelLoss) Forward(x []float32) float64 {
	d, n := l.w.hidden, len(l.things)
	tokens := n * perToken
	l.dx = room(l.dx, tokens*d)
	clear(l.dx)
	if l.keep {
		l.right, l.marks = [len(questions)]float64{}, [generic.MapCount][]mark{}
	}
	return l.forwardDense(x, tokens) + l.forwardWhole(x, n)
}

// Backward returns the gradient of x.
func (l *labelLoss) Backward(_ []float32, scale float32) []float32 {
	if scale != 1 {
		blas.Scale(l.dx, scale)
	}
	return l.dx
}

func (l *labelLoss) forwardDense(x []float32, tokens int) (loss float64) {
	d, team := l.w.hidden, blas.Team{}
	w, b := l.w.dense.Of(l.w.value), l.w.denseBias.Of(l.w.value)
	l.dense = room(l.dense, tokens*denseWidth)
	team.Gemm(false, true, tokens, denseWidth, d, x, d, w, d, false, l.dense, denseWidth)
	for t := range tokens {
		thing := &l.things[t/perToken]
		row := l.dense[t*denseWidth : (t+1)*denseWidth]
		blas.Add(row, b)
		at := t % perToken
		y, xx := at/(grid/2)*2, at%(grid/2)*2
		for k := range maps {
			any := false
			for q := range cells {
				set := thing.Maps[k][(y+q/2)*grid+xx+q%2]
				any = any || set
				if l.keep {
					l.marks[k] = append(l.marks[k], mark{row[q*maps+k], set})
				}
				loss += l.binary(&row[q*maps+k], set, k, 1./(perToken*cells*towerBatch))
			}
			loss += l.binary(&row[cells*maps+k], any, k, 1./(perToken*towerBatch))
		}
	}
	gw, gb := l.w.dense.Of(l.grad), l.w.denseBias.Of(l.grad)
	team.Gemm(true, false, denseWidth, d, tokens, l.dense, denseWidth, x, d, true, gw, d)
	for t := range tokens {
		blas.Add(gb, l.dense[t*denseWidth:(t+1)*denseWidth])
	}
	team.Gemm(false, false, tokens, d, denseWidth, l.dense, denseWidth, w, d, true, l.dx, d)
	return loss
}

// binary replaces a logit by the gradient of its weighted binary cross entropy, which it returns.
func (l *labelLoss) binary(z *float32, set bool, k int, share float64) float64 {
	v := float64(*z)
	c := denseShare * mapWeight[k] * share
	p := 1 / (1 + math.Exp(-v))
	if set {
		c *= setWeight[k]
		*z = float32(c * (p - 1))
		return c * softplus(-v)
	}
	*z = float32(c * p)
	return c * softplus(v)
}

func softplus(v float64) float64 { return math.Max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))) }

func (l *labelLoss) forwardWhole(x []float32, n int) (loss float64) {
	d, team, choices := l.w.hidden, blas.Team{}, l.w.choices
	w, b := l.w.whole.Of(l.w.value), l.w.wholeBias.Of(l.w.value)
	l.pooled, l.dpooled = room(l.pooled, n*2*d), room(l.dpooled, n*2*d)
	if cap(l.argmax) < n*d {
		l.argmax = make([]int32, n*d)
	}
	for i := range n {
		sum, top := l.pooled[i*2*d:i*2*d+d], l.pooled[i*2*d+d:(i+1)*2*d]
		copy(sum, x[i*perToken*d:])
		copy(top, sum)
		at := l.argmax[i*d : (i+1)*d]
		clear(at)
		for t := 1; t < perToken; t++ {
			for j, v := range x[(i*perToken+t)*d : (i*perToken+t+1)*d] {
				sum[j] += v
				if v > top[j] {
					top[j], at[j] = v, int32(t)
				}
			}
		}
		blas.Scale(sum, 1./perToken)
	}
	l.whole = room(l.whole, n*choices)
	team.Gemm(false, true, n, choices, 2*d, l.pooled, 2*d, w, 2*d, false, l.whole, choices)
	for i := range n {
		row := l.whole[i*choices : (i+1)*choices]
		blas.Add(row, b)
		for q, ask := range questions {
			part := row[:ask.choices]
			row = row[ask.choices:]
			target := ask.answer(&l.things[i])
			top, at := blas.Max(part), part[target]
			if l.keep && at >= top {
				l.right[q] += 1 / float64(n)
			}
			sum := blas.ExpSum(part, part, 1, top)
			c := ask.weight / towerBatch
			loss += c * (math.Log(float64(sum)) + float64(top) - float64(at))
			blas.Scale(part, float32(c)/sum)
			part[target] -= float32(c)
		}
	}
	gw, gb := l.w.whole.Of(l.grad), l.w.wholeBias.Of(l.grad)
	team.Gemm(true, false, choices, 2*d, n, l.whole, choices, l.pooled, 2*d, true, gw, 2*d)
	team.Gemm(false, false, n, 2*d, choices, l.whole, choices, w, 2*d, false, l.dpooled, 2*d)
	for i := range n {
		blas.Add(gb, l.whole[i*choices:(i+1)*choices])
		sum, top := l.dpooled[i*2*d:i*2*d+d], l.dpooled[i*2*d+d:(i+1)*2*d]
		for t := range perToken {
			blas.Axpy(l.dx[(i*perToken+t)*d:(i*perToken+t+1)*d], sum, 1./perToken)
		}
		for j, t := range l.argmax[i*d : (i+1)*d] {
			l.dx[(i*perToken+int(t))*d+j] += top[j]
		}
	}
	return loss
}
