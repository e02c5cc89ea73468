package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"finetui/core/run"
	"finetui/views/viewtest"
)

// TestADayAtTheWorkbench does in a real terminal what a researcher does: looks at every view, changes a constant and
// saves it, starts a run, loses the terminal, comes back and finds it running, stops and resumes it, asks about a
// picture, evaluates.
func TestADayAtTheWorkbench(t *testing.T) {
	for _, size := range [][2]int{{120, 32}, {80, 24}} {
		t.Run(viewtestName(size), func(t *testing.T) {
			inSmallProject(t)
			if code, _, errs := verbAnswer(t, "eval", "base", "EVAL.SPLIT=test",
				"EVAL.MAX_NEW_TOKENS=3"); code != exitDone {
				t.Fatal(errs)
			}
			setConstants(t, "TRAIN.EPOCHS=120", "TRAIN.SAVE_EVERY=4", "TRAIN.EVAL_EVERY=40",
				"TRAIN.LEARNING_RATE=0.004", "EVAL.MAX_NEW_TOKENS=12", "TRAIN.WARMUP_STEPS=3")
			terminal := viewtest.Start(t, size[0], size[1], self("program"))
			lookAround(t, terminal)
			changeAConstant(t, terminal)
			startARun(t, terminal)
			terminal.Close() // as if the connection broke

			if s := onlyRun(t).Status(); !s.Live() {
				t.Fatalf("with the terminal gone the run is %s: %s", s.State, s.Reason)
			}
			terminal = viewtest.Start(t, size[0], size[1], self("program"))
			stopAndResume(t, terminal)
			askAndEvaluate(t, terminal)
			terminal.Send("q")
			if code := terminal.WaitExit(); code != exitDone {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func viewtestName(size [2]int) string {
	if size[0] >= 100 {
		return "wide"
	}
	return "narrow"
}

// setConstants writes constants into the project's file.
func setConstants(t *testing.T, overrides ...string) {
	t.Helper()
	c := newCall(t.Context(), nil, overrides, os.Stdout, os.Stderr)
	file, ok := c.configuration()
	if !ok {
		t.Fatal("no configuration")
	}
	if err := file.Save(); err != nil {
		t.Fatal(err)
	}
}

// lookAround opens every view of every pane.
func lookAround(t *testing.T, terminal *viewtest.Terminal) {
	t.Helper()
	terminal.WaitFor("60 objects")
	for _, pane := range []struct {
		key, name string
		views     int
	}{{"1", "[1 Data]", 6}, {"2", "[2 Config]", 1}, {"3", "[3 Train]", 1}, {"4", "[4 Infer]", 4}} {
		terminal.Send(pane.key)
		terminal.WaitFor(pane.name)
		seen := map[string]bool{}
		for range pane.views {
			screen := terminal.Screen()
			for limit := time.Now().Add(5 * time.Second); seen[screen] &&
				time.Now().Before(limit); screen = terminal.Screen() {
				time.Sleep(20 * time.Millisecond)
			}
			seen[screen] = true
			if lines := strings.Split(screen, "\n"); len(lines) < 20 {
				t.Errorf("%s: %d lines", pane.name, len(lines))
			}
			terminal.Send("]")
		}
		if len(seen) < pane.views {
			t.Errorf("%s showed %d different screens, it has %d views", pane.name, len(seen), pane.views)
		}
	}
}

// changeAConstant edits PROJECT.NAME and saves it: no other byte of the file changes.
func changeAConstant(t *testing.T, terminal *viewtest.Terminal) {
	t.Helper()
	before, err := os.ReadFile(configFile)
	if err != nil {
		t.Fatal(err)
	}
	terminal.Send("2")
	terminal.WaitFor("[2 Config]")
	terminal.Send("g") // the first section
	terminal.Send("/NAME\r")
	terminal.WaitFor("drains")
	terminal.Send("\r")
	time.Sleep(200 * time.Millisecond)
	terminal.Send("\x15slopes\r") // ctrl+u empties the field
	terminal.WaitFor("slopes")
	terminal.Send("s")
	deadline := time.Now().Add(5 * time.Second)
	want := strings.Replace(string(before), `NAME = "drains"`, `NAME = "slopes"`, 1)
	for {
		after, err := os.ReadFile(configFile)
		if err == nil && string(after) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the file was not saved as it should be:\n%s\n%s", after, terminal.Screen())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func startARun(t *testing.T, terminal *viewtest.Terminal) {
	t.Helper()
	terminal.Send("3")
	terminal.WaitFor("[3 Train]")
	terminal.Send("n")
	time.Sleep(1500 * time.Millisecond) // lint
	terminal.Send("\r")
	terminal.WaitFor("running")
	terminal.WaitFor("● 0001")
}

func onlyRun(t *testing.T) *run.Run {
	t.Helper()
	list, err := run.List("runs")
	if err != nil || len(list) != 1 {
		t.Fatalf("%d runs, error %v", len(list), err)
	}
	return list[0]
}

func stopAndResume(t *testing.T, terminal *viewtest.Terminal) {
	t.Helper()
	terminal.Send("3")
	terminal.WaitFor("running")
	terminal.Send("x")
	terminal.WaitFor("stopped")
	if s := onlyRun(t).Status(); s.State != run.Stopped {
		t.Errorf("the run is %s: %s", s.State, s.Reason)
	}
	terminal.Send("r")
	terminal.WaitFor("running")
	terminal.Send("xx") // now
	terminal.WaitFor("stopped")
}

func askAndEvaluate(t *testing.T, terminal *viewtest.Terminal) {
	t.Helper()
	terminal.Send("4")
	terminal.WaitFor("enter asks")
	terminal.Send("R") // the pane may have been opened before the run had a checkpoint, and ask the base
	terminal.WaitFor("Whose adapter is asked")
	terminal.WaitFor("▸0001-enhanced")
	terminal.Send("\r")
	terminal.WaitFor("0001-enhanced step")
	terminal.Send("\r")
	terminal.WaitFor("tokens/s")
	terminal.Send("b")
	terminal.WaitFor("by condition") // a narrow terminal has the title for a moment only
}
