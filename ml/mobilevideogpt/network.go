package mobilevideogpt

import (
	"fmt"

	"finetui/ml/graph"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
)

// worker is one replica of a Model in training. Its samples bring Features.
type worker struct {
	text       *qwen2.Replica
	projectors *projectors
	chain      *graph.Chain
	batch      nn.Batch
	config     Config
}

func newWorker(m *Model, e *nn.Exec) (*worker, error) {
	w := &worker{text: m.Text.NewReplica(e), projectors: m.projectors.replica(m.Config, e), config: m.Config}
	hidden := m.Config.Text.Hidden
	var err error
	w.chain, err = graph.NewChain(func() ([]float32, int, int) { return nil, 0, hidden }, hidden,
		append([]nn.Block{w.projectors}, w.text.Blocks()...), w.text.Head, graph.Options{Recompute: m.recompute})
	return w, err
}

// Load makes p what the next run reads.
func (w *worker) Load(p *train.Pack) error {
	var seen Features
	rows := 0
	for i, s := range p.Samples {
		f, n, err := w.config.see(s)
		if err != nil {
			return fmt.Errorf("sample %d: %w", p.Index[i], err)
		}
		seen, rows = append(seen, f...), rows+n
	}
	p.Fill(&w.batch)
	if err := w.batch.Check(w.config.Text.Vocab, rows); err != nil {
		return err
	}
	w.projectors.load(seen)
	w.text.LoadToLearn(w.batch)
	return nil
}

// see is what a sample shows, and the number of its tokens, which its places must be for: one too few or too many would
// move those of every sample behind it.
func (c Config) see(s *train.Sample) (Features, int, error) {
	f, err := features(s)
	if err != nil {
		return nil, 0, err
	}
	n, err := c.check(f)
	if err == nil && n != len(s.Places) {
		err = fmt.Errorf("what it shows takes %d tokens, and it has places for %d", n, len(s.Places))
	}
	for i, at := range s.Places {
		if at < 0 || int(at) >= len(s.IDs) || i > 0 && at <= s.Places[i-1] {
			return f, n, fmt.Errorf("place %d of what it shows is token %d of %d", i+1, at, len(s.IDs))
		}
	}
	return f, n, err
}

// Chain runs the blocks.
func (w *worker) Chain() *graph.Chain { return w.chain }

// Outcome is the head's.
func (w *worker) Outcome() train.Outcome { return w.text.Head }
