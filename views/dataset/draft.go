package dataset

import (
	"context"
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	data "finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/core/stats"
	"finetui/views"
)

// recipeDraft is the recipe as the user turns it: a copy of the constants that is edited, and what it came to. The
// project's own file changes only by takeOver.
type recipeDraft struct {
	copy *config.Config // another one after each change
	last *config.Config // the file's constants that the copy was made of
	err  error          // why there is no copy

	*weighed
	request views.Request
	asked   weighKey
}

// weighKey is everything that the weighing of a recipe depends on.
type weighKey struct {
	recipe   config.Recipe
	model    config.Model
	train    config.Train
	reads    int
	seed     int
	moderate float64
}

// weighed is what a recipe comes to on the data set.
type weighed struct {
	key    weighKey
	recipe *recipe.Recipe
	table  recipe.Table
	plan   config.Plan          // steps of the run
	hidden int                  // objects of train that cannot be shown, and are left out of them
	groups []stats.FindingGroup // of lint: errors and warnings, what concerns the loss mass first
	err    error
}

// setting is a constant of RECIPE that the view turns.
type setting struct {
	key   string
	steps []string // of a number, in rising order
	used  func(config.Recipe) bool
}

var settings = []setting{
	{key: "CLASS_WEIGHTS"},
	{key: "CONDITION_WEIGHTS"},
	{key: "SAMPLING"},
	{key: "EFFECTIVE_BETA", steps: []string{"0.9", "0.99", "0.999", "0.9999", "0.99999"},
		used: func(r config.Recipe) bool {
			return r.ClassWeights == config.WeightEffectiveNumber || r.ConditionWeights == config.WeightEffectiveNumber
		}},
	{key: "REPEAT_THRESHOLD", steps: []string{"0.01", "0.02", "0.05", "0.1", "0.2", "0.3", "0.5", "0.7", "1.0"},
		used: func(r config.Recipe) bool { return r.Sampling == config.SampleRepeatFactor }},
	{key: "LOSS"},
	{key: "FOCAL_GAMMA", steps: []string{"0.0", "0.5", "1.0", "1.5", "2.0", "3.0", "5.0"},
		used: func(r config.Recipe) bool { return r.Loss == config.LossFocal }},
	{key: "PROMPT"},
	{key: "POSITION_WORDS"},
	{key: "PROMPT_FACTS"},
	{key: "FACTS_FROM"},
	{key: "CONTEXT"},
	{key: "CROP_MARGIN", steps: []string{"0.0", "0.05", "0.1", "0.2", "0.3", "0.5", "1.0"}, used: cropped},
	{key: "CROP_SQUARE", used: cropped},
}

func cropped(r config.Recipe) bool {
	return r.Context == config.ContextCrop || r.Context == config.ContextFullCrop
}

func (s setting) name() string { return "RECIPE." + s.key }

// draft is the constants as the user has turned them.
func (x *recipeDraft) draft() *config.Config { return x.copy }

// follow makes the copy anew from the project's file; what was turned in it stays so.
func (x *recipeDraft) follow(file *config.File) {
	var turned []config.Change
	if x.copy != nil {
		turned = x.turned()
	}
	if file == nil {
		x.copy = nil
		return
	}
	fresh, err := config.Changed(file.Config, turned...)
	if err != nil {
		x.err = err
		return
	}
	x.copy, x.last, x.err = fresh, file.Config, nil
}

// turned is the constants in which the draft differs from the project's file.
func (x *recipeDraft) turned() []config.Change { return config.Diff(x.last, x.copy) }

// set turns a constant of RECIPE; recipe.Changed says what goes with it.
func (x *recipeDraft) set(key, text string) error {
	turned, err := recipe.Changed(x.copy, config.Change{Key: "RECIPE." + key, New: text})
	if err == nil {
		x.copy = turned
	}
	return err
}

// shown are the settings that matter with the others as they are.
func (x *recipeDraft) shown() []setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s setting) bool {
		return s.used != nil &&
			!s.used(x.draft().Recipe)
	})
}

// turn goes to the next or the previous value of a setting.
func (x *recipeDraft) turn(s setting, by int) error {
	values, now := s.values(), config.Plain(x.draft(), s.name())
	i := slices.Index(values, now)
	if i < 0 { // a number between the steps
		i = s.place(now)
		if by > 0 {
			i--
		}
	}
	if i += by; i < 0 || i >= len(values) {
		return nil
	}
	return x.set(s.key, values[i])
}

// values are what a setting can be turned to.
func (s setting) values() []string {
	field, err := config.Lookup(s.name())
	switch {
	case s.steps != nil:
		return s.steps
	case err == nil && field.Kind == config.Switch:
		return []string{"false", "true"}
	}
	return field.Choices
}

// place is the first step that is not below a number.
func (s setting) place(text string) int {
	v, _ := strconv.ParseFloat(text, 64)
	return len(s.steps) - len(slices.DeleteFunc(slices.Clone(s.steps), func(step string) bool {
		n, _ := strconv.ParseFloat(step, 64)
		return n < v
	}))
}

// weigh asks what the draft comes to, where that is not known or on its way.
func (p *shared) weigh() tea.Cmd {
	x := &p.recipe
	if x.copy == nil {
		return nil
	}
	cfg := *x.draft()
	key := weighKey{cfg.Recipe, cfg.Model, cfg.Train, p.reads, cfg.Project.Seed, cfg.Dataset.ModerateAbove}
	if x.weighed != nil && x.weighed.key == key || x.request.Pending() && x.asked == key {
		return nil
	}
	x.asked = key
	set, frozen := p.set, &config.Snapshot{Root: p.file.Root, Config: &cfg}
	return views.Ask(&x.request, views.InTurn(func(ctx context.Context) (*weighed, error) {
		return weigh(ctx, set, frozen, key)
	}))
}

// weigh works out what a recipe comes to. An error is that of ctx.
func weigh(ctx context.Context, set *data.Dataset, file *config.Snapshot, key weighKey) (*weighed, error) {
	cfg := file.Config
	w := &weighed{key: key}
	if w.recipe, w.err = recipe.Build(set, cfg); w.err != nil {
		return w, nil
	}
	w.table = recipe.Mass(w.recipe, nil)
	batches := (&project.Project{File: file, Config: cfg, Data: set, Recipe: w.recipe}).Batches()
	w.plan, w.hidden = batches.Plan(cfg.Train), batches.Hidden
	found, err := w.recipe.Lint(ctx, nil) // lengths need a tokenizer, which lint and train load
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(f data.Finding) bool { return f.Level == level.Info })
	w.groups = stats.GroupFindings(found)
	slices.SortStableFunc(w.groups, func(a, b stats.FindingGroup) int { return massFirst(a) - massFirst(b) })
	return w, nil
}

// massFirst is 0 for findings on the loss mass, which the view is about.
func massFirst(g stats.FindingGroup) int {
	if g.Code == "paid_twice" || g.Code == "mass_inverted" {
		return 0
	}
	return 1
}

func (x *recipeDraft) answered(msg views.Answer[*weighed]) {
	if x.request.Takes(msg.Ticket) {
		x.request.Close()
		x.weighed = msg.Value
	}
}
