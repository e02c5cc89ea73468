package train

import (
	"errors"
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"finetui/ml/blas"
	"finetui/ml/nn"
)

// Parameters are the trainable values of one block, as one flat vector that all replicas share.
type Parameters struct {
	Name   string // of the block and of its node in the graph
	Value  []float32
	Layout nn.Layout // what lies where in Value
}

// Group is a set of parameters with a learning rate and a decay of their own.
type Group struct {
	LearningRate float64 // at the schedule's factor 1
	WeightDecay  float64
}

// AdamW is a gorgonia.Solver that does what torch.optim.AdamW does after torch.nn.utils.clip_grad_norm_ (Loshchilov &
// Hutter 2019, arXiv 1711.05101). It sets the gradients to zero after each step, as gorgonia's solvers are meant to.
type AdamW struct {
	Beta1, Beta2, Epsilon float64
	MaxGradNorm           float64 // of all gradients together; 0: no clipping
	Team                  blas.Team

	groups []Group
	slots  []*slot
	byName map[string]*slot
	factor float64
	steps  int
	norm   float64
}

var _ gorgonia.Solver = (*AdamW)(nil)

// slot is the state of one block's parameters.
type slot struct {
	name  string
	spans []nn.Span
	m, v  []float32 // running means of the gradient and of its square
	parts []part
}

// part is a piece of a flat vector whose values belong to one group.
type part struct{ lo, hi, group int }

// NewAdamW returns a solver for the parameters with PyTorch's betas (0.9, 0.999) and epsilon (1e-8). groupOf gives the
// index of the group that a tensor belongs to; nil: all to the first.
func NewAdamW(parameters []Parameters, groups []Group, groupOf func(block, tensor string) int) (*AdamW, error) {
	a := &AdamW{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Team: blas.NewTeam(1), groups: groups,
		byName: map[string]*slot{}, factor: 1}
	for _, p := range parameters {
		n := len(p.Value)
		s := &slot{name: p.Name, spans: p.Layout.Spans, m: make([]float32, n), v: make([]float32, n)}
		if a.byName[p.Name] != nil {
			return nil, fmt.Errorf("two blocks of parameters are called %q", p.Name)
		}
		end := 0
		for _, span := range s.spans {
			group := 0
			if groupOf != nil {
				group = groupOf(p.Name, span.Name)
			}
			if group < 0 || group >= len(groups) {
				return nil, fmt.Errorf("%s %s belongs to parameter group %d of %d", p.Name, span.Name, group,
					len(groups))
			}
			if span.Off != end {
				return nil, fmt.Errorf("the layout of %s has a gap or an overlap at %s", p.Name, span.Name)
			}
			end += span.Len()
			if last := len(s.parts) - 1; last >= 0 && s.parts[last].group == group {
				s.parts[last].hi = end
			} else {
				s.parts = append(s.parts, part{span.Off, end, group})
			}
		}
		if end != n {
			return nil, fmt.Errorf("the layout of %s describes %d of %d parameters", p.Name, end, n)
		}
		a.slots, a.byName[p.Name] = append(a.slots, s), s
	}
	return a, nil
}

// SetFactor sets the schedule's factor of all learning rates.
func (a *AdamW) SetFactor(f float64) { a.factor = f }

// LearningRate is the rate of a group that the next step uses.
func (a *AdamW) LearningRate(group int) float64 { return a.groups[group].LearningRate * a.factor }

// Steps is the number of steps taken.
func (a *AdamW) Steps() int { return a.steps }

// GradNorm is the norm of all gradients in the last step, before clipping.
func (a *AdamW) GradNorm() float64 { return a.norm }

// ErrNotFinite is returned for a step whose loss or gradient is infinite or not a number; the parameters stay as they
// are.
var ErrNotFinite = errors.New("not a finite number")

// chunk is the piece of a vector that one goroutine works on;
// sums are kept per chunk, so they do not depend on the team.
const chunk = 1 << 14

