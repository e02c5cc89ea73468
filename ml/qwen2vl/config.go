package qwen2vl

import (
	"encoding/json"
	"fmt"

	"finetui/ml/qwen2"
)

// Config is a Qwen2-VL config.json.
type Config struct {
	Text   qwen2.Config
	Vision Vision

	ImageToken, VideoToken, VisionStart, VisionEnd int32
}

// Vision holds the sizes of the tower.
type Vision struct {
	Depth    int `json:"depth"`
	Embed    int `json:"embed_dim"`
	Heads    int `json:"num_heads"`
	MLPRatio float64
	Hidden   int `json:"hidden_size"` // of the language model
	Patch    int `json:"patch_size"`
	Merge    int `json:"spatial_merge_size"`
	Temporal int `json:"temporal_patch_size"`
	Channels int
}

// HeadDim is the width of one head.
func (v Vision) HeadDim() int { return v.Embed / v.Heads }

// Inner is the width of the MLP.
func (v Vision) Inner() int { return int(float64(v.Embed) * v.MLPRatio) }

// PatchWidth is the number of values of one patch row: channels × temporal × patch².
func (v Vision) PatchWidth() int { return v.Channels * v.Temporal * v.Patch * v.Patch }

// ParseConfig reads a config.json, flat or nested.
func ParseConfig(data []byte) (Config, error) {
	text, err := qwen2.ParseConfig(data)
	if err != nil {
		return Config{}, err
	}
	c := Config{Text: text, ImageToken: 151655, VideoToken: 151656, VisionStart: 151652, VisionEnd: 151653}
	var f struct {
		ModelType   string `json:"model_type"`
		ImageToken  *int32 `json:"image_token_id"`
		VideoToken  *int32 `json:"video_token_id"`
		VisionStart *int32 `json:"vision_start_token_id"`
		VisionEnd   *int32 `json:"vision_end_token_id"`
		Vision      *struct {
			Vision
			MLPRatio   *float64 `json:"mlp_ratio"`
			InChans    *int     `json:"in_chans"`
			InChannels *int     `json:"in_channels"`
			Activation string   `json:"hidden_act"`
		} `json:"vision_config"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return Config{}, fmt.Errorf("config.json: %w", err)
	}
	if f.ModelType != "qwen2_vl" {
		return Config{}, fmt.Errorf("config.json: model_type is %q; this is the code of qwen2_vl", f.ModelType)
	}
	if f.Vision == nil {
		return Config{}, fmt.Errorf("config.json: vision_config is missing")
	}
	for _, t := range []struct{ from, to *int32 }{{f.ImageToken, &c.ImageToken}, {f.VideoToken, &c.VideoToken},
		{f.VisionStart, &c.VisionStart}, {f.VisionEnd, &c.VisionEnd}} {
		if t.from != nil {
			*t.to = *t.from
		}
	}
	v := f.Vision.Vision
	v.MLPRatio, v.Channels = 4, 3
	if f.Vision.MLPRatio != nil {
		v.MLPRatio = *f.Vision.MLPRatio
	}
	for _, n := range []*int{f.Vision.InChans, f.Vision.InChannels} {
		if n != nil {
			v.Channels = *n
		}
	}
	for _, d := range []struct {
		at    *int
		value int
	}{{&v.Patch, 14}, {&v.Merge, 2}, {&v.Temporal, 2}} {
		if *d.at == 0 {
			*d.at = d.value
		}
	}
	if a := f.Vision.Activation; a != "" && a != "quick_gelu" {
		return Config{}, fmt.Errorf("config.json: vision_config.hidden_act is %q; this architecture has quick_gelu", a)
	}
	c.Vision = v
	return c, c.check()
}

// maxWidth bounds the width of a row, so that sizes can be multiplied without overflow.
const maxWidth = 1 << 24

func (c Config) check() error {
	v := c.Vision
	for _, f := range []struct {
		key   string
		value int
	}{
		{"depth", v.Depth}, {"embed_dim", v.Embed}, {"num_heads", v.Heads}, {"patch_size", v.Patch},
		{"spatial_merge_size", v.Merge}, {"temporal_patch_size", v.Temporal}, {"in_channels", v.Channels},
		{"mlp_ratio × embed_dim", v.Inner()},
	} {
		if f.value <= 0 || f.value > 1<<20 {
			return fmt.Errorf("config.json: vision_config.%s is %d, it must be from 1 to %d: is the key there?", f.key,
				f.value, 1<<20)
		}
	}
	for _, f := range []struct {
		key    string
		values []int
	}{
		{"in_channels × temporal_patch_size × patch_size²", []int{v.Channels, v.Temporal, v.Patch, v.Patch}},
		{"embed_dim × spatial_merge_size²", []int{v.Embed, v.Merge, v.Merge}},
	} {
		product := 1
		for _, n := range f.values {
			if product *= n; product > maxWidth {
				return fmt.Errorf("config.json: vision_config: %s is a product of %v, wider than any model",
					f.key, f.values)
			}
		}
	}
	if v.Embed%v.Heads != 0 || v.HeadDim()%4 != 0 {
		return fmt.Errorf("config.json: vision_config: embed_dim %d in %d heads gives no head dim that is a "+
			"multiple of 4", v.Embed, v.Heads)
	}
	if v.Hidden != c.Text.Hidden {
		return fmt.Errorf("config.json: vision_config.hidden_size %d differs from the language model's %d", v.Hidden,
			c.Text.Hidden)
	}
	return nil
}
