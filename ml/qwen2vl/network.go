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
	Tower bool
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
	blocks, source, width := r.text.Blocks(), r.features, n.Config.Text.Hidden
	if n.Tower {
		r.tower = n.NewTower(e)
		blocks, source, width = append(r.tower.Stack(), blocks...), r.patches, n.Config.Vision.PatchWidth()
	}
	var err error
	r.chain, err = graph.NewChain(source, width, blocks, r.text.Head, graph.Options{})
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
	for i, s := range p.Samples {
		if err := r.check(s); err != nil {
			return fmt.Errorf("sample %d: %w", p.Index[i], err)
		}
		rows += len(s.FeatureTokens)
	}
	p.Fill(&r.batch)
	if r.tower == nil {
		r.input = p.AppendFeatures(r.input[:0])
	} else {
		var raw [][3]int32
		r.input, raw = p.AppendPatches(r.input[:0], nil)
		if err := r.tower.Load(grids(raw)); err != nil {
			return err
		}
		r.tower.Patches.Keys = sliceKeys(p)
	}
	if err := r.batch.Check(r.vocab, rows); err != nil {
		return err
	}
	r.text.Load(r.batch)
	return nil
}

// check holds what a sample sees against the places that its tokens have for it: one feature row too few or too many
// would move those of every sample behind it.
func (r *worker) check(s *train.Sample) error {
	rows := len(s.Features) / r.hidden
	if r.tower == nil {
		if len(s.Features)%r.hidden != 0 {
			return fmt.Errorf("%d values are no feature rows of %d", len(s.Features), r.hidden)
		}
	} else {
		pictures := grids(s.Grids)
		if err := r.tower.config.checkPictures(len(s.Patches), pictures); err != nil {
			return err
		}
		rows = 0
		for _, g := range pictures {
			rows += g.Tokens(r.tower.config.Merge)
		}
	}
	if rows != len(s.FeatureTokens) {
		return fmt.Errorf("its pictures have %d feature rows, and its tokens places for %d", rows, len(s.FeatureTokens))
	}
	return nil
}

func grids(raw [][3]int32) (out []Grid) {
	for _, g := range raw {
		out = append(out, Grid{T: int(g[0]), H: int(g[1]), W: int(g[2])})
	}
	return out
}

// sliceKeys gives each temporal slice of a pack's pictures a dropout stream that depends on its sample's alone.
func sliceKeys(p *train.Pack) (keys []uint64) {
	if p.Keys == nil {
		return nil
	}
	for i, s := range p.Samples {
		n := uint64(0)
		for _, g := range s.Grids {
			for range g[0] {
				n++
				keys = append(keys, p.Keys[i]+n*0x9e3779b97f4a7c15)
			}
		}
	}
	return keys
}

func (r *worker) features() ([]float32, int, int) {
	return r.input, len(r.input) / r.hidden, r.hidden
}

func (r *worker) patches() ([]float32, int, int) {
	return r.input, r.tower.Patches.P(), r.tower.config.PatchWidth()
}

// Chain runs the blocks.
func (r *worker) Chain() *graph.Chain { return r.chain }

// Outcome is the head's.
func (r *worker) Outcome() train.Outcome { return r.text.Head }
