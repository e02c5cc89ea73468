package dataset

import (
	"errors"
	"image/color"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"finetui/core/config"
	data "finetui/core/dataset"
	"finetui/core/media"
	"finetui/core/printable"
	"finetui/core/sample"
	"finetui/views"
	"finetui/views/widget"
)

const (
	mostDrawn  = 600 // drawings that are kept, beside those on the screen
	mostLabels = 100 // of a picture on a page: more hide it
)

// pictures are the drawings of pictures, kept by what they show and at which size.
type pictures struct {
	profile colorprofile.Profile
	views.Gallery[pictureKey]
}

// pictureKey is everything that a drawing depends on.
type pictureKey struct {
	reads   int // of which reading of the data set
	item    int
	classes string // whose objects stand out: classKey of them; "": all
	object  int    // the one that stands out; -1: none
	numbers bool
	film    filmKey // of the opened clip
	frame   int     // of it, from 1; 0: what stands for the item
	seen    seen    // what the model sees of the object; the zero value: the whole picture with all boxes
	mode    widget.PictureMode
	w, h    int // cells
}

// seen is everything that what the model sees of an object depends on.
type seen struct {
	context     config.Context // RECIPE.CONTEXT
	margin      float64
	square      bool
	least, most int // MODEL.MIN_PIXELS and MAX_PIXELS
}

// classKey names classes in a pictureKey: the classes as runes.
func classKey(classes []int) string {
	var key []rune
	for _, class := range classes {
		key = append(key, rune(class+1))
	}
	return string(key)
}

// pictureMode is how pictures are drawn on this terminal, and why so.
func (p *shared) pictureMode() (widget.PictureMode, string) {
	return widget.ChoosePictures(p.file.Config.View.Images, p.pictures.profile)
}

// drawPictures asks for drawings.
func (p *shared) drawPictures(keys []pictureKey) tea.Cmd {
	keys = slices.DeleteFunc(keys, func(k pictureKey) bool { return k.w <= 0 || k.h <= 0 || k.mode == widget.Words })
	l, decode, film := p.loaded, p.control.Picture, p.film
	return p.pictures.Want(keys, func(key pictureKey) (widget.Picture, error) {
		if frame := film.frame(key); frame != nil {
			return widget.NewPicture(key.mode, widget.Raster{W: frame.W, H: frame.H, RGB: frame.Pix}, key.w, key.h), nil
		}
		return l.drawPicture(key, decode)
	})
}

func (l *loaded) drawPicture(key pictureKey, decode Decoder) (widget.Picture, error) {
	item := &l.set.Items[key.item]
	if item.Media == "" {
		return widget.Picture{}, errors.New("there is no picture of that name")
	}
	picture, err := decode(item.Media)
	if err != nil { // whose picture it is stands over it, and the path would not fit
		return widget.Picture{}, errors.New(strings.TrimPrefix(printable.Error(err), item.Media+": "))
	}
	if key.seen == (seen{}) {
		raster := widget.Raster{W: picture.W, H: picture.H, RGB: picture.Pix}
		return widget.NewPicture(key.mode, raster, key.w, key.h, l.outlines(key)...), nil
	}
	shown, err := sample.Encoder{Recipe: key.seen.recipe(), Model: key.seen.model()}.Shown(picture,
		item.Objects[key.object].Box)
	if err != nil {
		return widget.Picture{}, err
	}
	last := shown[len(shown)-1]
	return widget.NewPicture(key.mode, widget.Raster{W: last.W, H: last.H, RGB: last.Pix}, key.w, key.h), nil
}

// dim is the colour of boxes that do not stand out.
var dim = color.RGBA{128, 128, 128, 255}

func (s seen) recipe() config.Recipe {
	return config.Recipe{Context: s.context, CropMargin: s.margin, CropSquare: s.square}
}

func (s seen) model() config.Model { return config.Model{MinPixels: s.least, MaxPixels: s.most} }

// outlines are the boxes of an item's objects in their colours, those that stand out last, on top.
func (l *loaded) outlines(key pictureKey) []widget.Outline {
	var below, above []widget.Outline
	for i, object := range l.set.Items[key.item].Objects {
		box := object.Box
		if l.set.Items[key.item].Clip != nil && box == data.Whole {
			continue // it is the clip that is meant
		}
		outline := widget.Outline{X0: box.X0, Y0: box.Y0, X1: box.X1, Y1: box.Y1, Colour: l.colour(object.Class),
			Label: l.letter(object.Class)}
		switch {
		case key.numbers:
			outline.Label = widget.Count(i + 1)
		case len(l.set.Items[key.item].Objects) > mostLabels:
			outline.Label = ""
		}
		switch {
		case key.object == i:
			outline.Label, outline.Colour = "▸"+outline.Label, color.RGBA{255, 255, 255, 255}
			above = append(above, outline)
		case key.classes != "" && !strings.ContainsRune(key.classes, rune(object.Class+1)):
			outline.Colour, outline.Label = dim, ""
			below = append(below, outline)
		case key.object >= 0:
			below = append(below, outline)
		default:
			above = append(above, outline)
		}
	}
	return append(below, above...)
}

// coloursByClass says whether conditions say nothing, since all
// classes have the same one: colours tell classes apart then.
func (l *loaded) coloursByClass() bool {
	for _, class := range l.set.Classes {
		if class.Condition != l.set.Classes[0].Condition {
			return false
		}
	}
	return true
}

// colour is that of a class's condition: quiet for the usual one, loud and far apart for the others. Where there is one
// condition alone it is the class's own.
func (l *loaded) colour(class int) color.RGBA {
	if l.coloursByClass() {
		return media.Colour(class)
	}
	loud := []int{3, 5, 6, 0, 2} // of media.Colour
	place := 0
	for _, condition := range l.analysis.Whole.Conditions {
		switch condition.Name {
		case l.set.Classes[class].Condition:
			if condition.Name == l.cfg.DefaultCondition {
				return media.Colour(1)
			}
			return media.Colour(loud[place%len(loud)])
		case l.cfg.DefaultCondition:
		default:
			place++
		}
	}
	return media.Colour(1)
}

// letter stands at the box of an object whose condition is not the usual one, so that colour is not the only sign;
// where colours tell classes apart it is the class's number in the list.
func (l *loaded) letter(class int) string {
	if l.coloursByClass() {
		return widget.Count(class + 1)
	}
	condition := l.set.Classes[class].Condition
	if condition == l.cfg.DefaultCondition || condition == "" {
		return ""
	}
	return widget.Capital(string([]rune(condition)[:1]))
}
