package base

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"finetui/core/demo/generic"
	"finetui/ml/blas"
	"finetui/ml/cores"
	"finetui/ml/graph"
	"finetui/ml/nn"
	"finetui/ml/qwen2vl"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// trainTower is stage 1.
func trainTower(ctx context.Context, c qwen2vl.Config, o Options) (*qwen2vl.Model, error) {
	all := weights.Tuning{All: true}
	m, err := qwen2vl.New(c, initial{o.Seed}, qwen2vl.Tuning{Tower: all, Merger: all})
	if err != nil {
		return nil, err
	}
	labels := newLabelWeights(c.Text.Hidden, o.Seed)
	parameters := []train.Parameters{{Name: "patch_embed", Value: m.Patch.Value, Layout: m.Patch.Layout}}
	for _, b := range m.Blocks {
		parameters = append(parameters, train.Parameters{Name: b.Name(), Value: b.Value, Layout: b.Layout})
	}
	parameters = append(parameters,
		train.Parameters{Name: "merger", Value: m.Merger.Value, Layout: m.Merger.Layout},
		train.Parameters{Name: "labels", Value: labels.value, Layout: labels.layout})
	solver, err := train.NewAdamW(parameters, []train.Group{{LearningRate: towerRate, WeightDecay: .05}}, nil)
	if err != nil {
		return nil, err
	}
	solver.Beta2, solver.MaxGradNorm = .98, 1
	schedule := train.Schedule{Kind: "cosine", Warmup: 60, Steps: o.TowerSteps}

	var viewers []*viewer
	threads := o.Threads
	if threads <= 0 {
		threads = cores.Count()
	}
	for range threads {
		v, err := newViewer(m, labels)
		if err != nil {
			return nil, err
		}
		viewers = append(viewers, v)
	}
	values := viewers[0].chain.ValueGrads()
	start := time.Now()
	var recent float64
	for step := range o.TowerSteps {
		loss, err := look(ctx, viewers, func(v *viewer, first, n int) error {
			return v.learn(ctx, o.Seed, step,
				first, n)
		})
		if err != nil {
			return nil, err
		}
		for _, v := range viewers[1:] {
			for i, p := range v.chain.Params() {
				blas.Add(viewers[0].chain.Params()[i].Grad, p.Grad)
				clear(p.Grad)
			}
		}
		solver.SetFactor(schedule.Factor(step))
		if err := solver.Step(values); err != nil {
			return nil, err
		}
		recent = recent*.98 + loss*.02
		if done := step + 1; done%250 == 0 || done == o.TowerSteps {
			s, err := viewers[0].score(ctx, o.Seed, o.heldOut)
			if err != nil {
				return nil, err
			}
			o.Log("stage 1: step %d of %d, %d pictures, %.0f s, loss %.2f, held out: cracked %.3f broken %.3f cover "+
				"%.3f kind %.3f, AUC crack %.3f bite %.3f cover %.3f hole %.3f scattered %.3f",
				done, o.TowerSteps, done*towerBatch, time.Since(start).Seconds(),
				recent/(1-math.Pow(.98, float64(done))), s.right[4], s.right[5], s.right[6], s.right[0],
				s.auc[generic.Crack], s.auc[generic.Bite], s.auc[generic.Cover], s.auc[generic.Hole],
				s.auc[generic.Scattered])
		}
	}
	return m, nil
}

// look deals a batch out to the viewers and adds up their losses.
func look(ctx context.Context, viewers []*viewer, f func(v *viewer, first, n int) error) (loss float64, err error) {
	errs := make([]error, len(viewers))
	var wait sync.WaitGroup
	for i, v := range viewers {
		lo, hi := i*towerBatch/len(viewers), (i+1)*towerBatch/len(viewers)
		wait.Go(func() { errs[i] = f(v, lo, hi-lo) })
	}
	wait.Wait()
	for i, v := range viewers {
		if errs[i] != nil {
			return 0, errs[i]
		}
		loss += v.loss
	}
	return loss, ctx.Err()
}

// viewer is one core's tower with the label heads on it.
type viewer struct {
	tower  *qwen2vl.Tower
	labels *labelLoss
	chain  *graph.Chain
	rows   []float32
	grids  []qwen2vl.Grid
	loss   float64
}

func newViewer(m *qwen2vl.Model, w *labelWeights) (*viewer, error) {
	v := &viewer{tower: m.NewTower(nn.NewExec(1)), labels: newLabelLoss(w)}
	width := m.Config.Vision.PatchWidth()
	var err error
	v.chain, err = graph.NewChain(func() ([]float32, int, int) { return v.rows, len(v.rows) / width, width }, width,
		v.tower.Stack(), v.labels, graph.Options{})
	return v, err
}

// show draws n things and makes them what the viewer looks at.
func (v *viewer) show(seed uint64, stage, step, first, n int) error {
	v.rows, v.grids = v.rows[:0], v.grids[:0]
	v.labels.things = v.labels.things[:0]
	for i := range n {
		t := generic.Sample(stream(seed, stage, step, first+i), pictureSide)
		var grid qwen2vl.Grid
		var err error
		if v.rows, grid, err = appendRows(v.rows, t.Picture); err != nil {
			return err
		}
		v.grids = append(v.grids, grid)
		v.labels.things = append(v.labels.things, t)
	}
	return v.tower.Load(v.grids)
}

func (v *viewer) learn(ctx context.Context, seed uint64, step, first, n int) (err error) {
	if err := v.show(seed, 1, step, first, n); err != nil {
		return err
	}
	v.loss, err = v.chain.Run(ctx)
	return err
}

// scores are what the heads get right on held-out pictures.
type scores struct {
	right [len(questions)]float64
	auc   [generic.MapCount]float64 // over single cells
}

// score looks at n pictures that no step has seen, in batches.
func (v *viewer) score(ctx context.Context, seed uint64, n int) (s scores, err error) {
	var marks [generic.MapCount][]mark
	v.labels.keep = true
	defer func() { v.labels.keep = false }()
	for first := 0; first < n; first += towerBatch {
		each := min(towerBatch, n-first)
		if err := v.show(seed, 9, 0, first, each); err != nil {
			return s, err
		}
		if _, err := v.chain.Loss(ctx); err != nil {
			return s, err
		}
		for q := range questions {
			s.right[q] += v.labels.right[q] * float64(each) / float64(n)
		}
		for k := range marks {
			marks[k] = append(marks[k], v.labels.marks[k]...)
		}
	}
	for k := range marks {
		s.auc[k] = auc(marks[k])
	}
	return s, nil
}

// mark is one cell's logit and whether it should be set.
type mark struct {
	logit float32
	set   bool
}

// auc is the area under the ROC curve: the share of pairs of a set and a free cell that the logits order rightly.
func auc(m []mark) float64 {
	slices.SortFunc(m, func(a, b mark) int {
		switch {
		case a.logit < b.logit:
			return -1
		case a.logit > b.logit:
			return 1
		}
		return 0
	})
	free, set, pairs := 0., 0., 0.
	for _, x := range m {
		if x.set {
			set++
			pairs += free
		} else {
			free++
		}
	}
	return pairs / (set * free)
}
