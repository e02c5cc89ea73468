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
	"finetui/ml/picture"
)

// decodeFile is Decode for files that must be readable.
func decodeFile(t testing.TB, path string) *picture.RGB {
	t.Helper()
	img, _, err := picture.Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// farthest is the largest difference of two pictures of one size, in grey levels, and the mean one.
func farthest(t testing.TB, a, b *picture.RGB) (most int, mean float64) {
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

// matches compares values with a golden tensor, closer than the goldens ask (1e-6 to 5e-6).
func matches(t *testing.T, g *goldentest.Golden, name string, got []float32) {
	t.Helper()
	want, worst := g.Floats(name), 0.0
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", name, len(got), len(want))
		return
	}
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
	}
	if !(worst <= 1e-6) {
		t.Errorf("%s: off by %g", name, worst)
	}
}

// flat is a grid as tensors hold it.
func flat(g Grid) []int64 { return []int64{int64(g.T), int64(g.H), int64(g.W)} }

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
	goldentest.JSON(t, goldentest.Dir(t, "images", "smart_resize.json"), &cases)
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
	Mode      string
	MinPixels int `json:"min_pixels"`
	MaxPixels int `json:"max_pixels"`
	ResizedH  int `json:"resized_height"`
	ResizedW  int `json:"resized_width"`
	Tokens    int
	Rows      int
	Grid      []int `json:"grid_thw"`
	ByPath    *struct {
		PIL struct {
			Height, Width int
			Same          bool `json:"equals_the_golden_rgb"`
		}
	} `json:"loaded_by_path"`
}

// source is the picture from which the case was resized: decoded by Pillow where that is stored, and with
// transparency over white, as the reference does to a picture that it is handed open.
func (c imageCase) source(t *testing.T, golden string) *picture.RGB {
	t.Helper()
	if key, ok := strings.CutSuffix(c.Key, "-upright"); ok {
		turn := int(key[len(key)-1] - '0')
		return picture.Upright(decodeFile(t, filepath.Join(golden, "images", "decoded", key+".png")), turn)
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
	if o, ok := decoded.(interface{ Opaque() bool }); ok && !o.Opaque() {
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
	golden, tolerances := filepath.Dir(filepath.Dir(goldentest.Dir(t, "images", "cases.json"))),
		goldentest.LoadTolerances(t)
	var cases []imageCase
	goldentest.JSON(t, filepath.Join(golden, "images", "cases.json"), &cases)
	for _, c := range cases {
		t.Run(c.Key, func(t *testing.T) {
			p := DefaultProcessor()
			p.MinPixels, p.MaxPixels = c.MinPixels, c.MaxPixels
			img := c.source(t, golden)
			w, h, err := p.Size(img.W, img.H)
			if err != nil || w != c.ResizedW || h != c.ResizedH {
				t.Fatalf("resized to %dx%d (%v), want %dx%d", w, h, err, c.ResizedW, c.ResizedH)
			}
			wanted, prefix := filepath.Join(golden, "images", "resized-x-first", c.Key+".png"), "x_first."
			if _, err := os.Stat(wanted); err != nil {
				wanted, prefix = filepath.Join(golden, "images", "resized", c.Key+".png"), "pil."
			}
			if most, _ := farthest(t, picture.Resize(img, w, h), decodeFile(t, wanted)); most != 0 {
				t.Errorf("resized to %dx%d it is off by up to %d grey levels", w, h, most)
			}
			rows, grid, err := p.Rows(img)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal([]int{grid.T, grid.H, grid.W}, c.Grid) || grid.Tokens(p.Merge) != c.Tokens ||
				len(rows) != c.Rows*p.RowSize() {
				t.Errorf("grid %v of %d tokens, want %v of %d", grid, grid.Tokens(p.Merge), c.Grid, c.Tokens)
			}
			g := goldentest.Open(t, tolerances, "images/pixels/"+c.Key+".safetensors")
			g.CheckInts("image_grid_thw", flat(grid))
			matchesRows(t, g, prefix, rows, p.RowSize())
			left := []string{"torchvision.full"} // the other processor, which resizes a little differently
			if prefix == "x_first." {            // Pillow 13's order is not that of the published models
				left = append(left, "pil.full", "pil.first", "pil.last", "pil.column_means")
			}
			g.Complete(left...)
		})
	}
}

// matchesRows compares rows with the golden tensors of that prefix: all of them, or first, last and column means.
func matchesRows(t *testing.T, g *goldentest.Golden, prefix string, rows []float32, size int) {
	t.Helper()
	if g.Has(prefix + "full") {
		matches(t, g, prefix+"full", rows)
		return
	}
	few := len(g.Floats(prefix+"first")) / size
	matches(t, g, prefix+"first", rows[:few*size])
	matches(t, g, prefix+"last", rows[len(rows)-few*size:])
	means := make([]float32, size)
	for column := range means {
		sum := 0.0
		for at := column; at < len(rows); at += size {
			sum += float64(rows[at])
		}
		means[column] = float32(sum / float64(len(rows)/size))
	}
	matches(t, g, prefix+"column_means", means)
}

// TestGoldenFilesAreReadAsByPath compares what a file becomes with what trainers get who load it by its path: turned as
// EXIF says, transparency dropped. JPEG is left to TestGoldenJPEGsAreDecodedCloseToPillow. Of 16-bit grey Pillow keeps
// no more than black and white, which we do not follow.
func TestGoldenFilesAreReadAsByPath(t *testing.T) {
	golden := filepath.Dir(filepath.Dir(goldentest.Dir(t, "images", "cases.json")))
	var cases []imageCase
	goldentest.JSON(t, filepath.Join(golden, "images", "cases.json"), &cases)
	compared := 0
	for _, c := range cases {
		if c.ByPath == nil {
			continue
		}
		compared++
		img, want := decodeFile(t, filepath.Join(golden, c.Input)), c.ByPath.PIL
		if img.H != want.Height || img.W != want.Width {
			t.Errorf("%s: %dx%d pixels, want %dx%d", c.Key, img.W, img.H, want.Width, want.Height)
			continue
		}
		if filepath.Ext(c.Input) != ".png" || c.Mode == "I;16" {
			continue
		}
		most, _ := farthest(t, img, c.source(t, golden))
		if want.Same != (most == 0) {
			t.Errorf("%s: off by %d levels from the picture over white; by path it is equal: %v", c.Key,
				most, want.Same)
		}
	}
	if compared == 0 {
		t.Error("no case tells how it is read by its path")
	}
}

func TestGoldenModelInputsAreThePictures(t *testing.T) {
	golden, tolerances := filepath.Dir(filepath.Dir(goldentest.Dir(t, "qwen2vl", "media"))),
		goldentest.LoadTolerances(t)
	p := DefaultProcessor()
	for _, name := range goldentest.Cases(t, ".json", "qwen2vl", "cases") {
		t.Run(name, func(t *testing.T) {
			var c struct{ Media []string }
			goldentest.JSON(t, filepath.Join(golden, "qwen2vl", "cases", name+".json"), &c)
			var images, videos []float32
			var frames []*picture.RGB
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
			g := goldentest.Open(t, tolerances, "qwen2vl/cases/"+name+".safetensors")
			if images != nil {
				matches(t, g, "pixel_values", images)
			}
			if frames != nil {
				var err error
				var grid Grid
				if videos, grid, err = p.Frames(frames); err != nil {
					t.Fatal(err)
				}
				matches(t, g, "pixel_values_videos", videos)
				g.CheckInts("video_grid_thw", flat(grid))
			}
		})
	}
}
