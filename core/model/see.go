package model

import (
	"context"

	"finetui/core/features"
	"finetui/ml/train"
)

// Scene is what a model is shown for one question. The media are loaded when their turn comes, and only where nothing
// is kept of what the model made of them before.
type Scene struct {
	Key  *features.Key // of all that what the model makes of them depends on; nil: nothing is kept
	Load func(ctx context.Context) ([]Shown, error)
}

// Shows is a scene of media that are at hand.
func Shows(media ...Shown) Scene {
	return Scene{Load: func(context.Context) ([]Shown, error) { return media, nil }}
}

// Remembers says whether what the model makes of media is kept, so that a Scene's key is of use.
func (b *Base) Remembers() bool { return b.seen != nil }

// See turns a scene into what the language model reads, by an eye of a network that is built on the base. frozen says
// that the eye sees as the base's own does: then what it makes of a scene is kept under its key, and read-only.
// Whatever keeps it from being kept stops nothing: see Trouble.
func (b *Base) See(ctx context.Context, eye Eye, frozen bool, v View, s Scene) (train.Visual, []Shape, error) {
	if s.Load == nil {
		return nil, nil, nil
	}
	keep := frozen && s.Key != nil && b.seen != nil
	if keep {
		if values, ok := b.seen.Get(*s.Key); ok {
			if seen, shapes, ok := b.Kind.Kept(values); ok {
				return seen, shapes, nil
			}
		}
	}
	prepared, shapes, err := b.Cut(ctx, v, s)
	if err != nil {
		return nil, nil, err
	}
	seen, err := eye.See(ctx, prepared)
	if err == nil && keep && !b.Changed() { // the key is that of the weights that were opened
		b.seen.Put(*s.Key, b.Kind.Keep(seen, shapes))
	}
	return seen, shapes, err
}

// Cut turns a scene into what a network reads that sees for itself.
func (b *Base) Cut(ctx context.Context, v View, s Scene) (train.Visual, []Shape, error) {
	if s.Load == nil {
		return nil, nil, nil
	}
	media, err := s.Load(ctx)
	if err != nil {
		return nil, nil, err
	}
	return b.Prepare(v, media)
}
