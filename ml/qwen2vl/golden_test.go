package qwen2vl

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/weights"
)

// load builds the model of a golden folder; modules of the muted endings do nothing in it.
func load(t *testing.T, tune Tuning, folder string, muted ...string) *Model {
	t.Helper()
	dir := goldentest.Dir(t, filepath.FromSlash(folder))
	data, err := weights.ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	ckpt, err := weights.OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ckpt.Close() })
	m, err := New(c, goldentest.Mute(ckpt, muted...), tune)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// outcome is what the reference found under one rule of positions.
type outcome struct {
	Positions [3][]int32 `json:"position_ids"`
	Delta     int64      `json:"rope_delta"`
	Loss      float64    `json:"loss_f64"`
	Generated []int32
}

// example is one case of the reference: a prompt with its media.
type example struct {
	name   string
	g      *goldentest.Golden
	ids    []int32
	labels []int64
	grids  []Grid    // in order of appearance
	rows   []float32 // patches of grids
	media  []media   // the same by kind

	rule    outcome // of transformers 5.23, whose positions we do not make but can be given
	classic outcome
}

// media are the pictures or the clips of an example.
type media struct {
	kind  string // "image", "video"
	rows  []float32
	grids []Grid
}

func examples(t *testing.T, tol goldentest.Tolerances) []example {
	t.Helper()
	var out []example
	for _, name := range goldentest.Cases(t, ".json", "qwen2vl", "cases") {
		var info struct {
			outcome
			Parts   [][2]json.RawMessage
			Images  [][3]int `json:"image_grid_thw"`
			Videos  [][3]int `json:"video_grid_thw"`
			Same    bool     `json:"classic_rule_gives_the_same_positions"`
			Classic outcome
		}
		goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "cases", name+".json"), &info)
		g := goldentest.Open(t, tol, "qwen2vl/cases/"+name+".safetensors")
		e := example{name: name, g: g, ids: g.IDs("input_ids"), labels: g.Ints("labels"), rule: info.outcome,
			classic: info.Classic}
		if info.Same {
			e.classic = e.rule
		}
		sources := map[string]*media{}
		for kind, pixels := range map[string]string{"image": "pixel_values", "video": "pixel_values_videos"} {
			if g.Has(pixels) {
				sources[kind] = &media{kind: kind, rows: g.Floats(pixels)}
			}
		}
		grids, at := map[string][][3]int{"image": info.Images, "video": info.Videos}, map[string]int{}
		for _, p := range info.Parts {
			kind := strings.Trim(string(p[0]), `"`)
			if kind == "text" {
				continue
			}
			m := sources[kind]
			next := grids[kind][len(m.grids)]
			grid := Grid{T: next[0], H: next[1], W: next[2]}
			n := grid.Patches() * len(m.rows) / sum(grids[kind])
			m.grids, e.grids = append(m.grids, grid), append(e.grids, grid)
			e.rows = append(e.rows, m.rows[at[kind]:at[kind]+n]...)
			at[kind] += n
		}
		for _, kind := range []string{"image", "video"} {
			if m := sources[kind]; m != nil {
				e.media = append(e.media, *m)
				var flat []int64
				for _, grid := range m.grids {
					flat = append(flat, int64(grid.T), int64(grid.H), int64(grid.W))
				}
				g.CheckInts(kind+"_grid_thw", flat)
			}
		}
		out = append(out, e)
	}
	return out
}

// sum is the number of patches of grids.
func sum(grids [][3]int) (n int) {
	for _, g := range grids {
		n += g[0] * g[1] * g[2]
	}
	return n
}

