package model

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"sync"

	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl"
	"finetui/ml/qwen2vl/chat"
	"finetui/ml/qwen2vl/pixels"
	"finetui/ml/tokenizer"
	"finetui/ml/train"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// chatTemplates are the texts that package chat writes, as other trainers read them.
//
//go:embed templates/*.jinja
var chatTemplates embed.FS

// qwen2VL is Qwen2-VL, or the Qwen2 and Qwen2.5 that know words only: then there is no tower.
type qwen2VL struct {
	config    qwen2vl.Config
	processor pixels.Processor
	system    string // what stands before a conversation; empty: what Qwen2-VL's template writes
	template  string // of chatTemplates

	sizes sync.Once
	known Sizes
}

// openQwen2VL reads the config.json of a Qwen2-VL and the processor's file beside it.
func openQwen2VL(config []byte, dir string) (Kind, error) {
	k := &qwen2VL{processor: pixels.DefaultProcessor(), template: "qwen2_vl"}
	var err error
	if k.config, err = qwen2vl.ParseConfig(config); err != nil || dir == "" {
		return k, err
	}
	if k.processor, err = pixels.LoadProcessor(dir); err != nil {
		return nil, err
	}
	if v := k.config.Vision; k.processor.RowSize() != v.PatchWidth() || k.processor.Merge != v.Merge {
		return nil, fmt.Errorf("preprocessor_config.json cuts patches of %d values, the vision tower takes %d",
			k.processor.RowSize(), v.PatchWidth())
	}
	return k, nil
}

// openQwen2 reads the config.json of a Qwen2 or Qwen2.5 and the system text of its template.
func openQwen2(config []byte, dir string) (Kind, error) {
	text, err := qwen2.ParseConfig(config)
	if err != nil {
		return nil, err
	}
	k := &qwen2VL{template: "qwen2",
		config: qwen2vl.Config{Text: text, ImageToken: -1, VideoToken: -1, VisionStart: -1, VisionEnd: -1}}
	if dir != "" {
		k.system, err = readSystem(dir)
	}
	return k, err
}

// Usual is the kind that is assumed before a base is open: Qwen2-VL as published.
func Usual() Kind {
	return &qwen2VL{processor: pixels.DefaultProcessor(), template: "qwen2_vl",
		config: qwen2vl.Config{Vision: qwen2vl.Vision{Patch: 14, Merge: 2, Temporal: 2, Channels: 3}}}
}

// likely is Qwen2-VL of about so many parameters, in the published shape that is nearest:
// its layers are as many more or fewer as the size asks for.
func likely(parameters int64) Kind {
	shape := func(hidden, layers, heads, kv, inner, vocab int, tied bool) qwen2vl.Config {
		return qwen2vl.Config{Text: qwen2.Config{Hidden: hidden, Layers: layers, Heads: heads, KVHeads: kv,
			HeadDim: hidden / heads,
			Inner:   inner, Vocab: vocab, Tied: tied}, Vision: qwen2vl.Vision{Depth: 32, Embed: 1280, Heads: 16,
			MLPRatio: 4,
			Patch:    14, Merge: 2, Temporal: 2, Channels: 3, Hidden: hidden}}
	}
	published := []struct {
		named  float64 // parameters, as the name has them
		config qwen2vl.Config
	}{{.5e9, shape(896, 24, 14, 2, 4864, 151936, true)}, {2e9, shape(1536, 28, 12, 2, 8960, 151936, true)},
		{7e9, shape(3584, 28, 28, 4, 18944, 152064, false)},
		{72e9, shape(8192, 80, 64, 8, 29568, 152064, false)}}
	k := Usual().(*qwen2VL)
	far := math.Inf(1)
	for _, p := range published {
		if ratio := float64(parameters) / p.named; math.Abs(math.Log(ratio)) < far {
			far, k.config = math.Abs(math.Log(ratio)), p.config
			k.config.Text.Layers = max(1, int(math.Round(float64(k.config.Text.Layers)*ratio)))
		}
	}
	return k
}

// systemFiles hold a language model's template.
var systemFiles = []string{"tokenizer_config.json", "chat_template.jinja"}

// readSystem is the system text of a language model's own template: Qwen2.5 has another one than Qwen2.
func readSystem(dir string) (string, error) {
	for _, name := range systemFiles {
		data, err := wholefile.Read(filepath.Join(dir, name), wholefile.Text)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if strings.Contains(string(data), chat.SystemQwen25) {
			return chat.SystemQwen25, nil
		}
	}
	return "", nil
}

