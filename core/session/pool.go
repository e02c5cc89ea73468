package session

import (
	"context"
	"maps"
	"slices"
	"sync"

	"finetui/core/model"
	"finetui/core/project"
)

// keepLoaded is how many models stay in memory: the base and a run, or two runs, to switch between.
const keepLoaded = 2

// pool holds the bases that are open and the models that are loaded.
type pool struct {
	mutex  sync.Mutex // one model is loaded at a time
	bases  map[string]*model.Base
	loaded []*model.Subject // the one that was asked for last comes last
	stale  []*model.Base    // whose files were replaced: somebody may still ask them
	said   bool             // that features are not kept

	looking sync.Mutex
	looked  map[string]*model.Base // for what their kinds say, beside those that are asked
	gone    []*model.Base          // of looked: whose files were replaced
}

func newPool() *pool { return &pool{bases: map[string]*model.Base{}, looked: map[string]*model.Base{}} }

// load loads the model of a setting, or returns the loaded one.
func (p *pool) load(ctx context.Context, t *Setting, report Progress) (*model.Subject, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	say := func(done int, what string) {
		if report != nil {
			report(done, 2, what)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	say(0, "opening base "+t.Project.Config.Model.Base)
	b, err := p.base(ctx, t, report)
	if err != nil {
		return nil, err
	}
	if t.Run != nil && t.Run.Info.BaseFingerprint != "" {
		b.Identify() // while it loads
	}
	if i := slices.IndexFunc(p.loaded, func(m *model.Subject) bool {
		return m.Base == b &&
			m.Adapter == t.Adapter.Path
	}); i >= 0 {
		if err := t.check(ctx, b, report); err != nil {
			return nil, err
		}
		found := p.loaded[i]
		p.loaded = append(slices.Delete(p.loaded, i, i+1), found)
		return found, nil
	}
	say(1, "loading "+t.Title())
	m, err := model.Load(b, t.Adapter.Path, t.Project.Config.Train.Threads)
	if other := t.check(ctx, b, report); other != nil {
		return nil, other // whatever else is wrong comes of it
	}
	if err != nil {
		return nil, err
	}
	say(2, "loaded "+t.Title())
	p.loaded = append(p.loaded, m)
	if over := len(p.loaded) - keepLoaded; over > 0 {
		p.loaded = slices.Delete(p.loaded, 0, over)
	}
	return m, nil
}

// check holds the base against what the setting's run was trained on.
func (t *Setting) check(ctx context.Context, b *model.Base, report Progress) error {
	if t.Run == nil {
		return nil
	}
	note, err := b.Check(ctx, t.Run.Info.BaseFingerprint, t.Name, report)
	if err == nil && note != "" && !slices.Contains(t.Notes, note+".") {
		t.Notes = append(t.Notes, note+".")
	}
	return err
}

// base opens the base of a setting unless it is open, with the files of then.
func (p *pool) base(ctx context.Context, t *Setting, report Progress) (*model.Base, error) {
	name, key := t.Project.Config.Model.Base, t.baseKey()
	if b := p.bases[key]; b != nil {
		if !b.Changed() {
			return b, nil
		}
		delete(p.bases, key)
		p.loaded = slices.DeleteFunc(p.loaded, func(m *model.Subject) bool { return m.Base == b })
		p.stale = append(p.stale, b)
	}
	b, err := model.OpenBase(ctx, name, t.root, report)
	if err != nil {
		return nil, err
	}
	p.bases[key] = b
	project.Remember(b, t.Project.File.Root, t.Project.Config)
	return b, nil
}

// Trouble says, the first time it is asked after that came up, why what models made of pictures is not kept; else it is
// empty. Questions and evaluations go on without.
func (s *Session) Trouble() string {
	p := s.pool
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, b := range p.bases {
		if text := b.Trouble(); text != "" && !p.said {
			p.said = true
			return text
		}
	}
	return ""
}

func (p *pool) close() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var first error
	p.looking.Lock()
	defer p.looking.Unlock()
	open := slices.AppendSeq(p.stale, maps.Values(p.bases))
	open = append(slices.AppendSeq(open, maps.Values(p.looked)), p.gone...)
	for _, b := range open {
		if err := b.Close(); err != nil && first == nil {
			first = err
		}
	}
	p.stale, p.gone, p.loaded = nil, nil, nil
	p.bases, p.looked = map[string]*model.Base{}, map[string]*model.Base{}
	return first
}
