package train

import (
	"context"
	"errors"
	"testing"
)

// The question for a new run says what it comes to; a key takes a few steps to measure it, which esc stops and enter
// does not start a run beside; then the question says what was measured.
func TestTheQuestionForARunMeasuresSteps(t *testing.T) {
	c := control(folder(t, doneRun))
	measured, started := make(chan error), false
	lines := []string{"426 steps on 2 cores: about 7 min, worked out",
		"! GPU 0 NVIDIA H100: takes about 17.1 GiB, 8.5 GiB are free beside 1 process: it does not fit",
		"ctrl+t takes 20 steps to measure it, and leaves no run"}
	c.Foresee = func(context.Context) ([]string, error) { return lines, nil }
	c.Measure = func(ctx context.Context, report func(done, total int, what string)) error {
		report(7, 20, "steps")
		select {
		case err := <-measured:
			return err
		case <-ctx.Done():
			started = true // it was told to stop
			return ctx.Err()
		}
	}
	p, d := open(t, c, 120, 30)
	shown := func(text string) {
		t.Helper()
		d.Wait(text, func() bool { return d.Shows(text) })
	}
	d.Press("n")
	shown("worked out")
	for _, size := range sizes {
		_, other := open(t, c, size.w, size.h)
		other.Press("n")
		other.Wait("the check", func() bool { return other.Shows("worked out") && other.Shows("finds nothing wrong") })
		other.Golden("foreseen-" + size.name)
	}
	d.Press("ctrl+t")
	shown("measuring: 7 of 20 steps   esc stops it")
	if d.Press("enter"); p.launcher.launch.starting {
		t.Error("a run was started beside the measuring")
	}
	said(t, d, "esc stops them")
	d.Press("esc")
	shown("ctrl+t measures steps")
	if !p.launcher.open() {
		t.Error("esc left the question")
	}
	d.Press("ctrl+t")
	shown("measuring: 7 of 20")
	measured <- errors.New("the base has no room")
	shown("not measured: the base has no room")
	d.Press("ctrl+t")
	shown("measuring: 7 of 20")
	lines = []string{"426 steps on 2 cores: about 9 min, measured by 20 steps on 2026-11-29 09:31"}
	measured <- nil
	shown("measured by 20 steps on 2026-11-29")
	if d.Shows("the base has no room") {
		t.Errorf("the fault before is still there:\n%s", d.Screen())
	}
	if d.Press("esc"); p.launcher.open() || !started {
		t.Errorf("open %v, stopped %v", p.launcher.open(), started)
	}
}
