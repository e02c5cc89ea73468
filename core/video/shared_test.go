package video

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/picture"
)

// needFFmpeg skips a test on a machine without FFmpeg's programs.
func needFFmpeg(t testing.TB) {
	t.Helper()
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not on PATH: %s", program, Install)
		}
	}
}

// output is what a program prints, told apart from this package's way of calling it.
func output(t testing.TB, program string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(program, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%s %q: %v: %s", program, args, err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return out
}

// farthest is the largest difference of two pictures, in levels.
func farthest(t testing.TB, a, b *picture.RGB) (most int) {
	t.Helper()
	if a.W != b.W || a.H != b.H {
		t.Fatalf("%d×%d beside %d×%d", a.W, a.H, b.W, b.H)
	}
	for i := range a.Pix {
		most = max(most, int(a.Pix[i])-int(b.Pix[i]), int(b.Pix[i])-int(a.Pix[i]))
	}
	return most
}

// firstByFFmpeg is the first frame of a file's first video stream as ffmpeg itself gives it, as stored.
func firstByFFmpeg(t testing.TB, path string, w, h int) *picture.RGB {
	t.Helper()
	img := picture.NewRGB(w, h)
	raw := output(t, "ffmpeg", "-nostdin", "-v", "error", "-i", "file:"+path, "-map", "0:V:0", "-frames:v", "1", "-f",
		"rawvideo", "-pix_fmt", "rgb24", "pipe:1")
	if len(raw) != len(img.Pix) {
		t.Fatalf("%s: ffmpeg gives %d bytes for %d×%d", path, len(raw), w, h)
	}
	copy(img.Pix, raw)
	return img
}

// TestSharedClipsAreWhatFFmpegSaysTheyAre: number of frames, size, first picture.
func TestSharedClipsAreWhatFFmpegSaysTheyAre(t *testing.T) {
	needFFmpeg(t)
	var files []string
	for _, pattern := range [][]string{{"data", "codecs", "*.m*"}, {"data", "clips", "*.mp4"},
		{"data", "clips", "*", "*.mkv"}} {
		found, _ := filepath.Glob(filepath.Join(append([]string{goldentest.Shared(t)}, pattern...)...))
		files = append(files, found...)
	}
	if len(files) < 20 {
		t.Skipf("%d clips in the shared folder", len(files))
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel() // each waits for programs
			ctx := context.Background()
			info, err := Probe(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Split(strings.TrimSpace(string(output(t, "ffprobe", "-v", "error", "-count_frames",
				"-select_streams", "V:0", "-show_entries", "stream=codec_name,width,height,pix_fmt,nb_read_frames",
				"-of",
				"csv=p=0", "file:"+path))), ",")
			got := []string{info.Codec, strconv.Itoa(info.W), strconv.Itoa(info.H), info.PixelFormat,
				strconv.Itoa(info.Frames)}
			if strings.Join(got, " ") != strings.Join(said, " ") {
				t.Errorf("%v, ffprobe says %v", got, said)
			}
			list, sure, err := Frames(ctx, path, info, Exactly(0, info.Frames-1), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !sure.Decoded || sure.Frames != info.Frames {
				t.Errorf("packets say %d frames, decoding %d", info.Frames, sure.Frames)
			}
			if most := farthest(t, list[0].Picture, firstByFFmpeg(t, path, info.W, info.H)); most > 0 {
				t.Errorf("the first frame is up to %d levels off ffmpeg's own", most)
			}
		})
	}
}

// TestCasesOfClips takes the clips that readers get wrong: how many frames, which picture is which, which corner white;
// what holds no clip is a fault of the right kind.
func TestCasesOfClips(t *testing.T) {
	needFFmpeg(t)
	dir := goldentest.Shared(t, "cases", "video")
	var cases map[string]struct {
		Frames        int
		Width, Height int
		Grey          []int    `json:"centre_grey"`
		Corners       [][2]int `json:"corners_of_first"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]Kind{"no-index.mp4": Broken, "sound-only.mp4": SoundOnly, "text.mp4": NotVideo}
	t.Chdir(dir) // a name that begins with "-" is a path then
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			info, err := Check(ctx, name, nil)
			if want.Frames == 0 {
				var f *Fault
				if !errors.As(err, &f) || kinds[name] != "" && f.Kind != kinds[name] {
					t.Errorf("%v, want %s", err, kinds[name])
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			probed, err := Probe(ctx, name)
			if err != nil || probed.Frames != info.Frames {
				t.Fatalf("probed %+v, %v, decoded %d frames", probed, err, info.Frames)
			}
			if info.Frames != want.Frames || info.W != want.Width || info.H != want.Height {
				t.Fatalf("%d frames of %d×%d, want %d of %d×%d", info.Frames, info.W, info.H, want.Frames, want.Width,
					want.Height)
			}
			all, _, err := Frames(ctx, name, info, Spread(info.Frames), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range all {
				grey := int(f.Picture.Pix[3*(info.H/2*info.W+info.W/2)])
				if f.Index != i || grey < want.Grey[i]-4 || grey > want.Grey[i]+4 {
					t.Errorf("frame %d (%d) is grey %d in its middle, want %d", i, f.Index, grey, want.Grey[i])
				}
			}
			first, corner := all[0].Picture, 0
			for _, row := range want.Corners {
				for _, level := range row {
					x, y := corner%2*(first.W-1), corner/2*(first.H-1)
					if at := int(first.Pix[3*(y*first.W+x)]); at < level-12 || at > level+12 {
						t.Errorf("corner %d is %d, want %d", corner, at, level)
					}
					corner++
				}
			}
		})
	}
}
