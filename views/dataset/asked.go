package dataset

import (
	"strings"

	"finetui/core/config"
	data "finetui/core/dataset"
	"finetui/core/printable"
	"finetui/views/widget"
)

// drawAskedBeside is the prompt and the answer about an object, at the right of what the model sees of it.
func (p *shared) drawAskedBeside(t *widget.Theme, ref data.Ref, key pictureKey, seen bool, w, h int) string {
	if !seen {
		return widget.Block(strings.Join(p.askedLines(t, ref, w-1), "\n"), w, h)
	}
	left := widget.Block(p.drawThumb(t, key, nil), key.w, h)
	right := widget.Block(strings.Join(p.askedLines(t, ref, w-key.w-2), "\n"), w-key.w, h)
	return widget.Columns(left, right)
}

// contextKey is the drawing of what the model sees of an object, at the left of a panel of w×h cells; there is none
// where it would leave no room for words.
func (p *shared) contextKey(ref data.Ref, w, h int) (pictureKey, bool) {
	mode, _ := p.pictureMode()
	wide := min(w*2/5, 2*h)
	cfg, model := p.recipe.draft().Recipe, p.recipe.draft().Model
	if wide < 10 || w-wide < 22 || mode == widget.Words {
		return pictureKey{}, false
	}
	return pictureKey{reads: p.reads, item: ref.Item, object: ref.Object, mode: mode, w: wide, h: h,
		seen: seen{cfg.Context, cfg.CropMargin, cfg.CropSquare, model.MinPixels, model.MaxPixels}}, true
}

// askedLines are the prompt about an object, the answer that is trained, and what it weighs.
func (p *shared) askedLines(t *widget.Theme, ref data.Ref, w int) []string {
	if p.recipe.weighed == nil {
		return []string{" " + t.Muted.Render("working out the recipe …")}
	}
	if p.recipe.weighed.err != nil {
		return wrapped(t.Warning, "✗ "+printable.Error(p.recipe.weighed.err), w)
	}
	sample, there := p.recipe.weighed.recipe.Sample(ref)
	if !there {
		return nil
	}
	lines := []string{" " + t.Muted.Render("asked")}
	lines = append(lines, wrapped(t.Text, sample.Prompt, w)...)
	lines = append(lines, " "+t.Muted.Render("answer"))
	lines = append(lines, wrapped(t.Strong, sample.Answer, w)...)
	note := "drawn " + widget.Ratio(p.copiesOf(sample.Class)) + " an epoch, each time with weight " +
		widget.Ratio(sample.Weight) + " in the loss"
	if sample.Item.Split != "train" {
		note = "of split " + sample.Item.Split + ": not trained on"
	}
	return append(lines, wrapped(t.Muted, note, w)...)
}

// copiesOf is how often an object of a class is drawn in an epoch, on average.
func (p *shared) copiesOf(class int) float64 {
	for _, row := range p.recipe.weighed.table.Classes {
		if row.Class == p.rawName(class) {
			return row.Copies
		}
	}
	return 1
}

// contextName says what of the picture the model is shown; of a clip it is always frames of the whole.
func (p *shared) contextName() string {
	if p.clips() {
		return "sees frames of the whole clip"
	}
	return map[config.Context]string{
		config.ContextFull: "sees the whole picture", config.ContextMarked: "sees it outlined",
		config.ContextCrop:     "sees it cut out",
		config.ContextFullCrop: "sees it outlined, and cut out",
	}[p.recipe.draft().Recipe.Context]
}
