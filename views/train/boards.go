package train

import (
	"slices"
	"strings"

	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// boards are the pane's screens. The overview has one for each size of terminal, the machine one with GPUs and one
// without.
type boards struct {
	tiny, narrow, wide, large *views.Board // of the overview
	curves, classes           *views.Board
	cores, gpus               *views.Board
	details, compare          *views.Board
}

func (b *boards) all() []*views.Board {
	return []*views.Board{b.tiny, b.narrow, b.wide, b.large, b.curves, b.classes, b.cores, b.gpus, b.details, b.compare}
}

// makeBoards lays out every view.
func (p *Pane) makeBoards() boards {
	runs := views.Panel{Name: "runs", Tab: "Runs", Title: p.runsTitle, Right: p.runsNote, Draw: p.drawRuns,
		Move: p.move, Click: p.clickRun}
	progress := views.Panel{Name: "progress", Tab: "Run", Title: p.progressTitle, Draw: p.drawProgress}
	loss := views.Panel{Name: "loss", Tab: "Loss", Title: p.lossTitle, Right: p.lossNote, Draw: p.drawLoss}
	learning := views.Panel{Name: "rate", Tab: "Rate", Title: title("Learning rate"), Right: p.lastOf(rate, ""),
		Draw: p.drawTrain(rate, fromZero)}
	gradient := views.Panel{Name: "gradient", Tab: "Gradient", Title: title("Length of the gradient, before clipping"),
		Right: p.lastOf(norm, ""), Draw: p.drawTrain(norm, fromZero)}
	tokens := views.Panel{Name: "speed", Tab: "Speed", Title: title("Tokens a second"), Right: p.lastOf(speed, ""),
		Draw: p.drawTrain(speed, fromZero)}
	time := views.Panel{Name: "time", Tab: "Step time", Right: p.stepTimeNote, Draw: p.drawStepTime}
	machine := views.Panel{Name: "machine", Tab: "Machine", Draw: p.drawMachine}
	classes := views.Panel{Name: "classes", Tab: "Classes", Title: p.classesTitle, Right: p.classesNote,
		Draw: p.drawClasses, Move: p.moveClass}
	events := p.linesPanel("events", "Events", p.eventLines, p.eventsNote)
	checkpoints := p.linesPanel("checkpoints", "Checkpoints", p.checkpointLines, nil)
	log := p.linesPanel(logPanel, "Log", p.logLinesOf, nil)
	about := p.linesPanel("about", "About", p.aboutLines, nil)
	constants := p.linesPanel("constants", "Constants", p.constantLines, title("≠ not the default"))
	results := p.linesPanel("results", "Evaluation", p.resultLines, nil)

	all := []views.Panel{runs, progress, loss, learning, time, machine, classes, events, checkpoints, log}
	journal := func(w, h int) []layout.Node {
		return []layout.Node{layout.Panel("events", w, h), layout.Panel("checkpoints", w, h), layout.Panel("log", w, h)}
	}
	var b boards
	b.tiny = views.NewBoard(layout.Column(append([]layout.Node{layout.Panel("runs", 40, 7), layout.Panel("loss", 40,
		9).Prior(2), layout.Panel("progress", 40, 9).Prior(3).AtMost(0, 9),
		layout.Panel("classes", 40, 8).Prior(1), layout.Panel("time", 40, 7), layout.Panel("rate", 40, 7),
		layout.Panel("machine", 40, 6)}, journal(40, 6)...)...), all...)
	b.narrow = views.NewBoard(layout.Row(
		layout.Column(append([]layout.Node{layout.Panel("runs", 33, 6).Prior(4), layout.Panel("progress", 33,
			9).Prior(3).AtMost(0, 9), layout.Panel("time", 33, 6)}, journal(33, 6)...)...),
		layout.Column(layout.Panel("loss", 45, 10).Prior(3).Weighted(3), layout.Panel("classes", 45, 6).Prior(1),
			layout.Panel("rate", 45, 6), layout.Panel("machine", 45, 6)),
	), all...)
	b.wide = views.NewBoard(layout.Row(
		layout.Column(append([]layout.Node{layout.Panel("runs", 44, 6).Prior(4), layout.Panel("progress", 44,
			8).Prior(3).AtMost(0, 8), layout.Panel("time", 44, 7).Prior(2).AtMost(0, 7)},
			journal(44, 7)...)...).Weighted(5),
		layout.Column(layout.Panel("loss", 56, 10).Prior(3).Weighted(3),
			layout.Row(layout.Panel("rate", 28, 7).AtMost(0, 8), layout.Panel("machine", 28, 7).AtMost(0, 8)).Prior(2),
			layout.Panel("classes", 56, 6).Prior(2)).Weighted(5),
	), all...)
	b.large = views.NewBoard(layout.Row(
		layout.Column(append([]layout.Node{layout.Panel("runs", 50, 10).Prior(4).Weighted(2), layout.Panel("progress",
			50, 9).Prior(3).AtMost(0, 9), layout.Panel("time", 50, 7).Prior(3).AtMost(0, 8)},
			journal(50, 6)...)...).Weighted(2),
		layout.Column(layout.Panel("loss", 80, 14).Prior(3).Weighted(2),
			layout.Row(layout.Panel("rate", 28, 8).AtMost(0, 10), layout.Panel("machine", 28, 8).AtMost(0,
				10)).Prior(2),
			layout.Panel("classes", 80, 8).Prior(2).Weighted(2)).Weighted(3),
	), all...)
	b.curves = views.NewBoard(layout.Column(layout.Panel("loss", 40, 10).Prior(2).Weighted(2),
		layout.Row(layout.Panel("rate", 26, 8), layout.Panel("gradient", 26, 8), layout.Panel("speed", 26, 8))), loss,
		learning, gradient, tokens)
	b.classes = views.NewBoard(layout.Panel("classes", 40, 6), classes)
	cpu := views.Panel{Name: "cpu", Tab: "CPU", Title: title("The run's share of all cores"),
		Right: p.gaugeNote(cpuGauge), Draw: p.drawGauge(cpuGauge)}
	memory := views.Panel{Name: "memory", Tab: "Memory", Title: title("The run's memory"),
		Right: p.gaugeNote(memoryGauge), Draw: p.drawGauge(memoryGauge)}
	b.cores = views.NewBoard(layout.Column(layout.Row(layout.Panel("cpu", 30, 7), layout.Panel("memory", 30, 7)),
		layout.Row(layout.Panel("time", 34, 7), layout.Panel("machine", 34, 7)).AtMost(0, 9)), cpu, memory,
		time, machine)
	gpus := []views.Panel{cpu, memory, time, machine}
	for k, f := range gpuFigures {
		gpus = append(gpus, views.Panel{Name: "gpu " + f.name, Tab: "GPU " + f.name, Draw: p.drawGPU(k)})
	}
	b.gpus = views.NewBoard(layout.Column(
		layout.Row(layout.Panel("gpu utilisation", 34, 8).Prior(2), layout.Panel("gpu memory", 34,
			8).Prior(2)).Prior(2),
		layout.Row(layout.Panel("gpu power", 34, 8), layout.Panel("gpu temperature", 34, 8)).Prior(1),
		layout.Row(layout.Panel("cpu", 26, 8), layout.Panel("memory", 26, 8), layout.Panel("time", 26, 8),
			layout.Panel("machine", 26, 8))), gpus...)
	b.details = views.NewBoard(layout.Row(
		layout.Column(layout.Panel("about", 38, 8).Prior(2).AtMost(0, 16), layout.Panel("checkpoints", 38, 5).Prior(1),
			layout.Panel("results", 38, 5)).Weighted(3).Prior(1),
		layout.Panel("constants", 34, 8).Weighted(2),
		layout.Column(layout.Panel("events", 40, 8).Prior(1), layout.Panel("log", 40, 8)).Weighted(3).Prior(1)), about,
		constants, results, checkpoints, events, log)
	b.compare = p.compareBoard()
	return b
}

func title(s string) func() string { return func() string { return s } }

// fromZero is a scale that begins at nothing.
func fromZero(c *widget.LineChart) { c.FromZero, c.YText = true, tickText }

// tickText is a number without zeros at its end.
func tickText(v float64) string {
	text := widget.Number(v)
	if strings.Contains(text, ".") && !strings.Contains(text, "e") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// board is the one that fills the pane.
func (p *Pane) board() *views.Board { return p.boardOf(p.w, p.h) }

// boardOf is the open view's board for a size.
func (p *Pane) boardOf(w, h int) *views.Board { return p.boardFor(p.open, w, h) }

// boardFor is a view's board for a size.
func (p *Pane) boardFor(view, w, h int) *views.Board {
	switch view {
	case curvesView:
		return p.boards.curves
	case classesView:
		return p.boards.classes
	case machineView:
		if r := p.current(); r != nil && len(gpuIndices(&r.history)) > 0 {
			return p.boards.gpus
		}
		return p.boards.cores
	case detailsView:
		return p.boards.details
	case compareView:
		return p.boards.compare
	}
	switch {
	case w < 80:
		return p.boards.tiny
	case w < 102:
		return p.boards.narrow
	case h < 44:
		return p.boards.wide
	}
	return p.boards.large
}

// place tells the boards where they are drawn.
func (p *Pane) place() {
	for _, b := range p.boards.all() {
		b.Place(0, 0, p.w, p.h)
	}
}

// widthOf is how wide the inside of a panel of the open board is.
func (p *Pane) widthOf(panel string) int {
	b := p.board()
	w, _ := widget.Panel{}.Inside(p.w, p.h)
	if b.Zoomed() {
		return w
	}
	for _, box := range layout.Arrange(b.Layout, p.w, p.h) {
		if slices.Contains(box.Names, panel) {
			w, _ = widget.Panel{}.Inside(box.W, box.H)
		}
	}
	return w
}

func (p *Pane) runsNote() string {
	if p.paused {
		return "‖ display paused"
	}
	return ""
}

func (p *Pane) progressTitle() string {
	e := p.selected()
	if e == nil {
		return "Run"
	}
	if e.run.Info.Recipe == "" {
		return "Run · " + e.run.Label()
	}
	return "Run · " + e.run.Label() + " · " + e.run.Info.Recipe + " on " + e.run.Info.Base
}
