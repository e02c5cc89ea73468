package train

import (
	"fmt"
	"math"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/gpu"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// loadsShown is how many of the newest loads the title line draws.
const loadsShown = 6

// titleFigures are what the title line of the workbench says of the machine and of the run that goes on.
type titleFigures struct {
	*shared
	machine, going string    // as they were sent last
	loads          []float64 // of this machine's GPUs, the newest
}

// changed tells the root what the machine does and which run goes on, when either has changed.
func (p *titleFigures) changed() tea.Cmd {
	const mostLabel = 24 // cells of a run's name: the steps matter more
	if p.newest == nil {
		return nil
	}
	live, n := p.newest.live()
	going := ""
	if live != nil {
		glyph, _ := glyphOf(live.state())
		steps := live.steps()
		if steps == widget.Missing {
			steps = "prepares"
		}
		going = glyph + " " + widget.Cut(widget.Clean(live.run.Label()), mostLabel) + " " + steps
		if n > 1 {
			going += fmt.Sprintf(" +%d", n-1)
		}
	}
	machine := p.machineText(live)
	if machine == p.machine && going == p.going {
		return nil
	}
	p.machine, p.going = machine, going
	return func() tea.Msg { return views.Figures{Machine: &machine, Run: &going} }
}

// machineText is this machine's GPUs, or what the live run's process takes of the cores.
func (p *titleFigures) machineText(live *entry) string {
	if len(p.newest.gpus) > 0 {
		return p.gpuText(p.newest.gpus)
	}
	if live == nil {
		return ""
	}
	for _, f := range p.follows {
		if f.dir != live.run.Dir || f.latest == nil || len(f.latest.history.System) == 0 {
			continue
		}
		rows := f.latest.history.System
		var loads []float64
		for _, row := range rows[max(len(rows)-loadsShown, 0):] {
			loads = append(loads, number(row.CPU))
		}
		last := rows[len(rows)-1]
		return "CPU " + widget.Sparkline(loads, 0, 100, loadsShown) + " " + percentText(number(last.CPU)) + " " +
			bytesText(bytesOf(last.RSS))
	}
	return ""
}

// gpuText is the mean load of all GPUs and how it went, their memory together, and the hottest. What one of them does
// not tell is left out.
func (p *titleFigures) gpuText(gpus []gpu.Device) string {
	var used, total uint64
	memory, hottest := true, math.NaN()
	for _, d := range gpus {
		if d.MemoryUsed == nil || d.MemoryTotal == nil {
			memory = false
		} else {
			used, total = used+*d.MemoryUsed, total+*d.MemoryTotal
		}
		if d.Temperature != nil && !(hottest >= *d.Temperature) {
			hottest = *d.Temperature
		}
	}
	name := strings.TrimPrefix(gpus[0].Name, "NVIDIA ")
	if name == "" {
		name = "GPU"
	}
	if len(gpus) > 1 {
		name = fmt.Sprintf("%d×%s", len(gpus), name)
	}
	parts := []string{name}
	if load := meanLoad(gpus); !math.IsNaN(load) {
		parts = append(parts, widget.Sparkline(p.loads, 0, 100, loadsShown), percentText(load))
	}
	if memory {
		parts = append(parts, fmt.Sprintf("%.0f/%.0f GiB", float64(used)/(1<<30), float64(total)/(1<<30)))
	}
	if !math.IsNaN(hottest) {
		parts = append(parts, unitText("°C")(hottest))
	}
	return strings.Join(parts, " ")
}

// meanLoad is that of the GPUs which tell it, in percent; NaN where none does.
func meanLoad(gpus []gpu.Device) float64 {
	var loads []float64
	for _, d := range gpus {
		loads = append(loads, number(d.Util))
	}
	return run.Mean(loads)
}

// remember keeps the newest loads of this machine's GPUs for the title line.
func (p *titleFigures) remember(gpus []gpu.Device) {
	if len(gpus) > 0 {
		p.loads = append(p.loads, meanLoad(gpus))
		p.loads = p.loads[max(len(p.loads)-loadsShown, 0):]
	}
}
