package base

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"finetui/core/demo/generic"
	"finetui/ml/qwen2vl"
	"finetui/ml/tokenizer"
	"finetui/ml/weights"
)

func TestLabelLossGradient(t *testing.T) {
	w := newLabelWeights(8, 1)
	l := newLabelLoss(w)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2 {
		l.things = append(l.things, generic.Sample(rng, pictureSide))
	}
	x := make([]float32, 2*perToken*8)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	l.Forward(x)
	dx, grad := append([]float32(nil), l.dx...), append([]float32(nil), l.grad...)
	check := func(name string, v, g []float32) {
		for range 40 {
			i := rng.IntN(len(v))
			const eps = 1e-2
			saved := v[i]
			v[i] = saved + eps
			up := l.Forward(x)
			v[i] = saved - eps
			down := l.Forward(x)
			v[i] = saved
			if numeric := (up - down) / (2 * eps); math.Abs(numeric-float64(g[i])) > 1e-2*math.Abs(numeric)+2e-5 {
				t.Errorf("%s[%d]: differences say %g, backward says %g", name, i, numeric, g[i])
			}
		}
	}
	check("x", x, dx)
	check("heads", w.value, grad)
}

// TestMakeWritesAModelThatLearns runs both stages for a few steps: the folder
// must load, and the same seed must give the same bytes.
func TestMakeWritesAModelThatLearns(t *testing.T) {
	var sums [2][]byte
	for i := range sums {
		dir := t.TempDir()
		if err := Make(context.Background(), dir, Options{Seed: 5, TowerSteps: 1, TalkSteps: 1, corpus: 300,
			heldOut: 8}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = data
		if i > 0 {
			continue
		}
		config, err := weights.ReadConfig(dir)
		if err != nil {
			t.Fatal(err)
		}
		c, err := qwen2vl.ParseConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		ckpt, err := weights.OpenCheckpoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer ckpt.Close()
		if _, err := qwen2vl.New(c, ckpt, qwen2vl.Tuning{}); err != nil {
			t.Error(err)
		}
		if _, err := tokenizer.Load(filepath.Join(dir, "tokenizer.json")); err != nil {
			t.Error(err)
		}
	}
	if string(sums[0]) != string(sums[1]) {
		t.Error("the same seed gave two different bases")
	}
}
