package project

import (
	"context"
	"fmt"
	"sync"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/sample"
	"finetui/core/video"
	"finetui/ml/picture"
)

// Frames reads frames of a project's clips for who shows them: decoded once and kept in the project's folder, as those
// are that a model is trained on. The zero value is ready; any number of goroutines may use one. It keeps what it has
// opened until the program ends.
type Frames struct {
	lock  sync.Mutex
	store *video.Store
	root  string // of store
	base  string // whose kind is known
	kind  model.Kind
	rule  string
}

// Sight is what a model sees of a clip.
type Sight struct {
	Frames []video.Frame
	Clip   *video.Info
	Rule   string // whose frames these are, in words
}

// framesSide is the largest side of a frame in pixels: more than a terminal shows, and what clips of that size are
// trained on.
const framesSide = 1024

func shown(clip *video.Info) video.Size { return clip.Within(framesSide, framesSide) }

// Of are the frames of a clip at the times at which MODEL.BASE sees it, MODEL.FRAMES at most.
func (f *Frames) Of(ctx context.Context, file *config.Snapshot, path string, report video.Progress) (*Sight, error) {
	store, kind, rule := f.open(file)
	e := sample.Encoder{Base: &model.Base{Kind: kind}, Model: file.Config.Model, Root: file.Root, Clips: store}
	list, clip, err := e.Frames(ctx, path, shown, report)
	if err != nil {
		return nil, err
	}
	return &Sight{list, clip, rule}, nil
}

// Middle is the frame in the middle of a clip, which stands for it.
func (f *Frames) Middle(ctx context.Context, file *config.Snapshot, path string) (*picture.RGB, error) {
	store := f.keep(file)
	middle := func(clip *video.Info) []int { return []int{clip.Frames / 2} }
	list, _, err := store.Frames(ctx, path, middle, shown, nil)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no frame in its middle", path)
	}
	return list[0].Picture, nil
}

// keep is what keeps frames, by MODEL.CACHE; nil: they are not kept.
func (f *Frames) keep(file *config.Snapshot) *video.Store {
	f.lock.Lock()
	defer f.lock.Unlock()
	if file == nil || file.Config.Model.Cache <= 0 {
		return nil
	}
	if f.store == nil || f.root != file.Root { // one that is replaced may be in use: it is left open
		f.store, f.root = video.Open(file.Root, int64(file.Config.Model.Cache)<<20), file.Root
	}
	return f.store
}

// open is what keeps frames, and the kind of MODEL.BASE; the usual one where it is not on this machine.
func (f *Frames) open(file *config.Snapshot) (*video.Store, model.Kind, string) {
	store, name := f.keep(file), file.Config.Model.Base
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.kind != nil && f.base == name {
		return store, f.kind, f.rule
	}
	f.base, f.kind, f.rule = name, model.Usual(), "frames that a usual model sees: MODEL.BASE cannot be opened here"
	b, away, err := model.OpenPresent(name, file.Root)
	switch {
	case err == nil && !away:
		f.kind, f.rule = b.Kind, "frames that "+name+" sees"
		b.Close()
	case away:
		if kind, known := model.Away(name); known {
			f.kind, f.rule = kind, "frames that "+name+" sees"
		}
	}
	return store, f.kind, f.rule
}
