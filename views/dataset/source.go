package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	data "finetui/core/dataset"
	"finetui/core/demo"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/widget"
)

// source is where the pane's data set comes from and what reading it gave.
type source struct {
	*loaded // nil: not read yet, or it could not be

	reads    int // how often a set has been read: pictures of another one are not this one's
	err      error
	doing    string // what is going on while the request is open: "Reading", "Drawing"
	progress widget.Progress
	request  views.Request
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

// reading is one message of a reading: how far it is, or the result.
type reading struct {
	done, total int
	what        string
	result      *loaded
}

// ready says whether there is a data set to show.
func (s *source) ready() bool { return s.loaded != nil && len(s.set.Items) > 0 }

// read starts reading the data set, from its files where again asks for it; the one that is shown stays until then.
func (p *Pane) read(again bool) tea.Cmd {
	if p.file == nil {
		return nil
	}
	cfg, root := p.file.Config.Dataset, p.file.Root
	p.err, p.doing, p.progress = nil, "Reading", widget.Progress{}
	return views.Listen(&p.request, func(ctx context.Context, emit func(reading)) error {
		return readSet(ctx, cfg, root, again, emit)
	})
}

func readSet(ctx context.Context, cfg config.Dataset, root string, again bool, emit func(reading)) error {
	set, err := project.ReadShared(ctx, cfg, root, again, func(done, total int, what string) {
		emit(reading{done: done, total: total, what: what})
	})
	if err != nil {
		return err
	}
	l := &loaded{set: set, analysis: stats.Analyze(set, cfg), index: stats.NewIndex(set), cfg: cfg, root: root}
	l.places = map[string]map[[2]int]int{"": pairPlaces(&l.analysis.Whole)}
	for i := range l.analysis.Splits {
		l.places[l.analysis.Splits[i].Split] = pairPlaces(&l.analysis.Splits[i])
	}
	l.countFacets()
	emit(reading{result: l})
	return nil
}

// drawing is what is going on while the demo's set is drawn.
const drawing = "Drawing"

// canDraw says whether the pane offers to draw the demo's set: where DATASET.PATH leads nowhere yet.
func (p *Pane) canDraw() bool { return errors.Is(p.err, fs.ErrNotExist) && !p.request.Pending() }

// drawDemo draws the demo's sets where DATASET.PATH and EVAL.DATA
// say, as finetui new demo does; then all panes read them.
func (p *Pane) drawDemo() tea.Cmd {
	folder, further := p.file.Abs(p.file.Config.Dataset.Path), p.file.Abs(p.file.Config.Eval.Data)
	options := demo.Options{Seed: uint64(p.file.Config.Project.Seed)}
	p.err, p.doing, p.progress = nil, drawing, widget.Progress{}
	return views.Listen(&p.request, func(ctx context.Context, emit func(reading)) error {
		return demo.Sets(ctx, folder, further, options, func(string) {}, func(done, total int, what string) {
			emit(reading{done: done, total: total, what: what + " pictures"})
		})
	})
}

// progressed takes what a reading says.
func (p *Pane) progressed(msg views.Batch[reading]) tea.Cmd {
	if !p.request.Takes(msg.Ticket) {
		return nil
	}
	for _, step := range msg.Values {
		if step.result != nil {
			p.arrive(step.result)
			continue
		}
		p.progress = widget.Progress{What: step.what, Done: step.done, Total: step.total}
	}
	if msg.Ended {
		p.request.Close()
		if p.err = msg.Err; p.err != nil {
			p.leaveAll()
		} else if p.doing == drawing {
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
	p.filter.Close()
	p.pictures.Forget()
	p.recipe.request.Close()
	p.recipe.weighed = nil
}

// reconfigure looks at what a change of the constants means: another set is read, another recipe weighed.
func (p *Pane) reconfigure(file *config.File) tea.Cmd {
	before := p.file
	p.file = file
	p.recipe.follow(file)
	if file == nil {
		p.request.Close()
		p.err = nil
		p.leaveAll()
		return nil
	}
	same := p.loaded != nil && p.root == file.Root && reflect.DeepEqual(p.loaded.cfg, file.Config.Dataset)
	if before != nil && same && !p.request.Pending() {
		return nil
	}
	return p.read(false)
}

// notice is the page in place of a data set: why there is none to see, and what to do about it.
func (p *Pane) notice(t *widget.Theme, w, h int) string {
	if p.file == nil {
		return views.NoProject(t, w, h)
	}
	n := widget.NewNotice(w)
	switch {
	case p.request.Pending():
		n.Say(t.Strong, p.doing+" the data set at "+p.file.Config.Dataset.Path)
		n.Add(p.progress.View(t, min(w-6, 72)))
		n.Say(t.Muted, "Every key works meanwhile; the other panes are open.")
	case p.canDraw():
		n.Say(t.Strong, "No data set at "+p.file.Config.Dataset.Path)
		n.Say(t.Text, "This folder does not exist. Press m to draw the demo's data set into it (290 pictures, half "+
			"a minute at most; where EVAL.DATA names a folder that does not exist, a second test set there), or set "+
			"DATASET.PATH in Config to the folder of your own.")
	case p.err != nil:
		n.Say(t.Warning, "✗ The data set cannot be read")
		n.Say(t.Text, widget.Capital(printable.Error(p.err)))
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
