package qwen2vl

import (
	"math"
	"slices"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/qwen2vl/chat"
	"finetui/ml/qwen2vl/pixels"
	"finetui/ml/tokenizer"
)

// TestGoldenWholePipelineOfOnePicture goes all the way with the real vocabulary: a picture file and a question become
// patch rows and token ids, those logits and an answer, and that a text.
func TestGoldenWholePipelineOfOnePicture(t *testing.T) {
	var want struct {
		Text      string
		IDs       []int32 `json:"input_ids"`
		Grid      [3]int  `json:"grid_thw"`
		Tokens    int     `json:"image_tokens"`
		Delta     int64   `json:"rope_delta"`
		LogSumExp float64 `json:"last_logits_logsumexp"`
		Mean      float64 `json:"last_logits_mean"`
		Std       float64 `json:"last_logits_std"`
		Generated []int32
		Answer    string `json:"generated_text"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "full-vocab", "golden.json"), &want)
	g := goldentest.Open(t, goldentest.LoadTolerances(t), "full-vocab/golden.safetensors")
	tok, err := tokenizer.Load(goldentest.Shared(t, "data", "tokenizer", "qwen2.5", "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, Tuning{}, "full-vocab/model")

	picture, _, err := picture.Decode(goldentest.Dir(t, "full-vocab", "picture.png"))
	if err != nil {
		t.Fatal(err)
	}
	rows, cut, err := pixels.DefaultProcessor().Rows(picture)
	if err != nil {
		t.Fatal(err)
	}
	grid := Grid(cut)
	if [3]int{grid.T, grid.H, grid.W} != want.Grid || grid.Tokens(m.Config.Vision.Merge) != want.Tokens {
		t.Fatalf("grid %v, want %v", grid, want.Grid)
	}
	g.CheckInts("image_grid_thw", []int64{int64(grid.T), int64(grid.H), int64(grid.W)})
	for i, v := range g.Floats("pixel_values") {
		if math.Abs(float64(rows[i]-v)) > 1e-6 {
			t.Fatalf("pixel value %d is %v, want %v", i, rows[i], v)
		}
	}

	question := []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Image, Tokens: want.Tokens},
		{Text: "Is the toe drain blocked?"}}}}
	opts := chat.Options{GenerationPrompt: true}
	if text := chat.Render(question, opts); text != want.Text {
		t.Errorf("the prompt is %q, want %q", text, want.Text)
	}
	ids, _, err := chat.Encode(tok, question, opts)
	if err != nil || !slices.Equal(ids, want.IDs) || !slices.Equal(ids, g.IDs("input_ids")) {
		t.Fatalf("ids %v (%v), want %v", ids, err, want.IDs)
	}
	pos, takes, err := m.Config.Positions(ids, []Grid{grid})
	if err != nil {
		t.Fatal(err)
	}
	g.CheckInts("position_ids", flat(pos))
	if top := max(slices.Max(pos[0]), slices.Max(pos[1]),
		slices.Max(pos[2])); int64(top)+1-int64(len(ids)) != want.Delta {
		t.Errorf("the next position is %d for %d tokens, want %+d", top+1, len(ids), want.Delta)
	}

	features, err := m.NewTower(nn.NewExec(2)).Features(rows, []Grid{grid})
	if err != nil {
		t.Fatal(err)
	}
	b := nn.Batch{Starts: []int{0, len(ids)}, IDs: ids, Features: takes, Pos: pos}
	checkNLL(g, "nll", m.Text.NewReplica(nn.NewExec(2)), b, features)
	session := m.Text.NewSession(nn.NewExec(2))
	logits, err := session.Prompt(b, features)
	if err != nil {
		t.Fatal(err)
	}
	named, best := []float32{}, slices.Clone(logits)
	for _, id := range g.IDs("top20.ids") {
		named = append(named, logits[id])
	}
	slices.SortFunc(best, func(a, b float32) int { return int(math.Copysign(1, float64(b-a))) })
	g.Check("top20.logits", named)
	g.Check("top20.logits", best[:len(named)])
	mean, std, logSumExp := summary(logits)
	if atol := g.Atol("top20.logits"); math.Abs(mean-want.Mean) > atol || math.Abs(std-want.Std) > atol ||
		math.Abs(logSumExp-want.LogSumExp) > atol {
		t.Errorf("logits have mean %v, deviation %v, log-sum-exp %v; want %v, %v, %v", mean, std, logSumExp, want.Mean,
			want.Std, want.LogSumExp)
	}
	goldentest.CheckGreedy(session, logits, []goldentest.Greedy{{Tokens: want.Generated, File: g}})
	if answer := tok.Decode(want.Generated, false); answer != want.Answer {
		t.Errorf("the answer reads %q, want %q", answer, want.Answer)
	}
	g.Complete()
}

// summary is the mean of values, their standard deviation (of a sample), and the logarithm of their exponentials' sum.
func summary(values []float32) (mean, std, logSumExp float64) {
	n, top := float64(len(values)), float64(slices.Max(values))
	var sum, exponentials, squares float64
	for _, v := range values {
		sum += float64(v)
		exponentials += math.Exp(float64(v) - top)
	}
	mean = sum / n
	for _, v := range values {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	return mean, math.Sqrt(squares / (n - 1)), top + math.Log(exponentials)
}
