package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"finetui/ml/bench/table"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// shape is a model that both sides run.
type shape struct {
	name     string
	config   qwen2.Config
	stored   string // type of the weights on disk
	rank     int
	targets  []string
	replicas bool // one replica a core over the sequences, as for small models; else cores inside products
}

// python is the shape as transformers' Qwen2Config takes it.
func (s shape) python() map[string]any {
	c := s.config
	return map[string]any{
		"hidden_size": c.Hidden, "num_hidden_layers": c.Layers, "num_attention_heads": c.Heads,
		"num_key_value_heads": c.KVHeads,
		"intermediate_size":   c.Inner, "vocab_size": c.Vocab, "rms_norm_eps": c.Eps, "tie_word_embeddings": c.Tied,
		"rope_parameters":         map[string]any{"rope_type": "default", "rope_theta": c.Theta},
		"max_position_embeddings": 4096,
	}
}

const (
	learningRate = 1e-4
	weightDecay  = 0.01
	maxGradNorm  = 1.0
)

// work is what a step learns: sequences of one length, of which only the last tokens are supervised.
type work struct{ sequences, tokens, supervised int }

func (w work) samples(vocab int) (samples []train.Sample, ids, labels [][]int32) {
	draw := rand.New(rand.NewPCG(7, 0))
	for range w.sequences {
		id, label := make([]int32, w.tokens), make([]int32, w.tokens)
		for i := range id {
			id[i], label[i] = int32(draw.IntN(vocab)), -100
			if i >= w.tokens-w.supervised {
				label[i] = id[i]
			}
		}
		s := train.Sample{IDs: id}
		s.Targets, s.Weights = train.Shift(label)
		samples, ids, labels = append(samples, s), append(ids, id), append(labels, label)
	}
	return samples, ids, labels
}

// engine is our side: a model from the folder that the reference wrote.
type engine struct {
	checkpoint *weights.Checkpoint
	model      *qwen2.Model
}

// open reads the model, and its adapter where adapted is set.
func open(folder string, adapted bool) (*engine, error) {
	base := filepath.Join(folder, "base")
	text, err := weights.ReadConfig(base)
	if err != nil {
		return nil, err
	}
	config, err := qwen2.ParseConfig(text)
	if err != nil {
		return nil, err
	}
	e := &engine{}
	if e.checkpoint, err = weights.OpenCheckpoint(base); err != nil {
		return nil, err
	}
	tune, values := weights.Tuning{}, map[string][]float32{}
	if adapted {
		settings, adapters, err := lora.Read(filepath.Join(folder, "adapter"))
		if err != nil {
			return nil, errors.Join(err, e.close())
		}
		for _, a := range adapters {
			values[a.Module+".lora_A.weight"], values[a.Module+".lora_B.weight"] = a.A, a.B
		}
		tune.Adapt = func(module string) (weights.Adapter, bool) {
			return weights.Adapter{R: settings.Rank(module), Scale: settings.Scale(module)}, settings.Matches(module)
		}
	}
	if e.model, err = qwen2.New(config, e.checkpoint, tune); err != nil {
		return nil, errors.Join(err, e.close())
	}
	for _, p := range e.model.Parameters() {
		if copy(p.Value, values[p.Name]) != len(p.Value) {
			return nil, errors.Join(fmt.Errorf("the adapter has no %s", p.Name), e.close())
		}
	}
	return e, nil
}

// session decodes.
func (e *engine) session(threads int) *qwen2.Session { return e.model.NewSession(nn.NewExec(threads)) }

func (e *engine) close() error { return e.checkpoint.Close() }

// trainer takes steps as the reference does.
func (e *engine) trainer(s shape, threads int) (*train.Trainer, error) {
	n := qwen2.Network{Model: e.model}
	solver, err := train.NewAdamW(n.Parameters(), []train.Group{{LearningRate: learningRate, WeightDecay: weightDecay}},
		nil)
	if err != nil {
		return nil, err
	}
	solver.MaxGradNorm = maxGradNorm
	o := train.Options{Replicas: 1, Threads: threads}
	if s.replicas {
		o.Replicas = threads
	}
	return train.New(n, solver, train.Schedule{Kind: "constant"}, o)
}

// step takes one step and returns its loss.
func step(t *train.Trainer, samples []train.Sample) (table.Span, float64, error) {
	var r *train.Result
	var err error
	s := table.Clock(func() { r, err = t.Step(context.Background(), samples) })
	if err != nil {
		return s, 0, err
	}
	return s, r.Loss, nil
}

// decode continues prompts greedily, all of one length, and returns
// the tokens [steps][sequences]. The prompt is not timed.
func decode(s *qwen2.Session, prompts [][]int32, steps int) (took table.Span, tokens [][]int32, err error) {
	b := nn.Batch{Starts: []int{0}}
	for _, p := range prompts {
		b.IDs = append(b.IDs, p...)
		b.Starts = append(b.Starts, len(b.IDs))
	}
	b.Pos = qwen2.TextPositions(b.Starts)
	logits, err := s.Prompt(b, nil)
	if err != nil {
		return table.Span{}, nil, err
	}
	took = table.Clock(func() {
		for range steps {
			ids := make([]int32, len(prompts))
			for q := range ids {
				row := logits[q*s.Vocab() : (q+1)*s.Vocab()]
				for i, v := range row {
					if v > row[ids[q]] {
						ids[q] = int32(i)
					}
				}
			}
			tokens = append(tokens, ids)
			if logits, err = s.Next(ids); err != nil {
				return
			}
		}
	})
	return took, tokens, err
}
