package run_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"finetui/core/config"
	"finetui/core/run"
)

// exampleRun is a run of thirty steps that was killed at step 20, resumed from step 10 and has come to its end.
func exampleRun() (r *run.Run, done func(), err error) {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		return nil, nil, err
	}
	done = func() { os.RemoveAll(dir) }
	w, err := run.Create(filepath.Join(dir, "runs"), "enhanced", run.Meta{Recipe: "enhanced", Base: "tiny"},
		config.Render(config.Default()))
	if err != nil {
		return nil, done, err
	}
	defer w.Close()
	if err := w.Begin(); err != nil {
		return nil, done, err
	}
	for _, step := range []int{10, 20, 20, 30} {
		row := &run.Train{Head: run.Head{Step: step}, Loss: run.Float(1 / float64(step))}
		if err := w.Append(row); err != nil {
			return nil, done, err
		}
	}
	check := &run.Eval{Head: run.Head{Step: 30}, Split: run.ValidSplit, Loss: 0.1, Accuracy: 0.9}
	if err := w.Append(check); err != nil {
		return nil, done, err
	}
	if err := w.Finish(run.Done, ""); err != nil {
		return nil, done, err
	}
	r, err = run.Open(w.Dir())
	return r, done, err
}

// A run directory is opened and read from its files alone, while it runs or afterwards.
func ExampleOpen() {
	r, done, err := exampleRun()
	defer done()
	if err != nil {
		fmt.Println(err)
		return
	}
	status := r.Status()
	fmt.Println(r.Label(), status.State, status.Live(), status.Resumable())
	constants, err := r.Config()
	fmt.Println(constants.Config.Model.Base, constants.Config.Train.Epochs, err)
	// Output:
	// 0001-enhanced done false false
	// tiny 6 <nil>
}

// A Reader makes a History of the metrics. The step that was done twice counts once: the later row wins.
func ExampleReader() {
	r, done, err := exampleRun()
	defer done()
	if err != nil {
		fmt.Println(err)
		return
	}
	reader := r.Reader()
	changed, more, err := reader.Read(time.Time{})
	fmt.Println(changed, more, err)
	for _, row := range reader.History.Train {
		fmt.Printf("step %d: loss %.3f\n", row.Step, row.Loss)
	}
	for _, check := range reader.History.Checks() {
		fmt.Printf("step %d: %.0f %% right on %s\n", check.Step, 100*check.Accuracy, check.Split)
	}
	changed, _, _ = reader.Read(time.Time{}) // nothing was added
	fmt.Println(changed, reader.History.Step(), reader.History.Resume)
	// Output:
	// true false <nil>
	// step 10: loss 0.100
	// step 20: loss 0.050
	// step 30: loss 0.033
	// step 30: 90 % right on valid
	// false 30 1
}
