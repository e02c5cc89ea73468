package media

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"finetui/core/video"
)

func TestSheetOfAClipShowsTimesNumbersAndWhatWasChosen(t *testing.T) {
	frames := make([]video.Frame, 16)
	for i := range frames {
		frames[i] = video.Frame{Index: 30 * i, Seconds: float64(i) + 0.004, Picture: gradient(120, 60)}
	}
	before := slices.Clone(frames[3].Picture.Pix)
	sheet := Clip("squats/1.mp4", frames, func(i int) Note {
		if i == 3 {
			return Note{Marked: true, Text: "score 0.81"}
		}
		return Note{}
	})
	if sheet.Columns != 8 || len(sheet.Cells) != 16 || sheet.H != 60 {
		t.Errorf("%d columns, %d cells, %d pixels high", sheet.Columns, len(sheet.Cells), sheet.H)
	}
	if got := sheet.Cells[2].Caption; !slices.Equal(got, []string{"0:02.00 · frame 60"}) {
		t.Errorf("caption %q", got)
	}
	chosen := sheet.Cells[3]
	if !slices.Equal(chosen.Caption, []string{"0:03.00 · frame 90", "score 0.81"}) {
		t.Errorf("caption of the chosen one %q", chosen.Caption)
	}
	mark := [3]uint8{MarkColour.R, MarkColour.G, MarkColour.B}
	for _, corner := range [][2]int{{0, 0}, {119, 0}, {0, 59}, {119, 59}} {
		if at(chosen.Picture, corner[0], corner[1]) != mark ||
			at(sheet.Cells[2].Picture, corner[0], corner[1]) == mark {
			t.Errorf("corner %v: the chosen frame alone is outlined", corner)
		}
	}
	if !slices.Equal(before, frames[3].Picture.Pix) {
		t.Error("the caller's frame was drawn on")
	}
	path := filepath.Join(t.TempDir(), "new", "sheet.png")
	if err := sheet.WritePNG(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("%v", err)
	}
	if empty := Clip("nothing", nil, nil).Draw(); empty.Rect.Dx() < 1 {
		t.Error("a sheet of no frames is no picture")
	}
}

func TestClockTellsMinutesSecondsAndHundredths(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0:00.00", 7.25: "0:07.25", 59.999: "1:00.00", 3725.5: "62:05.50",
		-0.04: "−0:00.04", -0.001: "0:00.00"} {
		if got := Clock(seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
}

func TestAClipIsSeenByTheFrameInItsMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "half.mp4")
	film := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
		"color=c=black:s=64x48:r=10:d=1,drawbox=t=fill:color=white:enable='gte(n,4)'", "-pix_fmt", "yuv420p", path)
	if out, err := film.CombinedOutput(); err != nil {
		t.Skipf("no clip can be made here: %v: %s", err, out)
	}
	img, err := NewCache(1 << 20).Decode(path)
	if err != nil || img.W != 64 || img.H != 48 || img.Pix[3*(24*64+32)] < 200 {
		t.Errorf("%+v, error %v", img, err)
	}
}
