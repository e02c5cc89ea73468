package finetune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/level"
	"finetui/core/run"
	"finetui/ml/train"
	"finetui/ml/wholefile"
)

// The counters that a checkpoint keeps besides the trainer's own state.
const (
	countTokens  = "tokens"
	countSamples = "samples"
)

// Counters that an older program kept there: bits of the best score so far, and the step of the newest check.
const (
	countBest    = "best"
	countChecked = "checked"
)

// windowFile holds, of a checkpoint between two rows of metrics, what the next row begins with.
const windowFile = "window.json"

// checkpoint writes the adapter and the trainer's state, unless
// this step's is there, and how it did where that is known.
func (j *job) checkpoint() error {
	if j.saved == j.step && j.step > 0 {
		return nil
	}
	err := j.w.Checkpoint(j.step, func(dir string) error {
		if j.window.steps > 0 {
			text, err := json.Marshal(j.window.part())
			if err == nil {
				err = wholefile.Write(filepath.Join(dir, windowFile), append(text, '\n'))
			}
			if err != nil {
				return err
			}
		}
		return j.engine.Save(dir, map[string]uint64{countTokens: uint64(j.seen.tokens),
			countSamples: uint64(j.seen.samples)})
	})
	if err != nil {
		return err
	}
	j.saved = j.step
	j.w.Logf("step %d: checkpoint written", j.step)
	return j.rate()
}

// rate notes how the checkpoint of this step did on valid, where there is one and it was measured.
func (j *job) rate() error {
	if j.score == nil || j.rated || j.saved != j.step {
		return nil
	}
	err := j.w.Rate(j.step, *j.score)
	j.rated = err == nil
	return err
}

// restore goes back to the newest checkpoint that is whole, if there is one.
func (j *job) restore() error {
	for {
		last, ok := j.w.Latest()
		if !ok {
			return nil
		}
		err := j.restoreFrom(last)
		if err == nil || errors.Is(err, train.ErrOther) {
			return err
		}
		if err := j.w.SetAside(last, err); err != nil { // one without checksums, of an older program
			return err
		}
	}
}

// restoreFrom goes back to a checkpoint.
func (j *job) restoreFrom(last run.Saved) error {
	state, err := j.engine.Restore(last.Path)
	if err != nil {
		return err
	}
	if j.window, err = readWindow(last.Path); err != nil {
		return err
	}
	j.step, j.saved, j.score, j.rated = state.Step, state.Step, last.Valid, last.Valid != nil
	j.seen.tokens, j.seen.samples = int(state.Counters[countTokens]), int(state.Counters[countSamples])
	j.w.Logf("restored step %d from %s", j.step, last.Path)
	if err := j.adopt(last, state); err != nil {
		return err
	}
	if j.batches.Steps() != state.Steps {
		return j.newTotal(state)
	}
	return nil
}

// newTotal says what becomes of the learning rate in a run that has more steps now, or fewer.
func (j *job) newTotal(state State) error {
	text := fmt.Sprintf("the run has %d steps in all now, not %d", j.batches.Steps(), state.Steps)
	if j.batches.Steps() < j.step {
		return fmt.Errorf("%s, but step %d is taken already: TRAIN.EPOCHS cannot be less than what is done: %w", text,
			j.step, train.ErrOther)
	}
	return j.w.Append(&run.Event{Head: run.Head{Step: j.step}, Level: level.Info, Text: fmt.Sprintf(
		"%s: the learning rate goes on at %.3g, where it stood, and what is left of its course is spread over the "+
			"%d steps that are left", text, state.Rate, j.batches.Steps()-j.step)})
}

