// Package clipbase pretrains the small Mobile-VideoGPT of the demo with clips: an image tower, a video encoder, a
// language model and both projectors, in the architecture of the original with small sizes. It is shown people who move
// at random and sentences about what their limbs do; it never sees the demo's clips, the names of its exercises or its
// advice. But the demo's figures are drawn by the same brush, which is why so small a model can learn them at all, and
// why its figures say nothing about films of people.
//
// Stage 1 teaches both encoders to see with heads that are thrown away: the image tower which parts of a body are in
// which patch and where they are, the video encoder what moves in which patch of 8 frames, how far, and where in its
// cycle it is. Stage 2 teaches projectors and language model, on what the frozen encoders saw, to answer questions.
package clipbase

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"finetui/ml/clip"
	"finetui/ml/cores"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/nn"
	"finetui/ml/safetensors"
	"finetui/ml/tokenizer"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// Options of the pretraining. The zero value of a number stands for its default.
type Options struct {
	Seed         uint64
	Threads      int // 0: all cores
	ImageSteps   int // optimizer steps of the image tower, 32 frames each
	StillSteps   int // of the video encoder, 8 times 8 pictures each
	VideoSteps   int // of the video encoder, 8 clips each
	PictureSteps int // of the language model, 32 pictures each
	TalkSteps    int // of the language model, 8 clips each
	Log          func(format string, args ...any)

	corpus, heldOut int // texts for the tokenizer; clips to score: smaller in tests
}

// Seed is that of the base that the program carries.
const Seed = 1337

const (
	vocab           = 512
	videoFrames     = 8
	defaultImage    = 1000
	defaultStills   = 2000
	defaultVideo    = 4000
	defaultPictures = 250
	defaultTalk     = 160
)

// sizes of the base.
func sizes() (clip.Config, videomamba.Config) {
	image := clip.Published()
	image.Hidden, image.Layers, image.Heads, image.Inner, image.Side, image.Patch, image.Layer = 64, 3, 2,
		192, 96, 8, -1
	return image, videomamba.Config{Hidden: 64, Layers: 4, Inner: 128, States: 16, Rank: 4, Taps: 4, Frames: videoFrames,
		Side: 112, Patch: 16}
}

const configJSON = `{
  "architectures": ["MobileVideoGPTQwenForCausalLM"],
  "model_type": "MobileVideoGPT_qwen",
  "vocab_size": %d,
  "hidden_size": 96,
  "intermediate_size": 256,
  "num_hidden_layers": 2,
  "num_attention_heads": 3,
  "num_key_value_heads": 3,
  "head_dim": 32,
  "hidden_act": "silu",
  "max_position_embeddings": 4096,
  "rms_norm_eps": 1e-06,
  "rope_theta": 100000.0,
  "tie_word_embeddings": true,
  "torch_dtype": "bfloat16",
  "bos_token_id": %d,
  "eos_token_id": %d,
  "image_mm_vision_tower": "clip",
  "mm_vision_tower": "videomamba",
  "image_mm_projector_type": "etp",
  "mm_projector_type": "etp",
  "image_mm_hidden_size": %d,
  "mm_hidden_size": %d,
  "mm_vision_select_layer": -1,
  "mm_vision_select_feature": "patch",
  "mm_use_im_start_end": false,
  "topk": true,
  "num_select_k_frames_in_chunk": 4
}
`

const clipJSON = `{
  "architectures": ["CLIPVisionModel"],
  "model_type": "clip_vision_model",
  "hidden_act": "quick_gelu",
  "hidden_size": %d,
  "intermediate_size": %d,
  "num_hidden_layers": %d,
  "num_attention_heads": %d,
  "image_size": %d,
  "patch_size": %d,
  "layer_norm_eps": 1e-05,
  "torch_dtype": "bfloat16"
}
`

// initial is a Source of random weights that a name and a seed decide: matrices normal by their fan-in, norms 1, biases
// 0, and a scan's own values as Mamba begins with them.
type initial struct{ seed uint64 }

func (s initial) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	h := fnv.New64a()
	h.Write([]byte(name))
	rng := rand.New(rand.NewPCG(s.seed, h.Sum64()))
	v := make([]float32, rows*cols)
	deviation := math.Min(.08, .7/math.Sqrt(float64(cols)))
	switch {
	case strings.HasSuffix(name, "_log"): // A = −1, −2, …
		for i := range v {
			v[i] = float32(math.Log(float64(1 + i%cols)))
		}
		return nn.Matrix{Rows: rows, Cols: cols, F32: v}, nil
	case strings.Contains(name, "conv1d"), strings.Contains(name, "dt_proj"):
		deviation = .3
	case strings.Contains(name, "pos"), strings.Contains(name, "cls_token"), strings.Contains(name, "embed_tokens"):
		deviation = .05
	case strings.Contains(name, "peg"):
		deviation = .05
	}
	for i := range v {
		v[i] = float32(rng.NormFloat64() * deviation)
	}
	return nn.Matrix{Rows: rows, Cols: cols, F32: v}, nil
}

