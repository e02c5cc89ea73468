package infer

import (
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"finetui/core/media"
	"finetui/core/printable"
	"finetui/core/recipe"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/widget"
)

const (
	mostDrawn = 60 // drawings that are kept, beside those on the screen
)

// What is drawn of a sample.
const (
	whole = iota // the picture with the object outlined
	shown        // what the model gets
)

// pictures are the drawings of pictures, kept by what they show and at which size.
type pictures struct {
	profile colorprofile.Profile
	views.Gallery[pictureKey]
}

func (x *pictures) init() {
	x.profile, x.Most = colorprofile.TrueColor, mostDrawn
}

// pictureKey is everything that a drawing depends on.
type pictureKey struct {
	scene  int
	who    int    // whose constants say what is shown
	path   string // of a picture file; else the sample counts
	sample int
	kind   int
	label  bool // the truth stands at the outline
	mode   widget.PictureMode
	w, h   int // cells
}

func (p *Pane) pictureMode() (widget.PictureMode, string) {
	return widget.ChoosePictures(p.file.Config.View.Images, p.pictures.profile)
}

// drawPictures asks for the drawings of the screen and of the samples beside it.
func (p *Pane) drawPictures() tea.Cmd {
	settings, samples, decode := p.scene.settings, p.scene.samples[base], p.control.Picture
	return p.pictures.Want(p.wantedPictures(), func(key pictureKey) (widget.Picture, error) {
		return drawOne(key, settings[key.who], samples, decode)
	})
}

// present is the place of the sample that the open view is about: the one that is asked about, or the one under the
// cursor of a list of answers; false where there is none.
func (p *Pane) present() (place int, there bool) {
	id := ""
	switch {
	case p.views.Is(askView):
		place = p.ask.cursor.At(len(p.scene.samples[base]))
		return place, place >= 0
	case p.views.Is(compareView):
		if list := p.differences(); len(list) > 0 {
			id = list[p.compare.differ.At(len(list))].first.ID
		}
	default:
		id = p.itemID()
	}
	place, there = p.scene.place[id]
	return place, there
}

// wantedPictures are the drawings of the present sample, then those of the next and the one before: browsing finds them
// made.
func (p *Pane) wantedPictures() []pictureKey {
	at, there := p.present()
	if !there {
		return nil
	}
	around := []int{at}
	if p.views.Is(askView) && p.ask.path == "" {
		around = []int{at, at + 1, at - 1}
	}
	var keys []pictureKey
	for _, sample := range around {
		if sample < 0 || sample >= len(p.scene.samples[base]) {
			continue
		}
		for kind, panel := range []string{"picture", "shown"} {
			w, h := p.views.Board().Inside(panel)
			if key := p.pictureKey(kind, sample, w, h); key.mode != widget.Words && key.w > 0 && key.h > 0 {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func (p *Pane) pictureKey(kind, sample, w, h int) pictureKey {
	mode, _ := p.pictureMode()
	who := p.main()
	if p.scene.settings[who] == nil {
		who = base
	}
	key := pictureKey{scene: p.scenes, who: who, sample: sample, kind: kind, mode: mode, w: w, h: h}
	if p.views.Is(askView) {
		key.path = p.ask.path
	}
	if kind == whole {
		key.who = base                                  // it does not depend on the subject
		key.label = p.ask.truth || !p.views.Is(askView) // a list of scored answers hides no truth
	}
	if key.path != "" {
		key.sample, key.label = 0, false
	}
	return key
}

func drawOne(key pictureKey, setting *session.Setting, samples []recipe.Sample,
	decode func(path string) (*media.Picture, error)) (widget.Picture, error) {
	if key.path != "" {
		picture, err := decode(key.path)
		if err != nil || key.kind == whole || setting == nil {
			return inCells(key, picture, err)
		}
		seen, err := setting.Whole(picture)
		return inCells(key, last(seen), err)
	}
	x := samples[key.sample]
	if x.Item.Media == "" {
		_, err := media.Load(x.Item) // says why there is none
		return widget.Picture{}, err
	}
	picture, err := decode(x.Item.Media)
	if err != nil {
		return widget.Picture{}, err
	}
	if key.kind == shown && setting != nil {
		seen, err := setting.Project.Encoder().Shown(picture, x.Box())
		return inCells(key, last(seen), err)
	}
	box := x.Box()
	outline := widget.Outline{X0: box.X0, Y0: box.Y0, X1: box.X1, Y1: box.Y1, Colour: media.MarkColour}
	if key.label {
		outline.Label = x.Answer
	}
	return inCells(key, picture, nil, outline)
}

func last(list []*media.Picture) *media.Picture {
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

func inCells(key pictureKey, picture *media.Picture, err error, outlines ...widget.Outline) (widget.Picture, error) {
	if err != nil || picture == nil {
		return widget.Picture{}, err
	}
	return widget.NewPicture(key.mode, widget.Raster{W: picture.W, H: picture.H, RGB: picture.Pix}, key.w, key.h,
		outlines...), nil
}

// drawPicture is a picture where it is made, else words in its place.
func (p *Pane) drawPicture(t *widget.Theme, kind, w, h int) string {
	at, there := p.present()
	if !there {
		return widget.Middle(t.Muted, "the picture of the selected object stands here", w, h)
	}
	key := p.pictureKey(kind, at, w, h)
	one, there := p.pictures.Get(key)
	switch {
	case key.mode == widget.Words:
		return p.inWords(t, w, h)
	case !there:
		return widget.Middle(t.Muted, "reading …", w, h)
	case one.Err != nil:
		return widget.Middle(t.Warning, "✗ "+printable.Error(one.Err), w, h)
	}
	return one.Picture.View(w, h)
}

// inWords says where the object lies, for terminals that draw no pictures.
func (p *Pane) inWords(t *widget.Theme, w, h int) string {
	_, why := p.pictureMode()
	text := "no picture: " + why
	if at, there := p.present(); there && (p.ask.path == "" || !p.views.Is(askView)) {
		box := p.scene.samples[base][at].Box()
		text = "The object reaches from " + widget.Percent(box.X0, 0) + " to " + widget.Percent(box.X1, 0) +
			" of the width and from " +
			widget.Percent(box.Y0, 0) + " to " + widget.Percent(box.Y1, 0) +
			" of the height, from the upper left corner.\n" + text
	}
	return widget.Block(indent(toned(t.Muted, wrapped(text, w-2))), w, h)
}
