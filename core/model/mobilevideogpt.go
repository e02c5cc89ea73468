package model

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"finetui/core/config"
	"finetui/core/video"
	"finetui/ml/clip"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/nn"
	"finetui/ml/tokenizer"
	"finetui/ml/train"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// mobileVideoGPT is Mobile-VideoGPT: it looks at clips with two frozen encoders, and at pictures with one.
type mobileVideoGPT struct {
	config mobilevideogpt.Config
	text   []byte                 // of config.json
	towers *mobilevideogpt.Towers // nil: the base is not on this machine
	dir    string

	sizes sync.Once
	known Sizes
}

// openMobileVideoGPT reads config.json, and the sizes of the encoders that lie in dir or beside it.
func openMobileVideoGPT(config []byte, dir string) (Kind, error) {
	k := &mobileVideoGPT{text: config, dir: dir}
	var err error
	if k.config, err = mobilevideogpt.ParseConfig(config); err != nil || dir == "" {
		return k, err
	}
	k.towers, k.config, err = k.config.OpenTowers(dir)
	return k, err
}

// likelyVideo is Mobile-VideoGPT as published, with a language model of about so many parameters.
func likelyVideo(parameters int64) Kind {
	text := likely(parameters).(*qwen2VL).config.Text
	return &mobileVideoGPT{config: mobilevideogpt.Config{Text: text, Image: clip.Published(),
		Video: videomamba.Published(),
		TopK:  true, Select: 4}}
}

// Close ends the use of the encoders' files.
func (k *mobileVideoGPT) Close() error {
	if k.towers == nil {
		return nil
	}
	return k.towers.Close()
}

func (k *mobileVideoGPT) Sizes() Sizes {
	k.sizes.Do(func() {
		t := k.config.Text
		k.known = Sizes{Parameters: k.config.Parameters(), Layers: t.Layers, Hidden: t.Hidden, Vocab: t.Vocab,
			Tied: t.Tied, Ends: t.EOS, VisionRow: k.config.Image.PatchWidth()}
		for _, p := range k.config.Projectors() {
			k.known.Projectors += p.Values
		}
	})
	return k.known
}

// Files are the encoders': in the base's folder or beside it.
func (k *mobileVideoGPT) Files() (names []string) {
	if k.towers == nil {
		return nil
	}
	for _, path := range k.towers.Files() {
		if name, err := filepath.Rel(k.dir, path); err == nil {
			names = append(names, name)
		}
	}
	return names
}

func (k *mobileVideoGPT) Processing() string {
	c := k.config
	return fmt.Sprintf("%s %d×%d %d×%d layer %d, %v %d", mobilevideogpt.ModelType, c.Image.Side, c.Image.Patch,
		c.Video.Side, c.Video.Patch, c.Image.Layer, c.TopK, c.Select)
}

// clipSampling is the rule of evaluation: one frame a second, 16 at most, closer together in a short clip. The original
// is content with 8 in training; here what was seen of a clip is kept, and serves both.
var clipSampling = video.Sampling{Least: mobilevideogpt.Frames, Most: mobilevideogpt.Frames}

func (k *mobileVideoGPT) Pick(n int, fps float64, most int) []int {
	s := clipSampling
	s.Least, s.Most = min(s.Least, most), min(s.Most, most)
	return s.Indices(n, fps)
}

func (k *mobileVideoGPT) shape(clip bool) Shape {
	return Shape{Tokens: k.config.Tokens(clip), Rows: k.config.Rows(clip), Clip: clip}
}

func (k *mobileVideoGPT) Measure(_ View, media []Size) (shapes []Shape, err error) {
	for _, s := range media {
		shapes = append(shapes, k.shape(s.Frames > 0))
	}
	return shapes, nil
}

func (k *mobileVideoGPT) Prepare(_ View, media []Shown) (train.Visual, []Shape, error) {
	var shown []mobilevideogpt.Shown
	var shapes []Shape
	for _, m := range media {
		shown = append(shown, mobilevideogpt.Shown{Clip: m.Clip, Frames: m.Frames})
		shapes = append(shapes, k.shape(m.Clip))
	}
	shots, err := k.config.Prepare(shown)
	return shots, shapes, err
}

