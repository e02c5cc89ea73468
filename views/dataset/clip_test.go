package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/media"
	"finetui/core/project"
	"finetui/core/video"
	"finetui/views/viewtest"
)

// clipSet is a project of clips: 7 of squats and 3 of planks, in variations, by three participants; no file is a clip,
// since the tests look into none.
func clipSet(t *testing.T) string {
	root := t.TempDir()
	var records, workers []map[string]any
	for i := range 10 {
		name, label := fmt.Sprintf("./c%02d.mp4", i), "squats - too slow"
		switch {
		case i >= 7:
			label = "elbow plank - stopping early"
		case i >= 5:
			label = "squats - knees caving in"
		}
		split := []string{"train", "train", "train", "val"}[i%4]
		records = append(records, map[string]any{"video_path": name, "labels": []string{label}, "split": split})
		workers = append(workers, map[string]any{"video_path": name, "worker_id": fmt.Sprint("worker", i%3)})
		write(filepath.Join(root, name), []byte{byte(i)})
	}
	for name, list := range map[string]any{"fine_grained_labels.json": records,
		"fine_grained_labels_with_worker_ids.json": workers} {
		text, err := json.Marshal(list)
		must(err)
		write(filepath.Join(root, name), text)
	}
	return root
}

// readClips reads a set as the program does, with what a clip holds made up from its name.
func readClips(ctx context.Context, cfg config.Dataset, root string, _ bool,
	report project.Progress) (*dataset.Dataset, error) {
	probe := func(_ context.Context, path string) (w, h int, clip dataset.Clip, err error) {
		var i int
		fmt.Sscanf(filepath.Base(path), "c%02d.mp4", &i)
		if i == 9 {
			return 0, 0, clip, errors.New(path + " is cut short")
		}
		return 160, 120, dataset.Clip{Frames: 30 * (i + 1), FPS: 30, Seconds: float64(i + 1), Codec: "h264"}, nil
	}
	return dataset.Read(dataset.Probing(ctx, probe), cfg, root, report)
}

// openClips is the pane on a set of clips. decode is what reads frames of one; it is called beside the screen.
func openClips(t *testing.T, root string, w, h int, decode func(ctx context.Context, path string,
	report func(done, total int)) (*project.Sight, error)) (*Pane, *viewtest.Driver) {
	t.Helper()
	preset, err := config.Preset("qved")
	must(err)
	c := *preset.Config
	c.Dataset.Path = root
	home := t.TempDir()
	write(filepath.Join(home, "config.toml"), config.Render(&c))
	file, err := config.Load(filepath.Join(home, "config.toml"))
	must(err)
	control := control()
	control.Picture = func(string) (*media.Picture, error) { return media.NewPicture(16, 12), nil }
	control.Frames = func(ctx context.Context, _ *config.Snapshot, path string,
		report func(done, total int)) (*project.Sight, error) {
		return decode(ctx, path, report)
	}
	p := New(file, control)
	d := viewtest.OpenProject(t, p, file, readClips, w, h)
	return p, d.Wait("the data set", p.settled)
}

// eight is a clip of eight frames, half a second apart.
func eight(_ context.Context, _ string, report func(done, total int)) (*project.Sight, error) {
	s := &project.Sight{Clip: &video.Info{Frames: 120, Duration: 4, FPS: 30}, Rule: "frames that tiny sees"}
	for i := range 8 {
		report(i+1, 8)
		s.Frames = append(s.Frames, video.Frame{Index: 15 * i, Seconds: 0.5 * float64(i),
			Picture: media.NewPicture(16, 12)})
	}
	return s, nil
}

func TestASetOfClipsIsShownAsOne(t *testing.T) {
	p, d := openClips(t, clipSet(t), 120, 30, eight)
	for _, want := range []string{"2 exercises", "10 clips", "Variations of squats", "too slow", "knees caving in",
		"worker0", "! in 2 splits", "2.33× ", "1 clip could not be looked into"} {
		if !d.Shows(want) {
			t.Errorf("the overview lacks %q:\n%s", want, d.Screen())
		}
	}
	if d.Press("]").Wait("lengths", p.settled); !d.Shows("5.0 s ± 2.6 · 1.0 … 9.0 · median") || !d.Shows("30 fps") ||
		!d.Shows("h264") || !d.Shows("160×120") || !d.Shows("not looked into") {
		t.Errorf("lengths, rates, codecs and sizes are not shown:\n%s", d.Screen())
	}
	if d.Press("]").Wait("variations", p.settled); !d.Shows("elbow plank") || !d.Shows("stopping early") ||
		!d.Shows("! train, valid") {
		t.Errorf("variations and participants are not shown:\n%s", d.Screen())
	}
	for _, never := range []string{"Position", "Pairs", "picture"} {
		if d.Shows(never) {
			t.Errorf("a set of clips speaks of %q:\n%s", never, d.Screen())
		}
	}
	if d.Press("down", "enter").Wait("its clips",
		p.settled); !d.Shows("3 of 10 clips · all splits · elbow plank · stopping early") {
		t.Errorf("enter does not lead to the clips of the variation:\n%s", d.Screen())
	}
	p.samples.show(facets{person: "worker2"}, 0)
	if d.Wait("their clips", p.settled); !d.Shows("3 of 10 clips · all splits · participant worker2") {
		t.Errorf("the clips of a participant are not shown:\n%s", d.Screen())
	}
	for _, view := range p.views.Names() {
		show(p, d, view)
		viewtest.Sizes(t, func(w, h int) string { return p.View(theme, w, h) })
		drawnWhole(t, p)
	}
}

