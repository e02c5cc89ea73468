package finetune

import (
	"context"
	"sync"

	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/core/sample"
	"finetui/ml/mapped"
	"finetui/ml/nn"
	"finetui/ml/train"
)

// samples makes the recipe's samples into what the trainer takes: tokens, and what a frozen
// network sees in their pictures, or what a trained one makes of them itself. They are kept
// as long as there is room: they are always the same.
type samples struct {
	encoder sample.Encoder
	frozen  bool // nothing is trained of what sees
	eyes    []model.Eye
	room    int // values that may still be kept

	mutex sync.Mutex
	kept  map[string]train.Sample
}

// keepBytes bounds what is kept of what samples show.
const keepBytes = 4 << 30

func newSamples(e sample.Encoder, n model.Network, workers, cores int) *samples {
	s := &samples{encoder: e, frozen: n.Frozen(), room: keepBytes / 4, kept: map[string]train.Sample{}}
	for range workers {
		s.eyes = append(s.eyes, n.NewEye(nn.NewExec(cores)))
	}
	return s
}

// get returns the samples in the order asked for, and looks at those not yet seen.
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
	errs := make([]error, len(s.eyes))
	var wait sync.WaitGroup
	for k, eye := range s.eyes {
		wait.Go(func() {
			for j := k; j < len(missing) && errs[k] == nil; j += len(s.eyes) {
				i := missing[j]
				if errs[k] = ctx.Err(); errs[k] == nil {
					errs[k] = mapped.Guard(func() (err error) {
						out[i], err = s.make(ctx, eye, wanted[i])
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

func (s *samples) make(ctx context.Context, eye model.Eye, w recipe.Sample) (t train.Sample, err error) {
	if s.frozen {
		t, err = s.encoder.Seen(ctx, eye, true, w)
	} else {
		t, err = s.encoder.Cut(ctx, w)
	}
	if err != nil {
		return t, err
	}
	n := 0
	if t.Visual != nil {
		n = t.Visual.Values()
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.room >= n {
		s.room -= n
		s.kept[w.ID] = t
	}
	return t, nil
}
