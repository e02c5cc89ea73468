package train

import (
	"math"
	"testing"

	"finetui/core/run"
)

func TestVerdictOnAStepsTime(t *testing.T) {
	for _, c := range []struct {
		time    stepTime
		machine string
		want    string
		warn    bool
	}{
		{stepTime{data: 6.1, forward: 1.5, backward: 2.2, optimiser: 0.2}, "cores",
			"the cores wait for data: 61 % of the step", true},
		{stepTime{data: 6.1, forward: 1.5, backward: 2.2, optimiser: 0.2}, "GPU",
			"the GPU waits for data: 61 % of the step", true},
		{stepTime{data: 2, forward: 3, backward: 5}, "cores", "the cores wait for data for 20 % of the step", false},
		{stepTime{data: 0.5, forward: 3, backward: 6, optimiser: 0.5}, "cores",
			"the cores compute: 90 % forward and backward", false},
		{stepTime{data: 0.1, forward: 1, backward: 2, optimiser: 2}, "GPU",
			"the optimiser takes 39 % of the step: more samples a step would use the time better", true},
		{stepTime{forward: 3, backward: 6, rest: 9}, "cores",
			"checks and checkpoints take 50 % of the time: raise EVAL_EVERY or SAVE_EVERY", true},
		{stepTime{forward: 3, backward: 6, rest: math.NaN()}, "cores", "the cores compute: 100 % forward and backward",
			false},
		{stepTime{}, "cores", "how long a step takes is not known yet", false},
		{stepTime{data: math.NaN(), forward: 1}, "cores", "how long a step takes is not known yet", false},
	} {
		if got, warn := c.time.verdict(c.machine); got != c.want || warn != c.warn {
			t.Errorf("%+v: %q %v, want %q %v", c.time, got, warn, c.want, c.warn)
		}
	}
}

func TestTimeOfTheNewestSteps(t *testing.T) {
	h := &run.History{}
	for i := 1; i <= 30; i++ {
		h.Train = append(h.Train, &run.Train{Head: run.Head{Step: i * 5, Time: 100 + float64(i)*10},
			Seconds: run.StepTimes{Data: 1, Forward: 2, Backward: 4, Optimizer: 1}})
	}
	s := timeOf(h, newClock(h))
	if s.steps != 100 || s.data != 20 || s.forward != 40 || s.backward != 80 || s.optimiser != 20 || s.rest != 40 {
		t.Errorf("%+v", s)
	}
	one := timeOf(&run.History{Train: h.Train[:1]}, clock{})
	if one.steps != 5 || one.data != 1 || !math.IsNaN(one.rest) {
		t.Errorf("%+v", one)
	}
}

func TestTimeAwayIsNotTimeAtWork(t *testing.T) {
	h := &run.History{}
	for _, at := range []float64{0, 3, 6, 3606, 3609, 3612} { // an hour between two processes
		h.System = append(h.System, &run.System{Head: run.Head{Time: 1000 + at}})
	}
	c := newClock(h)
	for at, want := range map[float64]float64{990: 0, 1006: 6, 2000: 6, 4606: 6, 4612: 12} {
		if got := c.worked(at); got != want {
			t.Errorf("at %g: %g s at work, want %g", at, got, want)
		}
	}
	h.System = h.System[:1]
	h.Train = []*run.Train{{Head: run.Head{Time: 1000}}, {Head: run.Head{Time: 1300}}}
	if got := newClock(h).worked(1300); got != 300 {
		t.Errorf("a long step is no gap: %g s", got)
	}
}

func TestTimeLeftGoesByTheProcessThatIsAtWork(t *testing.T) {
	var rows []*run.Train
	for i := range 10 { // a slow process, then a day later a fast one
		rows = append(rows, &run.Train{Head: run.Head{Step: i * 10, Time: float64(i) * 100}})
	}
	for i := range 5 {
		rows = append(rows, &run.Train{Head: run.Head{Step: 100 + i*10, Time: 86400 + float64(i)*20}})
	}
	if got := pace(rows, 86390); got != 0.5 {
		t.Errorf("%g steps a second, want 0.5", got)
	}
	left, ok := remaining(140, 200, 0.5)
	if !ok || left.Seconds() != 120 {
		t.Errorf("%v %v", left, ok)
	}
	if _, ok := remaining(140, 200, pace(rows[:1], 0)); ok {
		t.Error("one row tells no pace")
	}
}
