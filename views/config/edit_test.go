package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
)

// lines that differ between two texts of as many lines.
func differing(t *testing.T, a, b string) (of []string) {
	t.Helper()
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	if len(x) != len(y) {
		t.Fatalf("%d lines became %d", len(x), len(y))
	}
	for i := range x {
		if x[i] != y[i] {
			of = append(of, x[i]+" | "+y[i])
		}
	}
	return of
}

func TestSavedFileDiffersInTheEditedValueOnly(t *testing.T) {
	path := project(t, func(text string) string {
		return strings.Replace(text, "EPOCHS = 6", "EPOCHS   =  6   # a remark\n# mine\n", 1)
	})
	before := read(t, path)
	p, d := opened(t, path, 120, 30)
	at(p, "TRAIN.EPOCHS")
	clear(d.Press("enter")).Type("12").Press("enter")
	if p.Unsaved() != "1 change to config.toml" || !d.Shows("was 6") || !d.Shows("●○ EPOCHS") {
		t.Errorf("unsaved %q:\n%s", p.Unsaved(), d.Screen())
	}
	if read(t, path) != before {
		t.Fatal("the file was written before it was saved")
	}
	d.Press("s").Wait("the save", func() bool { return !p.storage.saving.Pending() })
	if got := differing(t, before, read(t, path)); len(got) != 1 ||
		got[0] != "EPOCHS   =  6   # a remark | EPOCHS   =  12   # a remark" {
		t.Errorf("lines that differ: %q", got)
	}
	if p.Unsaved() != "" || d.Shows("was 6") {
		t.Errorf("unsaved %q after the save:\n%s", p.Unsaved(), d.Screen())
	}
}

func TestUndoTakesBackOneStepAndGoesThere(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	put(d, p, "TRAIN.EPOCHS", "12")
	put(d, p, "RECIPE.SAMPLING", "instance") // which makes PRESET custom, in the same step
	if c := p.file.Config.Recipe; c.Preset != "custom" || c.Sampling != "instance" {
		t.Fatalf("the recipe is %+v", c)
	}
	at(p, "VIEW.THEME")
	d.Press("u")
	if c := p.file.Config.Recipe; c.Preset != "enhanced" || c.Sampling != "square_root" {
		t.Errorf("after undo the recipe is %+v", c)
	}
	if r, _ := p.list.selected(); r.field.Section != "RECIPE" {
		t.Errorf("undo left the cursor at %s", r.field.Name())
	}
	d.Press("u")
	if p.file.Config.Train.Epochs != 6 || p.Unsaved() != "" {
		t.Errorf("EPOCHS is %d, unsaved %q", p.file.Config.Train.Epochs, p.Unsaved())
	}
	d.Press("u")
	says(d, "nothing is left to take back")
}

func TestRefusedInputSaysWhyAndKeepsTheCursor(t *testing.T) {
	for _, c := range []struct{ name, typed, says string }{
		{"TRAIN.EPOCHS", "six", `"six" is not a whole number`},
		{"TRAIN.EPOCHS", "0", "0 is too small: at least 1"},
		{"TRAIN.EPOCHS", "", "is not a whole number"},
		{"LORA.DROPOUT", "1.5", "1.5 is too large: at most 0.95"},
		{"TRAIN.LEARNING_RATE", "fast", `"fast" is not a number`},
	} {
		p, d := opened(t, project(t, nil), 120, 30)
		at(p, c.name)
		clear(d.Press("enter")).Type(c.typed).Press("enter")
		if p.editor == nil || !strings.Contains(p.editor.prompt.Error, c.says) || p.editor.text() != c.typed {
			t.Errorf("%s = %q: the editor has %+v", c.name, c.typed, p.editor)
			continue
		}
		if p.Unsaved() != "" || p.editor.preview != nil {
			t.Errorf("%s = %q changed something", c.name, c.typed)
		}
		clear(d).Type("0.5").Press("esc")
		if p.editor != nil || p.Unsaved() != "" {
			t.Errorf("%s: esc did not leave the editor, or kept something", c.name)
		}
	}
}

