package mobilevideogpt

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/safetensors"
	"finetui/ml/weights"
)

// tensorsOf are all that a base's folder gives its model: language model, projectors and encoders.
func tensorsOf(t *testing.T, dir string) (all []weights.Tensor, files []string) {
	t.Helper()
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
	defer towers.Close()
	base, err := weights.OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	m, err := New(c, base, towers, Tuning{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range m.Tensors() {
		x.Value = slices.Clone(x.Value) // the files are closed
		all = append(all, x)
	}
	for _, name := range towers.Names("") {
		shape, _ := towers.Shape(name)
		n := 1
		for _, d := range shape {
			n *= d
		}
		x := weights.Tensor{Name: name, Shape: shape}
		if len(shape) < 2 {
			x.Value, err = towers.Vector(name, n)
		} else {
			matrix, failed := towers.Matrix(name, shape[0], n/max(shape[0], 1))
			x.Value, err = weights.Floats(matrix), failed
		}
		if err != nil {
			t.Fatal(err)
		}
		x.Value = slices.Clone(x.Value)
		all = append(all, x)
	}
	for _, path := range towers.Files() {
		files = append(files, filepath.Base(path))
	}
	return all, files
}

// TestImageEncodersWithoutConfigHaveTheSizesOfTheirTensors takes CLIP as one file, with heads of the usual width.
func TestImageEncodersWithoutConfigHaveTheSizesOfTheirTensors(t *testing.T) {
	for hidden, heads := range map[int]int{128: 2, 48: 0} {
		root := t.TempDir()
		if err := os.CopyFS(root, os.DirFS(golden(t, "model"))); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(root, "clip")); err != nil {
			t.Fatal(err)
		}
		zero := func(name string, shape ...int) safetensors.Tensor {
			n := 1
			for _, d := range shape {
				n *= d
			}
			return safetensors.FromFloat32("vision_model."+name, shape, make([]float32, n))
		}
		goldentest.TorchSave(t, filepath.Join(root, "clip.bin"), []safetensors.Tensor{
			zero("embeddings.patch_embedding.weight", hidden, 3, 16, 16),
			zero("embeddings.position_embedding.weight", 197, hidden),
			zero("encoder.layers.0.mlp.fc1.weight", 96, hidden), zero("encoder.layers.1.mlp.fc1.weight", 96, hidden)})
		data, err := weights.ReadConfig(filepath.Join(root, "base"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := ParseConfig(data)
		if err != nil {
			t.Fatal(err)
		}
		towers, c, err := c.OpenTowers(filepath.Join(root, "base"))
		if heads == 0 {
			if err == nil || !strings.Contains(err.Error(), "how many heads") {
				t.Errorf("%d wide: error %v", hidden, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		towers.Close()
		if i := c.Image; i.Hidden != hidden || i.Heads != heads || i.Layers != 2 || i.Inner != 96 || i.Side != 224 ||
			i.Patch != 16 || i.Layer != -2 {
			t.Errorf("%d wide: it is %+v", hidden, i)
		}
	}
}

// TestBasesOfPicklesAreThoseOfSafetensors lays the golden base out in the ways of published checkpoints, as torch.save
// writes them.
func TestBasesOfPicklesAreThoseOfSafetensors(t *testing.T) {
	want, _ := tensorsOf(t, golden(t, "model", "base"))
	same := func(name string) string { return name }
	drop := func(prefix string) func(string) string {
		return func(name string) string { return strings.TrimPrefix(name, prefix) }
	}
	put := func(prefix string) func(string) string { return func(name string) string { return prefix + name } }
	mamba := func(t *testing.T, root string, rename func(string) string, more ...string) []safetensors.Tensor {
		f, err := safetensors.Open(filepath.Join(root, "videomamba.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var out []safetensors.Tensor
		for _, name := range f.Names() {
			v, err := f.Float32(name)
			if err != nil {
				t.Fatal(err)
			}
			_, shape, _ := f.Info(name)
			out = append(out, safetensors.FromFloat32(rename(name), slices.Clone(shape), slices.Clone(v)))
		}
		for _, name := range more {
			out = append(out, safetensors.FromFloat32(name, []int{1}, []float32{9}))
		}
		return out
	}
	noMamba := func(t *testing.T, root string) {
		for _, name := range []string{"videomamba.safetensors", "videomamba.pth"} {
			if err := os.Remove(filepath.Join(root, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, lay := range map[string]func(t *testing.T, root string){
		"one file": func(t *testing.T, root string) { goldentest.Pickle(t, filepath.Join(root, "base"), 1, same) },
		"shards":   func(t *testing.T, root string) { goldentest.Pickle(t, filepath.Join(root, "base"), 3, same) },
		"CLIP's":   func(t *testing.T, root string) { goldentest.Pickle(t, filepath.Join(root, "clip"), 1, same) },
		"CLIP's shards": func(t *testing.T, root string) {
			goldentest.Pickle(t, filepath.Join(root, "clip"), 2, same)
		},
		"CLIP without vision_model": func(t *testing.T, root string) {
			goldentest.Pickle(t, filepath.Join(root, "clip"), 1, drop("vision_model."))
		},
		"the video encoder's": func(t *testing.T, root string) {
			list := mamba(t, root, same, "clip_decoder.0.weight", "text_encoder.x")
			noMamba(t, root)
			goldentest.TorchSave(t, filepath.Join(root, "videomamba.pth"), list)
		},
		"the video encoder's without prefix": func(t *testing.T, root string) {
			list := mamba(t, root, drop("vision_encoder."))
			noMamba(t, root)
			goldentest.TorchSave(t, filepath.Join(root, "base", "videomamba.bin"), list)
		},
		"the video encoder's of a parallel trainer": func(t *testing.T, root string) {
			list := mamba(t, root, put("module."))
			noMamba(t, root)
			goldentest.TorchSave(t, filepath.Join(root, "videomamba.pt"), list)
		},
		"CLIP in a file beside its config.json": func(t *testing.T, root string) {
			goldentest.Pickle(t, filepath.Join(root, "clip"), 1, put("clip."))
			err := os.Rename(filepath.Join(root, "clip", "pytorch_model.bin"), filepath.Join(root, "clip", "b16.pt"))
			if err != nil {
				t.Fatal(err)
			}
		},
		"all in the base": func(t *testing.T, root string) {
			dir := filepath.Join(root, "base")
			list := mamba(t, root, put("model.vision_tower."))
			for _, part := range []struct{ path, prefix string }{{dir, ""},
				{filepath.Join(root, "clip"), "model.image_vision_tower.image_vision_tower."}} {
				f, err := safetensors.OpenFolder(part.path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				for _, name := range f.Names() {
					dtype, shape, _ := f.Info(name)
					raw, err := f.Raw(name)
					if err != nil {
						t.Fatal(err)
					}
					list = append(list, safetensors.Tensor{Name: part.prefix + name, DType: dtype, Shape: shape,
						Data: raw})
				}
			}
			goldentest.TorchSave(t, filepath.Join(dir, "pytorch_model.bin"), list)
			if err := os.Remove(filepath.Join(dir, safetensors.SingleName)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.CopyFS(root, os.DirFS(golden(t, "model"))); err != nil {
				t.Fatal(err)
			}
			lay(t, root)
			got, files := tensorsOf(t, filepath.Join(root, "base"))
			if len(got) != len(want) {
				t.Fatalf("%d tensors of %q, want %d", len(got), files, len(want))
			}
			for i, x := range got {
				if x.Name != want[i].Name || !slices.Equal(x.Value, want[i].Value) {
					t.Errorf("%s is not the %s of safetensors", x.Name, want[i].Name)
				}
			}
		})
	}
}
