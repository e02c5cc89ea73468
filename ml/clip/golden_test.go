package clip

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/safetensors"
	"finetui/ml/weights"
)

// open is the tower of a golden folder, with its last layer, whose result no features are.
func open(t *testing.T, folder string, layer int) *Model {
	t.Helper()
	dir := goldentest.Dir(t, "mobile-videogpt", folder)
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	var src weights.Stored
	t.Cleanup(func() { src.Close() })
	if err := src.Add(file, Classic); err != nil {
		t.Fatal(err)
	}
	c.Layer = layer
	m, err := New(c, &src, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func decoded(t *testing.T, elem ...string) *picture.RGB {
	t.Helper()
	img, _, err := picture.Decode(goldentest.Dir(t, append([]string{"mobile-videogpt"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// planes are a frame's patches as the reference stores them: channel, row, column.
func planes(c Config, rows []float32) []float32 {
	out := make([]float32, len(rows))
	side := c.Side / c.Patch
	for i, v := range rows {
		patch, at := i/c.PatchWidth(), i%c.PatchWidth()
		channel, y, x := at/(c.Patch*c.Patch), at/c.Patch%c.Patch, at%c.Patch
		out[(channel*c.Side+patch/side*c.Patch+y)*c.Side+patch%side*c.Patch+x] = v
	}
	return out
}

func TestGoldenPixels(t *testing.T) {
	tol := goldentest.FolderTolerances(t, "mobile-videogpt")
	g := goldentest.Open(t, tol, "mobile-videogpt/clip/outputs.safetensors")
	var notes []struct {
		File    string
		Resized [2]int `json:"resized_hw"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "mobile-videogpt", "clip", "images", "notes.json"), &notes)
	c := Published()
	var pixels []float32
	for i, n := range notes {
		want := decoded(t, "clip", "images", strconv.Itoa(i)+"_resized.png")
		if got := picture.Resize(decoded(t, "clip", "images", n.File), want.W, want.H); string(got.Pix) !=
			string(want.Pix) {
			t.Errorf("%s: resized to other bytes than Pillow's", n.File)
		}
		frame, err := c.Frame(decoded(t, "clip", "images", n.File))
		if err != nil {
			t.Fatal(err)
		}
		pixels = append(pixels, planes(c, c.Rows(nil, frame))...)
	}
	g.Check("pixel_values", pixels)
}

// TestGoldenTower holds every stage of the tower against the reference, from a file of the tower alone and from one of
// a whole CLIP.
func TestGoldenTower(t *testing.T) {
	tol := goldentest.FolderTolerances(t, "mobile-videogpt")
	for _, folder := range []string{"clip/hf", "clip/hf_full"} {
		t.Run(folder, func(t *testing.T) {
			g := goldentest.Open(t, tol, "mobile-videogpt/clip/outputs.safetensors")
			m := open(t, folder, -1)
			var rows []float32
			for i := range g.Shape("embeddings")[0] {
				frame, err := m.Config.Frame(decoded(t, "clip", "images", strconv.Itoa(i)+".png"))
				if err != nil {
					t.Fatal(err)
				}
				rows = m.Config.Rows(rows, frame)
			}
			if _, err := m.NewTower(nn.NewExec(2)).run(rows, g.Check); err != nil {
				t.Fatal(err)
			}
			features, err := open(t, folder, -2).NewTower(nn.NewExec(1)).Features(rows)
			if err != nil {
				t.Fatal(err)
			}
			g.Check("features", features)
			g.Complete("pixel_values")
		})
	}
}
