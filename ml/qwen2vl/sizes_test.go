package qwen2vl

import (
	"strings"
	"testing"

	"finetui/ml/qwen2"
	"finetui/ml/weights"
)

// Counted by hand for Qwen2-VL-2B as published: 46,792,704 weights in the products of a layer, 28 layers, 151,936
// words; 4,358,144 values of LoRA with r = 16 on attention's four products, as PEFT prints them.
func TestEffortCountsWhatAPassMultiplies(t *testing.T) {
	c := Config{Text: qwen2.Config{Hidden: 1536, Layers: 28, Heads: 12, KVHeads: 2, HeadDim: 128, Inner: 8960,
		Vocab: 151936, Tied: true}, Vision: Vision{Depth: 32, Embed: 1280, Heads: 16, MLPRatio: 4, Patch: 14, Merge: 2,
		Temporal: 2, Channels: 3, Hidden: 1536}}
	w := Work{Rank: func(module string) int {
		if strings.Contains(module, "self_attn.") {
			return 16
		}
		return 0
	}}
	// In the last layer, of what is not read there are the keys and values alone, and the queries, which one product makes
	// with them.
	const layer, qkv, head, adapters = 46_792_704, 1536 * (1536 + 2*256), 151_936 * 1536, 4_358_144
	const layers, lastAdapters = 27*layer + qkv, 16 * 2 * 1536 // of O
	for _, x := range []struct {
		name      string
		got, want float64
	}{
		{"products of 100 tokens", c.TextEffort(w, 100, 0, false).Products, 2 * 100 * layers},
		{"and on the way back", c.TextEffort(w, 100, 0, true).Products, 2 * 2 * 100 * layers},
		{"the head, of supervised tokens", c.TextEffort(w, 100, 3, false).Products,
			2*100*layers + 2*3*(layer-qkv) + 2*3*head},
		{"adapters", c.TextEffort(w, 100, 0, false).Adapters, 2 * 100 * (adapters - lastAdapters)},
		{"of tokens that are read", c.TextEffort(w, 100, 100, false).Adapters, 2 * 100 * adapters},
		{"and their gradients", c.TextEffort(w, 100, 0, true).Adapters,
			3 * 2 * 100 * (adapters - lastAdapters)},
		{"causal attention", c.TextEffort(w, 100, 0, false).Attention, 27 * 2 * 2 * 100 * 50 * 1536},
		{"of the last 10 in the last layer", c.TextEffort(w, 100, 10, false).Attention,
			2 * 2 * 1536 * (27*100*50 + 10*95)},
		{"and its seven products", c.TextEffort(w, 100, 0, true).Attention, 27 * 7 * 2 * 100 * 50 * 1536},
		{"the tower on 64 patches", c.TowerEffort(w, 64, 64*64, false).Products,
			2 * (64*(32*12*1280*1280+1176*1280) + 16*(5120*5120+5120*1536))},
		{"its attention, within a picture", c.TowerEffort(w, 64, 64*64, false).Attention, 32 * 2 * 2 * 64 * 64 * 1280},
		{"two frames see themselves", c.TowerEffort(w, 64, 2*32*32, false).Attention, 32 * 2 * 2 * 2 * 32 * 32 * 1280},
		{"the tower, adapted", c.TowerEffort(w, 64, 64*64, true).Products, 2 * c.TowerEffort(w, 64, 0, false).Products},
	} {
		if x.got != x.want {
			t.Errorf("%s: %.0f operations, want %.0f", x.name, x.got, x.want)
		}
	}
	if (Config{Text: c.Text}).TowerEffort(w, 64, 64, false) != (weights.Effort{}) {
		t.Error("a model without a tower spends something on it")
	}
}
