package train

import (
	"cmp"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// metric is a panel with a figure that is chosen among all that the rows hold.
type metric struct {
	*shared
	name string         // of the figure that was chosen, as in an export of the series; "": none was
	list *widget.Choice // open while one is chosen
}

// usualMetric is drawn until another one is chosen; of a run that lacks it the first figure beside the loss.
const usualMetric = "valid_accuracy"

func newMetric(s *shared) *metric { return &metric{shared: s} }

func (p *metric) panel() views.Panel {
	return views.Panel{Name: "metric", Tab: "Metric", Title: p.title,
		Right: p.last, Draw: p.draw, Move: p.moveCursor("metric")}
}

// metrics are the names of all figures that a run's rows hold.
func (r *reading) metrics() []string {
	var names []string
	r.eachValue(plotOptions{}, func(name string, _ run.Head, _ float64, _ int) {
		if len(names) == 0 || names[len(names)-1] != name && !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// metric is the curve of a figure by its name; it is empty where the run has none.
func (r *reading) metric(name string, l *plotOptions) *curve {
	key := curveKey{"metric/" + name, l.x, 0}
	if c := r.curves[key]; c != nil {
		return c
	}
	var heads []run.Head
	var values []float64
	r.eachValue(plotOptions{}, func(of string, h run.Head, v float64, _ int) {
		if of == name {
			heads, values = append(heads, h), append(values, v)
		}
	})
	value := func(i int) (run.Head, float64) { return heads[i], values[i] }
	return r.curve(series{key.series, len(heads), value}, l.x, 0)
}

// drawn is the figure that is drawn of a run.
func (p *metric) drawn(r *reading) string {
	if p.name != "" || r == nil || r.run.Tool() == "" || len(r.metric(usualMetric, &p.plot).y) > 0 {
		return cmp.Or(p.name, usualMetric)
	}
	for _, f := range r.history.Figures {
		return f.Name
	}
	if len(r.history.Checks()) > 0 {
		return run.ValidSplit + "_loss"
	}
	return "loss"
}

// title names the figure, and the key that chooses another one.
func (p *metric) title() string {
	return widget.Clean(p.drawn(p.current())) + " (" + views.KeyOf("choose_metric") + ")"
}

func (p *metric) last() string {
	r := p.current()
	if r == nil {
		return ""
	}
	c := r.metric(p.drawn(r), &p.plot)
	if len(c.y) == 0 {
		return ""
	}
	return widget.Number(p.plot.read(c))
}

func (p *metric) draw(t *widget.Theme, w, h int) string {
	r := p.current()
	if r == nil {
		return p.nothing(t, "", w, h)
	}
	c := r.metric(p.drawn(r), &p.plot)
	if len(c.y) == 0 {
		return p.nothing(t, "this run's rows do not hold it; "+views.KeyOf("choose_metric")+" chooses another", w, h)
	}
	chart := p.plot.chart(p.now().Location())
	chart.LogY, chart.YText = false, tickText
	line := p.plot.lineOf(c, w)
	line.Tone = widget.Accent
	name := p.drawn(r)
	of := func(r *reading) *curve { return r.metric(name, &p.plot) }
	chart.Lines = append([]widget.Line{line}, p.pinned(of, w)...)
	return chart.View(t, w, h)
}

// ask opens the list of figures.
func (p *metric) ask() tea.Cmd {
	r := p.current()
	if r == nil {
		return views.Say("the run is still being read")
	}
	names := r.metrics()
	if len(names) == 0 {
		return views.Say("the run has reported no figures yet")
	}
	options := make([]widget.Option, len(names))
	for i, name := range names {
		options[i] = widget.Option{Text: widget.Clean(name), Detail: widget.Number(r.metric(name, &p.plot).last())}
	}
	p.list = widget.NewChoice("Which figure is drawn", true, options...)
	p.list.Cursor.Index = max(slices.Index(names, p.drawn(r)), 0)
	return nil
}

// typed gives keys to the list.
func (p *metric) typed(msg tea.Msg) tea.Cmd {
	outcome, cmd := p.list.Update(msg)
	if outcome == widget.Editing {
		return cmd
	}
	at := p.list.Chosen()
	p.list = nil
	if r := p.current(); outcome == widget.Accepted && r != nil {
		if names := r.metrics(); at >= 0 && at < len(names) {
			p.name = names[at]
			p.views.Show(curvesView)
			p.views.Board().Focus("metric")
		}
	}
	return cmd
}

func (p *metric) actions() []views.Action {
	return []views.Action{{Name: "choose_metric", Help: "draw another figure of the run's rows, in Curves",
		Group: "Curves", Enabled: p.any, Run: p.ask}}
}
