package export

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/blas"
	"finetui/ml/goldentest"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/qwen2vl"
	"finetui/ml/safetensors"
	"finetui/ml/weights"
)

// merged merges a golden adapter into a golden base.
func merged(t *testing.T, base, adapter string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "merged")
	if err := Merged(context.Background(), goldentest.Dir(t, "qwen2vl", base), goldentest.Dir(t, "qwen2vl", "lora",
		adapter), folder, nil); err != nil {
		t.Fatal(err)
	}
	return folder
}

func openFolder(t *testing.T, dir string) *safetensors.File {
	t.Helper()
	f, err := safetensors.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestGoldenMergedWeights merges adapters in both spellings into bases in both spellings: what merging changes is the
// reference's, the rest is the base's to the bit.
func TestGoldenMergedWeights(t *testing.T) {
	g := goldentest.Open(t, goldentest.LoadTolerances(t), "qwen2vl/lora/attn.merged-weights.safetensors")
	plain := openFolder(t, goldentest.Dir(t, "qwen2vl", "model"))
	for _, c := range [][2]string{{"model", "attn"}, {"model-new-names", "attn-old-names"}} {
		f := openFolder(t, merged(t, c[0], c[1]))
		if len(f.Names()) != len(plain.Names()) {
			t.Errorf("%v: %d tensors, the base has %d", c, len(f.Names()), len(plain.Names()))
		}
		for _, name := range plain.Names() {
			if g.Has(name) {
				v, err := f.Float32(name)
				if err != nil {
					t.Fatal(err)
				}
				g.Check(name, v)
				continue
			}
			want, _ := plain.Raw(name)
			if got, err := f.Raw(name); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: %s is not the base's (%v)", c, name, err)
			}
		}
	}
}

func TestGoldenMergedShards(t *testing.T) {
	base := goldentest.Dir(t, "qwen2vl", "sharded-bf16")
	folder := merged(t, "sharded-bf16", "attn")
	index := func(dir string) (v struct {
		Metadata  map[string]int
		WeightMap map[string]string `json:"weight_map"`
	}) {
		goldentest.JSON(t, filepath.Join(dir, safetensors.IndexName), &v)
		return v
	}
	was, is := index(base), index(folder)
	a, _ := json.Marshal(was)
	if b, _ := json.Marshal(is); !bytes.Equal(a, b) {
		t.Errorf("the index is %s, the base's %s", b, a)
	}
	if config, err := os.ReadFile(filepath.Join(folder, "config.json")); err != nil ||
		!bytes.Contains(config, []byte("qwen2_vl")) {
		t.Errorf("config.json: %v", err)
	}
	plain, adapted := openFolder(t, base), openFolder(t, folder)
	g := goldentest.Open(t, goldentest.LoadTolerances(t), "qwen2vl/lora/attn.merged-weights.safetensors")
	_, adapters, err := lora.Read(goldentest.Dir(t, "qwen2vl", "lora", "attn"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range plain.Names() {
		want, _ := plain.Raw(name)
		dtype, _, _ := adapted.Info(name)
		got, err := adapted.Raw(name)
		if err != nil || dtype != safetensors.BF16 {
			t.Fatalf("%s: %s, %v", name, dtype, err)
		}
		if !g.Has(name) {
			if !bytes.Equal(got, want) {
				t.Errorf("%s is not the base's", name)
			}
			continue
		}
		a := find(adapters, strings.TrimSuffix(name, ".weight"))
		start, _ := plain.Float32(name)
		a.Merge(blas.NewTeam(1), start)
		bits, _ := adapted.BF16(name)
		for i, v := range start {
			if bits[i] != safetensors.RoundBF16(v) {
				t.Fatalf("%s[%d] is %04x, the rounded sum is %04x", name, i, bits[i], safetensors.RoundBF16(v))
			}
		}
	}
}

func find(adapters []lora.Adapter, module string) *lora.Adapter {
	return &adapters[slices.IndexFunc(adapters, func(a lora.Adapter) bool { return a.Module == module })]
}

func TestGoldenMergedLogits(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	dir := merged(t, "model", "attn")
	data, err := weights.ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := qwen2vl.ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := weights.OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	m, err := qwen2vl.New(c, checkpoint, qwen2vl.Tuning{})
	if err != nil {
		t.Fatal(err)
	}
	want := goldentest.Open(t, tol, "qwen2vl/lora/attn.merged-logits.safetensors")
	tower, r := m.NewTower(nn.NewExec(1)), m.Text.NewReplica(nn.NewExec(1))
	for _, name := range goldentest.Cases(t, ".json", "qwen2vl", "cases") {
		var info struct {
			IDs       []int32    `json:"input_ids"`
			Positions [3][]int32 `json:"position_ids"`
			Images    [][3]int   `json:"image_grid_thw"`
			Videos    [][3]int   `json:"video_grid_thw"`
		}
		goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "cases", name+".json"), &info)
		pixels, shape := "pixel_values", info.Images
		switch {
		case len(info.Images) > 0 && len(info.Videos) > 0:
			continue // its rows lie in two tensors; the pictures and the clip are cases of their own
		case len(info.Videos) > 0:
			pixels, shape = "pixel_values_videos", info.Videos
		}
		var grids []qwen2vl.Grid
		var features []float32
		for _, g := range shape {
			grids = append(grids, qwen2vl.Grid{T: g[0], H: g[1], W: g[2]})
		}
		if len(grids) > 0 {
			if features, err = tower.Features(goldentest.Open(t, tol,
				"qwen2vl/cases/"+name+".safetensors").Floats(pixels), grids); err != nil {
				t.Fatal(err)
			}
		}
		_, places, err := c.Positions(info.IDs, grids)
		if err != nil {
			t.Fatal(err)
		}
		r.Load(nn.Batch{Starts: []int{0, len(info.IDs)}, IDs: info.IDs, Features: places, Pos: info.Positions})
		all := make([]int, len(info.IDs))
		for i := range all {
			all[i] = i
		}
		got, _ := r.Head.Logits(r.Hidden(features), all)
		want.Check(name+".logits", got)
	}
}

func TestGoldenTiedOutputOfAnotherSizeIsNotMerged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "adapter")
	if err := os.CopyFS(dir, os.DirFS(goldentest.Dir(t, "qwen2vl", "lora", "attn"))); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(filepath.Join(dir, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var tensors []safetensors.Tensor
	for _, name := range f.Names() {
		if !strings.Contains(name, "layers.0.self_attn.q_proj") {
			continue
		}
		dtype, shape, _ := f.Info(name)
		raw, _ := f.Raw(name)
		tensors = append(tensors, safetensors.Tensor{Name: strings.Replace(name,
			"model.language_model.layers.0.self_attn.q_proj", "lm_head", 1), DType: dtype, Shape: shape, Data: raw})
	}
	if err := os.Remove(filepath.Join(dir, "adapter_model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if err := safetensors.Write(filepath.Join(dir, "adapter_model.safetensors"), tensors, nil); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(dir, "adapter_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(filepath.Join(dir, "adapter_config.json"), 0o644)
	if err := os.WriteFile(filepath.Join(dir, "adapter_config.json"), bytes.Replace(config, []byte(`"q_proj"`),
		[]byte(`"lm_head"`), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	err = Merged(context.Background(), goldentest.Dir(t, "qwen2", "tied"), dir, filepath.Join(t.TempDir(), "merged"),
		nil)
	if err == nil || !strings.Contains(err.Error(),
		"the adapter of lm_head is made for [64, 64], the base's lm_head.weight is [512 64]") {
		t.Errorf("an adapter of a tied output of another size: %v", err)
	}
}
