package videomamba

import (
	"fmt"
	"strings"
	"testing"

	"finetui/ml/blas"
	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/weights"
)

// open is the encoder of a golden file, of either format.
func open(t *testing.T, name string) *Model {
	t.Helper()
	path := goldentest.Dir(t, "mobile-videogpt", name)
	store, err := weights.Open(path, Containers...)
	if err != nil {
		t.Fatal(err)
	}
	var src weights.Stored
	t.Cleanup(func() { src.Close() })
	if err := src.Add(store, Classic); err != nil {
		t.Fatal(err)
	}
	c, err := ConfigOf(&src, "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(c, &src, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func decoded(t *testing.T, elem ...string) *picture.RGB {
	t.Helper()
	img, _, err := picture.Decode(goldentest.Dir(t, append([]string{"mobile-videogpt", "videomamba"}, elem...)...))
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
	c := Published()
	var notes []struct{ File string }
	goldentest.JSON(t, goldentest.Dir(t, "mobile-videogpt", "videomamba", "preprocess", "notes.json"), &notes)
	for _, n := range notes {
		frame, err := c.Frame(decoded(t, "preprocess", n.File))
		if err != nil {
			t.Fatal(err)
		}
		small := strings.TrimSuffix(n.File, ".png") + "_224.png"
		if want := decoded(t, "preprocess", small); string(frame.Pix) != string(want.Pix) {
			t.Errorf("%s: resized to other bytes than OpenCV's", n.File)
		}
	}
	g := goldentest.Open(t, tol, "mobile-videogpt/videomamba/preprocess/0_normalised.safetensors")
	g.Check("pixels", planes(c, c.Rows(nil, decoded(t, "preprocess", "0_224.png"))))
	g.Complete()
}

// TestGoldenEncoder holds every stage against the reference. Its residual is what enters a block, and its hidden what
// the block adds.
func TestGoldenEncoder(t *testing.T) {
	tol := goldentest.FolderTolerances(t, "mobile-videogpt")
	for _, name := range []string{"videomamba/videomamba_tiny.safetensors", "videomamba/videomamba_tiny.pth"} {
		t.Run(name, func(t *testing.T) {
			g := goldentest.Open(t, tol, "mobile-videogpt/videomamba/outputs.safetensors")
			m := open(t, name)
			var rows []float32
			for i := range m.Config.Frames {
				frame := decoded(t, "frames", fmt.Sprint(i)+".png")
				rows = m.Config.Rows(rows, frame)
				if i == 0 {
					for j, v := range planes(m.Config, rows) {
						if d := v - g.Floats("input.frame0")[j]; d > 1e-5 || d < -1e-5 {
							t.Fatalf("pixel %d of frame 0 is off by %g", j, d)
						}
					}
				}
			}
			var entered []float32
			last := ""
			added := func(x []float32) {
				if last != "" {
					hidden := append([]float32(nil), x...)
					blas.Axpy(hidden, entered, -1)
					g.Check(last+".hidden", hidden)
				}
				entered = append(entered[:0], x...)
			}
			encoder := m.NewEncoder(nn.NewExec(2))
			_, err := encoder.run(rows, func(stage string, x []float32) {
				switch {
				case strings.HasPrefix(stage, "block"):
					added(x)
					g.Check(stage+".residual", x)
					last = stage
				case stage == "stream":
					added(x)
				default:
					g.Check(stage, x)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			features, err := encoder.Features(rows)
			if err != nil {
				t.Fatal(err)
			}
			g.Check("output", features)
			g.Complete()
		})
	}
}
