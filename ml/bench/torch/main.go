// Command torch compares the native engine with PyTorch on the same models: optimizer steps of LoRA and decoding, in
// turn within one run, on as many threads. It needs a Python with torch, transformers and peft (FINETUI_PYTHON names
// one; else python3) and says so where there is none. Models with random weights are written to a temporary folder by
// the reference and read by both sides, whose losses and tokens are compared too.
//
//	go run ./ml/bench/torch                    all rows
//	go run ./ml/bench/torch video              those of one kind: tiny, 0.5B, video
//	go run ./ml/bench/torch parts              what a clip takes to its first token, part by part
//	go run ./ml/bench/torch LAYERS=4 ROUNDS=2  a quick look
//
// The rows of clips take the model in plain PyTorch from a file beside the checkout: see FINETUI_REFERENCE in video.go.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"finetui/ml/bench/words"
	"finetui/ml/blas"
	"finetui/ml/qwen2"
)

func main() {
	o := options{rounds: 5, threads: 2, layers: 24}
	names, err := words.Settings(os.Args[1:], map[string]any{"ROUNDS": &o.rounds, "THREADS": &o.threads,
		"LAYERS": &o.layers})
	if err == nil {
		err = run(o, names)
	}
	if errors.Is(err, errNoPython) {
		fmt.Printf("The comparison with PyTorch is skipped: %v. FINETUI_PYTHON names one.\n", err)
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torch:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds, threads, layers int
	apart                   bool // each part of the way to a clip's first token by itself
}

// The seven products of a layer.
var products = []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}

// half is Qwen2.5-0.5B, as published in bfloat16.
func half(layers int) shape {
	return shape{name: "0.5B", stored: "bfloat16", rank: 16, targets: products, config: qwen2.Config{
		Hidden: 896, Layers: layers, Heads: 14, KVHeads: 2, HeadDim: 64, Inner: 4864, Vocab: 151936, Eps: 1e-6,
		Theta: 1e6, Tied: true,
	}}
}

// tiny is the language model of the base that the program carries, and the adapters that a new project begins with.
func tiny() shape {
	return shape{name: "tiny base", stored: "float32", rank: 16, targets: products[:4], replicas: true,
		config: qwen2.Config{
			Hidden: 128, Layers: 4, Heads: 4, KVHeads: 2, HeadDim: 32, Inner: 384, Vocab: 768, Eps: 1e-6, Theta: 1e4,
			Tied: true,
		}}
}

// run prints the rows whose name contains one of the words: "tiny", "0.5B" and "video"; without words these three. With
// "parts" among them those of the video model are of its parts.
func run(o options, names []string) error {
	wanted := func(row string) bool {
		return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.Contains(row, n) })
	}
	path, err := findPython()
	if err != nil {
		return err
	}
	p, versions, err := startPython(path, o.threads)
	if err != nil {
		return err
	}
	defer p.close()
	dir, err := os.MkdirTemp("", "finetui-torch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.apart = slices.Contains(names, "parts")
	c := &contest{options: o, p: p, dir: dir}
	fmt.Printf("kernels %s, %s, %s, %d threads each, %d rounds, %s\n\n", blas.Kernels(), runtime.Version(), versions,
		o.threads, o.rounds, time.Now().Format("2006-01-02 15:04"))
	fmt.Printf(format, "what", "ours", "PyTorch", "", "ratio", "(busy)", "goal", "met", "")
	if wanted("tiny") {
		if err := c.shape(tiny(), work{16, 51, 8}, nil); err != nil {
			return err
		}
	}
	if wanted("0.5B") {
		if err := c.shape(half(o.layers), work{1, 256, 64}, []int{1, 8}); err != nil {
			return err
		}
	}
	if o.apart || wanted("video") {
		if err := c.video(half(o.layers)); err != nil {
			return err
		}
	}
	fmt.Print(legend)
	return nil
}

const (
	format = "%-44s %15s  %-9s %15s %8s %8s %8s  %-4s %s\n"
	legend = `
ratio: PyTorch's time over ours, the median of interleaved rounds by the wall clock; (busy): the same by each process's
own processor time, which is what to go by where others use the machine. The last column says what both sides found.
`
	goal   = 1.5
	prompt = 64 // tokens before those that are decoded
	steps  = 16 // tokens that are decoded in a round
)

