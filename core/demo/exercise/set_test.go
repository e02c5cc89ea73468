package exercise

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/video"
	"finetui/ml/picture"
)

// few are the options of a set that a test can wait for.
var few = Options{Seed: 3, Clips: 1}

func needFFmpeg(t *testing.T) {
	t.Helper()
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
}

// The reader of QVED reads what was drawn, without a word about it, and the clips are what their labels say.
func TestTheSetIsReadWithoutFindings(t *testing.T) {
	needFFmpeg(t)
	dir := filepath.Join(t.TempDir(), "data")
	if err := Make(context.Background(), dir, few, nil); err != nil {
		t.Fatal(err)
	}
	preset, err := config.Preset("qved")
	if err != nil {
		t.Fatal(err)
	}
	c := preset.Config.Dataset
	c.Path = dir
	data, err := dataset.Read(context.Background(), c, filepath.Dir(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(data.Items) != 3 || len(data.Findings) != 0 {
		t.Fatalf("%d clips, findings %v", len(data.Items), data.Findings)
	}
	takes := plan(few)
	for i, item := range data.Items {
		e := exercises[takes[i].exercise]
		want := e.name + " - " + e.variations[takes[i].variation].advice
		o := item.Objects[0]
		if got := data.Classes[o.Class].Name; got != e.name || o.Text == nil || o.Text.Answer != want ||
			item.Group.String() != takes[i].person {
			t.Errorf("%s is read as %q of %q: %v", item.ID, got, item.Group, o.Text)
		}
		film := takes[i].film()
		info, err := video.Probe(context.Background(), item.Media)
		if err != nil || info.Frames != len(film.Frames) || info.FPS != FPS {
			t.Fatalf("%s: %+v, error %v", item.ID, info, err)
		}
		last := len(film.Frames) - 1
		frames, _, err := video.Frames(context.Background(), item.Media, info, video.Exactly(last),
			func(i *video.Info) video.Size { return video.Size{W: i.W, H: i.H} }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(frames[0].Picture, film.Frames[last].Pix); d > 4 {
			t.Errorf("%s: the last frame differs from what was drawn by %.1f levels", item.ID, d)
		}
	}
}

// difference is the mean one of two pictures, in levels.
func difference(a *picture.RGB, pix []uint8) float64 {
	sum := 0
	for i, v := range a.Pix {
		sum += max(int(v), int(pix[i])) - min(int(v), int(pix[i]))
	}
	return float64(sum) / float64(len(pix))
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	needFFmpeg(t)
	var sums [2]string
	for i := range sums {
		dir, o := filepath.Join(t.TempDir(), "data"), few
		o.Workers = 1 + i
		if err := Make(context.Background(), dir, o, nil); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			sums[i] += e.Name() + string(data)
		}
	}
	if sums[0] != sums[1] {
		t.Error("two workers drew another set than one")
	}
}

func TestThePlanIsSkewedAndPartedByParticipant(t *testing.T) {
	in := map[string]string{}
	clips := map[string][]int{}
	said := map[[2]int]bool{}
	for _, x := range plan(Options{Seed: 1}) {
		if was, known := in[x.person]; known && was != x.split {
			t.Errorf("%s is in %s and %s", x.person, was, x.split)
		}
		in[x.person] = x.split
		if clips[x.split] == nil {
			clips[x.split] = make([]int, len(exercises))
		}
		clips[x.split][x.exercise]++
		if x.split == "train" {
			said[[2]int{x.exercise, x.variation}] = true
		}
	}
	if len(in) != 24+6+12 {
		t.Errorf("%d participants", len(in))
	}
	for _, s := range splits {
		if !slices.Equal(clips[s.name], s.clips[:]) {
			t.Errorf("%s: %v clips", s.name, clips[s.name])
		}
	}
	if train := clips["train"]; train[0] != 16*train[len(train)-1] {
		t.Errorf("the set is skewed %d to %d", train[0], train[len(train)-1])
	}
	for e := range exercises {
		for v := range exercises[e].variations {
			if !said[[2]int{e, v}] {
				t.Errorf("%s - %s is in no clip of train", exercises[e].name, exercises[e].variations[v].label)
			}
		}
	}
}

// Every joint of every variation stays in the picture for any participant.
func TestNobodyLeavesThePicture(t *testing.T) {
	for i, x := range plan(Options{Seed: 2}) {
		if i%5 != 0 {
			continue
		}
		m := exercises[x.exercise].variations[x.variation].motion
		for _, p := range m.Poses {
			_, joints := x.who.frame(8, p, m.Front, -m.middle())
			for at, q := range joints {
				if q.X < 0 || q.X > 1 || q.Y < 0 || q.Y > 1 {
					t.Errorf("%s - %s: joint %d is at %.2f, %.2f", exercises[x.exercise].name,
						exercises[x.exercise].variations[x.variation].label, at, q.X, q.Y)
				}
			}
		}
	}
}

func TestAStoppedDrawingLeavesNothing(t *testing.T) {
	needFFmpeg(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	root := t.TempDir()
	err := Make(ctx, filepath.Join(root, "data"), Options{Workers: 1}, func(int, int, string) { stop() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
	if left, err := os.ReadDir(root); err != nil || len(left) > 0 {
		t.Errorf("%v is left, error %v", left, err)
	}
}

func TestWithoutFFmpegItIsSaidHowToGetIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Make(context.Background(), filepath.Join(t.TempDir(), "data"), few, nil)
	var missing *video.NoFFmpeg
	if !errors.As(err, &missing) {
		t.Errorf("it ends with %v", err)
	}
}
