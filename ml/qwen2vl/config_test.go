package qwen2vl

import (
	"errors"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
)

const (
	text   = `"model_type":"qwen2_vl","hidden_size":64,"num_hidden_layers":1,"num_attention_heads":4,"intermediate_size":8,"vocab_size":9`
	vision = `"depth":1,"embed_dim":16,"num_heads":2,"hidden_size":64`
)

func TestConfigErrorsNameTheKey(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:       "hidden_size",
		`{` + text: "config.json",
		`{` + strings.Replace(text, "qwen2_vl", "qwen2", 1) + `}`: "model_type",
		`{` + text + `}`:                    "vision_config is missing",
		`{` + text + `,"vision_config":{}}`: "vision_config.depth",
		`{` + text + `,"vision_config":{` + vision + `,"hidden_act":"gelu"}}`: "vision_config.hidden_act",
		`{` + text + `,"vision_config":{` + vision + `,"num_heads":3}}`:       "in 3 heads",
		`{` + text + `,"vision_config":{` + vision +
			`,"hidden_size":32}}`: "differs from the language model's 64",
		`{` + text + `,"vision_config":{` + vision + `,"mlp_ratio":-1}}`:              "mlp_ratio",
		`{` + text + `,"vision_config":{` + vision + `,"mlp_ratio":1e300}}`:           "mlp_ratio",
		`{` + text + `,"vision_config":{` + vision + `,"patch_size":1000000}}`:        "patch_size²",
		`{` + text + `,"vision_config":{` + vision + `,"spatial_merge_size":100000}}`: "spatial_merge_size²",
	} {
		if _, err := ParseConfig([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not name %q", config, err, want)
		}
	}
}

// FuzzConfig reads any config.json, and makes and runs the tower where it is small: nothing may panic, and no memory
// may be taken that only the configuration asks for.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{` + text + `,"vision_config":{` + vision + `}}`))
	f.Add([]byte(`{"model_type":"qwen2_vl","text_config":{` + text + `},"image_token_id":7,"vision_config":{` + vision +
		`,"patch_size":2,"in_channels":1,"mlp_ratio":2.5}}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		c, err := ParseConfig(config)
		if err != nil {
			return
		}
		m, err := New(c, &goldentest.Budget{Left: 1 << 19}, Tuning{})
		if err != nil {
			if !errors.Is(err, goldentest.ErrSpent) {
				t.Errorf("the checkpoint's error came back as %v", err)
			}
			return
		}
		grid := Grid{T: 1, H: c.Vision.Merge, W: c.Vision.Merge}
		if grid.Patches()*c.Vision.PatchWidth() > 1<<20 {
			return
		}
		features, err := m.NewTower(nn.NewExec(1)).Features(make([]float32, grid.Patches()*c.Vision.PatchWidth()),
			[]Grid{grid})
		if err != nil || len(features) != c.Text.Hidden {
			t.Errorf("%+v: %d features, %v", c, len(features), err)
		}
	})
}
