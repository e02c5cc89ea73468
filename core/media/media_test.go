package media

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/ml/picture"
)

// gradient is a picture whose red is its column and green its row.
func gradient(w, h int) *picture.RGB {
	img := picture.NewRGB(w, h)
	for y := range h {
		for x := range w {
			put(img, x, y, color.RGBA{uint8(x), uint8(y), 7, 255})
		}
	}
	return img
}

func at(img *picture.RGB, x, y int) [3]uint8 {
	return [3]uint8(img.Pix[3*(y*img.W+x):][:3])
}

// changed lists how many pixels differ, and the box around them (end outside).
func changed(a, b *picture.RGB) (n, x0, y0, x1, y1 int) {
	x0, y0 = a.W, a.H
	for y := range a.H {
		for x := range a.W {
			if at(a, x, y) != at(b, x, y) {
				n++
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	return n, x0, y0, x1, y1
}

func TestCutFrameKeepsMarginAndShape(t *testing.T) {
	tests := []struct {
		name           string
		box            dataset.Box
		margin         float64
		x0, y0, x1, y1 int
	}{
		{"the box itself", dataset.Box{X0: .2, Y0: .3, X1: .4, Y1: .5}, 0, 20, 60, 40, 100},
		{"margin of the shorter side on all sides", dataset.Box{X0: .2, Y0: .3, X1: .4, Y1: .5}, .1, 18, 58, 42, 102},
		{"a thin box is widened", dataset.Box{X0: .48, Y0: .1, X1: .52, Y1: .9}, 0, 10, 20, 90, 180},
		{"a flat box is heightened", dataset.Box{X0: .1, Y0: .49, X1: .9, Y1: .51}, 0, 10, 80, 90, 120},
		{"at the edge it moves inwards", dataset.Box{X0: 0, Y0: 0, X1: .1, Y1: .05}, 1, 0, 0, 30, 30},
		{"larger than the picture", dataset.Box{X0: 0, Y0: 0, X1: 1, Y1: .1}, 1, -20, 0, 120, 70},
		{"a box that ends past the edge", dataset.Box{X0: .9, Y0: .4, X1: 1.1, Y1: .6}, 0, 80, 80, 100, 120},
		{"a point", dataset.Box{X0: .5, Y0: .5, X1: .5, Y1: .5}, 0, 50, 100, 51, 101},
		{"numbers that are none", dataset.Box{X0: math.NaN(), Y0: math.NaN(), X1: math.NaN(), Y1: math.NaN()}, 0,
			0, 0, 1, 1},
	}
	for _, test := range tests {
		x0, y0, x1, y1 := cutFrame(100, 200, test.box, test.margin)
		if [4]int{x0, y0, x1, y1} != [4]int{test.x0, test.y0, test.x1, test.y1} {
			t.Errorf("%s: %d %d %d %d, want %d %d %d %d", test.name, x0, y0, x1, y1, test.x0, test.y0, test.x1, test.y1)
		}
	}
}

func TestCutMovesInwardsAndRepeatsTheEdgeWhereItMust(t *testing.T) {
	img := gradient(100, 100)
	for _, test := range []struct {
		name string
		box  dataset.Box
		w, h int
		at   map[[2]int][3]uint8
	}{
		{"in a corner", dataset.Box{X0: 0, Y0: .9, X1: .1, Y1: 1}, 30, 30, map[[2]int][3]uint8{{0, 20}: {0, 90, 7},
			{0, 0}: {0, 70, 7}, {29, 29}: {29, 99, 7}}},
		{"wider than the picture", dataset.Box{X0: 0, Y0: .4, X1: 1, Y1: .5}, 120, 60,
			map[[2]int][3]uint8{{0, 0}: {0, 15, 7}, {10, 0}: {0, 15, 7}, {119, 0}: {99, 15, 7}}},
	} {
		cut := Cut(img, test.box, 1)
		if cut.W != test.w || cut.H != test.h {
			t.Errorf("%s: %d×%d, want %d×%d", test.name, cut.W, cut.H, test.w, test.h)
			continue
		}
		if w, h := CutSize(img.W, img.H, test.box, 1); w != cut.W || h != cut.H {
			t.Errorf("%s: CutSize says %d×%d, the cut is %d×%d", test.name, w, h, cut.W, cut.H)
		}
		for p, want := range test.at {
			if got := at(cut, p[0], p[1]); got != want {
				t.Errorf("%s: pixel %v is %v, want %v", test.name, p, got, want)
			}
		}
	}
}

func TestCutTakesAnyBox(t *testing.T) {
	img := gradient(20, 10)
	for _, box := range []dataset.Box{
		{X0: 1, Y0: 1, X1: 1, Y1: 1}, {}, {X0: -3, Y0: -3, X1: -2, Y1: -2}, {X0: 2, Y0: 2, X1: 3, Y1: 3},
		{X0: 1, Y0: 1}, {X0: math.Inf(-1), X1: math.Inf(1), Y1: math.NaN()},
	} {
		for _, margin := range []float64{-1, 0, .1, 2} {
			if cut := Cut(img, box, margin); cut.W < 1 || cut.H < 1 {
				t.Errorf("%v with %v: %d×%d", box, margin, cut.W, cut.H)
			}
		}
	}
	for name, box := range map[string]dataset.Box{"top left": {}, "bottom right": {X0: 1, Y0: 1, X1: 1, Y1: 1}} {
		want := map[string][3]uint8{"top left": {0, 0, 7}, "bottom right": {19, 9, 7}}[name]
		if cut := Cut(img, box, 0); at(cut, 0, 0) != want {
			t.Errorf("a point at the %s: %v, want %v", name, at(cut, 0, 0), want)
		}
	}
}

func TestOutlineLeavesTheObjectFree(t *testing.T) {
	img := gradient(336, 336)
	before := slices.Clone(img.Pix)
	box := dataset.Box{X0: .25, Y0: .5, X1: .5, Y1: .75} // columns 84 to 168, rows 168 to 252
	out := Outline(img, box)
	if !slices.Equal(before, img.Pix) {
		t.Fatal("the picture itself was drawn on")
	}
	n, x0, y0, x1, y1 := changed(img, out)
	if [4]int{x0, y0, x1, y1} != [4]int{81, 165, 171, 255} || n != 90*90-84*84 {
		t.Errorf("%d pixels from %d,%d to %d,%d: want a frame of 3 around the box", n, x0, y0, x1, y1)
	}
	n, x0, y0, x1, y1 = changed(img, Outline(img, dataset.Box{X0: -.1, Y0: 0, X1: 1, Y1: 1.5}))
	if [4]int{x0, y0, x1, y1} != [4]int{0, 0, 336, 336} || n != 336*336-330*330 {
		t.Errorf("around the whole picture: %d pixels from %d,%d to %d,%d", n, x0, y0, x1, y1)
	}
}

func TestLinesAreThickerOnLargerPictures(t *testing.T) {
	for side, want := range map[int]int{10: 1, 112: 1, 168: 2, 336: 3, 640: 6} {
		if got := thickness(picture.NewRGB(side, 2*side)); got != want {
			t.Errorf("%d on %d pixels, want %d", got, side, want)
		}
	}
}

func TestObjectsAreDrawnAsTheyAreLabelled(t *testing.T) {
	img := gradient(200, 200)
	ring := []dataset.Point{{X: .1, Y: .1}, {X: .5, Y: .1}, {X: .1, Y: .5}}
	triangle := dataset.Object{Class: 1, Shape: dataset.Outline(ring),
		Box: dataset.Box{X0: .1, Y0: .1, X1: .5, Y1: .5}}
	out := Objects(img, []dataset.Object{triangle}, byClass)
	c := Colour(1)
	colour := [3]uint8{c.R, c.G, c.B}
	for _, on := range [][2]int{{20, 20}, {60, 20}, {20, 60}, {60, 60}, {99, 20}} {
		if at(out, on[0], on[1]) != colour {
			t.Errorf("pixel %v is not on the outline", on)
		}
	}
	for _, off := range [][2]int{{40, 40}, {98, 98}, {70, 70}, {20, 110}} {
		if at(out, off[0], off[1]) == colour {
			t.Errorf("pixel %v is on the outline", off)
		}
	}
	boxed := triangle
	boxed.Shape = nil
	if out := Objects(img, []dataset.Object{boxed}, byClass); at(out, 101, 101) != colour {
		t.Error("a box row is not drawn as a box")
	}
}

// byClass colours an object by its class.
func byClass(object dataset.Object) color.RGBA { return Colour(object.Class) }

func TestColoursRepeatAfterTheEighth(t *testing.T) {
	if Colour(0) == Colour(1) || Colour(-1) != Colour(7) || Colour(9) != Colour(1) {
		t.Error("the colours do not go round")
	}
}

func TestContextShowsWhatItsModeSays(t *testing.T) {
	img := gradient(100, 100)
	box := dataset.Box{X0: .2, Y0: .2, X1: .4, Y1: .4}
	for mode, sizes := range map[config.Context][]int{config.ContextFull: {100}, config.ContextMarked: {100},
		config.ContextCrop: {24}, config.ContextFullCrop: {100, 24}} {
		got, err := Context(img, box, mode, .1)
		if err != nil || len(got) != len(sizes) {
			t.Fatalf("%s: %d pictures, %v", mode, len(got), err)
		}
		for i, width := range sizes {
			if got[i].W != width {
				t.Errorf("%s: picture %d is %d wide, want %d", mode, i, got[i].W, width)
			}
		}
		n, _, _, _, _ := changed(img, img)
		if got[0].W == 100 {
			n, _, _, _, _ = changed(img, got[0])
		}
		if marked := n > 0; marked != (mode == config.ContextMarked || mode == config.ContextFullCrop) {
			t.Errorf("%s: marked %v", mode, marked)
		}
	}
	if _, err := Context(img, box, "half", 0); err == nil || !strings.Contains(err.Error(), "RECIPE.CONTEXT") {
		t.Errorf("got %v", err)
	}
}

func TestSheetLaysPicturesOutUnderTheirTitleOverTheirCaptions(t *testing.T) {
	wide := gradient(100, 50)
	sheet := Sheet{Title: "4 pictures", Columns: 2, W: 40, H: 40,
		Legend: []Meaning{{color.RGBA{200, 10, 10, 255}, "crack"}},
		Cells: []Cell{{wide, []string{"a", "1 object"}}, {gradient(50, 100), nil}, {nil, []string{"gone"}},
			{wide, nil}}}.Draw()
	const top, cell = 10 + 2*18, 40 + 2*18 + 10
	if want := image.Rect(0, 0, 2*50+10, top+2*cell+10); sheet.Rect != want {
		t.Fatalf("%v, want %v", sheet.Rect, want)
	}
	ground := color.NRGBA{24, 24, 24, 255}
	painted := func(x0, y0, x1, y1 int) bool {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				if sheet.NRGBAAt(x, y) != ground {
					return true
				}
			}
		}
		return false
	}
	for _, test := range []struct {
		what           string
		x0, y0, x1, y1 int
		want           bool
	}{
		{"the title", 10, 10, 80, 28, true},
		{"the legend's colour", 10, 32, 20, 42, true},
		{"above a wide picture", 10, top, 50, top + 9, false},
		{"the wide picture", 10, top + 10, 50, top + 30, true},
		{"beside a high picture", 60, top, 69, top + 40, false},
		{"the high picture", 70, top, 90, top + 40, true},
		{"the first caption", 10, top + 40, 50, top + 58, true},
		{"its second line", 10, top + 58, 50, top + 76, true},
		{"below a picture without caption", 60, top + 40, 100, top + 76, false},
		{"where there is no picture", 10, top + cell, 50, top + cell + 40, false},
		{"its caption", 10, top + cell + 40, 50, top + cell + 58, true},
	} {
		if got := painted(test.x0, test.y0, test.x1, test.y1); got != test.want {
			t.Errorf("%s: painted %v, want %v", test.what, got, test.want)
		}
	}
	if sheet.NRGBAAt(15, 37) != (color.NRGBA{200, 10, 10, 255}) {
		t.Errorf("the legend's colour is %v", sheet.NRGBAAt(15, 37))
	}
	if empty := (Sheet{W: 10, H: 10}).Draw(); empty.Rect.Dx() != 30 {
		t.Errorf("an empty sheet is %v", empty.Rect)
	}
}

func TestFitKeepsShapeAndDoesNotEnlarge(t *testing.T) {
	for _, test := range [][6]int{{100, 50, 40, 40, 40, 20}, {10, 10, 40, 40, 10, 10}, {1000, 1, 10, 10, 10, 1}} {
		if got := Fit(picture.NewRGB(test[0], test[1]), test[2], test[3]); got.W != test[4] || got.H != test[5] {
			t.Errorf("%v: got %d×%d", test, got.W, got.H)
		}
	}
}

func TestWrittenPNGReadsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	img := gradient(30, 20)
	if err := WritePNG(path, img); err != nil {
		t.Fatal(err)
	}
	item := &dataset.Item{ID: "train/a", Media: path}
	back, err := Load(item)
	if err != nil || !slices.Equal(back.Pix, img.Pix) {
		t.Errorf("read back: %v", err)
	}
	if err := WritePNG(filepath.Join(t.TempDir(), "gone", "a.png"), img); err == nil {
		t.Error("no error for a folder that is not there")
	}
	if _, err := Load(&dataset.Item{ID: "train/b"}); err == nil || !strings.Contains(err.Error(), "train/b") {
		t.Errorf("an item without a picture: %v", err)
	}
}

