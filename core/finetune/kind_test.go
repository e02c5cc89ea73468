package finetune

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/export"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/run"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl/chat"
	"finetui/ml/safetensors"
	"finetui/ml/tokenizer"
	"finetui/ml/train"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// wordsType is the model_type of words.
const wordsType = "qwen2_words"

// words is the smallest Kind there can be: a Qwen2 that takes pictures and makes nothing of them, so that it goes by
// the words of a question alone. Unlike the blind Qwen2 of package model it is no Qwen2-VL without a tower.
type words struct{ config qwen2.Config }

func openWords(data []byte, _ string) (model.Kind, error) {
	c, err := qwen2.ParseConfig(data)
	return words{c}, err
}

func (w words) Sizes() model.Sizes {
	n := int64(0)
	for _, p := range w.Products() {
		n += int64(p.In) * int64(p.Out)
	}
	return model.Sizes{Parameters: n, Layers: w.config.Layers, Hidden: w.config.Hidden, Vocab: w.config.Vocab,
		VisionRow: 1, Tied: w.config.Tied, Ends: w.config.EOS}
}

func (w words) Files() []string    { return nil }
func (w words) Processing() string { return "" }

func (w words) Pick(int, float64, int) []int { return nil }

func (w words) Measure(_ model.View, media []model.Size) ([]model.Shape, error) {
	return make([]model.Shape, len(media)), nil
}

func (w words) Prepare(_ model.View, media []model.Shown) (train.Visual, []model.Shape, error) {
	return nil, make([]model.Shape, len(media)), nil
}

func (w words) Encode(t *tokenizer.Tokenizer, _ []model.Shape, turns []model.Turn) (out model.Tokens, err error) {
	var messages []chat.Message
	for _, turn := range turns {
		role := chat.User
		if turn.Answer {
			role = chat.Assistant
		}
		messages = append(messages, chat.Say(role, turn.Text))
	}
	open := !turns[len(turns)-1].Answer
	out.IDs, out.Labels, err = chat.Encode(t, messages, chat.Options{GenerationPrompt: open})
	return out, err
}

func (w words) Keep(train.Visual, []model.Shape) []float32 { return nil }
func (w words) Kept([]float32) (train.Visual, []model.Shape, bool) {
	return nil, []model.Shape{{}}, true
}

func (w words) Products() (list []weights.Product) {
	return []weights.Product{{Module: "model.layers.0.self_attn.q_proj", In: w.config.Hidden, Out: w.config.Hidden}}
}

func (w words) Footprint(work model.Work) model.Footprint { return wordsFootprint{w, work} }

type wordsFootprint struct {
	words
	work model.Work
}

func (f wordsFootprint) TrainsVision() bool { return false }
func (f wordsFootprint) Adapters() (all, vision int) {
	for _, p := range f.Products() {
		all += f.work.Rank(p.Module) * (p.In + p.Out)
	}
	return all, 0
}
func (f wordsFootprint) Panels() int64                                          { return 4 * f.Sizes().Parameters }
func (f wordsFootprint) Joined() int64                                          { return 0 }
func (f wordsFootprint) Keys() int64                                            { return int64(8 * f.config.Hidden) }
func (f wordsFootprint) TextWorker(tokens, back, supervised, longest int) int64 { return int64(tokens) }
func (f wordsFootprint) VisionWorker(rows, back int) int64                      { return 0 }
func (f wordsFootprint) SessionWorker(tokens, _, _ int) int64                   { return int64(tokens) }
func (f wordsFootprint) EyeWorker(int) int64                                    { return 0 }
func (f wordsFootprint) TextEffort(tokens, _ int, _ bool) weights.Effort {
	return weights.Effort{Products: float64(tokens)}
}
func (f wordsFootprint) VisionEffort(_, _ int, _ bool) weights.Effort { return weights.Effort{} }

func (w words) Build(src weights.Source, t model.Tuning) (model.Network, error) {
	m, err := qwen2.New(w.config, src, weights.Tuning{Adapt: t.Adapt, Gamma: t.Gamma})
	return wordsNetwork{qwen2.Network{Model: m}}, err
}

func (w words) Companions() model.Companions { return model.Companions{Template: "{{ messages }}"} }

type wordsNetwork struct{ qwen2.Network }

func (n wordsNetwork) Trained() []weights.Parameter { return n.Model.Parameters() }
func (n wordsNetwork) Frozen() bool                 { return true }
func (n wordsNetwork) NewEye(*nn.Exec) model.Eye    { return blindfold{} }
func (n wordsNetwork) NewSession(e *nn.Exec) model.Session {
	return wordsSession{n.Model.NewSession(e)}
}

type blindfold struct{}

func (blindfold) See(context.Context, train.Visual) (train.Visual, error) { return nil, nil }

type wordsSession struct{ *qwen2.Session }

