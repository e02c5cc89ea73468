package clipbase

import (
	"fmt"
	"math"
	"math/rand/v2"

	"finetui/ml/blas"
	"finetui/ml/nn"
)

// headSizes are how many things the heads say: of each token binary maps and, where something moves in it, vectors and
// phases, as cosine and sine; of each frame of a clip where things are and how they move on; of each group of tokens, a
// picture or a clip, numbers.
type headSizes struct{ maps, vectors, phases, frames, places, moves, whole int }

// dense is how many numbers are read from a token.
func (s headSizes) dense() int { return s.maps + s.vectors + 2*s.phases }

// frame is how many are read from a frame.
func (s headSizes) frame() int { return s.places + s.moves }

// headWeights read a tower's tokens in stage 1 and are thrown away.
type headWeights struct {
	headSizes
	hidden, tokens     int // of a group, without the class token
	layout             nn.Layout
	dense, denseBias   nn.Span // [maps+vectors+2·phases, hidden]
	framed, framedBias nn.Span // [places+moves, hidden]
	pooled, pooledBias nn.Span // [whole, hidden]
	value              []float32
	setWeight          float64 // what a wrongly free token costs compared with a wrongly set one
	// Shares of the loss.
	mapShare, vectorShare, phaseShare, frameShare, wholeShare float64
}

func newHeadWeights(hidden, tokens int, sizes headSizes, seed uint64) *headWeights {
	w := &headWeights{headSizes: sizes, hidden: hidden, tokens: tokens, setWeight: 4, mapShare: 4, vectorShare: 200,
		phaseShare: 100, frameShare: 100, wholeShare: 8}
	out, frame, whole := sizes.dense(), sizes.frame(), sizes.whole
	w.dense, w.denseBias = w.layout.Add("dense.weight", out, hidden), w.layout.Add("dense.bias", out)
	w.pooled, w.pooledBias = w.layout.Add("pooled.weight", whole, hidden), w.layout.Add("pooled.bias", whole)
	w.framed, w.framedBias = w.layout.Add("framed.weight", frame, hidden), w.layout.Add("framed.bias", frame)
	w.value = make([]float32, w.layout.Size)
	rng := rand.New(rand.NewPCG(seed, 3))
	for _, s := range []nn.Span{w.dense, w.pooled, w.framed} {
		for i := range s.Of(w.value) {
			s.Of(w.value)[i] = float32(rng.NormFloat64() / math.Sqrt(float64(s.Shape[1])))
		}
	}
	return w
}

// target is what the heads should say of a group. NaN: nothing is to be said.
type target struct {
	set    []bool    // [tokens, maps]
	vector []float32 // [tokens, vectors]
	phase  []float32 // [tokens, phases, cosine and sine]
	frame  []float32 // [frames, places+moves]
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
	// Maps: tokens that are told rightly among as many set as free ones, by class-balanced shares.
	right, asked float64

	vectors, places, moves, whole squares

	inPhase, phases float64 // those told within an eighth of a cycle, and all
}

func (s *score) add(o score) {
	s.right, s.asked = s.right+o.right, s.asked+o.asked
	s.inPhase, s.phases = s.inPhase+o.inPhase, s.phases+o.phases
	s.vectors, s.whole = s.vectors.and(o.vectors), s.whole.and(o.whole)
	s.places, s.moves = s.places.and(o.places), s.moves.and(o.moves)
}

// String names what the heads have been asked for.
func (s score) String() string {
	out := fmt.Sprintf("parts %.3f", s.right/s.asked)
	for _, of := range []struct {
		name string
		squares
	}{{"measures", s.whole}, {"places in a frame", s.places}, {"movement to the next", s.moves},
		{"that of a patch", s.vectors}} {
		if of.target > 0 {
			out += fmt.Sprintf(", %s explained %.3f", of.name, of.explained())
		}
	}
	if s.phases > 0 {
		out += fmt.Sprintf(", phase within an eighth of a cycle %.3f", s.inPhase/s.phases)
	}
	return out
}

// squares are those of errors, and of what should be told.
type squares struct{ error, target float64 }

