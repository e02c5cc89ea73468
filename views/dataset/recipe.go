package dataset

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	data "finetui/core/dataset"
	"finetui/core/printable"
	"finetui/core/recipe"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// recipeLayout gives the table as many lines as it has rows.
func recipeLayout(rows int) layout.Node {
	return layout.Row(
		layout.Column(layout.Panel("mass", 68, 9).AtMost(0, max(rows+3, 9)).Weighted(3).Prior(1),
			layout.Panel("example", 68, 7)).Weighted(5),
		layout.Column(layout.Panel("settings", 42, 9).AtMost(0, 18).Weighted(2).Prior(1), layout.Panel("effect", 42,
			8).Weighted(2)).Weighted(2),
	)
}

func (p *Pane) recipeBoard() *views.Board {
	return views.NewBoard(recipeLayout(13),
		views.Panel{Name: "settings", Tab: "Recipe", Title: p.settingsTitle, Right: p.settingsRight,
			Draw: p.drawSettings, Move: p.moveSetting, Click: p.clickSetting, Actions: p.settingActions},
		views.Panel{Name: "mass", Tab: "Loss mass",
			Title: func() string { return "What each class weighs in one epoch" }, Draw: p.drawMass, Move: p.moveMass,
			Click: p.clickMass, Actions: p.openClass},
		views.Panel{Name: "effect", Tab: "Effect", Title: p.effectTitle, Draw: p.drawEffect, Move: p.moveEffect},
		views.Panel{Name: "example", Tab: "Prompt", Title: p.exampleTitle, Right: p.contextName, Draw: p.drawExample,
			Move: p.moveExample},
	)
}

func (p *Pane) recipeActions() []views.Action {
	turned := func() bool { return p.recipe.copy != nil && len(p.recipe.turned()) > 0 }
	return []views.Action{
		{Name: "presets", Label: "presets", Help: "start from a named recipe", Group: "Recipe", Run: p.askPreset},
		{Name: "take_over", Label: "take over", Help: "put the recipe into the constants", Group: "Recipe",
			Enabled: turned, Run: p.takeOver},
		{Name: "undo_recipe", Label: "undo", Help: "back to the recipe of config.toml", Group: "Recipe",
			Enabled: turned, Run: p.undo},
	}
}

func (p *Pane) settingsTitle() string { return "Recipe · " + p.recipe.draft().Recipe.Preset }

func (p *Pane) settingsRight() string {
	if len(p.recipe.turned()) > 0 {
		return "• not taken over"
	}
	return "← → turns"
}

// drawSettings lists the constants with their values, marks those that differ from the file, and says below what the
// selected value does.
func (p *Pane) drawSettings(t *widget.Theme, w, h int) string {
	x := &p.recipe
	if x.err != nil {
		return p.centred(t.Warning, "✗ "+printable.Error(x.err), w, h)
	}
	shown := x.shown()
	selected := x.setting.At(len(shown))
	about := p.settingWords(t, shown[selected], w, h)
	rows := max(h-len(about), 1)
	first, end := x.setting.Window(len(shown), rows)
	var lines []string
	for i := first; i < end; i++ {
		lines = append(lines, p.settingLine(t, shown[i], i == selected, w))
	}
	widget.Edges(t, lines, first, end, len(shown), w)
	for len(lines) < rows && len(about) > 0 {
		lines = append(lines, "")
	}
	return widget.Block(strings.Join(append(lines, about...), "\n"), w, h)
}

func (p *Pane) settingLine(t *widget.Theme, s setting, selected bool, w int) string {
	x := &p.recipe
	value, was := config.Plain(x.draft(), s.name()), config.Plain(x.last, s.name())
	name := widget.Left(s.key, 18)
	line := " " + name + "   " + value + "   "
	if selected {
		line = t.Accent.Render("▸") + t.Selected.Render(name) + " " + t.Accent.Render("‹ ") + t.Strong.Render(value) +
			t.Accent.Render(" ›") + " "
	}
	if value == was {
		return widget.Left(line, w)
	}
	if long := "• was " + was; widget.Width(line)+widget.Width(long) <= w {
		return line + t.Warning.Render(long)
	}
	return widget.Left(line, w-1) + t.Warning.Render("•")
}