func TestSpaceAndEnterTurnASwitch(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	at(p, "LORA.RSLORA")
	if d.Press("space"); !p.file.Config.LoRA.RSLoRA || !d.Shows("[x] true") {
		t.Errorf("space left RSLORA off:\n%s", d.Screen())
	}
	if d.Press("enter"); p.file.Config.LoRA.RSLoRA || p.Capturing() {
		t.Error("enter left RSLORA on")
	}
}

func TestRecipePresetBringsItsConstants(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	put(d, p, "RECIPE.PRESET", "basic")
	if c := p.file.Config.Recipe; c.Preset != "basic" || c.Sampling != "instance" || c.PromptFacts != "none" ||
		c.PositionWords {
		t.Errorf("basic is %+v", c)
	}
	put(d, p, "RECIPE.SAMPLING", "square_root")
	put(d, p, "RECIPE.POSITION_WORDS", "")
	put(d, p, "RECIPE.PROMPT_FACTS", "place")
	if got := p.file.Config.Recipe.Preset; got != "enhanced" {
		t.Errorf("the constants of enhanced are called %s", got)
	}
}

func TestPresetsAreTakenInOneStep(t *testing.T) {
	p, d := opened(t, project(t, func(text string) string {
		return strings.Replace(strings.Replace(text, `THEME = "auto"`, `THEME = "light"`, 1), "[KEYS]\n",
			"[KEYS]\nsave = \"w\"\n", 1)
	}), 120, 30)
	d.Press("p", "down", "down", "down", "down")
	if got := p.effects.shown().LoRA.Dropout; got != 0.1 {
		t.Errorf("the preview has DROPOUT %v", got)
	}
	d.Press("enter")
	c := p.file.Config
	if c.Train.GradAccum != 4 || p.preset != "drains" || len(p.strays) != 0 {
		t.Errorf("GRAD_ACCUM %d, nearest %s with %v", c.Train.GradAccum, p.preset, p.strays)
	}
	if c.View.Theme != "light" || c.Keys["save"] != "w" {
		t.Error("a project preset changed what belongs to the person")
	}
	if d.Press("u"); p.Unsaved() != "" {
		t.Errorf("after one undo %s are left", p.Unsaved())
	}
}

func TestTicksKeepTheirOrder(t *testing.T) {
	p, d := opened(t, project(t, func(text string) string {
		return strings.Replace(text, `["q_proj", "k_proj", "v_proj", "o_proj"]`, `["v_proj", "q_proj"]`, 1)
	}), 120, 30)
	at(p, "LORA.TARGETS")
	d.Press("enter", "enter")
	if p.Unsaved() != "" {
		t.Error("looking at the list changed it")
	}
	d.Press("enter", "down", "space", "enter") // k_proj comes behind
	if got := strings.Join(p.file.Config.LoRA.Targets, " "); got != "v_proj q_proj k_proj" {
		t.Errorf("the targets are %s", got)
	}
}

func TestTextWithLineBreaksIsEditedAsTheFileWritesIt(t *testing.T) {
	p, d := opened(t, project(t, func(text string) string {
		return strings.Replace(text, `SYSTEM_PROMPT = ""`, `SYSTEM_PROMPT = "one\ntwo"`, 1)
	}), 120, 30)
	at(p, "CONVERT.SYSTEM_PROMPT")
	d.Press("enter")
	if got := p.editor.text(); got != `"one\ntwo"` {
		t.Fatalf("the editor has %s", got)
	}
	d.Press("backspace").Type(`!"`).Press("enter")
	if got := p.file.Config.Convert.SystemPrompt; got != "one\ntwo!" {
		t.Errorf("the prompt is %q", got)
	}
}

