package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOtherTrainersRunsStandBesideOurs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "their-run")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	rows := `{"current_steps": 10, "total_steps": 20, "loss": 2.5, "lr": 1e-05, "token_acc": 0.5, "elapsed_time": "0:00:10"}
{"current_steps": 20, "total_steps": 20, "loss": 2.25, "lr": 5e-06, "token_acc": 0.75, "elapsed_time": "0:00:20"}
`
	if err := os.WriteFile(filepath.Join(dir, "log"), []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	w := &watcher{folder: filepath.Join(t.TempDir(), "runs"), others: []string{filepath.Dir(dir)}, now: time.Now,
		digests: map[string]*digest{}}
	l := w.scan()
	if len(l.runs) != 1 || l.runs[0].run.Tool() != "LLaMA-Factory" || l.runs[0].step != 20 {
		t.Fatalf("%+v", l.runs)
	}
	f := follower{run: l.runs[0].run, reader: l.runs[0].run.Reader()}
	if _, _, err := f.read(); err != nil {
		t.Fatal(err)
	}
	f.readFiles(nil)
	names := f.last.metrics()
	if text := strings.Join(names, " "); !strings.Contains(text, "token_acc") || strings.Contains(text, "seconds_data") {
		t.Errorf("figures: %s", text)
	}
	if c := f.last.metric("token_acc", &plotOptions{}); c.last() != 0.75 || len(c.y) != 2 {
		t.Errorf("token_acc: %v", c.y)
	}
}
