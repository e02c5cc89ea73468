package run

import (
	"fmt"
	"math"
	"testing"

	"finetui/core/gpu"
)

func TestLaterRowOfARepeatedStepWins(t *testing.T) {
	at := func(step int) Head { return Head{Step: step} }
	var h History
	h.Add(Batch{Rows: []Row{
		&Train{Head: at(10), Loss: 1}, &Class{Head: at(10)}, &Eval{Head: at(10), Split: "valid"},
		&Checkpoint{Head: at(10)},
		&Train{Head: at(20), Loss: 2}, &Class{Head: at(20)}, &Eval{Head: at(20), Split: "valid"},
		&Eval{Head: at(20), Split: "test"}, &System{Head: at(20)},
		&Train{Head: at(30), Loss: 3}, &Event{Head: at(30)},
	}})
	if h.Step() != 30 || len(h.Evals) != 3 {
		t.Fatalf("%+v", h)
	}
	h.Add(Batch{Bad: 1, Rows: []Row{&Train{Head: at(20), Loss: 4}}}) // resumed from 10
	if len(h.Train) != 2 || h.Train[1].Loss != 4 || len(h.Classes) != 1 || len(h.Evals) != 1 ||
		len(h.Checkpoints) != 1 {
		t.Errorf("%+v", h)
	}
	if h.Resume != 1 || h.Bad != 1 || len(h.System) != 1 || len(h.Events) != 1 || h.Step() != 20 {
		t.Errorf("%+v", h)
	}
	h.Add(Batch{Rows: []Row{&Eval{Head: at(10), Split: "test"}, &Eval{Head: at(10), Split: "test", Loss: 7}}})
	if len(h.Evals) != 2 || h.Evals[1].Loss != 7 {
		t.Errorf("%+v", h.Evals)
	}
	h.Add(Batch{Reset: true, Rows: []Row{&Train{Head: at(1)}}})
	if len(h.Train) != 1 || h.Bad != 0 || h.Evals != nil {
		t.Errorf("%+v", h)
	}
}

func TestHistoryIsBoundedAndKeepsExtremes(t *testing.T) {
	h := History{Limit: 100}
	for step := range 5000 {
		loss := Float(1 + float64(step%7)/100)
		switch step {
		case 2345:
			loss = -5
		case 3456:
			loss = Float(math.NaN())
		}
		head := Head{Step: step}
		h.Add(Batch{Rows: []Row{&Train{Head: head, Loss: loss}, &System{Head: head}, &Eval{Head: head},
			&Checkpoint{Head: head}, &Event{Head: head},
			&Class{Head: head, Losses: ClassLosses{{"a", 2, 0.5}, {fmt.Sprint("b", step%2), 1, 1}}}}})
	}
	if len(h.Train) > 100 || len(h.System) > 100 || len(h.Evals) > 100 || len(h.Classes) > 100 ||
		len(h.Checkpoints) > 100 || len(h.Events) > eventLimit || !h.Thin {
		t.Errorf("%d %d %d %d %d %d", len(h.Train), len(h.System), len(h.Evals), len(h.Classes), len(h.Checkpoints),
			len(h.Events))
	}
	seen := map[int]bool{}
	for i, r := range h.Train {
		seen[r.Step] = true
		if i > 0 && r.Step <= h.Train[i-1].Step {
			t.Fatal("out of order")
		}
	}
	if !seen[2345] || !seen[3456] || !seen[4999] {
		t.Error("an extreme was thinned away")
	}
	total := 0
	for _, c := range h.Classes {
		total += c.Losses[0].N
		if c.Losses[0].Name != "a" || c.Losses[0].Loss != 0.5 {
			t.Fatalf("%+v", c)
		}
	}
	if total != 10_000 {
		t.Errorf("%d samples of class a are left", total)
	}
}

