package clipbase

import (
	"fmt"
	"math"
	"math/rand/v2"

	"finetui/ml/blas"
	"finetui/ml/nn"
)

// headWeights read a tower's tokens in stage 1 and are thrown away: of each token binary maps and, where something
// moves in it, vectors; of each group of tokens, a picture or a clip, numbers.
type headWeights struct {
	hidden, tokens        int // of a group, without the class token
	maps, vectors, whole  int
	layout                nn.Layout
	dense, denseBias      nn.Span // [maps+vectors, hidden]
	pooled, pooledBias    nn.Span // [whole, hidden]
	value                 []float32
	setWeight             float64 // what a wrongly free token costs compared with a wrongly set one
	mapShare, vectorShare float64 // of the loss
}

func newHeadWeights(hidden, tokens, maps, vectors, whole int, seed uint64) *headWeights {
	w := &headWeights{hidden: hidden, tokens: tokens, maps: maps, vectors: vectors, whole: whole, setWeight: 4,
		mapShare: 4, vectorShare: 4}
	w.dense, w.denseBias = w.layout.Add("dense.weight", maps+vectors, hidden), w.layout.Add("dense.bias", maps+vectors)
	w.pooled, w.pooledBias = w.layout.Add("pooled.weight", whole, hidden), w.layout.Add("pooled.bias", whole)
	w.value = make([]float32, w.layout.Size)
	rng := rand.New(rand.NewPCG(seed, 3))
	for _, s := range []nn.Span{w.dense, w.pooled} {
		for i := range s.Of(w.value) {
			s.Of(w.value)[i] = float32(rng.NormFloat64() / math.Sqrt(float64(s.Shape[1])))
		}
	}
	return w
}

// target is what the heads should say of a group.
type target struct {
	set    []bool    // [tokens, maps]
	vector []float32 // [tokens, vectors]; NaN: nothing is to be said
	whole  []float32 // [whole]
}

// headLoss is the loss of stage 1 on x [groups·(1+tokens), hidden], a mean over groups.
type headLoss struct {
	w       *headWeights
	grad    []float32
	targets []target
	share   float64 // of a group in the loss
	learn   bool    // the gradients of the heads are wanted, too

	logits, mean, dmean, z, dx []float32

	told score
}

// score is how well the heads tell what they should.
type score struct {
	right, asked   float64 // maps: tokens that are told rightly among as many set as free ones, by class-balanced shares
	vectors, whole squares
}

func (s *score) add(o score) {
	s.right, s.asked = s.right+o.right, s.asked+o.asked
	s.vectors, s.whole = s.vectors.and(o.vectors), s.whole.and(o.whole)
}

// String names what the heads have been asked for.
func (s score) String() string {
	out := fmt.Sprintf("parts %.3f, measures explained %.3f", s.right/s.asked, s.whole.explained())
	if s.vectors.target > 0 {
		out += fmt.Sprintf(", direction and distance explained %.3f", s.vectors.explained())
	}
	return out
}

// squares are those of errors, and of what should be told.
type squares struct{ error, target float64 }

func (s *squares) add(told, want float32) {
	off := float64(told - want)
	s.error, s.target = s.error+off*off, s.target+float64(want)*float64(want)
}

func (s squares) and(o squares) squares { return squares{s.error + o.error, s.target + o.target} }

// explained is the share of the targets' squares that is told: 0 is what always saying 0 comes to, less is worse.
func (s squares) explained() float64 { return 1 - s.error/s.target }

func newHeadLoss(w *headWeights) *headLoss {
	return &headLoss{w: w, grad: make([]float32, len(w.value))}
}

func (l *headLoss) Name() string      { return "heads" }
func (l *headLoss) Params() nn.Params { return nn.Params{Value: l.w.value, Grad: l.grad} }

