package qwen2

import (
	"finetui/ml/graph"
	"finetui/ml/nn"
	"finetui/ml/train"
)

// Network is a language model in training, without pictures.
type Network struct {
	*Model
	Recompute bool // see graph.Options
}

// Parameters are the trained flat vectors in the order of the chain.
func (n Network) Parameters() []train.Parameters {
	var out []train.Parameters
	add := func(name string, value []float32, l nn.Layout) {
		if len(value) > 0 {
			out = append(out, train.Parameters{Name: name, Value: value, Layout: l})
		}
	}
	add("embed_tokens", n.Embed.Value, n.Embed.Layout)
	for _, l := range n.Layers {
		add(l.Name(), l.Value, l.Layout)
	}
	add("lm_head", n.Head.Value, n.Head.Layout)
	return out
}

// NewReplica returns a worker on e.
func (n Network) NewReplica(e *nn.Exec) (train.Replica, error) {
	w := &worker{Replica: n.Model.NewReplica(e), vocab: n.Config.Vocab}
	var err error
	w.chain, err = graph.NewChain(func() ([]float32, int, int) { return nil, 0, n.Config.Hidden }, n.Config.Hidden,
		w.Blocks(), w.Head, graph.Options{Recompute: n.Recompute})
	return w, err
}

// worker is one replica of a Network.
type worker struct {
	*Replica
	chain *graph.Chain
	batch nn.Batch
	vocab int
}

// Load makes p what the next run reads.
func (w *worker) Load(p *train.Pack) error {
	p.Fill(&w.batch)
	if err := w.batch.Check(w.vocab, 0); err != nil {
		return err
	}
	w.Replica.LoadToLearn(w.batch)
	return nil
}

// Chain runs the blocks.
func (w *worker) Chain() *graph.Chain { return w.chain }

// Outcome is the head's.
func (w *worker) Outcome() train.Outcome { return w.Head }
