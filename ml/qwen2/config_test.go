package qwen2

import (
	"errors"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/weights"
)

// tinyConfig is a config.json with one more pair of key and value.
func tinyConfig(pair string) string {
	return `{"hidden_size":64,"num_hidden_layers":1,"num_attention_heads":4,"intermediate_size":8,"vocab_size":9,` +
		pair + `}`
}

func TestConfigErrorsNameTheKey(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                  "config.json",
		`{"hidden_size":64}`: "num_hidden_layers",
		`{"text_config":[]}`: "text_config",
		`{"hidden_size":64,"num_hidden_layers":1,"num_attention_heads":3,"num_key_value_heads":2,"intermediate_size":8,"vocab_size":9}`: "no multiple",
		tinyConfig(`"hidden_act":"gelu"`):                                "hidden_act",
		tinyConfig(`"rope_scaling":{"type":"yarn"}`):                     "yarn",
		tinyConfig(`"rope_scaling":{"mrope_section":[9,9,-10]}`):         "mrope_section",
		tinyConfig(`"rope_scaling":{"mrope_section":[4,4]}`):             "mrope_section",
		tinyConfig(`"head_dim":3`):                                       "head_dim 3 is odd",
		tinyConfig(`"head_dim":16777216,"num_attention_heads":16777216`): "num_attention_heads × head_dim",
		tinyConfig(`"hidden_size":16777216,"vocab_size":16777216`):       "vocab_size × hidden_size",
		tinyConfig(`"rms_norm_eps":-1`):                                  "rms_norm_eps",
		tinyConfig(`"rope_theta":-10000`):                                "rope_theta",
		tinyConfig(`"use_sliding_window":true`):                          "use_sliding_window",
		tinyConfig(`"rope_scaling":{"type":"mrope","rope_type":"yarn"}`): "yarn",
		tinyConfig(`"eos_token_id":["<|im_end|>"]`):                      "eos_token_id",
		tinyConfig(`"eos_token_id":3e9`):                                 "eos_token_id",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not name %q", text, err, want)
		}
	}
}

// What is expected is what transformers 5.23 makes of the same files.
func TestMissingAndNestedKeysAreReadAsTransformersDoes(t *testing.T) {
	const sizes = `"hidden_size":64,"num_hidden_layers":1,"num_attention_heads":4,"intermediate_size":8,"vocab_size":9`
	for text, want := range map[string]struct {
		theta, eps float64
		tied       bool
	}{
		`{"model_type":"qwen2",` + sizes +
			`}`: {1e4, 1e-6, false},
		`{"model_type":"qwen2",` + sizes +
			`,"rope_theta":5000,"tie_word_embeddings":true}`: {5e3, 1e-6, true},
		`{"model_type":"qwen2_vl",` + sizes +
			`,"text_config":null}`: {1e6, 1e-5, false},
		`{"model_type":"qwen2_vl",` + sizes +
			`,"rope_theta":7,"rope_scaling":{"type":"mrope","mrope_section":[2,3,3]}}`: {7, 1e-5, false},
		`{"model_type":"qwen2_vl","rope_theta":9,"rms_norm_eps":0.1,"text_config":{` + sizes +
			`}}`: {1e6, 1e-5, false},
		`{"model_type":"qwen2_vl","tie_word_embeddings":true,"text_config":{` + sizes +
			`}}`: {1e6, 1e-5, true},
		`{"model_type":"qwen2_vl","tie_word_embeddings":true,"text_config":{` + sizes +
			`,"tie_word_embeddings":false}}`: {1e6, 1e-5, true},
		`{"model_type":"qwen2_vl","text_config":{` + sizes +
			`,"tie_word_embeddings":true,"rope_theta":5}}`: {5, 1e-5, true},
	} {
		c, err := ParseConfig([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if c.Theta != want.theta || c.Eps != want.eps || c.Tied != want.tied {
			t.Errorf("%s: theta %v, eps %v, tied %v; want %+v", text, c.Theta, c.Eps, c.Tied, want)
		}
	}
}

// FuzzConfig reads any config.json, and makes and runs the model where it is small: nothing may panic, and no memory
// may be taken that only the configuration asks for.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(tinyConfig(`"rope_scaling":{"type":"mrope","mrope_section":[2,3,3]}`)))
	f.Add([]byte(`{"text_config":` + tinyConfig(`"rope_parameters":{"rope_type":"default","rope_theta":10000.0}`) +
		`,"tie_word_embeddings":true,"eos_token_id":[1,2]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseConfig(text)
		if err != nil {
			return
		}
		m, err := New(c, &goldentest.Budget{Left: 1 << 18}, weights.Tuning{})
		if err != nil {
			if !errors.Is(err, goldentest.ErrSpent) {
				t.Errorf("the checkpoint's error came back as %v", err)
			}
			return
		}
		b := textBatch([]int32{0, int32(c.Vocab) - 1}, []int32{0})
		if _, err := m.NewSession(nn.NewExec(1)).Prompt(b, nil); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	})
}
