package torch

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"finetui/ml/wholefile/killtest"
)

// A Python is looked for where people have theirs, and the error says of each what it lacks and what to type.
func TestPythonsAreLookedForInOrder(t *testing.T) {
	python := func(dir, answer string) string {
		path := filepath.Join(dir, "bin", "python")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+answer+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const all = `{"torch": "2.13.0", "transformers": "5.23.0", "peft": "0.21.2", "safetensors": "0.7.0"}`
	root := t.TempDir()
	project := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(project, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(root, "nothing"))
	t.Setenv("CONDA_PREFIX", "")
	t.Setenv("VIRTUAL_ENV", "")
	ctx := context.Background()
	if _, err := Find(ctx, "", project); !errors.Is(err, ErrNoPython) || !strings.Contains(err.Error(), Install) {
		t.Errorf("without any: %v", err)
	}
	above := python(filepath.Join(root, "a", ".venv"), all)
	if p, err := Find(ctx, "", project); err != nil || p.Path != above || p.Why != ".venv" {
		t.Errorf("above the project: %+v, %v", p, err)
	}
	poor := python(filepath.Join(root, "poor"), `{"torch": "2.13.0"}`)
	t.Setenv("VIRTUAL_ENV", filepath.Join(root, "poor"))
	if p, err := Find(ctx, "", project); err != nil || p.Path != above {
		t.Errorf("one that lacks packages goes before one that has them: %+v, %v", p, err)
	}
	_, err := Find(ctx, poor, project)
	if err == nil || !strings.Contains(err.Error(), "lacks transformers, peft, safetensors") {
		t.Errorf("the named one: %v", err)
	}
	broken := python(filepath.Join(root, "broken"), "no JSON")
	if _, err := Find(ctx, broken, project); err == nil || !strings.Contains(err.Error(), "cannot be asked") {
		t.Errorf("one that answers nonsense: %v", err)
	}
}

// What a Python has is found out without importing it: a package that does harm when it is imported is only counted.
func TestAPythonIsAskedWithoutImportingWhatItHas(t *testing.T) {
	real, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	root := t.TempDir()
	for _, name := range needed {
		files := map[string]string{
			filepath.Join(name, "__init__.py"):                 "raise SystemExit('it was imported')\n",
			filepath.Join(name+"-1.2.3.dist-info", "METADATA"): "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.2.3\n",
		}
		for path, text := range files {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("PYTHONPATH", root)
	p, err := Find(context.Background(), real, root)
	if err != nil || p.Versions["torch"] != "1.2.3" || len(p.Missing()) > 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := p.Works(context.Background()); err == nil {
		t.Error("the deep probe, which imports them, found nothing wrong")
	}
}

// Whether DeepSpeed has something to compile is asked of every process, and only where it is used.
func TestProcessesSayWhetherDeepSpeedCompiles(t *testing.T) {
	for _, answer := range []string{"true", "false"} {
		fake := killtest.Script(t, "#!/bin/sh\nwhile read -r line; do case $line in *compiles*) echo '{\"compiles\":"+answer+
			"}';; *) echo '{}';; esac; done\n")
		tr, err := Start(context.Background(), Launch{Python: Python{Path: fake}, Processes: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, zero := range []int{0, 2} {
			yes, err := tr.Compiles(Settings{Zero: zero, Device: "cpu"})
			if want := zero > 0 && answer == "true"; yes != want || err != nil {
				t.Errorf("ZeRO-%d, answer %s: %v, %v", zero, answer, yes, err)
			}
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Whoever waits for processes that compile, or load a large base, can end that.
func TestProcessesAreInterruptedInWhatTheyAreAt(t *testing.T) {
	fake := killtest.Script(t, "#!/bin/sh\nwhile read -r line; do case $line in *open*) exec sleep 3600;; *) echo '{}';; "+
		"esac; done\n")
	tr, err := Start(context.Background(), Launch{Python: Python{Path: fake}, Processes: 1})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- tr.Open(Settings{}) }()
	tr.Interrupt()
	if err := <-done; err == nil {
		t.Error("it has opened")
	}
	tr.Close()
}