// settingWords are at most three lines on the selected setting, where there is room.
func (p *Pane) settingWords(t *widget.Theme, s setting, w, h int) []string {
	if h < 8 {
		return nil
	}
	value := config.Plain(p.recipe.draft(), s.name())
	lines := []string{t.BarFaint.Render(strings.Repeat("─", max(w, 0)))}
	if means := s.means[value]; means != "" {
		lines = append(lines, wrapped(t.Text, value+": "+means, w)...)
	}
	if was := config.Plain(p.recipe.last, s.name()); was != value {
		lines = append(lines, " "+t.Warning.Render(widget.Cut("• config.toml: "+was, w-1)))
	}
	if field, err := config.Lookup(s.name()); err == nil && h >= 12 {
		lines = append(lines, wrapped(t.Muted, field.Doc, w)...)
	}
	return lines[:min(len(lines), max(h/3, 2))]
}

func (p *Pane) moveSetting(m widget.Move, page int) {
	var err error
	switch m {
	case widget.MoveLeft:
		err = p.recipe.turn(-1)
	case widget.MoveRight:
		err = p.recipe.turn(1)
	default:
		p.recipe.setting.Move(m, len(p.recipe.shown()), page)
	}
	if err != nil {
		p.recipe.err = err
	}
}

func (p *Pane) clickSetting(_, y, w, h int) tea.Cmd {
	shown := p.recipe.shown()
	about := p.settingWords(&widget.Theme{}, shown[p.recipe.setting.At(len(shown))], w, h)
	p.recipe.setting.Click(y, len(shown), max(h-len(about), 1))
	return nil
}

func (p *Pane) settingActions() []views.Action {
	return []views.Action{{Name: "choose", Label: "values", Help: "choose the value from a list", Group: "Recipe",
		Run: p.askValue}}
}

// choice is an open list to choose from, and what is done with what was chosen.
type choice struct {
	*widget.Choice
	take func(i int) error
}

// choose gives a key to the open list.
func (p *Pane) choose(msg tea.Msg) tea.Cmd {
	open := p.choice
	outcome, cmd := open.Update(msg)
	if outcome == widget.Editing {
		return cmd
	}
	p.choice = nil
	if outcome == widget.Accepted {
		if err := open.take(open.Chosen()); err != nil {
			return views.Fail(err)
		}
	}
	return cmd
}

func (p *Pane) askPreset() tea.Cmd {
	means := map[string]string{
		"basic":             "each object once an epoch, a plain prompt",
		"enhanced":          "√n sampling, position words, facts from train",
		"enhanced-original": "copies and weights at once, and leaking prompts",
	}
	names := recipe.Presets()
	var options []widget.Option
	for _, name := range names {
		options = append(options, widget.Option{Text: name, Detail: means[name]})
	}
	open := widget.NewChoice("Presets of the recipe", false, options...)
	open.Cursor.Index = max(slices.Index(names, p.recipe.draft().Recipe.Preset), 0)
	p.choice = &choice{open, func(i int) error { return p.recipe.preset(names[i]) }}
	return nil
}

// askValue opens a list of the selected constant's values.
func (p *Pane) askValue() tea.Cmd {
	shown := p.recipe.shown()
	s := shown[p.recipe.setting.At(len(shown))]
	values := s.values()
	var options []widget.Option
	for _, value := range values {
		options = append(options, widget.Option{Text: value, Detail: s.means[value]})
	}
	open := widget.NewChoice(s.key, false, options...)
	open.Cursor.Index = max(slices.Index(values, config.Plain(p.recipe.draft(), s.name())), 0)
	p.choice = &choice{open, func(i int) error { return p.recipe.set(s.key, values[i]) }}
	return nil
}

