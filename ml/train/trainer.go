// Package train takes optimizer steps: it deals samples out to replicas of a network, runs them, adds up what they
// found and moves the parameters by AdamW under a schedule. It knows no model, no tokens and no files but its own
// checkpoint state; what a sample is made from and when a run ends is its caller's business.
package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"gorgonia.org/gorgonia"

	"finetui/ml/blas"
	"finetui/ml/graph"
	"finetui/ml/mapped"
	"finetui/ml/nn"
)

// Network is a model whose parameters can be trained. Its weights are shared by all replicas.
type Network interface {
	// NewReplica returns a worker over the shared weights that works where e says. Its chain's learnables are the
	// network's parameters, in that order and under those names.
	NewReplica(e *nn.Exec) (Replica, error)
	// Parameters are all trainable values, one flat vector a block.
	Parameters() []Parameters
}

// Replica is one worker's set of blocks.
type Replica interface {
	// Load makes p what the next run of the chain reads. It may keep p until the next Load.
	Load(p *Pack) error
	// Chain runs the blocks, and adds to this replica's gradients.
	Chain() *graph.Chain
	// Outcome is what the last forward pass found, position by position.
	Outcome() Outcome
}

// Outcome is what a loss knows after a forward pass. *nn.Head is one.
type Outcome interface {
	Positions() []int     // supervised positions of the batch, in order
	NLL() []float64       // plain negative log-likelihood of each, in nats
	Hit() []bool          // whether the likeliest token was the target
	WithGradient(on bool) // whether forward passes prepare a backward pass
}

// Options of a trainer.
type Options struct {
	Replicas int // workers at once, at least 1: cores for small models, one for large ones
	Threads  int // cores for all of them together; 0: all
	Limits   Limits
	Seed     uint64 // of dropout
	// SampleWeight is what a sample's supervised tokens weigh together on the mean of an epoch (StepDenominator).
	SampleWeight float64
}

// Trainer takes optimizer steps. Same samples, seed and options give the same bits.
type Trainer struct {
	Solver   *AdamW
	Schedule Schedule

	options  Options
	team     blas.Team
	replicas []Replica
	values   []gorgonia.ValueGrad // of replica 0, whose gradients the solver sees
	grads    [][][]float32        // replica, block
}

// New makes the replicas of a network.
func New(n Network, solver *AdamW, schedule Schedule, o Options) (*Trainer, error) {
	if err := schedule.Check(); err != nil {
		return nil, err
	}
	o.Replicas = max(1, o.Replicas)
	team := blas.NewTeam(o.Threads)
	t := &Trainer{Solver: solver, Schedule: schedule, options: o, team: team}
	solver.Team = team
	parameters := n.Parameters()
	for r := range o.Replicas {
		replica, err := n.NewReplica(nn.NewExec(max(1, team.Size()/o.Replicas)))
		if err != nil {
			return nil, fmt.Errorf("replica %d: %w", r, err)
		}
		var grads [][]float32
		for i, p := range replica.Chain().Params() {
			if i >= len(parameters) || len(parameters[i].Value) != len(p.Value) ||
				&parameters[i].Value[0] != &p.Value[0] {
				return nil, fmt.Errorf("replica %d: its block %d with parameters is not the network's", r, i)
			}
			grads = append(grads, p.Grad)
		}
		if len(grads) != len(parameters) {
			return nil, fmt.Errorf("replica %d has %d blocks with parameters, the network %d", r, len(grads),
				len(parameters))
		}
		t.replicas, t.grads = append(t.replicas, replica), append(t.grads, grads)
	}
	t.values = t.replicas[0].Chain().ValueGrads()
	return t, nil
}

// SampleLoss is what one sample contributed.
type SampleLoss struct {
	Tokens   int     // supervised positions
	Right    int     // of them, where the likeliest token was the target
	NLL      float64 // sum over them, in nats
	Weight   float64 // sum of their weights
	Weighted float64 // sum of weight · nll
}

// Result of an optimizer step or of an evaluation.
type Result struct {
	Loss         float64 // what is minimised: the weighted sum over the whole step, over its denominator
	LossPlain    float64 // mean nll of the supervised tokens, all alike
	LearningRate float64 // of the first group, in force during the step
	GradNorm     float64 // before clipping
	Tokens       int     // that ran through the network
	Samples      []SampleLoss
	Times        Times
}

// Times says where the wall-clock time of a step went. Making the samples is not among it.
type Times struct{ Load, Forward, Backward, Optimizer time.Duration }

// Step takes one optimizer step on the samples. With an error the parameters and the solver are as before.
func (t *Trainer) Step(ctx context.Context, samples []Sample) (*Result, error) {
	res, err := t.pass(ctx, samples, true)
	if err == nil && (math.IsNaN(res.Loss) || math.IsInf(res.Loss, 0)) {
		err = fmt.Errorf("the loss is %w (%v)", ErrNotFinite, res.Loss)
	}
	if err == nil {
		start := time.Now()
		t.sumGradients()
		t.Solver.SetFactor(t.Schedule.Factor(t.Solver.Steps()))
		res.LearningRate = t.Solver.LearningRate(0)
		err = t.Solver.Step(t.values)
		res.GradNorm = t.Solver.GradNorm()
		res.Times.Optimizer = time.Since(start)
	}
	if err != nil {
		t.clearGradients()
		return nil, fmt.Errorf("optimizer step %d: %w", t.Solver.Steps()+1, err)
	}
	return res, nil
}

