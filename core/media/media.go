// Package media prepares pictures for prompts and screens: whole, with objects outlined, cut out, on a contact sheet;
// and the sheets of clips, whose frames core/video decodes. It never reads labels and never talks to a terminal.
package media

import (
	"fmt"
	"image/color"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/video"
	"finetui/ml/picture"
)

// MarkColour is the colour of the outline in prompts: one that no slope has.
var MarkColour = color.RGBA{255, 40, 40, 255}

// Load decodes an item's picture, upright.
func Load(item *dataset.Item) (*picture.RGB, error) {
	if item.Media == "" {
		what := "picture"
		if video.Named(item.ID) {
			what = "clip"
		}
		return nil, fmt.Errorf("the %s of %s is not there: see the findings of its data set", what, item.ID)
	}
	img, _, err := picture.Decode(item.Media)
	return img, err
}

// Context returns the pictures that a model is shown about the object in that box, in the order of the
// prompt. margin is that of Cut. The outline is a rectangle whatever the label is, so that it tells nothing
// but the place, and is drawn before anything is shrunk.
func Context(img *picture.RGB, box dataset.Box, mode config.Context, margin float64) ([]*picture.RGB, error) {
	switch mode {
	case config.ContextFull:
		return []*picture.RGB{img}, nil
	case config.ContextMarked:
		return []*picture.RGB{Outline(img, box)}, nil
	case config.ContextCrop:
		return []*picture.RGB{Cut(img, box, margin)}, nil
	case config.ContextFullCrop:
		return []*picture.RGB{Outline(img, box), Cut(img, box, margin)}, nil
	}
	return nil, fmt.Errorf("RECIPE.CONTEXT: no %q: use %s", mode,
		strings.Join(mode.Choices(), ", "))
}

// Outline returns a copy of the picture with a rectangle around the box. It lies outside the box and hides nothing of
// the object, except where the picture ends.
func Outline(img *picture.RGB, box dataset.Box) *picture.RGB {
	out := clone(img)
	drawFrame(out, box, thickness(out), MarkColour)
	return out
}

func clone(img *picture.RGB) *picture.RGB {
	out := picture.NewRGB(img.W, img.H)
	copy(out.Pix, img.Pix)
	return out
}
