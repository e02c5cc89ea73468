package weights

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/safetensors"
)

func storeOf(t *testing.T, tensors ...safetensors.Tensor) *safetensors.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := safetensors.Write(path, tensors, nil); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestStoredGivesTensorsUnderTheModelsNames(t *testing.T) {
	var s Stored
	defer s.Close()
	strip := func(prefix string) func(string) (string, bool) {
		return func(stored string) (string, bool) { return strings.CutPrefix(stored, prefix) }
	}
	if err := s.Add(storeOf(t, safetensors.FromFloat32("module.a", []int{2, 1, 2}, []float32{1, 2, 3, 4}),
		safetensors.FromFloat32("other.b", []int{1}, []float32{9})), strip("module.")); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(storeOf(t, safetensors.FromFloat32AsBF16("b", []int{1, 2}, []float32{5, 6}),
		safetensors.FromFloat32("c", []int{2}, []float32{7, 8})), strip("")); err != nil {
		t.Fatal(err)
	}
	if names := s.Names(""); !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("its tensors are %q", names)
	}
	a, err := s.Matrix("a", 2, 2)
	if err != nil || !slices.Equal(a.F32, []float32{1, 2, 3, 4}) {
		t.Errorf("a is %v, %v", a.F32, err)
	}
	if b, err := s.Matrix("b", 1, 2); err != nil || len(b.BF16) != 2 {
		t.Errorf("b is %v, %v: it was to stay bfloat16", b, err)
	}
	if c, err := s.Vector("c", 2); err != nil || !slices.Equal(c, []float32{7, 8}) {
		t.Errorf("c is %v, %v", c, err)
	}
	for want, ask := range map[string]func() error{
		"missing":           func() error { _, err := s.Vector("d", 2); return err },
		"is [2 1 2]":        func() error { _, err := s.Matrix("a", 4, 1); return err },
		"is [2], the model": func() error { _, err := s.Vector("c", 3); return err },
		"keep one": func() error {
			return s.Add(storeOf(t, safetensors.FromFloat32("c", nil, []float32{1})), strip(""))
		},
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
