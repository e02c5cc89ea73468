package infer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/printable"
	"finetui/core/session"
	"finetui/core/video"
	"finetui/views"
	"finetui/views/widget"
)

// player is a clip as a view shows it: the frames that the model is shown, beside each other, and one frame alone,
// which the arrow keys move through the clip.
type player struct {
	*shared
	of      clipKey
	clip    *session.Clip // nil: not read yet
	err     error         // why it cannot be read
	request views.Request
	at      int // the frame that is played, a place in clip.Frames

	// attention is how closely the model has looked at the frames that it was shown; without frames: not known.
	attention func() model.Attention
}

// clipKey is everything that the frames of a clip depend on.
type clipKey struct {
	look, who int
	path      string
}

// newPlayer is a player whose clips Pane.update brings.
func newPlayer(s *shared, attention func() model.Attention) *player {
	v := &player{shared: s, attention: attention}
	s.players = append(s.players, v)
	return v
}

// clipOf is the path of the clip that a sample is about; "": it is about a picture, or the file is missing.
func (p *shared) clipOf(m motif) string {
	if m.path != "" {
		if video.Named(m.path) {
			return m.path
		}
		return ""
	}
	item := p.now.samples.Item(m.sample)
	if item.Clip == nil {
		return ""
	}
	return item.Media
}

// follow reads the clip of that path unless it is there, or on its way.
func (v *player) follow(path string) tea.Cmd {
	who := v.main()
	if v.now.settings[who] == nil {
		who = base
	}
	setting := v.now.settings[who]
	key := clipKey{v.looks, who, path}
	if key == v.of || setting == nil {
		return nil
	}
	if key.path != v.of.path {
		v.at = 0
	}
	v.of, v.clip, v.err = key, nil, nil
	s, read := v.session, v.control.Clip
	return views.Ask(&v.request, func(ctx context.Context) (*session.Clip, error) {
		return read(ctx, s,
			setting, path)
	})
}

func (v *player) took(msg views.Answer[*session.Clip]) {
	if v.request.Takes(msg.Ticket) {
		v.request.Close()
		v.clip, v.err = msg.Value, msg.Err
	}
}

// there says whether the clip of a path can be drawn.
func (v *player) there() bool { return v.clip != nil && len(v.clip.Frames) > 0 }

// step moves to another frame: sideways by one of the clip, up and down by one that the model is shown.
func (v *player) step(m widget.Move, page int) {
	if !v.there() {
		return
	}
	frames := widget.List{Index: v.at}
	switch m {
	case widget.MoveLeft:
		frames.Move(widget.Up, len(v.clip.Frames), 1)
	case widget.MoveRight:
		frames.Move(widget.Down, len(v.clip.Frames), 1)
	case widget.First, widget.Last:
		frames.Move(m, len(v.clip.Frames), 1)
	default:
		v.stepShown(m, page)
		return
	}
	v.at = frames.At(len(v.clip.Frames))
}

// seek goes to the frame that is seen at a second of the clip.
func (v *player) seek(second float64) {
	for v.at = 0; v.at+1 < len(v.clip.Frames) && v.clip.Frames[v.at+1].Seconds <= second; v.at++ {
	}
}

// stepShown moves among the frames that the model is shown.
func (v *player) stepShown(m widget.Move, page int) {
	shown := widget.List{Index: v.shownAt()}
	shown.Move(m, len(v.clip.Shown), page)
	if at := shown.At(len(v.clip.Shown)); at >= 0 {
		v.at = v.clip.Shown[at]
	}
}

// stepSheet moves on the contact sheet, of w×h cells.
func (v *player) stepSheet(m widget.Move, w, h int) {
	if !v.there() {
		return
	}
	s := v.sheet(w, h)
	switch m {
	case widget.MoveLeft:
		v.stepShown(widget.Up, 1)
	case widget.MoveRight:
		v.stepShown(widget.Down, 1)
	case widget.Up:
		v.stepShown(widget.PageUp, s.Columns)
	case widget.Down:
		v.stepShown(widget.PageDown, s.Columns)
	default:
		v.stepShown(m, s.Size())
	}
}

// shownAt is the place among the frames that the model is shown of the last that has begun by the played one.
func (v *player) shownAt() int {
	at := 0
	for i, frame := range v.clip.Shown {
		if frame <= v.at {
			at = i
		}
	}
	return at
}

