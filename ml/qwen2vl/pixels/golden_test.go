package pixels

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/safetensors"
)

// decodeFile is Decode for files that must be readable.
func decodeFile(t testing.TB, path string) *RGB {
	t.Helper()
	img, _, err := Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// farthest is the largest difference of two pictures of one size, in grey levels, and the mean one.
func farthest(t testing.TB, a, b *RGB) (most int, mean float64) {
	t.Helper()
	if a.W != b.W || a.H != b.H {
		t.Fatalf("%dx%d against %dx%d pixels", a.W, a.H, b.W, b.H)
	}
	sum := 0
	for i := range a.Pix {
		d := int(a.Pix[i]) - int(b.Pix[i])
		most = max(most, d, -d)
		sum += max(d, -d)
	}
	return most, float64(sum) / float64(len(a.Pix))
}

// openTensors opens a golden safetensors file.
func openTensors(t testing.TB, path string) *safetensors.File {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// matches compares values with a golden tensor.
func matches(t *testing.T, f *safetensors.File, name string, got []float32, atol float64) {
	t.Helper()
	want, err := f.Float32(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%s %s: %d values, want %d", f.Path(), name, len(got), len(want))
		return
	}
	worst := 0.0
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
	}
	if !(worst <= atol) {
		t.Errorf("%s %s: off by %g, more than %g", f.Path(), name, worst, atol)
	}
}

func TestGoldenSmartResizeTable(t *testing.T) {
	var cases []struct {
		H, W      int
		MinPixels int `json:"min_pixels"`
		MaxPixels int `json:"max_pixels"`
		ResizedH  int `json:"resized_h"`
		ResizedW  int `json:"resized_w"`
		Tokens    int
		Error     string
	}
	goldentest.JSON(t, filepath.Join(goldentest.Dir(t), "images", "smart_resize.json"), &cases)
	for _, c := range cases {
		h, w, err := SmartResize(c.H, c.W, 28, c.MinPixels, c.MaxPixels)
		if (err != nil) != (c.Error != "") {
			t.Errorf("%+v: error %v", c, err)
			continue
		}
		if err == nil && (h != c.ResizedH || w != c.ResizedW || (Grid{1, h / 14, w / 14}).Tokens(2) != c.Tokens) {
			t.Errorf("%+v: got %dx%d", c, h, w)
		}
	}
	t.Logf("%d cases", len(cases))
}

// imageCase is an entry of images/cases.json.
type imageCase struct {
	Key       string
	Input     string
	Decoded   string
	MinPixels int   `json:"min_pixels"`
	MaxPixels int   `json:"max_pixels"`
	Grid      []int `json:"grid_thw"`
}

// source is the picture from which the case was resized: decoded by Pillow where that is stored, and with
// transparency over white, as the reference does to a picture that it is handed open.
func (c imageCase) source(t *testing.T, golden string) *RGB {
	t.Helper()
	if key, ok := strings.CutSuffix(c.Key, "-upright"); ok {
		turn := int(key[len(key)-1] - '0')
		return upright(decodeFile(t, filepath.Join(golden, "images", "decoded", key+".png")), turn)
	}
	if c.Decoded != "" {
		return decodeFile(t, filepath.Join(golden, c.Decoded))
	}
	file, err := os.ReadFile(filepath.Join(golden, c.Input))
	if err != nil {
		t.Fatal(err)
	}
	decoded, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	img := decodeFile(t, filepath.Join(golden, c.Input))
	if !opaque(decoded) {
		for i := range img.W * img.H {
			alpha := int(color.NRGBAModel.Convert(decoded.At(i%img.W, i/img.W)).(color.NRGBA).A)
			for channel := range 3 {
				img.Pix[3*i+channel] = overWhite(int(img.Pix[3*i+channel]), alpha)
			}
		}
	}
	return img
}

// overWhite is Pillow's alpha_composite over opaque white, in its fixed-point numbers.
func overWhite(v, alpha int) uint8 {
	sum := v*alpha*128 + 255*(255-alpha)*128 + 0x80*128
	return uint8((sum>>8 + sum) >> 8 >> 7)
}

func TestGoldenPicturesAreResizedAndCutIntoRows(t *testing.T) {
	golden := goldentest.Dir(t)
	var cases []imageCase
	goldentest.JSON(t, filepath.Join(golden, "images", "cases.json"), &cases)
	for _, c := range cases {
		t.Run(c.Key, func(t *testing.T) {
			p := DefaultProcessor()
			p.MinPixels, p.MaxPixels = c.MinPixels, c.MaxPixels
			img := c.source(t, golden)
			w, h, err := p.Size(img.W, img.H)
			if err != nil {
				t.Fatal(err)
			}
			wanted, prefix := filepath.Join(golden, "images", "resized-x-first", c.Key+".png"), "x_first."
			if _, err := os.Stat(wanted); err != nil {
				wanted, prefix = filepath.Join(golden, "images", "resized", c.Key+".png"), "pil."
			}
			if most, _ := farthest(t, Resize(img, w, h), decodeFile(t, wanted)); most != 0 {
				t.Errorf("resized to %dx%d it is off by up to %d grey levels", w, h, most)
			}
			rows, grid, err := p.Rows(img)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal([]int{grid.T, grid.H, grid.W}, c.Grid) {
				t.Errorf("grid %v, want %v", grid, c.Grid)
			}
			f := openTensors(t, filepath.Join(golden, "images", "pixels", c.Key+".safetensors"))
			matchesRows(t, f, prefix, rows, p.RowSize())
		})
	}
}

// matchesRows compares rows with the golden tensors of that prefix: all of them, or first, last and column means.
func matchesRows(t *testing.T, f *safetensors.File, prefix string, rows []float32, size int) {
	t.Helper()
	const atol = 1e-6 // the goldens allow 1e-6 to 5e-6
	if _, _, ok := f.Info(prefix + "full"); ok {
		matches(t, f, prefix+"full", rows, atol)
		return
	}
	const few = 4
	matches(t, f, prefix+"first", rows[:few*size], atol)
	matches(t, f, prefix+"last", rows[len(rows)-few*size:], atol)
	means := make([]float32, size)
	for column := range means {
		sum := 0.0
		for at := column; at < len(rows); at += size {
			sum += float64(rows[at])
		}
		means[column] = float32(sum / float64(len(rows)/size))
	}
	matches(t, f, prefix+"column_means", means, atol)
}

func TestGoldenModelInputsAreThePictures(t *testing.T) {
	golden := goldentest.Dir(t)
	p := DefaultProcessor()
	for _, name := range goldentest.Cases(t, ".json", "qwen2vl", "cases") {
		t.Run(name, func(t *testing.T) {
			var c struct{ Media []string }
			goldentest.JSON(t, filepath.Join(golden, "qwen2vl", "cases", name+".json"), &c)
			var images, videos []float32
			var frames []*RGB
			for _, path := range c.Media {
				img := decodeFile(t, filepath.Join(golden, path))
				if strings.Contains(filepath.Base(path), "-frame") {
					frames = append(frames, img)
					continue
				}
				rows, _, err := p.Rows(img)
				if err != nil {
					t.Fatal(err)
				}
				images = append(images, rows...)
			}
			f := openTensors(t, filepath.Join(golden, "qwen2vl", "cases", name+".safetensors"))
			if images != nil {
				matches(t, f, "pixel_values", images, 1e-6)
			}
			if frames != nil {
				var err error
				var grid Grid
				if videos, grid, err = p.Frames(frames); err != nil {
					t.Fatal(err)
				}
				matches(t, f, "pixel_values_videos", videos, 1e-6)
				want, err := f.Int64("video_grid_thw")
				if err != nil || !slices.Equal(want, []int64{int64(grid.T), int64(grid.H), int64(grid.W)}) {
					t.Errorf("grid %v, want %v (%v)", grid, want, err)
				}
			}
		})
	}
}

// Decoders of JPEG may differ by a level or two; what this guards is the filter between colour samples, without which
// coloured edges are off by dozens.
func TestGoldenJPEGsAreDecodedCloseToPillow(t *testing.T) {
	golden := goldentest.Dir(t)
	shared := filepath.Dir(golden)
	var cases []imageCase
	goldentest.JSON(t, filepath.Join(golden, "images", "cases.json"), &cases)
	for _, c := range cases {
		if c.Decoded == "" || filepath.Ext(c.Input) != ".jpg" || strings.HasSuffix(c.Key, "-down") || strings.HasSuffix(c.Key, "-up") {
			continue
		}
		path := filepath.Join(golden, c.Input)
		if _, err := os.Stat(path); err != nil {
			path = filepath.Join(shared, "data", c.Input)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Logf("%s: %v", c.Key, err)
			continue
		}
		want := decodeFile(t, filepath.Join(golden, c.Decoded))
		want = upright(want, orientation(file))
		most, mean := farthest(t, decodeFile(t, path), want)
		t.Logf("%s: off by up to %d levels, %.3f on average", c.Key, most, mean)
		if most > 4 || mean > 0.5 {
			t.Errorf("%s: off by up to %d levels, %.3f on average", c.Key, most, mean)
		}
	}
}

func TestGoldenSixteenBitRGBKeepsTheUpperByte(t *testing.T) {
	golden := goldentest.Dir(t)
	path := filepath.Join(golden, "images", "input", "rgb16.png")
	if _, err := os.Stat(path); err != nil {
		t.Skip(err)
	}
	img, notes, err := Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	if most, _ := farthest(t, img, decodeFile(t, filepath.Join(golden, "images", "decoded", "rgb16.png"))); most != 0 {
		t.Errorf("off by %d levels", most)
	}
	if len(notes) != 1 || notes[0].Code != NoteDeep {
		t.Errorf("notes %v", notes)
	}
}
