package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	data "finetui/core/dataset"
	"finetui/core/printable"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/widget"
)

// source is the pane's data set as the root has it, and what follows from it.
type source struct {
	*loaded // nil: not there yet, or it could not be read

	data     views.Dataset // as it was told last
	reads    int           // how often a set has arrived: pictures of another one are not this one's
	request  views.Request // works out what follows from it
	drawing  views.Request // of the demo's pictures
	progress widget.Progress
	err      error // why they could not be drawn
}

// loaded is everything that reading a data set once gave. It is not changed afterwards.
type loaded struct {
	set      *data.Dataset
	analysis *stats.Analysis
	index    *stats.Index
	cfg      config.Dataset // it was read with these
	root     string         // folder that their paths start from

	places        map[string]map[[2]int]int // pairPlaces of each part, by split
	withCondition map[string]int            // pictures, by condition
	withFinding   []facetLine               // worst first
}

// long says whether going through the set takes so long that a key would wait for it: more than a few milliseconds.
func (s *source) long() bool {
	const most = 50_000 // pictures, objects and findings
	return s.ready() && len(s.set.Items)+s.analysis.Whole.Objects+len(s.set.Findings) > most
}

// drawn is one message of drawing the demo's set: how far it is.
type drawn struct {
	done, total int
	what        string
}

// ready says whether there is a data set to show.
func (s *source) ready() bool { return s.loaded != nil && len(s.set.Items) > 0 }

// pending says whether a set is on its way.
func (p *shared) pending() bool {
	return p.data.Reading || p.request.Pending() || p.drawing.Pending() || p.file != nil && p.data.Root == ""
}

// Working says whether the pane waits for a set and has none to show.
func (p *Pane) Working() bool { return !p.ready() && p.pending() }

// fault is why there is no set.
func (s *source) fault() error {
	if s.err != nil {
		return s.err
	}
	return s.data.Err
}

// heard takes the data set as it stands now. The one that is shown stays until what follows from another is known.
func (p *Pane) heard(now views.Dataset) tea.Cmd {
	p.data, p.err = now, nil
	switch {
	case now.Reading:
		return nil
	case now.Set == nil:
		p.request.Close()
		p.leaveAll()
		return nil
	}
	return views.Ask(&p.request, views.InTurn(func(context.Context) (*loaded, error) { return load(now), nil }))
}

// load works out what follows from a data set.
func load(d views.Dataset) *loaded {
	l := &loaded{set: d.Set, analysis: stats.Analyze(d.Set, d.Of), index: stats.NewIndex(d.Set), cfg: d.Of,
		root: d.Root}
	l.places = map[string]map[[2]int]int{"": pairPlaces(&l.analysis.Whole)}
	for i := range l.analysis.Splits {
		l.places[l.analysis.Splits[i].Split] = pairPlaces(&l.analysis.Splits[i])
	}
	l.countFacets()
	return l
}

func (p *Pane) loadedSet(msg views.Answer[*loaded]) {
	if p.request.Takes(msg.Ticket) {
		p.request.Close()
		p.arrive(msg.Value)
	}
}

// canDraw says whether the pane offers to draw the demo's set: where DATASET.PATH leads nowhere yet.
func (p *Pane) canDraw() bool { return errors.Is(p.fault(), fs.ErrNotExist) && !p.pending() }

// drawDemo draws the demo's sets where DATASET.PATH and EVAL.DATA
// say, as finetui new demo does; then the root reads them.
func (p *Pane) drawDemo() tea.Cmd {
	frozen, draw := p.file.Snapshot, p.control.DrawDemo
	p.err, p.progress = nil, widget.Progress{}
	return views.Listen(&p.drawing, func(ctx context.Context, emit func(drawn)) error {
		return draw(ctx, frozen, func(done, total int, what string) { emit(drawn{done, total, what + " pictures"}) })
	})
}

// drew takes what the drawing says.
func (p *Pane) drew(msg views.Batch[drawn]) tea.Cmd {
	if !p.drawing.Takes(msg.Ticket) {
		return nil
	}
	for _, step := range msg.Values {
		p.progress = widget.Progress{What: step.what, Done: step.done, Total: step.total}
	}
	if msg.Ended {
		p.drawing.Close()
		if p.err = msg.Err; p.err == nil {
			return views.Reread()
		}
	}
	return msg.Next
}

// arrive puts a data set in the place of the one before, and keeps what was selected where it is still there.
func (p *Pane) arrive(set *loaded) {
	class := ""
	if p.ready() {
		class = p.rawName(p.class)
	}
	p.loaded = set
	p.reads++
	if p.part() == nil {
		p.split = ""
	}
	p.class = p.classNamed(class)
	if order := p.order(); p.class < 0 && len(order) > 0 {
		p.class = order[0]
	}
	p.pictures.Forget()
	p.refilter()
}

// leaveAll forgets the data set, and closes what asks about it.
func (p *Pane) leaveAll() {
	p.loaded, p.choice = nil, nil
	p.views.Forget()
	p.filter.Close()
	p.pictures.Forget()
	p.recipe.request.Close()
	p.recipe.weighed = nil
	p.film.request.Close()
}

// reconfigure weighs the recipe of changed constants; another set is the root's to read.
func (p *Pane) reconfigure(file *config.File) {
	p.file = file
	p.recipe.follow(file)
	if file == nil {
		p.request.Close()
		p.drawing.Close()
		p.leaveAll()
	}
}

// notice is the page in place of a data set: why there is none to see, and what to do about it.
func (p *Pane) notice(t *widget.Theme, w, h int) string {
	if p.file == nil {
		return views.NoProject(t, w, h)
	}
	n := widget.NewNotice(w)
	switch {
	case p.pending():
		doing, progress := "Reading the data set at "+p.file.Config.Dataset.Path, p.data.Progress
		if p.drawing.Pending() {
			doing, progress = "Drawing the demo's data sets", p.progress
		}
		n.Say(t.Strong, doing)
		n.Add(progress.View(t, min(w-6, 72)))
		n.Say(t.Muted, "Every key works meanwhile; the other panes are open.")
	case p.canDraw():
		n.Say(t.Strong, "No data set at "+p.file.Config.Dataset.Path)
		n.Say(t.Text, "This folder does not exist. Press m to draw the demo's data set into it (290 pictures, half "+
			"a minute at most; where EVAL.DATA names a folder that does not exist, a second test set there), or set "+
			"DATASET.PATH in Config to the folder of your own.")
	case p.fault() != nil:
		n.Say(t.Warning, "✗ The data set cannot be read")
		n.Say(t.Text, widget.Capital(printable.Error(p.fault())))
		n.Say(t.Muted, "Constants are changed in the pane Config; ctrl+r reads again.")
	default:
		n.Say(t.Strong, "No pictures in "+p.file.Config.Dataset.Path)
		n.Say(t.Text, "The folders of the data set are there and empty: put pictures into train/images and their "+
			"labels into train/labels, then press ctrl+r.")
	}
	return n.View(w, h)
}

// sizes says how large the pictures are: "336×336", or the range of sizes.
func (l *loaded) sizes(part *stats.Part) string {
	switch r := part.Resolution; {
	case r.N == 0:
		return "sizes unknown"
	case len(r.Distinct) == 1:
		return fmt.Sprintf("%d×%d pixels", r.Distinct[0].Width, r.Distinct[0].Height)
	default:
		return fmt.Sprintf("%d sizes, on average %.0f×%.0f pixels", len(r.Distinct), r.MeanWidth, r.MeanHeight)
	}
}