// Evaluate measures the loss of the samples, without dropout.
func (t *Trainer) Evaluate(ctx context.Context, samples []Sample) (*Result, error) {
	return t.pass(ctx, samples, false)
}

// share is what one replica brings back.
type share struct {
	loss  float64
	times graph.Times
	load  time.Duration
	err   error
}

// pass runs the samples through the replicas, with train also backward.
func (t *Trainer) pass(ctx context.Context, samples []Sample, train bool) (*Result, error) {
	start := time.Now()
	res := &Result{Samples: make([]SampleLoss, len(samples))}
	for i := range samples {
		if err := samples[i].check(); err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		res.Tokens += len(samples[i].IDs)
	}
	denominator := Denominator(samples)
	if denominator == 0 {
		return nil, errors.New("no token is supervised")
	}
	if train {
		denominator = StepDenominator(samples, t.options.SampleWeight)
	}
	packs := plan(samples, len(t.replicas), t.options.Limits)
	for _, p := range packs {
		t.prepare(p, float32(1/denominator), train)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	shares := make([]share, len(t.replicas))
	var wait sync.WaitGroup
	for r := range t.replicas {
		wait.Go(func() {
			lost := mapped.Guard(func() error {
				shares[r] = runPacks(ctx, t.replicas[r], packs[r], train, res.Samples)
				return nil
			})
			if lost != nil {
				shares[r].err = lost
			}
			if shares[r].err != nil {
				cancel()
			}
		})
	}
	wait.Wait()
	if err := firstCause(shares); err != nil {
		return nil, err
	}
	t.collect(res, shares, time.Since(start))
	return res, nil
}

// prepare sets what the packs of a step have in common.
func (t *Trainer) prepare(packs []*Pack, scale float32, train bool) {
	for _, p := range packs {
		p.Scale = scale
		if !train {
			continue
		}
		for _, s := range p.Samples {
			p.Keys = append(p.Keys, dropoutKey(t.options.Seed, t.Solver.Steps(), s.Key))
		}
	}
}

// runPacks runs a replica's packs one after the other and notes what each sample contributed.
func runPacks(ctx context.Context, replica Replica, packs []*Pack, train bool, out []SampleLoss) (s share) {
	chain := replica.Chain()
	replica.Outcome().WithGradient(train)
	for _, p := range packs {
		start := time.Now()
		if s.err = replica.Load(p); s.err != nil {
			return s
		}
		s.load += time.Since(start)
		run := chain.Loss
		if train {
			run = chain.Run
		}
		var loss float64
		if loss, s.err = run(ctx); s.err != nil {
			return s
		}
		s.loss += loss
		times := chain.Times()
		s.times.Forward += times.Forward
		s.times.Backward += times.Backward
		s.times.Graph += times.Graph
		p.note(replica.Outcome(), out)
	}
	return s
}

// note adds up the outcome of a pack sample by sample. Samples of other packs are untouched, so replicas may do it at
// once.
func (p *Pack) note(o Outcome, out []SampleLoss) {
	positions, nll, hit := o.Positions(), o.NLL(), o.Hit()
	k, start := 0, 0
	for j, s := range p.Samples {
		l, end := &out[p.Index[j]], start+len(s.IDs)
		for ; k < len(positions) && positions[k] < end; k++ {
			w := float64(s.Weights[positions[k]-start])
			l.Tokens++
			l.NLL += nll[k]
			l.Weight += w
			l.Weighted += w * nll[k]
			if hit[k] {
				l.Right++
			}
		}
		start = end
	}
}

// firstCause is the error of the lowest replica that did not stop because of another's.
func firstCause(shares []share) (err error) {
	for _, s := range shares {
		if s.err != nil && (err == nil || errors.Is(err, context.Canceled)) {
			err = s.err
		}
	}
	return err
}

// collect adds up the shares in their order and splits the wall-clock time as the replicas' own time was split.
func (t *Trainer) collect(res *Result, shares []share, wall time.Duration) {
	var load, forward, backward float64
	for _, s := range shares {
		res.Loss += s.loss
		load, forward, backward = load+s.load.Seconds(), forward+s.times.Forward.Seconds(),
			backward+s.times.Backward.Seconds()
	}
	var nll float64
	tokens := 0
	for _, l := range res.Samples {
		nll, tokens = nll+l.NLL, tokens+l.Tokens
	}
	res.LossPlain = nll / float64(tokens)
	if all := load + forward + backward; all > 0 {
		part := func(x float64) time.Duration { return time.Duration(float64(wall) * x / all) }
		res.Times = Times{Load: part(load), Forward: part(forward), Backward: part(backward)}
	}
}

// sumGradients adds the gradients of all replicas to those of replica 0, in their order, and clears them.
func (t *Trainer) sumGradients() {
	for block, sum := range t.grads[0] {
		t.team.For(len(sum), chunk, func(lo, hi int) {
			for _, other := range t.grads[1:] {
				blas.Add(sum[lo:hi], other[block][lo:hi])
				clear(other[block][lo:hi])
			}
		})
	}
}

func (t *Trainer) clearGradients() {
	for _, replica := range t.grads {
		for _, g := range replica {
			clear(g)
		}
	}
}
