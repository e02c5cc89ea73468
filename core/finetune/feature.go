package finetune

import (
	"context"
	"fmt"
	"sync"

	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/ml/mapped"
	"finetui/ml/nn"
	"finetui/ml/qwen2vl"
	"finetui/ml/train"
)

// samples makes the recipe's samples into what the trainer takes: tokens, and the features that a frozen tower sees in
// their pictures, or the patches for one that is trained. They are kept as long as there is room: they are always the
// same.
type samples struct {
	project *project.Project
	frozen  bool // nothing of the tower is trained
	towers  []*qwen2vl.Tower
	room    int // values of features that may still be kept

	mutex sync.Mutex
	kept  map[string]train.Sample
}

// keepBytes bounds what is kept of features.
const keepBytes = 4 << 30

func newSamples(p *project.Project, m *qwen2vl.Model, workers, cores int) *samples {
	s := &samples{project: p, frozen: m.TowerFrozen(), room: keepBytes / 4, kept: map[string]train.Sample{}}
	for range workers {
		s.towers = append(s.towers, m.NewTower(nn.NewExec(cores)))
	}
	return s
}

// get returns the samples in the order asked for, and runs the tower on those not yet seen.
func (s *samples) get(ctx context.Context, wanted []recipe.Sample) ([]train.Sample, error) {
	out := make([]train.Sample, len(wanted))
	var missing []int
	for i, w := range wanted {
		if t, ok := s.kept[w.ID]; ok {
			out[i] = t
		} else {
			missing = append(missing, i)
		}
	}
	errs := make([]error, len(s.towers))
	var wait sync.WaitGroup
	for k, tower := range s.towers {
		wait.Go(func() {
			tower.Check = ctx.Err
			for j := k; j < len(missing) && errs[k] == nil; j += len(s.towers) {
				i := missing[j]
				if errs[k] = ctx.Err(); errs[k] == nil {
					errs[k] = mapped.Guard(func() (err error) {
						out[i], err = s.make(tower, wanted[i])
						return err
					})
				}
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *samples) make(tower *qwen2vl.Tower, w recipe.Sample) (train.Sample, error) {
	t, err := s.look(tower, w)
	if err != nil {
		return train.Sample{}, fmt.Errorf("%s: %w", w.ID, err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if n := t.Visual.Values(); s.room >= n {
		s.room -= n
		s.kept[w.ID] = t
	}
	return t, nil
}

// look makes a sample with the features of its pictures, or with their patches where the tower is trained.
func (s *samples) look(tower *qwen2vl.Tower, w recipe.Sample) (t train.Sample, err error) {
	var grids []qwen2vl.Grid
	if s.frozen {
		var features qwen2vl.Features
		if features, grids, err = s.project.See(tower, true, w); err != nil {
			return t, err
		}
		t, err = s.project.Base.Sample(grids, w.Prompt, w.Answer, w.Weight)
		t.Visual = features
		return t, err
	}
	pictures, err := s.project.Pictures(w)
	if err != nil {
		return t, err
	}
	rows, grids, err := s.project.Base.Rows(s.project.View(), pictures)
	if err != nil {
		return t, err
	}
	t, err = s.project.Base.Sample(grids, w.Prompt, w.Answer, w.Weight)
	t.Visual = qwen2vl.Patches{Pixels: rows, Grids: grids}
	return t, err
}
