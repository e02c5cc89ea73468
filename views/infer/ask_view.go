package infer

import (
	"fmt"
	"path/filepath"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/recipe"
	"finetui/views/widget"
)

func (v *ask) samplesTitle() string {
	at, n := v.listed.place(v.cursor.Index), v.listed.len()
	if v.views.Listing() {
		return fmt.Sprintf("Samples of %s · looking for what passes …", v.now.split)
	}
	title := fmt.Sprintf("Samples of %s · %s of %s", v.now.split, widget.Count(at+1), widget.Count(n))
	if all := v.now.samples.Len(); n < all {
		title += fmt.Sprintf(" that pass, of %s", widget.Count(all))
	}
	return title
}

// samplesTable lists the split: what was answered here, else in the last evaluation.
func (v *ask) samplesTable() widget.Table {
	asked := v.asked()
	table := widget.Table{Columns: []widget.Column{{Title: "sample", Flex: true, Middle: true, Min: 12}},
		Cursor: &widget.List{Index: v.listed.place(v.cursor.Index)}}
	if v.truth {
		table.Columns = append(table.Columns, widget.Column{Title: "truth", Flex: true, Min: 9, Priority: 1})
	}
	for _, who := range asked {
		title := subjectName(who)
		if setting := v.now.settings[who]; setting != nil {
			title = setting.Name
		}
		table.Columns = append(table.Columns, widget.Column{Title: title, Flex: true, Min: 9, Priority: 2})
	}
	table.Len, table.Row = v.listed.len(), func(i int) []widget.Cell {
		x, _ := v.now.sample(base, v.listed.at(i))
		row := []widget.Cell{{Text: v.shortID(x.ID)}}
		if v.truth {
			row = append(row, widget.Cell{Text: x.Answer})
		}
		for _, who := range asked {
			row = append(row, v.saidCell(who, x))
		}
		return row
	}
	return table
}

// saidCell is what a subject said about a sample, in few words; with the truth shown also whether it is right.
func (v *ask) saidCell(who int, x recipe.Sample) widget.Cell {
	setting := v.now.settings[who]
	if setting == nil {
		return widget.Cell{Text: widget.Missing, Tone: widget.Muted}
	}
	tone := widget.Muted
	answer, there := v.now.answers[who][x.ID]
	if a := v.newest[newestKey{v.now.titles[who], x.ID}]; a != nil && a.state == said {
		parsed, class := v.verdict(x, a.text)
		answer, there, tone = eval.Answer{Answer: a.text, Parsed: parsed, Right: class == x.Class}, true, widget.Plain
	}
	switch {
	case !there:
		return widget.Cell{Text: "·", Tone: widget.Muted}
	case v.truth:
		return judged(&answer)
	case answer.Parsed == eval.UnparsedLabel:
		return widget.Cell{Text: "“" + answer.Answer + "”", Tone: tone}
	}
	return widget.Cell{Text: answer.Parsed, Tone: tone}
}

func (v *ask) drawSamples(t *widget.Theme, w, h int) string {
	return v.samplesTable().View(t, w, h)
}

func (v *ask) clickSample(_, y, _, h int) tea.Cmd {
	v.path = ""
	table := v.samplesTable()
	table.Click(y, h)
	v.onListed(func(cursor *widget.List) { cursor.Index = table.Cursor.Index })
	return nil
}

func (v *ask) pictureTitle() string {
	at, there := v.present()
	switch {
	case v.path != "" && v.clip() != "":
		return v.player.frameTitle(filepath.Base(v.path), v.playing())
	case v.path != "":
		return filepath.Base(v.path)
	case !there:
		return "Picture"
	case v.clip() != "":
		return v.player.frameTitle(v.shortID(v.now.samples.Item(at).ID), v.playing())
	}
	return v.objectTitle(at)
}

// pictureNote says how long a clip is and, where the keyboard is there, how to move through it.
func (v *ask) pictureNote() string {
	switch {
	case v.clip() == "":
		return ""
	case v.playing():
		return "← → plays"
	}
	return v.player.length()
}

