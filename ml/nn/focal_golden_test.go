package nn_test

import (
	"math"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
)

// TestGoldenFocal holds the head's loss of one token against the closed form −α (1−p)^γ ln p, with α as the token's
// weight. The head is one wide, so that its output weights are the logits.
func TestGoldenFocal(t *testing.T) {
	var golden struct {
		Cases []struct {
			P       float64 `json:"p_t"`
			Gamma   float64 `json:"gamma"`
			Plain   float64 `json:"loss_no_alpha"`
			Quarter float64 `json:"loss_alpha_0.25"`
		} `json:"p_of_the_true_token"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "metrics", "focal.json"), &golden)
	if len(golden.Cases) == 0 {
		t.Fatal("the file holds no case")
	}
	for _, c := range golden.Cases {
		for weight, want := range map[float32]float64{1: c.Plain, .25: c.Quarter} {
			logit := float32(math.Log(c.P / (1 - c.P))) // against 0, softmax gives it p
			w := &nn.HeadWeights{Gamma: c.Gamma, Norm: &nn.Norm{W: []float32{1}},
				Out: &nn.Linear{W: nn.Matrix{Rows: 2, Cols: 1, F32: []float32{logit, 0}}}}
			batch := &nn.Batch{Starts: []int{0, 1}, IDs: []int32{0}, Targets: []int32{0}, Weights: []float32{weight},
				Scale: 1}
			loss := nn.NewHead(w, nn.NewExec(1), batch, nn.Params{}).Forward([]float32{1})
			if math.Abs(loss-want) > 5e-5*want+1e-12 { // logits and their sum are float32
				t.Errorf("p %g, γ %g, weight %g: loss %.9g, want %.9g", c.P, c.Gamma, weight, loss, want)
			}
		}
	}
}
