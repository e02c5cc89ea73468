// Package base pretrains the tiny Qwen2-VL that finetui carries, from generated pictures of things in general and
// sentences about them. It never sees the demo's data set, its class names or its questions.
//
// Stage 1 teaches the vision tower to see: it predicts what a picture shows, and, cell by cell, where it is cracked,
// broken and covered, with heads that are thrown away. Stage 2 teaches the language model, with the tower's blocks
// frozen, to answer questions about pictures.
package base

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"finetui/core/demo/draw"
	"finetui/core/demo/generic"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/qwen2vl"
	"finetui/ml/qwen2vl/pixels"
	"finetui/ml/safetensors"
	"finetui/ml/tokenizer"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// Options of the pretraining. The zero value of a number stands for its default.
type Options struct {
	Seed       uint64
	Threads    int // 0: all cores
	TowerSteps int // optimizer steps of stage 1, 64 pictures each
	TalkSteps  int // optimizer steps of stage 2, 32 conversations each
	Log        func(format string, args ...any)

	corpus, heldOut int // texts for the tokenizer; pictures and conversations to score: smaller in tests
}

// Seed is that of the base that the program carries.
const Seed = 1337

// The sizes of the base and of its pretraining.
const (
	vocab         = 768
	pictureSide   = generic.Size
	patch         = generic.Cell
	towerBatch    = 64
	talkBatch     = 32
	defaultTower  = 2800
	defaultTalk   = 1600
	towerRate     = 2e-3
	talkRate      = 2.5e-3
	defaultCorpus = 4000
	defaultHeld   = 256
	temporalSlice = 2 // of a picture's two equal temporal slices one is trained and shared out at the end
)

// configJSON is the base in Hugging Face's terms; token ids are filled in from the tokenizer.
const configJSON = `{
  "architectures": ["Qwen2VLForConditionalGeneration"],
  "model_type": "qwen2_vl",
  "vocab_size": %d,
  "hidden_size": 128,
  "intermediate_size": 384,
  "num_hidden_layers": 4,
  "num_attention_heads": 4,
  "num_key_value_heads": 2,
  "head_dim": 32,
  "hidden_act": "silu",
  "max_position_embeddings": 2048,
  "rms_norm_eps": 1e-06,
  "rope_theta": 10000.0,
  "rope_scaling": {"type": "mrope", "mrope_section": [4, 6, 6]},
  "tie_word_embeddings": true,
  "torch_dtype": "bfloat16",
  "bos_token_id": %d,
  "eos_token_id": %d,
  "vision_start_token_id": %d,
  "vision_end_token_id": %d,
  "vision_token_id": %d,
  "image_token_id": %d,
  "video_token_id": %d,
  "vision_config": {
    "depth": 4, "embed_dim": 128, "num_heads": 4, "mlp_ratio": 4, "hidden_size": 128, "patch_size": 14,
    "spatial_merge_size": 2, "temporal_patch_size": %d, "in_chans": 3, "in_channels": 3
  }
}
`

// settings are the model's config.json for a tokenizer, with the given temporal patch size.
func settings(tok *tokenizer.Tokenizer, temporal int) ([]byte, error) {
	var ids []any
	for _, name := range []string{"<|endoftext|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
		"<|image_pad|>", "<|video_pad|>"} {
		id, ok := tok.ID(name)
		if !ok {
			return nil, fmt.Errorf("the tokenizer has no %s", name)
		}
		ids = append(ids, id)
	}
	return fmt.Appendf(nil, configJSON, append(append([]any{tok.Size()}, ids...), temporal)...), nil
}

// initial is a Source of random weights: matrices normal with a deviation of 0.05 (0.02 where the fan-in is large),
// norms 1, biases 0. A name and a seed give the same values whatever the order of asking.
type initial struct{ seed uint64 }

func (s initial) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	h := fnv.New64a()
	h.Write([]byte(name))
	rng := rand.New(rand.NewPCG(s.seed, h.Sum64()))
	deviation := .05
	if cols > 300 {
		deviation = .02
	}
	v := make([]float32, rows*cols)
	for i := range v {
		v[i] = float32(rng.NormFloat64() * deviation)
	}
	return nn.Matrix{Rows: rows, Cols: cols, F32: v}, nil
}

func (s initial) Vector(name string, n int) ([]float32, error) {
	v := make([]float32, n)
	if !strings.HasSuffix(name, ".bias") {
		for i := range v {
			v[i] = 1
		}
	}
	return v, nil
}

