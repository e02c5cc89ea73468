package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// machinePanel is the machine under the run in a few lines.
type machinePanel struct{ *shared }

func newMachinePanel(s *shared) views.Panel {
	p := &machinePanel{s}
	return views.Panel{Name: "machine", Tab: "Machine", Draw: p.draw}
}

// draw is a line for each figure: its course and its newest value. A GPU has a line, and one more for what else
// it reports; below stands what is worth a sentence of them.
func (p *machinePanel) draw(t *widget.Theme, w, h int) string {
	r := p.current()
	if r == nil || len(r.history.System) == 0 {
		return p.nothing(t, p.absent("the machine", "no figures of the machine yet"), w, h)
	}
	gpus := r.history.GPUs()
	// where there is no room for it, the table of the Machine view has the rest of each
	short := len(gpus) > 2 && 2*len(gpus)+2 > h
	var lines []string
	for _, index := range gpus {
		f := gpuFigures[0]
		g := gauge{name: fmt.Sprintf("GPU %d", index), value: ofGPU(index, f.figure), text: f.text, high: f.high}
		if lines = append(lines, g.line(t, r, w)); !short {
			lines = append(lines, p.gpuLine(t, r, index))
		}
	}
	lines = append(lines, cpuGauge.line(t, r, w), memoryGauge.line(t, r, w))
	if len(gpus) == 0 && h > 3 {
		lines = append(lines, t.Muted.Render(" no GPU has been reported"))
	}
	if notes := gpuNotes(t, r, w); len(notes) > 0 {
		// the most urgent is said, whatever has to leave for it
		lines = append(lines[:min(len(lines), max(h-len(notes[0]), 0))], slices.Concat(notes...)...)
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// line is one line of a figure; unknown says so.
func (g gauge) line(t *widget.Theme, r *reading, w int) string {
	_, y := g.series(r, plotOptions{})
	last, high := math.NaN(), g.high
	if len(y) > 0 {
		last = y[len(y)-1]
	}
	if high == 0 && len(y) > 0 {
		high = slices.Max(y)
	}
	const nameW, textW = 7, 9
	room := max(w-nameW-textW-3, 0)
	spark := widget.Left(widget.Sparkline(shrink(y, room), 0, high, room), room)
	return " " + t.Muted.Render(widget.Left(g.name, nameW)) + t.Accent.Render(spark) + " " +
		widget.Right(g.text(last), textW)
}

// gpuLine is what a GPU reports besides its use.
func (p *machinePanel) gpuLine(t *widget.Theme, r *reading, index int) string {
	latest, _ := r.history.GPU(index)
	return "        " + memoryText(latest) + t.Muted.Render(" · ") + powerText(latest) + t.Muted.Render(" · ") +
		unitText("°C")(number(latest.Temperature))
}

// powerText is what a GPU draws, and what it may.
func powerText(g run.GPU) string {
	if g.Power == nil || g.PowerLimit == nil {
		return unitText("W")(number(g.Power))
	}
	return fmt.Sprintf("%.0f/%.0f W", *g.Power, *g.PowerLimit)
}

// memoryText is a GPU's memory in use, and all of it.
func memoryText(g run.GPU) string {
	if g.MemoryUsed == nil || g.MemoryTotal == nil {
		return bytesText(bytesOf(g.MemoryUsed))
	}
	return fmt.Sprintf("%.0f/%.0f GiB", bytesOf(g.MemoryUsed)/(1<<30), bytesOf(g.MemoryTotal)/(1<<30))
}