// frameTitle says which frame is played, and when it is seen: first while the keys move through them, since what has no
// room is cut off at the end.
func (v *player) frameTitle(name string, playing bool) string {
	if !v.there() {
		return name
	}
	f := v.clip.Frames[v.at]
	frame := fmt.Sprintf("%s/%s · %s", widget.Count(f.Index+1), widget.Count(v.clip.Info.Frames), media.Clock(f.Seconds))
	if playing {
		return frame + " · " + name
	}
	return name + " · " + frame
}

// length is how long the clip is: "2.4 s, 30 frames/s".
func (v *player) length() string {
	if !v.there() {
		return ""
	}
	return widget.Number(v.clip.Duration) + " s · " + widget.Number(v.clip.FPS) + " frames/s"
}

// shownTitle says how many frames the model is shown, and how many of them it looks at more closely.
func (v *player) shownTitle() string {
	if !v.there() {
		return "What it sees"
	}
	frames := fmt.Sprintf("%s of %s frames", widget.Count(len(v.clip.Shown)), widget.Count(v.clip.Info.Frames))
	if n := len(v.attention().Chosen); n > 0 {
		return fmt.Sprintf("Sees %s · ● %d chosen", frames, n)
	}
	return "What it sees · " + frames
}

// pageNote says which frames are seen on a contact sheet of w×h cells: "1–6 of 16"; nothing where all are.
func (v *player) pageNote(w, h int) string {
	if !v.there() || w <= 0 || h <= 0 {
		return ""
	}
	s, n := v.sheet(w, h), len(v.clip.Shown)
	if s.Size() >= n {
		return ""
	}
	return fmt.Sprintf("%d–%d of %d", s.first+1, min(s.first+s.Size(), n), n)
}

// sheet is how the frames that the model is shown stand beside and below each other, the cells left of what is seen in
// a picture, the lines below it, and the first frame of the page.
type sheet struct {
	widget.Contact
	margin, captions, first int
}

func (v *player) sheet(w, h int) sheet {
	captions, leastW := 1, 9 // columns that a caption takes
	if len(v.attention().Share) > 0 {
		captions, leastW = 2, 10
	}
	if n := len(v.clip.Shown); n > 0 { // the latest time is the longest
		leastW = max(leastW, widget.Width(media.Clock(v.clip.Frames[v.clip.Shown[n-1]].Seconds))+2)
	}
	c := widget.NewContact(len(v.clip.Shown), v.clip.W, v.clip.H, w, h, captions, leastW)
	across, _ := widget.PictureSize(v.clip.W, v.clip.H, c.W, c.H)
	return sheet{Contact: c, margin: (c.W - across) / 2, captions: captions, first: v.shownAt() / c.Size() * c.Size()}
}

// keys are the drawings of the played frame, then those of its neighbours, then those of the contact sheet; sizes of
// panels that are not seen are 0.
func (v *player) keys(frameW, frameH, sheetW, sheetH int) (keys []pictureKey) {
	if !v.there() {
		return nil
	}
	if sheetW > 0 && sheetH > 0 {
		s := v.sheet(sheetW, sheetH)
		for i := s.first; i < min(s.first+s.Size(), len(v.clip.Shown)); i++ {
			keys = append(keys, v.frameKey(v.clip.Shown[i], v.chosen(i), s.W, s.H))
		}
	}
	for _, at := range []int{v.at, v.at + 1, v.at - 1} {
		if at >= 0 && at < len(v.clip.Frames) {
			keys = append(keys, v.frameKey(at, false, frameW, frameH))
		}
	}
	return keys
}

// chosen says whether the model looks more closely at the ith frame that it is shown.
func (v *player) chosen(i int) bool { return slices.Contains(v.attention().Chosen, i) }

func (v *player) frameKey(at int, chosen bool, w, h int) pictureKey {
	mode, _ := v.pictureMode()
	return pictureKey{look: v.of.look, who: v.of.who, path: v.of.path, kind: ofClip, frame: at, label: chosen,
		mode: mode,
		w:    w, h: h}
}

// draw makes the drawing of a frame.
func (v *player) draw(key pictureKey, clip *session.Clip) (widget.Picture, error) {
	if key.frame >= len(clip.Frames) {
		return widget.Picture{}, nil
	}
	var outlines []widget.Outline
	if key.label {
		outlines = append(outlines, widget.Outline{X1: 1, Y1: 1, Colour: media.MarkColour})
	}
	return inCells(key, clip.Frames[key.frame].Picture, nil, outlines...)
}

// drawFrame draws the played frame.
func (v *player) drawFrame(t *widget.Theme, w, h int) string {
	if !v.there() {
		return v.absent(t, w, h)
	}
	key := v.frameKey(v.at, false, w, h)
	if key.mode == widget.Words {
		_, why := v.pictureMode()
		return widget.Block(indent(toned(t.Muted, wrapped("no picture: "+why, w-2))), w, h)
	}
	return v.drawing(t, key)
}

