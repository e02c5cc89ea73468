package clip

import (
	"encoding/json"
	"fmt"
	"math"

	"finetui/ml/picture"
)

// Config holds the sizes of the tower.
type Config struct {
	Hidden int // width of the residual stream
	Layers int
	Heads  int
	Inner  int // width of the MLP
	Side   int // of the pictures, in pixels
	Patch  int // side of a patch, in pixels
	Eps    float64
	Layer  int // whose result is taken: 1 for the first; −1 for the last, −2 for the one before it
}

// Published is ViT-B/16 at 224 pixels, openai/clip-vit-base-patch16, up to the layer before the last.
func Published() Config {
	return Config{Hidden: 768, Layers: 12, Heads: 12, Inner: 3072, Side: 224, Patch: 16, Eps: 1e-5, Layer: -2}
}

// Patches is the number of a picture's patches.
func (c Config) Patches() int { return (c.Side / c.Patch) * (c.Side / c.Patch) }

// PatchWidth is the number of values of one patch.
func (c Config) PatchWidth() int { return 3 * c.Patch * c.Patch }

// Depth is the number of layers that run.
func (c Config) Depth() int {
	if c.Layer < 0 {
		return c.Layers + 1 + c.Layer
	}
	return c.Layer
}

// fields is config.json of a vision model, or vision_config in that of a whole CLIP.
type fields struct {
	ModelType  string          `json:"model_type"`
	Hidden     int             `json:"hidden_size"`
	Layers     int             `json:"num_hidden_layers"`
	Heads      int             `json:"num_attention_heads"`
	Inner      int             `json:"intermediate_size"`
	Side       int             `json:"image_size"`
	Patch      int             `json:"patch_size"`
	Channels   *int            `json:"num_channels"`
	Eps        *float64        `json:"layer_norm_eps"`
	Activation string          `json:"hidden_act"`
	Vision     json.RawMessage `json:"vision_config"`
}

// ParseConfig reads the config.json of an image tower or of a whole CLIP. What it does not say is as in Published.
func ParseConfig(data []byte) (Config, error) {
	var f fields
	if err := json.Unmarshal(data, &f); err != nil {
		return Config{}, fmt.Errorf("config.json: %w", err)
	}
	if f.Vision != nil && string(f.Vision) != "null" {
		vision := f.Vision
		f = fields{}
		if err := json.Unmarshal(vision, &f); err != nil {
			return Config{}, fmt.Errorf("config.json: vision_config: %w", err)
		}
	}
	if t := f.ModelType; t != "" && t != "clip_vision_model" && t != "clip" {
		return Config{}, fmt.Errorf("config.json: model_type is %q; this is the code of clip_vision_model", t)
	}
	if f.Activation != "" && f.Activation != "quick_gelu" {
		return Config{}, fmt.Errorf("config.json: hidden_act is %q; this architecture has quick_gelu", f.Activation)
	}
	if f.Channels != nil && *f.Channels != 3 {
		return Config{}, fmt.Errorf("config.json: num_channels is %d; pictures have 3", *f.Channels)
	}
	c := Published()
	for _, d := range []struct {
		to    *int
		value int
	}{{&c.Hidden, f.Hidden}, {&c.Layers, f.Layers}, {&c.Heads, f.Heads}, {&c.Inner, f.Inner}, {&c.Side, f.Side},
		{&c.Patch, f.Patch}} {
		if d.value != 0 {
			*d.to = d.value
		}
	}
	if f.Eps != nil {
		c.Eps = *f.Eps
	}
	return c, c.Check()
}

// Shaped says the shape of a tensor, and whether there is one. *weights.Stored is one.
type Shaped interface {
	Shape(name string) (shape []int, ok bool)
}

// headWidth is that of every published tower.
const headWidth = 64

