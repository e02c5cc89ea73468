// Package sample makes the recipe's samples into what a model is shown and reads: pictures from files,
// sizes from labels, tokens, and what the model made of a picture before. The way leads downwards
// only: from a record (core/recipe, core/dataset) over its pictures (core/media) to the model
// (core/model). It knows no project, no run and no screen.
package sample

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/features"
	"finetui/core/filehash"
	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/core/video"
	"finetui/ml/picture"
	"finetui/ml/train"
)

// Encoder makes samples into what a model reads, by RECIPE and MODEL.
type Encoder struct {
	Base   *model.Base // nil: pictures are measured as Kind cuts them, and there are no tokens
	Kind   model.Kind  // of a base that is not here; nil: a usual one
	Recipe config.Recipe
	Model  config.Model
	Root   string       // the project's folder, which keeps the hashes of files
	Clips  *video.Store // keeps frames of clips; nil: nothing
}

var usual = model.Usual()

func (e Encoder) kind() model.Kind {
	switch {
	case e.Base != nil:
		return e.Base.Kind
	case e.Kind != nil:
		return e.Kind
	}
	return usual
}

// View is what MODEL says about the size of pictures.
func (e Encoder) View() model.View {
	return model.View{MinPixels: e.Model.MinPixels, MaxPixels: e.Model.MaxPixels}
}

// Shown are the pictures that the model gets of an object in a whole picture, by RECIPE.CONTEXT.
func (e Encoder) Shown(whole *picture.RGB, box dataset.Box) ([]*picture.RGB, error) {
	c := e.Recipe
	shown, err := media.Context(whole, box, c.Context, c.CropMargin)
	if err != nil || !c.CropSquare || c.Context != config.ContextCrop && c.Context != config.ContextFullCrop {
		return shown, err
	}
	last := len(shown) - 1 // the cut-out
	side := e.square(shown[last].W, shown[last].H)
	shown[last] = picture.Resize(shown[last], side, side)
	return shown, nil
}

// square is the side to which a cut-out of w×h pixels is stretched: its longer one within MODEL's bounds, as a multiple
// of what one token shows, so that the model resizes it no second time.
func (e Encoder) square(w, h int) int {
	unit := max(1, e.kind().Sizes().Unit)
	least := int(math.Ceil(math.Sqrt(float64(e.Model.MinPixels)) / float64(unit)))
	most := int(math.Sqrt(float64(e.Model.MaxPixels)) / float64(unit))
	n := int(math.Round(float64(max(w, h)) / float64(unit)))
	return unit * max(min(max(n, least), most), 1)
}

// Load reads what the model is shown for a sample.
func (e Encoder) Load(ctx context.Context, s recipe.Sample) ([]model.Shown, error) {
	if s.Item.Clip != nil {
		if s.Item.Media == "" {
			return nil, fmt.Errorf("%s has no clip: see the findings of its data set", s.Item.ID)
		}
		return e.Clip(ctx, s.Item.Media)
	}
	whole, err := media.Load(s.Item)
	if err != nil {
		return nil, err
	}
	shown, err := e.Shown(whole, s.Box())
	return model.Pictures(shown...), err
}

// Clip is a clip's frames that the model is shown, by MODEL.FRAMES and the model's own rule.
func (e Encoder) Clip(ctx context.Context, path string) ([]model.Shown, error) {
	frames, _, err := e.Frames(ctx, path, nil, nil)
	if err != nil {
		return nil, err
	}
	shown := model.Shown{Clip: true}
	for _, f := range frames {
		shown.Frames = append(shown.Frames, f.Picture)
	}
	return []model.Shown{shown}, nil
}

// Pick says which frames of a clip the model is shown.
func (e Encoder) Pick(c *video.Info) []int { return e.kind().Pick(c.Frames, c.FPS, e.Model.Frames) }

// Frames are the frames that Clip shows, with their times, of a size that the clip's own answers (nil: as a person sees
// them).
func (e Encoder) Frames(ctx context.Context, path string, size func(*video.Info) video.Size,
	report video.Progress) ([]video.Frame, *video.Info, error) {
	return e.Clips.Frames(ctx, path, e.Pick, size, report)
}

// Sizes are those of what the model is shown for a sample, from the label data alone.
func (e Encoder) Sizes(s recipe.Sample) []model.Size { return e.appendSizes(nil, s) }

func (e Encoder) appendSizes(to []model.Size, s recipe.Sample) []model.Size {
	c := e.Recipe
	whole := model.Size{W: max(int(s.Item.Width), 1), H: max(int(s.Item.Height), 1)}
	switch {
	case s.Item.Clip != nil:
		return append(to, e.clipSize(s.Item))
	case c.Context == config.ContextFullCrop:
		to = append(to, whole)
	case c.Context != config.ContextCrop:
		return append(to, whole)
	}
	cut := model.Size{}
	cut.W, cut.H = media.CutSize(whole.W, whole.H, s.Box(), c.CropMargin)
	if c.CropSquare {
		cut.W = e.square(cut.W, cut.H)
		cut.H = cut.W
	}
	return append(to, cut)
}

// clipSize is the size of a clip as it is shown, of the frames that the model picks.
func (e Encoder) clipSize(item *dataset.Item) model.Size {
	picked := e.kind().Pick(item.Clip.Frames, item.Clip.FPS, e.Model.Frames)
	return model.Size{W: max(int(item.Width), 1), H: max(int(item.Height), 1), Frames: max(1, len(picked))}
}

