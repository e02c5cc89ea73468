package infer

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/eval"
	"finetui/core/session"
	"finetui/core/video"
	"finetui/views"
	"finetui/views/widget"
)

// shared is what the views of the pane share: the open project, who is asked and about which split, the evaluation that
// goes on, the drawings, and the ways from one view to another.
type shared struct {
	control Control
	file    *config.File // nil: no config.toml was read

	source
	wanted
	pictures pictures
	batch    batch
	filter   views.Filter
	choice   *choice // open while a run is chosen

	views *views.Views

	players []*player // of the views that show clips

	measure measure // the finest that is wanted of what an evaluation has

	// openSample is where other views lead to: the question about the object of that ID, with the truth. Ask sets it.
	openSample func(id string) tea.Cmd
}

// kept is the evaluation that is shown; nil: there is none.
func (p *shared) kept() *session.Kept { return p.now.keptOf(p.now.settings[p.main()]) }

// result is what the evaluation that is shown came to; nil: there is none.
func (p *shared) result() *eval.Result {
	if k := p.kept(); k != nil {
		return k.Result
	}
	return nil
}

// classes are the closed list of the recipe.
func (p *shared) classes() []dataset.Class { return p.session.Project.Recipe.Classes }

// shortID is a sample's ID without its split and, of a long name, without its middle: the object's number stands at
// the end. A clip has no objects to count.
func (p *shared) shortID(id string) string {
	const most = 24
	short := strings.TrimPrefix(id, p.now.split+"/")
	if place, there := p.now.samples.Find(id); there && video.Named(p.now.samples.Item(place).ID) {
		short = strings.TrimSuffix(short, "#0")
	}
	return widget.CutMiddle(widget.Clean(short), most)
}

// askFilter opens the text that / asks for.
func (p *shared) askFilter() tea.Cmd {
	p.filter.Open("list only what contains", "part of a picture's name, a class or an answer; empty lists all")
	p.views.Refresh()
	return nil
}