func TestCacheFollowsTheFileAndItsLimit(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "a.png"), filepath.Join(dir, "b.png")}
	for _, path := range paths {
		if err := WritePNG(path, gradient(10, 10)); err != nil {
			t.Fatal(err)
		}
	}
	cache := NewCache(400) // room for one picture of 300 bytes
	first, err := cache.Decode(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := cache.Decode(paths[0]); again != first {
		t.Error("decoded twice")
	}
	if _, err := cache.Decode(paths[1]); err != nil {
		t.Fatal(err)
	}
	if cache.used != 300 || len(cache.byKey) != 1 {
		t.Errorf("%d bytes in %d pictures", cache.used, len(cache.byKey))
	}
	if err := WritePNG(paths[1], gradient(11, 10)); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Second)
	if err := os.Chtimes(paths[1], later, later); err != nil {
		t.Fatal(err)
	}
	if changed, err := cache.Decode(paths[1]); err != nil || changed.W != 11 {
		t.Errorf("a changed file was not decoded again: %v", err)
	}
	if _, err := cache.Decode(filepath.Join(dir, "gone.png")); err == nil {
		t.Error("no error for a file that is not there")
	}
}

func TestCacheIsSharedByGoroutines(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"a", "b", "c", "d"} {
		paths = append(paths, filepath.Join(dir, name+".png"))
		if err := WritePNG(paths[len(paths)-1], gradient(10, 10)); err != nil {
			t.Fatal(err)
		}
	}
	cache := NewCache(700)
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			for i := range 50 {
				if _, err := cache.Decode(paths[(i+worker)%len(paths)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	if cache.used > 700 {
		t.Errorf("%d bytes are kept", cache.used)
	}
}

func TestRealPicturesGoThroughEveryMode(t *testing.T) {
	root := os.Getenv("FINETUI_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(root, "data", "drains", "*", "valid", "images", "*.jpg"))
	if len(files) == 0 {
		t.Skip("no real pictures: set FINETUI_SHARED")
	}
	for _, file := range files[:3] {
		img, err := Load(&dataset.Item{ID: file, Media: file})
		if err != nil {
			t.Fatal(err)
		}
		for _, mode := range []config.Context{config.ContextFull, config.ContextMarked, config.ContextCrop,
			config.ContextFullCrop} {
			if _, err := Context(img, dataset.Box{X0: .9, Y0: .9, X1: 1, Y1: 1}, mode, .1); err != nil {
				t.Errorf("%s: %v", mode, err)
			}
		}
	}
}

func BenchmarkCut(b *testing.B) {
	img := gradient(640, 640)
	for b.Loop() {
		Cut(img, dataset.Box{X0: .2, Y0: .2, X1: .4, Y1: .5}, .1)
	}
}

func BenchmarkObjects(b *testing.B) {
	img := gradient(640, 640)
	objects := make([]dataset.Object, 8)
	for i := range objects {
		x := float64(i) / 10
		objects[i] = dataset.Object{Class: i, Shape: dataset.Outline([]dataset.Point{{X: x, Y: .1}, {X: x + .2, Y: .2},
			{X: x + .1, Y: .9}})}
	}
	for b.Loop() {
		Objects(img, objects, byClass)
	}
}

func TestImageIsOpaque(t *testing.T) {
	img := Image(gradient(3, 2))
	if c := img.NRGBAAt(2, 1); c != (color.NRGBA{2, 1, 7, 255}) || !img.Opaque() {
		t.Errorf("got %v", c)
	}
	if err := png.Encode(new(strings.Builder), img); err != nil {
		t.Error(err)
	}
}
