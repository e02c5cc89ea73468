package dataset

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

func TestClipsAreProbedByWhatIsHandedIn(t *testing.T) {
	root := write(t, map[string]string{"labels.json": `[{"video_path": "a.mp4", "labels": "x - y"},
		{"video_path": "b.mp4", "labels": "x - z"}, {"video_path": "gone.mp4", "labels": "x - z"}]`, "a.mp4": "", "b.mp4": ""})
	ctx := Probing(context.Background(), func(_ context.Context, path string) (int, int, Clip, error) {
		switch filepath.Base(path) {
		case "a.mp4":
			return 640, 480, Clip{Frames: 60, FPS: 30, Seconds: 2}, nil
		case "b.mp4":
			return 0, 0, Clip{}, errors.New("there is no picture in it")
		}
		t.Errorf("%s is probed", path)
		return 0, 0, Clip{}, nil
	})
	set, err := Read(ctx, testConfig("labels.json"), root, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := set.Find("train/a.mp4"); a.Width != 640 || a.Height != 480 || a.Clip.Frames != 60 || a.Broken {
		t.Errorf("got %+v %+v", a, a.Clip)
	}
	if b := set.Find("train/b.mp4"); !b.Broken || b.Clip.Frames != 0 || countOf(set, UnreadableClip) != 1 {
		t.Errorf("got %+v, findings %q", b, codes(set))
	}
	if gone := set.Find("train/gone.mp4"); gone.Broken || gone.Clip.Frames != 0 {
		t.Errorf("got %+v", gone)
	}
}
