package convert

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/core/model"
	"finetui/core/project"
)

// HandedOver is what another trainer is started with: records, its configuration, and the calls that use them.
type HandedOver struct {
	*Result
	Config   string   `json:"config"`   // its file
	Commands []string `json:"commands"` // one after the other
}

// ownSettings is how every configuration begins that this package writes.
const ownSettings = "# Written by finetui export"

var ownSettingsStart = regexp.MustCompile("^" + regexp.QuoteMeta(ownSettings))

// settingsFile is the name of the configuration, in the folder of the records.
const settingsFile = "train.yaml"

// TrainerOf is the dialect of a trainer that can be handed over to, under the name that it gives itself, too.
func TrainerOf(name string) (config.Dialect, bool) {
	for _, d := range dialects {
		if d.settings != nil && strings.ReplaceAll(name, "-", "") == strings.ReplaceAll(string(d.name), "-", "") {
			return d.name, true
		}
	}
	return "", false
}

// HandOver writes the samples in CONVERT.DIALECT as Write does and, beside them, the trainer's configuration with the
// constants of the recipe. Weights that the dialect does not carry become copies, as RECIPE.SAMPLING does; what the
// trainer cannot be told is a finding.
func HandOver(ctx context.Context, p *project.Project, report project.Progress) (*HandedOver, error) {
	d, err := find(p.Config.Convert.Dialect)
	if err != nil {
		return nil, err
	}
	if d.settings == nil {
		return nil, fmt.Errorf("CONVERT.DIALECT = %q: there is no configuration for it; choose llama-factory, "+
			"ms-swift, trl or axolotl", d.name)
	}
	if kind, _ := p.Kind(); kind != nil {
		if alone, is := kind.(model.Alone); is {
			return nil, &config.Unusable{Key: "MODEL.BASE", Text: fmt.Sprintf("%s cannot train %s: transformers has no "+
				"such model. Its own trainer can: finetui convert CONVERT.DIALECT=%s writes what that reads, and finetui "+
				"train trains it here", d.trainer, p.Config.Model.Base, alone.OwnDialect())}
		}
	}
	path := filepath.Join(p.File.Abs(p.Config.Convert.Output), settingsFile)
	if err := disk.OwnMatch(path, ownSettingsStart); err != nil {
		return nil, fmt.Errorf("CONVERT.OUTPUT: %w", err)
	}
	h := &handing{}
	result, err := write(ctx, p, h, report)
	if err != nil {
		return nil, err
	}
	return &HandedOver{Result: result, Config: path, Commands: h.commands}, nil
}

// handing is what a conversion does beyond its records where they are handed over.
type handing struct {
	folded   bool    // weights are written as copies
	copies   float64 // rows of train for each sample of an epoch; 0: one
	commands []string
}

// folds says that weights become copies: the trainer's loss has none.
func (w *writer) folds() bool {
	return w.handing != nil && !w.d.holds.weights && w.weighted()
}

// create writes the trainer's configuration.
func (s *setup) create() error {
	path := filepath.Join(s.w.dir, settingsFile)
	s.w.result.Files = append(s.w.result.Files, File{Path: path})
	return create(path, func(out io.Writer) error {
		_, err := io.WriteString(out, s.text())
		return err
	})
}

// setup is what a trainer is told.
type setup struct {
	w           *writer
	train       string // files of records; "" where there is none
	valid       string
	base        string // of the model: a folder or a name of the hub
	revision    string // of the hub's; "" for the newest
	epochs      float64
	warmup      int
	schedule    string // as transformers calls it
	towers      bool   // the vision tower or its merger is adapted, too
	weighted    bool   // rows have weights
	lines       []settingLine
	checkpoints int // kept
}

type settingLine struct{ key, value, comment string }

