package finetune

import (
	"context"
	"math"
	"os"
	"testing"

	"finetui/core/config"
	"finetui/core/run"
	"finetui/ml/lora"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/torch"
)

// torchProject is a small project that FINETUI_PYTHON, or a Python with PyTorch that is found, trains.
func torchProject(t *testing.T) *config.File { return withTorch(t, smallProject(t)) }

func withTorch(t *testing.T, f *config.File) *config.File {
	t.Helper()
	python, err := torch.Find(context.Background(), os.Getenv("FINETUI_PYTHON"), f.Root)
	if err != nil {
		t.Skip(err)
	}
	if err := f.Override([]string{"TORCH.PYTHON=" + python.Path, "TRAIN.EPOCHS=2", "LORA.DROPOUT=0",
		"TRAIN.LOG_EVERY=1"}); err != nil {
		t.Fatal(err)
	}
	return f
}

func history(t *testing.T, r *run.Run) *run.History {
	t.Helper()
	var h run.History
	for tail := r.Tail(); ; {
		batch, err := tail.Read()
		if err != nil {
			t.Fatal(err)
		}
		if h.Add(batch); !batch.More {
			return &h
		}
	}
}

// Without dropout PyTorch takes the steps that the native engine takes: their losses agree within
// 1e-4, their checks too, the adapters within a thousandth.
func TestTorchTakesTheStepsOfTheNativeEngine(t *testing.T) {
	sameSteps(t, torchProject(t), 10)
}

// So it does on clips, for adapters and projectors, each under its own rate.
func TestTorchTrainsVideoModelsAndProjectors(t *testing.T) {
	f := withTorch(t, clipProject(t))
	if err := f.Override([]string{"TRAIN.LEARNING_RATE=0.001", "EVAL.MAX_NEW_TOKENS=2"}); err != nil {
		t.Fatal(err)
	}
	here, there := sameSteps(t, f, 4)
	sameProjectors(t, here, there)
}

// sameProjectors holds the trained projectors of two checkpoints against each other.
func sameProjectors(t *testing.T, here, there run.Saved) {
	t.Helper()
	first, err := mobilevideogpt.ReadProjectors(here.Path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := mobilevideogpt.ReadProjectors(there.Path)
	if err != nil || len(first) != len(second) || len(first) != 12 {
		t.Fatalf("%d and %d projectors' tensors, %v", len(first), len(second), err)
	}
	worst := 0.
	for i, a := range first {
		off := apart(a.Value, second[i].Value)
		if worst = max(worst, off); a.Name != second[i].Name || off > 1e-3 {
			t.Errorf("%s and %s differ by %.2g of its size", a.Name, second[i].Name, off)
		}
	}
	t.Logf("projectors differ by %.2g of their size at most", worst)
}

// sameSteps trains on both engines and holds losses, checks and adapters against each other; it returns the last
// checkpoints.
func sameSteps(t *testing.T, f *config.File, least int) (native, python run.Saved) {
	t.Helper()
	here := start(t, f, "here")
	if err := f.Override([]string{"MODEL.ENGINE=torch"}); err != nil {
		t.Fatal(err)
	}
	there := start(t, f, "there")
	return agree(t, here, there, least)
}

// agree waits for two runs and holds their losses, checks and adapters against each other; it returns the last
// checkpoints.
func agree(t *testing.T, here, there *run.Run, least int) (first, second run.Saved) {
	t.Helper()
	wait(t, here)
	wait(t, there)
	a, b := history(t, here), history(t, there)
	if len(a.Train) != len(b.Train) || len(a.Train) < least || len(a.Evals) != len(b.Evals) || len(a.Evals) == 0 {
		t.Fatalf("%d and %d rows, %d and %d checks", len(a.Train), len(b.Train), len(a.Evals), len(b.Evals))
	}
	worst := 0.
	for i, x := range a.Train {
		y := b.Train[i]
		worst = max(worst, math.Abs(float64(x.Loss-y.Loss)))
		if x.Tokens != y.Tokens || math.Abs(float64(x.LR-y.LR)) > 1e-12 {
			t.Errorf("step %d: %d and %d tokens, rates %v and %v", x.Step, x.Tokens, y.Tokens, x.LR, y.LR)
		}
	}
	t.Logf("losses differ by %.2g at most over %d steps", worst, len(a.Train))
	if worst > 1e-4 {
		t.Errorf("losses differ by %g", worst)
	}
	for i, x := range a.Evals {
		if y := b.Evals[i]; math.Abs(float64(x.Loss-y.Loss)) > 1e-3 || x.Accuracy != y.Accuracy {
			t.Errorf("check at step %d: loss %v and %v, accuracy %v and %v", x.Step, x.Loss, y.Loss, x.Accuracy,
				y.Accuracy)
		}
	}
	first, _ = here.Latest()
	second, _ = there.Latest()
	_, mine, err := lora.Read(first.Path)
	if err != nil {
		t.Fatal(err)
	}
	_, theirs, err := lora.Read(second.Path)
	if err != nil || len(mine) != len(theirs) {
		t.Fatalf("%d and %d adapters, %v", len(mine), len(theirs), err)
	}
	for i, x := range mine {
		if off := apart(x.B, theirs[i].B); off > 1e-3 {
			t.Errorf("%s differs by %.2g of its size", x.Module, off)
		}
	}
	return first, second
}

// apart is how far two tensors are apart, as a part of the first one's size.
func apart(a, b []float32) float64 {
	off, size := 0., 0.
	for i, v := range a {
		off += float64(v-b[i]) * float64(v-b[i])
		size += float64(v) * float64(v)
	}
	return math.Sqrt(off / size)
}

// A run on PyTorch that is killed and resumed comes to the same adapter, optimizer and rows as an unbroken one, with
// dropout.
func TestTorchGoesOnWhereItStood(t *testing.T) {
	f := torchProject(t)
	if err := f.Override([]string{"MODEL.ENGINE=torch", "LORA.DROPOUT=0.1", "TRAIN.BEST_BY=accuracy"}); err != nil {
		t.Fatal(err)
	}
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	killed := killedAtRandom(t, f, 1, 3)
	sameFiles(t, last(t, unbroken), last(t, killed))
}
