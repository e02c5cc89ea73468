package main

import (
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/model/hub/hubtest"
	"finetui/views/viewtest"
)

// withHeldHub moves the test into a small project whose hub has the tiny base, and holds its weights back half-way.
func withHeldHub(t *testing.T) *hubtest.Server {
	t.Helper()
	tiny, err := filepath.Abs(filepath.Join("..", "core", "model", "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	hub := hubtest.Of(t, tiny)
	hub.Hold = make(chan struct{})
	inSmallProject(t)
	return hub
}

// TestARunFetchesItsBaseThoughTheTerminalIsGone starts a run with a base on the hub in a real terminal, loses that,
// finds the run still fetching, stops it, and lets it go on to its first steps.
func TestARunFetchesItsBaseThoughTheTerminalIsGone(t *testing.T) {
	hub := withHeldHub(t)
	setConstants(t, "MODEL.BASE="+hubtest.Model, "TRAIN.EPOCHS=1", "EVAL.MAX_NEW_TOKENS=3")
	terminal := viewtest.Start(t, 80, 24, self("program"))
	terminal.WaitFor("60 objects")
	terminal.Send("3")
	terminal.WaitFor("[3 Train]")
	terminal.Send("n")
	terminal.WaitFor("is not on this machine yet")
	terminal.Send("\r")
	terminal.WaitFor("fetching " + hubtest.Model)
	terminal.WaitFor("2 of 4 MB, model.safetensors")
	terminal.Close() // as if the laptop was closed

	if s := onlyRun(t).Status(); !s.Live() {
		t.Fatalf("with the terminal gone the run is %s: %s", s.State, s.Reason)
	}
	terminal = viewtest.Start(t, 120, 32, self("program"))
	terminal.Send("3")
	terminal.WaitFor("2 of 4 MB, model.safetensors")
	terminal.Send("x")
	terminal.WaitFor("what has come is kept")
	terminal.WaitFor("stopped")
	close(hub.Hold)
	terminal.Send("r")
	terminal.WaitFor("✓ done")
	r := onlyRun(t)
	if r.Info.BaseFingerprint == "" || hub.Asked("GET /model.safetensors bytes=") != 1 {
		t.Errorf("the run is %+v; the hub was asked %q", r.Info, hub.Requests())
	}
	terminal.Send("q")
	terminal.WaitExit()
}

// TestTrainLeavesFetchingToTheRun calls train where nobody looks: it is back while the hub still holds the base, and
// the run, which follow watches, goes on to its end.
func TestTrainLeavesFetchingToTheRun(t *testing.T) {
	hub := withHeldHub(t)
	t.Setenv("FINETUI_TEST_AS", "program") // what the run's process is
	code, out, errs := verbAnswer(t, "train", "MODEL.BASE="+hubtest.Model, "TRAIN.EPOCHS=1", "EVAL.MAX_NEW_TOKENS=3")
	if code != exitDone || !strings.Contains(errs, "is not on this machine yet") {
		t.Fatalf("train: exit %d, %s%s", code, out, errs)
	}
	if s := onlyRun(t).Status(); !s.Live() {
		t.Fatalf("the run is %s: %s", s.State, s.Reason)
	}
	close(hub.Hold)
	if code, out, errs = verbAnswer(t, "follow", "1"); code != exitDone || !strings.Contains(out, "checkpoint") {
		t.Errorf("follow: exit %d, %s%s", code, out, errs)
	}
}
