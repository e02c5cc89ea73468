package qwen2vl

import (
	"fmt"

	"finetui/ml/graph"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
)

// Network is a model in training. With Tower set, samples bring patches and every pass runs the tower; without, they
// bring features that a frozen tower made before.
type Network struct {
	*Model
	Tower     bool
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
	if n.Tower {
		add("patch_embed", n.Patch.Value, n.Patch.Layout)
		for _, b := range n.Blocks {
			add(b.Name(), b.Value, b.Layout)
		}
		add("merger", n.Merger.Value, n.Merger.Layout)
	}
	return append(out, qwen2.Network{Model: n.Text}.Parameters()...)
}

// NewReplica returns a worker on e.
func (n Network) NewReplica(e *nn.Exec) (train.Replica, error) {
	r := &worker{text: n.Text.NewReplica(e), vocab: n.Config.Text.Vocab, hidden: n.Config.Text.Hidden}
	blocks, source, width := r.text.Blocks(), r.given, n.Config.Text.Hidden
	if n.Tower {
		r.tower = n.NewTower(e)
		blocks, source, width = append(r.tower.Stack(), blocks...), r.pixels, n.Config.Vision.PatchWidth()
	}
	var err error
	r.chain, err = graph.NewChain(source, width, blocks, r.text.Head, graph.Options{Recompute: n.Recompute})
	return r, err
}

// worker is one replica of a Network.
type worker struct {
	text          *qwen2.Replica
	tower         *Tower
	chain         *graph.Chain
	batch         nn.Batch
	input         []float32
	vocab, hidden int
}

// Load makes p what the next run reads.
func (r *worker) Load(p *train.Pack) error {
	rows := 0
	r.input = r.input[:0]
	var grids []Grid
	for i, s := range p.Samples {
		if err := r.add(s, &grids); err != nil {
			return fmt.Errorf("sample %d: %w", p.Index[i], err)
		}
		rows += len(s.Places)
	}
	p.Fill(&r.batch)
	if r.tower != nil {
		if err := r.tower.Load(grids); err != nil {
			return err
		}
		r.tower.Patches.Keys = sliceKeys(p)
	}
	if err := r.batch.Check(r.vocab, rows); err != nil {
		return err
	}
	r.text.LoadToLearn(r.batch)
	return nil
}

// add appends what a sample sees to the input, and its grids where the tower runs. What it sees is held against the
// places that its tokens have for it: one row too few or too many would move those of every sample behind it.
func (r *worker) add(s *train.Sample, grids *[]Grid) error {
	rows := 0
	if r.tower == nil {
		seen, err := features(s)
		if err != nil {
			return err
		}
		if len(seen)%r.hidden != 0 {
			return fmt.Errorf("%d values are no feature rows of %d", len(seen), r.hidden)
		}
		rows = len(seen) / r.hidden
		r.input = append(r.input, seen...)
	} else {
		seen, err := patches(s)
		if err != nil {
			return err
		}
		if err := r.tower.config.checkPictures(len(seen.Pixels), seen.Grids); err != nil {
			return err
		}
		for _, g := range seen.Grids {
			rows += g.Tokens(r.tower.config.Merge)
		}
		r.input, *grids = append(r.input, seen.Pixels...), append(*grids, seen.Grids...)
	}
	if rows != len(s.Places) {
		return fmt.Errorf("its pictures have %d feature rows, and its tokens places for %d", rows, len(s.Places))
	}
	return nil
}

// sliceKeys gives each temporal slice of a pack's pictures a dropout stream that depends on its sample's alone.
func sliceKeys(p *train.Pack) (keys []uint64) {
	if p.Keys == nil {
		return nil
	}
	for i, s := range p.Samples {
		seen, _ := patches(s) // which add has read
		n := uint64(0)
		for _, g := range seen.Grids {
			for range g.T {
				n++
				keys = append(keys, p.Keys[i]+n*0x9e3779b97f4a7c15)
			}
		}
	}
	return keys
}

func (r *worker) given() ([]float32, int, int) {
	return r.input, len(r.input) / r.hidden, r.hidden
}

func (r *worker) pixels() ([]float32, int, int) {
	return r.input, r.tower.Patches.P(), r.tower.config.PatchWidth()
}

// Chain runs the blocks.
func (r *worker) Chain() *graph.Chain { return r.chain }

// Outcome is the head's.
func (r *worker) Outcome() train.Outcome { return r.text.Head }
