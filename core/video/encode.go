package video

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	ffmpeg "github.com/u2takey/ffmpeg-go"

	"finetui/ml/picture"
)

// Encode writes frames of one size, both sides even, as a clip of so many frames a second. The codec is MPEG-4 part 2,
// which every build of FFmpeg has; the same frames and the same FFmpeg give the same bytes. The folder of path must be
// one whose half-written files nobody reads. Errors: *NoFFmpeg, ctx's, that of the file, or what FFmpeg says.
func Encode(ctx context.Context, path string, fps int, frames []*picture.RGB) error {
	url, err := source(path)
	if err != nil {
		return err
	}
	raw := path + ".rgb"
	defer os.Remove(raw)
	if err := writeRaw(raw, frames); err != nil {
		return err
	}
	pixels, err := source(raw)
	if err != nil {
		return err
	}
	from := ffmpeg.Input(pixels, ffmpeg.KwArgs{"v": "error", "nostdin": "", "protocol_whitelist": "file",
		"f": "rawvideo", "pix_fmt": "rgb24", "s": fmt.Sprintf("%dx%d", frames[0].W, frames[0].H),
		"r": strconv.Itoa(fps)})
	args, err := arguments(ffmpeg.Output([]*ffmpeg.Stream{from}, url, ffmpeg.KwArgs{"c:v": "mpeg4", "q:v": "3",
		"pix_fmt": "yuv420p", "threads": "1", "flags": "+bitexact", "fflags": "+bitexact", "f": "mp4"}))
	if err != nil {
		return err
	}
	_, err = run(ctx, "ffmpeg", append([]string{"-y"}, args...))
	return err
}

// writeRaw lays the pixels of frames of one size end to end.
func writeRaw(path string, frames []*picture.RGB) (err error) {
	if len(frames) == 0 {
		return fmt.Errorf("%s: a clip of no frames", path)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	for i, p := range frames {
		if err := p.Check(); err != nil {
			return fmt.Errorf("%s: frame %d: %w", path, i+1, err)
		}
		if p.W != frames[0].W || p.H != frames[0].H || p.W%2 != 0 || p.H%2 != 0 {
			return fmt.Errorf("%s: frame %d is %d×%d pixels large: all have one even size", path, i+1, p.W, p.H)
		}
		if _, err := w.Write(p.Pix); err != nil {
			return err
		}
	}
	return w.Flush()
}
