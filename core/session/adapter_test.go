package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/run"
)

func TestAdapterFromElsewhereIsAskedAndScored(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	r, err := run.Find(s.RunsDir(), addRun(t, s, file, "basic", 4))
	if err != nil {
		t.Fatal(err)
	}
	saved, _ := r.Best()
	folder := filepath.Join(file.Root, "given", "checkpoint-500")
	if err := os.CopyFS(folder, os.DirFS(saved.Path)); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	label := run.AdapterLabel(folder)
	for _, name := range []string{folder, "given/checkpoint-500"} {
		subject, err := s.Subject(ctx, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if subject.Name != label || subject.Title() != "adapter "+label+" on tiny" || len(subject.Notes) > 0 {
			t.Errorf("%s is called %s, %q, notes %v", name, subject.Name, subject.Title(), subject.Notes)
		}
	}
	if _, err := s.Result(folder, "test"); err == nil || !strings.Contains(err.Error(), "has not been evaluated") {
		t.Errorf("before it was scored: %v", err)
	}
	mine, err := s.Evaluate(ctx, folder, "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := s.Evaluate(ctx, "basic", "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range mine.Items {
		if item.Answer != theirs.Items[i].Answer {
			t.Errorf("%s: %q, as a run it says %q", item.ID, item.Answer, theirs.Items[i].Answer)
		}
	}
	kept, err := s.Result("given/checkpoint-500", "test")
	if err != nil || kept.Name != label || kept.Path != filepath.Join(s.RunsDir(), "adapters", label, "eval",
		"test.json") {
		t.Errorf("kept as %+v, %v", kept, err)
	}
	ours, err := s.Result("basic", "test")
	if err != nil {
		t.Fatal(err)
	}
	if differ := Differences(ours, kept); len(differ) != 1 || !strings.Contains(differ[0], "its own trainer knows") {
		t.Errorf("constants of an adapter that finetui did not train: %q", differ)
	}
	if list, err := s.Candidates(); err != nil || len(list) != 2 {
		t.Errorf("candidates %+v, %v", list, err)
	}
	config := filepath.Join(folder, "adapter_config.json")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, config, strings.Replace(string(text), `"tiny"`, `"Qwen/Qwen2-VL-2B-Instruct"`, 1))
	if setting, err := s.Setting(folder); err != nil || len(setting.Notes) != 1 ||
		!strings.Contains(setting.Notes[0], "trained on Qwen/") {
		t.Errorf("on another base: %+v, %v", setting, err)
	}
	write(t, config, string(text))
	m := s.Project.Config.Model
	for _, c := range []struct {
		path, text string
		notes      int
	}{
		{"processor_config.json", `{"image_processor": {"size": {"shortest_edge": 3136, "longest_edge": 1003520}}}`, 1},
		{"processor_config.json", fmt.Sprintf(`{"image_processor": {"size": {"shortest_edge": %d, "longest_edge": %d}}}`,
			m.MinPixels, m.MaxPixels), 0},
		{"processor_config.json", "{", 0},
		{"../preprocessor_config.json", `{"min_pixels": 3136, "max_pixels": 1003520}`, 1},
		{"../preprocessor_config.json", `{"size": {"height": 224, "width": 224}}`, 0},
	} {
		write(t, filepath.Join(folder, c.path), c.text)
		if setting, err := s.Setting(folder); err != nil || len(setting.Notes) != c.notes ||
			c.notes > 0 && !strings.Contains(setting.Notes[0], "3136 to 1003520 pixels") {
			t.Errorf("%s %s: notes %v, %v", c.path, c.text, setting.Notes, err)
		}
	}
	write(t, config, "{")
	if _, err := s.Setting(folder); err == nil || !strings.Contains(err.Error(), config) {
		t.Errorf("a torn configuration: %v", err)
	}
}

// The adapter of another trainer's run in PROJECT.WATCH stands among those who can be asked, before the project's own
// runs, by a name that asks it, and its evaluation among the others.
func TestTheAdapterOfAWatchedRunCanBeAsked(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	r, err := run.Find(s.RunsDir(), addRun(t, s, file, "basic", 4))
	if err != nil {
		t.Fatal(err)
	}
	saved, _ := r.Best()
	theirs := filepath.Join(file.Root, "theirs", "lora")
	if err := os.CopyFS(filepath.Join(theirs, "checkpoint-4"), os.DirFS(saved.Path)); err != nil {
		t.Fatal(err)
	}
	state := `{"global_step": 4, "max_steps": 4, "log_history": [{"loss": 2.5, "step": 4}], "is_world_process_zero": true}`
	for _, dir := range []string{theirs, filepath.Join(theirs, "checkpoint-4")} {
		if err := os.WriteFile(filepath.Join(dir, "trainer_state.json"), []byte(state), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Override([]string{"PROJECT.WATCH=theirs"}); err != nil {
		t.Fatal(err)
	}
	s = openSession(t, file)
	list, err := s.Candidates()
	if err != nil || len(list) != 3 || list[1].Tool != "HF Trainer" || list[2].Run == nil {
		t.Fatalf("%+v, %v", list, err)
	}
	name := list[1].Name
	setting, err := s.Setting(name)
	if err != nil || setting.Adapter.Path != filepath.Join(theirs, "checkpoint-4") {
		t.Fatalf("%s is %+v, %v", name, setting, err)
	}
	if _, err := s.Evaluate(context.Background(), name, "test", nil); err != nil {
		t.Fatal(err)
	}
	if kept, err := s.Results("test"); err != nil || len(kept) != 1 || kept[0].Name != name {
		t.Errorf("evaluations %+v, %v", kept, err)
	}
}
