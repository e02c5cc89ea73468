package dataset

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	data "finetui/core/dataset"
	"finetui/core/media"
	"finetui/core/printable"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// clipBoard is one clip in full: a frame, all frames that the model sees, what is known of the file, and what the model
// is asked.
func (v *one) clipBoard() *views.Board {
	node := layout.Row(
		layout.Panel("frame", 36, 12).Weighted(3).Prior(2),
		layout.Column(layout.Panel("frames", 36, 9).Weighted(2).Prior(1), layout.Panel("facts", 36, 6).AtMost(0, 9),
			layout.Panel("asked", 36, 7)).Weighted(2),
	)
	return views.NewBoard(node,
		views.Panel{Name: "frame", Tab: "Frame", Title: v.oneTitle, Right: v.samplesPlace, Draw: v.drawFrame,
			Move: v.moveFrame},
		views.Panel{Name: "frames", Tab: "Frames", Title: v.framesTitle, Right: v.framesPlace, Draw: v.drawFrames,
			Move: v.moveSheet, Click: v.clickFrame},
		views.Panel{Name: "facts", Tab: "File", Title: func() string { return "What is known of the clip" },
			Draw: v.drawFacts, Move: v.moveFrame},
		views.Panel{Name: "asked", Tab: "Prompt", Title: func() string { return "What the model is asked" },
			Draw: v.drawAsked, Move: v.moveFrame},
	)
}

// isClip says whether the opened one is a clip.
func (v *one) isClip() bool {
	item := v.oneItem()
	return item != nil && item.Clip != nil
}

// moveFrame plays through the frames left and right, and goes through the clips up and down.
func (v *one) moveFrame(m widget.Move, page int) {
	switch m {
	case widget.Up:
		v.stepOne(-1)
	case widget.Down:
		v.stepOne(1)
	default:
		step(&v.film.at, m, v.film.frames(), page)
	}
}

// moveSheet goes through the frames as they stand on the sheet.
func (v *one) moveSheet(m widget.Move, page int) {
	g, _ := v.framesGrid()
	if by := map[widget.Move]int{widget.Up: -g.cols, widget.Down: g.cols}[m]; by != 0 {
		if to := v.film.at.Index + by; to >= 0 && to < v.film.frames() {
			v.film.at.Index = to
		}
		return
	}
	step(&v.film.at, m, v.film.frames(), page)
}

func (v *one) framesTitle() string {
	f := &v.film
	if f.sight == nil {
		return "Frames"
	}
	return fmt.Sprintf("%d %s", len(f.sight.Frames), f.sight.Rule)
}

func (v *one) framesPlace() string { return place(v.film.at, v.film.frames()) }

// waiting is what stands in place of frames that are not there.
func (v *one) waiting(t *widget.Theme, w, h int) string {
	f := &v.film
	item := v.oneItem()
	switch {
	case item == nil:
		return widget.Middle(t.Muted, "No clip passes: esc goes back.", w, h)
	case item.Media == "":
		return widget.Middle(t.Warning, "✗ there is no clip of that name", w, h)
	case f.err != nil: // its name stands over it
		return widget.Middle(t.Warning, "✗ "+strings.TrimPrefix(printable.Error(f.err), item.Media+" "), w, h)
	case f.sight != nil:
		return widget.Middle(t.Muted, "The model would see no frame of this clip.", w, h)
	case f.total == 0:
		return widget.Middle(t.Muted, "looking into the clip …", w, h)
	}
	bar := widget.Progress{What: "decoding", Done: f.done, Total: f.total}.View(t, max(min(w-4, 48), 1))
	return widget.Block(strings.Repeat("\n", max(h/2, 0))+"  "+bar, w, h)
}

// frameKey is the drawing of a frame, from 0.
func (v *one) frameKey(frame, w, h int) pictureKey {
	mode, _ := v.pictureMode()
	return pictureKey{reads: v.reads, item: v.oneIndex(), object: -1, film: v.film.key, frame: frame + 1, mode: mode,
		w: w, h: h}
}

