package video

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"finetui/core/filehash"
	"finetui/core/printable"
	"finetui/ml/wholefile"
)

// Kind says what is wrong with a clip.
type Kind string

// The kinds of faults, each a finding of its own.
const (
	Missing     Kind = "clip_missing"     // no file there, or one that may not be read
	Empty       Kind = "clip_empty"       // a file of no bytes
	NotVideo    Kind = "clip_no_video"    // something else than a container of video
	SoundOnly   Kind = "clip_sound_only"  // sound, or sound with a cover picture
	Still       Kind = "clip_still"       // a picture
	Broken      Kind = "clip_broken"      // a container that cannot be opened, or yields no frame
	Cut         Kind = "clip_cut"         // ends before its container says so
	Endless     Kind = "clip_endless"     // more frames than a clip has, or still growing
	Stalled     Kind = "clip_stalled"     // FFmpeg made no progress
	Unsupported Kind = "clip_unsupported" // FFmpeg lacks the decoder, or the frames are too large
)

// Fault is a clip that cannot be used, in a person's words.
type Fault struct {
	Path string
	Kind Kind
	What string // what is wrong, as the end of a sentence that begins with the file's name
	Do   string // what to do about it
	Info *Info  // what can be read nevertheless, of a clip that was cut; else nil
}

func (f *Fault) Error() string { return fmt.Sprintf("%s %s: %s", f.Path, f.What, f.Do) }

// Install says how to get FFmpeg.
const Install = "install FFmpeg (Debian and Ubuntu: apt-get install ffmpeg; macOS: brew install ffmpeg); pictures " +
	"need none of it, clips do"

// NoFFmpeg is the error of a machine without one of FFmpeg's programs.
type NoFFmpeg struct{ Program string }

func (e *NoFFmpeg) Error() string {
	return fmt.Sprintf("the program %s is not installed, or not in a folder of PATH: %s", e.Program, Install)
}

func fault(path string, kind Kind, what, do string) *Fault {
	return &Fault{Path: path, Kind: kind, What: what, Do: do}
}

func still(path, format string) *Fault {
	return fault(path, Still, "is a picture ("+format+"), not a clip",
		"list it as a picture, or put the clip in its place")
}

// unchanged refuses a file that was written to meanwhile.
func unchanged(path string, before filehash.Stat) error {
	after, err := filehash.Look(path)
	if err != nil {
		return unreadable(path, err)
	}
	if after != before {
		return fault(path, Endless, "changes while it is read", "wait until what writes it is done, and try again")
	}
	return nil
}

// unreadable is a clip that cannot even be opened.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault(path, Missing, "is missing", "check its name, or copy the clip there")
	case errors.Is(err, fs.ErrPermission):
		return fault(path, Missing, "may not be read by you", "change its permissions or its owner")
	}
	if info, statErr := os.Stat(path); statErr == nil && !info.Mode().IsRegular() {
		return fault(path, Missing, "is "+wholefile.Kind(info)+", no file", "put the clip in its place, or remove it")
	}
	return fault(path, Missing, "cannot be read", printable.Error(err))
}

// refused is how a program says that a demuxer is not in containers.
var refused = regexp.MustCompile(`\[([\w,]+) @ 0x[0-9a-f]+\] Format not on whitelist`)

// fromProbe says in a person's words why ffprobe failed.
func fromProbe(path string, look peeked, before filehash.Stat, complaints string, err error) error {
	var broke *failed
	switch {
	case errors.Is(err, errStalled):
		return stalled(path)
	case errors.Is(err, errEndless):
		return endless(path)
	case !errors.As(err, &broke):
		return err
	}
	if m := refused.FindStringSubmatch(complaints); m != nil {
		return fault(path, NotVideo, "is no clip: FFmpeg takes it for "+foreignFormat(m[1]),
			"put the clip itself in its place, or remove it")
	}
	if err := unchanged(path, before); err != nil {
		return err
	}
	const again = "copy or record the clip again, or remove it"
	switch {
	case strings.Contains(complaints, "moov atom not found") && look.boxes:
		return fault(path, Broken,
			"cannot be opened: its index (moov) is missing, so it was cut short or is still being "+
				"recorded", again)
	case look.cut:
		f := fault(path, Cut, "is cut short before its first frame", again)
		return f
	case !look.known:
		return fault(path, NotVideo, "is no clip: FFmpeg finds no video in it",
			"put the clip in its place, or remove it")
	}
	return fault(path, Broken, "cannot be opened: FFmpeg says: "+printable.Line(broke.first()), again)
}

// foreignFormat is a demuxer of no clips in a few words.
func foreignFormat(name string) string {
	switch {
	case strings.Contains(name, "hls"), strings.Contains(name, "concat"), strings.Contains(name, "dash"):
		return "a playlist of other files (" + name + ")"
	case strings.Contains(name, "sdp"), strings.Contains(name, "rtsp"):
		return "the address of a stream (" + name + ")"
	case name == "tty":
		return "text"
	case strings.HasSuffix(name, "_pipe"):
		return "a picture (" + name + ")"
	}
	return "something else (" + name + ")"
}

func stalled(path string) error {
	return fault(path, Stalled, fmt.Sprintf("cannot be read: FFmpeg got no further for %.0f s", patience.Seconds()),
		"try again, or remove the clip")
}

func endless(path string) error {
	return fault(path, Endless, fmt.Sprintf("has more than %d frames, which is longer than a clip", mostFrames),
		"cut it to the part that matters")
}

// fromDecoding says in a person's words why ffmpeg failed.
func fromDecoding(path string, before filehash.Stat, err error) error {
	var broke *failed
	switch {
	case errors.Is(err, errStalled):
		return stalled(path)
	case errors.Is(err, errEndless):
		return endless(path)
	case !errors.As(err, &broke):
		return err
	}
	if err := unchanged(path, before); err != nil {
		return err
	}
	first := printable.Line(broke.first())
	if strings.Contains(broke.complaints, "Decoder (codec ") || strings.Contains(broke.complaints, "no decoder found") {
		return fault(path, Unsupported, "cannot be decoded by this FFmpeg: "+first,
			"install a newer FFmpeg, or convert the clip to H.264")
	}
	return fault(path, Broken, "cannot be decoded: FFmpeg says: "+first, "copy or record the clip again, or remove it")
}

// noClip says what a file holds that holds no clip.
func noClip(path string, rep *report) error {
	pictures := slices.ContainsFunc(strings.Split(rep.format, ","), func(name string) bool {
		return strings.HasSuffix(name, "_pipe") || name == "image2" || name == "ico" || name == "xface" ||
			name == "webp"
	})
	switch {
	case pictures && len(rep.video) > 0 && rep.video[0].codec != "":
		return still(path, strings.ToUpper(strings.Replace(rep.video[0].codec, "mjpeg", "jpeg", 1)))
	case pictures:
		return still(path, rep.format)
	case rep.streams > len(rep.video):
		what := "holds sound and no video"
		if len(rep.video) > 0 {
			what = "holds sound and a cover picture, and no video"
		}
		return fault(path, SoundOnly, what, "put the clip in its place, or remove it")
	case len(rep.video) > 0:
		return still(path, "a cover without a clip")
	}
	return fault(path, NotVideo, "holds no video", "put the clip in its place, or remove it")
}
