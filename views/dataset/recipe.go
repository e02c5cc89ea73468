package dataset

import (
	"context"
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

// recipeView is the view of the recipe: its constants, what each class weighs with them, and what the model is asked.
type recipeView struct {
	*shared

	setting  widget.List // among the constants that are shown
	beyond   int         // rows of the table below the classes that the cursor has gone
	scrolled int         // lines of the effect above its panel
	of       int         // the class of the examples
	example  widget.List // which of examples is shown
	examples []data.Ref
}

func newRecipe(s *shared) views.View { return (&recipeView{shared: s}).view() }

func (v *recipeView) view() views.View {
	board := v.board()
	return views.View{Name: recipeName, Boards: []*views.Board{board}, Actions: v.actions, Copy: v.text, Want: v.want,
		Refresh: func() { v.refresh(board) }, List: v.list}
}

// refresh gives the table as many lines as the set needs.
func (v *recipeView) refresh(board *views.Board) {
	board.Layout = recipeLayout(len(v.set.Classes) + len(v.analysis.Whole.Conditions) + 1)
	if v.of != v.class {
		v.of, v.example.Index = v.class, 0
	}
}

// list looks for the objects of the selected class.
func (v *recipeView) list() views.Listing {
	v.examples = nil
	set, class := v.loaded, v.class
	return func(context.Context) func() {
		examples := set.exampleObjects(class)
		return func() { v.examples = examples }
	}
}

// want asks what the recipe comes to, and for what the model sees of the example.
func (v *recipeView) want() tea.Cmd { return tea.Batch(v.weigh(), v.drawPictures(v.exampleKeys())) }

func (v *recipeView) board() *views.Board {
	return views.NewBoard(recipeLayout(13),
		views.Panel{Name: "settings", Tab: "Recipe", Title: v.settingsTitle, Right: v.settingsRight,
			Draw: v.drawSettings, Move: v.moveSetting, Click: v.clickSetting, Actions: v.settingActions},
		views.Panel{Name: "mass", Tab: "Loss mass",
			Title: func() string { return "What each class weighs in one epoch" }, Right: v.massPlace,
			Draw: v.drawMass, Move: v.moveMass, Click: v.clickMass, Actions: v.openClass},
		views.Panel{Name: "effect", Tab: "Effect", Title: v.effectTitle, Draw: v.drawEffect, Move: v.moveEffect},
		views.Panel{Name: "example", Tab: "Prompt", Title: v.exampleTitle, Right: v.contextName, Draw: v.drawExample,
			Move: v.moveExample},
	)
}

func (v *recipeView) actions() []views.Action {
	turned := func() bool { return v.recipe.copy != nil && len(v.recipe.turned()) > 0 }
	return []views.Action{
		{Name: "presets", Label: "presets", Help: "start from a named recipe", Group: "Recipe", Run: v.askPreset},
		{Name: "take_over", Label: "take over", Help: "put the recipe into the constants", Group: "Recipe",
			Enabled: turned, Run: v.takeOver},
		{Name: "try_recipes", Label: "try these", Help: "plan a sweep over the recipes that are shown here", Group: "Recipe",
			Run: v.askTry},
		{Name: "undo_recipe", Label: "undo", Help: "back to the recipe of config.toml", Group: "Recipe",
			Enabled: turned, Run: v.undo},
	}
}

func (v *recipeView) settingsTitle() string {
	return "Recipe · " + string(v.recipe.draft().Recipe.Preset)
}

func (v *recipeView) settingsRight() string {
	if len(v.recipe.turned()) > 0 {
		return "• not taken over"
	}
	return "← → turns"
}

// drawSettings lists the constants with their values, marks those that differ from the file, and says below what the
// selected value does.
func (v *recipeView) drawSettings(t *widget.Theme, w, h int) string {
	x := &v.recipe
	if x.err != nil {
		return widget.Middle(t.Warning, "✗ "+printable.Error(x.err), w, h)
	}
	shown := x.shown()
	selected := v.setting.At(len(shown))
	about := v.settingWords(t, shown[selected], w, h)
	rows := max(h-len(about), 1)
	first, end := v.setting.Window(len(shown), rows)
	var lines []string
	for i := first; i < end; i++ {
		lines = append(lines, v.settingLine(t, shown[i], i == selected, w))
	}
	widget.Edges(t, lines, first, end, len(shown), w)
	for len(lines) < rows && len(about) > 0 {
		lines = append(lines, "")
	}
	return widget.Block(strings.Join(append(lines, about...), "\n"), w, h)
}

func (v *recipeView) settingLine(t *widget.Theme, s setting, selected bool, w int) string {
	x := &v.recipe
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
func (v *recipeView) settingWords(t *widget.Theme, s setting, w, h int) []string {
	if h < 8 {
		return nil
	}
	value := config.Plain(v.recipe.draft(), s.name())
	lines := []string{t.BarFaint.Render(strings.Repeat("─", max(w, 0)))}
	if means := config.Means(s.name(), value); means != "" {
		lines = append(lines, wrapped(t.Text, value+": "+means, w)...)
	}
	if was := config.Plain(v.recipe.last, s.name()); was != value {
		lines = append(lines, " "+t.Warning.Render(widget.Cut("• config.toml: "+was, w-1)))
	}
	if field, err := config.Lookup(s.name()); err == nil && h >= 12 {
		lines = append(lines, wrapped(t.Muted, field.Doc, w)...)
	}
	return widget.FirstLines(lines, w, max(h/3, 2))
}

func (v *recipeView) moveSetting(m widget.Move, page int) {
	var err error
	switch m {
	case widget.MoveLeft:
		err = v.recipe.turn(v.selected(), -1)
	case widget.MoveRight:
		err = v.recipe.turn(v.selected(), 1)
	default:
		v.setting.Move(m, len(v.recipe.shown()), page)
	}
	if err != nil {
		v.recipe.err = err
	}
}

func (v *recipeView) clickSetting(_, y, w, h int) tea.Cmd {
	shown := v.recipe.shown()
	about := v.settingWords(&widget.Theme{}, shown[v.setting.At(len(shown))], w, h)
	v.setting.Click(y, len(shown), max(h-len(about), 1))
	return nil
}

// selected is the setting under the cursor.
func (v *recipeView) selected() setting {
	shown := v.recipe.shown()
	return shown[v.setting.At(len(shown))]
}

func (v *recipeView) settingActions() []views.Action {
	return []views.Action{{Name: "choose", Label: "values", Help: "choose the value from a list", Group: "Recipe",
		Run: v.askValue}}
}

func (v *recipeView) askPreset() tea.Cmd {
	names := recipe.Presets()
	var options []widget.Option
	for _, name := range names {
		options = append(options, widget.Option{Text: name, Detail: config.Means(recipe.PresetKey, name)})
	}
	open := widget.NewChoice("Presets of the recipe", false, options...)
	open.Cursor.Index = max(slices.Index(names, string(v.recipe.draft().Recipe.Preset)), 0)
	v.choice = &choice{Choice: open, take: func(i int) error { return v.recipe.set("PRESET", names[i]) }}
	return nil
}

// askValue opens a list of the selected constant's values.
func (v *recipeView) askValue() tea.Cmd {
	s := v.selected()
	values := s.values()
	var options []widget.Option
	for _, value := range values {
		options = append(options, widget.Option{Text: value, Detail: config.Means(s.name(), value)})
	}
	open := widget.NewChoice(s.key, false, options...)
	open.Cursor.Index = max(slices.Index(values, config.Plain(v.recipe.draft(), s.name())), 0)
	v.choice = &choice{Choice: open, take: func(i int) error { return v.recipe.set(s.key, values[i]) }}
	return nil
}

// exampleObjects are the objects of a class that the example goes through: of train, where there are any.
func (l *loaded) exampleObjects(class int) []data.Ref {
	var train, others []data.Ref
	for i := range l.set.Items { // of a large set neither records nor objects are copied
		item := &l.set.Items[i]
		for j := range item.Objects {
			switch {
			case item.Objects[j].Class != class:
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

func (v *recipeView) exampleTitle() string {
	_, h := v.views.Board().Inside("example")
	refs, _ := v.shownExamples(h)
	if len(refs) == 0 {
		return "Prompt"
	}
	return "Prompt for " + v.exampleName(refs[0])
}

// exampleName says what is asked about: a clip, or an object by its picture and box.
func (v *recipeView) exampleName(ref data.Ref) string {
	item := &v.set.Items[ref.Item]
	if item.Clip != nil {
		return widget.Clean(item.ID)
	}
	return fmt.Sprintf("%s, box %d", widget.Clean(item.ID), ref.Object+1)
}

// mostExample is how many lines an example has a use for; where there is room for more, further ones stand below it.
const mostExample = 20

// shownExamples are the examples that h lines hold, and the lines of each.
func (v *recipeView) shownExamples(h int) (refs []data.Ref, each int) {
	first := v.example.At(len(v.examples))
	if first < 0 {
		return nil, h
	}
	n := max(h/mostExample, 1)
	first = max(min(first, len(v.examples)-n), 0)
	refs = v.examples[first:min(first+n, len(v.examples))]
	return refs, h / len(refs)
}

func (v *recipeView) drawExample(t *widget.Theme, w, h int) string {
	refs, each := v.shownExamples(h)
	if len(refs) == 0 {
		return widget.Middle(t.Muted, v.none("There is no object of this class to ask about."), w, h)
	}
	var blocks []string
	for i, ref := range refs {
		lines := each
		if i > 0 {
			title := v.exampleName(ref)
			blocks = append(blocks, widget.Left(t.BarFaint.Render("─ ")+t.Muted.Render(widget.Cut(title, w-4))+" "+
				t.BarFaint.Render(strings.Repeat("─", max(w-widget.Width(title)-3, 0))), w))
			lines--
		}
		key, seen := v.contextKey(ref, w, lines)
		blocks = append(blocks, v.drawAskedBeside(t, ref, key, seen, w, lines))
	}
	return widget.Block(strings.Join(blocks, "\n"), w, h)
}

// exampleKeys are the drawings of what the model sees of the examples.
func (v *recipeView) exampleKeys() (keys []pictureKey) {
	w, h := v.views.Board().Inside("example")
	if w <= 0 {
		return nil
	}
	refs, each := v.shownExamples(h)
	for i, ref := range refs {
		lines := each
		if i > 0 {
			lines--
		}
		if key, seen := v.contextKey(ref, w, lines); seen {
			keys = append(keys, key)
		}
	}
	return keys
}

// moveExample goes through the objects of the class.
func (v *recipeView) moveExample(m widget.Move, page int) {
	step(&v.example, m, len(v.examples), page)
}

// takeOver writes what was turned into the project's constants. The file on disk changes when it is saved.
func (v *recipeView) takeOver() tea.Cmd {
	turned := v.recipe.turned()
	if len(turned) == 0 {
		return views.Say("the recipe is the one of config.toml")
	}
	if err := v.file.Apply(turned); err != nil {
		return views.Fail(err)
	}
	v.recipe.follow(v.file)
	file := v.file
	return tea.Batch(
		func() tea.Msg { return views.ConfigChanged{File: file} },
		views.Say("%s taken over into the constants; they are saved in the pane Config", constants(len(turned))))
}

// undo lets the recipe be the file's again.
func (v *recipeView) undo() tea.Cmd {
	v.recipe.copy = nil
	v.recipe.follow(v.file)
	return nil
}

func constants(n int) string {
	if n == 1 {
		return "1 constant"
	}
	return fmt.Sprintf("%d constants", n)
}
