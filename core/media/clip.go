package media

import (
	"fmt"
	"math"

	"finetui/core/dataset"
	"finetui/core/video"
)

// Note is what is said about a frame of a clip besides its time.
type Note struct {
	Marked bool   // drawn with an outline: a frame that was chosen
	Text   string // below its time: a score, why it was chosen; "": nothing
}

// Clip is the contact sheet of a clip: frames in rows, each over its time and number. note says what belongs to the
// ith frame of the list; it may be nil.
func Clip(title string, frames []video.Frame, note func(i int) Note) Sheet {
	s := Sheet{Title: title, Columns: columns(len(frames)), W: clipSide, H: clipSide}
	tall := 0
	for i, f := range frames {
		cell := Cell{Picture: f.Picture, Caption: []string{fmt.Sprintf("%s · frame %d", Clock(f.Seconds), f.Index)}}
		if note != nil {
			n := note(i)
			if n.Text != "" {
				cell.Caption = append(cell.Caption, n.Text)
			}
			if n.Marked {
				cell.Picture = Fit(f.Picture, s.W, s.H)
				drawFrame(cell.Picture, dataset.Box{X1: 1, Y1: 1}, 3, MarkColour)
			}
		}
		s.Cells = append(s.Cells, cell)
		_, h := fitted(f.Picture, s.W, s.H)
		tall = max(tall, h)
	}
	if tall > 0 {
		s.H = tall // no room is left above and below wide frames
	}
	return s
}

const clipSide = 224 // largest side of a frame on a clip's sheet, in pixels

// columns for n frames: two chunks of 8 are two rows, fewer than 6 one.
func columns(n int) int {
	switch {
	case n < 6:
		return max(n, 1)
	case n > 24:
		return 8
	}
	return min((n+1)/2, 8)
}

// Clock is a time of a clip as "0:07.25", minutes, seconds and hundredths.
func Clock(seconds float64) string {
	hundredths := int64(math.Round(math.Abs(seconds) * 100))
	sign := ""
	if seconds < 0 && hundredths > 0 {
		sign = "−"
	}
	return fmt.Sprintf("%s%d:%02d.%02d", sign, hundredths/6000, hundredths/100%60, hundredths%100)
}
