package run

import (
	"math"
	"testing"
)

func TestVerdictOnAStepsTime(t *testing.T) {
	for _, c := range []struct {
		time    TimeSpent
		machine string
		want    string
		warn    bool
	}{
		{TimeSpent{Data: 6.1, Forward: 1.5, Backward: 2.2, Optimizer: 0.2}, "cores",
			"the cores wait for data: 61 % of the step", true},
		{TimeSpent{Data: 6.1, Forward: 1.5, Backward: 2.2, Optimizer: 0.2}, "GPU",
			"the GPU waits for data: 61 % of the step", true},
		{TimeSpent{Data: 2, Forward: 3, Backward: 5}, "cores", "the cores wait for data for 20 % of the step", false},
		{TimeSpent{Data: 0.5, Forward: 3, Backward: 6, Optimizer: 0.5}, "cores",
			"the cores compute: 90 % forward and backward", false},
		{TimeSpent{Data: 0.1, Forward: 1, Backward: 2, Optimizer: 2}, "GPU",
			"the optimiser takes 39 % of the step: more samples a step would use the time better", true},
		{TimeSpent{Forward: 3, Backward: 6, Rest: 9}, "cores",
			"checks and checkpoints take 50 % of the time: raise EVAL_EVERY or SAVE_EVERY", true},
		{TimeSpent{Forward: 3, Backward: 6, Rest: math.NaN()}, "cores", "the cores compute: 100 % forward and backward",
			false},
		{TimeSpent{}, "cores", "how long a step takes is not known yet", false},
		{TimeSpent{Data: math.NaN(), Forward: 1}, "cores", "how long a step takes is not known yet", false},
	} {
		if got, warn := c.time.Verdict(c.machine); got != c.want || warn != c.warn {
			t.Errorf("%+v: %q %v, want %q %v", c.time, got, warn, c.want, c.warn)
		}
	}
}

func TestTimeOfTheNewestSteps(t *testing.T) {
	h := &History{}
	for i := 1; i <= 30; i++ {
		h.Train = append(h.Train, &Train{Head: Head{Step: i * 5, Time: 100 + float64(i)*10},
			Seconds: StepTimes{Data: 1, Forward: 2, Backward: 4, Optimizer: 1}})
	}
	s := TimeOf(h, NewClock(h))
	if s.Steps != 100 || s.Data != 20 || s.Forward != 40 || s.Backward != 80 || s.Optimizer != 20 || s.Rest != 40 {
		t.Errorf("%+v", s)
	}
	one := TimeOf(&History{Train: h.Train[:1]}, Clock{})
	if one.Steps != 5 || one.Data != 1 || !math.IsNaN(one.Rest) {
		t.Errorf("%+v", one)
	}
}

func TestTimeAwayIsNotTimeAtWork(t *testing.T) {
	h := &History{}
	for _, at := range []float64{0, 3, 6, 3606, 3609, 3612} { // an hour between two processes
		h.System = append(h.System, &System{Head: Head{Time: 1000 + at}})
	}
	c := NewClock(h)
	for at, want := range map[float64]float64{990: 0, 1006: 6, 2000: 6, 4606: 6, 4612: 12} {
		if got := c.Worked(at); got != want {
			t.Errorf("at %g: %g s at work, want %g", at, got, want)
		}
	}
	h.System = h.System[:1]
	h.Train = []*Train{{Head: Head{Time: 1000}}, {Head: Head{Time: 1300}}}
	if got := NewClock(h).Worked(1300); got != 300 {
		t.Errorf("a long step is no gap: %g s", got)
	}
}

func TestTimeLeftGoesByTheProcessThatIsAtWork(t *testing.T) {
	var rows []*Train
	for i := range 10 { // a slow process, then a day later a fast one
		rows = append(rows, &Train{Head: Head{Step: i * 10, Time: float64(i) * 100}})
	}
	for i := range 5 {
		rows = append(rows, &Train{Head: Head{Step: 100 + i*10, Time: 86400 + float64(i)*20}})
	}
	if got := Pace(rows, 86390); got != 0.5 {
		t.Errorf("%g steps a second, want 0.5", got)
	}
	left, ok := Remaining(140, 200, 0.5)
	if !ok || left.Seconds() != 120 {
		t.Errorf("%v %v", left, ok)
	}
	if _, ok := Remaining(140, 200, Pace(rows[:1], 0)); ok {
		t.Error("one row tells no pace")
	}
}
