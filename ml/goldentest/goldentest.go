// Package goldentest finds the reference outputs that tests compare with and does the comparing. Only tests import it.
package goldentest

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/ml/safetensors"
)

// Dir is the golden folder: FINETUI_GOLDEN, or shared/golden beside the module. The test is skipped where it is absent.
func Dir(t testing.TB, elem ...string) string {
	t.Helper()
	dir := os.Getenv("FINETUI_GOLDEN")
	if dir == "" {
		wd, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for ; ; wd = filepath.Dir(wd) {
			if _, err := os.Stat(filepath.Join(wd, "go.mod")); err == nil || wd == filepath.Dir(wd) {
				break
			}
		}
		dir = filepath.Join(wd, "..", "shared", "golden")
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no reference outputs at %s; set FINETUI_GOLDEN to their folder", path)
	}
	return path
}

// JSON reads a file of the golden folder into v.
func JSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Tolerances maps "file tensor" to the absolute tolerance that the index of the tree gives.
type Tolerances map[string]float64

// LoadTolerances reads index.json of the golden folder.
func LoadTolerances(t testing.TB) Tolerances {
	t.Helper()
	var index struct {
		Files []struct {
			File    string
			Tensors []struct {
				Name  string
				Noise *struct{ Atol float64 }
			}
		}
	}
	JSON(t, filepath.Join(Dir(t), "index.json"), &index)
	tol := Tolerances{}
	for _, f := range index.Files {
		for _, x := range f.Tensors {
			if x.Noise != nil {
				tol[f.File+" "+x.Name] = x.Noise.Atol
			}
		}
	}
	return tol
}

// Golden is one file of reference tensors.
type Golden struct {
	t    testing.TB
	name string
	file *safetensors.File
	tol  Tolerances
}

// Open opens a file of the golden folder, named by its path in it.
func Open(t testing.TB, tol Tolerances, name string) *Golden {
	t.Helper()
	f, err := safetensors.Open(filepath.Join(Dir(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &Golden{t: t, name: name, file: f, tol: tol}
}

// Has says whether there is such a tensor.
func (g *Golden) Has(tensor string) bool { _, _, ok := g.file.Info(tensor); return ok }

// Names are the names of all tensors.
func (g *Golden) Names() []string { return g.file.Names() }

// Shape is a tensor's shape.
func (g *Golden) Shape(tensor string) []int { _, s, _ := g.file.Info(tensor); return s }

// Floats are a tensor's values.
func (g *Golden) Floats(tensor string) []float32 {
	g.t.Helper()
	v, err := g.file.Float32(tensor)
	if err != nil {
		g.t.Fatal(err)
	}
	return v
}

// Ints are an integer tensor's values.
func (g *Golden) Ints(tensor string) []int64 {
	g.t.Helper()
	v, err := g.file.Int64(tensor)
	if err != nil {
		g.t.Fatal(err)
	}
	return v
}

// Check fails the test where got is farther from the tensor than its tolerance.
func (g *Golden) Check(tensor string, got []float32) {
	g.t.Helper()
	want := g.Floats(tensor)
	if len(want) != len(got) {
		g.t.Errorf("%s: %s: %d values, the reference has %d", g.name, tensor, len(got), len(want))
		return
	}
	atol, ok := g.tol[g.name+" "+tensor]
	if !ok {
		g.t.Errorf("%s: %s: the index gives no tolerance", g.name, tensor)
		return
	}
	worst, at := 0.0, 0
	for i := range want {
		if d := math.Abs(float64(want[i]) - float64(got[i])); d > worst || math.IsNaN(d) {
			worst, at = d, i
			if math.IsNaN(d) {
				worst = math.Inf(1)
				break
			}
		}
	}
	if worst > atol {
		g.t.Errorf("%s: %s: off by %.3g at %d (got %g, want %g), allowed %.1g", g.name, tensor, worst, at, got[at], want[at], atol)
	}
}

// Cases are the names of the files with this ending in a golden folder, without it.
func Cases(t testing.TB, ending string, elem ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(Dir(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ending); ok {
			out = append(out, name)
		}
	}
	return out
}
