package video

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	ffmpeg "github.com/u2takey/ffmpeg-go"

	"finetui/ml/picture"
)

// Size is that of the frames wanted, in pixels; zero: as a person sees the clip (Info.W, Info.H).
type Size struct{ W, H int }

// Within is the largest size of the clip's shape within w×h pixels, and no larger than it is.
func (i *Info) Within(w, h int) Size {
	scale := min(float64(w)/float64(i.W), float64(h)/float64(i.H), 1)
	return Size{max(int(float64(i.W)*scale+0.5), 1), max(int(float64(i.H)*scale+0.5), 1)}
}

// mostBytes bounds the pixels of one answer.
const mostBytes = 2 << 30

// pass is one decoding of a clip from its beginning.
type pass struct {
	times  []float64 // of every frame decoded, seconds
	last   float64   // how long the last one is shown, seconds
	frames []*picture.RGB
}

// microsecond is the unit in which ffmpeg is asked for times.
const microsecond = 1e-6

// decode runs ffmpeg over a clip once: it takes the frames of the indices (ascending, each once), scaled to size, and
// tells the time of every frame. Where whole, it goes on to the clip's end; else it ends behind the last index.
func decode(ctx context.Context, path string, info *Info, indices []int, size Size, whole bool,
	report Progress) (*pass, error) {
	until := 0
	if !whole {
		until = indices[len(indices)-1] + 1
	}
	args, err := command(ctx, path, info, indices, size, until)
	if err != nil {
		return nil, err
	}
	p := &pass{}
	total := until
	if whole {
		total = info.Frames
	}
	clock := func(r io.Reader) error {
		return p.readClock(r, func(done int) {
			if report != nil {
				report(done, max(total, done))
			}
		})
	}
	if len(indices) == 0 {
		_, err = run(ctx, "ffmpeg", args, clock)
		return p, err
	}
	_, err = run(ctx, "ffmpeg", args, func(r io.Reader) (err error) {
		p.frames, err = readFrames(r, size, len(indices))
		return err
	}, clock)
	return p, err
}

// command is ffmpeg's list of arguments for a file.
func command(ctx context.Context, path string, info *Info, indices []int, size Size, until int) ([]string, error) {
	url, err := source(path)
	if err != nil {
		return nil, err
	}
	ffmpegs, _ := version(ctx, "ffmpeg") // where it is not known, the newest is meant
	return build(url, ffmpegs, info, indices, size, until)
}

// build is the list of arguments: frames go to ffmpeg's first outlet as raw pixels, and the time of each that was
// decoded to the last as a line. until is after how many frames it ends; 0: at the clip's end.
func build(url string, by release, info *Info, indices []int, size Size, until int) ([]string, error) {
	options := ffmpeg.MergeKwArgs([]ffmpeg.KwArgs{open(), {"nostdin": ""}})
	if info.Rotation == 0 {
		options["reinit_filter"] = "0" // frames of another size in the middle do not begin the numbering anew
	}
	video := ffmpeg.Input(url, options).Get(strconv.Itoa(info.Stream))
	tell := ffmpeg.MergeKwArgs([]ffmpeg.KwArgs{by.passthrough(), {"c:v": "wrapped_avframe", "f": "framecrc",
		"flush_packets": "1", "enc_time_base": "1:1000000"}})
	if until > 0 {
		tell["frames:v"] = strconv.Itoa(until)
	}
	if len(indices) == 0 {
		return arguments(ffmpeg.Output([]*ffmpeg.Stream{video}, "pipe:1", tell))
	}
	raw := ffmpeg.MergeKwArgs([]ffmpeg.KwArgs{by.passthrough(), {"f": "rawvideo", "pix_fmt": "rgb24",
		"frames:v": strconv.Itoa(len(indices))}})
	both := video.Split()
	chosen := both.Get("0").
		Filter("select", ffmpeg.Args{choose(indices)}).
		Filter("scale", ffmpeg.Args{strconv.Itoa(size.W), strconv.Itoa(size.H)}).
		Filter("setsar", ffmpeg.Args{"1"})
	return arguments(ffmpeg.MergeOutputs(
		ffmpeg.Output([]*ffmpeg.Stream{chosen}, "pipe:1", raw),
		ffmpeg.Output([]*ffmpeg.Stream{both.Get("1")}, "pipe:3", tell)))
}

