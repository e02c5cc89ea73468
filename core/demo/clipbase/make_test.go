package clipbase

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/demo/exercise"
	"finetui/core/model"
	"finetui/ml/clip"
	"finetui/ml/graph"
	"finetui/ml/nn"
	"finetui/ml/videomamba"
)

// tiny are options of a base that a test can wait for.
var tiny = Options{Seed: 5, Threads: 2, ImageSteps: 1, StillSteps: 1, VideoSteps: 1, PictureSteps: 1, TalkSteps: 1, corpus: 60,
	heldOut: 1}

// Both stages give a folder that opens as a model, and the same seed gives the same bytes.
func TestMakeWritesAModel(t *testing.T) {
	var sums [2]string
	for i := range sums {
		dir := t.TempDir()
		if err := Make(context.Background(), dir, tiny); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors", "clip/model.safetensors",
			"videomamba/model.safetensors"} {
			data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			sums[i] += string(data)
		}
		if i > 0 {
			continue
		}
		opens(t, dir)
	}
	if sums[0] != sums[1] {
		t.Error("the same seed gave two different bases")
	}
}

// opens checks that a folder is a model that a project can use.
func opens(t *testing.T, dir string) {
	t.Helper()
	b, err := model.OpenLocal(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := model.Load(b, "", 1); err != nil {
		t.Fatal(err)
	}
}

func TestTheCarriedBaseOpensAndIsSmall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "base")
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	opens(t, dir)
	size := int64(0)
	err := filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			size += info.Size()
		}
		return err
	})
	if err != nil || size > 12<<20 {
		t.Errorf("%d bytes, error %v", size, err)
	}
}

// What the base hears names none of the demo's exercises.
func TestTheBaseHearsNoExercise(t *testing.T) {
	for _, text := range corpus(rand.New(rand.NewPCG(3, 4)), 600) {
		for _, name := range exercise.Names() {
			if strings.Contains(strings.ToLower(text), name) {
				t.Errorf("%q holds %q", text, name)
			}
		}
	}
}

// The heads' score counts what is told against what should be, and names what was asked for alone.
func TestScore(t *testing.T) {
	w := newHeadWeights(2, 2, headSizes{maps: 1, vectors: 1, phases: 1, frames: 2, places: 1, moves: 1, whole: 1}, 1)
	clear(w.value)
	copy(w.denseBias.Of(w.value), []float32{3, .5, .1, .1})
	copy(w.framedBias.Of(w.value), []float32{1, 2})
	copy(w.pooledBias.Of(w.value), []float32{1})
	l := newHeadLoss(w)
	nan := float32(math.NaN())
	l.targets = []target{{set: []bool{true, false}, vector: []float32{1, nan}, phase: []float32{.8, .6, .6, -.8},
		frame: []float32{2, 2, 1, nan}, whole: []float32{2}}}
	l.Forward(make([]float32, 3*2))
	both := l.told
	both.add(l.told)
	const want = "parts 0.500, measures explained 0.750, places in a frame explained 0.800, " +
		"movement to the next explained 1.000, that of a patch explained 0.750, phase within an eighth of a cycle 0.500"
	if got := both.String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	both.vectors, both.places, both.moves, both.phases = squares{}, squares{}, squares{}, 0
	if got := both.String(); got != "parts 0.500, measures explained 0.750" {
		t.Errorf("of parts and measures alone: %s", got)
	}
}

// The gradients of the heads, and those of both encoders below them, are what differences of the loss say.
func TestGradients(t *testing.T) {
	image, video := sizes()
	image.Side, image.Hidden, image.Inner, image.Layers = 16, 16, 16, 1
	video.Side, video.Hidden, video.Inner, video.Layers, video.Frames = 32, 16, 16, 1, 2
	rng := rand.New(rand.NewPCG(1, 2))
	noise := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	check := func(name string, tokens, width, hidden int, blocks []nn.Block, load func(int)) {
		const groups = 2
		w := newHeadWeights(hidden, tokens, headSizes{maps: 2, vectors: 1, phases: 1, frames: 2, places: 2, moves: 1,
			whole: 3}, 1)
		l := newHeadLoss(w)
		l.share = 1. / groups
		for range groups {
			target := target{set: make([]bool, tokens*2), vector: noise(tokens), phase: noise(tokens * 2),
				frame: noise(2 * 3), whole: noise(3)}
			for i := range target.set {
				target.set[i] = rng.IntN(3) == 0
			}
			target.vector[0], target.frame[4] = float32(math.NaN()), float32(math.NaN())
			target.phase[2], target.phase[3] = float32(math.NaN()), float32(math.NaN())
			l.targets = append(l.targets, target)
		}
		rows := noise(groups * tokens * width)
		load(groups)
		c, err := graph.NewChain(func() ([]float32, int, int) { return rows, groups * tokens, width }, width, blocks, l,
			graph.Options{})
		if err != nil {
			t.Fatal(err)
		}
		run := func() float64 {
			loss, err := c.Loss(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return loss
		}
		l.learn = true
		if _, err := c.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		l.learn = false
		for _, p := range c.Params() {
			found := append([]float32(nil), p.Grad...)
			for range 12 {
				i := rng.IntN(len(p.Value))
				const eps = 4e-3
				saved := p.Value[i]
				p.Value[i] = saved + eps
				up := run()
				p.Value[i] = saved - eps
				down := run()
				p.Value[i] = saved
				if want := (up - down) / (2 * eps); math.Abs(want-float64(found[i])) > .03*math.Abs(want)+6e-3 {
					t.Errorf("%s: parameter %d of %d: differences say %g, backward says %g", name, i,
						len(p.Value), want,
						found[i])
				}
			}
		}
	}
	i, err := clip.NewTrained(image, initial{1}, "clip.")
	if err != nil {
		t.Fatal(err)
	}
	tower := i.NewTower(nn.NewExec(1))
	check("image tower", image.Patches(), image.PatchWidth(), image.Hidden, tower.Stack(), tower.Load)
	v, err := videomamba.NewTrained(video, initial{1}, "video.")
	if err != nil {
		t.Fatal(err)
	}
	encoder := v.NewEncoder(nn.NewExec(1))
	check("video encoder", video.Frames*video.Patches(), video.PatchWidth(), video.Hidden, encoder.Stack(),
		encoder.Load)
}