// drawFrame is the frame under the cursor over a line that says where in the clip it is.
func (v *one) drawFrame(t *widget.Theme, w, h int) string {
	f := &v.film
	at := f.at.At(f.frames())
	if at < 0 || h < 2 {
		return v.waiting(t, w, h)
	}
	return v.drawThumb(t, v.frameKey(at, w, h-1), v.classList(v.oneIndex())) + "\n" + v.timeLine(t, at, w)
}

// timeLine is the clip's time from left to right: where the frames lie, which is shown, when it is, and the length.
func (v *one) timeLine(t *widget.Theme, at, w int) string {
	f := &v.film
	frame, clip := f.sight.Frames[at], f.sight.Clip
	words := fmt.Sprintf(" %s of %s · frame %s of %s", media.Clock(frame.Seconds), media.Clock(clip.Duration),
		widget.Count(frame.Index+1), widget.Count(clip.Frames))
	if widget.Width(words) > w {
		words = fmt.Sprintf(" %s of %s · %s/%s", media.Clock(frame.Seconds), media.Clock(clip.Duration),
			widget.Count(frame.Index+1), widget.Count(clip.Frames))
	}
	room := w - widget.Width(words) - 2
	if room < 8 {
		return widget.Left(t.Muted.Render(widget.Cut(words, w)), w)
	}
	line := []rune(strings.Repeat("─", room))
	spot := func(i int) int { return min(f.sight.Frames[i].Index*room/max(clip.Frames, 1), room-1) }
	for i := range f.sight.Frames {
		line[spot(i)] = '┴'
	}
	here := spot(at)
	return widget.Left(" "+t.Muted.Render(string(line[:here]))+t.Accent.Render("●")+
		t.Muted.Render(string(line[here+1:])+words), w)
}

// framesGrid is how the frames stand on their sheet, and the first that is seen.
func (v *one) framesGrid() (g grid, first int) {
	f := &v.film
	w, h := v.views.Board().Inside("frames")
	if f.frames() == 0 {
		return grid{1, 1, w, h}, 0
	}
	p := f.sight.Frames[0].Picture
	g = filmGrid(f.frames(), p.W, p.H, f.sight.Frames[f.frames()-1].Seconds, w, h)
	return g, f.at.At(f.frames()) / g.size() * g.size()
}

// drawFrames is the contact sheet: each frame over its time.
func (v *one) drawFrames(t *widget.Theme, w, h int) string {
	f := &v.film
	if f.frames() == 0 {
		return v.waiting(t, w, h)
	}
	g, first := v.framesGrid()
	var rows []string
	for row := range g.rows {
		var cells []string
		for col := range g.cols {
			text := ""
			if i := first + row*g.cols + col; i < f.frames() {
				text = v.drawThumb(t, v.frameKey(i, g.cellW-1, g.cellH-1), nil) + "\n" + v.frameCaption(t, i, g.cellW)
			}
			cells = append(cells, widget.Block(text, g.cellW, g.cellH))
		}
		rows = append(rows, widget.Columns(cells...))
	}
	if n := f.frames(); g.size() < n && g.rows*g.cellH < h {
		rows = append(rows, t.Muted.Render(widget.Cut(fmt.Sprintf(" frames %d to %d of %d: the arrow keys turn the page",
			first+1, min(first+g.size(), n), n), w)))
	}
	return widget.Block(strings.Join(rows, "\n"), w, h)
}

