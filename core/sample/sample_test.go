package sample

import (
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/model"
	"finetui/core/recipe"
)

// encoder is one of the demo's constants, before a base is open.
func encoder(context config.Context, square bool) Encoder {
	c := config.Default()
	c.Recipe.Context, c.Recipe.CropSquare, c.Recipe.CropMargin = context, square, 0
	c.Model.MinPixels, c.Model.MaxPixels, c.Model.Frames = 12544, 50176, 16
	return Encoder{Recipe: c.Recipe, Model: c.Model}
}

func object(w, h int, box dataset.Box) recipe.Sample {
	return recipe.Sample{ID: "train/a#0", Item: &dataset.Item{ID: "train/a", Media: "a.png", Width: int32(w),
		Height: int32(h), Objects: []dataset.Object{{Box: box}}}}
}

func TestSizesAreThoseOfWhatIsShown(t *testing.T) {
	half := dataset.Box{X0: .25, Y0: .25, X1: .75, Y1: .75}
	for _, c := range []struct {
		context config.Context
		square  bool
		want    []model.Size
	}{
		{"full", true, []model.Size{{W: 640, H: 480}}},
		{"marked", true, []model.Size{{W: 640, H: 480}}},
		{"crop", false, []model.Size{{W: 320, H: 240}}},
		{"crop", true, []model.Size{{W: 224, H: 224}}}, // the most that MODEL.MAX_PIXELS allows
		{"full+crop", false, []model.Size{{W: 640, H: 480}, {W: 320, H: 240}}},
	} {
		if got := encoder(c.context, c.square).Sizes(object(640, 480, half)); !slices.Equal(got, c.want) {
			t.Errorf("%s, square %v: %v, want %v", c.context, c.square, got, c.want)
		}
	}
}

func TestClipsAreMeasuredByTheirPickedFrames(t *testing.T) {
	s := object(320, 240, dataset.Whole)
	s.Item.Clip = &dataset.Clip{Frames: 90, FPS: 30}
	e := encoder("crop", true) // of a clip nothing is cut out
	if got := e.Sizes(s); !slices.Equal(got, []model.Size{{W: 320, H: 240, Frames: 6}}) {
		t.Errorf("sizes %v", got)
	}
	shapes, err := e.Measure(s)
	if err != nil || len(shapes) != 1 || !shapes[0].Clip || shapes[0].T != 3 {
		t.Errorf("shapes %+v, error %v", shapes, err)
	}
}

func TestWhatCannotBeShownIsHidden(t *testing.T) {
	whole := dataset.Whole
	thin := dataset.Box{X0: 0, Y0: .5, X1: 1, Y1: .501}
	for name, c := range map[string]struct {
		sample  recipe.Sample
		context config.Context
		hidden  bool
		why     string
	}{
		"a picture":                    {object(640, 480, whole), "full", false, ""},
		"a strip as a whole":           {object(4020, 20, whole), "full", true, "200 to 1"},
		"a cut-out is never so narrow": {object(640, 480, thin), "crop", false, ""},
		"of unknown size":              {object(0, 0, whole), "full", false, ""},
	} {
		e := encoder(c.context, false)
		if got := e.Hides(c.sample); got != c.hidden {
			t.Errorf("%s: hidden is %v", name, got)
		}
		if r := e.Refused(e.Sizes(c.sample)[0]); (r != nil) != c.hidden || r != nil && !strings.Contains(r.Why, c.why) {
			t.Errorf("%s: refused for %+v", name, r)
		}
	}
	missing, broken := object(640, 480, whole), object(640, 480, whole)
	missing.Item.Media, broken.Item.Broken = "", true
	if e := encoder("full", false); !e.Hides(missing) || !e.Hides(broken) {
		t.Error("a missing or broken picture is shown")
	}
}
