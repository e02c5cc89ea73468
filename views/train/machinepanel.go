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
// it reports.
func (p *machinePanel) draw(t *widget.Theme, w, h int) string {
	r := p.current()
	if r == nil || len(r.history.System) == 0 {
		return p.nothing(t, "no figures of the machine yet", w, h)
	}
	var lines []string
	for _, index := range gpuIndices(&r.history) {
		f := gpuFigures[0]
		g := gauge{name: fmt.Sprintf("GPU %d", index), value: ofGPU(index, f.figure), text: f.text, high: f.high}
		lines = append(lines, g.line(t, r, w), p.gpuLine(t, r, index))
	}
	lines = append(lines, cpuGauge.line(t, r, w), memoryGauge.line(t, r, w))
	if len(gpuIndices(&r.history)) == 0 && h > 3 {
		lines = append(lines, t.Muted.Render(" no GPU has been reported"))
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
	var latest run.GPU
	for _, g := range r.history.System[len(r.history.System)-1].GPUs {
		if g.Index == index {
			latest = g
		}
	}
	return "        " + memoryText(latest) + t.Muted.Render(" · ") + unitText("W")(number(latest.Power)) +
		t.Muted.Render(" · ") + unitText("°C")(number(latest.Temperature))
}

// memoryText is a GPU's memory in use, and all of it.
func memoryText(g run.GPU) string {
	if g.MemoryUsed == nil || g.MemoryTotal == nil {
		return bytesText(bytesOf(g.MemoryUsed))
	}
	return fmt.Sprintf("%.0f/%.0f GiB", bytesOf(g.MemoryUsed)/(1<<30), bytesOf(g.MemoryTotal)/(1<<30))
}