// Measure says how the model cuts what it is shown for a sample, without opening it.
func (e Encoder) Measure(s recipe.Sample) ([]model.Shape, error) {
	if e.Base != nil {
		return e.Base.Measure(e.View(), e.Sizes(s))
	}
	return e.kind().Measure(e.View(), e.Sizes(s))
}

// Refused says why the model takes nothing of such a size; nil: it does.
func (e Encoder) Refused(size model.Size) *model.Refusal { return e.measured(size).Refusal }

// Hidden says that a sample cannot be shown: its picture is missing or broken, which the data set's findings tell.
func Hidden(s recipe.Sample) bool { return s.Item.Media == "" || s.Item.Broken }

// Hides says that a sample cannot be shown: it is Hidden, or what RECIPE.CONTEXT shows of it has a shape that the model
// refuses.
func (e Encoder) Hides(s recipe.Sample) bool { return e.Ruler().Hides(s) }

// Tokens is a sample in tokens, and how the model cuts what it is shown; nothing is opened.
func (e Encoder) Tokens(s recipe.Sample) (train.Sample, []model.Shape, error) {
	shapes, err := e.Measure(s)
	if err != nil {
		return train.Sample{}, nil, fmt.Errorf("%s: %w", s.ID, err)
	}
	t, err := e.Base.Sample(shapes, s.Prompt, s.Answer, s.Weight)
	if err != nil {
		return t, nil, fmt.Errorf("%s: %w", s.ID, err)
	}
	return t, shapes, nil
}

// Question is what the model is shown and asked for a sample.
func (e Encoder) Question(s recipe.Sample) (model.Question, error) {
	scene, err := e.scene(s)
	return model.Question{Scene: scene, Prompt: s.Prompt}, err
}

// Seen is a sample to learn from, with what an eye sees of it: see model.Base.See.
func (e Encoder) Seen(ctx context.Context, eye model.Eye, frozen bool, s recipe.Sample) (train.Sample, error) {
	scene, err := e.scene(s)
	if err != nil {
		return train.Sample{}, fmt.Errorf("%s: %w", s.ID, err)
	}
	seen, shapes, err := e.Base.See(ctx, eye, frozen, e.View(), scene)
	return e.with(s, seen, shapes, err)
}

// Cut is a sample to learn from for a network that trains what sees.
func (e Encoder) Cut(ctx context.Context, s recipe.Sample) (train.Sample, error) {
	prepared, shapes, err := e.Base.Cut(ctx, e.View(), e.shown(s))
	return e.with(s, prepared, shapes, err)
}

func (e Encoder) with(s recipe.Sample, seen train.Visual, shapes []model.Shape, err error) (train.Sample, error) {
	var t train.Sample
	if err == nil {
		t, err = e.Base.Sample(shapes, s.Prompt, s.Answer, s.Weight)
	}
	if err != nil {
		return t, fmt.Errorf("%s: %w", s.ID, err)
	}
	t.Visual = seen
	return t, nil
}

// Asked is the question of a sample in tokens, with what an eye sees of it, or, without an eye, with what Prepare makes
// of what it shows.
func (e Encoder) Asked(ctx context.Context, eye model.Eye, frozen bool, s recipe.Sample) (train.Sample, error) {
	scene, err := e.scene(s)
	var seen train.Visual
	var shapes []model.Shape
	switch {
	case err != nil:
	case eye != nil:
		seen, shapes, err = e.Base.See(ctx, eye, frozen, e.View(), scene)
	default:
		seen, shapes, err = e.Base.Cut(ctx, e.View(), scene)
	}
	var t train.Sample
	if err == nil {
		t, err = e.Base.Question(shapes, s.Prompt)
	}
	if err != nil {
		return t, fmt.Errorf("%s: %w", s.ID, err)
	}
	t.Visual = seen
	return t, nil
}

// scene is what the model is shown for a sample.
func (e Encoder) scene(s recipe.Sample) (model.Scene, error) {
	scene := e.shown(s)
	if !e.Base.Remembers() {
		return scene, nil
	}
	key, err := e.Key(s)
	scene.Key = &key
	return scene, err
}

func (e Encoder) shown(s recipe.Sample) model.Scene {
	return model.Scene{Load: func(ctx context.Context) ([]model.Shown, error) { return e.Load(ctx, s) }}
}

// Seeing is raised by one whenever the way from a file to features changes: decoding, cutting, marking, resizing, the
// processor, the tower, or how values are kept. TestFeaturesOfAFixedPicture fails until that is done.
const Seeing = 2

// Key names everything that a sample's features depend on: the base with its tower, the processor as it is used, the
// bytes of the picture's file, what is shown of it and how large, and the code's own version.
func (e Encoder) Key(s recipe.Sample) (features.Key, error) {
	base, err := e.Base.Fingerprint(context.Background(), nil)
	if err != nil {
		return features.Key{}, err
	}
	content, err := filehash.In(e.Root).Sum(context.Background(), s.Item.Media, nil)
	if err != nil {
		return features.Key{}, err
	}
	c, m := e.Recipe, e.Model
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %s %s %s %q %v %v %v %d %d\n", Seeing, base, e.Base.Kind.Processing(), content, c.Context,
		c.CropMargin, c.CropSquare, s.Box(), m.MinPixels, m.MaxPixels)
	if s.Item.Clip != nil {
		fmt.Fprintf(sum, "clip %d\n", m.Frames)
	}
	return features.Key(sum.Sum(nil)), nil
}