// drawSheet draws the frames that the model is shown, each over its time and how closely the model looks at it.
func (v *player) drawSheet(t *widget.Theme, w, h int) string {
	if !v.there() {
		return v.absent(t, w, h)
	}
	if len(v.clip.Shown) == 0 {
		return widget.Middle(t.Muted, "the model is shown no frame", w, h)
	}
	s, current := v.sheet(w, h), v.shownAt()
	if mode, _ := v.pictureMode(); mode == widget.Words {
		return v.sheetInWords(t, w, h)
	}
	var rows []string
	for row := range s.Rows {
		var cells []string
		for column := range s.Columns {
			text := ""
			if i := s.first + row*s.Columns + column; i < len(v.clip.Shown) {
				margin := strings.Repeat(" ", max(min(s.margin-1, s.W-9), 0)) // a mark stands before the current one
				text = v.drawing(t, v.frameKey(v.clip.Shown[i], v.chosen(i), s.W, s.H)) + "\n" + margin +
					strings.Join(v.caption(t, i, i == current, s.W-len(margin), s.captions), "\n"+margin)
			}
			cells = append(cells, widget.Block(text, s.W+1, s.H+s.captions))
		}
		rows = append(rows, widget.Columns(cells...))
	}
	if note := v.legend(t, s, w); s.Rows*(s.H+s.captions)+len(note) < h {
		rows = append(rows, "", indent(note))
	}
	return widget.Block(strings.Join(rows, "\n"), w, h)
}

// legend says what the marks and figures below the frames mean, and how many more there are.
func (v *player) legend(t *widget.Theme, s sheet, w int) (lines []string) {
	if len(v.attention().Chosen) > 0 {
		lines = wrapped("● looked at more closely; %: its part of the attention among the frames it was chosen from",
			w-2)
	}
	if n := len(v.clip.Shown); s.Size() < n {
		lines = append(lines, wrapped("the arrow keys turn the page", w-2)...)
	}
	return toned(t.Muted, lines)
}

// caption is the time of the ith frame that the model is shown, and its part of the attention.
func (v *player) caption(t *widget.Theme, i int, current bool, w, lines int) []string {
	f := v.clip.Frames[v.clip.Shown[i]]
	text := widget.Cut(media.Clock(f.Seconds), w-1)
	if current {
		text = t.Accent.Render("▸") + t.Selected.Render(text)
	} else {
		text = " " + text
	}
	if lines < 2 {
		return []string{text}
	}
	return []string{text, " " + v.share(t, i, w-1)}
}

// share is the part of the attention that the ith frame receives, with a sign where it is looked at more closely.
func (v *player) share(t *widget.Theme, i, w int) string {
	a := v.attention()
	if i >= len(a.Share) {
		return ""
	}
	text := widget.Percent(a.Share[i], 1)
	if v.chosen(i) {
		return t.Accent.Render(widget.Cut("● "+text, w))
	}
	return t.Muted.Render(widget.Cut("  "+text, w))
}

// sheetInWords lists the frames for terminals that draw no pictures.
func (v *player) sheetInWords(t *widget.Theme, w, h int) string {
	cursor := widget.List{Index: v.shownAt()}
	first, end := cursor.Window(len(v.clip.Shown), h)
	var lines []string
	for i := first; i < end; i++ {
		f, mark := v.clip.Frames[v.clip.Shown[i]], " "
		if i == cursor.Index {
			mark = t.Accent.Render("▸")
		}
		lines = append(lines, mark+fmt.Sprintf("%s  frame %s  ", media.Clock(f.Seconds), widget.Count(f.Index+1))+
			v.share(t, i, w-24))
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// absent says that the clip is being read, or why it cannot be.
func (v *player) absent(t *widget.Theme, w, h int) string {
	switch {
	case v.err != nil:
		return widget.Middle(t.Warning, "✗ "+printable.Error(v.err), w, h)
	case v.clip != nil:
		return widget.Middle(t.Muted, "the clip has no frames", w, h)
	}
	return widget.Middle(t.Muted, "reading …", w, h)
}

// click selects a frame of the contact sheet.
func (v *player) click(x, y, w, h int) tea.Cmd {
	if !v.there() {
		return nil
	}
	s := v.sheet(w, h)
	column, row := x/(s.W+1), y/(s.H+s.captions)
	if i := s.first + row*s.Columns + column; column < s.Columns && row < s.Rows && i < len(v.clip.Shown) {
		v.at = v.clip.Shown[i]
	}
	return nil
}
