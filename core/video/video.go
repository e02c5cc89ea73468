// Package video reads clips through FFmpeg's programs: what a file holds (Probe), which of its frames a model looks at
// (Sampling), the frames themselves (Frames), and keeps both on disk by content (Store). It knows no data sets, no
// models and no screen; contact sheets of clips are drawn in core/media.
//
// It is a package beside core/media, because readers of data sets probe clips, and core/media draws what those readers
// return.
//
// ffmpeg and ffprobe run as processes of their own: commands are built by u2takey/ffmpeg-go as lists of arguments, a
// clip is always named as a file of this machine, and no protocol but files is allowed. A process that makes no
// progress, or whose caller has lost interest, is ended with everything that it started, and waited for.
package video

import (
	"path/filepath"
	"slices"
	"strings"
)

// Info is what a clip's video stream is: the first one that is no cover picture.
type Info struct {
	Format string // FFmpeg's name of the container: "mov,mp4,m4a,3gp,3g2,mj2"
	Codec  string // FFmpeg's name: "h264", "hevc", "av1", "vp9"
	Stream int    // index of the stream in its file, from 0

	W, H             int     // pixels as a person sees them: upright, square, cropped as the container says
	StoredW, StoredH int     // pixels as they are stored
	PixelAspect      float64 // width of a stored pixel over its height; 1: square
	Rotation         int     // degrees counterclockwise by which stored frames are turned to be upright: 0 … 359

	Frames   int       // frames that decoding yields
	Decoded  bool      // Frames was counted by decoding; false: by packets of a kind that holds one frame each
	Lost     int       // frames that are there and cannot be decoded, where decoding told
	Times    []float64 // of each frame, in seconds from the container's start, ascending
	Duration float64   // seconds from the first frame to the end of the last
	FPS      float64   // frames a second on average: Frames / Duration
	BaseFPS  float64   // lowest rate whose ticks hit every frame; 0: not known
	Variable bool      // the frames are not equally far apart

	PixelFormat string // FFmpeg's name: "yuv420p10le"
	Bits        int    // of a sample: 8, 10, 12 …
	FullRange   bool   // samples use all values (pc, yuvj…), not 16 … 235
	Matrix      string // of YUV to RGB: "bt709", "smpte170m" …; "": not said, FFmpeg takes BT.601
}

// At is the index of the frame that is shown at a time in seconds from the container's start: the last that has begun
// by then, the first before any has.
func (i *Info) At(seconds float64) int {
	const slack = 5e-7 // a time that was written with six digits means its frame
	low, high := 0, len(i.Times)
	for low < high {
		middle := (low + high) / 2
		if i.Times[middle] <= seconds+slack {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return max(low-1, 0)
}

// mostFrames is more than any clip has: 9 hours at 30 a second. mostPixels is 8K with room to spare.
const (
	mostFrames = 1_000_000
	mostPixels = 64_000_000
)

// source names a file to FFmpeg so that it is a file, whatever it is called ("-y.mp4", "concat:a|b", "http:x").
func source(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return "file:" + abs, nil
}

// endings are those of the files that clips come in.
var endings = []string{".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv",
	".3gp", ".ogv"}

// Named says whether a file is called like a clip.
func Named(path string) bool { return slices.Contains(endings, strings.ToLower(filepath.Ext(path))) }
