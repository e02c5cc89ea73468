package video

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

const sound = `packet|stream_index=1|pts=0|dts=-512|duration=512|size=90|flags=K_
packet|stream_index=0|pts=0|dts=0|duration=3000|size=7|flags=K_
packet|stream_index=1|pts=1024|dts=0|duration=512|size=9|flags=__
packet|stream_index=1|pts=512|dts=512|duration=512|size=9|flags=__
stream|index=0|codec_name=mjpeg|codec_type=video|width=48|height=48|disposition:attached_pic=1
stream|index=1|codec_name=hevc|codec_type=video|width=720|height=576|sample_aspect_ratio=64:45|pix_fmt=yuv420p10le|` +
	`color_range=tv|color_space=bt709|field_order=progressive|r_frame_rate=25/1|avg_frame_rate=25/1|` +
	`time_base=1/12800|bits_per_raw_sample=N/A|disposition:attached_pic=0|side_data|side_data_type=Display Matrix|rotation=-90
stream|index=2|codec_name=aac|codec_type=audio
format|format_name=mov,mp4,m4a,3gp,3g2,mj2|nb_streams=3|start_time=0.000000
`

func TestReportOfFFprobeIsUnderstood(t *testing.T) {
	rep, err := parse(strings.NewReader(sound))
	if err != nil || rep.streams != 3 || len(rep.video) != 2 {
		t.Fatalf("%+v, %v", rep, err)
	}
	s := rep.clip()
	info, err := s.info("x", rep)
	if err != nil {
		t.Fatal(err)
	}
	if !s.trusted(rep.format) {
		t.Error("packets of a frame each are not trusted")
	}
	want := []float64{0, 0.04, 0.08}
	if !slices.EqualFunc(info.Times, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
		t.Errorf("times %v, want %v", info.Times, want)
	}
	got := fmt.Sprintln(info.Stream, info.W, info.H, info.StoredW, info.StoredH, info.Rotation, info.Frames, info.Bits,
		info.FullRange, info.Matrix, info.Codec, math.Round(info.FPS*1e6)/1e6)
	if got != "1 576 1024 720 576 270 3 10 false bt709 hevc 25\n" {
		t.Errorf("said %s", got)
	}
}

func TestPacketsThatMayHoldNoFrameAreNotTrusted(t *testing.T) {
	for name, change := range map[string][2]string{
		"damaged":            {"size=9|flags=__", "size=9|flags=_C"},
		"hidden":             {"size=9|flags=__", "size=9|flags=_D"},
		"empty":              {"size=9|", "size=0|"},
		"no time":            {"pts=1024", "pts=N/A"},
		"two at a time":      {"pts=1024", "pts=512"},
		"begins in a middle": {"size=90|flags=K_", "size=90|flags=__"},
		"pictures of before": {"stream_index=1|pts=0|", "stream_index=1|pts=700|"},
		"fields":             {"field_order=progressive", "field_order=tt"},
		"a codec that hides": {"codec_name=hevc", "codec_name=vp8"},
		"a container of old": {"format_name=mov,mp4,m4a,3gp,3g2,mj2", "format_name=avi"},
	} {
		rep, err := parse(strings.NewReader(strings.ReplaceAll(sound, change[0], change[1])))
		if err != nil {
			t.Fatal(err)
		}
		if rep.clip().trusted(rep.format) {
			t.Errorf("%s: trusted", name)
		}
	}
}

// pictureLines writes n packets.
func pictureLines(n int) io.Reader {
	line := strings.Repeat("packet|stream_index=0|pts=1|dts=1|duration=1|size=1|flags=K_\n", 1000)
	r, w := io.Pipe()
	go func() {
		for range n / 1000 {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
		}
		w.Close()
	}()
	return r
}

func TestReportWithoutEndIsRefused(t *testing.T) {
	if _, err := parse(pictureLines(mostFrames + 1000)); !errors.Is(err, errEndless) {
		t.Errorf("too many packets: %v", err)
	}
	if _, err := parse(strings.NewReader("stream|" + strings.Repeat("x", 1<<20))); !errors.Is(err, errReport) {
		t.Errorf("a line of 1 MiB: %v", err)
	}
	many := strings.Builder{}
	for i := range 200 {
		fmt.Fprintf(&many, "packet|stream_index=%d|pts=1\n", i)
	}
	if _, err := parse(strings.NewReader(many.String())); !errors.Is(err, errReport) {
		t.Errorf("200 streams: %v", err)
	}
}

