package run

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestConstantsThatWereCutShortOrEditedAreNotARuns(t *testing.T) {
	text := []byte("[MODEL]\nBASE = \"tiny\"\n\n[TRAIN]\nEPOCHS = 2\nLEARNING_RATE = 0.5\n")
	w, err := Create(t.TempDir(), "r", Meta{Base: "tiny"}, text)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	path := filepath.Join(w.Dir(), configFile)
	for at := range text {
		if text[at] != '\n' {
			continue
		}
		put(t, path, text[:at])
		if _, err := open(t, w.Dir()).Config(); err == nil || !strings.Contains(err.Error(), path+" is not what") ||
			!strings.Contains(err.Error(), "finetui resume 1") {
			t.Errorf("cut to %q: %v", text[:at], err)
		}
	}
	put(t, path, bytes.Replace(text, []byte("0.5"), []byte("0.6"), 1))
	if _, err := open(t, w.Dir()).Config(); err == nil {
		t.Error("another learning rate is not noticed")
	}
	put(t, path, text)
	before := open(t, w.Dir())
	if c, err := before.Config(); err != nil || c.Config.Train.LearningRate != 0.5 {
		t.Fatalf("the constants as they were: %v", err)
	}
	next := bytes.Replace(text, []byte("= 2"), []byte("= 3"), 1)
	if err := w.Snapshot(next); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Run{before, open(t, w.Dir())} { // also for who had opened it before
		if c, err := r.Config(); err != nil || c.Config.Train.Epochs != 3 {
			t.Errorf("after a change: %v", err)
		}
	}
	put(t, path, text)
	if _, err := open(t, w.Dir()).Config(); err == nil {
		t.Error("the constants of before the change are taken for those of now")
	}
}

// A process that is killed while it replaces the constants leaves either the old ones or the new ones: both go on.
func TestARunKilledWhileItsConstantsAreReplacedGoesOn(t *testing.T) {
	w := newRun(t)
	path := filepath.Join(w.Dir(), configFile)
	before, next := get(t, path), []byte("[TRAIN]\nEPOCHS = 3\n")
	states := map[string][2][]byte{} // run.json and config.toml at each moment
	note := func(name string) { states[name] = [2][]byte{get(t, filepath.Join(w.Dir(), infoFile)), get(t, path)} }
	note("before")
	if err := w.Snapshot(next); err != nil {
		t.Fatal(err)
	}
	note("after")
	if err := w.allow(configFile, append(open(t, w.Dir()).Info.Frozen[configFile], "0")); err != nil {
		t.Fatal(err)
	}
	put(t, path, before)
	if _, err := open(t, w.Dir()).Config(); err == nil {
		t.Error("constants that are none of those allowed pass")
	}
	for name, state := range states {
		put(t, filepath.Join(w.Dir(), infoFile), state[0])
		put(t, path, state[1])
		if _, err := open(t, w.Dir()).Config(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// between: run.json knows both
	put(t, filepath.Join(w.Dir(), infoFile), states["before"][0])
	if err := w.takeUp(); err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(w.Dir(), configFile)
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(full, 0o755); err != nil { // the new text finds no place
		t.Fatal(err)
	}
	put(t, filepath.Join(full, "something"), nil)
	if err := w.Snapshot(next); err == nil {
		t.Fatal("a folder was replaced")
	}
	if err := os.RemoveAll(full); err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{before, next} {
		put(t, path, text)
		if _, err := open(t, w.Dir()).Config(); err != nil {
			t.Errorf("in between, %q: %v", text, err)
		}
	}
}

func TestARunOfAnOlderProgramHasNoChecksumsAndGoesOn(t *testing.T) {
	w := newRun(t)
	dir := w.Dir()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, infoFile), []byte(`{"schema": 1, "number": 1, "name": "enhanced", "new_field": 3}`))
	put(t, filepath.Join(dir, configFile), []byte("[TRAIN]\nEPOCHS = 7\n"))
	if c, err := open(t, dir).Config(); err != nil || c.Config.Train.Epochs != 7 {
		t.Fatalf("%v", err)
	}
	w, err := Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if c, err := open(t, dir).Config(); err != nil || c.Config.Train.Epochs != 7 {
		t.Errorf("taken up: %v", err)
	}
}

func TestARunJSONWithAnotherFigureIsDamaged(t *testing.T) {
	w := newRun(t)
	path := filepath.Join(w.Dir(), infoFile)
	put(t, path, bytes.Replace(get(t, path), []byte(`"number": 1`), []byte(`"number": 2`), 1))
	if _, err := Open(w.Dir()); err == nil || !strings.Contains(err.Error(), path+" is damaged") {
		t.Errorf("error %v", err)
	}
}

// Whatever an answer is computed from is verified, the projectors as the adapter; what only the next step needs is not.
func TestADamagedFileThatAnswersDependOnIsPassedOver(t *testing.T) {
	for name, used := range map[string]int{"adapter_model.safetensors": 1, "adapter_config.json": 1,
		"non_lora_trainables.safetensors": 1, "optimizer.safetensors": 2, "state.json": 2} {
		w := newRun(t)
		for step := 1; step <= 2; step++ {
			if err := w.Checkpoint(step, func(dir string) error {
				put(t, filepath.Join(dir, "adapter_model.safetensors"), []byte("weights"))
				put(t, filepath.Join(dir, name), []byte("values"))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		put(t, filepath.Join(w.Dir(), checkpoints, stepName(2), name), []byte("valuex"))
		s, note, err := open(t, w.Dir()).Answering()
		if err != nil || s.Step != used || (note != "") != (used == 1) {
			t.Errorf("%s: step %d, %q, %v", name, s.Step, note, err)
		}
	}
}
