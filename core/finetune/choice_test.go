package finetune

import (
	"math"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/run"
	"finetui/ml/train"
)

func TestARunIsScoredAtItsLastStepUnlessAFigureChooses(t *testing.T) {
	for _, by := range []config.BestBy{config.BestByLast, config.BestByMacroF1, config.BestByLoss} {
		f := smallProject(t)
		if err := f.Override([]string{"TRAIN.BEST_BY=" + string(by), "TRAIN.EPOCHS=1", "TRAIN.EVAL_EVERY=2",
			"TRAIN.SAVE_EVERY=0", "TRAIN.KEEP=1"}); err != nil {
			t.Fatal(err)
		}
		r := start(t, f, string(by))
		wait(t, r)
		r, err := run.Open(r.Dir)
		if err != nil {
			t.Fatal(err)
		}
		best, _ := r.Best()
		var reader *run.Reader
		for range 2 { // the second one reads the index that the first one leaves
			reader = r.Reader()
			if _, _, err = reader.Read(time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		var top *run.Eval // the latest of the best
		for _, e := range reader.History.Checks() {
			if top == nil || e.ChosenBy(by) >= top.ChosenBy(by) {
				top = e
			}
			// these few steps teach no answer: all are wrong alike, and only the loss differs
			if (e.By == by) != (by != config.BestByLast) || (e.SE > 0) != (by == config.BestByLoss) {
				t.Errorf("%s: the row of step %d has by %q and error %v", by, e.Step, e.By, e.SE)
			}
		}
		if by == config.BestByLast && best.Step != r.Info.Steps || best.Step != top.Step {
			t.Errorf("%s: step %d of %d is the best, want %d", by, best.Step, r.Info.Steps, top.Step)
		}
		if list, err := r.Checkpoints(); err != nil || by == config.BestByLast && len(list) != 1 {
			t.Errorf("%s: checkpoints %+v, %v", by, list, err)
		}
	}
}

func TestStandardErrorsOfTheFigures(t *testing.T) {
	result := &eval.Result{N: 100, Accuracy: .9, MacroF1Interval: &eval.Interval{.8, .9}}
	// three samples, one token each: the error of the mean of 1, 2 and 3, drawn again
	loss := []train.SampleLoss{{Tokens: 1, NLL: 1}, {Tokens: 1, NLL: 2}, {Tokens: 1, NLL: 3}}
	for by, want := range map[config.BestBy]float64{config.BestByLast: 0, config.BestByAccuracy: .03,
		config.BestByMacroF1: .1 / 3.919928, config.BestByLoss: math.Sqrt(2) / 3} {
		if got := standardError(by, loss, result); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", by, got, want)
		}
	}
}