func FuzzReport(f *testing.F) {
	f.Add(sound)
	f.Add("stream|index=0|width=2147483647|height=2147483647|sample_aspect_ratio=1:99999|time_base=1/0|" +
		"codec_name=h264\n")
	f.Add("packet|stream_index=0|pts=9223372036854775807|duration=-1\n" +
		"stream|index=0|time_base=1e300/1\nformat|start_time=nan")
	f.Fuzz(func(t *testing.T, text string) {
		rep, err := parse(strings.NewReader(text))
		if err != nil {
			return
		}
		_ = noClip("x", rep).Error()
		s := rep.clip()
		if s == nil {
			return
		}
		s.trusted(rep.format)
		info, err := s.info("x", rep)
		if err != nil {
			return
		}
		if info.W < 1 || info.H < 1 || info.Frames != len(info.Times) || !slices.IsSorted(info.Times) ||
			info.Rotation < 0 || info.Rotation >= 360 || math.IsNaN(info.FPS) || info.FPS < 0 || info.Duration < 0 {
			t.Errorf("%+v", info)
		}
		if at := info.At(1); info.Frames > 0 && (at < 0 || at >= info.Frames) {
			t.Errorf("at 1 s: frame %d of %d", at, info.Frames)
		}
	})
}

func FuzzClock(f *testing.F) {
	f.Add("#tb 0: 1/1000000\n0,          0,          0,    40000,      472, 0xbe42164d\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := &pass{}
		if err := p.readClock(strings.NewReader(text), func(int) {}); err == nil && p.last < 0 {
			t.Errorf("%+v", p)
		}
	})
}

func FuzzContainer(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x00\x00\x10\x00mdat...."))
	f.Add([]byte("\x1A\x45\xDF\xA3\x84webm\x18\x53\x80\x67\x01\x00\x00\x00\x00\x00\x00\xFFx"))
	f.Add([]byte("RIFF\xff\xff\x00\x00AVI LIST"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := peekAt(strings.NewReader(string(file)), int64(len(file)))
		if err != nil || p.still != "" && p.known {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func TestChoiceOfFramesIsShort(t *testing.T) {
	for _, test := range []struct {
		indices []int
		want    string
	}{
		{[]int{7}, "eq(n,7)"},
		{[]int{0, 1, 2, 3}, "between(n,0,3)"},
		{[]int{0, 30, 60, 90}, "between(n,0,90)*not(mod(n-0,30))"},
		{[]int{0, 48, 120, 192}, "between(n,0,48)*not(mod(n-0,48))+between(n,120,192)*not(mod(n-120,72))"},
	} {
		if got := choose(test.indices); got != test.want {
			t.Errorf("%v: %s, want %s", test.indices, got, test.want)
		}
	}
}

func TestVersionTellsTheNameOfAnOption(t *testing.T) {
	r := parseVersion("ffmpeg version 4.4.2-0ubuntu1 Copyright\nlibavutil      56. 70.100 / 56. 70.100\n" +
		"libavformat    58. 76.100 / 58. 76.100\n")
	if r.major != 58 || r.minor != 76 || r.passthrough()["vsync"] != "0" {
		t.Errorf("%+v", r)
	}
}

func TestNewerVersionsHaveTheNewOption(t *testing.T) {
	for _, text := range []string{"libavformat    59. 27.100 / 59. 27.100", "libavformat 61.  7.100 / 61.",
		"built today"} {
		if got := parseVersion("ffmpeg version N-1\n" + text).passthrough()["fps_mode"]; got != "passthrough" {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestTimeMeansTheFrameShownThen(t *testing.T) {
	info := &Info{Times: []float64{0.5, 1, 1.333333, 4}}
	for seconds, want := range map[float64]int{-1: 0, 0.7: 0, 1: 1, 1.3333325: 2, 3.9: 2, 99: 3} {
		if got := info.At(seconds); got != want {
			t.Errorf("at %v s frame %d, want %d", seconds, got, want)
		}
	}
}
