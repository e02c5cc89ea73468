package finetune

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a run depends on and was cut short at a line's end stops its resume with a sentence, and no other run comes of it.
func TestAFrozenFileThatWasCutShortStopsAResume(t *testing.T) {
	f := smallProject(t)
	if err := f.Override([]string{"TRAIN.EPOCHS=1"}); err != nil {
		t.Fatal(err)
	}
	r := stopAfter(t, f, "stopped", 1)
	for _, name := range []string{"config.toml", picturesFile} {
		path := filepath.Join(r.Dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cut := bytes.LastIndexByte(bytes.TrimSpace(text), '\n') + 1
		if err := os.WriteFile(path, text[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Work(context.Background(), r.Dir); err == nil || !strings.Contains(err.Error(), path) ||
			!strings.Contains(err.Error(), "checksum") {
			t.Errorf("without the last line of %s: %v", name, err)
		}
		if _, err := check(r, nil); (err == nil) != (name == picturesFile) { // the pictures are the process's work
			t.Errorf("before a process is started, %s: %v", name, err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(r.Dir, picturesFile)); err != nil { // as its error says
		t.Fatal(err)
	}
	if err := Work(context.Background(), r.Dir, "TRAIN.SAVE_EVERY=2"); err != nil {
		t.Fatal(err)
	}
	if c, err := r.Config(); err != nil || c.Config.Train.SaveEvery != 2 {
		t.Errorf("a constant that was changed on the way: %v", err)
	}
}
