package infer

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"finetui/core/media"
	"finetui/core/printable"
	"finetui/core/video"
	"finetui/views"
	"finetui/views/widget"
)

const (
	mostDrawn = 240 // drawings that are kept, beside those on the screen
)

// What is drawn of a sample.
const (
	whole  = iota // the picture with the object outlined
	shown         // what the model gets
	ofClip        // a frame of a clip
)

// pictures are the drawings of pictures, kept by what they show and at which size.
type pictures struct {
	profile colorprofile.Profile
	views.Gallery[pictureKey]
}

// pictureKey is everything that a drawing depends on.
type pictureKey struct {
	look   int    // of which snapshot
	who    int    // whose constants say what is shown
	path   string // of a picture file; else the sample counts
	sample int
	kind   int
	frame  int  // of a clip
	label  bool // the truth stands at the outline; of a frame of a clip: it is outlined
	mode   widget.PictureMode
	w, h   int // cells
}

// motif is what a picture shows: an object of the split, or a file.
type motif struct {
	sample int
	path   string
	label  bool // the truth stands at the object's outline
}

func (p *shared) pictureMode() (widget.PictureMode, string) {
	return widget.ChoosePictures(p.file.Config.View.Images, p.pictures.profile)
}

// drawPictures asks for drawings, those of a clip's frames among them.
func (p *shared) drawPictures(keys []pictureKey, from *player) tea.Cmd {
	keys = slices.DeleteFunc(keys, func(k pictureKey) bool { return k.w <= 0 || k.h <= 0 || k.mode == widget.Words })
	now, decode := p.now, p.control.Picture
	clip := from.clip
	return p.pictures.Want(keys, func(key pictureKey) (widget.Picture, error) {
		if key.kind == ofClip {
			return from.draw(key, clip)
		}
		return drawOne(key, now, decode)
	})
}

func (p *shared) pictureKey(m motif, kind, w, h int) pictureKey {
	mode, _ := p.pictureMode()
	key := pictureKey{look: p.looks, who: p.main(), path: m.path, sample: m.sample, kind: kind, label: m.label,
		mode: mode, w: w, h: h}
	if kind == whole || p.now.settings[key.who] == nil {
		key.who = base // it does not depend on the subject
	}
	if kind != whole {
		key.label = false
	}
	if key.path != "" {
		key.sample, key.label = 0, false
	}
	return key
}

func (p *shared) objectTitle(at int) string {
	x, _ := p.now.sample(base, at)
	if video.Named(x.Item.ID) { // that is missing
		return p.shortID(x.Item.ID)
	}
	return fmt.Sprintf("%s · object %d of %d", p.shortID(x.Item.ID), x.Object+1, len(x.Item.Objects))
}

func noObject(t *widget.Theme, w, h int) string {
	return widget.Middle(t.Muted, "what is selected is shown here", w, h)
}

func drawOne(key pictureKey, now *snapshot, decode func(path string) (*media.Picture, error)) (widget.Picture, error) {
	setting := now.settings[key.who]
	if key.path != "" {
		picture, err := decode(key.path)
		if err != nil || key.kind == whole || setting == nil {
			return inCells(key, picture, err)
		}
		seen, err := setting.Whole(picture)
		return inCells(key, last(seen), err)
	}
	x, _ := now.sample(base, key.sample)
	if x.Item.Media == "" {
		_, err := media.Load(x.Item) // says why there is none
		return widget.Picture{}, err
	}
	picture, err := decode(x.Item.Media)
	if err != nil {
		return widget.Picture{}, err
	}
	if key.kind == shown && setting != nil {
		seen, err := setting.Encoder().Shown(picture, x.Box())
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
func (p *shared) drawPicture(t *widget.Theme, m motif, kind, w, h int) string {
	key := p.pictureKey(m, kind, w, h)
	if key.mode == widget.Words {
		return p.inWords(t, m, w, h)
	}
	return p.drawing(t, key)
}

// drawing is what is made of a key, else what stands in its place.
func (p *shared) drawing(t *widget.Theme, key pictureKey) string {
	one, there := p.pictures.Get(key)
	switch {
	case !there:
		return widget.Middle(t.Muted, "reading …", key.w, key.h)
	case one.Err != nil:
		return widget.Middle(t.Warning, "✗ "+printable.Error(one.Err), key.w, key.h)
	}
	return one.Picture.View(key.w, key.h)
}

// inWords says where the object lies, for terminals that draw no pictures.
func (p *shared) inWords(t *widget.Theme, m motif, w, h int) string {
	_, why := p.pictureMode()
	text := "no picture: " + why
	if m.path == "" {
		x, _ := p.now.sample(base, m.sample)
		box := x.Box()
		text = "The object reaches from " + widget.Percent(box.X0, 0) + " to " + widget.Percent(box.X1, 0) +
			" of the width and from " +
			widget.Percent(box.Y0, 0) + " to " + widget.Percent(box.Y1, 0) +
			" of the height, from the upper left corner.\n" + text
	}
	return widget.Block(indent(toned(t.Muted, wrapped(text, w-2))), w, h)
}