func (s wordsSession) Prompt(ctx context.Context, questions []train.Sample) ([]float32, error) {
	s.Check = ctx.Err
	var pack train.Pack
	for i := range questions {
		pack.Samples = append(pack.Samples, &questions[i])
	}
	var batch nn.Batch
	pack.Fill(&batch)
	return s.Session.Prompt(batch, nil)
}

// drawnWeights are random.
type drawnWeights struct{ rng *rand.Rand }

func (d drawnWeights) Matrix(_ string, rows, cols int) (nn.Matrix, error) {
	v := make([]float32, rows*cols)
	for i := range v {
		v[i] = float32(d.rng.NormFloat64()) / 8
	}
	return nn.Matrix{Rows: rows, Cols: cols, F32: v}, nil
}

func (d drawnWeights) Vector(_ string, n int) ([]float32, error) {
	v := make([]float32, n)
	for i := range v {
		v[i] = 1
	}
	return v, nil
}

// wordsBase writes a base of that kind with random weights, and the tokenizer of the built-in one.
func wordsBase(t *testing.T, dir string) {
	t.Helper()
	tiny, err := model.OpenLocal(model.Tiny, "")
	if err != nil {
		t.Fatal(err)
	}
	defer tiny.Close()
	text, err := json.Marshal(map[string]any{"model_type": wordsType, "hidden_size": 48, "num_hidden_layers": 2,
		"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 96,
		"vocab_size": tiny.Kind.Sizes().Vocab, "rms_norm_eps": 1e-6, "rope_theta": 1e4, "tie_word_embeddings": true})
	if err != nil {
		t.Fatal(err)
	}
	kind, err := openWords(text, "")
	if err != nil {
		t.Fatal(err)
	}
	n, err := kind.Build(drawnWeights{rand.New(rand.NewPCG(1, 1))}, model.Tuning{})
	if err != nil {
		t.Fatal(err)
	}
	var tensors []safetensors.Tensor
	for _, x := range n.(wordsNetwork).Tensors() {
		tensors = append(tensors, safetensors.FromFloat32(x.Name, x.Shape, x.Value))
	}
	vocabulary, err := os.ReadFile(filepath.Join(tiny.Dir, "tokenizer.json"))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = safetensors.Write(filepath.Join(dir, safetensors.SingleName), tensors, nil)
	}
	if err == nil {
		err = wholefile.Write(filepath.Join(dir, "tokenizer.json"), vocabulary)
	}
	if err == nil {
		err = wholefile.Write(filepath.Join(dir, "config.json"), text)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A model that core has never heard of goes the whole way: lint and a run with its check on valid, evaluation,
// questions, and export as a checkpoint that answers as base and adapter together do.
func TestAnotherModelGoesTheWholeWay(t *testing.T) {
	f := smallProject(t)
	wordsBase(t, filepath.Join(f.Root, "words"))
	if err := f.Override([]string{"MODEL.BASE=words", "TRAIN.EPOCHS=12", "TRAIN.LEARNING_RATE=0.02",
		"RECIPE.PROMPT_FACTS=object", `LORA.TARGETS=["q_proj", "v_proj", "down_proj"]`,
		"TRAIN.BEST_BY=loss"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Lint(context.Background(), f.Snapshot, nil); err != nil {
		t.Fatal(err)
	}
	r := start(t, f, "words")
	wait(t, r)
	saved, ok := r.Best()
	if !ok || saved.Valid == nil {
		t.Fatalf("no checkpoint that was scored: %+v", saved)
	}
	var h run.History
	batch, err := r.Tail().Read()
	if err != nil {
		t.Fatal(err)
	}
	h.Add(batch)
	if n := len(h.Train); n < 3 || !(h.Train[n-1].Loss < h.Train[0].Loss/2) || len(h.Evals) == 0 {
		t.Errorf("%d rows, %d checks: nothing was learned", n, len(h.Evals))
	}

	told := evaluated(t, f, saved.Path)
	merged := filepath.Join(f.Root, "merged")
	if err := export.Merged(context.Background(), filepath.Join(f.Root, "words"), saved.Path, merged, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Override([]string{"MODEL.BASE=merged"}); err != nil {
		t.Fatal(err)
	}
	again := evaluated(t, f, "")
	if !slices.Equal(told, again) || len(strings.Join(told, "")) < len(told) {
		t.Errorf("base and adapter answer %q, the merged checkpoint %q", told, again)
	}
}

// evaluated are the answers about valid of a project's base with an adapter.
func evaluated(t *testing.T, f *config.File, adapter string) (answers []string) {
	t.Helper()
	ctx := context.Background()
	p, err := project.Open(ctx, f.Snapshot, nil)
	if err == nil {
		err = p.OpenBase(ctx, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	subject, err := model.Load(p.Base, adapter, 1)
	if err != nil {
		t.Fatal(err)
	}
	result, err := p.Evaluate(ctx, subject, "words", "valid", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range result.Items {
		answers = append(answers, item.Answer)
	}
	return answers
}