func (s initial) Vector(name string, n int) ([]float32, error) {
	v := make([]float32, n)
	switch {
	case strings.Contains(name, "dt_proj"): // steps from 0.001 to 0.1, before softplus
		for i := range v {
			step := math.Exp(math.Log(.001) + math.Log(100)*float64(i%32)/31)
			v[i] = float32(math.Log(math.Expm1(step)))
		}
	case strings.HasSuffix(name, ".bias"):
	default:
		for i := range v {
			v[i] = 1
		}
	}
	return v, nil
}

func (o Options) settled() Options {
	for _, d := range []struct {
		to    *int
		value int
	}{{&o.Threads, cores.Count()}, {&o.ImageSteps, defaultImage}, {&o.StillSteps, defaultStills},
		{&o.VideoSteps, defaultVideo}, {&o.PictureSteps, defaultPictures}, {&o.TalkSteps, defaultTalk},
		{&o.corpus, 3000}, {&o.heldOut, 48}} {
		if *d.to <= 0 {
			*d.to = d.value
		}
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	return o
}

// Make pretrains a base and writes it to dir as a model folder. Encoders that a call with the same options has finished
// are kept in dir/stage1 and used again.
func Make(ctx context.Context, dir string, o Options) error {
	o = o.settled()
	image, video := sizes()
	stage1 := filepath.Join(dir, "stage1")
	imageMade := fmt.Sprintf("seed %d, %d steps", o.Seed, o.ImageSteps)
	if !made(filepath.Join(stage1, "clip"), imageMade) {
		m, err := trainImage(ctx, image, o)
		if err != nil {
			return fmt.Errorf("the image tower: %w", err)
		}
		if err := writeImage(stage1, m, safetensors.FromFloat32, imageMade); err != nil {
			return err
		}
	}
	videoMade := fmt.Sprintf("seed %d, %d and %d steps", o.Seed, o.StillSteps, o.VideoSteps)
	if !made(filepath.Join(stage1, "video"), videoMade) {
		m, err := trainVideo(ctx, video, o)
		if err != nil {
			return fmt.Errorf("the video encoder: %w", err)
		}
		if err := writeVideo(filepath.Join(stage1, "video", safetensors.SingleName), m, safetensors.FromFloat32,
			videoMade); err != nil {
			return err
		}
	}
	if err := settle(dir, stage1); err != nil {
		return err
	}
	return talk(ctx, dir, o)
}

// settle writes the encoders of stage 1 into the base as they stay: in bfloat16, which stage 2 reads.
func settle(dir, stage1 string) error {
	image, video := sizes()
	from, err := openEncoders(filepath.Join(stage1, "clip"), filepath.Join(stage1, "video"))
	if err != nil {
		return err
	}
	defer from.Close()
	i, err := clip.New(image, from, imagePrefix)
	if err != nil {
		return err
	}
	if err := writeImage(dir, i, safetensors.FromFloat32AsBF16, ""); err != nil {
		return err
	}
	v, err := videomamba.New(video, from, videoPrefix)
	if err != nil {
		return err
	}
	return writeVideo(filepath.Join(dir, "videomamba", safetensors.SingleName), v, safetensors.FromFloat32AsBF16, "")
}

// made says whether a folder holds weights of that stamp.
func made(dir, stamp string) bool {
	f, err := safetensors.Open(filepath.Join(dir, safetensors.SingleName))
	if err != nil {
		return false
	}
	defer f.Close()
	return f.Metadata()["made"] == stamp
}

// as makes a tensor of a file.
type as = func(name string, shape []int, v []float32) safetensors.Tensor

func writeTensors(path string, tensors []weights.Tensor, to as, stamp string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var out []safetensors.Tensor
	for _, t := range tensors {
		out = append(out, to(t.Name, t.Shape, t.Value))
	}
	metadata := map[string]string{"format": "pt"}
	if stamp != "" {
		metadata["made"] = stamp
	}
	return safetensors.Write(path, out, metadata)
}

func writeImage(dir string, m *clip.Model, to as, stamp string) error {
	c := m.Config
	text := fmt.Sprintf(clipJSON, c.Hidden, c.Inner, c.Layers, c.Heads, c.Side, c.Patch)
	if err := writeTensors(filepath.Join(dir, "clip", safetensors.SingleName), m.Tensors(), to, stamp); err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, "clip", "config.json"), []byte(text))
}

func writeVideo(path string, m *videomamba.Model, to as, stamp string) error {
	return writeTensors(path, m.Tensors(), to, stamp)
}

// settings are config.json for a tokenizer.
func settings(tok *tokenizer.Tokenizer) ([]byte, error) {
	image, video := sizes()
	end, ok := tok.ID(mobilevideogpt.End)
	begin, ok2 := tok.ID("<|endoftext|>")
	if !ok || !ok2 {
		return nil, errors.New("the tokenizer has no end of a turn")
	}
	return fmt.Appendf(nil, configJSON, tok.Size(), begin, end, image.Hidden, video.Hidden), nil
}