// adopt gives the checkpoints of an older program checksums, and to the
// one that its link calls the best the score that is known.
func (j *job) adopt(last run.Saved, state State) error {
	bits, old := state.Counters[countBest]
	if !old {
		return nil
	}
	list, err := (&run.Run{Dir: j.w.Dir(), Info: j.w.Info()}).Checkpoints()
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.Valid != nil {
			return nil // it was adopted before
		}
	}
	best, checked := math.Float64frombits(bits), int(state.Counters[countChecked])
	for _, s := range list {
		var score *run.Score
		if v := run.Float(best); s.Best && !math.IsInf(best, 0) {
			score = &run.Score{Loss: -v, Accuracy: v, MacroF1: v}
			nan := run.Float(math.NaN())
			switch j.p.Config.Train.BestBy {
			case config.BestByAccuracy, config.BestByMacroF1:
				score.Loss = nan
			case config.BestByLoss:
				score.Accuracy, score.MacroF1 = nan, nan
			case config.BestByLast: // what it was best by is not known
				score = &run.Score{Loss: nan, Accuracy: nan, MacroF1: nan}
			}
		}
		if s.Step == last.Step && score == nil && checked == s.Step { // measured, and not the best
			nan := run.Float(math.NaN())
			score = &run.Score{Loss: nan, Accuracy: nan, MacroF1: nan}
		}
		if err := j.w.Adopt(s, score); err != nil {
			return err
		}
		if s.Step == last.Step {
			j.score = score
		}
	}
	return j.w.Mend()
}

// check measures loss and answers on valid.
func (j *job) check(ctx context.Context) error {
	if len(j.valid) == 0 {
		return nil
	}
	loss, replies, err := j.engine.Check(ctx, j.valid)
	if err != nil {
		return err
	}
	by, resamples := j.p.Config.Train.BestBy, 0
	if by == config.BestByMacroF1 {
		resamples = 300
	}
	result, err := j.p.Score(j.valid, replies, j.w.Info().Name, "valid", resamples)
	if err != nil {
		return err
	}
	score := run.Score{Loss: run.Float(loss.LossPlain), Accuracy: run.Float(result.Accuracy),
		MacroF1: run.Float(result.MacroF1)}
	row := &run.Eval{Head: run.Head{Step: j.step}, Split: "valid", Loss: score.Loss, Accuracy: score.Accuracy,
		MacroF1: score.MacroF1, Unparsed: result.Unparsed, Recall: map[string]run.Recall{}}
	if by != config.BestByLast {
		row.By, row.SE = by, run.Float(standardError(by, loss.Samples, result))
	}
	for _, c := range result.Classes {
		row.Recall[c.Name] = run.Recall{N: c.Value.Support, Right: c.Value.Right}
	}
	if err := j.w.Append(row); err != nil {
		return err
	}
	j.score = &score // only now: one that was broken off is made anew
	j.w.Logf("step %d: valid loss %.4f, accuracy %.1f %%, macro-F1 %.3f", j.step, loss.LossPlain, 100*result.Accuracy,
		result.MacroF1)
	return nil
}

// better says whether this step did better on valid than every checkpoint on disk. By TRAIN.BEST_BY = last none does.
func (j *job) better() bool {
	info := j.w.Info()
	if j.score == nil || info.BestBy == config.BestByLast || math.IsInf(j.score.By(info.BestBy), -1) {
		return false
	}
	best, ok := j.w.Best()
	return !ok || info.Better(j.score, best.Valid)
}

// standardError is that of the figure that TRAIN.BEST_BY chooses by, from valid's own objects drawn again.
func standardError(by config.BestBy, loss []train.SampleLoss, result *eval.Result) float64 {
	switch by {
	case config.BestByAccuracy:
		return math.Sqrt(result.Accuracy * (1 - result.Accuracy) / float64(result.N)) // what drawing comes to
	case config.BestByMacroF1:
		if i := result.MacroF1Interval; i != nil {
			const widths = 2 * 1.959964 // of a standard error, that 95 % take
			return (i[1] - i[0]) / widths
		}
	case config.BestByLoss:
		return lossError(loss)
	}
	return 0
}

// lossError is that of a mean over tokens, when samples are drawn.
func lossError(loss []train.SampleLoss) float64 {
	nll, tokens := 0.0, 0.0
	for _, l := range loss {
		nll, tokens = nll+l.NLL, tokens+float64(l.Tokens)
	}
	sum := 0.0
	for _, l := range loss {
		d := l.NLL - nll/tokens*float64(l.Tokens)
		sum += d * d
	}
	return math.Sqrt(sum) / tokens
}

// readWindow reads what a checkpoint has of the next row.
func readWindow(dir string) (w window, err error) {
	text, err := wholefile.Read(filepath.Join(dir, windowFile), 64<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	var p part
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return w, fmt.Errorf("%s is damaged: %w", windowFile, err)
	}
	return p.window(), nil
}
