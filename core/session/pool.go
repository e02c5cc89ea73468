package session

import (
	"context"
	"fmt"
	"path/filepath"
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
}

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
	if t.Run != nil && t.Run.Info.BaseFingerprint != "" && t.Run.Info.BaseFingerprint != b.Fingerprint {
		return nil, fmt.Errorf("the base %s is not the one that %s was trained on (fingerprint %s, then %s): set MODEL.BASE back, or train again",
			b.Name, t.Name, b.Fingerprint, t.Run.Info.BaseFingerprint)
	}
	if i := slices.IndexFunc(p.loaded, func(m *model.Subject) bool { return m.Base == b && m.Adapter == t.Adapter.Path }); i >= 0 {
		found := p.loaded[i]
		p.loaded = append(slices.Delete(p.loaded, i, i+1), found)
		return found, nil
	}
	say(1, "loading "+t.Title())
	m, err := model.Load(b, t.Adapter.Path, t.Project.Config.Train.Threads)
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

// base opens the base of a setting unless it is open.
func (p *pool) base(ctx context.Context, t *Setting, report Progress) (*model.Base, error) {
	name := t.Project.Config.Model.Base
	key := name
	if name != model.Tiny && !filepath.IsAbs(name) {
		key = filepath.Join(t.root, name)
	}
	if b := p.bases[key]; b != nil {
		return b, nil
	}
	b, err := model.OpenBase(ctx, name, t.root, report)
	if err != nil {
		return nil, err
	}
	p.bases[key] = b
	return b, project.Remember(b, t.Project.File.Root, t.Project.Config)
}

func (p *pool) close() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var first error
	for _, b := range p.bases {
		if err := b.Close(); err != nil && first == nil {
			first = err
		}
	}
	p.bases, p.loaded = map[string]*model.Base{}, nil
	return first
}