func (k *qwen2VL) sees() bool { return k.template == "qwen2_vl" }

// Sizes counts the parameters once: who measures a million samples asks as often.
func (k *qwen2VL) Sizes() Sizes {
	k.sizes.Do(func() {
		t := k.config.Text
		k.known = Sizes{Parameters: k.config.Parameters(), Layers: t.Layers, Hidden: t.Hidden, Vocab: t.Vocab,
			Tied: t.Tied, Ends: t.EOS}
		if k.sees() {
			k.known.VisionRow, k.known.Unit = k.config.Vision.PatchWidth(), k.processor.Patch*k.processor.Merge
		}
	})
	return k.known
}

func (k *qwen2VL) Files() []string {
	if k.sees() {
		return nil
	}
	return systemFiles
}

func (k *qwen2VL) Processing() string { return fmt.Sprintf("%+v", k.processor) }

// cut is the processor within the bounds of a view.
func (k *qwen2VL) cut(v View) pixels.Processor {
	p := k.processor
	p.MinPixels, p.MaxPixels = v.MinPixels, v.MaxPixels
	return p
}

func (k *qwen2VL) shape(g qwen2vl.Grid, clip bool) Shape {
	return Shape{Tokens: g.Tokens(k.processor.Merge), Rows: g.Patches(), T: g.T, H: g.H, W: g.W, Clip: clip}
}

// The bounds of a clip's frames as qwen-vl-utils has them, which trainers of Qwen2-VL use: frames a second and in all,
// pixels of one and of all.
const (
	clipFPS                  = 2
	fewestFrames, mostFrames = 4, 768
	leastFrame, mostFrame    = 128 * 28 * 28, 768 * 28 * 28
	mostClip                 = 24576 * 28 * 28
)

func (k *qwen2VL) Pick(n int, fps float64, most int) []int {
	if n <= 0 || most <= 0 {
		return nil
	}
	unit := k.processor.Temporal
	count := float64(n)
	if fps > 0 {
		count = float64(n) / fps * clipFPS
	}
	limit := min(mostFrames, most, n)
	at := min(max(int(count), fewestFrames), limit) / unit * unit
	at = min(max(at, unit), n)
	picked := make([]int, at)
	for i := range picked {
		picked[i] = int(math.RoundToEven(float64(i) * float64(n-1) / float64(max(1, at-1))))
	}
	return picked
}

// clipView are the bounds of each of a clip's n frames: qwen-vl-utils' own, within MODEL's.
func clipView(v View, n int) View {
	most := min(mostFrame, mostClip*2/max(1, n), v.MaxPixels)
	return View{MinPixels: min(max(leastFrame, v.MinPixels), most), MaxPixels: most}
}

func (k *qwen2VL) Measure(v View, media []Size) (shapes []Shape, err error) {
	if len(media) > 0 && !k.sees() {
		return nil, ErrBlind
	}
	for _, s := range media {
		if aspect, tooLong := pixels.TooLong(s.W, s.H); tooLong {
			return nil, &Refusal{s, fmt.Sprintf("%.0f to 1, and Qwen2-VL takes up to 200 to 1", aspect)}
		}
		p, groups := k.cut(v), 1
		if s.Frames > 0 {
			p, groups = k.cut(clipView(v, s.Frames)), (s.Frames+k.processor.Temporal-1)/k.processor.Temporal
		}
		w, h, err := p.Size(s.W, s.H)
		if err != nil {
			return nil, err
		}
		shapes = append(shapes, k.shape(qwen2vl.Grid{T: groups, H: h / p.Patch, W: w / p.Patch}, s.Frames > 0))
	}
	return shapes, nil
}

func (k *qwen2VL) Prepare(v View, media []Shown) (train.Visual, []Shape, error) {
	if len(media) > 0 && !k.sees() {
		return nil, nil, ErrBlind
	}
	var seen qwen2vl.Patches
	var shapes []Shape
	for _, m := range media {
		rows, grid, err := k.rows(v, m)
		if err != nil {
			return nil, nil, err
		}
		seen.Pixels, seen.Grids = append(seen.Pixels, rows...), append(seen.Grids, grid)
		shapes = append(shapes, k.shape(grid, m.Clip))
	}
	return seen, shapes, nil
}

