package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finetui/views/viewtest"
)

// TestEveryVerbAnswersInJSON holds for each verb the fields of its object, or of the object of its error.
func TestEveryVerbAnswersInJSON(t *testing.T) {
	inFullProject(t)
	covered := map[string]bool{"work": true, "queue": true, "probing": true} // processes of a run, a sweep, a probe
	for _, c := range []struct {
		call   string
		code   int
		fields string // of the object on stdout; of an error always schema, error, exit
	}{
		{"new drains elsewhere", exitDone, "schema made next"},
		{"new castle", exitCall, ""},
		{"analyze", exitDone, "schema images total_instances findings"},
		{"analyze DATASET.PATH=nowhere", exitCall, ""},
		{"lint", exitDone, "schema findings mass cost"},
		{"lint MODEL.BASE=nowhere", exitCall, ""},
		{"convert", exitDone, "schema"},
		{"probe MODEL.BASE=nowhere", exitCall, ""},
		{"train y TRAIN.EPOCHS=1", exitDone, "schema number name state dir steps"},
		{"train a/b", exitCall, ""},
		{"runs", exitDone, "schema runs"},
		{"runs 1", exitDone, "schema number name state dir"},
		{"runs 99", exitCall, ""},
		{"stop 1", exitFailed, ""},
		{"resume 1", exitFailed, ""},
		{"follow 99", exitCall, ""},
		{"eval base" + few, exitDone, "schema"},
		{"eval moon", exitCall, ""},
		{"compare base 1", exitDone, "schema"},
		{"compare base 99", exitCall, ""},
		{"sweep", exitDone, "schema sweeps"},
		{"sweep nothing", exitCall, ""},
		{"sweep s SEEDS=x LORA.R=4,8", exitCall, ""},
		{"integrate base" + few, exitDone, "schema subject split detections images"},
		{"integrate base EVAL.DETECTIONS=nowhere", exitCall, ""},
		{object, exitDone, "schema subject media prompt answer truth tokens seconds"},
		{"infer base nowhere.jpg", exitCall, ""},
		{"export base out1", exitDone, "schema kind source base folder"},
		{"export adapter 1 out2", exitDone, "schema kind source base folder"},
		{"export merged 1 out3", exitDone, "schema kind source base folder"},
		{"export merged 1 out3", exitFailed, ""},
		{"demo castle", exitCall, ""},
		{"doctor", exitDone, "schema"},
		{"help", exitDone, "schema verbs"},
		{"version", exitDone, "schema version go"},
	} {
		verb, _, _ := strings.Cut(c.call, " ")
		covered[verb] = true
		words := strings.Fields(c.call)
		code, stdout, stderr := program(t, append(words, "VIEW.FORMAT=json")...)
		text, fields := stdout, strings.Fields(c.fields)
		if c.fields == "" {
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			text, fields = lines[len(lines)-1], []string{"schema", "error", "exit"}
			if stdout != "" {
				t.Errorf("%s: an error, and stdout %s", c.call, stdout)
			}
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(text), &got); err != nil || code != c.code {
			t.Errorf("%s: code %d, want %d, %v\nstdout %.400s\nstderr %.400s", c.call, code, c.code, err,
				stdout, stderr)
			continue
		}
		for _, field := range fields {
			if _, there := got[field]; !there {
				t.Errorf("%s: no field %s among %v", c.call, field, slices.Sorted(maps.Keys(got)))
			}
		}
		if n, ok := got["schema"].(float64); !ok || n < 1 {
			t.Errorf("%s: schema %v", c.call, got["schema"])
		}
		if c.fields == "" && (got["exit"] != float64(c.code) || got["error"] == "") {
			t.Errorf("%s: the error is %v", c.call, got)
		}
	}
	settleAll(t)
	checkFollowedRows(t)
	covered["follow"] = true
	for _, v := range verbs() {
		if !covered[v.name] {
			t.Errorf("%s is asked for nothing in JSON", v.name)
		}
	}
}

// checkFollowedRows holds that follow prints one object a line, the run first and its end last.
func checkFollowedRows(t *testing.T) {
	t.Helper()
	code, stdout, _ := program(t, "follow", "1", "VIEW.FORMAT=json")
	var kinds []string
	for line := range strings.Lines(stdout) {
		var row struct{ Kind string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		kinds = append(kinds, row.Kind)
	}
	if code != exitDone || len(kinds) < 3 || kinds[0] != "run" || kinds[len(kinds)-1] != "end" {
		t.Errorf("code %d, rows %v", code, kinds)
	}
}

// settleAll waits until no run is live any more.
func settleAll(t *testing.T) {
	t.Helper()
	for range 60_000 {
		_, stdout, _ := verbAnswer(t, "runs", "VIEW.FORMAT=json")
		var list struct{ Runs []struct{ State string } }
		if err := json.Unmarshal([]byte(stdout), &list); err != nil {
			t.Fatal(err, stdout)
		}
		if !slices.ContainsFunc(list.Runs, func(r struct{ State string }) bool {
			return r.State == "running" || r.State == "created" || r.State == "stopping"
		}) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("a run does not come to its end")
}

func TestARunThatIsStartedIntoAFullDiskGoesOnAndSaysSo(t *testing.T) {
	inSmallProject(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here: ", err)
	}
	defer full.Close()
	var stderr strings.Builder
	cmd := self("program", "train", "TRAIN.EPOCHS=1", "TRAIN.FOLLOW=true")
	cmd.Stdout, cmd.Stderr = full, &stderr
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed ||
		!strings.Contains(stderr.String(), "could not be written to stdout: the disk is full") {
		t.Errorf("code %d: %s", code, &stderr)
	}
	if state := settle(t); state != "done" {
		t.Errorf("the run is %s", state)
	}
}

func TestARunWithHostileNamesSaysNothingRaw(t *testing.T) {
	inHostileProject(t)
	if err := os.RemoveAll("runs"); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"VIEW.FORMAT=text", "VIEW.FORMAT=json"} {
		_, stdout, stderr := program(t, "train", "TRAIN.EPOCHS=1", "TRAIN.FOLLOW=true", format)
		for where, text := range map[string]string{"stdout": stdout, "stderr": stderr} {
			if raw := rawSigns(text); len(raw) > 0 || strings.Contains(text, "\nINJECTED") {
				t.Errorf("%s: %s holds %v:\n%q", format, where, raw, text)
			}
		}
		if !strings.Contains(stdout, "0001") && !strings.Contains(stdout, "0002") {
			t.Errorf("%s: no run was started: %s", format, stderr)
		}
	}
	settleAll(t)
}

func TestTheWorkbenchClearsWhatAKilledProgramLeft(t *testing.T) {
	inSmallProject(t)
	long := time.Now().Add(-time.Hour)
	left := map[string]bool{ // whether it stays
		".config.toml.tmp-1": false, ".dataset_analysis.json.tmp-12": false, ".finetui/.workbench.json.tmp-3": false,
		"runs/.compare.json.tmp-4": false, "runs/0001-x/eval/.test.json.tmp-5": false,
		"notes.tmp-6": true, ".notes.tmp-7": true, ".finetui/.x.tmp-a": true,
	}
	for path := range left {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	left[".config.toml.tmp-8"] = true // somebody may be at it
	if err := os.WriteFile(".config.toml.tmp-8", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	terminal := viewtest.Start(t, 100, 30, self("program"))
	terminal.WaitFor("Data")
	terminal.Send("q")
	terminal.WaitExit()
	for path, stays := range left {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s is there: %v, want %v", path, err == nil, stays)
		}
	}
}
