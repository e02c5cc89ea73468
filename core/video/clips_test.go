package video

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"finetui/ml/picture"
)

// film makes a clip with ffmpeg in the test's folder: 30 frames of 96×54 at 10 a second, by what encode says.
func film(t testing.TB, name string, encode ...string) string {
	t.Helper()
	return filmOf(t, "testsrc2=s=96x54:r=10:d=3", name, encode...)
}

func filmOf(t testing.TB, source, name string, encode ...string) string {
	t.Helper()
	needFFmpeg(t)
	path := filepath.Join(t.TempDir(), name)
	args := append([]string{"-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-threads", "1"}, encode...)
	output(t, "ffmpeg", append(args, "file:"+path)...)
	return path
}

// again makes another file of a clip without coding it anew.
func again(t testing.TB, path, name string, options ...string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), name)
	args := append([]string{"-nostdin", "-v", "error", "-y", "-i", "file:" + path, "-c", "copy"}, options...)
	output(t, "ffmpeg", append(args, "file:"+to)...)
	return to
}

// turned is a clip whose container says that it is to be turned, as telephones write it.
func turned(t testing.TB, path, name string, degrees int) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), name)
	angle := strconv.Itoa(degrees)
	newer := exec.Command("ffmpeg", "-nostdin", "-v", "quiet", "-display_rotation", angle, "-i", path, "-c", "copy", to)
	if newer.Run() == nil {
		return to
	}
	return again(t, path, name, "-metadata:s:v", "rotate="+angle) // before FFmpeg 6
}

// cutOut is a clip that begins in the middle of another by an edit list: what lies before is decoded and not shown.
func cutOut(t testing.TB, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "edit.mp4")
	output(t, "ffmpeg", "-nostdin", "-v", "error", "-ss", "1.25", "-i", path, "-c", "copy", to)
	return to
}

// part is a file's beginning.
func part(t testing.TB, path, name string, share float64) string {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return put(t, name, string(file[:int(share*float64(len(file)))]))
}

