package pixels

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/picture"
)

// noisy is a picture of seeded noise.
func noisy(w, h int) *picture.RGB {
	img := picture.NewRGB(w, h)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = uint8(rng.UintN(256))
	}
	return img
}

func TestSmartResizeKeepsItsPromises(t *testing.T) {
	for _, c := range []struct{ h, w, wantH, wantW int }{
		{294, 294, 280, 280}, // 10.5 units are rounded to the even 10
		{322, 322, 336, 336}, // 11.5 to 12
		{30, 30, 56, 56},
		{480, 640, 476, 644},
	} {
		if h, w, err := SmartResize(c.h, c.w, 28, 3136, 12845056); err != nil || h != c.wantH || w != c.wantW {
			t.Errorf("%dx%d gives %dx%d (%v), want %dx%d", c.h, c.w, h, w, err, c.wantH, c.wantW)
		}
	}
	for _, side := range [][2]int{{0, 10}, {10, -1}, {1, 201}, {4020, 20}} {
		if _, _, err := SmartResize(side[0], side[1], 28, 3136, 12845056); err == nil {
			t.Errorf("%v: no error", side)
		}
	}
}

// plain is a processor whose values are the grey levels themselves, up to rounding.
func plain() Processor {
	return Processor{Patch: 2, Merge: 2, Temporal: 2, MinPixels: 1, MaxPixels: 1 << 20, Std: [3]float32{1.0 / 255,
		1.0 / 255, 1.0 / 255}}
}

func TestRowsComeInMergeBlocksAndColumnsByChannel(t *testing.T) {
	p := plain()
	img := picture.NewRGB(8, 4) // 4×2 patches, two merge blocks side by side
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	rows, grid, err := p.Rows(img)
	if err != nil || grid != (Grid{1, 2, 4}) || len(rows) != 8*p.RowSize() {
		t.Fatalf("grid %v, %d values, %v", grid, len(rows), err)
	}
	level := func(x, y, channel int) float32 { return float32(3*(8*y+x) + channel) }
	for r, origin := range [][2]int{{0, 0}, {2, 0}, {0, 2}, {2, 2}, {4, 0}, {6, 0}, {4, 2}, {6, 2}} {
		row := rows[r*p.RowSize():]
		i := 0
		for channel := range 3 {
			for range p.Temporal {
				for y := range 2 {
					for x := range 2 {
						if want := level(origin[0]+x, origin[1]+y, channel); row[i] < want-0.001 ||
							row[i] > want+0.001 {
							t.Fatalf("row %d, column %d: %g, want %g", r, i, row[i], want)
						}
						i++
					}
				}
			}
		}
	}
}

func TestTheLastFrameFillsItsGroup(t *testing.T) {
	p := plain()
	frames := []*picture.RGB{picture.NewRGB(4, 4), picture.NewRGB(4, 4), picture.NewRGB(4, 4)}
	for i, f := range frames {
		for j := range f.Pix {
			f.Pix[j] = uint8(i)
		}
	}
	rows, grid, err := p.Frames(frames)
	if err != nil || grid != (Grid{2, 2, 2}) || grid.Tokens(2) != 2 {
		t.Fatalf("grid %v, %v", grid, err)
	}
	var first []int // the first value of each frame in the first and the fifth row
	for _, at := range []int{0, 4, 4 * p.RowSize(), 4*p.RowSize() + 4} {
		first = append(first, int(rows[at]+0.5))
	}
	if !slices.Equal(first, []int{0, 1, 2, 2}) {
		t.Errorf("frames %v, want 0 1 2 2", first)
	}
}

func TestFramesThatDoNotFitAreRefused(t *testing.T) {
	p := plain()
	for want, frames := range map[string][]*picture.RGB{
		"without frames":   nil,
		"to one size":      {picture.NewRGB(4, 4), picture.NewRGB(8, 4)},
		"multiples of 4":   {picture.NewRGB(6, 4)},
		"not as many":      {{W: 4, H: 4, Pix: make([]uint8, 3)}},
		"frame 1: the pic": {picture.NewRGB(4, 4), nil},
	} {
		if _, _, err := p.Frames(frames); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that holds %q", err, want)
		}
	}
	if _, _, err := p.Rows(&picture.RGB{}); err == nil {
		t.Error("an empty picture: no error")
	}
}

