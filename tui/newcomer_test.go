package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/views/viewtest"
)

// inFreshClone moves the test into a copy of what the repository
// holds of a project: its config.toml, and what git ignores.
func inFreshClone(t *testing.T) {
	t.Helper()
	preset, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := os.ReadFile("../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, text := range map[string][]byte{configFile: preset.Raw(), ".gitignore": ignored} {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestANewcomersFirstMinutes walks the README's first five minutes key by key: the demo's sets are drawn, a run is
// started, watched, left, found again, asked and scored; what that leaves git does not see.
func TestANewcomersFirstMinutes(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains a run of an epoch")
	}
	inFreshClone(t)
	short := []string{"TRAIN.EPOCHS=1", "EVAL.MAX_NEW_TOKENS=4"} // for this session only
	terminal := viewtest.Start(t, 120, 32, self("program", short...))
	terminal.WaitFor("Press m")
	terminal.Send("m")
	waitLonger(t, terminal, "1465 objects", "1,465 objects")
	for _, set := range []string{"demo/data/data.yaml", "demo/balanced/data.yaml"} {
		if _, err := os.Stat(set); err != nil {
			t.Errorf("m has not drawn it: %v", err)
		}
	}
	terminal.Send("3")
	terminal.WaitFor("[3 Train]")
	terminal.Send("n")
	waitLonger(t, terminal, "enter")
	terminal.Send("\r")
	waitLonger(t, terminal, "● 0001")
	terminal.Send("q")
	if code := terminal.WaitExit(); code != exitDone {
		t.Fatalf("leaving gave exit code %d", code)
	}
	if file, err := config.Load(configFile); err != nil || file.Config.Train.Epochs != 6 {
		t.Errorf("the session's override is in the file: %v", err)
	}

	terminal = viewtest.Start(t, 120, 32, self("program", short...))
	terminal.Send("3")
	waitLonger(t, terminal, "0001-enhanced")
	waitLonger(t, terminal, "✓ done")
	terminal.Send("4")
	waitLonger(t, terminal, "0001-enhanced step") // not the base
	terminal.WaitFor("enter asks")
	terminal.Send("\r")
	waitLonger(t, terminal, "tokens/s")
	terminal.Send("b")
	waitLonger(t, terminal, "Scores of 0001-enhanced")
	waitLonger(t, terminal, "by condition")
	terminal.Send("q")
	if code := terminal.WaitExit(); code != exitDone {
		t.Fatalf("leaving gave exit code %d", code)
	}
	if code, stdout, stderr := verbAnswer(t, "eval", "1", "EVAL.SPLIT=valid",
		"EVAL.MAX_NEW_TOKENS=4"); code != exitDone {
		t.Errorf("eval: code %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := verbAnswer(t, "integrate", "1", "EVAL.SPLIT=valid",
		"EVAL.MAX_NEW_TOKENS=4"); code != exitDone {
		t.Errorf("integrate: code %d\n%s", code, stderr)
	}
	if found, _ := filepath.Glob("demo/runs/0001-*/integrate/valid/integration_results.json"); len(found) != 1 {
		t.Errorf("the results of integrate are at %v", found)
	}
	gitSeesNothingNew(t)
}

// waitLonger waits for one of several texts through work that takes its time, such as drawing and training: as long as
// something changes on the screen, and 90 seconds more.
func waitLonger(t *testing.T, terminal *viewtest.Terminal, texts ...string) {
	t.Helper()
	before, since := "", time.Now()
	for ; ; time.Sleep(10 * time.Millisecond) {
		now := terminal.Screen()
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(now, text) }) {
			return
		}
		if now != before {
			before, since = now, time.Now()
		}
		if time.Since(since) > 90*time.Second {
			t.Fatalf("the terminal never showed %q but\n%s", texts, now)
		}
	}
}

// gitSeesNothingNew checks that a repository with the folder's config.toml would show no other file.
func gitSeesNothingNew(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Log("git is not here: ", err)
		return
	}
	for _, words := range [][]string{{"init", "-q"}, {"add", configFile, ".gitignore"}} {
		if out, err := exec.Command("git", words...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %s", words, out)
		}
	}
	out, err := exec.Command("git", "ls-files", "--others", "--exclude-standard").Output()
	if err != nil || len(out) > 0 {
		t.Errorf("git sees %s, %v", out, err)
	}
}
