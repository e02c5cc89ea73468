package mobilevideogpt

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"finetui/ml/clip"
	"finetui/ml/goldentest"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/train"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
)

const folder = "mobile-videogpt"

func golden(t *testing.T, elem ...string) string {
	t.Helper()
	return goldentest.Dir(t, append([]string{folder}, elem...)...)
}

// load is the golden base with the adapter and the projectors of one of its runs, all of them trained.
func load(t *testing.T, run string) *Model {
	t.Helper()
	dir := golden(t, "model", "base")
	data, err := weights.ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	towers, c, err := c.OpenTowers(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { towers.Close() })
	base, err := weights.OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { base.Close() })
	config, adapters, err := lora.Read(golden(t, "model", run))
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(c, base, towers, Tuning{Projectors: true, Text: weights.Tuning{
		Adapt: func(module string) (weights.Adapter, bool) {
			return weights.Adapter{R: config.Rank(module), Scale: config.Scale(module)}, config.Matches(module)
		}}})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]float32{}
	for _, a := range adapters {
		values[a.Module+".lora_A.weight"], values[a.Module+".lora_B.weight"] = a.A, a.B
	}
	for _, p := range m.Text.Parameters() {
		if copy(p.Value, values[p.Name]) != len(p.Value) {
			t.Fatalf("the adapter's file has no %s", p.Name)
		}
	}
	projectors, err := ReadProjectors(golden(t, "model", run))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetProjectors(projectors, ""); err != nil {
		t.Fatal(err)
	}
	return m
}

