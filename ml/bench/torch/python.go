package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"finetui/ml/bench/table"
)

//go:embed reference.py
var reference string

// python is the process that runs PyTorch. It works only while it is asked, so that the two sides never run at once.
type python struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

var errNoPython = errors.New("no Python with torch, transformers and peft is here")

// findPython returns FINETUI_PYTHON, or python3, if it has the packages.
func findPython() (string, error) {
	path := os.Getenv("FINETUI_PYTHON")
	if path == "" {
		var err error
		if path, err = exec.LookPath("python3"); err != nil {
			return "", fmt.Errorf("%w: there is no python3 on PATH", errNoPython)
		}
	}
	const have = "import importlib.util as u, sys; sys.exit(not all(u.find_spec(m) for m in ('torch', " +
		"'transformers', 'peft')))"
	if err := exec.Command(path, "-c", have).Run(); err != nil {
		return "", fmt.Errorf("%w: %s lacks them", errNoPython, path)
	}
	return path, nil
}

// startPython runs the reference on so many threads. versions says what it is made of.
func startPython(path string, threads int) (p *python, versions string, err error) {
	p = &python{command: exec.Command(path, "-c", reference)}
	n := strconv.Itoa(threads)
	p.command.Env = append(os.Environ(), "OMP_NUM_THREADS="+n, "MKL_NUM_THREADS="+n, "OMP_WAIT_POLICY=PASSIVE",
		"HF_HUB_OFFLINE=1", "TOKENIZERS_PARALLELISM=false")
	p.command.Stderr = os.Stderr
	if p.in, err = p.command.StdinPipe(); err != nil {
		return nil, "", err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	p.out = bufio.NewReader(out)
	if err := p.command.Start(); err != nil {
		return nil, "", err
	}
	var v struct{ Torch, Transformers, Peft string }
	err = p.ask("hello", map[string]any{"threads": threads}, &v)
	return p, fmt.Sprintf("torch %s, transformers %s, peft %s", v.Torch, v.Transformers, v.Peft), err
}

// ask sends one command and reads its answer into answer, which may be nil.
func (p *python) ask(do string, arguments map[string]any, answer any) error {
	arguments["do"] = do
	line, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("asking Python to %s: %w", do, err)
	}
	text, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("asked to %s, Python ended: %w", do, err)
	}
	var failed struct{ Error string }
	if err := json.Unmarshal(text, &failed); err != nil || failed.Error != "" {
		return fmt.Errorf("asked to %s, Python answered %q (%v)", do, failed.Error, err)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// close ends the process.
func (p *python) close() {
	p.in.Close()
	p.command.Wait()
}

// timed is what a measured answer holds.
type timed struct {
	Wall, Busy float64
	Loss       float64
	Tokens     [][]int32 // [steps][sequences]
}

func (t timed) span() table.Span {
	return table.Span{Wall: time.Duration(t.Wall * 1e9), Busy: time.Duration(t.Busy * 1e9)}
}