func TestProcessorFilesAreRead(t *testing.T) {
	published := DefaultProcessor()
	published.MaxPixels = 12845056
	small := DefaultProcessor()
	small.MinPixels, small.MaxPixels = 784, 7840
	other := small
	other.Mean, other.Std, other.Patch = [3]float32{0.5, 0.5, 0.5}, [3]float32{0.25, 0.25, 0.25}, 16
	for _, c := range []struct {
		name, file, text string
		want             Processor
	}{
		{"no file", "", "", DefaultProcessor()},
		{"empty", "preprocessor_config.json", `{}`, DefaultProcessor()},
		{"published", "preprocessor_config.json", `{"min_pixels":3136,"max_pixels":12845056,"patch_size":14,"temporal_patch_size":2,"merge_size":2,
			"image_mean":[0.48145466,0.4578275,0.40821073],"image_std":[0.26862954,0.26130258,0.27577711],
			"image_processor_type":"Qwen2VLImageProcessor","size":{"max_pixels":12845056,"min_pixels":3136}}`, published},
		{"edges, limits null", "preprocessor_config.json", `{"min_pixels":null,"max_pixels":null,"size":{"shortest_edge":784,"longest_edge":7840},
			"resample":3,"rescale_factor":0.00392156862745098,"do_resize":true}`, small},
		{"nested", "processor_config.json", `{"image_processor":{"size":{"shortest_edge":784,"longest_edge":7840},"image_mean":[0.5,0.5,0.5],
			"image_std":[0.25,0.25,0.25],"patch_size":16},"processor_class":"Qwen2VLProcessor"}`, other},
		{"nothing about pictures", "processor_config.json", `{"processor_class":"Qwen2VLProcessor"}`,
			DefaultProcessor()},
	} {
		dir := t.TempDir()
		if c.file != "" {
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := LoadProcessor(dir); err != nil || got != c.want {
			t.Errorf("%s: got %+v (%v), want %+v", c.name, got, err, c.want)
		}
	}
}

func TestProcessorFilesWithOtherRulesAreRefusedByField(t *testing.T) {
	for want, text := range map[string]string{
		"resample":       `{"resample":2}`,
		"rescale_factor": `{"rescale_factor":1}`,
		"do_normalize":   `{"do_normalize":false}`,
		"image_mean":     `{"image_mean":[0.5]}`,
		"image_std":      `{"image_std":[0.5,0,0.5]}`,
		"patch_size":     `{"patch_size":0}`,
		"merge_size":     `{"merge_size":-2}`,
		"max_pixels":     `{"min_pixels":100,"max_pixels":10}`,
		"min_pixels":     `{"min_pixels":1000000000000000,"max_pixels":1000000000000000}`,
		"one token":      `{"patch_size":1024,"merge_size":1024}`,
		"a patch":        `{"patch_size":512,"temporal_patch_size":1024}`,
		"no numbers":     `{"image_std":[1,1e-45,1]}`,
		"config.json":    `{"min_pixels":"many"}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "preprocessor_config.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadProcessor(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// FuzzProcessor reads any preprocessor_config.json, and makes rows of small pictures by it: nothing may panic, rows
// must be as many as announced and hold numbers, and no more memory may be taken than one large picture's.
func FuzzProcessor(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"min_pixels":3136,"max_pixels":12845056,"patch_size":14,"temporal_patch_size":2,"merge_size":2,"image_mean":[0.48145466,0.4578275,0.40821073],
		"image_std":[0.26862954,0.26130258,0.27577711],"image_processor_type":"Qwen2VLImageProcessor","size":{"max_pixels":12845056,"min_pixels":3136}}`))
	f.Add([]byte(`{"min_pixels":null,"max_pixels":null,"size":{"shortest_edge":784,"longest_edge":7840},"resample":3,"rescale_factor":0.00392156862745098,"do_resize":true}`))
	f.Add([]byte(`{"image_processor":{"size":{"shortest_edge":1,"longest_edge":2},"image_mean":[-1e38,0.5,1],"image_std":[1e-38,0.25,1e38],"patch_size":1,"merge_size":64}}`))
	f.Add([]byte(`{"patch_size":1024,"merge_size":4,"temporal_patch_size":1,"min_pixels":1000000000000000,"max_pixels":9000000000000000000}`))
	small := []*picture.RGB{noisy(1, 1), noisy(3, 200), noisy(40, 30)}
	f.Fuzz(func(t *testing.T, text []byte) {
		if part, err := imageProcessor(text); err == nil { // as processor_config.json
			parseProcessor(part)
		}
		p, err := parseProcessor(text)
		if err != nil {
			return
		}
		unit := p.Patch * p.Merge
		for _, img := range small {
			w, h, err := p.Size(img.W, img.H)
			if err != nil || w < unit || h < unit || w%unit != 0 || h%unit != 0 || w*h > 16*mostPixels {
				t.Fatalf("%+v: %dx%d pixels become %dx%d (%v)", p, img.W, img.H, w, h, err)
			}
			if w*h*p.Temporal > 1<<18 {
				continue
			}
			rows, grid, err := p.Rows(img)
			if err != nil || len(rows) != grid.Patches()*p.RowSize() {
				t.Fatalf("%+v: %d values for %v (%v)", p, len(rows), grid, err)
			}
			if slices.ContainsFunc(rows, func(v float32) bool { return v-v != 0 }) {
				t.Fatalf("%+v: a value that is no number", p)
			}
		}
	})
}

func BenchmarkRows(b *testing.B) {
	img := noisy(644, 364)
	b.SetBytes(int64(len(img.Pix)))
	for b.Loop() {
		if _, _, err := DefaultProcessor().Rows(img); err != nil {
			b.Fatal(err)
		}
	}
}
