package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finetui/core/eval"
	"finetui/core/filehash"
	"finetui/core/level"
)

// theirRun makes a folder with the run of another trainer.
func theirRun(t *testing.T, rows string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "their", "run")
	if err := os.MkdirAll(filepath.Join(dir, "checkpoint-20"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"trainer_log.jsonl": rows, "checkpoint-20/adapter_config.json": "{}",
		"checkpoint-20/adapter_model.safetensors": "weights", "train.log": "one\rtwo\nthree\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const theirRows = `{"current_steps": 10, "total_steps": 30, "loss": 2.5, "lr": 1e-05, "epoch": 0.5, "elapsed_time": "0:00:10"}
{"current_steps": 20, "total_steps": 30, "loss": 2.25, "lr": 5e-06, "accuracy/x": 0.5, "elapsed_time": "0:00:20"}
{"current_steps": 20, "total_steps": 30, "eval_loss": 2.125, "elapsed_time": "0:00:25"}
`

func TestAnotherTrainersRunIsReadAsOurs(t *testing.T) {
	dir := theirRun(t, theirRows)
	r, err := Find(t.TempDir(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Tool() != "LLaMA-Factory" || r.Info.Steps != 30 || r.Status().State != Running || r.Status().Resumable() {
		t.Errorf("%+v %+v", r.Info, r.Status())
	}
	reader := r.Reader()
	if _, _, err := reader.Read(time.Time{}); err != nil {
		t.Fatal(err)
	}
	h := &reader.History
	if len(h.Train) != 2 || h.Train[1].Loss != 2.25 || h.Train[0].LR != 1e-05 || h.Train[0].Epoch != 0.5 || h.Step() != 20 {
		t.Errorf("train rows: %+v", h.Train)
	}
	if checks := h.Checks(); len(checks) != 1 || checks[0].Loss != 2.125 {
		t.Errorf("checks: %+v", checks)
	}
	if f := h.Figure("accuracy/x"); len(f.Points) != 1 || f.Points[0].Y != 0.5 || f.Points[0].Step != 20 {
		t.Errorf("figures: %+v", h.Figures)
	}
	for _, a := range r.Judge(h) {
		if a.Level == level.Error || a.Do != "" {
			t.Errorf("alert: %+v", a)
		}
	}
	saved, err := r.Checkpoints()
	if err != nil || len(saved) != 1 || saved[0].Step != 20 || !saved[0].Latest {
		t.Errorf("checkpoints: %+v %v", saved, err)
	}
	if log, err := r.LogTail(5); err != nil || strings.Join(log, "|") != "two|three" {
		t.Errorf("log: %q %v", log, err)
	}
	last := `{"current_steps": 30, "total_steps": 30, "epoch": 1.0, "elapsed_time": "0:00:30"}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "trainer_log.jsonl"), []byte(theirRows+last), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := reader.Read(time.Time{}); err != nil || h.Step() != 30 || r.Status().State != Done {
		t.Errorf("step %d, %+v, %v", h.Step(), r.Status(), err)
	}
}

// What this project has evaluated of the run's adapter stands beside the run, until another adapter lies there.
func TestTheEvaluationOfAnotherTrainersAdapterStandsBesideItsRun(t *testing.T) {
	dir, project := theirRun(t, theirRows), t.TempDir()
	adapter := filepath.Join(dir, "checkpoint-20")
	path := AdapterEval(project, AdapterLabel(adapter), "test", "json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := (&eval.Result{Schema: eval.Schema, Split: "test", N: 5, Accuracy: 0.8}).WriteJSON(path); err != nil {
		t.Fatal(err)
	}
	found := Adopted(project, dir)
	if len(found) != 1 || found[0].Adapter() != adapter {
		t.Fatalf("%+v", found)
	}
	if results, err := found[0].Results("valid", "test"); err != nil || len(results) != 1 || results[0].N != 5 {
		t.Errorf("%+v, %v", results, err)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(adapter, "adapter_config.json"), later, later); err != nil {
		t.Fatal(err)
	}
	if results, err := found[0].Results("valid", "test"); err != nil || len(results) != 0 {
		t.Errorf("of another adapter: %+v, %v", results, err)
	}
	evaluated, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for early, at := evaluated.ModTime().Add(-time.Hour), int64(0); at <= evaluated.ModTime().UnixNano(); {
		if err := os.Chtimes(filepath.Join(adapter, "adapter_config.json"), early, early); err != nil {
			t.Fatal(err)
		}
		stat, err := filehash.Look(filepath.Join(adapter, "adapter_config.json"))
		if err != nil {
			t.Fatal(err)
		}
		at = stat.Changed
	}
	if results, err := found[0].Results("valid", "test"); err != nil || len(results) != 0 {
		t.Errorf("of another adapter, copied with its times: %+v, %v", results, err)
	}
}

func TestAnotherTrainersRunIsNeverTouched(t *testing.T) {
	dir := theirRun(t, theirRows)
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, renamed := Rename(r, "mine")
	for what, err := range map[string]error{"stop": RequestStop(dir, true), "delete": Delete(r), "rename": renamed} {
		if err == nil || !strings.Contains(err.Error(), "LLaMA-Factory") {
			t.Errorf("%s: %v", what, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("the folder has %d entries, %v", len(entries), err)
	}
}

func TestSilentRunsOfOthersAreNotSaidToGoOn(t *testing.T) {
	for _, c := range []struct {
		ago   time.Duration
		state string
	}{{0, Running}, {time.Hour, Stalled}, {30 * 24 * time.Hour, Killed}} {
		dir := theirRun(t, theirRows)
		then := time.Now().Add(-c.ago)
		for _, name := range []string{"trainer_log.jsonl", "train.log", "checkpoint-20"} {
			if err := os.Chtimes(filepath.Join(dir, name), then, then); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if s := r.Status(); s.State != c.state || c.ago > 0 && !strings.Contains(s.Reason, "silent for") {
			t.Errorf("after %v: %+v", c.ago, s)
		}
	}
}
