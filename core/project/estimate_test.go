package project

import (
	"testing"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl"
	"finetui/ml/weights"
)

// shapeOnly is a model of which only the products are known.
type shapeOnly struct {
	model.Kind
	products []weights.Product
}

func (s shapeOnly) Products() []weights.Product { return s.products }

// The counts are those that PEFT prints for the published models (spec/drains.md).
func TestTrainableParametersOfThePublishedModels(t *testing.T) {
	l := config.LoRA{R: 16, Targets: []string{"q_proj", "k_proj", "v_proj", "o_proj"}}
	for _, c := range []struct {
		text qwen2.Config
		want int
	}{
		{qwen2.Config{Hidden: 3584, Layers: 28, Heads: 28, KVHeads: 4, HeadDim: 128, Inner: 18944}, 10092544},
		{qwen2.Config{Hidden: 1536, Layers: 28, Heads: 12, KVHeads: 2, HeadDim: 128, Inner: 8960}, 4358144},
	} {
		if got := Trainable(shapeOnly{products: qwen2vl.Config{Text: c.text}.Products()},
			&config.Config{LoRA: l}); got != c.want {
			t.Errorf("hidden %d: %d, want %d", c.text.Hidden, got, c.want)
		}
	}
}
