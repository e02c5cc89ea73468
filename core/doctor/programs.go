package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"finetui/core/config"
	"finetui/core/gpu"
	"finetui/core/printable"
	"finetui/core/video"
	"finetui/ml/torch"
)

func thisMachine() machine {
	return machine{env: os.Getenv, lookPath: exec.LookPath, run: output, gpus: gpu.Snapshot}
}

// output is what a program prints, within patience; where it fails the error has the last line of its complaint.
func output(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second // a grandchild may hold the pipe
	text, err := cmd.Output()
	if ctx.Err() == context.DeadlineExceeded {
		return "", fmt.Errorf("no answer within %.0f s", patience.Seconds())
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		return "", fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return string(text), err
}

// tool looks for one of FFmpeg's programs.
func (m machine) tool(ctx context.Context, name string) Line {
	const get = video.Install
	path, err := m.lookPath(name)
	if err != nil {
		return Line{name, "not on PATH", Missing, get}
	}
	text, err := m.run(ctx, path, "-version")
	if err != nil {
		return Line{name, path + " does not run: " + printable.Error(err), Missing, get}
	}
	version := strings.TrimPrefix(strings.SplitN(text, "\n", 2)[0], name+" version ")
	version, _, _ = strings.Cut(version, " ")
	return Line{name, version + " · " + path, OK, ""}
}

// torch is the Python that MODEL.ENGINE = torch trains with, what of its packages is missing, and what it sees.
func (m machine) torch(ctx context.Context, file *config.Snapshot) []Line {
	p, err := torch.Find(ctx, file.Program(file.Config.Torch.Python), file.Root)
	if err != nil {
		return []Line{{"Python", printable.Error(err), Missing, "install what is missing: MODEL.ENGINE is torch"}}
	}
	lines := []Line{{"Python", p.Path + " (" + p.Why + ") · " + p.String(), OK, ""}}
	for _, need := range file.Config.Torch.Needs() {
		line := Line{need.Package, p.Versions[need.Package], OK, ""}
		if line.Value == "" {
			line.Value, line.Verdict, line.Do = need.Key+" asks for it", Missing, p.Install(need.Package)
		}
		lines = append(lines, line)
	}
	sees, err := p.Works(ctx)
	if err != nil {
		return append(lines, Line{"PyTorch", "does not start: " + printable.Error(err), Missing,
			p.Install("--upgrade", "torch", "transformers", "peft", "safetensors")})
	}
	return append(lines, Line{"PyTorch", "sees " + sees, OK, ""})
}

// packages are the Python packages that are asked for. Their versions come from their metadata: importing torch would
// take seconds.
var packages = []string{"torch", "transformers", "peft"}

const askPython = `
import importlib.metadata as m, json, platform, sys
out = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        out[name] = m.version(name)
    except m.PackageNotFoundError:
        pass
print(json.dumps(out))`

// python looks for Python and what PyTorch's trainers need.
func (m machine) python(ctx context.Context, file *config.Snapshot) []Line {
	if file.Config.Model.Engine == config.EngineTorch {
		return m.torch(ctx, file)
	}
	const why = "nothing for training here; comparisons with PyTorch and other trainers need it"
	path, err := m.lookPath("python3")
	if err != nil {
		return []Line{{"Python", "no python3 on PATH", Info, why}}
	}
	text, err := m.run(ctx, path, append([]string{"-c", askPython}, packages...)...)
	versions := map[string]string{}
	if err == nil {
		err = json.Unmarshal([]byte(text), &versions)
	}
	if err != nil {
		return []Line{{"Python", path + " does not answer: " + printable.Error(err), Info, why}}
	}
	lines := []Line{{"Python", versions["python"] + " · " + path, OK, ""}}
	for _, name := range packages {
		if version, ok := versions[name]; ok {
			lines = append(lines, Line{name, version, OK, ""})
		} else {
			lines = append(lines, Line{name, "not installed for this Python", Info, why + ": pip install " + name})
		}
	}
	return lines
}

// hubCache is where models downloaded from Hugging Face's hub lie.
func (m machine) hubCache() Line {
	home, value := m.env("HF_HOME"), "HF_HOME"
	if home == "" {
		cache := m.env("XDG_CACHE_HOME")
		if cache == "" {
			cache = filepath.Join(m.env("HOME"), ".cache")
		}
		home, value = filepath.Join(cache, "huggingface"), "not set: the default"
	}
	value += " · " + home
	if _, err := os.Stat(home); err != nil {
		return Line{"HF_HOME", value + " · not there yet", Info,
			"nothing; a download makes it, and HF_HOME chooses another place"}
	}
	return Line{"HF_HOME", value, OK, ""}
}