// Step clips the gradients, updates the values and clears the gradients.
func (a *AdamW) Step(nodes []gorgonia.ValueGrad) error {
	values, grads, slots, err := a.match(nodes)
	if err != nil {
		return err
	}
	a.norm = a.gradNorm(grads)
	if math.IsNaN(a.norm) || math.IsInf(a.norm, 0) {
		return fmt.Errorf("the gradient is %w (%v)", ErrNotFinite, a.norm)
	}
	clip := float32(1)
	if a.MaxGradNorm > 0 {
		clip = float32(min(1, a.MaxGradNorm/(a.norm+1e-6)))
	}
	a.steps++
	correction1 := 1 - math.Pow(a.Beta1, float64(a.steps))
	correction2 := 1 - math.Pow(a.Beta2, float64(a.steps))
	for i, s := range slots {
		for _, p := range s.parts {
			rate := a.LearningRate(p.group)
			size, decay := float32(rate/correction1), float32(1-rate*a.groups[p.group].WeightDecay)
			w, g, m, v := values[i][p.lo:p.hi], grads[i][p.lo:p.hi], s.m[p.lo:p.hi], s.v[p.lo:p.hi]
			a.Team.For(len(w), chunk, func(lo, hi int) {
				if clip < 1 {
					blas.Scale(g[lo:hi], clip)
				}
				blas.AdamW(w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi], float32(a.Beta1), float32(a.Beta2),
					size, decay, float32(1/math.Sqrt(correction2)), float32(a.Epsilon))
				clear(g[lo:hi])
			})
		}
	}
	return nil
}

// match finds the values, gradients and state of the nodes by
// their names. All of the solver's parameters must be there.
func (a *AdamW) match(nodes []gorgonia.ValueGrad) (values, grads [][]float32, slots []*slot, err error) {
	if len(nodes) != len(a.slots) {
		return nil, nil, nil, fmt.Errorf("the solver was made for %d blocks of parameters, not %d", len(a.slots),
			len(nodes))
	}
	for _, n := range nodes {
		named, ok := n.(gorgonia.Namer)
		if !ok {
			return nil, nil, nil, fmt.Errorf("a %T has no name to find its state by", n)
		}
		name := named.Name()
		s := a.byName[name]
		if s == nil {
			return nil, nil, nil, fmt.Errorf("the solver knows no parameters called %q", name)
		}
		w, isSlice := n.Value().Data().([]float32)
		grad, err := n.Grad()
		if err != nil || grad == nil {
			return nil, nil, nil, fmt.Errorf("%s has no gradient yet: run the graph before the solver", name)
		}
		g, ok := grad.Data().([]float32)
		if !isSlice || !ok || len(w) != len(s.m) || len(g) != len(s.m) {
			return nil, nil, nil, fmt.Errorf("%s is to be %d float32 values and as many gradients", name, len(s.m))
		}
		values, grads, slots = append(values, w), append(grads, g), append(slots, s)
	}
	return values, grads, slots, nil
}

// gradNorm is the Euclidean norm of all gradients, summed in float64.
func (a *AdamW) gradNorm(grads [][]float32) float64 {
	var sum float64
	for _, g := range grads {
		// Team.For cuts a length at the same places whatever the team, never closer than its grain.
		parts := make([]float64, (len(g)+chunk-1)/chunk+1)
		a.Team.For(len(g), chunk, func(lo, hi int) { parts[lo/chunk] = sumSquares(g[lo:hi]) })
		for _, p := range parts {
			sum += p
		}
	}
	return math.Sqrt(sum)
}

func sumSquares(x []float32) float64 {
	var a, b, c, d float64
	for ; len(x) >= 4; x = x[4:] {
		a += float64(x[0]) * float64(x[0])
		b += float64(x[1]) * float64(x[1])
		c += float64(x[2]) * float64(x[2])
		d += float64(x[3]) * float64(x[3])
	}
	for _, v := range x {
		a += float64(v) * float64(v)
	}
	return a + b + c + d
}
