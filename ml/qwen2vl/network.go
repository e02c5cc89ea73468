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
	grids         []Grid
	vocab, hidden int
}

// Load makes p what the next run reads.
func (r *worker) Load(p *train.Pack) error {
	p.Fill(&r.batch)
	features := 0
	if r.tower == nil {
		r.input = p.AppendFeatures(r.input[:0])
		features = len(r.input) / r.hidden
	} else {
		var raw [][3]int32
		r.input, raw = p.AppendPatches(r.input[:0], nil)
		r.grids = r.grids[:0]
		for _, g := range raw {
			grid := Grid{int(g[0]), int(g[1]), int(g[2])}
			r.grids = append(r.grids, grid)
			features += grid.Tokens(r.tower.config.Merge)
		}
		if err := r.tower.Load(r.grids); err != nil {
			return err
		}
		r.tower.Patches.Keys = sliceKeys(p)
		if want := r.tower.Patches.P() * r.tower.config.PatchWidth(); len(r.input) != want {
			return fmt.Errorf("%d pixel values for grids that hold %d", len(r.input), want)
		}
	}
	if err := r.batch.Check(r.vocab, features); err != nil {
		return err
	}
	r.text.Load(r.batch)
	return nil
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
