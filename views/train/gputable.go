package train

import (
	"fmt"
	"strings"

	"finetui/core/printable"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// newGPUTable is the panel of a line for each GPU with all that the driver gives, and of what is worth a sentence.
func newGPUTable(s *shared) views.Panel {
	l := &lines{shared: s, name: "gpus", tab: "GPUs", note: s.gpuRate}
	l.text = func(t *widget.Theme, w int) []string { return gpuLines(t, s.current(), w) }
	return l.panel()
}

// gpuLines are the table of a run's GPUs, and the sentences.
func gpuLines(t *widget.Theme, r *reading, w int) []string {
	if r == nil {
		return nil
	}
	table := widget.Table{Columns: []widget.Column{{Title: "GPU", Right: true}, {Title: "works", Right: true, Priority: 9},
		{Title: "memory", Right: true, Priority: 8}, {Title: "power", Right: true, Priority: 5},
		{Title: "heat", Right: true, Priority: 6}, {Title: "clock", Right: true, Priority: 3},
		{Title: "held back by", Flex: true, Min: 12, Priority: 4}, {Title: "processes", Flex: true, Min: 16, Priority: 7}}}
	for _, index := range r.history.GPUs() {
		g, there := r.history.GPU(index)
		table.Rows = append(table.Rows, gpuCells(index, g, there))
	}
	all := strings.Split(table.View(t, w, len(table.Rows)+1), "\n")
	for _, note := range gpuNotes(t, r, w) {
		all = append(all, note...)
	}
	return all
}

// gpuCells are a GPU's figures; what it does not give is missing.
func gpuCells(index int, g run.GPU, there bool) []widget.Cell {
	name := widget.Cell{Text: fmt.Sprint(index)}
	if !there || g.Lost {
		return []widget.Cell{name, {Text: "lost", Tone: widget.Warning}}
	}
	util := widget.Cell{Text: percentText(number(g.Util))}
	if g.MIG && g.Util == nil {
		util.Text = "in MIG"
	}
	held := widget.Cell{Text: widget.Clean(strings.Join(g.Throttle, ", "))}
	if held.Text == "" {
		held.Text = widget.Missing
	}
	return []widget.Cell{name, util, {Text: memoryText(g)}, {Text: powerText(g)},
		{Text: unitText("°C")(number(g.Temperature))}, {Text: unitText("MHz")(number(g.Clock))}, held,
		{Text: processText(g)}}
}

// processText says who computes on a GPU, the run first.
func processText(g run.GPU) string {
	var parts []string
	for _, own := range []bool{true, false} {
		for _, p := range g.Processes {
			if p.Own != own {
				continue
			}
			who := "this run"
			if !own {
				if who = widget.Clean(p.User); who == "" {
					who = "process"
				}
				who += fmt.Sprintf(" (%d)", p.PID)
			}
			if p.Memory != nil {
				who += " " + printable.Bytes(int64(*p.Memory))
			}
			parts = append(parts, who)
		}
	}
	if len(parts) == 0 {
		return widget.Missing
	}
	return strings.Join(parts, ", ")
}

// gpuNotes are the sentences on GPUs, each in lines of w cells; nothing of a run that has ended.
func gpuNotes(t *widget.Theme, r *reading, w int) (notes [][]string) {
	if !r.status.Live() {
		return nil
	}
	for _, note := range r.history.GPUNotes(run.TimeOf(&r.history, r.clock)) {
		sign, style := t.Muted.Render("·"), t.Text
		if note.Warn {
			sign, style = t.Warning.Render("!"), t.Warning
		}
		notes = append(notes, widget.Hang(" "+sign+" ", widget.Clean(note.Text), style, w))
	}
	return notes
}

// gpuRate is what each of the run's GPUs gets through, for the right of the title.
func (p *shared) gpuRate() string {
	r := p.current()
	if r == nil || len(r.history.Train) == 0 {
		return ""
	}
	own := len(r.history.OwnGPUs())
	speed := float64(r.history.Train[len(r.history.Train)-1].TokensPerSecond)
	if own == 0 || !run.Finite(speed) {
		return ""
	}
	if own == 1 {
		return fmt.Sprintf("%s tokens/s", widget.Count(int(speed)))
	}
	return fmt.Sprintf("%s tokens/s on each of %d", widget.Count(int(speed/float64(own))), own)
}