// batch is the prompt with the mean over its supervised tokens as its loss.
func (e example) batch(c Config, pos [3][]int32) (nn.Batch, error) {
	_, features, err := c.Positions(e.ids, e.grids)
	b := nn.Batch{Starts: []int{0, len(e.ids)}, IDs: e.ids, Features: features, Pos: pos}
	b.Targets, b.Weights = make([]int32, len(e.ids)), make([]float32, len(e.ids))
	supervised := 0
	for i := range e.ids {
		b.Targets[i] = -1
		if i+1 < len(e.ids) && e.labels[i+1] >= 0 {
			b.Targets[i], b.Weights[i] = int32(e.labels[i+1]), 1
			supervised++
		}
	}
	b.Scale = 1 / float32(supervised)
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
	m := load(t, Tuning{}, "qwen2vl/model")
	for _, e := range examples(t, goldentest.LoadTolerances(t)) {
		pos, _, err := m.Config.Positions(e.ids, e.grids)
		if err != nil {
			t.Errorf("%s: %v", e.name, err)
			continue
		}
		top := int32(0)
		for r := range pos {
			if !slices.Equal(pos[r], e.classic.Positions[r]) {
				t.Errorf("%s: row %d is %v, want %v", e.name, r, pos[r], e.classic.Positions[r])
			}
			top = max(top, slices.Max(pos[r]))
		}
		if delta := int64(top) + 1 - int64(len(e.ids)); delta != e.classic.Delta {
			t.Errorf("%s: positions go on at length %+d, want %+d", e.name, delta, e.classic.Delta)
		}
	}
}

