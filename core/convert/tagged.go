package convert

import (
	"fmt"
	"strings"
)

// The marks that stand for a file in a text, in the order of the lists of files. Trainers of this kind count them.
const (
	imageTag = "<image>"
	videoTag = "<video>"
	audioTag = "<audio>"
)

// tagged writes a turn as text with a mark for each file and after behind the mark. Where after is "" the trainers show
// the model just what this program's own chat template does: the picture, and the words right behind it.
func tagged(t Turn, after string) string {
	var text strings.Builder
	for _, p := range t.Parts {
		switch p.Kind {
		case Image:
			text.WriteString(imageTag + after)
		case Video:
			text.WriteString(videoTag + after)
		default:
			text.WriteString(p.Text)
		}
	}
	return text.String()
}

// files hands out the paths of a row, in the order of their marks.
type files struct{ images, videos []string }

// parts takes a text with marks apart. What stands in after behind a mark belongs to it.
func (f *files) parts(text, after string) ([]Part, error) {
	var parts []Part
	for text != "" {
		at, kind, tag := len(text), Text, ""
		if i := strings.Index(text, imageTag); i >= 0 {
			at, kind, tag = i, Image, imageTag
		}
		if i := strings.Index(text, videoTag); i >= 0 && i < at {
			at, kind, tag = i, Video, videoTag
		}
		if at > 0 {
			parts = append(parts, Part{Text: text[:at]})
		}
		if kind == Text {
			break
		}
		path, err := f.next(kind, tag)
		if err != nil {
			return nil, err
		}
		parts = append(parts, Part{Kind: kind, Path: path})
		text = strings.TrimPrefix(text[at+len(tag):], after)
	}
	return parts, nil
}

func (f *files) next(kind Kind, tag string) (string, error) {
	list := &f.images
	if kind == Video {
		list = &f.videos
	}
	if len(*list) == 0 {
		return "", fmt.Errorf("has more marks %s than files", tag)
	}
	path := (*list)[0]
	*list = (*list)[1:]
	return path, nil
}

// left says that files have no mark: they would silently go unused, or stop the run.
func (f *files) left() error {
	if n := len(f.images) + len(f.videos); n > 0 {
		return fmt.Errorf("has %d more files than marks %s and %s", n, imageTag, videoTag)
	}
	return nil
}