func TestTabCompletesAPathFolderByFolder(t *testing.T) {
	path := project(t, nil)
	for _, folder := range []string{"models/qwen", "models/.hidden", "demo"} {
		if err := os.MkdirAll(filepath.Join(filepath.Dir(path), folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p, d := opened(t, path, 120, 30)
	at(p, "MODEL.BASE")
	clear(d.Press("enter")).Type("mo")
	d.Wait("models/", func() bool { return len(p.editor.found) == 1 && p.editor.found[0] == "models/" })
	d.Press("tab").Wait("models/qwen/", func() bool {
		return len(p.editor.found) == 1 &&
			p.editor.found[0] == "models/qwen/"
	})
	d.Press("tab", "enter")
	if got := p.file.Config.Model.Base; got != "models/qwen/" {
		t.Errorf("BASE is %q", got)
	}
}

func TestKeyIsBoundAndTold(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	d.Press("G", "enter").Type("nonsense").Press("enter")
	if p.editor == nil || p.editor.prompt.Error == "" {
		t.Error("a line without = was taken")
	}
	clear(d).Type("save = ctrl+s").Press("enter")
	if p.file.Config.Keys["save"] != "ctrl+s" || p.list.section() != "KEYS" {
		t.Errorf("the keys are %v", p.file.Config.Keys)
	}
	d.Wait("the root to know", func() bool {
		for _, msg := range d.Seen() {
			if keys, ok := msg.(views.Keys); ok && keys["save"] == "ctrl+s" {
				return true
			}
		}
		return false
	})
}

func TestChangesAreToldToTheOtherPanes(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	before := count[views.ConfigChanged](d)
	put(d, p, "VIEW.THEME", "dark")
	put(d, p, "VIEW.REDRAWS", "10")
	d.Wait("both changes", func() bool { return count[views.ConfigChanged](d)-before == 2 })
	d.Wait("the theme and the redraws", func() bool {
		theme, redraws := views.ThemeChoice(""), views.Redraws(0)
		for _, msg := range d.Seen() {
			switch msg := msg.(type) {
			case views.ThemeChoice:
				theme = msg
			case views.Redraws:
				redraws = msg
			}
		}
		return theme == "dark" && redraws == 10
	})
}

func TestChangeByAnotherPaneIsShown(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	if err := p.file.Set("TRAIN.EPOCHS", "9"); err != nil {
		t.Fatal(err)
	}
	d.Send(views.ConfigChanged{File: p.file})
	at(p, "TRAIN.EPOCHS")
	if p.Unsaved() != "1 change to config.toml" || !d.Shows("was 6") {
		t.Errorf("unsaved %q:\n%s", p.Unsaved(), d.Screen())
	}
}

func TestFilterFindsNamesAndExplanations(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	at(p, "TRAIN.WARMUP_STEPS")
	d.Press("/").Type("learning rises").Press("enter")
	if r, _ := p.list.selected(); len(p.list.rows) != 1 || r.field.Name() != "TRAIN.WARMUP_STEPS" {
		t.Errorf("%d rows, at %s", len(p.list.rows), r.field.Name())
	}
	d.Press("esc")
	if r, _ := p.list.selected(); p.list.filter.Text() != "" || r.field.Name() != "TRAIN.WARMUP_STEPS" {
		t.Errorf("after esc the filter is %q, the cursor at %s", p.list.filter.Text(), r.field.Name())
	}
	d.Press("/").Type("zzz").Press("enter", "enter", "space", "y", "backspace", "J", "]", "left", "up", "u", "D", "esc")
	if p.Unsaved() != "" {
		t.Error("without a constant something was changed")
	}
}

func TestNextProblemGoesToIt(t *testing.T) {
	p, d := opened(t, project(t, nil), 80, 22)
	put(d, p, "MODEL.MAX_PIXELS", "1000")
	d.Press("g", "J")
	if r, _ := p.list.selected(); r.field.Name() != "MODEL.MIN_PIXELS" || !strings.Contains(p.Status(), "✗ 1 error") {
		t.Errorf("at %s, status %q", r.field.Name(), p.Status())
	}
}

func TestMouseSelectsThenOpens(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	d.Click(30, 3) // SEED
	if r, _ := p.list.selected(); r.field.Name() != "PROJECT.SEED" || p.editor != nil {
		t.Fatalf("the click selected %s", r.field.Name())
	}
	if d.Click(30, 3); p.editor == nil {
		t.Error("the second click did not open the editor")
	}
	d.Press("esc").Click(3, 8) // TRAIN in the sections
	if p.list.section() != "TRAIN" {
		t.Errorf("the click went to %s", p.list.section())
	}
	d.Send(tea.WindowSizeMsg{Width: 80, Height: 22}).Click(11, 1)
	if p.list.section() != "DATASET" {
		t.Errorf("the click on the strip went to %s:\n%s", p.list.section(), d.Screen())
	}
}

func TestEveryConstantOpensAndClosesUnchanged(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	for _, field := range config.Fields() {
		if field.Kind == config.Switch {
			continue
		}
		at(p, field.Name())
		d.Press("enter")
		if !p.Capturing() {
			t.Errorf("%s has no editor", field.Name())
		}
		if d.Press("enter"); p.Unsaved() != "" || p.Capturing() {
			t.Fatalf("%s: opened and closed, %s", field.Name(), p.Unsaved())
		}
	}
}

func TestArrowsStepTheLastDigitOfANumber(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	for _, c := range []struct{ name, typed, key, want string }{
		{"TRAIN.EPOCHS", "12", "up", "13"}, {"TRAIN.EPOCHS", "1", "down", "1"}, {"TRAIN.LEARNING_RATE", "0.004",
			"down", "0.003"},
		{"TRAIN.LEARNING_RATE", "2e-4", "up", "3e-4"}, {"LORA.DROPOUT", "0.9", "up", "0.9"},
		{"LORA.DROPOUT", "x", "up", "x"},
		{"TRAIN.EPOCHS", "9", "up", "10"}, {"LORA.ALPHA", "1.", "up", "2"},
	} {
		at(p, c.name)
		clear(d.Press("enter")).Type(c.typed).Press(c.key)
		if got := p.editor.text(); got != c.want {
			t.Errorf("%s: %s %s is %s, want %s", c.name, c.typed, c.key, got, c.want)
		}
		d.Press("esc")
	}
}

func TestSaveByAnotherPaneClearsTheMarks(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	put(d, p, "TRAIN.EPOCHS", "12")
	if err := p.file.Save(); err != nil {
		t.Fatal(err)
	}
	d.Send(views.ConfigChanged{File: p.file})
	if p.Unsaved() != "" || d.Shows("was 6") {
		t.Errorf("unsaved %q:\n%s", p.Unsaved(), d.Screen())
	}
}

func BenchmarkOpenAndFirstFrame(b *testing.B) {
	file, err := config.Load(project(b, nil))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p := New(Options{File: file})
		p.View(theme, 120, 30)
	}
}

func BenchmarkKey(b *testing.B) {
	p, _ := opened(b, project(b, nil), 120, 30)
	at(p, "TRAIN.EPOCHS")
	p.editing.open()
	for b.Loop() {
		p.editing.foresee()
		p.View(theme, 120, 30)
	}
}

func TestEnterInTheSectionsGoesToTheConstant(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	d.Press("shift+tab", "down", "down", "enter")
	if p.list.section() != "CONVERT" || p.editor != nil || p.views.Board().Focused() != "constants" {
		t.Errorf("in %s, focus on %s", p.list.section(), p.views.Board().Focused())
	}
	if d.Press("enter"); p.editor == nil {
		t.Error("the second enter did not open the editor")
	}
}
