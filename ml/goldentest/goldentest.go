// Package goldentest finds the reference outputs that tests compare with and does the comparing, and gives them
// checkpoints that no file holds. Only tests import it.
package goldentest

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/safetensors"
)

// Dir is a place in the golden folder: FINETUI_GOLDEN, or shared/golden beside the module, or where that is absent the
// small one of the module itself, testdata/golden. The test is skipped where the place is absent.
func Dir(t testing.TB, elem ...string) string {
	t.Helper()
	return outside(t, "FINETUI_GOLDEN", []string{"shared", "golden"}, elem)
}

// Shared is a place in the folder of data that is shared with the project: FINETUI_SHARED, or shared beside the module.
// The test is skipped where the place is absent.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	return outside(t, "FINETUI_SHARED", []string{"shared"}, elem)
}

// outside is a place below the folder that the environment variable names, from the module's root where it is relative,
// or below usual beside the module. A folder that was named must be there.
func outside(t testing.TB, variable string, usual, elem []string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil || root == filepath.Dir(root) {
			break
		}
		root = filepath.Dir(root)
	}
	dir := os.Getenv(variable)
	switch {
	case dir == "":
		dir = filepath.Join(append([]string{filepath.Dir(root)}, usual...)...)
		if _, err := os.Stat(dir); err != nil && variable == "FINETUI_GOLDEN" {
			dir = filepath.Join(root, "testdata", "golden")
		}
	case !filepath.IsAbs(dir):
		dir = filepath.Join(root, dir)
	}
	if _, err := os.Stat(dir); err != nil && os.Getenv(variable) != "" {
		t.Fatalf("%s names a folder that is not there: %v", variable, err)
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here; set %s to the folder that holds it", path, variable)
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
	JSON(t, Dir(t, "index.json"), &index)
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

// Golden is one file of reference tensors. It remembers which of them a test has looked at.
type Golden struct {
	t    testing.TB
	name string
	file *safetensors.File
	tol  Tolerances
	seen map[string]bool
}

// Open opens a file of the golden folder, named by its path in it.
func Open(t testing.TB, tol Tolerances, name string) *Golden {
	t.Helper()
	f, err := safetensors.Open(Dir(t, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &Golden{t: t, name: name, file: f, tol: tol, seen: map[string]bool{}}
}

// In is the file for a subtest, which its errors shall belong to.
func (g *Golden) In(t testing.TB) *Golden {
	other := *g
	other.t = t
	return &other
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
	g.seen[tensor] = true
	return v
}

// Ints are an integer tensor's values.
func (g *Golden) Ints(tensor string) []int64 {
	g.t.Helper()
	v, err := g.file.Int64(tensor)
	if err != nil {
		g.t.Fatal(err)
	}
	g.seen[tensor] = true
	return v
}

// IDs are an integer tensor's values as token ids.
func (g *Golden) IDs(tensor string) []int32 {
	g.t.Helper()
	var ids []int32
	for _, v := range g.Ints(tensor) {
		ids = append(ids, int32(v))
	}
	return ids
}

// Atol is the absolute tolerance of a tensor.
func (g *Golden) Atol(tensor string) float64 {
	g.t.Helper()
	atol, ok := g.tol[g.name+" "+tensor]
	if !ok {
		g.t.Errorf("%s: %s: the index gives no tolerance", g.name, tensor)
	}
	return atol
}

// Check fails the test where got is farther from the tensor than its tolerance.
func (g *Golden) Check(tensor string, got []float32) {
	g.t.Helper()
	want, atol := g.Floats(tensor), g.Atol(tensor)
	if len(want) != len(got) {
		g.t.Errorf("%s: %s: %d values, the reference has %d", g.name, tensor, len(got), len(want))
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
		g.t.Errorf("%s: %s: off by %.3g at %d (got %g, want %g), allowed %.1g", g.name, tensor, worst, at, got[at],
			want[at], atol)
	}
}

// CheckInts fails the test where got differs from the tensor.
func (g *Golden) CheckInts(tensor string, got []int64) {
	g.t.Helper()
	if want := g.Ints(tensor); !slices.Equal(got, want) {
		g.t.Errorf("%s: %s is %v, want %v", g.name, tensor, got, want)
	}
}

// Complete fails the test for each tensor that it did not look at and whose name does not end with one of the endings.
func (g *Golden) Complete(except ...string) {
	g.t.Helper()
	for _, name := range g.Names() {
		left := slices.ContainsFunc(except, func(ending string) bool { return strings.HasSuffix(name, ending) })
		if !g.seen[name] && !left {
			g.t.Errorf("%s: %s was compared with nothing", g.name, name)
		}
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
