package mobilevideogpt

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/clip"
	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/qwen2"
	"finetui/ml/safetensors"
	"finetui/ml/train"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
)

// small is a model of the real geometry and few channels.
var small = Config{
	Text: qwen2.Config{ModelType: ModelType, Hidden: 8, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 4, Inner: 12,
		Vocab: 20, Eps: 1e-6, Theta: 1e4, Tied: true},
	Image: clip.Config{Hidden: 6, Layers: 2, Heads: 1, Inner: 8, Side: 24, Patch: 2, Eps: 1e-5, Layer: -2},
	Video: videomamba.Config{Hidden: 4, Layers: 2, Inner: 8, States: 4, Rank: 2, Taps: 4, Frames: 8, Side: 28,
		Patch: 4},
	TopK: true, Select: 4,
}

// quiet is a checkpoint whose numbers keep an untrained model calm.
type quiet struct{ goldentest.Drawn }

func (q quiet) Vector(name string, n int) ([]float32, error) {
	v, err := q.Drawn.Vector(name, n)
	for i := range v {
		v[i] = 1 + v[i]/4
		if strings.HasSuffix(name, "bias") {
			v[i]--
		}
	}
	return v, err
}

// Matrix keeps attention from choosing one token of thousands.
func (q quiet) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	m, err := q.Drawn.Matrix(name, rows, cols)
	if strings.Contains(name, "q_proj") || strings.Contains(name, "k_proj") {
		for i := range m.F32 {
			m.F32[i] /= 8
		}
	}
	return m, err
}

