package finetune

import (
	"context"
	"fmt"
	"math"

	"finetui/core/model"
	"finetui/core/run"
	"finetui/ml/lora"
)

// The counters that a checkpoint keeps besides the trainer's own state.
const (
	countTokens  = "tokens"
	countSamples = "samples"
	countBest    = "best"    // bits of the best score so far
	countChecked = "checked" // step of the newest check on valid
)

// checkpoint writes the adapter and the trainer's state, unless this step's is there.
func (j *job) checkpoint() error {
	if j.saved == j.step && j.step > 0 {
		return nil
	}
	err := j.w.Checkpoint(j.step, func(dir string) error {
		if err := lora.Write(dir, j.adapter, model.Adapters(j.model, j.adapter)); err != nil {
			return err
		}
		return j.trainer.Save(dir, map[string]uint64{countTokens: uint64(j.seen.tokens), countSamples: uint64(j.seen.samples),
			countBest: math.Float64bits(j.best), countChecked: uint64(j.checked)})
	})
	if err == nil {
		j.saved = j.step
		j.w.Logf("step %d: checkpoint written", j.step)
	}
	return err
}

// restore goes back to the newest checkpoint, if there is one.
func (j *job) restore() error {
	last, ok := j.w.Latest()
	if !ok {
		return nil
	}
	cfg, adapters, err := lora.Read(last.Path)
	if err != nil {
		return err
	}
	if cfg.R != j.adapter.R || cfg.Alpha != j.adapter.Alpha || cfg.RSLoRA != j.adapter.RSLoRA {
		return fmt.Errorf("%s has other LoRA constants than the run's config.toml", last.Path)
	}
	if err := model.Fill(j.model, adapters); err != nil {
		return fmt.Errorf("%s: %w", last.Path, err)
	}
	counters, err := j.trainer.Restore(last.Path)
	if err != nil {
		return err
	}
	j.step, j.saved = j.trainer.Solver.Steps(), j.trainer.Solver.Steps()
	j.seen.tokens, j.seen.samples = int(counters[countTokens]), int(counters[countSamples])
	j.best, j.checked = math.Float64frombits(counters[countBest]), int(counters[countChecked])
	j.w.Logf("restored step %d from %s", j.step, last.Path)
	return nil
}

// check measures loss and answers on valid and keeps the best checkpoint.
func (j *job) check(ctx context.Context) error {
	if j.checked = j.step; len(j.valid) == 0 {
		return nil
	}
	batch, err := j.samples.get(ctx, j.valid)
	if err != nil {
		return err
	}
	loss, err := j.trainer.Evaluate(ctx, batch)
	if err != nil {
		return err
	}
	result, err := j.p.Evaluate(ctx, j.subject, j.w.Info().Name, "valid", 0, nil)
	if err != nil {
		return err
	}
	row := &run.Eval{Head: run.Head{Step: j.step}, Split: "valid", Loss: run.Float(loss.LossPlain), Accuracy: run.Float(result.Accuracy),
		MacroF1: run.Float(result.MacroF1), Recall: map[string]run.Recall{}}
	for _, c := range result.Classes {
		row.Recall[c.Name] = run.Recall{N: c.Value.Support, Right: c.Value.Right}
	}
	if err := j.w.Append(row); err != nil {
		return err
	}
	j.w.Logf("step %d: valid loss %.4f, accuracy %.1f %%, macro-F1 %.3f", j.step, loss.LossPlain, 100*result.Accuracy, result.MacroF1)
	score := map[string]float64{"loss": -loss.LossPlain, "accuracy": result.Accuracy, "macro_f1": result.MacroF1}[j.p.Config.Train.BestBy]
	if score <= j.best {
		return nil
	}
	j.best = score
	if err := j.checkpoint(); err != nil {
		if run.IsDiskFull(err) {
			return nil // recorded, and the run goes on
		}
		return err
	}
	return j.w.MarkBest(j.step)
}
