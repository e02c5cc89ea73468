package videomamba

import (
	"fmt"
	"math"

	"finetui/ml/picture"
)

// Config holds the sizes of the encoder.
type Config struct {
	Hidden int // width of the residual stream
	Layers int
	Inner  int // channels that are scanned
	States int // of a channel
	Rank   int // of the step sizes
	Taps   int // of the convolution
	Frames int // of a clip
	Side   int // of the frames, in pixels
	Patch  int // side of a patch, in pixels
}

// eps is that of every norm.
const eps = 1e-5

// Published is VideoMamba-M for 8 frames of 224 pixels, videomamba_m16_25M_f8_res224.pth.
func Published() Config {
	return Config{Hidden: 576, Layers: 32, Inner: 1152, States: 16, Rank: 36, Taps: 4, Frames: 8, Side: 224, Patch: 16}
}

// Patches is the number of a frame's patches.
func (c Config) Patches() int { return (c.Side / c.Patch) * (c.Side / c.Patch) }

// PatchWidth is the number of values of one patch.
func (c Config) PatchWidth() int { return 3 * c.Patch * c.Patch }

// Shaped says the shape of a tensor, and whether there is one. *weights.Stored is one.
type Shaped interface {
	Shape(name string) (shape []int, ok bool)
}

// ConfigOf reads the sizes from the shapes of a checkpoint's tensors, whose names begin with prefix: no file beside
// them says anything.
func ConfigOf(src Shaped, prefix string) (Config, error) {
	var c Config
	var bad error
	dims := func(name string, to ...*int) {
		shape, ok := src.Shape(prefix + name)
		if bad != nil {
			return
		}
		if !ok || len(shape) != len(to) {
			bad = fmt.Errorf("tensor %s%s is %v: the file is no VideoMamba's", prefix, name, shape)
			return
		}
		for i, d := range to {
			if *d = shape[i]; *d <= 0 || *d > 1<<16 {
				bad = fmt.Errorf("tensor %s%s is %v", prefix, name, shape)
			}
		}
	}
	var one, channels, time, square, places, ranks int
	dims("patch_embed.proj.weight", &c.Hidden, &channels, &time, &c.Patch, &square)
	dims("pos_embed", &one, &places, &square)
	dims("temporal_pos_embedding", &one, &c.Frames, &square)
	dims("layers.0.mixer.A_log", &c.Inner, &c.States)
	dims("layers.0.mixer.dt_proj.weight", &c.Inner, &c.Rank)
	dims("layers.0.mixer.conv1d.weight", &ranks, &one, &c.Taps)
	if bad != nil {
		return c, bad
	}
	c.Side = int(math.Sqrt(float64(places-1))+0.5) * c.Patch
	if c.Patches()+1 != places {
		return c, fmt.Errorf("tensor %spos_embed has %d places, which are no square and a class token", prefix, places)
	}
	if channels != 3 || time != 1 {
		return c, fmt.Errorf("tensor %spatch_embed.proj.weight takes %d channels of %d frames; 3 of one can be read",
			prefix, channels, time)
	}
	for {
		if _, ok := src.Shape(fmt.Sprintf("%slayers.%d.mixer.A_log", prefix, c.Layers)); !ok {
			break
		}
		c.Layers++
	}
	return c, c.Check()
}

// Check refuses sizes that make no encoder.
func (c Config) Check() error {
	for _, f := range []struct {
		what        string
		value, most int
	}{{"width", c.Hidden, 1 << 14}, {"number of layers", c.Layers, 1 << 10}, {"number of channels", c.Inner, 1 << 15},
		{"number of states", c.States, 1 << 8}, {"rank", c.Rank, 1 << 12}, {"kernel", c.Taps, 1 << 6},
		{"number of frames", c.Frames, 1 << 8}, {"frame", c.Side, 1 << 12}, {"patch", c.Patch, 1 << 10}} {
		if f.value <= 0 || f.value > f.most {
			return fmt.Errorf("VideoMamba's %s is %d, it must be from 1 to %d", f.what, f.value, f.most)
		}
	}
	if c.Inner%8 != 0 || c.Side%c.Patch != 0 {
		return fmt.Errorf("VideoMamba scans %d channels of frames of %d in patches of %d: channels come in eights, "+
			"patches whole", c.Inner, c.Side, c.Patch)
	}
	return nil
}

// normal is how the published model reads pixels: ImageNet's.
var normal = picture.Normal{Mean: [3]float64{0.485, 0.456, 0.406}, SD: [3]float64{0.229, 0.224, 0.225}}

// Frame brings a picture to the encoder's size as OpenCV's resize does, whatever its proportions.
func (c Config) Frame(img *picture.RGB) (*picture.RGB, error) {
	if err := img.Check(); err != nil {
		return nil, err
	}
	return picture.ResizeLinear(img, c.Side, c.Side), nil
}

// Rows are the patches of a picture of the encoder's size, [Patches, PatchWidth], appended to dst.
func (c Config) Rows(dst []float32, frame *picture.RGB) []float32 {
	return normal.Patches(dst, frame, c.Patch)
}

// Parameters is the number of weights.
func (c Config) Parameters() int64 {
	way := c.Inner*(c.Taps+1) + (c.Rank+2*c.States)*c.Inner + c.Inner*(c.Rank+1) + c.Inner*(c.States+1)
	layer := 3*c.Inner*c.Hidden + 2*way + c.Hidden
	return int64(c.Layers)*int64(layer) + int64(c.Hidden*(c.PatchWidth()+1+1+1+c.Patches()+c.Frames+1))
}