// arguments compiles a graph of ffmpeg-go, which panics where one is not sound.
func arguments(s *ffmpeg.Stream) (args []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("building the command for ffmpeg: %v", r)
		}
	}()
	return s.GetArgs(), nil
}

// choose is the expression of the select filter that holds for those frames: runs of equal steps become one term.
func choose(indices []int) string {
	var terms []string
	for i := 0; i < len(indices); {
		from, step, j := indices[i], 1, i+1
		if j < len(indices) {
			step = indices[j] - from
		}
		for j < len(indices) && indices[j]-indices[j-1] == step {
			j++
		}
		switch to := indices[j-1]; {
		case j == i+1:
			terms = append(terms, fmt.Sprintf("eq(n,%d)", from))
		case step == 1:
			terms = append(terms, fmt.Sprintf("between(n,%d,%d)", from, to))
		default:
			terms = append(terms, fmt.Sprintf("between(n,%d,%d)*not(mod(n-%d,%d))", from, to, from, step))
		}
		i = j
	}
	return strings.Join(terms, "+")
}

// release is which FFmpeg there is.
type release struct {
	text         string // all that -version prints: its own version, and those of its libraries
	major, minor int    // of libavformat; 0: not said
}

// passthrough is the option that keeps ffmpeg from dropping and doubling frames. Its name changed in 5.1.
func (r release) passthrough() ffmpeg.KwArgs {
	if r.major > 0 && (r.major < 59 || r.major == 59 && r.minor < 27) {
		return ffmpeg.KwArgs{"vsync": "0"}
	}
	return ffmpeg.KwArgs{"fps_mode": "passthrough"}
}

// installed is a program as it stands on the disk.
type installed struct {
	path     string
	size     int64
	modified time.Time
}

var releases sync.Map // installed → release

// version asks a program once in a process, and again where it was replaced.
func version(ctx context.Context, program string) (release, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return release{}, &NoFFmpeg{program}
	}
	info, err := os.Stat(path)
	if err != nil {
		return release{}, err
	}
	key := installed{path, info.Size(), info.ModTime()}
	if known, ok := releases.Load(key); ok {
		return known.(release), nil
	}
	var text bytes.Buffer
	if _, err := run(ctx, program, []string{"-version"}, func(r io.Reader) error {
		_, err := io.Copy(&text, io.LimitReader(r, 64<<10))
		return err
	}); err != nil {
		return release{}, err
	}
	known := parseVersion(text.String())
	releases.Store(key, known)
	return known, nil
}

func parseVersion(text string) release {
	r := release{text: text}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "libavformat"); ok {
			numbers, _, _ := strings.Cut(rest, "/")
			major, minor, _ := strings.Cut(strings.ReplaceAll(numbers, " ", ""), ".")
			minor, _, _ = strings.Cut(minor, ".")
			r.major, r.minor = whole(major), whole(minor)
		}
	}
	return r
}

// readClock reads what ffmpeg's framecrc writes: "0, dts, pts, duration, size, checksum" a frame.
func (p *pass) readClock(r io.Reader, frame func(done int)) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, ",")
		if len(parts) < 5 {
			return errReport
		}
		pts := ticks(strings.TrimSpace(parts[2]))
		if pts == none {
			return errReport
		}
		if len(p.times) == mostFrames {
			return errEndless
		}
		p.times = append(p.times, float64(pts)*microsecond)
		p.last = float64(max(ticks(strings.TrimSpace(parts[3])), 0)) * microsecond
		frame(len(p.times))
	}
	return lines.Err()
}

// readFrames reads up to n pictures of a size, one after the other.
func readFrames(r io.Reader, size Size, n int) (list []*picture.RGB, err error) {
	for range n {
		img := picture.NewRGB(size.W, size.H)
		if _, err := io.ReadFull(r, img.Pix); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, img)
	}
	return list, nil
}

// count decodes all frames and puts their number and times into info.
func count(ctx context.Context, path string, info *Info, report Progress) error {
	p, err := decode(ctx, path, info, nil, Size{}, true, report)
	var broke *failed
	if err != nil && !(errors.As(err, &broke) && len(p.times) > 0) {
		return err
	}
	info.setTimes(p.times, p.last)
	info.Decoded = true
	return nil
}