func put(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// allByFFmpeg are all frames of a clip's first video stream, brought to a size by ffmpeg itself.
func allByFFmpeg(t testing.TB, path string, w, h int) (list []*picture.RGB) {
	t.Helper()
	scale := "scale=" + strconv.Itoa(w) + ":" + strconv.Itoa(h)
	raw := output(t, "ffmpeg", "-nostdin", "-v", "quiet", "-i", "file:"+path, "-map", "0:V:0", "-fps_mode",
		"passthrough",
		"-vf", scale,
		"-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
	for size := 3 * w * h; len(raw) >= size; raw = raw[size:] {
		list = append(list, &picture.RGB{W: w, H: h, Pix: raw[:size]})
	}
	return list
}

// TestClipsOfManyKinds compares number, size, rate and every frame with ffprobe's and ffmpeg's own output.
func TestClipsOfManyKinds(t *testing.T) {
	needFFmpeg(t)
	plain := film(t, "plain.mp4", "-c:v", "libx264", "-g", "10")
	small := filmOf(t, "testsrc2=s=64x32:r=10:d=1", "small.ts", "-c:v", "libx264", "-output_ts_offset", "3")
	two, _ := os.ReadFile(again(t, plain, "a.ts"))
	other, _ := os.ReadFile(small)
	anamorphic := film(t, "wide.mp4", "-vf", "setsar=64/45", "-c:v", "libx264")
	uneven := film(t, "vfr.mp4", "-vf", "select='not(mod(n,3))+lt(n,10)'", "-fps_mode", "vfr", "-c:v", "libx264")
	for _, test := range []struct {
		name, path string
		w, h       int
		fps        float64
		variable   bool
		bits       int
	}{
		{"h264", plain, 96, 54, 10, false, 8},
		{"upright by its matrix", turned(t, plain, "t.mp4", 90), 54, 96, 10, false, 8},
		{"upside down", turned(t, plain, "u.mp4", 180), 96, 54, 10, false, 8},
		{"wide pixels", anamorphic, 137, 54, 10, false, 8},
		{"nearly square pixels", film(t, "n.mp4", "-vf", "setsar=80/81", "-c:v", "libx264"), 96, 54, 10, false, 8},
		{"wide pixels, turned", turned(t, anamorphic, "s.mp4", 270), 54, 137, 10, false, 8},
		{"odd size", film(t, "odd.mp4", "-vf", "scale=97:53,setsar=1", "-c:v", "libx264", "-pix_fmt", "yuv444p"), 97,
			53, 10, false, 8},
		{"odd size, VP9", film(t, "odd.webm", "-vf", "scale=97:53,setsar=1", "-c:v", "libvpx-vp9"), 97, 53,
			10, false, 8},
		{"VP8 with hidden frames", film(t, "8.webm", "-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16"),
			96, 54,
			10, false, 8},
		{"10 bits, H.265", film(t, "10.mkv", "-c:v", "libx265", "-x265-params", "log-level=0:pools=1", "-pix_fmt",
			"yuv420p10le"), 96, 54, 10, false, 10},
		{"full range", film(t, "f.mp4", "-c:v", "libx264", "-pix_fmt", "yuvj420p"), 96, 54, 10, false, 8},
		{"BT.709", film(t, "7.mp4", "-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709", "-c:v", "libx264"),
			96, 54,
			10, false, 8},
		{"interlaced", film(t, "i.mp4", "-vf", "scale=96:64,setsar=1", "-c:v", "libx264", "-flags", "+ilme+ildct",
			"-x264opts",
			"tff=1"), 96, 64, 10, false, 8},
		{"variable rate", uneven, 96, 54, 16 / 2.8, true, 8},
		{"variable rate, milliseconds", again(t, uneven, "vfr.mkv"), 96, 54, 0, true, 8},
		{"cut by an edit list", cutOut(t, plain), 96, 54, 10, false, 8},
		{"transport stream", again(t, plain, "b.ts"), 96, 54, 10, false, 8},
		{"fragments", film(t, "g.mp4", "-c:v", "libx264", "-movflags", "frag_keyframe+empty_moov"), 96, 54,
			10, false, 8},
		{"AVI", film(t, "m.avi", "-c:v", "mpeg4", "-bf", "2"), 96, 54, 10, false, 8},
		{"GIF", film(t, "a.gif"), 96, 54, 10, false, 8},
		{"another size in the middle", put(t, "two.ts", string(two)+string(other)), 96, 54, 0, false, 8},
		{"one frame", film(t, "1.mp4", "-frames:v", "1", "-c:v", "libx264"), 96, 54, 10, false, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // each waits for programs
			ctx := context.Background()
			info, err := Probe(ctx, test.path)
			if err != nil {
				t.Fatal(err)
			}
			said := string(output(t, "ffprobe", "-v", "quiet", "-count_frames", "-select_streams", "V:0",
				"-show_entries",
				"stream=nb_read_frames", "-of", "default=nk=1:nw=1", "file:"+test.path))
			if n, _, _ := strings.Cut(said, "\n"); n != strconv.Itoa(info.Frames) {
				t.Errorf("%d frames, ffprobe says %s", info.Frames, n)
			}
			if info.W != test.w || info.H != test.h ||
				info.Variable != test.variable && test.name != "another size in the middle" || info.Bits != test.bits {
				t.Errorf("%+v", info)
			}
			if test.fps != 0 && (info.FPS < test.fps*.999 || info.FPS > test.fps*1.001) {
				t.Errorf("%v frames a second, want %v", info.FPS, test.fps)
			}
			want := allByFFmpeg(t, test.path, test.w, test.h)
			if test.name == "another size in the middle" { // where ffmpeg scales twice
				copy(want[30:], allByFFmpeg(t, small, test.w, test.h))
			}
			if len(want) != info.Frames {
				t.Fatalf("ffmpeg gives %d frames, Probe says %d", len(want), info.Frames)
			}
			for _, pick := range []Pick{Spread(info.Frames), Spread(5)} {
				list, _, err := Frames(ctx, test.path, info, pick, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range list {
					if most := farthest(t, f.Picture, want[f.Index]); most > 0 {
						t.Errorf("frame %d is up to %d levels off", f.Index, most)
					}
				}
			}
		})
	}
}

func TestWhatIsNoClipIsAFaultThatSaysSo(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	plain := film(t, "plain.mp4", "-c:v", "libx264", "-g", "5")
	index, still := again(t, plain, "index.mp4", "-movflags", "faststart"), film(t, "p.jpg", "-frames:v", "1")
	sound := filmOf(t, "sine=d=1", "s.m4a", "-c:a", "aac")
	cover := filepath.Join(dir, "cover.m4a")
	output(t, "ffmpeg", "-v", "error", "-i", sound, "-i", still, "-map", "0", "-map", "1", "-c", "copy",
		"-disposition:v",
		"attached_pic", cover)
	picture, err := os.ReadFile(still)
	if err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe.mp4")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	endless := filepath.Join(dir, "zero.mp4")
	if err := os.Symlink("/dev/zero", endless); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path string
		kind       Kind
		says       string
	}{
		{"no file", filepath.Join(dir, "none.mp4"), Missing, "is missing"},
		{"a folder", dir, Missing, "is a folder"},
		{"a pipe", pipe, Missing, "is a pipe"},
		{"a device", endless, Missing, "is a device"},
		{"empty", put(t, "e.mp4", ""), Empty, "empty"},
		{"text", put(t, "t.mp4", "this is no video\n"), NotVideo, "no video"},
		{"noise", put(t, "n.mp4", strings.Repeat("\x93\x07~q", 5000)), NotVideo, "no video"},
		{"a playlist", put(t, "l.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nx.ts\n"), NotVideo, "playlist"},
		{"a list of files", put(t, "c.mp4", "ffconcat version 1.0\nfile plain.mp4\n"), NotVideo, "playlist"},
		{"a picture", still, Still, "JPEG"},
		{"a picture by another name", put(t, "j.mp4", string(picture)), Still, "JPEG"},
		{"a picture as GIF", film(t, "1.gif", "-frames:v", "1"), Still, "GIF"},
		{"sound", sound, SoundOnly, "no video"},
		{"sound with a cover", cover, SoundOnly, "cover"},
		{"no index", part(t, plain, "x.mp4", .6), Broken, "index"},
		{"cut behind its index", part(t, index, "y.mp4", .7), Cut, "cut short"},
		{"cut, Matroska", part(t, again(t, plain, "a.mkv"), "y.mkv", .6), Cut, "cut short"},
		{"cut, AVI", part(t, film(t, "a.avi", "-c:v", "mpeg4"), "y.avi", .5), Cut, "cut short"},
		{"an index of nothing", put(t, "z.mp4", "\x00\x00\x00\x10ftypisom\x00\x00\x02\x00\x00\x00\x00\x08moov"),
			NotVideo, "no video"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // each waits for programs
			info, err := Probe(context.Background(), test.path)
			var f *Fault
			if !errors.As(err, &f) || f.Kind != test.kind || !strings.Contains(err.Error(), test.says) || info != nil {
				t.Fatalf("%+v, %v; want %s that says %q", info, err, test.kind, test.says)
			}
			if f.Do == "" || !strings.HasPrefix(err.Error(), test.path) {
				t.Errorf("%v: does not say where and what to do", err)
			}
			if f.Kind == Cut && (f.Info == nil || f.Info.Frames < 3 || f.Info.Frames >= 30) {
				t.Errorf("%v: what can be read is %+v", err, f.Info)
			}
		})
	}
}