// shots are the frames of a golden clip.
func shots(t *testing.T, c Config, name string) Shots {
	t.Helper()
	s := Shown{Clip: true}
	for i := range Frames {
		img, _, err := picture.Decode(golden(t, "model", "clips", name, fmt.Sprintf("%02d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		s.Frames = append(s.Frames, img)
	}
	out, err := c.Prepare([]Shown{s})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// samples are those of samples.json.
type samples struct {
	Clips map[string]struct {
		Chosen [][]int
		Picked []int
	}
	Samples []struct {
		Clip   string
		IDs    []int32
		At     int `json:"placeholder_at"`
		Labels map[string][]int32
	}
}

func readSamples(t *testing.T) (s samples) {
	t.Helper()
	goldentest.JSON(t, golden(t, "model", "samples.json"), &s)
	return s
}

// place puts tokens where the one placeholder of ids stands; labels may be nil.
func place(ids, labels []int32, tokens int, seen Features) train.Sample {
	s := train.Sample{Visual: seen}
	var spread []int32
	for i, id := range ids {
		n := 1
		if id == -200 {
			n, id = tokens, 0
		}
		for range n {
			if n > 1 {
				s.Places = append(s.Places, int32(len(s.IDs)))
			}
			s.IDs = append(s.IDs, id)
			if labels != nil {
				spread = append(spread, labels[i])
			}
		}
	}
	for i := range s.IDs {
		target, weight := int32(-1), float32(0)
		if labels != nil && i+1 < len(spread) && spread[i+1] >= 0 {
			target, weight = spread[i+1], 1
		}
		s.Targets, s.Weights = append(s.Targets, target), append(s.Weights, weight)
	}
	return s
}

func see(t *testing.T, m *Model, name string) Features {
	t.Helper()
	eye, err := m.NewEye(nn.NewExec(2))
	if err != nil {
		t.Fatal(err)
	}
	seen, err := eye.See(context.Background(), shots(t, m.Config, name))
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func narrow(v []float64) (out []float32) {
	for _, x := range v {
		out = append(out, float32(x))
	}
	return out
}

// all are the samples of samples.json under a mask.
func all(t *testing.T, m *Model, mask string) (out []train.Sample) {
	t.Helper()
	seen := map[string]Features{}
	for _, s := range readSamples(t).Samples {
		if seen[s.Clip] == nil {
			seen[s.Clip] = see(t, m, s.Clip)
		}
		out = append(out, place(s.IDs, s.Labels[mask], m.Config.Tokens(true), seen[s.Clip]))
	}
	return out
}

func TestGoldenEye(t *testing.T) {
	tol := goldentest.FolderTolerances(t, folder)
	g := goldentest.Open(t, tol, folder+"/model/features.safetensors")
	m := load(t, "init")
	want := readSamples(t)
	for name, clip := range want.Clips {
		seen := see(t, m, name)[0]
		if !slices.Equal(seen.Chosen, clip.Picked) {
			t.Errorf("clip %s: frames %v, want %v", name, seen.Chosen, clip.Picked)
		}
		g.Check(name+".scores", narrow(seen.Scores))
		g.Check(name+".grouped", seen.Video)
		if name != "a" {
			continue
		}
		g.Check("a.clip", seen.Image)
		var rows []float32
		shot := shots(t, m.Config, name).Shots[0]
		for _, f := range seen.Chosen {
			rows = m.Config.Video.Rows(rows, shot.Video[f])
		}
		video, err := m.Video.NewEncoder(nn.NewExec(1)).Features(rows)
		if err != nil {
			t.Fatal(err)
		}
		g.Check("a.video_features", video)
		g.Check("a.video_pooled", m.Config.pool(video))
		p := m.projectors.replica(m.Config, nn.NewExec(2))
		p.load(Features{seen})
		tokens := p.Forward(nil, false)
		image := Frames * m.Config.Tokens(false) * m.Config.Text.Hidden
		g.Check("a.image_tokens", tokens[:image])
		g.Check("a.video_tokens", tokens[image:])
	}
	g.Complete()
}

func TestGoldenLogits(t *testing.T) {
	tol := goldentest.FolderTolerances(t, folder)
	g := goldentest.Open(t, tol, folder+"/model/forward.safetensors")
	m := load(t, "init")
	s := readSamples(t).Samples[0]
	sample := all(t, m, "original")[0]
	r := m.Text.NewReplica(nn.NewExec(2))
	p := m.projectors.replica(m.Config, nn.NewExec(2))
	p.load(sample.Visual.(Features))
	var b nn.Batch
	(&train.Pack{Samples: []*train.Sample{&sample}, Scale: 1}).Fill(&b)
	r.Load(b)
	x := r.Hidden(p.Forward(nil, false))
	var at []int
	for i := range sample.IDs {
		if !slices.Contains(sample.Places, int32(i)) {
			at = append(at, i)
		}
	}
	logits, _ := r.Head.Logits(x, at)
	g.Check("logits", logits)
	logits, _ = r.Head.Logits(x, []int{s.At + m.Config.Tokens(true) - 1})
	g.Check("logits_last_visual", logits)
	for mask := range s.Labels {
		sample := place(s.IDs, s.Labels[mask], m.Config.Tokens(true), sample.Visual.(Features))
		res, err := trainer(t, m, Rates{}, train.Schedule{Kind: "constant"}).Evaluate(context.Background(),
			[]train.Sample{sample})
		if err != nil {
			t.Fatal(err)
		}
		g.Check("loss."+mask, []float32{float32(res.LossPlain)})
	}
	g.Complete()
}

func trainer(t *testing.T, m *Model, r Rates, s train.Schedule) *train.Trainer {
	t.Helper()
	groups, groupOf := r.Groups()
	solver, err := train.NewAdamW(m.Parameters(), groups, groupOf)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := train.New(m, solver, s, train.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// runName is the name of a trained tensor in the reference's files.
func runName(tensor string) string { return runPrefix + tensor }

func TestGoldenGradients(t *testing.T) {
	tol := goldentest.FolderTolerances(t, folder)
	g := goldentest.Open(t, tol, folder+"/model/grads.safetensors")
	m := load(t, "init")
	sample := all(t, m, "assistant_turn")[0]
	replica, err := m.NewReplica(nn.NewExec(2))
	if err != nil {
		t.Fatal(err)
	}
	p := &train.Pack{Samples: []*train.Sample{&sample}, Scale: float32(1 / train.Denominator([]train.Sample{sample})),
		Index: []int{0}}
	if err := replica.Load(p); err != nil {
		t.Fatal(err)
	}
	if _, err := replica.Chain().Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, params := range replica.Chain().Params() {
		for _, s := range m.Parameters()[i].Layout.Spans {
			g.Check(runName(s.Name), s.Of(params.Grad))
		}
	}
	g.Complete()
}

// trace is train.json.
type trace struct {
	Settings struct {
		LoRA       float64 `json:"lr_lora"`
		Projectors float64 `json:"lr_projectors"`
		Decay      float64 `json:"weight_decay"`
		MaxNorm    float64 `json:"max_grad_norm"`
		Each       int     `json:"accumulation"`
		Steps      int     `json:"optimizer_steps"`
		Warmup     int     `json:"warmup_steps"`
		Scheduler  string
		Labels     string
		Batches    [][]int
		Groups     []struct{ Parameters []string }
	}
	Steps []struct {
		Loss  float64
		Norm  float64 `json:"grad_norm"`
		LR    []float64
		Floor struct{ Loss, Grad_norm float64 }
	}
}

func TestGoldenTraining(t *testing.T) {
	tol := goldentest.FolderTolerances(t, folder)
	var want trace
	goldentest.JSON(t, golden(t, "model", "train.json"), &want)
	set := want.Settings
	m := load(t, "init")
	rates := Rates{LearningRate: set.LoRA, ProjectorRate: set.Projectors, WeightDecay: set.Decay}
	tr := trainer(t, m, rates, train.Schedule{Kind: set.Scheduler, Warmup: set.Warmup, Steps: set.Steps})
	tr.Solver.MaxGradNorm = set.MaxNorm
	_, groupOf := rates.Groups()
	for i, group := range set.Groups {
		for _, name := range group.Parameters {
			tensor := strings.TrimPrefix(name, runPrefix)
			block := "layers"
			if _, _, ok := projectorOf(tensor); ok {
				block = Projectors
			}
			if got := groupOf(block, tensor); got != i {
				t.Errorf("%s belongs to group %d, want %d", tensor, got, i)
			}
		}
	}
	samples := all(t, m, set.Labels)
	for step, w := range want.Steps {
		// a micro-batch's loss is the mean over its tokens, and all weigh alike
		var now []train.Sample
		for _, batch := range set.Batches[step*set.Each : (step+1)*set.Each] {
			var micro []train.Sample
			for _, i := range batch {
				micro = append(micro, samples[i])
			}
			n := train.Denominator(micro)
			for _, s := range micro {
				s.Weights = slices.Clone(s.Weights)
				for i := range s.Weights {
					s.Weights[i] /= float32(n) * float32(set.Each)
				}
				now = append(now, s)
			}
		}
		for group, lr := range w.LR {
			tr.Solver.SetFactor(tr.Schedule.Factor(tr.Solver.Steps()))
			if got := tr.Solver.LearningRate(group); math.Abs(got-lr) > 1e-12 {
				t.Errorf("step %d: rate of group %d is %g, want %g", step, group, got, lr)
			}
		}
		res, err := tr.Step(context.Background(), now)
		if err != nil {
			t.Fatal(err)
		}
		if d := math.Abs(res.Loss - w.Loss); d > max(20*w.Floor.Loss, 2e-6*w.Loss) {
			t.Errorf("step %d: loss %.9g, want %.9g", step, res.Loss, w.Loss)
		}
		if d := math.Abs(res.GradNorm - w.Norm); d > max(20*w.Floor.Grad_norm, 1e-5*w.Norm) {
			t.Errorf("step %d: gradient norm %.9g, want %.9g", step, res.GradNorm, w.Norm)
		}
	}
	for _, file := range []string{"adapter_model", "non_lora_trainables"} {
		g := goldentest.Open(t, tol, folder+"/model/run/"+file+".safetensors")
		for _, p := range m.Trained() {
			if g.Has(runName(p.Name)) {
				trained(t, g, runName(p.Name), p.Value)
			}
		}
		g.Complete()
	}
}

// trained holds a tensor after some steps against the reference. Adam moves a value whose gradient is near the noise by
// as much as any other, so a few values may differ by more than the tolerance where all together differ by little. Here one
// does of all, the 893rd of mm_projector.mlp.mlp.0.weight, by 6.4e-6 where 5.5e-6 are allowed and every other is within 1e-6.
// Its first two gradients, +3.10e-6 and −3.17e-6 in float64 and after clipping, are 170 times smaller than the median and
// cancel in the first moment (0.09 g₁ + 0.1 g₂ = −3.8e-8): an error of 5e-8 in one of them, 8e-7 before it is divided by the
// norm of 17 where the gradients' floor is 6e-7 and their tolerance 1.2e-5, is 12 % of what is left, and so of the second
// step's move, 5.4e-5. From then on the distance stays as it is. It is not the encoders' (with the golden's own features it
// is the same); in PyTorch's float32 this value happens to come out within 4.5e-8.
func trained(t *testing.T, g *goldentest.Golden, name string, got []float32) {
	t.Helper()
	want, atol := g.Floats(name), g.Atol(name)
	var far int
	var off, size float64
	for i, v := range want {
		d := math.Abs(float64(got[i]) - float64(v))
		if !(d <= atol) {
			far++
		}
		off, size = off+d*d, size+float64(v)*float64(v)
	}
	if far > len(want)/100 || math.Sqrt(off/size) > 1e-4 {
		t.Errorf("%s: %d of %d values are off by more than %g, all together by %.2g", name, far, len(want), atol,
			math.Sqrt(off/size))
	}
}

func TestGoldenAnswer(t *testing.T) {
	tol := goldentest.FolderTolerances(t, folder)
	var want struct {
		Prompt []int32
		Clip   string
		Tokens []int32
	}
	goldentest.JSON(t, golden(t, "model", "generate.json"), &want)
	g := goldentest.Open(t, tol, folder+"/model/generate.safetensors")
	m := load(t, "run")
	s := m.NewSession(nn.NewExec(2))
	question := place(want.Prompt, nil, m.Config.Tokens(true), see(t, m, want.Clip))
	logits, err := s.Prompt(context.Background(), []train.Sample{question})
	if err != nil {
		t.Fatal(err)
	}
	var steps []float32
	for i, token := range want.Tokens {
		steps = append(steps, logits...)
		if best := int32(slices.Index(logits, slices.Max(logits))); best != token {
			t.Fatalf("token %d is %d, want %d", i, best, token)
		}
		if logits, err = s.Next([]int32{token}); err != nil {
			t.Fatal(err)
		}
	}
	g.Check("logits", steps)
	g.Complete()
}

func TestGoldenChoice(t *testing.T) {
	var cases map[string][]map[string]any
	goldentest.JSON(t, golden(t, "topk", "choice.json"), &cases)
	numbers := func(v any) (out []float64) {
		for _, x := range v.([]any) {
			out = append(out, x.(float64))
		}
		return out
	}
	for name, chunks := range cases {
		for i, chunk := range chunks {
			scores := numbers(chunk["scores"])
			for key, v := range chunk {
				var k int
				var on string
				if n, _ := fmt.Sscanf(key, "k%d_topk_%s", &k, &on); n != 2 {
					continue
				}
				want := numbers(v.(map[string]any)["time_order"])
				got := Choose(scores, k, on == "on")
				if !slices.EqualFunc(got, want, func(a int, b float64) bool { return float64(a) == b }) {
					t.Errorf("%s, chunk %d, %s: frames %v, want %v", name, i, key, got, want)
				}
			}
		}
	}
}

// TestGoldenFiles reads the original's pickles, and what is written is read as the original's loader would.
func TestGoldenFiles(t *testing.T) {
	for _, run := range []string{"init", "run"} {
		want, err := ReadProjectors(golden(t, "model", run, ProjectorsFile))
		if err != nil {
			t.Fatal(err)
		}
		m := load(t, run)
		dir := t.TempDir()
		if err := m.WriteProjectors(dir); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{golden(t, "model", run, ProjectorsPickle), dir} {
			got, err := ReadProjectors(path)
			if err != nil {
				t.Fatal(err)
			}
			same := slices.EqualFunc(got, want, func(a, b weights.Tensor) bool {
				return a.Name == b.Name && slices.Equal(a.Shape, b.Shape) && slices.Equal(a.Value, b.Value)
			})
			if !same {
				t.Errorf("%s: other tensors than in %s", path, ProjectorsFile)
			}
		}
	}
}

// TestGoldenConfigs takes the sizes of the encoders from their weights: config.json says the image encoder's width of
// both.
func TestGoldenConfigs(t *testing.T) {
	c := load(t, "init").Config
	if c.Video.Hidden == c.Image.Hidden || c.Video == videomamba.Published() || c.Image == clip.Published() {
		t.Errorf("the encoders' sizes are %+v and %+v", c.Image, c.Video)
	}
	data, err := os.ReadFile(golden(t, "model", "run", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	c.TopK = false
	written, err := c.WriteConfig(data, .002)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseConfig(written)
	if err != nil || again.TopK || again.Select != c.Select {
		t.Errorf("what is written reads as %+v, %v", again, err)
	}
}