// setup works out what is the same for every trainer, and then has the dialect say it.
func (w *writer) setup() *setup {
	c := w.p.Config
	s := &setup{w: w, epochs: float64(c.Train.Epochs), schedule: string(c.Train.Schedule), weighted: w.tokens != nil,
		checkpoints: c.Train.Keep + 1}
	rows := 0
	for _, f := range w.result.Files {
		switch f.Split {
		case "train":
			s.train, rows = filepath.Base(f.Path), f.Records
		case "valid":
			s.valid = filepath.Base(f.Path)
		}
	}
	if w.handing.copies > 0 {
		s.epochs = math.Round(s.epochs/w.handing.copies*1e4) / 1e4
	}
	step := c.Train.BatchSize * c.Train.GradAccum
	if s.warmup = c.Train.WarmupSteps; s.warmup == 0 && c.Train.WarmupRatio > 0 {
		steps := math.Ceil(float64(rows)/float64(step)) * s.epochs
		s.warmup = int(math.Ceil(c.Train.WarmupRatio * steps))
	}
	if c.Train.Schedule == config.ScheduleConstant && s.warmup > 0 {
		s.schedule = "constant_with_warmup"
	}
	s.towers = slices.ContainsFunc(c.LoRA.Targets, func(t string) bool { return !strings.HasSuffix(t, "_proj") })
	s.nameBase()
	if c.Train.ProjectorLR > 0 {
		s.lose("TRAIN.PROJECTOR_LEARNING_RATE = %g: %s trains no projector beside an adapter; it stays frozen",
			c.Train.ProjectorLR, w.d.trainer)
	}
	if c.Train.BestBy != config.BestByLast {
		s.lose("TRAIN.BEST_BY = %q: %s ends with its last step; score its checkpoints with finetui eval FOLDER",
			c.Train.BestBy, w.d.trainer)
	}
	w.d.settings(s)
	if w.handing.folded {
		w.said.all(weightsFolded, fmt.Sprintf("the weights of RECIPE are in the file of train as copies: %s has no "+
			"weights, and who comes twice as often weighs twice as much", w.d.trainer))
	}
	return s
}

// nameBase names the model as the trainer finds it. The built-in one is written out first.
func (s *setup) nameBase() {
	c := s.w.p.Config
	switch name := c.Model.Base; {
	case name == model.Tiny:
		s.base = filepath.Join(s.w.dir, "base")
		s.call("finetui export base " + quoted(s.base))
	default:
		s.base = s.w.p.File.Abs(name)
		if !there(s.base) {
			s.base, s.revision, _ = strings.Cut(name, "@")
		}
	}
	s.call("cd " + quoted(s.w.dir))
}

// call adds a command.
func (s *setup) call(command string) { s.w.handing.commands = append(s.w.handing.commands, command) }

// lose notes what the trainer cannot be told.
func (s *setup) lose(text string, args ...any) { s.w.said.all(notTold, fmt.Sprintf(text, args...)) }

// whole is a number that the trainer takes as a whole one only.
func (s *setup) whole(key string, value float64) int {
	n := int(math.Round(value))
	if float64(n) != value {
		s.lose("%s = %g: %s takes whole numbers; %d is written", key, value, s.w.d.trainer, n)
	}
	return n
}

// text is the configuration, with what it was made from and how it is used.
func (s *setup) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, for %s: the constants of %s in the names of its own.\n", ownSettings, s.w.d.trainer,
		oneLine(s.w.p.File.Path))
	for _, command := range s.w.handing.commands {
		fmt.Fprintf(&b, "#   %s\n", oneLine(command))
	}
	for _, found := range s.w.said.list {
		switch found.Code {
		case notTold, noFocal, noSampling:
			fmt.Fprintf(&b, "# not told: %s\n", oneLine(found.Text))
		case sampling, weightsFolded:
			fmt.Fprintf(&b, "# folded in: %s\n", oneLine(found.Text))
		}
	}
	for _, l := range s.lines {
		if l.comment != "" {
			fmt.Fprintf(&b, "# %s\n", l.comment)
		}
		if l.value == "" {
			fmt.Fprintf(&b, "%s:\n", l.key)
		} else {
			fmt.Fprintf(&b, "%s: %s\n", l.key, l.value)
		}
	}
	return b.String()
}