// Make pretrains a base and writes it to dir as a model folder in Hugging Face's format. A finished stage 1 is kept in
// dir/stage1 and used again by a call with the same options.
func Make(ctx context.Context, dir string, o Options) error {
	if o.TowerSteps == 0 {
		o.TowerSteps = defaultTower
	}
	if o.TalkSteps == 0 {
		o.TalkSteps = defaultTalk
	}
	if o.corpus == 0 {
		o.corpus, o.heldOut = defaultCorpus, defaultHeld
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	tok, err := tokenizer.Train(generic.Corpus(rand.New(rand.NewPCG(o.Seed, 1)), o.corpus), vocab,
		generic.SpecialTokens)
	if err != nil {
		return fmt.Errorf("tokenizer: %w", err)
	}
	config, err := settings(tok, 1)
	if err != nil {
		return err
	}
	c, err := qwen2vl.ParseConfig(config)
	if err != nil {
		return err
	}
	tower := filepath.Join(dir, "stage1")
	stamp := fmt.Sprintf("seed %d, %d steps", o.Seed, o.TowerSteps)
	if f, err := safetensors.Open(filepath.Join(tower, safetensors.SingleName)); err == nil &&
		f.Metadata()["made"] == stamp {
		f.Close()
		o.Log("stage 1: taken from %s (%s)", tower, stamp)
	} else {
		if err == nil {
			f.Close()
		}
		m, err := trainTower(ctx, c, o)
		if err != nil {
			return fmt.Errorf("stage 1: %w", err)
		}
		if err := write(tower, m, config, tok, safetensors.FromFloat32, stamp); err != nil {
			return err
		}
	}
	ckpt, err := weights.OpenCheckpoint(tower)
	if err != nil {
		return err
	}
	defer ckpt.Close()
	m, err := trainTalk(ctx, c, ckpt, tok, o)
	if err != nil {
		return fmt.Errorf("stage 2: %w", err)
	}
	if config, err = settings(tok, temporalSlice); err != nil {
		return err
	}
	return write(dir, m, config, tok, safetensors.FromFloat32AsBF16, "")
}

// write stores a model folder. The patch kernel is shared out over the temporal slices that config asks for.
func write(dir string, m *qwen2vl.Model, config []byte, tok *tokenizer.Tokenizer, as func(string, []int,
	[]float32) safetensors.Tensor, made string) error {
	c, err := qwen2vl.ParseConfig(config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var tensors []safetensors.Tensor
	for _, t := range m.Tensors() {
		if t.Name == "visual.patch_embed.proj.weight" {
			t.Shape[2], t.Value = c.Vision.Temporal, shareOut(t.Value, t.Shape, c.Vision.Temporal)
		}
		tensors = append(tensors, as(t.Name, t.Shape, t.Value))
	}
	metadata := map[string]string{"format": "pt"}
	if made != "" {
		metadata["made"] = made
	}
	p := processor()
	preprocessor, err := json.MarshalIndent(map[string]any{
		"image_processor_type": "Qwen2VLImageProcessor", "patch_size": patch, "temporal_patch_size": c.Vision.Temporal,
		"merge_size": 2,
		"min_pixels": 3136, "max_pixels": 1003520, "do_convert_rgb": true, "do_normalize": true, "do_rescale": true,
		"do_resize": true,
		"resample":  3, "rescale_factor": 1. / 255, "image_mean": p.Mean, "image_std": p.Std,
	}, "", "  ")
	if err != nil {
		return err
	}
	eos, _ := tok.ID("<|im_end|>")
	end, _ := tok.ID("<|endoftext|>")
	generation, err := json.MarshalIndent(map[string]any{"bos_token_id": end, "pad_token_id": end,
		"eos_token_id": []int32{eos, end}, "do_sample": false}, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		safetensors.Write(filepath.Join(dir, safetensors.SingleName), tensors, metadata),
		put(dir, "config.json", config), put(dir, "tokenizer.json", tok.Marshal()),
		put(dir, "preprocessor_config.json", preprocessor), put(dir, "generation_config.json", generation))
}

func put(dir, name string, data []byte) error {
	return wholefile.Write(filepath.Join(dir, name), data)
}

// shareOut turns a kernel [embed, channels, 1, patch, patch] into one of the given number of temporal slices that
// gives the same for equal frames.
func shareOut(v []float32, shape []int, slices int) []float32 {
	area := shape[3] * shape[4]
	out := make([]float32, 0, len(v)*slices)
	for ; len(v) > 0; v = v[area:] {
		for range slices {
			for _, x := range v[:area] {
				out = append(out, x/float32(slices))
			}
		}
	}
	return out
}

// processor cuts pictures into patches of one temporal slice.
func processor() pixels.Processor {
	p := pixels.DefaultProcessor()
	p.Temporal = 1
	return p
}

// appendRows appends the patch rows of a canvas, and returns its grid.
func appendRows(dst []float32, c *draw.Canvas) ([]float32, qwen2vl.Grid, error) {
	rows, grid, err := processor().Rows(&picture.RGB{W: c.W, H: c.H, Pix: c.Pix})
	return append(dst, rows...), grid, err
}

// stream is the random stream of one item of one step: what is drawn depends on nothing else.
func stream(seed uint64, stage, step, item int) *rand.Rand {
	return rand.New(rand.NewPCG(seed*0x9e3779b97f4a7c15+uint64(stage), uint64(step)<<16|uint64(item)))
}
