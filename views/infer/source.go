package infer

import (
	"context"
	"reflect"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/core/recipe"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/widget"
)

// source is where questions and answers come from: the open project, and what was last seen of its runs.
type source struct {
	data    views.Dataset    // as the root told it last
	session *session.Session // nil: not open yet
	err     error            // why it cannot be opened
	request views.Request
	doing   widget.Progress

	scene   *scene // nil: not looked yet
	looking views.Request
	scenes  int // how many there were: pictures of another one are not this one's
}

// The two who can be asked, as places in arrays.
const (
	base = iota
	adapter
	subjectCount
)

// scene is one look at everything that a split's questions need. It is not changed afterwards.
type scene struct {
	session    *session.Session
	split      string
	splits     []string
	candidates []session.Candidate
	settings   [subjectCount]*session.Setting // nil: faults says why
	titles     [subjectCount]string           // of the settings
	faults     [subjectCount]error
	samples    [subjectCount][]recipe.Sample // the same objects, each with its subject's prompt
	place      map[string]int                // of a sample's ID
	parser     eval.Parser
	kept       []session.Kept // evaluations of the split
	answers    [subjectCount]map[string]eval.Answer
	changed    [subjectCount][]string // constants that are others since the evaluation
}

// opening is one message of opening a project.
type opening struct {
	done, total int
	what        string
	session     *session.Session
}

// ready says whether there is something to ask about.
func (p *Pane) ready() bool {
	return p.err == nil && p.scene != nil && len(p.scene.splits) > 0
}

// heardOf takes the data set as it stands now. What is shown stays until the project is open on another one.
func (p *Pane) heardOf(now views.Dataset) tea.Cmd {
	p.data, p.doing = now, now.Progress
	if p.data.Err != nil {
		p.source.request.Close()
		p.err = p.data.Err
	}
	return p.openSession()
}

// openSession opens the project on its data set, as soon as that is there. What is shown stays until then.
func (p *Pane) openSession() tea.Cmd {
	if !p.data.Is(p.file) {
		return nil
	}
	frozen, before, set, open := p.file.Snapshot, p.session, p.data.Set, p.control.Open
	return views.Listen(&p.source.request, func(ctx context.Context, emit func(opening)) error {
		report := func(done, total int, what string) { emit(opening{done: done, total: total, what: what}) }
		opened, err := open(ctx, frozen, set, before, report)
		if err != nil {
			return err
		}
		emit(opening{session: opened})
		return nil
	})
}

// waiting says whether the project is being opened, or its data set read.
func (s *source) waiting() bool { return s.data.Reading || s.request.Pending() }

// Working says whether the pane waits: for the project, or for the first word of an answer.
func (p *Pane) Working() bool { return p.waiting() && !p.ready() || p.ask.request.Pending() }

func (p *Pane) opened(msg views.Batch[opening]) tea.Cmd {
	if !p.source.request.Takes(msg.Ticket) {
		return nil
	}
	for _, step := range msg.Values {
		if step.session == nil {
			p.doing = widget.Progress{What: step.what, Done: step.done, Total: step.total}
			continue
		}
		p.session = step.session
	}
	if !msg.Ended {
		return msg.Next
	}
	p.source.request.Close()
	if p.err = msg.Err; p.err != nil {
		return nil
	}
	p.ask.forget()
	return p.look()
}

// reconfigure opens the project of changed constants; how things are shown does not concern it.
func (p *Pane) reconfigure(file *config.File) tea.Cmd {
	before := p.file
	p.file = file
	if file == nil {
		p.source.request.Close()
		p.stopAnswer()
		p.scene, p.err = nil, nil
		return nil
	}
	if before != nil && p.session != nil && p.err == nil && !p.source.request.Pending() &&
		sameQuestions(p.session.Project.Config, file.Config) {
		return nil
	}
	return p.openSession()
}

// sameQuestions says whether two configurations differ in nothing that this pane asks or shows.
func sameQuestions(a, b *config.Config) bool {
	x, y := *a, *b
	x.View, x.Keys, x.Convert = y.View, y.Keys, y.Convert
	return reflect.DeepEqual(x, y)
}

// look finds out what runs and evaluations there are.
func (p *Pane) look() tea.Cmd {
	if p.session == nil {
		return nil
	}
	s, split, run := p.session, p.chosen.split, p.chosen.run
	return views.Ask(&p.looking, func(context.Context) (*scene, error) { return newScene(s, split, run) })
}

