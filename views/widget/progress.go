package widget

import (
	"time"

	"charm.land/bubbles/v2/progress"
	"charm.land/lipgloss/v2"
)

// Progress is how far work is: bar, share, steps, and how long it will take yet.
type Progress struct {
	What        string
	Done, Total int           // Total 0: not known
	Elapsed     time.Duration // since Done was 0; 0: no estimate
}

// View draws the progress in w cells.
func (p Progress) View(t *Theme, w int) string {
	if p.Total <= 0 {
		return Left(t.Accent.Render(t.Busy)+" "+Clean(p.What)+" "+Count(p.Done), w)
	}
	share := clamp(float64(p.Done)/float64(p.Total), 0, 1)
	text := Percent(share, 0) + "  " + Count(p.Done) + "/" + Count(p.Total)
	if p.Elapsed > 0 && p.Done > 0 && p.Done < p.Total {
		left := time.Duration(float64(p.Elapsed) / float64(p.Done) * float64(p.Total-p.Done))
		text += "  " + Duration(left) + " left"
	}
	label := Clean(p.What)
	room := w - Width(label) - Width(text) - 2
	if room < 4 {
		return Ends(label, text, w)
	}
	bar := ProgressBar(room)
	bar.FullColor, bar.EmptyColor = t.Bar.Look().GetForeground(), t.BarFaint.Look().GetForeground()
	return label + " " + bar.ViewAs(share) + " " + text
}

// ProgressBar is a bar of work of w cells, without colours and without words.
func ProgressBar(w int) progress.Model {
	bar := progress.New(progress.WithWidth(w), progress.WithoutPercentage(),
		progress.WithFillCharacters(progress.DefaultFullCharFullBlock, progress.DefaultEmptyCharBlock),
		progress.WithColors(lipgloss.NoColor{}))
	bar.EmptyColor = lipgloss.NoColor{}
	return bar
}
