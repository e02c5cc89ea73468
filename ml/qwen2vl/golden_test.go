package qwen2vl

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
)

func load(t *testing.T, tune Tuning, elem ...string) *Model {
	t.Helper()
	dir := goldentest.Dir(t, elem...)
	data, err := qwen2.ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	ckpt, err := qwen2.OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ckpt.Close() })
	m, err := New(c, ckpt, tune)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// example is one case of the reference: a prompt with its media, in order of appearance.
type example struct {
	name        string
	g           *goldentest.Golden
	ids         []int32
	labels      []int64
	grids       []Grid
	rows        []float32
	rule        [3][]int32 // positions by the rule of transformers 5.23
	classic     [3][]int32
	loss        float64
	generated   []int32 // under the classic rule
	featureName []string
}

func examples(t *testing.T, tol goldentest.Tolerances) []example {
	t.Helper()
	var out []example
	for _, name := range goldentest.Cases(t, ".json", "qwen2vl", "cases") {
		var info struct {
			Parts     [][2]json.RawMessage
			Positions [3][]int32 `json:"position_ids"`
			Images    [][3]int   `json:"image_grid_thw"`
			Videos    [][3]int   `json:"video_grid_thw"`
			Loss      float64
			Generated []int32
			Same      bool `json:"classic_rule_gives_the_same_positions"`
			Classic   struct {
				Positions [3][]int32 `json:"position_ids"`
				Generated []int32
			}
		}
		goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "cases", name+".json"), &info)
		g := goldentest.Open(t, tol, "qwen2vl/cases/"+name+".safetensors")
		e := example{name: name, g: g, labels: g.Ints("labels"), rule: info.Positions, classic: info.Positions, loss: info.Loss, generated: info.Generated}
		for _, id := range g.Ints("input_ids") {
			e.ids = append(e.ids, int32(id))
		}
		if !info.Same {
			e.classic, e.generated = info.Classic.Positions, info.Classic.Generated
		}
		queue := map[string][][3]int{"image": info.Images, "video": info.Videos}
		at := map[string]int{}
		for _, p := range info.Parts {
			kind := strings.Trim(string(p[0]), `"`)
			if kind == "text" {
				continue
			}
			q := queue[kind][0]
			queue[kind] = queue[kind][1:]
			grid := Grid{q[0], q[1], q[2]}
			e.grids = append(e.grids, grid)
			pixels := g.Floats(map[string]string{"image": "pixel_values", "video": "pixel_values_videos"}[kind])
			n := grid.Patches() * len(pixels) / g.Shape(map[string]string{"image": "pixel_values", "video": "pixel_values_videos"}[kind])[0]
			e.rows = append(e.rows, pixels[at[kind]:at[kind]+n]...)
			at[kind] += n
			if !slices.Contains(e.featureName, kind) {
				e.featureName = append(e.featureName, kind)
			}
		}
		out = append(out, e)
	}
	return out
}

func (e example) batch(c Config, pos [3][]int32) (nn.Batch, error) {
	_, features, err := c.Positions(e.ids, e.grids)
	b := nn.Batch{Starts: []int{0, len(e.ids)}, IDs: e.ids, Features: features, Pos: pos, Scale: 1}
	b.Targets, b.Weights = make([]int32, len(e.ids)), make([]float32, len(e.ids))
	for i := range e.ids {
		b.Targets[i] = -1
		if i+1 < len(e.ids) && e.labels[i+1] >= 0 {
			b.Targets[i], b.Weights[i] = int32(e.labels[i+1]), 1
		}
	}
	return b, err
}

func every(n int) []int {
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	return at
}

func TestGoldenPositions(t *testing.T) {
	m := load(t, Tuning{}, "qwen2vl", "model")
	for _, e := range examples(t, goldentest.LoadTolerances(t)) {
		pos, _, err := m.Config.Positions(e.ids, e.grids)
		if err != nil {
			t.Errorf("%s: %v", e.name, err)
			continue
		}
		for r := range pos {
			if !slices.Equal(pos[r], e.classic[r]) {
				t.Errorf("%s: row %d is %v, want %v", e.name, r, pos[r], e.classic[r])
			}
		}
	}
}

func TestGoldenQwen2VL(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	cases := examples(t, tol)
	for _, name := range []string{"model", "model-new-names", "model-flat-config"} {
		t.Run(name, func(t *testing.T) {
			m := load(t, Tuning{}, "qwen2vl", name)
			tower, r := m.NewTower(nn.NewExec(2)), m.Text.NewReplica(nn.NewExec(2))
			session := m.Text.NewSession(nn.NewExec(1))
			for _, e := range cases {
				t.Run(e.name, func(t *testing.T) {
					features := checkTower(t, e, tower)
					checkText(t, e, m, r, features)
					checkGreedy(t, e, m, session, features)
				})
			}
		})
	}
}