// ConfigOf reads the sizes from the shapes of a checkpoint's tensors, whose names begin with prefix, for a tower
// without a config.json. What shapes do not say is as in Published, with as many heads of 64 as the width has.
func ConfigOf(src Shaped, prefix string) (Config, error) {
	c := Published()
	var bad error
	dims := func(name string, to ...*int) {
		shape, ok := src.Shape(prefix + name)
		if bad == nil && (!ok || len(shape) != len(to)) {
			bad = fmt.Errorf("tensor %s%s is %v: the file is no CLIP's, or lacks a part", prefix, name, shape)
		}
		for i := 0; bad == nil && i < len(to); i++ {
			*to[i] = shape[i]
		}
	}
	var channels, places, square int
	dims("embeddings.patch_embedding.weight", &c.Hidden, &channels, &c.Patch, &square)
	dims("embeddings.position_embedding.weight", &places, &square)
	dims("encoder.layers.0.mlp.fc1.weight", &c.Inner, &square)
	if bad != nil {
		return c, bad
	}
	c.Side = int(math.Sqrt(float64(max(places-1, 0)))+0.5) * c.Patch
	if c.Patch <= 0 || c.Patches()+1 != places || channels != 3 {
		return c, fmt.Errorf("%sembeddings has %d channels and %d places, which are no square and a class: the file is "+
			"no CLIP's", prefix, channels, places)
	}
	for c.Layers = 0; ; c.Layers++ {
		if _, ok := src.Shape(fmt.Sprintf("%sencoder.layers.%d.mlp.fc1.weight", prefix, c.Layers)); !ok {
			break
		}
	}
	if c.Heads = c.Hidden / headWidth; c.Hidden%headWidth != 0 || c.Heads == 0 {
		return c, fmt.Errorf("the image encoder is %d wide, and nothing says into how many heads that is cut: put its "+
			"config.json into a folder clip beside the base", c.Hidden)
	}
	return c, c.Check()
}

// Check refuses sizes that make no tower.
func (c Config) Check() error {
	for _, f := range []struct {
		key         string
		value, most int
	}{{"hidden_size", c.Hidden, 1 << 14}, {"num_hidden_layers", c.Layers, 1 << 10}, {"num_attention_heads", c.Heads,
		1 << 10}, {"intermediate_size", c.Inner, 1 << 16}, {"image_size", c.Side, 1 << 12}, {"patch_size", c.Patch,
		1 << 10}} {
		if f.value <= 0 || f.value > f.most {
			return fmt.Errorf("config.json: %s is %d, it must be from 1 to %d", f.key, f.value, f.most)
		}
	}
	switch {
	case c.Hidden%c.Heads != 0:
		return fmt.Errorf("config.json: hidden_size %d is no multiple of num_attention_heads %d", c.Hidden, c.Heads)
	case c.Side%c.Patch != 0:
		return fmt.Errorf("config.json: image_size %d is no multiple of patch_size %d", c.Side, c.Patch)
	case !(c.Eps >= 0 && c.Eps < 1):
		return fmt.Errorf("config.json: layer_norm_eps is %v, it must be from 0 up to 1", c.Eps)
	case c.Depth() < 0 || c.Depth() > c.Layers:
		return fmt.Errorf("config.json: layer %d of %d is asked for", c.Layer, c.Layers)
	}
	return nil
}

// normal is how the published models read pixels.
var normal = picture.Normal{Mean: [3]float64{0.48145466, 0.4578275, 0.40821073},
	SD: [3]float64{0.26862954, 0.26130258, 0.27577711}}

// Frame brings a picture to the tower's size as the published processor does: the shorter side by Pillow's bicubic
// filter, the longer one in proportion and truncated, and of that the middle.
func (c Config) Frame(img *picture.RGB) (*picture.RGB, error) {
	if err := img.Check(); err != nil {
		return nil, err
	}
	w, h := c.Side, c.Side
	if img.W > img.H {
		w = c.Side * img.W / img.H
	} else {
		h = c.Side * img.H / img.W
	}
	const longest = 1 << 16 // of what is cut off again
	if max(w, h) > longest {
		return nil, fmt.Errorf("a picture of %d×%d pixels is too narrow: its longer side would be %d pixels", img.W,
			img.H, max(w, h))
	}
	if w != img.W || h != img.H {
		img = picture.Resize(img, w, h)
	}
	left, top := (w-c.Side)/2, (h-c.Side)/2
	return picture.Crop(img, left, top, left+c.Side, top+c.Side)
}

// Rows are the patches of a picture of the tower's size, [Patches, PatchWidth], appended to dst.
func (c Config) Rows(dst []float32, frame *picture.RGB) []float32 {
	return normal.Patches(dst, frame, c.Patch)
}