// frameCaption is a frame's time, and its number where there is room for that of each.
func (v *one) frameCaption(t *widget.Theme, i, w int) string {
	f := v.film.sight.Frames[i]
	text, last := media.Clock(f.Seconds), v.film.sight.Frames[v.film.frames()-1]
	longest := fmt.Sprintf("%s · %s", media.Clock(last.Seconds), widget.Count(last.Index+1))
	if widget.Width(longest) < w-1 {
		text += " · " + widget.Count(f.Index+1)
	}
	text = widget.Cut(text, w-1)
	if i == v.film.at.At(v.film.frames()) {
		return t.Accent.Render("▸") + t.Selected.Render(text)
	}
	return " " + t.Muted.Render(text)
}

func (v *one) clickFrame(x, y, _, _ int) tea.Cmd {
	g, first := v.framesGrid()
	if g.cellW <= 0 || g.cellH <= 0 || x/g.cellW >= g.cols || y/g.cellH >= g.rows {
		return nil
	}
	if i := first + y/g.cellH*g.cols + x/g.cellW; i < v.film.frames() {
		v.film.at.Index = i
	}
	return nil
}

// filmKeys are the drawings of the opened clip: the large frame and those beside it, so that playing finds them made,
// then the sheet.
func (v *one) filmKeys() (keys []pictureKey) {
	f := &v.film
	n := f.frames()
	at := f.at.At(n)
	if at < 0 {
		return nil
	}
	w, h := v.views.Board().Inside("frame")
	for _, i := range []int{at, at + 1, at - 1} {
		if i >= 0 && i < n && w > 0 && h > 1 {
			keys = append(keys, v.frameKey(i, w, h-1))
		}
	}
	if w, _ := v.views.Board().Inside("frames"); w > 0 {
		g, first := v.framesGrid()
		for i := first; i < min(first+g.size(), n); i++ {
			keys = append(keys, v.frameKey(i, g.cellW-1, g.cellH-1))
		}
	}
	return keys
}

// drawFacts says what is known of the clip: its file, who is seen, what is wrong with it.
func (v *one) drawFacts(t *widget.Theme, w, h int) string {
	item := v.oneItem()
	if item == nil {
		return widget.Block("", w, h)
	}
	lines := []string{labelled(t, "frames", clipWords(item), "", w)}
	if clip := item.Clip; clip.Frames > 0 {
		lines = append(lines, labelled(t, "size", fmt.Sprintf("%d×%d pixels", item.Width, item.Height), clip.Codec, w))
	}
	person := "not known"
	if name := item.Group.String(); name != "" {
		person = widget.Clean(name)
	}
	lines = append(lines, labelled(t, "participant", person, "split "+widget.Clean(item.Split), w))
	for _, object := range item.Objects {
		how := v.nameOf(object.Class)
		if way := stats.VariationOf(v.rawName(object.Class), object.Text); way != "" {
			how += " · " + widget.Clean(way)
		}
		lines = append(lines, labelled(t, "labelled", how, "", w))
	}
	for _, f := range v.index.Findings(v.oneIndex()) {
		lines = append(lines, findingLines(t, f, w)...)
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// clipHolds says in a few words what a clip shows and how long: "squats · too slow · 2.60 s".
func (p *shared) clipHolds(item *data.Item) string {
	var words []string
	for _, object := range item.Objects {
		words = append(words, p.nameOf(object.Class))
		if way := stats.VariationOf(p.rawName(object.Class), object.Text); way != "" {
			words = append(words, widget.Clean(way))
		}
	}
	if item.Clip.Frames > 0 {
		words = append([]string{fmt.Sprintf("%.1f s", item.Clip.Seconds)}, words...)
	}
	return strings.Join(words, " · ")
}

// clipWords are how long a clip is: "2.60 s · 78 frames · 30.0 fps".
func clipWords(item *data.Item) string {
	switch c := item.Clip; {
	case item.Media == "":
		return "missing"
	case item.Broken:
		return "cannot be read"
	case c.Frames == 0:
		return "not looked into"
	default:
		return fmt.Sprintf("%.2f s · %s frames · %.4g fps", c.Seconds, widget.Count(c.Frames), c.FPS)
	}
}
