package project

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/export"
	"finetui/core/features"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/core/sample"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/qwen2vl"
)

// on is a project with another base.
func on(t *testing.T, p *Project, base string) *Project {
	t.Helper()
	c, q := *p.Config, *p
	c.Model.Base = base
	q.Config, q.Base = &c, nil
	if err := q.OpenBase(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return &q
}

func keyOf(t *testing.T, p *Project, s recipe.Sample) features.Key {
	t.Helper()
	key, err := p.Encoder().Key(s)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// towerAdapter is an adapter of the vision tower's products that changes what it makes of pictures.
func towerAdapter(t *testing.T, b *model.Base) string {
	t.Helper()
	cfg := &lora.Config{Base: b.Name, R: 2, Alpha: 64, Targets: []string{"fc1", "fc2"}}
	m, err := b.New(model.Adapt(cfg))
	if err != nil {
		t.Fatal(err)
	}
	adapters := model.Adapters(m, cfg)
	for i, a := range adapters {
		adapters[i] = lora.New(a.Module, a.In, a.Out, cfg, 1)
		for j := range adapters[i].B {
			adapters[i].B[j] = float32(j%7-3) / 2
		}
	}
	dir := filepath.Join(t.TempDir(), "adapter")
	if err := lora.Write(dir, cfg, adapters); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOtherTowersAndProcessorsAreNotServedKeptFeatures(t *testing.T) {
	p := drawn(t)
	sample := p.Recipe.Samples("test")[3]
	eyeOf := func(p *Project, adapter string) (model.Eye, bool) {
		s, err := model.Load(p.Base, adapter, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s.Network.NewEye(nn.NewExec(1)), s.Network.Frozen()
	}
	seenBy := func(p *Project, adapter string) []float32 {
		eye, frozen := eyeOf(p, adapter)
		f, _, err := see(p, eye, frozen, sample)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(f)
	}
	plain := seenBy(p, "")
	adapter := towerAdapter(t, p.Base)
	if slices.Equal(seenBy(p, adapter), plain) {
		t.Error("an adapter of the tower was served the base's features")
	}
	if !slices.Equal(seenBy(p, ""), plain) {
		t.Error("the base was served the adapter's features")
	}
	merged := filepath.Join(p.File.Root, "merged")
	if err := export.Merged(context.Background(), p.Base.Dir, adapter, merged, nil); err != nil {
		t.Fatal(err)
	}
	m := on(t, p, "merged")
	if keyOf(t, m, sample) == keyOf(t, p, sample) || slices.Equal(seenBy(m, ""), plain) {
		t.Error("a merged base of the same project was served the old tower's features")
	}

	variant := func(name, file, text string) *Project {
		dir := filepath.Join(p.File.Root, name)
		if err := os.CopyFS(dir, os.DirFS(p.Base.Dir)); err != nil {
			t.Fatal(err)
		}
		if file == "processor_config.json" {
			if err := os.Remove(filepath.Join(dir, "preprocessor_config.json")); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return on(t, p, name)
	}
	const mean = `{"image_mean": [0.5, 0.5, 0.5]}`
	seen := map[features.Key]string{keyOf(t, p, sample): "the base"}
	for _, v := range []struct{ name, file, text string }{
		{"a", "preprocessor_config.json", mean},
		{"b", "processor_config.json", `{"image_processor": ` + mean + `}`},
		{"c", "processor_config.json", `{"image_processor": {"image_mean": [0.1, 0.5, 0.5]}}`},
	} {
		q := variant(v.name, v.file, v.text)
		key := keyOf(t, q, sample)
		if seen[key] != "" {
			t.Errorf("%s has the key of %s", v.name, seen[key])
		}
		seen[key] = v.name
		if slices.Equal(seenBy(q, ""), plain) {
			t.Errorf("%s in %s was served features of another processor", v.text, v.file)
		}
	}
}

func TestKeyCoversWhatIsShown(t *testing.T) {
	p := drawn(t)
	sample := p.Recipe.Samples("test")[3]
	seen := map[features.Key]string{keyOf(t, p, sample): "the sample"}
	for name, change := range map[string]func(p *Project, s *recipe.Sample){
		"MODEL.MIN_PIXELS":   func(p *Project, s *recipe.Sample) { p.Config.Model.MinPixels *= 2 },
		"MODEL.MAX_PIXELS":   func(p *Project, s *recipe.Sample) { p.Config.Model.MaxPixels *= 2 },
		"RECIPE.CONTEXT":     func(p *Project, s *recipe.Sample) { p.Config.Recipe.Context = config.ContextMarked },
		"RECIPE.CROP_MARGIN": func(p *Project, s *recipe.Sample) { p.Config.Recipe.CropMargin += .1 },
		"RECIPE.CROP_SQUARE": func(p *Project,
			s *recipe.Sample) {
			p.Config.Recipe.CropSquare = !p.Config.Recipe.CropSquare
		},
		"the box": func(p *Project, s *recipe.Sample) { *s = p.Recipe.Samples("test")[5] },
	} {
		c, q, s := *p.Config, *p, sample
		q.Config = &c
		change(&q, &s)
		key := keyOf(t, &q, s)
		if seen[key] != "" {
			t.Errorf("%s: the key is that of %s", name, seen[key])
		}
		seen[key] = name
	}
}

// What stands where features are to be kept stops nothing: answers are the same, and the trouble is told.
func TestACacheOfNoUseStopsNothing(t *testing.T) {
	p := drawn(t)
	sample := p.Recipe.Samples("test")[3]
	s, err := model.Load(p.Base, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := see(p, s.Network.NewEye(nn.NewExec(1)), true, sample)
	if err != nil || p.Base.Trouble() != "" {
		t.Fatal(err, p.Base.Trouble())
	}
	want = slices.Clone(want)
	if err := os.RemoveAll(filepath.Join(p.File.Root, ".finetui")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.File.Root, ".finetui"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	q := on(t, p, p.Config.Model.Base)
	for range 2 {
		f, _, err := see(q, s.Network.NewEye(nn.NewExec(1)), true, sample)
		if err != nil || !slices.Equal(f, want) {
			t.Errorf("error %v, or other features", err)
		}
	}
	if !strings.Contains(q.Base.Trouble(), "is not kept in") {
		t.Errorf("trouble %q", q.Base.Trouble())
	}
	if _, err := q.Lint(context.Background(), nil); err != nil {
		t.Errorf("lint is stopped: %v", err)
	}
}

// TestKeptGridsAreTheirOwn holds that features come back with the grid they were made with,
// also where a record's size is not that of its picture.
func TestKeptGridsAreTheirOwn(t *testing.T) {
	p := drawn(t)
	c, q := *p.Config, *p
	c.Recipe.Context = config.ContextFull
	q.Config = &c
	sample := q.Recipe.Samples("test")[3]
	item := *sample.Item
	item.Width *= 3
	sample.Item = &item
	s, err := model.Load(p.Base, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	f, made, err := see(&q, s.Network.NewEye(nn.NewExec(1)), true, sample)
	if err != nil {
		t.Fatal(err)
	}
	kept, grids, err := see(&q, nil, true, sample)
	if err != nil || !slices.Equal(kept, f) || !slices.Equal(grids, made) {
		t.Errorf("made with %v, kept with %v, error %v", made, grids, err)
	}
}

// fixedPicture writes a picture that never changes and returns an object in it.
func fixedPicture(t *testing.T, dir string) recipe.Sample {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 150, 110))
	for y := range 110 {
		for x := range 150 {
			picture.SetRGBA(x, y, color.RGBA{uint8(x * 5), uint8(y*7 + x), uint8(x * y / 9), 255})
		}
	}
	path := filepath.Join(dir, "fixed.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, picture); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	item := &dataset.Item{ID: "fixed", Media: path, Width: 150, Height: 110, Split: "test",
		Objects: []dataset.Object{{Box: dataset.Box{X0: .2, Y0: .3, X1: .6, Y1: .8}}}}
	return recipe.Sample{ID: "fixed#0", Item: item}
}

// TestFeaturesOfAFixedPicture pins what is made of a picture that never changes. Where it fails, the way from a file to
// features has changed: raise Seeing, so that kept features of before are not used, and then put the new figures here.
// (Where only the built-in base was made anew, its fingerprint keeps them apart, and the figures alone are new.)
func TestFeaturesOfAFixedPicture(t *testing.T) {
	const pinnedAt = 2
	if sample.Seeing != pinnedAt {
		t.Errorf("Seeing is %d: pin the figures for it and put it here", sample.Seeing)
	}
	p := drawn(t)
	fixed := fixedPicture(t, t.TempDir())
	s, err := model.Load(p.Base, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	eye := s.Network.NewEye(nn.NewExec(1))
	for _, c := range []struct {
		context config.Context
		square  bool
		rows    string  // of the patch rows, rounded to 1/1000
		length  float64 // of the features as one vector
		first   float64
	}{
		{config.ContextFull, false, "a67b09ce0c8236a5", 109.56, 0.41819},
		{config.ContextMarked, false, "e506f8b522c876dc", 108.57, 0.20752},
		{config.ContextCrop, false, "d150f37fd5cc243d", 71.954, -2.2573},
		{config.ContextCrop, true, "27e318cbcdfbb20b", 109.47, -4.8913},
		{config.ContextFullCrop, true, "6ba5621a1cea5ad6", 154.18, 0.20752},
	} {
		config, q := *p.Config, *p
		config.Recipe.Context, config.Recipe.CropSquare, config.Recipe.CropMargin = c.context, c.square, .1
		config.Model.MinPixels, config.Model.MaxPixels = 3136, 12544
		q.Config = &config
		prepared, err := q.Encoder().Cut(context.Background(), fixed)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		for _, v := range prepared.Visual.(qwen2vl.Patches).Pixels {
			binary.Write(sum, binary.LittleEndian, int32(math.Round(float64(v)*1000)))
		}
		seen, err := eye.See(context.Background(), prepared.Visual)
		if err != nil {
			t.Fatal(err)
		}
		f := seen.(qwen2vl.Features)
		length := 0.
		for _, v := range f {
			length += float64(v) * float64(v)
		}
		length = math.Sqrt(length)
		got := hex.EncodeToString(sum.Sum(nil))[:16]
		if got != c.rows || math.Abs(length-c.length) > 1e-3*length || math.Abs(float64(f[0])-c.first) > 1e-3 {
			t.Errorf("{%q, %v, %q, %.5g, %.5g}, pinned are %q, %g, %g: raise Seeing", c.context, c.square, got, length,
				f[0], c.rows, c.length, c.first)
		}
	}
}
