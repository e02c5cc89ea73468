package train

import (
	"fmt"
	"math"
	"slices"

	"finetui/core/printable"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// machine is the view of the machine under the run: one board with GPUs and one without.
type machine struct{ *shared }

func newMachine(s *shared, of *panels) views.View {
	v := &machine{s}
	cpu := views.Panel{Name: "cpu", Tab: "CPU", Title: title("CPU · the run and everybody"),
		Right: v.gaugeNote(cpuGauge), Draw: v.drawGauge(cpuGauge)}
	memory := views.Panel{Name: "memory", Tab: "Memory", Title: title("The run's memory"),
		Right: v.gaugeNote(memoryGauge), Draw: v.drawGauge(memoryGauge)}
	ranks := views.Panel{Name: "ranks", Tab: "Processes", Title: title("Loss per process"), Right: v.ranksNote,
		Draw: v.drawRanks}
	panels := []views.Panel{cpu, memory, of.time, of.machine, ranks}
	cores := views.NewBoard(layout.Column(layout.Row(layout.Panel("cpu", 30, 7), layout.Panel("memory", 30, 7)),
		layout.Row(layout.Panel("time", 34, 7), layout.Panel("machine", 34, 7)).AtMost(0, 9)), panels...)
	several := views.NewBoard(layout.Column(layout.Row(layout.Panel("cpu", 30, 7), layout.Panel("memory", 30, 7)),
		layout.Row(layout.Panel("ranks", 34, 7), layout.Panel("time", 34, 7), layout.Panel("machine", 34, 7))), panels...)
	panels = append([]views.Panel{newGPUTable(s)}, panels...)
	for k, f := range gpuFigures {
		panels = append(panels, views.Panel{Name: "gpu " + f.name, Tab: "GPU " + f.name, Draw: v.drawGPU(k)})
	}
	table := layout.Panel("gpus", 60, 9).Prior(3)
	use := layout.Row(layout.Panel("gpu utilisation", 34, 7).Prior(2), layout.Panel("gpu memory", 34, 7).Prior(2)).Prior(2)
	state := layout.Row(layout.Panel("gpu power", 34, 7), layout.Panel("gpu temperature", 34, 7)).Prior(1)
	gpus := views.NewBoard(layout.Column(table, use, state, layout.Row(layout.Panel("cpu", 26, 7),
		layout.Panel("memory", 26, 7), layout.Panel("time", 26, 7))), panels...)
	severalGPUs := views.NewBoard(layout.Column(table, layout.Row(layout.Panel("ranks", 36, 8).Prior(3),
		layout.Panel("time", 34, 8).Prior(3)).Prior(3), use, state, layout.Row(layout.Panel("cpu", 26, 7),
		layout.Panel("memory", 26, 7))), panels...)
	return views.View{Name: machineView, Boards: []*views.Board{cores, gpus, several, severalGPUs},
		Pick: func(int, int) *views.Board {
			r := v.current()
			switch {
			case r == nil:
				return cores
			case len(r.history.GPUs()) > 0 && len(lastRanks(r)) > 0:
				return severalGPUs
			case len(r.history.GPUs()) > 0:
				return gpus
			case len(lastRanks(r)) > 0:
				return several
			}
			return cores
		}}
}

// gauge is a figure of the machine over time.
type gauge struct {
	name  string
	value func(*run.System) float64 // NaN where it is not known
	text  func(float64) string
	high  float64 // of the scale; 0: the largest value
	bytes bool
	all   func(*run.System) float64 // the same of all processes of the machine; nil: not measured
}

// ofGPU is a figure of one GPU in a row.
func ofGPU(index int, figure func(run.GPU) float64) func(*run.System) float64 {
	return func(row *run.System) float64 {
		if g, there := row.GPU(index); there {
			return figure(g)
		}
		return math.NaN()
	}
}

func number(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

func bytesOf(v *uint64) float64 {
	if v == nil {
		return math.NaN()
	}
	return float64(*v)
}

func percentText(v float64) string {
	if math.IsNaN(v) {
		return widget.Missing
	}
	return fmt.Sprintf("%.0f %%", v+0) // +0: no "-0"
}

func bytesText(v float64) string {
	if math.IsNaN(v) {
		return widget.Missing
	}
	return printable.Bytes(int64(v))
}

func unitText(unit string) func(float64) string {
	return func(v float64) string {
		if math.IsNaN(v) {
			return widget.Missing
		}
		return fmt.Sprintf("%.0f %s", v+0, unit)
	}
}

// The figures of the run's process, and of a GPU.
var (
	cpuGauge = gauge{name: "CPU", value: func(r *run.System) float64 { return number(r.CPU) },
		text: percentText, high: 100, all: func(r *run.System) float64 { return number(r.Busy) }}
	memoryGauge = gauge{name: "memory", value: func(r *run.System) float64 { return bytesOf(r.RSS) }, text: bytesText,
		bytes: true}

	gpuFigures = []struct {
		name   string
		figure func(run.GPU) float64
		text   func(float64) string
		high   float64
		bytes  bool
	}{
		{"utilisation", func(g run.GPU) float64 { return number(g.Util) }, percentText, 100, false},
		{"memory", func(g run.GPU) float64 { return bytesOf(g.MemoryUsed) }, bytesText, 0, true},
		{"power", func(g run.GPU) float64 { return number(g.Power) }, unitText("W"), 0, false},
		{"temperature", func(g run.GPU) float64 { return number(g.Temperature) }, unitText("°C"), 0, false},
	}
)

// series are the points of a figure that are known.
func (g gauge) series(r *reading, l plotOptions) (x, y []float64) {
	for _, row := range r.history.System {
		if v := g.value(row); !math.IsNaN(v) {
			x, y = append(x, l.x.at(row.Head, r.clock)), append(y, v)
		}
	}
	return x, y
}

// drawGPU is a figure of all GPUs over time, a line for each.
func (v *machine) drawGPU(k int) func(*widget.Theme, int, int) string {
	return func(t *widget.Theme, w, h int) string {
		r := v.current()
		if r == nil {
			return v.nothing(t, "", w, h)
		}
		f := gpuFigures[k]
		c := v.systemChart(f.text, f.high)
		c.FromZero = f.name != "temperature" // which never comes near it
		for i, index := range r.history.GPUs() {
			x, y := gauge{value: ofGPU(index, f.figure)}.series(r, v.plot)
			if f.bytes {
				scaleBytes(&c, 1<<32, y)
				c.YTo = max(c.YTo, math.Ceil(mostMemory(r, index)/(1<<30)))
			}
			if len(y) > 0 {
				c.Lines = append(c.Lines, widget.Line{Name: fmt.Sprintf("GPU %d", index), X: x, Y: y,
					Tone: tones[i%len(tones)]})
			}
		}
		if len(c.Lines) == 0 {
			return v.nothing(t, "not known: the driver does not tell it", w, h)
		}
		return c.View(t, w, h)
	}
}

// mostMemory is all the memory of a GPU in bytes; 0: not known.
func mostMemory(r *reading, index int) float64 {
	most := 0.0
	for _, row := range r.history.System {
		total := ofGPU(index, func(g run.GPU) float64 { return bytesOf(g.MemoryTotal) })(row)
		if run.Finite(total) {
			most = max(most, total)
		}
	}
	return most
}

// drawGauge is a figure of the process over time.
func (v *machine) drawGauge(g gauge) func(*widget.Theme, int, int) string {
	return func(t *widget.Theme, w, h int) string {
		r := v.current()
		if r == nil {
			return v.nothing(t, "", w, h)
		}
		x, y := g.series(r, v.plot)
		if len(y) == 0 {
			return v.nothing(t, "not known: the trainer has not reported it", w, h)
		}
		c := v.systemChart(g.text, g.high)
		if g.bytes {
			scaleBytes(&c, slices.Max(y), y)
		}
		mine := widget.Line{X: x, Y: y, Tone: widget.Accent}
		if g.all != nil {
			if x, y := (gauge{value: g.all}).series(r, v.plot); len(y) > 0 {
				mine.Name = "the run"
				c.Lines = append(c.Lines, widget.Line{Name: "everybody", X: x, Y: y, Tone: widget.Muted})
			}
		}
		c.Lines = append(c.Lines, mine)
		return c.View(t, w, h)
	}
}

func (v *machine) systemChart(text func(float64) string, high float64) widget.LineChart {
	c := v.plot.chart(v.now().Location())
	c.LogY, c.IgnoreOutliers, c.YText, c.FromZero = false, false, text, true
	if high > 0 {
		c.YFrom, c.YTo = 0, high
	}
	return c
}

// scaleBytes turns sizes into MiB, or GiB where they are larger, so that the axis has round values.
func scaleBytes(c *widget.LineChart, most float64, y []float64) {
	unit, name := float64(1<<20), "MiB"
	if most >= 1<<32 {
		unit, name = 1<<30, "GiB"
	}
	for i := range y {
		y[i] /= unit
	}
	c.YText = func(v float64) string { return tickText(v) + " " + name }
}

// gaugeNote is the newest value of a figure, for the right of a title.
func (v *machine) gaugeNote(g gauge) func() string {
	return func() string {
		r := v.current()
		if r == nil {
			return ""
		}
		if _, y := g.series(r, plotOptions{}); len(y) > 0 {
			return g.text(y[len(y)-1])
		}
		return ""
	}
}