func (k *mobileVideoGPT) Encode(t *tokenizer.Tokenizer, shapes []Shape, turns []Turn) (Tokens, error) {
	var list []mobilevideogpt.Turn
	next := 0
	for _, turn := range turns {
		u := mobilevideogpt.Turn{Answer: turn.Answer, Text: turn.Text}
		for range turn.Shown {
			u.Shown = append(u.Shown, shapes[next].Tokens)
			next++
		}
		list = append(list, u)
	}
	e, err := mobilevideogpt.Encode(t, "", list)
	return Tokens{IDs: e.IDs, Labels: e.Labels, Places: e.Places}, err
}

func (k *mobileVideoGPT) Keep(seen train.Visual, _ []Shape) []float32 {
	features, _ := seen.(mobilevideogpt.Features)
	return k.config.Keep(features)
}

func (k *mobileVideoGPT) Kept(values []float32) (train.Visual, []Shape, bool) {
	features, ok := k.config.Kept(values)
	var shapes []Shape
	for _, s := range features {
		shapes = append(shapes, k.shape(s.Video != nil))
	}
	return features, shapes, ok
}

// Attention tells which frames of each chunk the video encoder reads, and why.
func (k *mobileVideoGPT) Attention(seen train.Visual) (list []Attention) {
	features, _ := seen.(mobilevideogpt.Features)
	for _, s := range features {
		a := Attention{Chosen: s.Chosen}
		for chunk := range slices.Chunk(s.Scores, mobilevideogpt.Chunk) {
			sum := 0.0
			for _, score := range chunk {
				sum += score
			}
			for _, score := range chunk {
				a.Share = append(a.Share, score/sum)
			}
		}
		list = append(list, a)
	}
	return list
}

func (k *mobileVideoGPT) Foreseen() bool { return true }

func (k *mobileVideoGPT) Plain(seen train.Visual) (rows []float32, grids [][3]int) {
	features, _ := seen.(mobilevideogpt.Features)
	for _, s := range features {
		rows = append(append(rows, s.Image...), s.Video...)
		grids = append(grids, k.config.Grid(s.Video != nil))
	}
	return rows, grids
}

func (k *mobileVideoGPT) Products() []weights.Product { return k.config.Products() }

// OwnDialect is that of the trainer that the model was published with.
func (k *mobileVideoGPT) OwnDialect() config.Dialect { return config.DialectVideoGPT }

// Companions have the language model's template: the clip's place before the words is the caller's.
func (k *mobileVideoGPT) Companions() Companions {
	template, _ := chatTemplates.ReadFile("templates/qwen2.jinja") // it is embedded
	return Companions{Template: string(template)}
}

// mobileVideoGPTFootprint is the language model's, with encoders and projectors beside it.
type mobileVideoGPTFootprint struct {
	qwen2VLFootprint
	config     mobilevideogpt.Config
	projectors bool // trained
}

func (k *mobileVideoGPT) Footprint(w Work) Footprint {
	return mobileVideoGPTFootprint{languageFootprint(k.config.Text, w), k.config, w.Projectors}
}

func (f mobileVideoGPTFootprint) Adapters() (all, vision int) {
	all, _ = f.qwen2VLFootprint.Adapters()
	for _, p := range f.config.Projectors() {
		if f.projectors {
			all += p.Values
		}
	}
	return all, 0
}

func (f mobileVideoGPTFootprint) Panels() int64 { return f.config.Panels(f.work, f.projectors) }

// clips are those that so many tokens can hold.
func (f mobileVideoGPTFootprint) clips(tokens int) int {
	each := f.config.Tokens(true)
	return (tokens + each - 1) / each
}

func (f mobileVideoGPTFootprint) TextWorker(tokens, back, supervised, longest int) int64 {
	n := f.qwen2VLFootprint.TextWorker(tokens, back, supervised, longest)
	return n + f.config.ProjectorWorker(f.clips(tokens), f.projectors && back > 0)
}

func (f mobileVideoGPTFootprint) SessionWorker(tokens, questions, longest int) int64 {
	return f.qwen2VLFootprint.SessionWorker(tokens, questions, longest) +
		f.config.ProjectorWorker(f.clips(tokens), false)
}