func (v *ask) shownTitle() string {
	if v.clip() != "" {
		return v.player.shownTitle()
	}
	setting := v.now.settings[v.main()]
	if setting == nil {
		return "What it sees"
	}
	how := map[config.Context]string{config.ContextFull: "the whole picture", config.ContextMarked: "outlined",
		config.ContextCrop:     "cut out",
		config.ContextFullCrop: "outlined, and cut out"}[setting.Project.Config.Recipe.Context]
	if v.path != "" {
		how = "the whole picture"
	}
	return "What it sees · " + how
}

// shownNote says which frames of a contact sheet are seen where not all of them have room.
func (v *ask) shownNote() string {
	if v.clip() == "" {
		return ""
	}
	w, h := v.board.Inside("shown")
	return v.player.pageNote(w, h)
}

func (v *ask) drawWhole(t *widget.Theme, w, h int) string {
	if v.clip() != "" {
		return v.player.drawFrame(t, w, h)
	}
	return v.drawKind(t, whole, w, h)
}

func (v *ask) drawShown(t *widget.Theme, w, h int) string {
	if v.clip() != "" {
		return v.player.drawSheet(t, w, h)
	}
	return v.drawKind(t, shown, w, h)
}

func (v *ask) drawKind(t *widget.Theme, kind, w, h int) string {
	at, there := v.present()
	if !there {
		return noObject(t, w, h)
	}
	return v.drawPicture(t, v.motif(at), kind, w, h)
}

// present is the place of the sample that is asked about; false where there is none.
func (v *ask) present() (place int, there bool) {
	place = v.cursor.At(v.now.samples.Len())
	return place, place >= 0
}

// motif is the sample of a place, or the file that is asked about instead.
func (v *ask) motif(at int) motif { return motif{sample: at, path: v.path, label: v.truth} }

// pictureKeys are the drawings of the present sample, then those of the next and the one before: browsing finds them
// made.
func (v *ask) pictureKeys() (keys []pictureKey) {
	at, there := v.present()
	if !there {
		return nil
	}
	around := []int{at}
	if v.path == "" {
		around = []int{at, at + 1, at - 1}
	}
	for _, sample := range around {
		if sample < 0 || sample >= v.now.samples.Len() {
			continue
		}
		for kind, panel := range []string{"picture", "shown"} {
			w, h := v.board.Inside(panel)
			keys = append(keys, v.pictureKey(v.motif(sample), kind, w, h))
		}
	}
	return keys
}

func (v *ask) questionTitle() string {
	switch {
	case v.own != "":
		return "Question · yours"
	case v.session.Project.Config.Infer.Prompt != "":
		return "Question · INFER.PROMPT"
	}
	return "Question · the recipe's"
}

func (v *ask) drawQuestion(t *widget.Theme, w, h int) string {
	asked := v.asked()
	prompts := make([]string, len(asked))
	same := true
	for i, who := range asked {
		prompts[i] = v.questionTo(who)
		same = same && prompts[i] == prompts[0]
	}
	var lines []string
	for i, who := range asked {
		if same && i > 0 {
			break
		}
		text := prompts[i]
		if !same {
			text = subjectName(who) + ": " + text
		}
		lines = append(lines, wrapped(text, w-2)...)
	}
	note, room := v.truthNote(t), h
	if note != "" && h > 1 {
		room--
	}
	lines = widget.FirstLines(lines, w-2, room)
	if note != "" {
		lines = append(lines, note)
	}
	return widget.Block(indent(lines), w, h)
}

// truthNote is the truth about the present sample, where it is to be shown.
func (v *ask) truthNote(t *widget.Theme) string {
	x, there := v.sample(base)
	switch {
	case v.path != "":
		what := "picture"
		if v.clip() != "" {
			what = "clip"
		}
		return t.Muted.Render("a " + what + " file: nobody knows the truth")
	case !v.truth:
		return t.Muted.Render("t shows the truth")
	case !there:
		return ""
	}
	return t.Strong.Render("truth: " + widget.Clean(x.Answer))
}
