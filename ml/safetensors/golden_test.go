package safetensors_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/safetensors"
)

// Every safetensors file of the golden folder was written by the reference writer: reading it and writing it again
// must give the same bytes.
func TestGoldenFilesAreRewrittenByteForByte(t *testing.T) {
	golden := goldentest.Dir(t)
	files, again := 0, filepath.Join(t.TempDir(), "again.safetensors")
	err := filepath.WalkDir(golden, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".safetensors" {
			return err
		}
		files++
		f, err := safetensors.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		var tensors []safetensors.Tensor
		for _, name := range f.Names() {
			dtype, shape, _ := f.Info(name)
			data, err := f.Raw(name)
			if err != nil {
				return err
			}
			tensors = append(tensors, safetensors.Tensor{Name: name, DType: dtype, Shape: shape, Data: data})
		}
		if err := safetensors.Write(again, tensors, f.Metadata()); err != nil {
			return err
		}
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if got, err := os.ReadFile(again); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is written differently (%v)", path, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if files == 0 {
		t.Skipf("%s holds no safetensors files", golden)
	}
	t.Logf("%d files", files)
}

func TestGoldenShardsAreTheRoundedWeights(t *testing.T) {
	shards, err := safetensors.OpenFolder(goldentest.Dir(t, "qwen2", "sharded-bf16"))
	if err != nil {
		t.Fatal(err)
	}
	defer shards.Close()
	single, err := safetensors.OpenFolder(goldentest.Dir(t, "qwen2", "untied"))
	if err != nil {
		t.Fatal(err)
	}
	defer single.Close()
	if !slices.Equal(shards.Names(), single.Names()) {
		t.Fatalf("the shards hold %d tensors, the single file %d", len(shards.Names()), len(single.Names()))
	}
	for _, name := range single.Names() {
		exact, err := single.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		bits, err := shards.BF16(name)
		if err != nil {
			t.Fatal(err)
		}
		widened, err := shards.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range exact {
			if bits[i] != safetensors.RoundBF16(v) || widened[i] != safetensors.WidenBF16(bits[i]) {
				t.Fatalf("%s[%d]: %g is stored as %04x and widened to %g", name, i, v, bits[i], widened[i])
			}
		}
	}
}

func TestForeignFilesAreRead(t *testing.T) {
	dir := goldentest.Shared(t, "data", "safetensors")
	for _, name := range []string{"jfk-codes.safetensors", "voices.safetensors"} {
		f, err := safetensors.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, tensorName := range f.Names() {
			dtype, shape, _ := f.Info(tensorName)
			t.Logf("%s: %s %s%v", name, tensorName, dtype, shape)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
