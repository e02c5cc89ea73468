package export

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/run"
	"finetui/ml/goldentest"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/safetensors"
	"finetui/ml/train"
)

func openBase(t *testing.T, dir string) *model.Base {
	t.Helper()
	b, err := model.OpenLocal(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// adapterOn writes a random adapter of the base and returns its folder.
func adapterOn(t *testing.T, b *model.Base, change func(*lora.Adapter)) string {
	t.Helper()
	c := &lora.Config{Base: b.Name, R: 4, Alpha: 8, Targets: []string{"q_proj", "v_proj", "down_proj",
		"visual.merger.mlp.2"}, Naming: lora.Nested}
	m, err := b.New(model.Adapt(c))
	if err != nil {
		t.Fatal(err)
	}
	adapters := model.Adapters(m, c)
	draw := rand.New(rand.NewPCG(7, 7))
	for i, a := range adapters {
		adapters[i] = lora.New(a.Module, a.In, a.Out, c, 7)
		for j := range adapters[i].B {
			adapters[i].B[j] = float32(draw.NormFloat64() * .1)
		}
		if change != nil {
			change(&adapters[i])
		}
	}
	dir := filepath.Join(t.TempDir(), "adapter")
	if err := lora.Write(dir, c, adapters); err != nil {
		t.Fatal(err)
	}
	return dir
}

// logits are those of a few prompts of text.
func logits(t *testing.T, s *model.Subject) []float32 {
	t.Helper()
	draw := rand.New(rand.NewPCG(3, 3))
	questions := make([]train.Sample, 3)
	for i, n := range []int{9, 11, 28} {
		for range n {
			questions[i].IDs = append(questions[i].IDs, int32(draw.IntN(s.Base.Kind.Sizes().Vocab)))
		}
	}
	out, err := s.Network.NewSession(nn.NewExec(1)).Prompt(context.Background(), questions)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func load(t *testing.T, b *model.Base, adapter string) *model.Subject {
	t.Helper()
	s, err := model.Load(b, adapter, 1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fingerprint(t *testing.T, b *model.Base) string {
	t.Helper()
	f, err := b.Fingerprint(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMergedBaseAnswersAsBaseWithAdapter(t *testing.T) {
	b := openBase(t, model.Tiny)
	adapter := adapterOn(t, b, nil)
	folder := filepath.Join(t.TempDir(), "new", "merged")
	last := [2]int{}
	if err := Merged(context.Background(), b.Dir, adapter, folder, func(done, total int, _ string) {
		last = [2]int{done,
			total}
	}); err != nil {
		t.Fatal(err)
	}
	if last[0] != last[1] || last[1] == 0 {
		t.Errorf("the last report was %v", last)
	}
	m := openBase(t, folder)
	if fingerprint(t, m) == fingerprint(t, b) || !slices.Equal(m.Stop, b.Stop) ||
		m.Kind.Processing() != b.Kind.Processing() {
		t.Errorf("fingerprints %s and %s, stop tokens %v", fingerprint(t, m), fingerprint(t, b), m.Stop)
	}
	plain, want, got := logits(t, load(t, b, "")), logits(t, load(t, b, adapter)), logits(t, load(t, m, ""))
	if off, moved := apart(want, got), apart(want, plain); off > moved/20 {
		t.Errorf("logits are off by %.3g, the adapter moved them by %.3g", off, moved)
	} else {
		t.Logf("logits are off by %.3g, the adapter moved them by %.3g", off, moved)
	}
}

// apart is the largest distance of two values.
func apart(a, b []float32) (worst float64) {
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}

func TestWhatCannotBeMergedIsNamed(t *testing.T) {
	b := openBase(t, model.Tiny)
	there := t.TempDir()
	if err := os.WriteFile(filepath.Join(there, "notes.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*lora.Adapter)
		folder string
		want   string
	}{
		"another width": {func(a *lora.Adapter) {
			a.In++
			a.A = make([]float32, a.R*a.In)
		}, "", "is made for [128, 385], the base's model.layers.0.mlp.down_proj.weight is [128 384]"},
		"another depth": {func(a *lora.Adapter) { a.Module = strings.Replace(a.Module, "layers.0", "layers.9", 1) }, "",
			"no tensor model.layers.9."},
		"no number": {func(a *lora.Adapter) { a.B[0] = float32(math.NaN()) }, "",
			`tensor "model.layers.0.mlp.down_proj.weight": a sum`},
		"occupied": {nil, there, "not overwritten"},
	} {
		folder := c.folder
		if folder == "" {
			folder = filepath.Join(t.TempDir(), "merged")
		}
		err := Merged(context.Background(), b.Dir, adapterOn(t, b, c.change), folder, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
		if folder != there {
			checkNothingLeft(t, folder)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	folder := filepath.Join(t.TempDir(), "merged")
	err := Merged(ctx, b.Dir, adapterOn(t, b, nil), folder, func(int, int, string) { cancel() })
	if err == nil || ctx.Err() == nil {
		t.Errorf("after an interruption: %v", err)
	}
	checkNothingLeft(t, folder)
}

// checkNothingLeft fails where a folder that was not to be written
// holds something, or has something half-made beside it.
func checkNothingLeft(t *testing.T, folder string) {
	t.Helper()
	inside, _ := filepath.Glob(filepath.Join(folder, "*"))
	beside, _ := filepath.Glob(filepath.Join(filepath.Dir(folder), ".*"))
	if left := append(inside, beside...); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAdapterIsWrittenUnderEitherNames(t *testing.T) {
	b := openBase(t, model.Tiny)
	adapter := adapterOn(t, b, nil)
	for naming, want := range map[lora.Naming]string{
		lora.Nested:  "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight",
		lora.Classic: "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight",
	} {
		folder := filepath.Join(t.TempDir(), "out")
		if err := Adapter(adapter, folder, naming); err != nil {
			t.Fatal(err)
		}
		f, err := safetensors.Open(filepath.Join(folder, lora.WeightsFile))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(f.Names(), want) {
			t.Errorf("no %s in %v", want, f.Names()[:3])
		}
		f.Close()
		if off := apart(logits(t, load(t, b, adapter)), logits(t, load(t, b, folder))); off != 0 {
			t.Errorf("the exported adapter answers otherwise, by %g", off)
		}
		if err := Adapter(adapter, folder, naming); err == nil || !strings.Contains(err.Error(), "not overwritten") {
			t.Errorf("a second time: %v", err)
		}
	}
}

func TestSourceIsARunsBestOrAFolder(t *testing.T) {
	b := openBase(t, model.Tiny)
	root := t.TempDir()
	file, err := config.Parse(filepath.Join(root, "config.toml"), []byte("[MODEL]\nBASE = \"tiny\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	runs := file.Abs(file.Config.Project.Runs)
	adapter := adapterOn(t, b, nil)
	create := func(name string, steps ...int) *run.Writer {
		w, err := run.Create(runs, name, run.Meta{Base: "tiny", BaseFingerprint: "another", Root: root}, file.Raw())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		for _, step := range steps {
			if err := w.Checkpoint(step, func(dir string) error {
				return os.CopyFS(dir,
					os.DirFS(adapter))
			}); err != nil {
				t.Fatal(err)
			}
		}
		return w
	}
	w := create("good", 4, 8, 12)
	if err := w.Rate(8, run.Score{}); err != nil {
		t.Fatal(err)
	}
	create("young")
	for _, name := range []string{"1", "good", w.Dir()} {
		s, err := Find(file.Snapshot, name)
		if err != nil || !strings.HasSuffix(s.Title, "step 8 (best)") || s.Base != "tiny" || s.Root != root ||
			filepath.Base(s.Adapter) != "step-000008" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		if _, err := s.Check(context.Background(), b, nil); err == nil || !strings.Contains(err.Error(), "another") {
			t.Errorf("the base of another fingerprint: %v", err)
		}
	}
	s, err := Find(file.Snapshot, adapter)
	if err != nil || s.Adapter != adapter || s.Base != "tiny" {
		t.Errorf("a folder: %+v, %v", s, err)
	}
	if note, err := s.Check(context.Background(), b, nil); note != "" || err != nil {
		t.Errorf("nothing is known of a folder's base: %q, %v", note, err)
	}
	for name, want := range map[string]string{"young": "no checkpoint yet", "7": lora.ConfigFile} {
		if _, err := Find(file.Snapshot, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", name, err, want)
		}
	}
}

// TestMergeOfARealSize merges an adapter into the checkpoint FINETUI_CHECKPOINT (go run ./ml/bench/fake makes one) and
// looks at the memory that this takes.
func TestMergeOfARealSize(t *testing.T) {
	dir := os.Getenv("FINETUI_CHECKPOINT")
	if dir == "" {
		t.Skip("FINETUI_CHECKPOINT names no checkpoint of a real size; go run ./ml/bench/fake makes one")
	}
	adapter := adapterOn(t, openBase(t, dir), nil)
	parent, err := os.MkdirTemp(filepath.Dir(dir), "merged-*") // on the disk that has room for the checkpoint
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(parent)
	folder, highest := filepath.Join(parent, "merged"), map[string]int{}
	start := time.Now()
	err = Merged(context.Background(), dir, adapter, folder, func(int, int, string) {
		status, _ := os.ReadFile("/proc/self/status")
		for _, line := range strings.Split(string(status), "\n") {
			name, value, _ := strings.Cut(line, ":")
			kilobytes := 0
			if fmt.Sscan(value, &kilobytes); name == "RssAnon" || name == "RssFile" {
				highest[name] = max(highest[name], kilobytes>>10)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("merged in %.0f s; RssAnon at most %d MB, RssFile %d MB", time.Since(start).Seconds(), highest["RssAnon"],
		highest["RssFile"])
	if highest["RssAnon"] > 1000 {
		t.Error("merging keeps too much in memory")
	}
	merged := openBase(t, folder)
	if _, err := merged.New(model.Adapt(&lora.Config{R: 1, Alpha: 1})); err != nil {
		t.Error(err)
	}
}

// A base of pickles is merged into safetensors of the same tensors, and written as it is without an adapter.
func TestBasesOfPicklesAreMergedAndCopied(t *testing.T) {
	plain := openBase(t, model.Tiny)
	adapter := adapterOn(t, plain, nil)
	merged := func(base string) string {
		folder := filepath.Join(t.TempDir(), "merged")
		if err := Merged(context.Background(), base, adapter, folder, nil); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	want := logits(t, load(t, openBase(t, merged(plain.Dir)), ""))
	for _, shards := range []int{1, 2} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(plain.Dir)); err != nil {
			t.Fatal(err)
		}
		goldentest.Pickle(t, dir, shards, func(name string) string { return name })
		folder := merged(dir)
		if got := logits(t, load(t, openBase(t, folder), "")); !slices.Equal(got, want) {
			t.Errorf("%d files: merged, it answers otherwise than the merged safetensors", shards)
		}
		if left, _ := filepath.Glob(filepath.Join(folder, "*.bin*")); len(left) > 0 {
			t.Errorf("%d files: pickles were written: %q", shards, left)
		}
		b := openBase(t, dir)
		copied := filepath.Join(t.TempDir(), "copied")
		if err := Base(context.Background(), b, copied, nil); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(logits(t, load(t, openBase(t, copied), "")), logits(t, load(t, plain, ""))) {
			t.Errorf("%d files: copied, it answers otherwise", shards)
		}
	}
}