func (f mobileVideoGPTFootprint) EyeWorker(rows int) int64 {
	if rows == 0 {
		return 0
	}
	return f.config.EyeWorker()
}

func (f mobileVideoGPTFootprint) TextEffort(tokens, supervised int, back bool) weights.Effort {
	return f.config.TextEffort(f.work, tokens, supervised, f.clips(tokens), back, f.projectors)
}

func (f mobileVideoGPTFootprint) VisionEffort(rows, _ int, _ bool) weights.Effort {
	return f.config.EyeEffort(min(rows, 1))
}

func (k *mobileVideoGPT) Build(src weights.Source, t Tuning) (Network, error) {
	c := k.config
	c.Text.Tied = c.Text.Tied && !t.Untied
	var towers weights.Source
	if k.towers != nil {
		towers = k.towers
	}
	m, err := mobilevideogpt.New(c, src, towers, mobilevideogpt.Tuning{
		Text: weights.Tuning{Adapt: t.Adapt, Gamma: t.Gamma}, Projectors: t.Projectors, Recompute: t.Recompute})
	if err != nil {
		return nil, err
	}
	return mobileVideoGPTNetwork{m, k}, nil
}

// Beginnings says of each projector where its first values come from.
func (k *mobileVideoGPT) Beginnings(adapter string) (list []string) {
	if adapter != "" {
		adapter = filepath.Join(adapter, mobilevideogpt.ProjectorsFile)
	}
	for _, p := range []string{mobilevideogpt.VideoProjector, mobilevideogpt.ImageProjector} {
		list = append(list, mobilevideogpt.Beginning(p, adapter))
	}
	return list
}

// Over is the base with the projectors that a run has left in its adapter's folder, where there are some.
func (k *mobileVideoGPT) Over(src weights.Source, adapter string) (weights.Source, error) {
	tensors, err := mobilevideogpt.ReadProjectors(adapter)
	if errors.Is(err, fs.ErrNotExist) {
		return src, nil
	}
	if err != nil {
		return nil, err
	}
	return mobilevideogpt.Over(src, tensors), nil
}

type mobileVideoGPTNetwork struct {
	*mobilevideogpt.Model
	kind *mobileVideoGPT
}

// Frozen is true: the encoders are, and the projectors come behind what is kept.
func (n mobileVideoGPTNetwork) Frozen() bool { return true }

func (n mobileVideoGPTNetwork) NewEye(e *nn.Exec) Eye {
	eye, err := n.Model.NewEye(e)
	return mobileVideoGPTEye{eye, err}
}

func (n mobileVideoGPTNetwork) NewSession(e *nn.Exec) Session { return n.Model.NewSession(e) }

func (n mobileVideoGPTNetwork) Groups(rate, projectors, decay float64) ([]train.Group, func(block, tensor string) int) {
	return mobilevideogpt.Rates{LearningRate: rate, ProjectorRate: projectors, WeightDecay: decay}.Groups()
}

// WriteProjectors writes them as the original's run does, with a config.json that has what the original does not save.
func (n mobileVideoGPTNetwork) WriteProjectors(dir string, rate float64) error {
	text, err := n.kind.config.WriteConfig(n.kind.text, rate)
	if err == nil {
		err = wholefile.Write(filepath.Join(dir, "config.json"), text)
	}
	if err != nil {
		return err
	}
	return n.Model.WriteProjectors(dir)
}

func (n mobileVideoGPTNetwork) ReadProjectors(dir string) error {
	tensors, err := mobilevideogpt.ReadProjectors(dir)
	if err != nil {
		return err
	}
	return n.SetProjectors(tensors, "")
}

// mobileVideoGPTEye is a worker's encoders, or the reason why there are none.
type mobileVideoGPTEye struct {
	eye *mobilevideogpt.Eye
	err error
}

func (e mobileVideoGPTEye) See(ctx context.Context, prepared train.Visual) (train.Visual, error) {
	shots, ok := prepared.(mobilevideogpt.Shots)
	if !ok || len(shots.Shots) == 0 {
		return nil, nil
	}
	if e.err != nil {
		return nil, e.err
	}
	return e.eye.See(ctx, shots)
}
