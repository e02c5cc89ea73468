package infer

import (
	tea "charm.land/bubbletea/v2"

	"finetui/core/model"
	"finetui/views"
	"finetui/views/widget"
)

// object is the panel of what a scored answer is about: the picture with the object outlined, or the clip's frames.
type object struct {
	*shared
	board *views.Board // with the panel "picture"

	// present is the place of the object that the list of answers has the cursor on; false where there is none.
	present func() (place int, there bool)

	player *player
}

func newObject(s *shared, present func() (place int, there bool)) *object {
	return &object{shared: s, present: present,
		player: newPlayer(s, func() model.Attention { return model.Attention{} })}
}

func (v *object) panel() views.Panel {
	return views.Panel{Name: "picture", Tab: "Picture", Title: v.title, Draw: v.draw, Move: v.move, Click: v.click}
}

// motif is the object; a list of scored answers hides no truth.
func (v *object) motif(place int) motif { return motif{sample: place, label: true} }

// clip says whether the object is a clip, and which.
func (v *object) clip() (path string, is bool) {
	place, there := v.present()
	if !there {
		return "", false
	}
	path = v.clipOf(v.motif(place))
	return path, path != ""
}

// want asks for the drawing, and before it for the clip.
func (v *object) want() tea.Cmd {
	place, there := v.present()
	if !there {
		return nil
	}
	w, h := v.board.Inside("picture")
	if path, is := v.clip(); is {
		if w <= 0 || h <= 0 {
			return nil
		}
		return tea.Batch(v.player.follow(path), v.drawPictures(v.player.keys(0, 0, w, h), v.player))
	}
	return v.drawPictures([]pictureKey{v.pictureKey(v.motif(place), whole, w, h)}, v.player)
}

func (v *object) title() string {
	place, there := v.present()
	if !there {
		return "Picture"
	}
	if _, is := v.clip(); is {
		return v.player.frameTitle(v.shortID(v.now.samples.Item(place).ID), false)
	}
	return v.objectTitle(place)
}

func (v *object) draw(t *widget.Theme, w, h int) string {
	place, there := v.present()
	if !there {
		return noObject(t, w, h)
	}
	if _, is := v.clip(); is {
		return v.player.drawSheet(t, w, h)
	}
	return v.drawPicture(t, v.motif(place), whole, w, h)
}

func (v *object) move(m widget.Move, _ int) {
	if _, is := v.clip(); is {
		w, h := v.board.Inside("picture")
		v.player.stepSheet(m, w, h)
	}
}

func (v *object) click(x, y, w, h int) tea.Cmd {
	if _, is := v.clip(); is {
		return v.player.click(x, y, w, h)
	}
	return nil
}
