// Package torch trains in a Python process with torch, transformers and peft: it finds a Python that has them, starts
// the trainer that is embedded here (trainer.py), and hands it samples over a pipe, ready in tokens and patches. The
// process knows no project and writes no file but those of a checkpoint; it ends when this one does.
package torch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Install is the line that puts what is needed into a Python.
const Install = "pip install torch transformers peft safetensors"

// optional are packages that some constants ask for.
var optional = []string{"deepspeed", "bitsandbytes", "flash-attn"}

// needed are the packages, by the names they are imported by.
var needed = []string{"torch", "transformers", "peft", "safetensors"}

// Python is an interpreter and what it has.
type Python struct {
	Path     string
	Why      string            // how it was found: "TORCH.PYTHON", "VIRTUAL_ENV", ".venv", "CONDA_PREFIX", "PATH"
	Versions map[string]string // of packages; one that is missing has none
}

// Install is the line that puts packages into this Python.
func (p Python) Install(packages ...string) string {
	return shell(append([]string{p.Path, "-m", "pip", "install"}, packages...))
}

// Missing are the packages that the Python lacks.
func (p Python) Missing() (names []string) {
	for _, name := range needed {
		if p.Versions[name] == "" {
			names = append(names, name)
		}
	}
	return names
}

// String says what it has: "torch 2.13.0, transformers 5.23.0, peft 0.21.2, safetensors 0.7.0".
func (p Python) String() string {
	var parts []string
	for _, name := range needed {
		if v := p.Versions[name]; v != "" {
			parts = append(parts, name+" "+v)
		}
	}
	return strings.Join(parts, ", ")
}

// ErrNoPython is in the error where no Python can train.
var ErrNoPython = errors.New("no Python with " + strings.Join(needed, ", ") + " is here")

// Find returns the first Python that can train: the one that is named (TORCH.PYTHON; it alone, where it is not empty),
// that of $VIRTUAL_ENV, of a .venv in folder or above it, of $CONDA_PREFIX, python3 on the PATH. It imports none of the
// packages, which takes seconds. The error tells what each of them lacks.
func Find(ctx context.Context, named, folder string) (Python, error) {
	var tried []string
	for _, c := range candidates(named, folder) {
		p, err := probe(ctx, c)
		switch {
		case err != nil:
			tried = append(tried, fmt.Sprintf("%s (%s) %v", c.Path, c.Why, err))
		case len(p.Missing()) > 0:
			tried = append(tried, fmt.Sprintf("%s (%s) lacks %s: %s", c.Path, c.Why, strings.Join(p.Missing(), ", "),
				p.Install(p.Missing()...)))
		default:
			return p, nil
		}
	}
	if len(tried) == 0 {
		tried = []string{"there is no python3 on the PATH"}
	}
	return Python{}, fmt.Errorf("%w: %s; or in a Python of your choice: %s, and name it in TORCH.PYTHON", ErrNoPython,
		strings.Join(tried, "; "), Install)
}

func candidates(named, folder string) (list []Python) {
	if named != "" {
		return []Python{{Path: named, Why: "TORCH.PYTHON"}}
	}
	add := func(path, why string) {
		if _, err := os.Stat(path); err == nil {
			list = append(list, Python{Path: path, Why: why})
		}
	}
	if v := os.Getenv("VIRTUAL_ENV"); v != "" {
		add(filepath.Join(v, "bin", "python"), "VIRTUAL_ENV")
	}
	if dir, err := filepath.Abs(folder); err == nil {
		for ; ; dir = filepath.Dir(dir) {
			add(filepath.Join(dir, ".venv", "bin", "python"), ".venv")
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if v := os.Getenv("CONDA_PREFIX"); v != "" {
		add(filepath.Join(v, "bin", "python"), "CONDA_PREFIX")
	}
	if path, err := exec.LookPath("python3"); err == nil {
		add(path, "PATH")
	}
	return list
}

// versions prints the versions of packages as a JSON object, without importing one.
const versions = `import importlib.metadata as m, json, sys
have = {}
for name in sys.argv[1:]:
    try: have[name] = m.version(name)
    except m.PackageNotFoundError: pass
print(json.dumps(have))`

func probe(ctx context.Context, p Python) (Python, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.Path, slices.Concat([]string{"-c", versions}, needed, optional)...)
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &p.Versions)
	}
	if err != nil {
		return p, fmt.Errorf("cannot be asked what it has (%w)", err)
	}
	return p, nil
}

// Works imports what a Python has, which takes seconds, and says what PyTorch sees: "2 GPUs (NVIDIA H200), bfloat16,
// nccl", or "no GPU". The error is the last line that Python says, where the packages do not fit together.
func (p Python) Works(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.Path, "-W", "ignore", "-c", works)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		return "", fmt.Errorf("%w: %.300s", err, lines[len(lines)-1])
	}
	return strings.TrimSpace(string(out)), err
}

const works = `import peft, safetensors, torch, torch.distributed as d, transformers
transformers.AutoModelForImageTextToText, peft.PeftModel
n = torch.cuda.device_count() if torch.cuda.is_available() else 0
what = [f"{n} GPUs ({torch.cuda.get_device_name(0)})" if n > 1 else torch.cuda.get_device_name(0) if n else "no GPU"]
if n and torch.cuda.is_bf16_supported(): what.append("bfloat16")
what += [name for name in ("nccl", "gloo") if d.is_available() and getattr(d, f"is_{name}_available")()]
print(", ".join(what))`