func build(t *testing.T, c Config, tune Tuning) *Model {
	t.Helper()
	m, err := New(c, quiet{}, quiet{}, tune)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func adapters(string) (weights.Adapter, bool) { return weights.Adapter{R: 2, Scale: 1}, true }

// noisy is a picture that looks like no other number's.
func noisy(w, h, number int) *picture.RGB {
	img := picture.NewRGB(w, h)
	for i := range img.Pix {
		img.Pix[i] = uint8((i*i + number*number*31*(i/7+1)) % 251)
	}
	return img
}

func look(t *testing.T, m *Model, shown ...Shown) Features {
	t.Helper()
	s, err := m.Config.Prepare(shown)
	if err != nil {
		t.Fatal(err)
	}
	eye, err := m.NewEye(nn.NewExec(2))
	if err != nil {
		t.Fatal(err)
	}
	f, err := eye.See(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func clipOf(frames int) Shown {
	s := Shown{Clip: true}
	for i := range frames {
		s.Frames = append(s.Frames, noisy(40, 30, i))
	}
	return s
}

func sampleOf(c Config, seen Features) train.Sample {
	tokens, _ := c.check(seen)
	ids, labels := []int32{1, 2, -200, 3, 4, 5, 6}, []int32{-100, -100, -100, -100, 4, 5, 6}
	if tokens == 0 {
		ids, labels = slices.Delete(ids, 2, 3), slices.Delete(labels, 2, 3)
	}
	return place(ids, labels, tokens, seen)
}

// TestProjectorGradients holds those of the whole chain against finite differences: through language model, places and
// both projectors, of samples that show a clip, a picture, two pictures and nothing.
func TestProjectorGradients(t *testing.T) {
	m := build(t, small, Tuning{Projectors: true, Text: weights.Tuning{Adapt: adapters}})
	for _, p := range m.Text.Parameters() {
		v, _ := goldentest.Drawn{}.Vector(p.Name, len(p.Value))
		for i := range v {
			p.Value[i] = v[i] / 10
		}
	}
	still := Shown{Frames: []*picture.RGB{noisy(30, 50, 9)}}
	samples := []train.Sample{sampleOf(small, look(t, m, clipOf(16))), sampleOf(small, nil),
		sampleOf(small, look(t, m, still)), sampleOf(small, look(t, m, still, still))}
	replica, err := m.NewReplica(nn.NewExec(2))
	if err != nil {
		t.Fatal(err)
	}
	p := &train.Pack{Scale: float32(1 / train.Denominator(samples))}
	for i := range samples {
		p.Samples, p.Index = append(p.Samples, &samples[i]), append(p.Index, i)
	}
	if err := replica.Load(p); err != nil {
		t.Fatal(err)
	}
	loss := func() float64 {
		l, err := replica.Chain().Loss(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if _, err := replica.Chain().Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if names := m.Parameters(); names[0].Name != Projectors || len(names) != 2 {
		t.Fatalf("the chain trains %d blocks, the first of which is %s", len(names), names[0].Name)
	}
	grad := slices.Clone(replica.Chain().Params()[0].Grad)
	for _, s := range m.Parameters()[0].Layout.Spans {
		value, g := s.Of(m.Parameters()[0].Value), s.Of(grad)
		saved := slices.Clone(value)
		step, slope := 0., 0.
		for _, v := range g { // along the gradient
			slope += float64(v) * float64(v)
		}
		if slope == 0 {
			t.Errorf("%s has no gradient", s.Name)
			continue
		}
		step = .004 / math.Sqrt(slope)
		at := func(x float64) float64 {
			for i := range value {
				value[i] = saved[i] + float32(x*step*float64(g[i]))
			}
			return loss()
		}
		numeric := (8*(at(1)-at(-1)) - (at(2) - at(-2))) / (12 * step)
		copy(value, saved)
		if math.Abs(numeric-slope) > .02*slope {
			t.Errorf("%s: differences say %.6g, backward says %.6g", s.Name, numeric, slope)
		}
	}
}

func TestTrainingLearnsBothProjectorsAndAdapters(t *testing.T) {
	m := build(t, small, Tuning{Projectors: true, Text: weights.Tuning{Adapt: adapters}})
	for i, p := range m.Text.Parameters() {
		if i%2 == 0 { // A, as a new adapter has it
			v, _ := goldentest.Drawn{}.Vector(p.Name, len(p.Value))
			copy(p.Value, v)
		}
	}
	var before [][]float32
	for _, p := range m.Trained() {
		before = append(before, slices.Clone(p.Value))
	}
	samples := []train.Sample{sampleOf(small, look(t, m, clipOf(16)))}
	tr := trainer(t, m, Rates{LearningRate: .02, ProjectorRate: .01}, train.Schedule{Kind: "constant"})
	var first, last float64
	for i := range 6 {
		res, err := tr.Step(context.Background(), samples)
		if err != nil {
			t.Fatal(err)
		}
		if last = res.Loss; i == 0 {
			first = last
		}
	}
	if !(last < first) {
		t.Errorf("the loss went from %g to %g", first, last)
	}
	for i, p := range m.Trained() {
		if slices.Equal(p.Value, before[i]) {
			t.Errorf("%s has not moved", p.Name)
		}
	}
}

// TestRecomputingChangesNothing trains with dropout, which must draw the same both times.
func TestRecomputingChangesNothing(t *testing.T) {
	deep := small
	deep.Text.Layers = 3
	learn := func(recompute bool) (losses []float64, values []weights.Parameter) {
		m := build(t, deep, Tuning{Projectors: true, Recompute: recompute, Text: weights.Tuning{
			Adapt: func(string) (weights.Adapter, bool) { return weights.Adapter{R: 2, Scale: 1, Dropout: .2}, true }}})
		for _, p := range m.Text.Parameters() {
			v, _ := goldentest.Drawn{}.Vector(p.Name, len(p.Value))
			copy(p.Value, v)
		}
		samples := []train.Sample{sampleOf(deep, look(t, m, clipOf(16))), sampleOf(deep, nil)}
		tr := trainer(t, m, Rates{LearningRate: .02, ProjectorRate: .01}, train.Schedule{Kind: "constant"})
		for range 3 {
			res, err := tr.Step(context.Background(), samples)
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, res.Loss, res.GradNorm)
		}
		return losses, m.Trained()
	}
	losses, values := learn(false)
	again, valuesAgain := learn(true)
	if !slices.Equal(losses, again) {
		t.Errorf("losses and norms are %v, and %v where activations are made again", losses, again)
	}
	for i, p := range values {
		if !slices.Equal(p.Value, valuesAgain[i].Value) {
			t.Errorf("%s differs where activations are made again", p.Name)
		}
	}
}

func TestFrozenProjectorsHaveNoGradient(t *testing.T) {
	m := build(t, small, Tuning{Text: weights.Tuning{Adapt: adapters}})
	samples := []train.Sample{sampleOf(small, look(t, m, clipOf(16)))}
	tr := trainer(t, m, Rates{LearningRate: .02}, train.Schedule{Kind: "constant"})
	if _, err := tr.Step(context.Background(), samples); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Trained() {
		if _, _, ok := projectorOf(p.Name); ok {
			t.Errorf("%s is trained", p.Name)
		}
	}
	if err := m.SetProjectors([]weights.Tensor{{Name: "model.mm_projector.mlp.mlp.0.bias"}}, ""); err == nil {
		t.Error("frozen projectors were set")
	}
}

// TestSessionAnswersAsTheNetworkLearns holds the logits after a prompt against those of training.
func TestSessionAnswersAsTheNetworkLearns(t *testing.T) {
	m := build(t, small, Tuning{})
	seen := look(t, m, clipOf(16))
	a, b := sampleOf(small, seen), sampleOf(small, nil)
	s := m.NewSession(nn.NewExec(1))
	logits, err := s.Prompt(context.Background(), []train.Sample{a, b})
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range []train.Sample{a, b} {
		alone, err := s.Prompt(context.Background(), []train.Sample{q})
		if err != nil {
			t.Fatal(err)
		}
		for j, v := range alone {
			if math.Abs(float64(v-logits[i*len(alone)+j])) > 1e-4 {
				t.Fatalf("question %d: logit %d is %g alone, %g in company", i, j, v, logits[i*len(alone)+j])
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Prompt(ctx, []train.Sample{a}); err == nil {
		t.Error("a cancelled question was answered")
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	m := build(t, small, Tuning{Projectors: true})
	seen := look(t, m, clipOf(16))
	replica, err := m.NewReplica(nn.NewExec(1))
	if err != nil {
		t.Fatal(err)
	}
	good := sampleOf(small, seen)
	cut, moved, strange, other := good, good, good, good
	cut.Places = good.Places[1:]
	moved.Places = slices.Clone(good.Places)
	moved.Places[0] = 99999
	strange.Visual = Features{{Image: seen[0].Image, Video: seen[0].Video[1:]}}
	other.Visual = Shots{}
	for name, c := range map[string]struct {
		s    train.Sample
		want string
	}{"one place too few": {cut, "2402"}, "a place beyond the end": {moved, "99999"}, "other encoders": {strange,
		"no features"}, "not looked at": {other, "frozen"}} {
		err := replica.Load(&train.Pack{Samples: []*train.Sample{&c.s}, Index: []int{3}})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "sample 3") {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := m.NewSession(nn.NewExec(1)).Prompt(context.Background(), []train.Sample{c.s}); err == nil {
			t.Errorf("%s: the question was answered", name)
		}
	}
}

// TestShortClipsHaveMissingFrames pads a clip at its end; of a still clip the earlier frames are chosen.
func TestShortClipsHaveMissingFrames(t *testing.T) {
	m := build(t, small, Tuning{})
	for _, n := range []int{1, 5, 9, 16} {
		seen := look(t, m, clipOf(n))
		if tokens, err := small.check(seen); err != nil || tokens != 2402 || len(seen[0].Chosen) != 8 {
			t.Errorf("%d frames take %d tokens, %v; chosen are %v", n, tokens, err, seen[0].Chosen)
		}
		for _, v := range seen[0].Image {
			if v-v != 0 {
				t.Fatalf("%d frames: a feature is %g", n, v)
			}
		}
	}
	still := Shown{Clip: true, Frames: slices.Repeat([]*picture.RGB{noisy(24, 24, 1)}, 16)}
	if seen := look(t, m, still); !slices.Equal(seen[0].Chosen, []int{0, 1, 2, 3, 8, 9, 10, 11}) {
		t.Errorf("of a clip that stands still the frames %v are chosen", seen[0].Chosen)
	}
	for _, bad := range []Shown{{Clip: true}, clipOf(17), {Frames: clipOf(2).Frames},
		{Clip: true, Frames: []*picture.RGB{{}}}} {
		if _, err := small.Prepare([]Shown{bad}); err == nil {
			t.Errorf("%d frames were taken", len(bad.Frames))
		}
	}
}

func TestKeptFeaturesAreTheSame(t *testing.T) {
	m := build(t, small, Tuning{})
	seen := look(t, m, clipOf(16), Shown{Frames: []*picture.RGB{noisy(30, 50, 9)}})
	values := small.Keep(seen)
	kept, ok := small.Kept(values)
	if !ok || len(kept) != 2 || !slices.Equal(kept[0].Video, seen[0].Video) || !slices.Equal(kept[1].Image,
		seen[1].Image) || !slices.Equal(kept[0].Chosen, seen[0].Chosen) || kept[1].Video != nil {
		t.Error("what was kept is something else")
	}
	if d := kept[0].Scores[3] - seen[0].Scores[3]; math.Abs(d) > 1e-4 {
		t.Errorf("a score is off by %g", d)
	}
	nan := float32(math.NaN())
	for name, bad := range map[string][]float32{"nothing": nil, "cut off": values[:len(values)-1], "too long": append(
		slices.Clone(values), 0), "a number of none": {nan}, "many": {1 << 15, 1}, "a frame of none": slices.Replace(
		slices.Clone(values), 18, 19, nan)} {
		if _, ok := small.Kept(bad); ok {
			t.Errorf("%s was taken", name)
		}
	}
}

// published is the 0.5B model.
func published(t *testing.T) Config {
	t.Helper()
	c, err := ParseConfig([]byte(`{"model_type": "MobileVideoGPT_qwen", "hidden_size": 896, "num_hidden_layers": 24,
		"num_attention_heads": 14, "num_key_value_heads": 2, "intermediate_size": 4864, "vocab_size": 151936,
		"mm_hidden_size": 768, "tie_word_embeddings": true, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
		"mm_vision_select_layer": -2, "mm_vision_select_feature": "patch"}`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSizesAreThePublishedOnes(t *testing.T) {
	c := published(t)
	for r, want := range map[int]int{64: 35_192_832, 128: 70_385_664} {
		n := 0
		for _, p := range c.Products() {
			n += r * (p.In + p.Out)
		}
		if n != want {
			t.Errorf("adapters of rank %d have %d values, want %d", r, n, want)
		}
	}
	for i, want := range []int{1_329_664, 1_501_696} {
		if got := c.Projectors()[i]; got.Values != want {
			t.Errorf("%s has %d values, want %d", got.Name, got.Values, want)
		}
	}
	if c.Tokens(true) != 2402 || c.Tokens(false) != 144 {
		t.Errorf("a clip takes %d tokens, a picture %d", c.Tokens(true), c.Tokens(false))
	}
	// 0.6 B, as published
	if n := c.Parameters(); n < 550e6 || n > 680e6 {
		t.Errorf("the model has %d parameters", n)
	}
}

func TestConfigsThatAreOfAnotherModel(t *testing.T) {
	for text, want := range map[string]string{
		`{"model_type": "qwen2"}`:                   "model_type",
		`{"topk": "perhaps"}`:                       "topk",
		`{"num_select_k_frames_in_chunk": 3}`:       "num_select_k_frames_in_chunk",
		`{"num_select_k_frames_in_chunk": 99}`:      "num_select_k_frames_in_chunk",
		`{"mm_projector_type": "linear"}`:           "mm_projector_type",
		`{"mm_vision_select_feature": "cls_patch"}`: "mm_vision_select_feature",
		`{"mm_use_im_start_end": true}`:             "mm_use_im_start_end",
		`{"mm_vision_select_layer": 77}`:            "layer 77",
		`{"hidden_size": 0}`:                        "hidden_size",
	} {
		base := `{"model_type": "MobileVideoGPT_qwen", "hidden_size": 8, "num_hidden_layers": 1,
			"num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 9, "x": {}, ` + text[1:]
		if _, err := ParseConfig([]byte(base)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	c, err := ParseConfig([]byte(`{"model_type": "MobileVideoGPT_qwen", "hidden_size": 8, "num_hidden_layers": 1,
		"num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 9, "topk": "False"}`))
	if err != nil || c.TopK || c.Select != 4 {
		t.Errorf("topk off reads as %+v, %v", c, err)
	}
}

func TestProjectorsUnderAllTheirNames(t *testing.T) {
	for stored, want := range map[string]string{
		"base_model.model.model.mm_projector.mlp.mlp.0.weight": "model.mm_projector.mlp.mlp.0.weight",
		"model.image_mm_projector.peg.peg.0.bias":              "model.image_mm_projector.peg.peg.0.bias",
		"mm_projector.mlp.mlp.2.bias":                          "model.mm_projector.mlp.mlp.2.bias",
		"image_mm_projector.mlp.mlp.2.bias":                    "model.image_mm_projector.mlp.mlp.2.bias",
		"module.model.mm_projector.peg.peg.0.weight":           "model.mm_projector.peg.peg.0.weight",
		"model.layers.0.mlp.up_proj.weight":                    "",
		"model.other_mm_projector.x":                           "",
	} {
		if _, name, ok := projectorOf(stored); name != want || ok != (want != "") {
			t.Errorf("%s is %q, want %q", stored, name, want)
		}
	}
	for stored, want := range map[string]string{"base_model.model.model.layers.0.x": "model.layers.0.x",
		"model.model.norm.weight": "model.norm.weight", "model.norm.weight": "model.norm.weight"} {
		if got := Loaded(stored); got != want {
			t.Errorf("%s loads as %s, want %s", stored, got, want)
		}
	}
}

func TestProjectorsOfARun(t *testing.T) {
	m := build(t, small, Tuning{Projectors: true})
	dir := t.TempDir()
	if _, err := ReadProjectors(dir); !os.IsNotExist(err) && !strings.Contains(err.Error(), ProjectorsFile) {
		t.Errorf("an empty folder: %v", err)
	}
	if err := m.WriteProjectors(dir); err != nil {
		t.Fatal(err)
	}
	tensors, err := ReadProjectors(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(m.projectors.Value)
	clear(m.projectors.Value)
	if err := m.SetProjectors(tensors, ImageProjector); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Trained() {
		if image := strings.Contains(p.Name, ImageProjector); image != slices.ContainsFunc(p.Value,
			func(v float32) bool { return v != 0 }) {
			t.Errorf("%s was set: %v", p.Name, !image)
		}
	}
	if err := m.SetProjectors(tensors, ""); err != nil || !slices.Equal(m.projectors.Value, want) {
		t.Errorf("the values differ, %v", err)
	}
	if err := m.SetProjectors(tensors[1:], ""); err == nil || !strings.Contains(err.Error(), tensors[0].Name) {
		t.Errorf("a part of a projector was taken: %v", err)
	}
	strange := []weights.Tensor{{Name: tensors[0].Name, Shape: []int{3}, Value: make([]float32, 3)}}
	if _, err := New(small, Over(quiet{}, strange), nil, Tuning{}); err == nil {
		t.Error("a tensor of another size was taken")
	}
	over, err := New(small, Over(quiet{}, tensors), nil, Tuning{})
	if err != nil {
		t.Fatal(err)
	}
	if got := over.projectors.tensors()[0].Value; !slices.Equal(got, m.projectors.tensors()[0].Value) {
		t.Error("a run's projectors are not those of the model over it")
	}
	if _, err := over.NewEye(nn.NewExec(1)); err == nil {
		t.Error("a model without encoders sees")
	}
}

func TestBeginnings(t *testing.T) {
	for want, got := range map[string]string{
		"Using video projector from base model checkpoint": Beginning(VideoProjector, ""),
		"Using image projector from base model checkpoint": Beginning(ImageProjector, ""),
		"Initializing image projector from a/b.bin":        Beginning(ImageProjector, "a/b.bin"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestTowersAreFound looks for the encoders' files in the places where they may lie.
func TestTowersAreFound(t *testing.T) {
	write := func(t *testing.T, path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		tensor := safetensors.FromFloat32("x", []int{1}, []float32{1})
		if err := safetensors.Write(path, []safetensors.Tensor{tensor}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, place := range []string{"base/openai/clip-b/model.safetensors", "base/clip-b/model.safetensors",
		"clip-b/model.safetensors", "base/clip/model.safetensors", "clip.safetensors", "clip/pytorch_model.bin"} {
		root := t.TempDir()
		write(t, filepath.Join(root, filepath.FromSlash(place)))
		got, err := find(filepath.Join(root, "base"), "image encoder", "openai/clip-b", "clip")
		if err != nil || !strings.HasPrefix(filepath.Join(root, filepath.FromSlash(place)), got) {
			t.Errorf("%s: found %s, %v", place, got, err)
		}
	}
	root := t.TempDir()
	write(t, filepath.Join(root, "VideoMamba", "m16.safetensors"))
	const published = "OpenGVLab/VideoMamba/m16.pth"
	if got, err := find(filepath.Join(root, "base"), "video encoder", published, "videomamba"); err == nil {
		t.Errorf("%s was taken, which config.json names otherwise", got)
	}
	write(t, filepath.Join(root, "OpenGVLab", "VideoMamba", "m16.safetensors"))
	if _, err := find(filepath.Join(root, "base"), "video encoder", published, "videomamba"); err != nil {
		t.Error(err)
	}
	_, err := find(t.TempDir(), "image encoder", "openai/clip", "clip")
	if err == nil || !strings.Contains(err.Error(), "openai/clip") || !strings.Contains(err.Error(), "put its folder") {
		t.Errorf("error %v", err)
	}
}