// rows cuts one picture or clip into patches.
func (k *qwen2VL) rows(v View, m Shown) ([]float32, qwen2vl.Grid, error) {
	if !m.Clip {
		return k.cut(v).Rows(m.Frames[0])
	}
	p := k.cut(clipView(v, len(m.Frames)))
	w, h, err := p.Size(m.Frames[0].W, m.Frames[0].H)
	if err != nil {
		return nil, qwen2vl.Grid{}, err
	}
	frames := make([]*picture.RGB, len(m.Frames))
	for i, f := range m.Frames {
		if frames[i] = f; f.W != w || f.H != h {
			frames[i] = picture.Resize(f, w, h)
		}
	}
	return p.Frames(frames)
}

func (k *qwen2VL) Foreseen() bool { return false }

func (k *qwen2VL) Plain(prepared train.Visual) (rows []float32, grids [][3]int) {
	seen, _ := prepared.(qwen2vl.Patches)
	for _, g := range seen.Grids {
		grids = append(grids, [3]int{g.T, g.H, g.W})
	}
	return seen.Pixels, grids
}

func (k *qwen2VL) Encode(t *tokenizer.Tokenizer, shapes []Shape, turns []Turn) (out Tokens, err error) {
	var messages []chat.Message
	var grids []qwen2vl.Grid
	open := false
	for _, turn := range turns {
		if open = !turn.Answer; turn.Answer {
			messages = append(messages, chat.Say(chat.Assistant, turn.Text))
			continue
		}
		m := chat.Message{Role: chat.User}
		for range turn.Shown {
			s := shapes[len(grids)]
			grids = append(grids, qwen2vl.Grid{T: s.T, H: s.H, W: s.W})
			kind := chat.Image
			if s.Clip {
				kind = chat.Video
			}
			m.Parts = append(m.Parts, chat.Part{Kind: kind, Tokens: s.Tokens})
		}
		m.Parts = append(m.Parts, chat.Part{Text: turn.Text})
		messages = append(messages, m)
	}
	options := chat.Options{DefaultSystem: k.system, GenerationPrompt: open}
	if out.IDs, out.Labels, err = chat.Encode(t, messages, options); err != nil {
		return out, err
	}
	var rows []int32
	if out.Pos, rows, err = k.config.Positions(out.IDs, grids); err != nil {
		return out, err
	}
	for at, row := range rows {
		if row >= 0 {
			out.Places = append(out.Places, int32(at))
		}
	}
	return out, nil
}

// Keep puts the grids before their features: their number, and of each T, H and W; T is below 0 for a clip.
func (k *qwen2VL) Keep(seen train.Visual, shapes []Shape) []float32 {
	features, _ := seen.(qwen2vl.Features)
	values := make([]float32, 0, 1+3*len(shapes)+len(features))
	values = append(values, float32(len(shapes)))
	for _, s := range shapes {
		t := s.T
		if s.Clip {
			t = -t
		}
		values = append(values, float32(t), float32(s.H), float32(s.W))
	}
	return append(values, features...)
}

func (k *qwen2VL) Kept(values []float32) (train.Visual, []Shape, bool) {
	if len(values) == 0 || values[0] < 0 || int(values[0]) > (len(values)-1)/3 {
		return nil, nil, false
	}
	n, tokens := int(values[0]), 0
	var shapes []Shape
	for i := range n {
		g := values[1+3*i:]
		grid := qwen2vl.Grid{T: int(max(g[0], -g[0])), H: int(g[1]), W: int(g[2])}
		shapes = append(shapes, k.shape(grid, g[0] < 0))
		tokens += shapes[i].Tokens
	}
	features := qwen2vl.Features(values[1+3*n:])
	return features, shapes, len(features) == tokens*k.config.Text.Hidden
}

func (k *qwen2VL) Products() []weights.Product { return k.config.Products() }

func (k *qwen2VL) Companions() Companions {
	template, _ := chatTemplates.ReadFile("templates/" + k.template + ".jinja") // it is embedded
	c := Companions{Template: string(template)}
	if !k.sees() {
		return c
	}
	p := k.processor
	c.Processor = "Qwen2VLProcessor"
	c.Preprocessor = map[string]any{
		"do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true, "resample": 3,
		"rescale_factor": 1. / 255,
		"image_mean":     p.Mean, "image_std": p.Std, "image_processor_type": "Qwen2VLImageProcessor",
		"processor_class": "Qwen2VLProcessor",
		"min_pixels":      p.MinPixels, "max_pixels": p.MaxPixels, "patch_size": p.Patch, "merge_size": p.Merge,
		"temporal_patch_size": p.Temporal,
	}
	return c
}

// qwen2VLFootprint is the configuration at some work.
type qwen2VLFootprint struct {
	qwen2vl.Config
	work qwen2vl.Work
}

