package train

import (
	"context"
	"fmt"
)

// A network of two layers learns to continue a sequence. The network is that of network_test.go: what a model has to
// offer is its Parameters and a NewReplica; ml/qwen2 and ml/qwen2vl offer no more.
func ExampleTrainer_Step() {
	network := newTiny(1, 0)
	solver, err := NewAdamW(network.Parameters(), []Group{{LearningRate: 0.02, WeightDecay: 0.01}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	const steps = 60
	trainer, err := New(network, solver, Schedule{Kind: "cosine", Warmup: 5, Steps: steps}, Options{Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	sample := Sample{IDs: []int32{1, 2, 3, 4, 5, 6, 7, 8}}
	sample.Targets, sample.Weights = Shift([]int32{-100, -100, 3, 4, 5, 6, 7, 8}) // the first two are the question
	for step := range steps {
		result, err := trainer.Step(context.Background(), []Sample{sample})
		if err != nil {
			fmt.Println(err)
			return
		}
		if step%20 == 0 || step == steps-1 {
			fmt.Printf("step %2d  loss %.1f\n", step+1, result.Loss)
		}
	}
	// Output:
	// step  1  loss 6.5
	// step 21  loss 0.6
	// step 41  loss 0.1
	// step 60  loss 0.1
}
