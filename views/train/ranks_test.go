package train

import (
	"math"
	"testing"

	"finetui/core/run"
)

// ofRanks is a run of so many processes, of which the last but one takes longer than the others, and has other samples.
func ofRanks(m made, n int) made {
	m.change = func(rows []run.Row) {
		for _, row := range rows {
			r, ok := row.(*run.Train)
			if !ok {
				continue
			}
			for i := range n {
				k := run.Rank{Loss: r.LossPlain * run.Float(1+0.04*math.Sin(float64(r.Step*(i+1)))), Seconds: 6.1}
				if i == n-2 {
					k = run.Rank{Loss: r.LossPlain * 1.3, Seconds: 9}
				}
				r.Ranks = append(r.Ranks, k)
			}
		}
	}
	return m
}

func TestScreensOfSeveralProcesses(t *testing.T) {
	m := ofRanks(runningRun, 4)
	m.gpus = 4
	dir := folder(t, ofRanks(doneRun, 4), m)
	for _, size := range sizes {
		_, d := open(t, control(dir), size.w, size.h)
		d.Press("]", "]", "]").Golden("ranks-gpus-" + size.name)
		d.Press("J").Wait("the done run", func() bool { return d.Shows("Loss per process") && !d.Shows("GPU 0") })
		d.Golden("ranks-" + size.name)
	}
}

func TestTheProcessThatOthersWaitForIsNamed(t *testing.T) {
	for want, seconds := range map[string][]run.Float{
		"": {1, 1.1, 1.15, 1}, "! the others wait for rank 1: it computes 2.0× as long": {1, 2, 1.1, 1},
		"! the others wait for rank 0: it computes 3.0× as long": {3, 1}} {
		var ranks []run.Rank
		for _, s := range seconds {
			ranks = append(ranks, run.Rank{Seconds: s})
		}
		if got := waiting(ranks); got != want {
			t.Errorf("%v: %q, not %q", seconds, got, want)
		}
	}
}
