package finetune

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
)

// A run is bound to the sets that joined when it was started: neither one that comes later nor another DATASET_DIR
// changes what it learns.
func TestARunIsBoundToTheSetsThatJoined(t *testing.T) {
	f := smallProject(t)
	if err := f.Override([]string{"TRAIN.EPOCHS=1"}); err != nil {
		t.Fatal(err)
	}
	own, err := dataset.Open(f.Config.Dataset, f.Root)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(f.Root, "playground", "data")
	put := func(name string, answers int) {
		t.Helper()
		var lines []string
		for i := range answers {
			lines = append(lines, fmt.Sprintf(`{"image":%q,"messages":[{"role":"user","content":"<image>Set %s?"},`+
				`{"role":"assistant","content":"word %d"}]}`, own.Items[i].Media, name, i%2))
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+".jsonl"), []byte(strings.Join(lines, "\n")),
			0o644); err != nil {
			t.Fatal(err)
		}
	}
	registry := func(names ...string) {
		t.Helper()
		var sets []string
		for _, name := range names {
			sets = append(sets, fmt.Sprintf(`%q: {"annotation_path": "%s.jsonl"}`, name, name))
		}
		if err := os.WriteFile(filepath.Join(folder, "sets.json"), []byte("{"+strings.Join(sets, ", ")+"}"),
			0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("talk", 8)
	put("more", 5)
	registry("talk", "more")
	r := stopped(t, f)
	snapshot, err := r.Config()
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Get(snapshot.Config, "DATASET.SETS"); got != `["talk", "more"]` ||
		r.Info.SetsFrom != "playground/data" {
		t.Errorf("the snapshot names the sets %s of %q", got, r.Info.SetsFrom)
	}
	for _, set := range []string{"the set talk joined, 8 samples", "the set more joined, 5 samples"} {
		if text := logOf(t, r); !strings.Contains(text, set) {
			t.Errorf("the log lacks %q:\n%s", set, text)
		}
	}
	put("late", 4)
	registry("talk", "more", "late")
	t.Setenv("DATASET_DIR", t.TempDir())
	if err := Work(context.Background(), r.Dir); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
	t.Setenv("DATASET_DIR", folder)
	r = stopped(t, f)
	put("talk", 6)
	if err := Work(context.Background(), r.Dir); err == nil || !strings.Contains(err.Error(), "data set has changed") {
		t.Errorf("it goes on with another set: %v", err)
	}
}