// However long a run is and however its rows come, no part of it is kept more coarsely than another: a loss that swings
// does so from the first step to the last, and so do the losses of classes, checks and the machine's rows.
func TestAThinnedHistoryIsEquallyDenseEverywhere(t *testing.T) {
	for _, together := range []int{1, 700} {
		h := History{Limit: 400}
		var b Batch
		for step := 1; step <= 50_000; step++ {
			head := Head{Step: step, Time: 1e9 + float64(step)/3}
			b.Rows = append(b.Rows, &Train{Head: head, Loss: Float(step % 2)}, &System{Head: head}, &Eval{Head: head},
				&Class{Head: head, Losses: ClassLosses{{"a", 2, 0.5}}},
				&Metrics{Head: head, Values: NamedValues{{"entropy", Float(step % 3)}}})
			if len(b.Rows) >= together {
				h.Add(b)
				b.Rows = nil
			}
		}
		h.Add(b)
		figure := h.Figure("entropy").Points
		if h.Train[0].Step != 1 || figure[0].Step != 1 || h.Train[len(h.Train)-1].Step != 50_000 {
			t.Errorf("from %d and %d to %d", h.Train[0].Step, figure[0].Step, h.Train[len(h.Train)-1].Step)
		}
		const parts = 20
		var low, high, points, system, classes, checks [parts]int
		for _, r := range h.Train {
			if at := (r.Step - 1) * parts / 50_000; r.Loss == 0 {
				low[at]++
			} else {
				high[at]++
			}
		}
		for _, p := range figure {
			points[(p.Step-1)*parts/50_000]++
		}
		for _, r := range h.System {
			system[(r.Step-1)*parts/50_000]++
		}
		for _, r := range h.Classes {
			classes[(r.Step-1)*parts/50_000]++
		}
		for _, r := range h.Evals {
			checks[(r.Step-1)*parts/50_000]++
		}
		for i := range parts {
			if system[i] < 4 || classes[i] < 1 || checks[i] < 4 {
				t.Errorf("rows %d together, part %d: %d of the machine, %d of classes, %d checks", together, i, system[i],
					classes[i], checks[i])
			}
			if low[i] < 3 || high[i] < 3 || points[i] < 6 {
				t.Errorf("rows %d together, part %d: %d low, %d high, %d points", together, i, low[i], high[i], points[i])
			}
		}
	}
}

// Clocks that were set back, and steps that no trainer takes, neither keep a history from being bounded nor lose its newest
// rows.
func TestAHistoryOfOddTimesIsBounded(t *testing.T) {
	h := History{Limit: 64}
	for i := range 1000 {
		head := Head{Step: i % 2 * math.MaxInt, Time: []float64{-1e300, 1e300, 0, float64(i)}[i%4]}
		h.Add(Batch{Rows: []Row{&System{Head: head}, &Class{Head: Head{Step: i * (math.MaxInt / 1000)}}}})
	}
	if n := len(h.System); n == 0 || n > 64 || h.System[n-1].Step != math.MaxInt {
		t.Errorf("%d rows of the machine", n)
	}
	if n := len(h.Classes); n == 0 || n > 64 || h.Classes[n-1].Step != 999*(math.MaxInt/1000) {
		t.Errorf("%d rows of classes", n)
	}
}

func TestSystemRowHasWhatIsKnown(t *testing.T) {
	s := NewSampler()
	s.gpus = func() ([]gpu.Device, error) {
		used := uint64(5)
		return []gpu.Device{{Index: 0, MemoryUsed: &used}, {Index: 1}}, nil
	}
	row := s.SampleSystem(7)
	if row.Step != 7 || len(row.GPUs) != 2 || *row.GPUs[0].MemoryUsed != 5 || row.GPUs[1].Util != nil {
		t.Errorf("%+v", row)
	}
	if row.CPU == nil || *row.CPU < 0 || *row.CPU > 100 || row.RSS == nil || *row.RSS < 1<<20 {
		t.Errorf("%+v", row)
	}
	s.gpus = func() ([]gpu.Device, error) { return nil, gpu.ErrUnavailable }
	if row = s.SampleSystem(8); row.GPUs == nil || len(row.GPUs) != 0 {
		t.Errorf("%+v", row)
	}
}
