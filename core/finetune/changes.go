package finetune

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/level"
	"finetui/core/run"
)

// changeable are the constants that a run may go on with in another value: a whole section ends in a dot. How is what
// becomes of it. All others are fixed when the run is started, since its checkpoints hold what they made.
var changeable = []struct{ name, how string }{
	{"PROJECT.NAME", ""},
	{"DATASET.PATH", "the data set must be the one of then"},
	{"DATASET.MEDIA", "the data set must be the one of then"},
	{"DATASET.ANALYSIS", ""},
	{"CONVERT.", ""},
	{"MODEL.BASE", "the base must be the one of then"},
	{"MODEL.CACHE", ""},
	{"TORCH.PYTHON", ""},
	{"TORCH.PROCESSES", "sums are added in another order, so that last digits may differ"},
	{"TORCH.HOSTS", "sums are added in another order, so that last digits may differ"},
	{"TORCH.REMOTE", ""},
	{"TORCH.ATTENTION", "sums are added in another order, so that last digits may differ"},
	{"TRAIN.EPOCHS", "the learning rate goes on where it stood, and what is left of its course is spread over the " +
		"steps that are left"},
	{"TRAIN.LOG_EVERY", ""},
	{"TRAIN.EVAL_EVERY", ""},
	{"TRAIN.SAVE_EVERY", ""},
	{"TRAIN.KEEP", ""},
	{"TRAIN.BEST_BY", "the best of the checkpoints that are kept is chosen anew"},
	{"TRAIN.THREADS", "sums are added in another order, so that last digits may differ"},
	{"TRAIN.CHECKPOINTING", "the values stay the same"},
	{"TRAIN.FOLLOW", ""},
	{"EVAL.", ""},
	{"INFER.", ""},
	{"VIEW.", ""},
	{"KEYS.", ""},
}

// ofTheCall are constants that say where runs are looked for: they are no part of a run.
var ofTheCall = []string{"PROJECT.RUNS", "PROJECT.WATCH"}

// Fixed is the error for constants that a run cannot go on with in another value.
type Fixed struct {
	Run   string
	Names []string
	Was   []string // their values
}

func (f *Fixed) Error() string {
	var was []string
	for i, name := range f.Names {
		was = append(was, name+" = "+f.Was[i])
	}
	var may []string
	for _, c := range changeable {
		if name, whole := strings.CutSuffix(c.name, "."); whole {
			may = append(may, "["+name+"]")
		} else {
			may = append(may, c.name)
		}
	}
	return fmt.Sprintf("%s was started with %s, which cannot change in a run that goes on: start a new run for that "+
		"(finetui train). What may change: %s", f.Run, strings.Join(was, ", "), strings.Join(may, ", "))
}

// howChanged says what becomes of a constant that changes, and whether it may.
func howChanged(name string) (how string, may bool) {
	for _, c := range changeable {
		if name == c.name || strings.HasSuffix(c.name, ".") && strings.HasPrefix(name, c.name) {
			return c.how, true
		}
	}
	return "", false
}

// change is a run's snapshot with the words of a command line, SECTION.KEY=value, and what they change in it. The error
// is a *Fixed for constants that may not change.
func change(label string, was *config.Snapshot, words []string) (*config.Snapshot, []config.Change, error) {
	var mine []string
	for _, word := range words {
		if name, _, _ := strings.Cut(word, "="); !slices.Contains(ofTheCall, strings.TrimSpace(name)) {
			mine = append(mine, word)
		}
	}
	now, err := was.Override(mine)
	if err != nil {
		return nil, nil, err
	}
	changes := config.Diff(was.Config, now.Config)
	if len(changes) == 0 {
		return now, nil, nil
	}
	fixed := &Fixed{Run: label}
	for _, c := range changes {
		if _, may := howChanged(c.Key); !may {
			fixed.Names, fixed.Was = append(fixed.Names, c.Key), append(fixed.Was, c.Old)
		}
	}
	if len(fixed.Names) > 0 {
		return nil, nil, fixed
	}
	for _, p := range config.Validate(now.Config) {
		if p.Level == level.Error {
			return nil, nil, fmt.Errorf("%s %s", p.Key, p.Text)
		}
	}
	return now, changes, nil
}

// describe says in a sentence what a run goes on with.
func describe(changes []config.Change) string {
	var parts []string
	for _, c := range changes {
		part := fmt.Sprintf("%s %s → %s", c.Key, c.Old, c.New)
		if how, _ := howChanged(c.Key); how != "" {
			part += " (" + how + ")"
		}
		parts = append(parts, part)
	}
	return "the run goes on with " + strings.Join(parts, "; ")
}

// errNothingToDo is in the error for a run that is done.
var errNothingToDo = errors.New("there is nothing to resume")

// goOn says whether a run that is done can go on all the same: since it is given more epochs, or since its newest
// checkpoint is damaged.
func goOn(r *run.Run, was *config.Config, changes []config.Change, now *config.Config) error {
	for _, c := range changes {
		if c.Key != "TRAIN.EPOCHS" || now.Train.Epochs <= was.Train.Epochs {
			continue
		}
		if was.Train.Schedule != "constant" {
			return fmt.Errorf("%s is done, and its learning rate has come down to 0 (TRAIN.SCHEDULE = %q): more "+
				"epochs would teach it nothing; "+
				"start a new run with TRAIN.EPOCHS=%d", r.Label(), was.Train.Schedule, now.Train.Epochs)
		}
		return nil
	}
	if saved, ok := r.Latest(); ok {
		if err := saved.Verify(); err != nil {
			return nil
		}
		if saved.Step >= r.Info.Steps {
			return fmt.Errorf("%s is done: %w; TRAIN.EPOCHS=%d or more would give it more to do where "+
				"TRAIN.SCHEDULE is constant",
				r.Label(), errNothingToDo, was.Train.Epochs+1)
		}
	}
	return nil
}

// endsLater says whether fewer epochs than were planned leave a run something to do.
func endsLater(r *run.Run, was, now *config.Config) error {
	saved, ok := r.Latest()
	if !ok || now.Train.Epochs >= was.Train.Epochs || saved.Step*was.Train.Epochs <= r.Info.Steps*now.Train.Epochs {
		return nil
	}
	return fmt.Errorf("%s is at step %d of %d in %d epochs: %w with TRAIN.EPOCHS=%d, which end before", r.Label(),
		saved.Step, r.Info.Steps, was.Train.Epochs, errNothingToDo, now.Train.Epochs)
}