// contest runs both sides.
type contest struct {
	options
	p   *python
	dir string
}

// shape compares steps of w, then decoding of batches of these sizes.
//
// PyTorch takes steps in float32: in bfloat16 its backward pass takes minutes on a
// processor without instructions for it. It decodes in both.
func (c *contest) shape(s shape, w work, batches []int) error {
	folder, err := c.make(s)
	if err != nil {
		return err
	}
	types := []string{"float32", "bfloat16"}
	if len(batches) == 0 {
		types = types[:1]
	}
	for _, dtype := range types {
		if err := c.p.ask("load", map[string]any{"name": dtype, "folder": folder, "dtype": dtype, "rate": learningRate,
			"decay": weightDecay}, nil); err != nil {
			return err
		}
	}
	if err := c.steps(s, w, folder, types[0]); err != nil {
		return err
	}
	if len(batches) > 0 {
		if err := c.decodings(s, folder, types, batches); err != nil {
			return err
		}
	}
	for _, dtype := range types {
		if err := c.p.ask("forget", map[string]any{"name": dtype}, nil); err != nil {
			return err
		}
	}
	return nil
}

// make lets the reference write a model and an adapter, once, and returns their folder.
func (c *contest) make(s shape) (string, error) {
	folder := filepath.Join(c.dir, s.name)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	return folder, c.p.ask("make", map[string]any{"folder": folder, "config": s.python(), "dtype": s.stored,
		"rank": s.rank, "targets": s.targets}, nil)
}

// steps prints a row.
func (c *contest) steps(s shape, w work, folder, dtype string) error {
	e, err := open(folder, true)
	if err != nil {
		return err
	}
	defer e.close()
	t, err := e.trainer(s, c.threads)
	if err != nil {
		return err
	}
	samples, ids, labels := w.samples(s.config.Vocab)
	var row comparison
	for round := range 1 + c.rounds { // the first warms up
		ours, loss, err := step(t, samples)
		if err != nil {
			return err
		}
		var theirs timed
		if err := c.p.ask("step", map[string]any{"name": dtype, "ids": ids, "labels": labels, "clip": maxGradNorm},
			&theirs); err != nil {
			return err
		}
		row.found = fmt.Sprintf("loss of step %d: %.5f and %.5f", round+1, loss, theirs.Loss)
		if round > 0 {
			row.add(ours, theirs.span())
		}
	}
	what := fmt.Sprintf("%s LoRA step, %d of %d tokens supervised", s.name, w.supervised*w.sequences,
		w.tokens*w.sequences)
	row.print(what, dtype, 0, goal)
	return nil
}

// decodings prints a row for each batch size and type.
func (c *contest) decodings(s shape, folder string, types []string, batches []int) error {
	e, err := open(folder, false)
	if err != nil {
		return err
	}
	defer e.close()
	for _, dtype := range types {
		if err := c.p.ask("plain", map[string]any{"name": dtype}, nil); err != nil {
			return err
		}
	}
	session := e.session(c.threads)
	for _, n := range batches {
		_, prompts, _ := work{n, prompt, 0}.samples(s.config.Vocab)
		rows := make([]comparison, len(types))
		for round := range 1 + c.rounds {
			ours, tokens, err := decode(session, prompts, steps)
			if err != nil {
				return err
			}
			for i, dtype := range types {
				var theirs timed
				if err := c.p.ask("decode", map[string]any{"name": dtype, "ids": prompts, "new": steps},
					&theirs); err != nil {
					return err
				}
				rows[i].found = fmt.Sprintf("%d of %d tokens are the same", same(tokens, theirs.Tokens), n*steps)
				if round > 0 {
					rows[i].add(ours, theirs.span())
				}
			}
		}
		for i, dtype := range types {
			rows[i].print(fmt.Sprintf("%s decoding, batch %d", s.name, n), dtype, n*steps, goal)
		}
	}
	return nil
}

// same counts the tokens on which both agree.
func same(a, b [][]int32) (n int) {
	for i := range a {
		for q := range a[i] {
			if a[i][q] == b[i][q] {
				n++
			}
		}
	}
	return n
}