// exampleObjects are the objects of the selected class that the example goes through: of train, where there are any.
func (p *Pane) exampleObjects() []data.Ref {
	var train, others []data.Ref
	for i, item := range p.set.Items {
		for j, object := range item.Objects {
			switch {
			case object.Class != p.class:
			case item.Split == "train":
				train = append(train, data.Ref{Item: i, Object: j})
			default:
				others = append(others, data.Ref{Item: i, Object: j})
			}
		}
	}
	if len(train) > 0 {
		return train
	}
	return others
}

func (p *Pane) exampleRef() (data.Ref, bool) {
	if len(p.recipe.examples) == 0 {
		return data.Ref{}, false
	}
	return p.recipe.examples[p.recipe.example.At(len(p.recipe.examples))], true
}

func (p *Pane) exampleTitle() string {
	ref, there := p.exampleRef()
	if !there {
		return "Prompt"
	}
	return fmt.Sprintf("Prompt for %s, box %d", widget.Clean(p.set.Items[ref.Item].ID), ref.Object+1)
}

func (p *Pane) drawExample(t *widget.Theme, w, h int) string {
	ref, there := p.exampleRef()
	if !there {
		return p.centred(t.Muted, "There is no object of this class to ask about.", w, h)
	}
	key, seen := p.contextKey(ref, w, h)
	return p.drawAskedBeside(t, ref, key, seen, w, h)
}

// exampleKeys is the drawing of what the model sees of the example.
func (p *Pane) exampleKeys() []pictureKey {
	w, h := p.board().Inside("example")
	if ref, there := p.exampleRef(); there && w > 0 {
		if key, seen := p.contextKey(ref, w, h); seen {
			return []pictureKey{key}
		}
	}
	return nil
}

// drawAskedBeside is the prompt and the answer about an object, at the right of what the model sees of it.
func (p *Pane) drawAskedBeside(t *widget.Theme, ref data.Ref, key pictureKey, seen bool, w, h int) string {
	if !seen {
		return widget.Block(strings.Join(p.askedLines(t, ref, w-1), "\n"), w, h)
	}
	left := widget.Block(p.drawThumb(t, key, nil), key.w, h)
	right := widget.Block(strings.Join(p.askedLines(t, ref, w-key.w-2), "\n"), w-key.w, h)
	return widget.Columns(left, right)
}

// contextKey is the drawing of what the model sees of an object, at the left of a panel of w×h cells; there is none
// where it would leave no room for words.
func (p *Pane) contextKey(ref data.Ref, w, h int) (pictureKey, bool) {
	mode, _ := p.pictureMode()
	wide := min(w*2/5, 2*h)
	cfg, model := p.recipe.draft().Recipe, p.recipe.draft().Model
	if wide < 10 || w-wide < 22 || mode == widget.Words {
		return pictureKey{}, false
	}
	return pictureKey{reads: p.reads, item: ref.Item, object: ref.Object, mode: mode, w: wide, h: h,
		seen: seen{cfg.Context, cfg.CropMargin, cfg.CropSquare, model.MinPixels, model.MaxPixels}}, true
}

// moveExample goes through the objects of the class.
func (p *Pane) moveExample(m widget.Move, page int) {
	step(&p.recipe.example, m, len(p.recipe.examples), page)
}

// askedLines are the prompt about an object, the answer that is trained, and what it weighs.
func (p *Pane) askedLines(t *widget.Theme, ref data.Ref, w int) []string {
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
func (p *Pane) copiesOf(class int) float64 {
	for _, row := range p.recipe.weighed.table.Classes {
		if row.Class == p.rawName(class) {
			return row.Copies
		}
	}
	return 1
}

// wrapped is a text in lines of w cells, one of them left free at the left.
func wrapped(style widget.Style, text string, w int) []string {
	lines := widget.Wrap(widget.Clean(text), w-1)
	for i, line := range lines {
		lines[i] = " " + style.Render(line)
	}
	return lines
}