func (k *qwen2VL) Footprint(w Work) Footprint {
	return qwen2VLFootprint{k.config, w.qwen2VL()}
}

// languageFootprint is that of a language model alone, as a part of others.
func languageFootprint(c qwen2.Config, w Work) qwen2VLFootprint {
	return qwen2VLFootprint{qwen2vl.Config{Text: c}, w.qwen2VL()}
}

func (w Work) qwen2VL() qwen2vl.Work {
	return qwen2vl.Work{Rank: w.Rank, Dropout: w.Dropout, Weight: w.Weight, Recompute: w.Recompute}
}

func (f qwen2VLFootprint) TrainsVision() bool { return f.TrainsTower(f.work) }
func (f qwen2VLFootprint) Adapters() (all, vision int) {
	return f.Config.Adapters(f.work), f.TowerAdapters(f.work)
}
func (f qwen2VLFootprint) Panels() int64 { return f.Config.Panels(f.work) }
func (f qwen2VLFootprint) Joined() int64 { return f.Config.Joined(f.work) }
func (f qwen2VLFootprint) TextWorker(tokens, back, supervised, longest int) int64 {
	return f.Config.TextWorker(f.work, tokens, back, supervised, longest)
}
func (f qwen2VLFootprint) VisionWorker(rows, back int) int64 {
	return f.TowerWorker(f.work, rows, back)
}
func (f qwen2VLFootprint) SessionWorker(tokens, questions, longest int) int64 {
	return f.Config.SessionWorker(f.work, tokens, questions, longest)
}
func (f qwen2VLFootprint) EyeWorker(rows int) int64 { return f.Config.EyeWorker(f.work, rows) }
func (f qwen2VLFootprint) TextEffort(tokens, supervised int, back bool) weights.Effort {
	return f.Config.TextEffort(f.work, tokens, supervised, back)
}
func (f qwen2VLFootprint) VisionEffort(rows, pairs int, back bool) weights.Effort {
	return f.TowerEffort(f.work, rows, pairs, back)
}

func (k *qwen2VL) Build(src weights.Source, t Tuning) (Network, error) {
	c := k.config
	c.Text.Tied = c.Text.Tied && !t.Untied
	vision := weights.Tuning{Adapt: t.Adapt}
	m, err := qwen2vl.New(c, src, qwen2vl.Tuning{Text: weights.Tuning{Adapt: t.Adapt, Gamma: t.Gamma}, Tower: vision,
		Merger: vision})
	if err != nil {
		return nil, err
	}
	return qwen2VLNetwork{qwen2vl.Network{Model: m, Tower: !m.TowerFrozen(), Recompute: t.Recompute}}, nil
}

// qwen2VLNetwork is a model that trains, sees and answers.
type qwen2VLNetwork struct{ qwen2vl.Network }

func (n qwen2VLNetwork) Trained() []weights.Parameter { return n.Model.Parameters() }
func (n qwen2VLNetwork) Frozen() bool                 { return n.TowerFrozen() }

func (n qwen2VLNetwork) NewEye(e *nn.Exec) Eye {
	if n.Config.Vision.Depth == 0 {
		return qwen2VLEye{}
	}
	return qwen2VLEye{n.NewTower(e)}
}

func (n qwen2VLNetwork) NewSession(e *nn.Exec) Session {
	return &qwen2VLSession{Session: n.Text.NewSession(e)}
}

// qwen2VLEye is a worker's tower, nil where the model has none.
type qwen2VLEye struct{ tower *qwen2vl.Tower }

func (e qwen2VLEye) See(ctx context.Context, prepared train.Visual) (train.Visual, error) {
	seen, _ := prepared.(qwen2vl.Patches)
	if len(seen.Grids) == 0 {
		return nil, nil
	}
	e.tower.Check = ctx.Err
	features, err := e.tower.Features(seen.Pixels, seen.Grids)
	return qwen2vl.Features(features), err
}

// qwen2VLSession lays questions end to end.
type qwen2VLSession struct{ *qwen2.Session }

func (s *qwen2VLSession) Prompt(ctx context.Context, questions []train.Sample) ([]float32, error) {
	s.Check = ctx.Err
	var pack train.Pack
	var features []float32
	for i := range questions {
		pack.Samples = append(pack.Samples, &questions[i])
		seen, _ := questions[i].Visual.(qwen2vl.Features)
		features = append(features, seen...)
	}
	var batch nn.Batch
	pack.Fill(&batch)
	return s.Session.Prompt(batch, features)
}