func TestTheFramesOfAClipArePlayedWithTheArrowKeys(t *testing.T) {
	asked := map[string]int{}
	p, d := openClips(t, clipSet(t), 120, 30, func(ctx context.Context, path string,
		report func(done, total int)) (*project.Sight, error) {
		asked[filepath.Base(path)]++
		return eight(ctx, path, report)
	})
	show(p, d, samplesView)
	d.Press("enter").Wait("the frames", p.settled)
	for _, want := range []string{"8 frames that tiny sees", "0:00.00 of 0:04.00 · frame 1 of 120", "0:03.50",
		"1.00 s · 30 frames", "worker0"} {
		if !d.Shows(want) {
			t.Errorf("the clip lacks %q:\n%s", want, d.Screen())
		}
	}
	if d.Press("right", "right").Wait("the third", p.settled); !d.Shows("0:01.00 of 0:04.00 · frame 31 of 120") {
		t.Errorf("→ does not play on:\n%s", d.Screen())
	}
	if d.Press("left").Wait("the second", p.settled); !d.Shows("frame 16 of 120") {
		t.Errorf("← does not play back:\n%s", d.Screen())
	}
	if d.Press("G").Wait("the last", p.settled); !d.Shows("frame 106 of 120") {
		t.Errorf("the last frame is out of reach:\n%s", d.Screen())
	}
	if d.Press("right").Wait("still the last", p.settled); !d.Shows("frame 106 of 120") {
		t.Errorf("→ leaves the clip at its end:\n%s", d.Screen())
	}
	if d.Press("down").Wait("the next clip", p.settled); !d.Shows("c01.mp4") || !d.Shows("frame 1 of 120") {
		t.Errorf("↓ does not open the next clip at its first frame:\n%s", d.Screen())
	}
	if asked["c00.mp4"] != 1 || asked["c01.mp4"] != 1 {
		t.Errorf("clips were decoded so often: %v", asked)
	}
	viewtest.Sizes(t, func(w, h int) string { return p.View(theme, w, h) })
}

// A clip that is decoded for long shows how far that is, every key works meanwhile, and who goes on stops it.
func TestDecodingShowsProgressAndIsGivenUp(t *testing.T) {
	stopped := make(chan struct{})
	p, d := openClips(t, clipSet(t), 120, 30, func(ctx context.Context, path string,
		report func(done, total int)) (*project.Sight, error) {
		if filepath.Base(path) != "c00.mp4" {
			return nil, errors.New(path + " is cut short: record it again")
		}
		report(3, 8)
		<-ctx.Done()
		close(stopped)
		return nil, ctx.Err()
	})
	show(p, d, samplesView)
	d.Press("enter").Wait("progress", func() bool { return p.film.total == 8 })
	if !d.Shows("decoding") || !d.Shows("3") {
		t.Errorf("the progress is not shown:\n%s", d.Screen())
	}
	d.Press("down").Wait("the next clip", p.settled)
	<-stopped
	if !d.Shows("✗ is cut short: record it again") {
		t.Errorf("why a clip cannot be decoded is not shown:\n%s", d.Screen())
	}
}

// longTail is a set of 269 classes in pictures that fall from 6477 objects to 4.
func longTail(t *testing.T) string {
	const classes, most, least, pictures = 269, 6477, 4, 400
	root, rng := t.TempDir(), rand.New(rand.NewPCG(9, 10))
	names, rows := make([]string, classes), make([]strings.Builder, pictures)
	for c := range classes {
		names[c] = fmt.Sprintf("'exercise %03d'", c)
		n := int(math.Round(most * math.Pow(float64(least)/most, float64(c)/(classes-1))))
		for k := range n {
			fmt.Fprintf(&rows[(c+k)%pictures], "%d %.6f %.6f .01 .01\n", c, 0.1+0.8*rng.Float64(),
				0.1+0.8*rng.Float64())
		}
	}
	for i := range pictures {
		write(filepath.Join(root, "train", "labels", fmt.Sprintf("p%03d.txt", i)), []byte(rows[i].String()))
		write(filepath.Join(root, "train", "images", fmt.Sprintf("p%03d.png", i)), hill(rng))
	}
	write(filepath.Join(root, "data.yaml"), []byte("train: train/images\nnames: ["+strings.Join(names, ", ")+"]\n"))
	return root
}

func TestManyClassesWithALongTailStayReadable(t *testing.T) {
	p, d := openFile(t, newProject(t, "DATASET.PATH="+longTail(t)), 120, 30)
	d.Wait("the data set", p.settled)
	for _, want := range []string{"log scale", "1619× severe", " more", "Σ 2.7 %", "by rank · logarithmic",
		"classes hold half of all objects", "1 of 269"} {
		if !d.Shows(want) {
			t.Errorf("the overview lacks %q:\n%s", want, d.Screen())
		}
	}
	d.Press("G").Wait("the last", p.settled)
	if !d.Shows("exercise 268") || !d.Shows("Σ 100.0 %") || !d.Shows("269 of 269") {
		t.Errorf("the rarest class is out of reach:\n%s", d.Screen())
	}
	d.Press("g", "/").Type("26").Wait("the search", p.settled)
	if !d.Shows("exercise 260") || d.Shows("exercise 100") {
		t.Errorf("the search is not live:\n%s", d.Screen())
	}
	d.Press("esc").Wait("all", p.settled)
	show(p, d, recipeName)
	if !d.Shows("Σ of n") || !d.Shows("of 271") {
		t.Errorf("the mass table says neither sums nor where it is:\n%s", d.Screen())
	}
	for _, view := range p.views.Names() {
		show(p, d, view)
		drawnWhole(t, p)
	}
}
