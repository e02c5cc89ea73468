package qwen2

import (
	"fmt"
	"strings"
	"testing"

	"finetui/ml/nn"
	"finetui/ml/weights"
)

// embeddings is a checkpoint that holds nothing but embeddings and norms, of any size.
type embeddings struct{}

func (embeddings) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	if strings.HasPrefix(name, "model.embed") {
		return nn.Matrix{Rows: rows, Cols: cols, BF16: make([]uint16, rows*cols)}, nil
	}
	return nn.Matrix{}, fmt.Errorf("tensor %s is missing", name)
}

func (embeddings) Vector(name string, n int) ([]float32, error) { return make([]float32, n), nil }

// TestSizesOfAConfigurationTakeNoMemory builds models whose configuration asks for more than
// any machine has: the tensor that is not there is named.
func TestSizesOfAConfigurationTakeNoMemory(t *testing.T) {
	const huge = 1 << 24
	for _, all := range []bool{false, true} {
		c := Config{ModelType: "qwen2", Hidden: 8, Layers: huge, Heads: huge, KVHeads: huge, HeadDim: huge, Inner: huge,
			Vocab: 3, Eps: 1e-6}
		_, err := New(c, embeddings{}, weights.Tuning{All: all})
		if err == nil || !strings.Contains(err.Error(), "model.layers.0.self_attn.q_proj.weight") {
			t.Errorf("all %v: %v", all, err)
		}
	}
}
