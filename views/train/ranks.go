package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/run"
	"finetui/views/widget"
)

// lastRanks are the processes of a run's newest row; none where it is one process.
func lastRanks(r *reading) []run.Rank {
	if n := len(r.history.Train); n > 0 {
		return r.history.Train[n-1].Ranks
	}
	return nil
}

// ranksNote is where the processes' losses lie.
func (v *machine) ranksNote() string {
	r := v.current()
	if r == nil {
		return ""
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, k := range lastRanks(r) {
		if loss := float64(k.Loss); run.Finite(loss) {
			low, high = min(low, loss), max(high, loss)
		}
	}
	if low > high {
		return ""
	}
	return widget.Number(low) + " to " + widget.Number(high)
}

// drawRanks is a line for each process: the course of the loss of its own samples, its newest value, and how long the
// process computed, as a share of the one that took longest; the rest of that time it waited.
func (v *machine) drawRanks(t *widget.Theme, w, h int) string {
	r := v.current()
	if r == nil || len(lastRanks(r)) == 0 {
		return v.nothing(t, "one process", w, h)
	}
	now := lastRanks(r)
	course := make([][]float64, len(now))
	high := 0.
	for _, row := range r.history.Train {
		if len(row.Ranks) != len(now) {
			continue // it went on with others
		}
		for i, k := range row.Ranks {
			course[i] = append(course[i], float64(k.Loss))
			if run.Finite(float64(k.Loss)) {
				high = max(high, float64(k.Loss))
			}
		}
	}
	const nameW, lossW, timeW = 5, 9, 7
	longest := 0.
	for _, k := range now {
		longest = max(longest, float64(k.Seconds))
	}
	room := max(w-nameW-lossW-timeW-3, 0)
	lines := []string{t.Muted.Render(" " + widget.Left("rank", nameW+room) + widget.Right("loss", lossW) +
		widget.Right("busy", timeW))}
	for i, k := range now {
		spark := widget.Left(widget.Sparkline(shrink(course[i], room), 0, high, room), room)
		loss := widget.Missing
		if !math.IsNaN(float64(k.Loss)) {
			loss = widget.Number(float64(k.Loss))
		}
		lines = append(lines, " "+t.Muted.Render(widget.Left(fmt.Sprint(i), nameW))+t.Accent.Render(spark)+
			widget.Right(loss, lossW)+widget.Right(percentText(100*float64(k.Seconds)/longest), timeW))
	}
	if text := waiting(now); text != "" {
		for _, line := range widget.Wrap(text, w-2) {
			lines = append(lines, " "+t.Warning.Render(line))
		}
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// slow is how much longer than the median a process computes that the others are said to wait for.
const slow = 1.2

// waiting says which process the others wait for; "" where all take alike.
func waiting(ranks []run.Rank) string {
	times := make([]float64, len(ranks))
	for i, k := range ranks {
		times[i] = float64(k.Seconds)
	}
	longest := 0
	for i, s := range times {
		if s > times[longest] {
			longest = i
		}
	}
	sorted := slices.Sorted(slices.Values(times))
	if median := sorted[(len(sorted)-1)/2]; median > 0 && times[longest] > slow*median {
		return fmt.Sprintf("! the others wait for rank %d: it computes %.1f× as long", longest, times[longest]/median)
	}
	return ""
}
