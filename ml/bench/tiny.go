package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"finetui/ml/bench/table"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// tinyConfig is the shape of the base that the program carries.
var tinyConfig = qwen2.Config{
	ModelType: "qwen2", Hidden: 128, Layers: 4, Heads: 4, KVHeads: 2, HeadDim: 32, Inner: 384, Vocab: 768,
	Eps: 1e-6, Theta: 1e4, Tied: true,
}

// tinyAdapter and tinyModules are the adapters that a new project begins with.
var (
	tinyAdapter = weights.Adapter{R: 16, Scale: 2, Dropout: 0.05}
	tinyModules = map[string]bool{"q_proj": true, "k_proj": true, "v_proj": true, "o_proj": true}
)

// A batch of the demo: so many questions and answers, of so many tokens.
const tinySequences, tinyTokens, tinySupervised = 16, 51, 8

func tinyRows() []row {
	return []row{{
		name: "tiny", what: "tiny base LoRA step, 16 × 51 tokens", against: "multiply-add loop",
		goal: table.AtLeastPercent(35),
		measure: func(b *bench) table.Result {
			trainer, _ := b.tiny(tinyAdapter.Dropout)
			samples := tinySamples()
			work, peak := b.multiplyPeak()
			step := table.Repeated(func() { mustStep(trainer, samples) })
			return table.Rates(table.Rounds(2*b.rounds, step, peak), stepFlops(tinyConfig, samples), work,
				1e9, "GFLOP/s")
		},
	}, {
		name: "tiny", what: "the same without dropout", against: "multiply-add loop", goal: table.AtLeastPercent(35),
		measure: func(b *bench) table.Result {
			trainer, _ := b.tiny(0)
			samples := tinySamples()
			work, peak := b.multiplyPeak()
			step := table.Repeated(func() { mustStep(trainer, samples) })
			return table.Rates(table.Rounds(2*b.rounds, step, peak), stepFlops(tinyConfig, samples), work,
				1e9, "GFLOP/s")
		},
	}, {
		name: "tiny", what: "gorgonia's own share of the tiny step", against: "the step", goal: table.AtMostPercent(10),
		measure: func(b *bench) table.Result {
			trainer, replicas := b.tiny(tinyAdapter.Dropout)
			samples := tinySamples()
			var pairs []table.Pair
			for range 4 * b.rounds {
				var share table.Span
				s := table.Clock(func() { mustStep(trainer, samples) })
				for _, r := range replicas() {
					share.Wall += r.Chain().Times().Graph
				}
				pairs = append(pairs, table.Pair{Measured: share, Reference: s.Times(len(replicas()))})
			}
			return table.Durations(pairs)
		},
	}, {
		name: "tiny memory", what: "memory after 1000 steps more", against: "after 100 steps", goal: table.AtMost(1.02),
		measure: func(b *bench) table.Result {
			trainer, _ := b.tiny(tinyAdapter.Dropout)
			samples := tinySamples()[:4]
			steps := func(n int) {
				for range n {
					mustStep(trainer, samples)
				}
			}
			steps(100)
			runtime.GC()
			before, allocated := residentBytes(), mallocs()
			steps(1000)
			allocated = mallocs() - allocated
			after := residentBytes()
			mib := func(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
			return table.Result{Measured: mib(after), Reference: mib(before), Ratio: float64(after) / float64(before),
				Note: fmt.Sprintf("%d allocations a step", allocated/1000)}
		},
	}}
}

// counted is a network that remembers its replicas.
type counted struct {
	qwen2.Network
	replicas []train.Replica
}

func (c *counted) NewReplica(e *nn.Exec) (train.Replica, error) {
	r, err := c.Network.NewReplica(e)
	c.replicas = append(c.replicas, r)
	return r, err
}

// tiny is a trainer of the tiny base, one replica for each core.
func (b *bench) tiny(dropout float64) (*train.Trainer, func() []train.Replica) {
	a := tinyAdapter
	a.Dropout = dropout
	n := &counted{Network: qwen2.Network{Model: newText(tinyConfig, a, tinyModules).model}}
	solver, err := train.NewAdamW(n.Parameters(), []train.Group{{LearningRate: 1e-4}}, nil)
	if err != nil {
		panic(err)
	}
	solver.MaxGradNorm = 1
	cores := b.team.Size()
	t, err := train.New(n, solver, train.Schedule{Kind: "constant"}, train.Options{Replicas: cores, Threads: cores,
		Seed: 1, Limits: train.Limits{Sequences: tinySequences}})
	if err != nil {
		panic(err)
	}
	return t, func() []train.Replica { return n.replicas }
}

func tinySamples() []train.Sample {
	lengths := make([]int, tinySequences)
	for i := range lengths {
		lengths[i] = tinyTokens
	}
	return split(sequences(tinyConfig.Vocab, tinySupervised, lengths...))
}

func mustStep(t *train.Trainer, samples []train.Sample) {
	if _, err := t.Step(context.Background(), samples); err != nil {
		panic(err)
	}
}

// stepFlops counts the multiplications and additions of all matrix products that a LoRA step of the tiny base needs:
// frozen ones forward and backward (not below the first adapters), those of the adapters, of causal attention, and of
// the head at supervised positions.
func stepFlops(c qwen2.Config, samples []train.Sample) float64 {
	q, kv, r := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim, tinyAdapter.R
	qkv := c.Hidden * (q + 2*kv)
	frozen := qkv + q*c.Hidden + 3*c.Hidden*c.Inner
	adapters := r * (3*c.Hidden + q + 2*kv + q + c.Hidden)
	var sum float64
	for _, s := range samples {
		n, supervised := len(s.IDs), 0
		for i := range s.IDs {
			if s.Targets[i] >= 0 {
				supervised++
			}
		}
		seen := n * (n + 1) / 2
		layer := 2*n*frozen + 3*n*adapters + (2+4)*seen*q
		sum += 2 * float64(c.Layers*layer-n*qkv-n*3*r*c.Hidden+2*supervised*c.Hidden*c.Vocab)
	}
	return sum
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// residentBytes is the memory that the system holds for this process,
// or, where it does not say, what Go has taken of it.
func residentBytes() uint64 {
	if data, err := os.ReadFile("/proc/self/statm"); err == nil {
		if f := strings.Fields(string(data)); len(f) > 1 {
			if pages, err := strconv.ParseUint(f[1], 10, 64); err == nil {
				return pages * uint64(os.Getpagesize())
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}
