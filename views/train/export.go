package train

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// saved is where an export was written.
type saved struct{ path string }

// exporter writes the series of runs into files.
type exporter struct {
	*shared
	saving views.Request
}

func (p *exporter) can() bool { return p.control.Save != nil && p.any() }

// export writes the series of the selected run, or of all compared ones, as CSV beside the screen.
func (p *exporter) export() tea.Cmd {
	dirs := []string{p.selected().run.Dir}
	name := strings.ReplaceAll(p.selected().run.Label(), "/", "-") + "-series"
	if p.views.Is(compareView) {
		dirs = p.compared()
		name = "compared"
		for _, dir := range dirs {
			if e := p.list.find(dir); e != nil {
				if e.run.Tool() != "" {
					name += "-" + filepath.Base(dir)
				} else {
					name += fmt.Sprintf("-%04d", e.run.Info.Number)
				}
			}
		}
		name += "-series"
	}
	var readings []*reading
	for _, dir := range dirs {
		if r := p.readingOf(dir); r != nil {
			readings = append(readings, r)
		}
	}
	if len(readings) < len(dirs) {
		return views.Warn("the run is still being read: try again in a moment")
	}
	save, plot := p.control.Save, p.plot
	return views.Ask(&p.saving, func(context.Context) (saved, error) {
		data, err := seriesCSV(readings, plot)
		if err != nil {
			return saved{}, err
		}
		path, err := save(name+".csv", data)
		return saved{path}, err
	})
}

func (p *exporter) saved(msg views.Answer[saved]) tea.Cmd {
	if !p.saving.Takes(msg.Ticket) {
		return nil
	}
	p.saving.Close()
	if msg.Err != nil {
		return views.Fail(fmt.Errorf("the series were not written: %w", msg.Err))
	}
	return views.Say("wrote the series to %s", msg.Value.path)
}

// seriesCSV is a line for each value: run, series, step, Unix time, value, and the samples behind it where it is a mean
// of some. A class's series is called "class_loss/NAME" or "recall/NAME".
func seriesCSV(readings []*reading, l plotOptions) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"run", "series", "step", "time", "value", "n"}}
	for _, r := range readings {
		label := r.run.Label()
		add := func(series string, h run.Head, v float64, n int) {
			count := ""
			if n > 0 {
				count = strconv.Itoa(n)
			}
			rows = append(rows, []string{label, series, strconv.Itoa(h.Step), strconv.FormatFloat(h.Time, 'f', 3, 64),
				strconv.FormatFloat(v, 'g', -1, 64), count})
		}
		r.eachValue(l, add)
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// eachValue calls with every value of every series that is known, series by series.
func (r *reading) eachValue(l plotOptions, add func(series string, h run.Head, v float64, n int)) {
	losses := make([]float64, len(r.history.Train))
	for i, row := range r.history.Train {
		losses[i] = weightedLoss(row)
	}
	weight := l.weight(len(losses))
	smooth := widget.Smooth(losses, weight)
	for _, s := range []struct {
		name  string
		value func(i int, row *run.Train) float64
	}{
		{"loss", func(_ int, t *run.Train) float64 { return float64(t.Loss) }},
		{fmt.Sprintf("loss_smoothed_%.3g", weight), func(i int, _ *run.Train) float64 { return smooth[i] }},
		{"loss_plain", func(_ int, t *run.Train) float64 { return float64(t.LossPlain) }},
		{"lr", func(_ int, t *run.Train) float64 { return rate(t) }},
		{"grad_norm", func(_ int, t *run.Train) float64 { return norm(t) }},
		{"tokens_per_s", func(_ int, t *run.Train) float64 { return speed(t) }},
		{"seconds_data", func(_ int, t *run.Train) float64 { return float64(t.Seconds.Data) }},
		{"seconds_forward", func(_ int, t *run.Train) float64 { return float64(t.Seconds.Forward) }},
		{"seconds_backward", func(_ int, t *run.Train) float64 { return float64(t.Seconds.Backward) }},
		{"seconds_optimizer", func(_ int, t *run.Train) float64 { return float64(t.Seconds.Optimizer) }},
	} {
		if r.run.Tool() != "" && !slices.ContainsFunc(r.history.Train, func(t *run.Train) bool {
			return run.Finite(s.value(0, t))
		}) {
			continue // it says nothing of that
		}
		for i, row := range r.history.Train {
			add(s.name, row.Head, s.value(i, row), 0)
		}
	}
	for _, e := range r.history.Evals {
		add(e.Split+"_loss", e.Head, float64(e.Loss), 0)
		if r.run.Tool() != "" {
			continue // it says no more
		}
		add(e.Split+"_accuracy", e.Head, float64(e.Accuracy), 0)
		add(e.Split+"_macro_f1", e.Head, float64(e.MacroF1), 0)
	}
	for _, c := range r.classes {
		for i, y := range c.Y {
			add("class_loss/"+c.Name, c.Heads[i], y, c.Of[i])
		}
	}
	for _, c := range r.recalls {
		for i, y := range c.Y {
			add("recall/"+c.Name, c.Heads[i], y, c.Of[i])
		}
	}
	for _, f := range r.history.Figures {
		for _, p := range f.Points {
			add(f.Name, p.Head(), p.Y, 0)
		}
	}
	r.eachSystem(add)
}

// eachSystem calls with what the machine's rows hold; what is not known is left out.
func (r *reading) eachSystem(add func(series string, h run.Head, v float64, n int)) {
	for _, row := range r.history.System {
		if row.CPU != nil {
			add("cpu", row.Head, *row.CPU, 0)
		}
		if row.RSS != nil {
			add("rss", row.Head, float64(*row.RSS), 0)
		}
		for _, g := range row.GPUs {
			for _, f := range gpuFigures {
				if v := f.figure(g); run.Finite(v) {
					add(fmt.Sprintf("gpu%d_%s", g.Index, f.name), row.Head, v, 0)
				}
			}
		}
	}
}
