package video

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// broken puts programs on PATH that fail, so that what is found was kept. they still say their versions.
func broken(t *testing.T) {
	t.Helper()
	for _, name := range []string{"ffprobe", "ffmpeg"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		program(t, name, "kill $!; [ \"$1\" = -version ] && exec "+real+" -version\nexit 1\n")
	}
}

func TestFramesAreDecodedOnceWhateverTheClipIsCalled(t *testing.T) {
	clip := film(t, "a.mp4", "-c:v", "libx264")
	ctx, root := context.Background(), t.TempDir()
	rule := Sampling{Least: 8, Most: 16}
	small := func(i *Info) Size { return i.Within(32, 32) }
	store := Open(root, 64<<20)
	defer store.Close()
	first, info, err := store.Frames(ctx, clip, rule.Pick, small, nil)
	if err != nil || len(first) != 8 || !info.Decoded {
		t.Fatalf("%d frames, %+v, %v", len(first), info, err)
	}
	native, _, err := store.Frames(ctx, clip, Exactly(4, 8), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	broken(t)
	copied := filepath.Join(t.TempDir(), "copy.mp4")
	file, _ := os.ReadFile(clip)
	if err := os.WriteFile(copied, file, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"again": clip, "a copy": copied} {
		for _, s := range []*Store{store, Open(root, 64<<20)} {
			kept, known, err := s.Frames(ctx, path, rule.Pick, small, nil)
			if err != nil || len(kept) != 8 || known.Frames != 30 {
				t.Fatalf("%s: %d frames, %v", name, len(kept), err)
			}
			for i := range kept {
				if kept[i].Index != first[i].Index || kept[i].Seconds != first[i].Seconds ||
					farthest(t, kept[i].Picture, first[i].Picture) > 0 {
					t.Errorf("%s: frame %d is another", name, i)
				}
			}
			one, _, err := s.Frames(ctx, path, Exactly(8), nil, nil) // of another choice
			if err != nil || farthest(t, one[0].Picture, native[1].Picture) > 0 {
				t.Errorf("%s: one of the frames kept: %v", name, err)
			}
			if info, err := s.Check(ctx, path, nil); err != nil || info.Frames != 30 {
				t.Errorf("%s: checked anew: %v", name, err)
			}
		}
	}
	if _, _, err := store.Frames(ctx, clip, Exactly(5), nil, nil); err == nil {
		t.Error("a frame that was never decoded is found")
	}
	if _, _, err := store.Frames(ctx, clip, Exactly(4), func(*Info) Size { return Size{31, 31} }, nil); err == nil {
		t.Error("a size that was never made is found")
	}
}

func TestReplacedClipIsDecodedAnew(t *testing.T) {
	clip := film(t, "a.mp4", "-c:v", "libx264")
	store := Open(t.TempDir(), 64<<20)
	defer store.Close()
	first, _, err := store.Frames(context.Background(), clip, Exactly(0), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(film(t, "b.mp4", "-vf", "negate", "-c:v", "libx264"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(clip, other, 0o644); err != nil {
		t.Fatal(err)
	}
	second, _, err := store.Frames(context.Background(), clip, Exactly(0), nil, nil)
	if err != nil || farthest(t, first[0].Picture, second[0].Picture) < 100 {
		t.Errorf("the old picture: %v", err)
	}
}

// TestTwoStoresAtOnceKeepTheSame stands for two processes: each has its own file descriptors and lock.
func TestTwoStoresAtOnceKeepTheSame(t *testing.T) {
	clips := []string{film(t, "a.mp4", "-c:v", "libx264"), film(t, "b.mp4", "-vf", "negate", "-c:v", "libx264")}
	root := t.TempDir()
	want := map[string][]Frame{}
	for _, clip := range clips {
		list, _, err := (*Store)(nil).Frames(context.Background(), clip, Spread(6), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		want[clip] = list
	}
	var all sync.WaitGroup
	for range 2 {
		store := Open(root, 64<<20)
		defer store.Close()
		for _, clip := range clips {
			all.Go(func() {
				for range 2 {
					list, _, err := store.Frames(context.Background(), clip, Spread(6), nil, nil)
					if err != nil || len(list) != 6 {
						t.Errorf("%d frames, %v", len(list), err)
						return
					}
					for i, f := range list {
						if farthest(t, f.Picture, want[clip][i].Picture) > 0 {
							t.Errorf("frame %d is another", i)
						}
					}
				}
			})
		}
	}
	all.Wait()
}

func TestStoreThatCannotWriteSaysSoAndDecodes(t *testing.T) {
	clip := film(t, "a.mp4", "-c:v", "libx264")
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, ".finetui"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	store := Open(root, 64<<20)
	defer store.Close()
	list, _, err := store.Frames(context.Background(), clip, Exactly(3), nil, nil)
	if err != nil || len(list) != 1 {
		t.Errorf("%v", err)
	}
	if said := store.Trouble(); said == "" || filepath.Dir(root) == "" {
		t.Error("nothing is said")
	} else {
		t.Log(said)
	}
}

func TestKeptFramesStayBounded(t *testing.T) {
	clip := film(t, "a.mp4", "-c:v", "libx264")
	root := t.TempDir()
	const limit = 1 << 20
	store := Open(root, limit)
	defer store.Close()
	for side := 90; side < 120; side++ {
		size := func(*Info) Size { return Size{side, side} }
		if _, _, err := store.Frames(context.Background(), clip, Exactly(1, 2, 3), size, nil); err != nil {
			t.Fatal(err)
		}
	}
	total := int64(0)
	files, err := os.ReadDir(filepath.Join(root, ".finetui", "frames"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			total += info.Size()
		}
	}
	if total > limit+limit/8 || total < limit/4 {
		t.Errorf("%d bytes are kept, of at most %d", total, limit)
	}
}