func TestGoldenSpecialTokens(t *testing.T) {
	var ids struct {
		EOS   int32 `json:"eos"`
		Start int32 `json:"vision_start"`
		End   int32 `json:"vision_end"`
		Image int32 `json:"image_pad"`
		Video int32 `json:"video_pad"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "special-ids.json"), &ids)
	for _, name := range []string{"model", "model-new-names", "model-flat-config", "sharded-bf16"} {
		c := load(t, Tuning{}, "qwen2vl/"+name).Config
		if c.ImageToken != ids.Image || c.VideoToken != ids.Video || c.VisionStart != ids.Start ||
			c.VisionEnd != ids.End || !slices.Equal(c.Text.EOS, []int32{ids.EOS}) {
			t.Errorf("%s: %+v, want %+v", name, c, ids)
		}
	}
}

// TestGoldenQwen2VL compares whole checkpoints in all spellings: each stage and branch of the tower and of the language
// model, and decoding with a cache, under both rules of positions.
func TestGoldenQwen2VL(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	for _, name := range []string{"model", "model-new-names", "model-flat-config"} {
		t.Run(name, func(t *testing.T) {
			m := load(t, Tuning{}, "qwen2vl/"+name)
			attentionOnly := load(t, Tuning{}, "qwen2vl/"+name, "mlp.down_proj", "mlp.fc2")
			tower, attentionTower := m.NewTower(nn.NewExec(2)), attentionOnly.NewTower(nn.NewExec(1))
			r, attentionText := m.Text.NewReplica(nn.NewExec(2)), attentionOnly.Text.NewReplica(nn.NewExec(1))
			session := m.Text.NewSession(nn.NewExec(1))
			for _, e := range examples(t, tol) {
				t.Run(e.name, func(t *testing.T) {
					e.g = e.g.In(t)
					var features []float32
					for _, media := range e.media {
						checkTower(t, e.g, media, tower, attentionTower)
					}
					if len(e.grids) > 0 {
						var err error
						if features, err = tower.Features(e.rows, e.grids); err != nil {
							t.Fatal(err)
						}
					}
					checkText(t, e, m, r, attentionText, features)
					checkDecoding(t, e, m, session, features)
					e.g.Complete()
				})
			}
		})
	}
}

// checkTower compares the tower stage by stage. In attentionOnly the MLPs do nothing, which tells the branches apart.
func checkTower(t *testing.T, g *goldentest.Golden, of media, tower, attentionOnly *Tower) {
	t.Helper()
	for _, w := range []*Tower{tower, attentionOnly} {
		if err := w.Load(of.grids); err != nil {
			t.Fatal(err)
		}
	}
	p := "vision." + of.kind + "."
	var places []int64
	rows, cols := blockOrder(of.grids, tower.config.Merge)
	for i := range rows {
		places = append(places, int64(rows[i]), int64(cols[i]))
	}
	g.CheckInts(p+"positions", places)
	checkAngles(g, p, &tower.Patches.Rotary)
	x := tower.Patch.Forward(of.rows, false)
	g.Check(p+"patch_embed", x)
	blocks, half := tower.Stack(), attentionOnly.Stack()
	for i, b := range blocks[1 : len(blocks)-1] {
		block := fmt.Sprintf("%sblocks.%d", p, i)
		y := half[1+i].Forward(x, false)
		g.Check(block+".attn", goldentest.Difference(y, x))
		x = b.Forward(x, true)
		g.Check(block+".mlp", goldentest.Difference(x, y))
		g.Check(block, x)
	}
	g.Check(p+"merger", tower.Merger.Forward(x, false))
}

// checkAngles compares rotary tables, which the reference holds over the whole head dim.
func checkAngles(g *goldentest.Golden, p string, r *nn.Rotary) {
	for name, table := range map[string][]float32{"cos": r.Cos, "sin": r.Sin} {
		var full []float32
		for row := range slices.Chunk(table, r.HeadDim/2) {
			full = append(append(full, row...), row...)
		}
		g.Check(p+name, full)
	}
}

func checkText(t *testing.T, e example, m *Model, r, attentionOnly *qwen2.Replica, features []float32) {
	t.Helper()
	g := e.g
	b, err := e.batch(m.Config, e.rule.Positions)
	if err != nil {
		t.Fatal(err)
	}
	g.CheckInts("position_ids", flat(e.rule.Positions))
	g.CheckInts("rope_deltas", []int64{e.rule.Delta})
	r.Load(b)
	attentionOnly.Load(b)
	checkAngles(g, "rope.", r.Rotary)
	x := r.Embed.Forward(features, false)
	g.Check("embed", x)
	for i, l := range r.Layers {
		layer := fmt.Sprintf("layers.%d.", i)
		y := attentionOnly.Layers[i].Forward(x, false)
		g.Check(layer+"attn", goldentest.Difference(y, x))
		x = l.Forward(x, false)
		g.Check(layer+"mlp", goldentest.Difference(x, y))
		g.Check(layer+"out", x)
	}
	if loss := r.Head.Forward(x); math.Abs(loss-e.rule.Loss) > g.Atol("nll") {
		t.Errorf("loss is %.7f, want %.7f", loss, e.rule.Loss)
	}
	logits, normed := r.Head.Logits(x, every(len(e.ids)))
	g.Check("logits", logits)
	g.Check("norm", normed)
	checkNLL(g, "nll", r, b, features)
	if g.Has("classic.logits") {
		g.CheckInts("classic.position_ids", flat(e.classic.Positions))
		b.Pos = e.classic.Positions
		r.Load(b)
		x := r.Hidden(features)
		if loss := r.Head.Forward(x); math.Abs(loss-e.classic.Loss) > g.Atol("nll") {
			t.Errorf("loss under the classic rule is %.7f, want %.7f", loss, e.classic.Loss)
		}
		logits, _ = r.Head.Logits(x, every(len(e.ids)))
		g.Check("classic.logits", logits)
	}
}

// checkNLL compares the nll of every position but the last.
func checkNLL(g *goldentest.Golden, name string, r *qwen2.Replica, b nn.Batch, features []float32) {
	b.Targets, b.Weights = make([]int32, b.T()), make([]float32, b.T())
	for i := range b.T() - 1 {
		b.Targets[i], b.Weights[i] = b.IDs[i+1], 1
	}
	b.Scale = 1
	r.Load(b)
	r.Head.Forward(r.Hidden(features))
	var nll []float32
	for _, v := range r.Head.NLL() {
		nll = append(nll, float32(v))
	}
	g.Check(name, nll)
}

// flat are positions row after row.
func flat(pos [3][]int32) (out []int64) {
	for _, row := range pos {
		for _, p := range row {
			out = append(out, int64(p))
		}
	}
	return out
}

// checkDecoding compares the caches of the prompt and what follows it, under both rules.
func checkDecoding(t *testing.T, e example, m *Model, s *qwen2.Session, features []float32) {
	t.Helper()
	logits := prompt(t, e, m, s, e.rule.Positions, features)
	for l := range m.Text.Layers {
		g, c := e.g, s.Cache(l, 0)
		g.Check(fmt.Sprintf("layers.%d.k", l), byHead(c.K, m.Config.Text))
		g.Check(fmt.Sprintf("layers.%d.v", l), byHead(c.V, m.Config.Text))
	}
	goldentest.CheckGreedy(s, logits, []goldentest.Greedy{{Tokens: e.rule.Generated, File: e.g}})
	if e.g.Has("classic.top5.ids") {
		logits = prompt(t, e, m, s, e.classic.Positions, features)
		goldentest.CheckGreedy(s, logits, []goldentest.Greedy{{Tokens: e.classic.Generated, File: e.g,
			Prefix: "classic."}})
	}
}

// prompt begins s with the example and returns the logits after it.
func prompt(t *testing.T, e example, m *Model, s *qwen2.Session, pos [3][]int32, features []float32) []float32 {
	t.Helper()
	b, err := e.batch(m.Config, pos)
	if err != nil {
		t.Fatal(err)
	}
	logits, err := s.Prompt(b, features)
	if err != nil {
		t.Fatal(err)
	}
	return logits
}

// byHead turns [tokens, heads·dim] into [heads, tokens, dim].
func byHead(v []float32, c qwen2.Config) []float32 {
	n := len(v) / (c.KVHeads * c.HeadDim)
	out := make([]float32, 0, len(v))
	for h := range c.KVHeads {
		for i := range n {
			at := (i*c.KVHeads + h) * c.HeadDim
			out = append(out, v[at:at+c.HeadDim]...)
		}
	}
	return out
}

func TestGoldenShardedBF16(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	m := load(t, Tuning{}, "qwen2vl/sharded-bf16")
	var losses []caseLoss
	goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "golden-sharded-bf16.json"), &losses)
	g := goldentest.Open(t, tol, "qwen2vl/golden-sharded-bf16.safetensors")
	checkLogits(t, tol, m, g, losses)
	g.Complete()
}

// caseLoss is the loss of one case.
type caseLoss struct {
	Case string
	Loss float64 `json:"loss_f64"`
}

// checkLogits compares logits, losses, and nll where there are some, of all cases under m.
func checkLogits(t *testing.T, tol goldentest.Tolerances, m *Model, g *goldentest.Golden, losses []caseLoss) {
	t.Helper()
	tower, r := m.NewTower(nn.NewExec(1)), m.Text.NewReplica(nn.NewExec(1))
	want := map[string]float64{}
	for _, l := range losses {
		want[l.Case] = l.Loss
	}
	for _, e := range examples(t, tol) {
		features, err := tower.Features(e.rows, e.grids)
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.batch(m.Config, e.rule.Positions)
		if err != nil {
			t.Fatal(err)
		}
		r.Load(b)
		x := r.Hidden(features)
		if loss, ok := want[e.name]; !ok || math.Abs(r.Head.Forward(x)-loss) > e.g.Atol("nll") {
			t.Errorf("%s: loss is %.7f, want %.7f (%v)", e.name, r.Head.Forward(x), loss, ok)
		}
		logits, _ := r.Head.Logits(x, every(len(e.ids)))
		g.Check(e.name+".logits", logits)
		if nll := e.name + ".nll"; g.Has(nll) {
			checkNLL(g, nll, r, b, features)
		}
	}
}

func TestLongWorkStopsWithinABlock(t *testing.T) {
	m := load(t, Tuning{}, "qwen2vl/model")
	stop := errors.New("stop")
	asked := 0
	check := func() error {
		if asked++; asked == 2 {
			return stop
		}
		return nil
	}
	e := examples(t, goldentest.LoadTolerances(t))[0]
	tower, session := m.NewTower(nn.NewExec(1)), m.Text.NewSession(nn.NewExec(1))
	tower.Check, session.Check = check, check
	if _, err := tower.Features(e.rows, e.grids); !errors.Is(err, stop) || asked != 2 {
		t.Errorf("the tower was asked %d times and returned %v", asked, err)
	}
	asked, tower.Check = 0, nil
	features, err := tower.Features(e.rows, e.grids)
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.batch(m.Config, e.classic.Positions)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Prompt(b, features); !errors.Is(err, stop) || asked != 2 {
		t.Errorf("the session was asked %d times and returned %v", asked, err)
	}
}