// checkTower compares the tower stage by stage where all media are of one kind, and returns the features.
func checkTower(t *testing.T, e example, tower *Tower) []float32 {
	t.Helper()
	if len(e.grids) == 0 {
		return nil
	}
	features, err := tower.Features(e.rows, e.grids)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.featureName) > 1 {
		return features
	}
	p := "vision." + e.featureName[0] + "."
	rows, cols := blockOrder(e.grids, tower.config.Merge)
	for i, v := range e.g.Ints(p + "positions") {
		if got := [2][]int32{rows, cols}[i%2][i/2]; int64(got) != v {
			t.Fatalf("patch %d lies at %d of axis %d, want %d", i/2, got, i%2, v)
		}
	}
	x := tower.Patch.Forward(e.rows, false)
	e.g.Check(p+"patch_embed", x)
	for i, b := range tower.Blocks {
		x = b.Forward(x, true)
		e.g.Check(fmt.Sprintf("%sblocks.%d", p, i), x)
	}
	e.g.Check(p+"merger", tower.Merger.Forward(x, false))
	return features
}

func checkText(t *testing.T, e example, m *Model, r *qwen2.Replica, features []float32) {
	t.Helper()
	b, err := e.batch(m.Config, e.rule)
	if err != nil {
		t.Fatal(err)
	}
	var n float32
	for _, w := range b.Weights {
		n += w
	}
	b.Scale = 1 / n
	r.Load(b)
	x := r.Embed.Forward(features, false)
	e.g.Check("embed", x)
	for i, l := range r.Layers {
		x = l.Forward(x, false)
		e.g.Check(fmt.Sprintf("layers.%d.out", i), x)
	}
	if loss := r.Head.Forward(x); math.Abs(loss-e.loss) > 3e-5 {
		t.Errorf("loss is %.7f, want %.7f", loss, e.loss)
	}
	logits, _ := r.Head.Logits(x, every(len(e.ids)))
	e.g.Check("logits", logits)
	if e.g.Has("classic.logits") {
		b.Pos = e.classic
		r.Load(b)
		logits, _ = r.Head.Logits(r.Hidden(features), every(len(e.ids)))
		e.g.Check("classic.logits", logits)
	}
}

func checkGreedy(t *testing.T, e example, m *Model, s *qwen2.Session, features []float32) {
	t.Helper()
	b, err := e.batch(m.Config, e.classic)
	if err != nil {
		t.Fatal(err)
	}
	logits, err := s.Prompt(b, features)
	if err != nil {
		t.Fatal(err)
	}
	for step, want := range e.generated {
		best := int32(0)
		for i, v := range logits {
			if v > logits[best] {
				best = int32(i)
			}
		}
		if best != want {
			t.Fatalf("token %d is %d, want %d", step, best, want)
		}
		if logits, err = s.Next([]int32{best}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGoldenShardedBF16(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	m := load(t, Tuning{}, "qwen2vl", "sharded-bf16")
	g := goldentest.Open(t, tol, "qwen2vl/golden-sharded-bf16.safetensors")
	tower, r := m.NewTower(nn.NewExec(1)), m.Text.NewReplica(nn.NewExec(1))
	for _, e := range examples(t, tol) {
		features, err := tower.Features(e.rows, e.grids)
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.batch(m.Config, e.rule)
		if err != nil {
			t.Fatal(err)
		}
		r.Load(b)
		logits, _ := r.Head.Logits(r.Hidden(features), every(len(e.ids)))
		g.Check(e.name+".logits", logits)
	}
}

func TestPositionsRefuseWhatDoesNotFit(t *testing.T) {
	c := Config{ImageToken: 9, VideoToken: 10, Vision: Vision{Merge: 2}}
	for name, tc := range map[string]struct {
		ids   []int32
		grids []Grid
		want  string
	}{
		"no picture":         {[]int32{1, 9, 2}, nil, "only 0 pictures"},
		"too few pads":       {[]int32{1, 9, 2}, []Grid{{1, 4, 2}}, "takes 2 tokens"},
		"one picture more":   {[]int32{1, 9, 2}, []Grid{{1, 2, 2}, {1, 2, 2}}, "places for 1"},
		"cut off at the end": {[]int32{1, 9}, []Grid{{1, 4, 4}}, "takes 4 tokens"},
	} {
		if _, _, err := c.Positions(tc.ids, tc.grids); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v does not say %q", name, err, tc.want)
		}
	}
}