// add counts a number, unless nothing was to be said.
func (s *squares) add(told, want float32) {
	if want != want {
		return
	}
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
		loss += l.numbers(x[at:end], l.dx[at:end], &l.targets[i])
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
	w, d, n, out := l.w, l.w.hidden, l.w.tokens, l.w.headSizes.dense()
	var team blas.Team
	weight, bias := w.dense.Of(w.value), w.denseBias.Of(w.value)
	l.logits = room(l.logits, n*out)
	team.Gemm(false, true, n, out, d, x, d, weight, d, false, l.logits, out)
	mapShare := l.share * w.mapShare / float64(n)
	vectorShare, phaseShare := l.share*w.vectorShare/asked(t.vector), l.share*w.phaseShare/asked(t.phase)
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
		vector, wantVector := row[w.maps:w.maps+w.vectors], t.vector[i*w.vectors:(i+1)*w.vectors]
		for k, want := range wantVector {
			l.told.vectors.add(vector[k], want)
		}
		loss += squared(vector, wantVector, vectorShare)
		phase, wantPhase := row[w.maps+w.vectors:], t.phase[2*i*w.phases:2*(i+1)*w.phases]
		for k := 0; k < len(phase); k += 2 {
			if wantPhase[k] == wantPhase[k] {
				l.told.phases++
				if near(phase[k:], wantPhase[k:]) {
					l.told.inPhase++
				}
			}
		}
		loss += squared(phase, wantPhase, phaseShare)
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

// squared is half the squared errors of numbers, and leaves its gradient in their place. Of a NaN nothing is wanted.
func squared(told, want []float32, share float64) (loss float64) {
	for k, v := range want {
		off := float64(told[k] - v)
		if v != v {
			off = 0
		}
		loss += share * off * off / 2
		told[k] = float32(share * off)
	}
	return loss
}

// asked counts the numbers that are wanted.
func asked(want []float32) (n float64) {
	for _, v := range want {
		if v == v {
			n++
		}
	}
	return max(1, n)
}

// near says whether two phases, as cosine and sine, are less than an eighth of a cycle apart. told need not have length
// 1.
func near(told, want []float32) bool {
	along := float64(told[0]*want[0] + told[1]*want[1])
	return along > math.Hypot(float64(told[0]), float64(told[1]))*math.Sqrt2/2
}

// numbers is the loss of what is said of one group as a whole and of each of its frames.
func (l *headLoss) numbers(x, dx []float32, t *target) (loss float64) {
	w := l.w
	loss = l.pooled(x, dx, t.whole, w.pooled, w.pooledBias, l.share*w.wholeShare, func(int) *squares {
		return &l.told.whole
	})
	of := func(k int) *squares {
		if k < w.places {
			return &l.told.places
		}
		return &l.told.moves
	}
	for f := range w.frames {
		each, n := len(x)/w.frames, w.frame()
		at, end := f*each, (f+1)*each
		loss += l.pooled(x[at:end], dx[at:end], t.frame[f*n:(f+1)*n], w.framed, w.framedBias,
			l.share*w.frameShare/float64(w.frames), of)
	}
	return loss
}

// pooled is the loss of numbers that are read from the mean of some tokens: what a language model's attention reads most
// easily.
func (l *headLoss) pooled(x, dx, want []float32, weights, bias nn.Span, share float64,
	told func(k int) *squares) (loss float64) {
	d, out := l.w.hidden, len(want)
	n := len(x) / d
	l.mean, l.dmean, l.z = room(l.mean, d), room(l.dmean, d), room(l.z, out)
	clear(l.mean)
	for i := range n {
		blas.Add(l.mean, x[i*d:(i+1)*d])
	}
	blas.Scale(l.mean, 1/float32(n))
	var team blas.Team
	weight := weights.Of(l.w.value)
	team.Gemm(false, true, 1, out, d, l.mean, d, weight, d, false, l.z, out)
	blas.Add(l.z, bias.Of(l.w.value))
	for k, v := range l.z {
		told(k).add(v, want[k])
	}
	loss = squared(l.z, want, share/float64(out))
	if l.learn {
		team.Gemm(true, false, out, d, 1, l.z, out, l.mean, d, true, weights.Of(l.grad), d)
		blas.Add(bias.Of(l.grad), l.z)
	}
	team.Gemm(false, false, 1, d, out, l.z, out, weight, d, false, l.dmean, d)
	for i := range n {
		blas.Axpy(dx[i*d:(i+1)*d], l.dmean, 1/float32(n))
	}
	return loss
}