func newScene(s *session.Session, split, run string) (*scene, error) {
	c := &scene{session: s, splits: s.Splits(), place: map[string]int{}}
	c.split = chooseSplit(c.splits, split, s.Project.Config.Eval.Split)
	var err error
	if c.candidates, err = s.Candidates(); err != nil {
		return c, err
	}
	c.settings[base], c.faults[base] = s.Setting(session.Base)
	if run = chooseRun(c.candidates, run); run != "" {
		c.settings[adapter], c.faults[adapter] = s.Setting(run)
	}
	if len(c.splits) == 0 {
		return c, nil
	}
	for who, setting := range c.settings {
		if setting != nil {
			c.titles[who] = setting.Title()
			c.samples[who] = setting.Project.Recipe.Samples(c.split)
		}
	}
	for i, x := range c.samples[base] {
		c.place[x.ID] = i
	}
	c.parser = eval.NewParser(s.Project.Recipe.Classes)
	if c.kept, err = s.Results(c.split); err != nil {
		return c, err
	}
	for who, setting := range c.settings {
		c.answers[who] = map[string]eval.Answer{}
		if k := c.keptOf(setting); k != nil && k.Result != nil {
			c.changed[who] = setting.Changed(*k)
			for _, item := range k.Result.Items {
				c.answers[who][item.ID] = item
			}
		}
	}
	return c, nil
}

// chooseSplit is the wanted split where it exists, else EVAL.SPLIT, else the last one.
func chooseSplit(splits []string, wanted, usual string) string {
	for _, split := range []string{wanted, usual} {
		if slices.Contains(splits, split) {
			return split
		}
	}
	if len(splits) == 0 {
		return ""
	}
	return splits[len(splits)-1]
}

// chooseRun is the wanted run where it can be asked, else the newest that can; empty where there is none.
func chooseRun(candidates []session.Candidate, wanted string) string {
	newest := ""
	for _, c := range candidates {
		if c.Run == nil || c.Why != "" {
			continue
		}
		if newest = c.Name; newest == wanted {
			return wanted
		}
	}
	return newest
}

// keptOf is the evaluation of a subject on the split, or nil.
func (c *scene) keptOf(setting *session.Setting) *session.Kept {
	if setting == nil {
		return nil
	}
	return c.keptBy(setting.Name)
}

func (c *scene) keptBy(name string) *session.Kept {
	for i := range c.kept {
		if c.kept[i].Name == name {
			return &c.kept[i]
		}
	}
	return nil
}

func (p *Pane) looked(msg views.Answer[*scene]) tea.Cmd {
	if !p.looking.Takes(msg.Ticket) {
		return nil
	}
	p.looking.Close()
	before := p.scene
	p.scene = msg.Value
	if before == nil || before.session != p.scene.session || before.split != p.scene.split ||
		before.titles != p.scene.titles {
		p.scenes++
		p.pictures.Forget()
	}
	p.arrive(before)
	if p.choice != nil {
		if at := p.choice.list.Chosen(); at >= 0 {
			p.choice = runChoice(p.scene.candidates, p.choice.names[at])
		}
	}
	if msg.Err != nil {
		return views.Fail(msg.Err)
	}
	return nil
}

// arrive keeps what was selected where it is still there.
func (p *Pane) arrive(before *scene) {
	c := p.scene
	if before == nil {
		p.mode = baseOnly
		if c.settings[adapter] != nil {
			p.mode = adapterOnly
		}
	}
	if c.settings[adapter] == nil && c.faults[adapter] == nil {
		p.mode = baseOnly
	}
	if before != nil && before.split == c.split {
		if at, there := c.place[before.idAt(p.ask.cursor.Index)]; there {
			p.ask.cursor.Index = at
		}
	} else if before != nil {
		p.ask.cursor.Index = 0
	}
	if setting := c.settings[adapter]; setting != nil { // a newer run's checkpoint takes nobody's place
		p.chosen.run = setting.Name
	}
	p.views.Named(confusionView).Boards[0].Layout = confusionLayout(len(c.session.Project.Recipe.Classes))
	p.refilter()
}

func (c *scene) idAt(i int) string {
	if i < 0 || i >= len(c.samples[base]) {
		return ""
	}
	return c.samples[base][i].ID
}

// notice is the page where there is nothing to ask about: why, and what to do about it.
func (p *Pane) notice(t *widget.Theme, w, h int) string {
	if p.file == nil {
		return views.NoProject(t, w, h)
	}
	n := widget.NewNotice(w)
	switch {
	case p.waiting() || p.scene == nil && p.err == nil:
		n.Say(t.Strong, "Opening the data set at "+p.file.Config.Dataset.Path)
		n.Add(p.doing.View(t, min(w-6, 72)))
		n.Say(t.Muted, "Every key works meanwhile; the other panes are open.")
	case p.err != nil:
		n.Say(t.Warning, "✗ There is nothing to ask about yet")
		n.Say(t.Text, widget.Capital(printable.Error(p.err)))
		n.Say(t.Muted, "The pane Data can make or read a data set, constants are changed in Config; ctrl+r "+
			"tries again.")
	default:
		n.Say(t.Strong, "No labelled object in "+p.file.Config.Dataset.Path)
		n.Say(t.Text, "Questions are asked about labelled objects: put label files beside the pictures, then "+
			"press ctrl+r.")
	}
	return n.View(w, h)
}
