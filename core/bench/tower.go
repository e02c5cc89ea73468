package main

import (
	"os"
	"path/filepath"
	"strings"

	"finetui/core/config"
	"finetui/core/demo"
	"finetui/core/project"
	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/nn"
	"finetui/ml/qwen2vl"
	"finetui/ml/train"
	"finetui/ml/weights"
)

func (b *bench) towerRows() []table.Line {
	return []table.Line{{
		Name: "tower epoch", What: "epoch of pictures, a large tower's features kept", Against: "tower in every step",
		Goal: table.AtLeast(5), Measure: b.towerEpochs,
	}}
}

// towerEpochs trains an epoch of the enhanced recipe with a tower of 12 times the tiny base's parameters: once with the
// tower in every step, once on features that are kept.
func (b *bench) towerEpochs() table.Result {
	p := b.project()
	defer p.Close()
	data, err := weights.ReadConfig(p.Base.Dir)
	must(err)
	c, err := qwen2vl.ParseConfig(data)
	must(err)
	c.Vision.Embed, c.Vision.Heads = 448, 14 // (448/128)² = 12.25
	adapt := weights.Tuning{Adapt: func(module string) (weights.Adapter, bool) {
		return weights.Adapter{R: 16, Scale: 2}, strings.Contains(module, "self_attn")
	}}
	m, err := qwen2vl.New(c, drawn.Weights{}, qwen2vl.Tuning{Text: adapt})
	must(err)
	var whole, kept []train.Sample
	tower := m.NewTower(nn.NewExec(b.team.Size()))
	once := table.Clock(func() {
		for _, i := range p.Recipe.Plan().Epoch(0) {
			s, err := p.Encoder().Cut(b.ctx, p.Recipe.Samples("train")[i])
			must(err)
			whole = append(whole, s)
			seen := s.Visual.(qwen2vl.Patches)
			features, err := tower.Features(seen.Pixels, seen.Grids)
			must(err)
			s.Visual = qwen2vl.Features(features)
			kept = append(kept, s)
		}
	})
	inEveryStep, onFeatures := b.epochs(qwen2vl.Network{Model: m, Tower: true}, whole),
		b.epochs(qwen2vl.Network{Model: m}, kept)
	r := table.Gains(table.Rounds(b.rounds, onFeatures, inEveryStep))
	r.Note = table.InUnit(once.Wall) + " to make them, once"
	return r
}

// epochs returns a function that trains one more.
func (b *bench) epochs(n qwen2vl.Network, samples []train.Sample) func() table.Span {
	solver, err := train.NewAdamW(n.Parameters(), []train.Group{{LearningRate: 1e-3}}, nil)
	must(err)
	cores := b.team.Size()
	t, err := train.New(n, solver, train.Schedule{Kind: "constant"}, train.Options{Replicas: cores, Threads: cores})
	must(err)
	return func() table.Span {
		return table.Clock(func() {
			for first := 0; first < len(samples); first += 16 {
				_, err := t.Step(b.ctx, samples[first:min(first+16, len(samples))])
				must(err)
			}
		})
	}
}

// project is one on a few dozen drawn objects, with the program's own base.
func (b *bench) project() *project.Project {
	for split, n := range map[string]int{"train": 48, "valid": 12} {
		pictures := filepath.Join(b.dir, "drawn-"+split)
		must(demo.MakeExtra(b.ctx, pictures, n, demo.Options{Seed: uint64(n), Canvas: 168}, nil))
		must(os.MkdirAll(filepath.Join(b.dir, "data"), 0o755))
		must(os.Rename(filepath.Join(pictures, "test"), filepath.Join(b.dir, "data", split)))
	}
	yaml := "train: train/images\nval: valid/images\nnames: [" + strings.Join(demo.Classes, ", ") + "]\n"
	must(os.WriteFile(filepath.Join(b.dir, "data", "data.yaml"), []byte(yaml), 0o644))
	f, err := config.Preset("demo")
	must(err)
	f.Move(filepath.Join(b.dir, "config.toml"), b.dir)
	must(f.Override([]string{"DATASET.PATH=data", "PROJECT.RUNS=runs", "EVAL.DATA="}))
	p, err := project.Open(b.ctx, f.Snapshot, nil)
	must(err)
	must(p.OpenBase(b.ctx, nil))
	return p
}
