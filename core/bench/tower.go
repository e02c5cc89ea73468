package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/demo"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/nn"
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
// tower in every step, since the last product behind it is adapted, too, and once on features that are kept.
func (b *bench) towerEpochs() table.Result {
	p := b.project()
	defer p.Close()
	kind := b.largeTower(p.Base.Dir)
	build := func(modules ...string) model.Network {
		n, err := kind.Build(drawn.Weights{}, model.Tuning{Adapt: func(module string) (weights.Adapter, bool) {
			return weights.Adapter{R: 16, Scale: 2}, slices.ContainsFunc(modules, func(part string) bool {
				return strings.Contains(module, part)
			})
		}})
		must(err)
		return n
	}
	onKept, inStep := build("self_attn"), build("self_attn", "visual.merger.mlp.2")
	if !onKept.Frozen() || inStep.Frozen() {
		panic("the tower is not where the row says that it is")
	}
	var whole, kept []train.Sample
	eye := onKept.NewEye(nn.NewExec(b.team.Size()))
	once := table.Clock(func() {
		for _, i := range p.Recipe.Plan().Epoch(0) {
			s, err := p.Encoder().Cut(b.ctx, p.Recipe.Samples("train")[i])
			must(err)
			whole = append(whole, s)
			s.Visual, err = eye.See(b.ctx, s.Visual)
			must(err)
			kept = append(kept, s)
		}
	})
	r := table.Gains(table.Rounds(b.rounds, b.epochs(onKept, kept), b.epochs(inStep, whole)))
	r.Note = table.InUnit(once.Wall) + " to make them, once"
	return r
}

// largeTower is the kind of the base in a folder with a tower of (448/128)² = 12.25 times the parameters.
func (b *bench) largeTower(dir string) model.Kind {
	large := filepath.Join(b.dir, "large")
	must(os.MkdirAll(large, 0o755))
	for _, name := range []string{"config.json", "preprocessor_config.json"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		must(err)
		if name == "config.json" {
			var c map[string]any
			must(json.Unmarshal(text, &c))
			vision := c["vision_config"].(map[string]any)
			vision["embed_dim"], vision["num_heads"] = 448, 14
			text, err = json.Marshal(c)
			must(err)
		}
		must(os.WriteFile(filepath.Join(large, name), text, 0o644))
	}
	kind, err := model.Inspect(large)
	must(err)
	return kind
}

// epochs returns a function that trains one more.
func (b *bench) epochs(n train.Network, samples []train.Sample) func() table.Span {
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
	must(demo.MakeParts(b.ctx, filepath.Join(b.dir, "data"), demo.Options{Canvas: 168},
		demo.Part{Split: "train", Objects: 48, Seed: 48}, demo.Part{Split: "valid", Objects: 12, Seed: 12}))
	f, err := config.Preset("demo")
	must(err)
	f.Move(filepath.Join(b.dir, "config.toml"), b.dir)
	must(f.Override([]string{"DATASET.PATH=data", "PROJECT.RUNS=runs", "EVAL.DATA="}))
	p, err := project.Open(b.ctx, f.Snapshot, nil)
	must(err)
	must(p.OpenBase(b.ctx, nil))
	return p
}