func TestNamesThatLookLikeOptionsOrAddressesAreFiles(t *testing.T) {
	clip := film(t, "plain.mp4", "-c:v", "libx264")
	bytes, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"-y.mp4", "-i", "concat:a.mp4|b.mp4", "pipe:0", "file:x.mp4", "http:x.mp4",
		"a%03d.mp4",
		"[0:v]'\\,;.mp4", "a\nb.mp4", "lavfi:testsrc"} {
		if err := os.WriteFile("./"+name, bytes, 0o644); err != nil {
			t.Fatal(err)
		}
		info, err := Probe(context.Background(), name)
		if err != nil || info.Frames != 30 {
			t.Errorf("%q: %+v, %v", name, info, err)
			continue
		}
		if list, _, err := Frames(context.Background(), name, info, Exactly(29), nil, nil); err != nil ||
			len(list) != 1 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestDamageThatNoPacketTellsChangesTheChoice: pick is asked again once decoding has told how many frames there are.
func TestDamageThatNoPacketTellsChangesTheChoice(t *testing.T) {
	path := film(t, "d.mp4", "-c:v", "libx264", "-g", "10", "-crf", "5")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	media, index := strings.Index(string(file), "mdat"), strings.Index(string(file), "moov")
	clear(file[media+(index-media)/3 : media+(index-media)/2])
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	info, err := Probe(ctx, path)
	if err != nil || info.Frames != 30 || info.Decoded {
		t.Fatalf("%+v, %v", info, err)
	}
	list, sure, err := Frames(ctx, path, info, Spread(30), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := Check(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if checked.Frames >= 30 || sure.Frames != checked.Frames || len(list) != checked.Frames || checked.Lost == 0 ||
		sure.Lost != checked.Lost {
		t.Errorf("checked %d (%d lost), %d taken of %d", checked.Frames, checked.Lost, len(list), sure.Frames)
	}
}

func TestFramesOfOtherSizesAreFFmpegs(t *testing.T) {
	path := film(t, "a.mp4", "-c:v", "libx264")
	info, err := Probe(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if size := info.Within(48, 48); size != (Size{48, 27}) {
		t.Errorf("within 48×48: %v", size)
	}
	want := allByFFmpeg(t, path, 31, 40)
	list, _, err := Frames(context.Background(), path, info, Exactly(3, 17), func(*Info) Size { return Size{31, 40} },
		nil)
	if err != nil || len(list) != 2 || farthest(t, list[1].Picture, want[17]) > 0 {
		t.Errorf("%d frames, %v", len(list), err)
	}
	for name, pick := range map[string]Pick{"behind the end": Exactly(30), "before": Exactly(-1),
		"back": Exactly(2, 1)} {
		if _, _, err := Frames(context.Background(), path, info, pick, nil, nil); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	huge := func(*Info) Size { return Size{20000, 20000} }
	if _, _, err := Frames(context.Background(), path, info, Exactly(0), huge, nil); err == nil {
		t.Error("frames of 20000×20000 are made")
	}
}

func TestFrameNamedTwiceComesTwice(t *testing.T) {
	path := film(t, "a.mp4", "-c:v", "libx264")
	info, err := Probe(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := Frames(context.Background(), path, info, Exactly(0, 0, 7, 7, 9), nil, nil)
	if err != nil || len(list) != 5 || list[0].Picture != list[1].Picture || list[3].Index != 7 ||
		list[3].Picture == list[4].Picture {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestFramesTellTheirProgressAndStop(t *testing.T) {
	path := film(t, "a.mp4", "-c:v", "libx264")
	info, err := Check(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var told []int
	if _, _, err := Frames(context.Background(), path, info, Exactly(0, 19), nil, func(done, total int) {
		if told = append(told, done); total != 20 {
			t.Errorf("of %d frames", total)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(told) != 20 || told[0] != 1 || told[19] != 20 {
		t.Errorf("told %v: a clip is decoded up to the last frame asked for, and each frame is told", told)
	}
	real, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	pid := program(t, "ffmpeg", `[ "$1" = -version ] && kill $! && exec `+real+" -version\n"+real+` "$@"`+"\n")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, _, err = Frames(ctx, path, info, Exactly(0, 29), nil, func(done, total int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
	gone(t, pid)
}