func room(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// Forward returns the loss and makes its gradients.
func (l *headLoss) Forward(x []float32) (loss float64) {
	l.dx = room(l.dx, len(x))
	clear(l.dx)
	l.told = score{}
	each := (1 + l.w.tokens) * l.w.hidden
	for i := range l.targets {
		at, end := i*each+l.w.hidden, (i+1)*each
		loss += l.tokens(x[at:end], l.dx[at:end], &l.targets[i])
		loss += l.group(x[at:end], l.dx[at:end], l.targets[i].whole)
	}
	return loss
}

// Backward returns the gradient of x.
func (l *headLoss) Backward(_ []float32, scale float32) []float32 {
	if scale != 1 {
		blas.Scale(l.dx, scale)
	}
	return l.dx
}

// tokens is the loss of one group's tokens.
func (l *headLoss) tokens(x, dx []float32, t *target) (loss float64) {
	w, d, n, out := l.w, l.w.hidden, l.w.tokens, l.w.maps+l.w.vectors
	var team blas.Team
	weight, bias := w.dense.Of(w.value), w.denseBias.Of(w.value)
	l.logits = room(l.logits, n*out)
	team.Gemm(false, true, n, out, d, x, d, weight, d, false, l.logits, out)
	mapShare, vectorShare := l.share*w.mapShare/float64(n), l.share*w.vectorShare/float64(n)
	var hit, all [2]float64
	for i := range n {
		row := l.logits[i*out : (i+1)*out]
		blas.Add(row, bias)
		for k := range w.maps {
			v, set, c := float64(row[k]), t.set[i*w.maps+k], mapShare
			p, kind := 1/(1+math.Exp(-v)), 0
			if set {
				c *= w.setWeight
				row[k], kind = float32(c*(p-1)), 1
				v = -v
			} else {
				row[k] = float32(c * p)
			}
			loss += c * (math.Max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))))
			all[kind]++
			if v < 0 {
				hit[kind]++
			}
		}
		for k := range w.vectors {
			want := t.vector[i*w.vectors+k]
			if want != want {
				row[w.maps+k] = 0
				continue
			}
			l.told.vectors.add(row[w.maps+k], want)
			off := float64(row[w.maps+k] - want)
			loss += vectorShare * off * off / 2
			row[w.maps+k] = float32(vectorShare * off)
		}
	}
	l.told.right += hit[0]/max(1, all[0])/2 + hit[1]/max(1, all[1])/2
	l.told.asked++
	if l.learn {
		team.Gemm(true, false, out, d, n, l.logits, out, x, d, true, w.dense.Of(l.grad), d)
		for i := range n {
			blas.Add(w.denseBias.Of(l.grad), l.logits[i*out:(i+1)*out])
		}
	}
	team.Gemm(false, false, n, d, out, l.logits, out, weight, d, true, dx, d)
	return loss
}

// group is the loss of one group as a whole, from the mean of its tokens: what a language model's attention reads most
// easily.
func (l *headLoss) group(x, dx, want []float32) (loss float64) {
	w, d, n := l.w, l.w.hidden, l.w.tokens
	l.mean, l.dmean, l.z = room(l.mean, d), room(l.dmean, d), room(l.z, w.whole)
	clear(l.mean)
	for i := range n {
		blas.Add(l.mean, x[i*d:(i+1)*d])
	}
	blas.Scale(l.mean, 1/float32(n))
	var team blas.Team
	weight := w.pooled.Of(w.value)
	team.Gemm(false, true, 1, w.whole, d, l.mean, d, weight, d, false, l.z, w.whole)
	blas.Add(l.z, w.pooledBias.Of(w.value))
	share := l.share / float64(w.whole) * wholeShare
	for k, v := range l.z {
		off := float64(v - want[k])
		l.told.whole.add(v, want[k])
		loss += share * off * off / 2
		l.z[k] = float32(share * off)
	}
	if l.learn {
		team.Gemm(true, false, w.whole, d, 1, l.z, w.whole, l.mean, d, true, w.pooled.Of(l.grad), d)
		blas.Add(w.pooledBias.Of(l.grad), l.z)
	}
	team.Gemm(false, false, 1, d, w.whole, l.z, w.whole, weight, d, false, l.dmean, d)
	for i := range n {
		blas.Axpy(dx[i*d:(i+1)*d], l.dmean, 1/float32(n))
	}
	return loss
}

// wholeShare is that of the groups' numbers in the loss.
const wholeShare = 8
