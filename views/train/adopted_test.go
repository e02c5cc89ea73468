package train

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/views"
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

// A key asks for a folder; where no run is, it says so and stays; else the folder stands in PROJECT.WATCH, on the disk,
// too, unless other changes wait there to be saved.
func TestAKeyAdoptsTheRunsOfAFolder(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "config.toml")
	preset, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	preset.Move(path, root)
	if err := preset.Save(); err != nil {
		t.Fatal(err)
	}
	file, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c := control(folder(t))
	c.Adopt = func(_ context.Context, folder string) (string, int, error) {
		if folder == "empty" {
			return "", 0, errors.New("no run of another trainer is in empty")
		}
		return folder, 2, nil
	}
	_, d := open(t, c, 80, 22)
	d.Send(views.ConfigChanged{File: file})
	d.Press("a").Type("empty").Press("enter")
	d.Wait("why not", func() bool { return d.Shows("no run of another trainer is in empty") })
	d.Golden("adopting-80x22")
	d.Press("esc", "a").Type("theirs").Press("enter")
	said(t, d, "2 runs of theirs: its folder stands in PROJECT.WATCH")
	d.Wait("the file", func() bool { return !file.Changed() })
	if disk, err := config.Load(path); err != nil || strings.Join(disk.Config.Project.Watch, " ") != "theirs" {
		t.Errorf("on the disk: %v, %v", disk.Config.Project.Watch, err)
	}
	if err := file.Set("LORA.R", "3"); err != nil {
		t.Fatal(err)
	}
	d.Press("a").Type("more").Press("enter")
	said(t, d, "is saved in the pane Config, with what else was changed there")
	if disk, err := config.Load(path); err != nil || len(disk.Config.Project.Watch) != 1 ||
		strings.Join(file.Config.Project.Watch, " ") != "theirs more" {
		t.Errorf("on the disk: %v, in the constants %v, %v", disk.Config.Project.Watch, file.Config.Project.Watch, err)
	}
}
