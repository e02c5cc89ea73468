package qwen2

import (
	"encoding/json"
	"fmt"
	"slices"

	"finetui/ml/tokenizer"
)

// Config holds the sizes of the language model.
type Config struct {
	ModelType string
	Hidden    int // width of the residual stream
	Layers    int
	Heads     int // query heads
	KVHeads   int // key and value heads
	HeadDim   int
	Inner     int // width of the MLP
	Vocab     int
	Eps       float64 // of RMSNorm
	Theta     float64 // RoPE base
	Sections  []int   // M-RoPE: frequencies that follow the t, h, w position, summing to HeadDim/2; nil: plain RoPE
	Tied      bool    // the output product is the embedding matrix
	EOS       []int32 // end tokens that config.json names; often more are in generation_config.json
}

// fields is config.json as the published checkpoints and transformers 5 write it.
type fields struct {
	ModelType   string          `json:"model_type"`
	Hidden      int             `json:"hidden_size"`
	Layers      int             `json:"num_hidden_layers"`
	Heads       int             `json:"num_attention_heads"`
	KVHeads     int             `json:"num_key_value_heads"`
	HeadDim     int             `json:"head_dim"`
	Inner       int             `json:"intermediate_size"`
	Vocab       int             `json:"vocab_size"`
	Eps         *float64        `json:"rms_norm_eps"`
	Theta       float64         `json:"rope_theta"`
	Tied        bool            `json:"tie_word_embeddings"`
	Activation  string          `json:"hidden_act"`
	UseSliding  bool            `json:"use_sliding_window"`
	EOS         json.RawMessage `json:"eos_token_id"`
	RopeScaling *rope           `json:"rope_scaling"`
	RopeParams  *rope           `json:"rope_parameters"`
	Text        json.RawMessage `json:"text_config"`
}

type rope struct {
	Type     string  `json:"type"`
	RopeType string  `json:"rope_type"`
	Sections []int   `json:"mrope_section"`
	Theta    float64 `json:"rope_theta"`
}

// ParseConfig reads a config.json: flat, or with the language model in text_config, beside which only model_type,
// tie_word_embeddings and the end tokens count. What the architecture does not allow is an error that names the key.
func ParseConfig(data []byte) (Config, error) {
	var f fields
	if err := json.Unmarshal(data, &f); err != nil {
		return Config{}, fmt.Errorf("config.json: %w", err)
	}
	outer := f
	if f.Text != nil && string(f.Text) != "null" {
		f = fields{EOS: outer.EOS}
		if err := json.Unmarshal(outer.Text, &f); err != nil {
			return Config{}, fmt.Errorf("config.json: text_config: %w", err)
		}
	}
	c := Config{
		ModelType: outer.ModelType, Hidden: f.Hidden, Layers: f.Layers, Heads: f.Heads, KVHeads: f.KVHeads,
		HeadDim: f.HeadDim,
		Inner:   f.Inner, Vocab: f.Vocab, Theta: f.Theta, Tied: outer.Tied || f.Tied,
	}
	var err error
	if c.EOS, err = tokenizer.IDs(f.EOS); err != nil {
		return Config{}, fmt.Errorf("config.json: eos_token_id is %w", err)
	}
	for _, r := range []*rope{f.RopeScaling, f.RopeParams} {
		if r == nil {
			continue
		}
		for _, kind := range []string{r.Type, r.RopeType} { // the older and the newer key
			if kind != "" && kind != "default" && kind != "mrope" {
				return Config{}, fmt.Errorf("config.json: rotary embeddings of type %q are not supported; default "+
					"and mrope are", kind)
			}
		}
		if r.Theta != 0 {
			c.Theta = r.Theta
		}
		if r.Sections != nil {
			c.Sections = r.Sections
		}
	}
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.HeadDim == 0 && c.Heads > 0 {
		c.HeadDim = c.Hidden / c.Heads
	}
	// Where keys are missing transformers takes these, whatever the published checkpoints have.
	eps, theta := 1e-6, 1e4
	if c.ModelType == "qwen2_vl" {
		eps, theta = 1e-5, 1e6
	}
	if c.Eps = eps; f.Eps != nil {
		c.Eps = *f.Eps
	}
	if c.Theta == 0 {
		c.Theta = theta
	}
	if f.Activation != "" && f.Activation != "silu" {
		return Config{}, fmt.Errorf("config.json: hidden_act is %q; this architecture has silu", f.Activation)
	}
	if f.UseSliding {
		return Config{}, fmt.Errorf("config.json: use_sliding_window is true; every token sees all before it here, " +
			"which is another model")
	}
	return c, c.check()
}

// maxTensor bounds the values of one tensor, so that sizes can be multiplied without overflow.
const maxTensor = 1 << 36

func (c Config) check() error {
	for _, f := range []struct {
		key   string
		value int
	}{
		{"hidden_size", c.Hidden}, {"num_hidden_layers", c.Layers}, {"num_attention_heads", c.Heads},
		{"num_key_value_heads", c.KVHeads}, {"head_dim", c.HeadDim}, {"intermediate_size", c.Inner},
		{"vocab_size", c.Vocab},
	} {
		if f.value <= 0 || f.value > 1<<24 {
			return fmt.Errorf("config.json: %s is %d, it must be from 1 to %d: is the key there?", f.key,
				f.value, 1<<24)
		}
	}
	if c.Heads%c.KVHeads != 0 {
		return fmt.Errorf("config.json: num_attention_heads %d is no multiple of num_key_value_heads %d",
			c.Heads, c.KVHeads)
	}
	for _, f := range []struct {
		key  string
		a, b int
	}{{"num_attention_heads × head_dim", c.Heads, c.HeadDim}, {"vocab_size × hidden_size", c.Vocab, c.Hidden},
		{"intermediate_size × hidden_size", c.Inner, c.Hidden}} {
		if f.a*f.b > maxTensor {
			return fmt.Errorf("config.json: %s is %d × %d, more than any checkpoint holds", f.key, f.a, f.b)
		}
	}
	if !(c.Eps >= 0 && c.Eps < 1) {
		return fmt.Errorf("config.json: rms_norm_eps is %v, it must be from 0 up to 1", c.Eps)
	}
	if !(c.Theta > 0) {
		return fmt.Errorf("config.json: rope_theta is %v, it must be above 0", c.Theta)
	}
	if c.HeadDim%2 != 0 {
		return fmt.Errorf("config.json: head_dim %d is odd, rotary embeddings need pairs", c.HeadDim)
	}
	if c.Sections != nil {
		sum := 0
		for _, n := range c.Sections {
			sum += n
		}
		if len(c.Sections) != 3 || slices.Min(c.Sections) < 0 || sum != c.HeadDim/2 {
			return fmt.Errorf("config.json: mrope_section %v must be three numbers that sum to half the head dim, %d",
				c.Sections, c.HeadDim/2)
		}
	}
	return nil
}
