package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"finetui/core/config"
	"finetui/core/demo"
	"finetui/core/media"
	"finetui/core/project"
	"finetui/core/stats"
	"finetui/views/viewtest"
)

// The published counts of the slope-drain set, and mean heights.
var (
	counts = map[string][]int{
		"train": {44, 57, 58, 119, 282, 202, 75, 118, 174},
		"valid": {4, 13, 11, 23, 49, 41, 10, 17, 40},
		"test":  {4, 8, 7, 11, 35, 14, 12, 13, 24},
	}
	pictureCounts = map[string]int{"train": 218, "valid": 47, "test": 25}
	meanHeights   = []float64{.66, .79, .77, .53, .69, .44, .51, .52, .57}
)

// slope is a project with a data set of those counts: small coloured pictures, objects strewn from a seed. It is made
// once for all tests, which must not change it.
var slope = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "finetui-data-pane-")
	if err != nil {
		panic(err)
	}
	must(os.WriteFile(filepath.Join(dir, "config.toml"), config.Render(demoConfig()), 0o644))
	writeSet(filepath.Join(dir, "demo", "data"))
	return dir
})

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(slope())
	os.RemoveAll(faulty())
	os.Exit(code)
}

func demoConfig() *config.Config {
	file, err := config.Preset("demo")
	must(err)
	return file.Config
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func writeSet(root string) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, split := range []string{"train", "valid", "test"} {
		labels := make([]strings.Builder, pictureCounts[split])
		full := len(labels)
		if split != "test" {
			full-- // the last picture shows nothing
		}
		i := 0
		for class, n := range counts[split] {
			for range n {
				x, y := 0.12+0.76*rng.Float64(), min(max(meanHeights[class]+0.13*rng.NormFloat64(), 0.08), 0.92)
				w, h := 0.1+0.08*rng.Float64(), 0.1+0.06*rng.Float64()
				fmt.Fprintf(&labels[(i*7+i/full*3)%full], "%d %.4f %.4f %.4f %.4f\n", class, x, y, w, h)
				i++
			}
		}
		for i := range labels {
			name := fmt.Sprintf("slope_%04d", i+1)
			write(filepath.Join(root, split, "labels", name+".txt"), []byte(labels[i].String()))
			write(filepath.Join(root, split, "images", name+".png"), hill(rng))
		}
	}
	write(filepath.Join(root, "data.yaml"),
		fmt.Appendf(nil, "train: train/images\nval: valid/images\ntest: test/images\nnc: 9\nnames: ['%s']\n",
			strings.Join(demo.Classes, "', '")))
}

// faulty is a project whose data set has something wrong of every level. It is made once for all tests.
var faulty = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "finetui-data-pane-")
	must(err)
	must(os.WriteFile(filepath.Join(dir, "config.toml"), config.Render(demoConfig()), 0o644))
	root := filepath.Join(dir, "demo", "data")
	rng := rand.New(rand.NewPCG(3, 4))
	for i, labels := range []string{
		"0 .5 .5 .2 .2\n1 .3 .3 .1 .1\n", "3 .5 .5 .2\n0 .2 .2 .1 .1\n", "12 .5 .5 .2 .2\n",
		"0 .5 .5 .2 .2\n0 .5 .5 .2 .2\n", "", "2 1.4 .5 .2 .2\n",
		"1 .95 .5 .2 .2\n", "0 .5 x .2 .2\n", "2 .5 .5 .1 .1\n",
	} {
		write(filepath.Join(root, "train", "labels", fmt.Sprintf("slope_%02d.txt", i)), []byte(labels))
		picture := hill(rng)
		if i == 8 {
			picture = picture[:len(picture)/2]
		}
		write(filepath.Join(root, "train", "images", fmt.Sprintf("slope_%02d.png", i)), picture)
	}
	write(filepath.Join(root, "train", "labels", "nowhere.txt"), []byte("0 .5 .5 .2 .2\n"))
	write(filepath.Join(root, "data.yaml"),
		[]byte("train: train/images\nval: valid/images\nnc: 4\nnames: ['culvert', 'culvert blocked', 'wall']\n"))
	return dir
})

func write(path string, text []byte) {
	must(os.MkdirAll(filepath.Dir(path), 0o755))
	must(os.WriteFile(path, text, 0o644))
}

// hill is a picture of a green slope under a sky, no two the same.
func hill(rng *rand.Rand) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 48, 48))
	rise, tone, grain := rng.IntN(24), uint8(rng.IntN(60)), rng.Uint32()
	for y := range 48 {
		for x := range 48 {
			c := color.NRGBA{120 + tone, 170, 220, 255}
			if y > 20-rise/2+x*rise/48 {
				c = color.NRGBA{90, 110 + tone, 60 + uint8(y), 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	img.SetNRGBA(0, 0, color.NRGBA{uint8(grain), uint8(grain >> 8), uint8(grain >> 16), 255})
	var out bytes.Buffer
	must(png.Encode(&out, img))
	return out.Bytes()
}

// control is the program's, as the tests need it.
func control() Control {
	return Control{Picture: media.NewCache(1 << 24).Decode,
		DrawDemo: func(context.Context, *config.Snapshot,
			func(int, int, string)) error {
			return errors.New("not drawn")
		},
		WriteAnalysis: func(path string, a *stats.Analysis) error { return a.WriteJSON(path) },
		WriteSheet:    func(path string, s media.Sheet) error { return s.WritePNG(path) }}
}

// open is the pane on the project, in a terminal of w×h, when everything that its first view asks for is there.
func open(t *testing.T, w, h int) (*Pane, *viewtest.Driver) { return openProject(t, slope(), w, h) }

func openProject(t *testing.T, folder string, w, h int) (*Pane, *viewtest.Driver) {
	t.Helper()
	file, err := config.Load(filepath.Join(folder, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	p := New(file, control())
	d := viewtest.OpenProject(t, p, file, project.ReadShared, w, h)
	return p, d.Wait("the data set", p.settled)
}

// settled says whether nothing is awaited.
func (p *Pane) settled() bool {
	return p.ready() && !p.pending() && !p.pictures.Pending() && !p.film.request.Pending() &&
		!p.recipe.request.Pending()
}

// show turns to a view and waits for what it asks for.
func show(p *Pane, d *viewtest.Driver, view string) {
	for !p.views.Is(view) {
		d.Press("]")
	}
	d.Wait("the view", p.settled)
}
