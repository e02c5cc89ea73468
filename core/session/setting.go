package session

import (
	"fmt"
	"path/filepath"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/core/run"
	"finetui/core/sample"
	"finetui/core/video"
	"finetui/ml/picture"
)

// Setting is who is asked, and with which constants: a subject before its weights are loaded.
type Setting struct {
	Name    string           // "base", the run's label, or that of an adapter
	Run     *run.Run         // nil: the base, or an adapter that was trained elsewhere
	Adapter run.Saved        // of a run: the checkpoint that answers, its best one; no path: the base
	Project *project.Project // the current data set through the subject's own constants
	Notes   []string         // what to bear in mind, one sentence each

	root string // folder from which a relative MODEL.BASE starts
	pool *pool
}

// Encoder makes samples into what the subject reads: which frames of a clip it is shown, and how it cuts pictures, is
// its base's own rule. Where the base is not on this machine yet, it is what its name tells.
func (t *Setting) Encoder() sample.Encoder {
	e := t.Project.Encoder()
	if e.Base == nil {
		e.Base = t.pool.present(t)
	}
	if e.Base == nil {
		e.Kind = model.Likely(t.Project.Config.Model.Base)
	}
	return e
}

// Setting finds a subject: "base", a run's number, name or path,
// or the folder of an adapter that was trained elsewhere.
func (s *Session) Setting(name string) (*Setting, error) {
	if name == Base {
		return &Setting{Name: Base, Project: s.Project.Over(s.Project.Config, s.Project.Recipe), root: s.file.Root,
			pool: s.pool}, nil
	}
	if dir, ok := s.adapterFolder(name); ok {
		return s.elsewhere(dir)
	}
	r, err := s.find(name)
	if err != nil {
		return nil, err
	}
	saved, note, err := r.Answering()
	if err != nil {
		return nil, err
	}
	own, err := r.Config()
	if err != nil {
		return nil, fmt.Errorf("run %s: its own config.toml: %w", r.Label(), err)
	}
	c := s.merge(own.Config)
	base, root := model.Moved(own, s.file)
	c.Model.Base = base
	built, err := s.seen.through(c)
	if err != nil {
		return nil, fmt.Errorf("run %s: its recipe on the current data set: %w", r.Label(), err)
	}
	t := &Setting{Name: r.Label(), Run: r, Adapter: saved, Project: s.Project.Over(c, built), root: root,
		pool: s.pool}
	if note != "" {
		t.Notes = append(t.Notes, note)
	}
	if now := s.seen.fingerprint(); r.Info.DataFingerprint != "" && r.Info.DataFingerprint != now {
		t.Notes = append(t.Notes,
			fmt.Sprintf("%s was trained on another data set than the current one (fingerprint %s, now %s).", t.Name,
				r.Info.DataFingerprint, now))
	}
	return t, nil
}

// merge is a run's constants with those that say what is asked about, and how, as they are now.
func (s *Session) merge(own *config.Config) *config.Config {
	now := s.Project.Config
	c := *own
	c.Project, c.Dataset, c.Eval, c.Infer, c.View, c.Keys = now.Project, now.Dataset, now.Eval, now.Infer,
		now.View, now.Keys
	c.Train.Threads = now.Train.Threads
	return &c
}

// Title says who answers: "base tiny", "0003-enhanced step 426 (best) on tiny".
func (t *Setting) Title() string {
	base := t.Project.Config.Model.Base
	if base != model.Tiny {
		base = filepath.Base(base)
	}
	if t.Run == nil && t.Adapter.Path != "" {
		return "adapter " + t.Name + " on " + base
	}
	if t.Run == nil {
		return "base " + base
	}
	which := "newest"
	if t.Adapter.Best {
		which = "best"
	}
	return fmt.Sprintf("%s step %d (%s) on %s", t.Name, t.Adapter.Step, which, base)
}

// Prompt is the question about a sample when none is given: INFER.PROMPT, else the recipe's.
func (t *Setting) Prompt(x recipe.Sample) string {
	if p := t.Project.Config.Infer.Prompt; p != "" {
		return p
	}
	return x.Prompt
}

// FilePrompt is the question about a file of that path, a picture's or a clip's, when none is given: INFER.PROMPT, else
// the recipe's.
func (t *Setting) FilePrompt(path string) string {
	if p := t.Project.Config.Infer.Prompt; p != "" {
		return p
	}
	if video.Named(path) {
		return t.Project.Recipe.FileClipQuestion
	}
	return t.Project.Recipe.FileQuestion
}

// everything is the box of a picture in which no object was chosen.
var everything = dataset.Box{X1: 1, Y1: 1}

// Whole are the pictures that the subject is shown of a whole picture in which no object was chosen. What the recipe
// would cut out is the picture itself.
func (t *Setting) Whole(img *picture.RGB) ([]*picture.RGB, error) {
	switch c := t.Project.Config.Recipe; c.Context {
	case config.ContextFull, config.ContextMarked:
		return []*picture.RGB{img}, nil
	default:
		encoder := t.Encoder()
		encoder.Recipe.CropMargin = 0
		return encoder.Shown(img, everything)
	}
}

// Sample is the object of an ID, "split/name#2", as the subject is asked about it.
func (t *Setting) Sample(id string) (recipe.Sample, bool) {
	objects := t.Project.Data.Objects("")
	if n, there := objects.Find(id); there {
		return t.Project.Recipe.Sample(objects.At(n))
	}
	return recipe.Sample{}, false
}
