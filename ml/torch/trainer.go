package torch

import (
	"bufio"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"time"

	"finetui/ml/train"
)

//go:embed trainer.py
var script string

// Settings are what a trainer is opened with.
type Settings struct {
	Base        string  `json:"base"`    // folder in Hugging Face's format
	Adapter     string  `json:"adapter"` // folder in PEFT's format: where training begins
	Device      string  `json:"device"`  // "cpu" or "cuda"
	DType       string  `json:"dtype"`   // of the base: "float32" or "bfloat16"
	Threads     int     `json:"threads"`
	WeightDecay float64 `json:"decay"`
	MaxGradNorm float64 `json:"clip"`  // 0: no clipping
	Gamma       float64 `json:"gamma"` // of the focal loss; 0: cross entropy
	Seed        uint64  `json:"seed"`  // of dropout
	Checkpoints bool    `json:"checkpointing"`
	Projectors  bool    `json:"projectors"` // those of a video model are trained
}

// Sample is a sample with what it shows as patches, or of a video model with what its encoders saw.
type Sample struct {
	train.Sample
	ID     string    // what a frozen tower sees in it is kept by this
	Pixels []float32 // [patches, patch width]; needed once where the tower is frozen
	// Of each picture: groups of frames, rows, columns of patches. Of what encoders saw: frames, patches of each, and
	// video patches of every 8 frames, whose values follow those of the frames.
	Grids [][3]int
}

// Hello is what the process is made of.
type Hello struct{ Torch, Transformers, Peft, Device, Name string }

// Reply is an answer in tokens.
type Reply struct {
	Tokens  []int32
	Seconds float64
}

// Trainer is a process at work. Its methods are called one at a time.
type Trainer struct {
	Hello     Hello
	Trainable int  // values
	Frozen    bool // nothing of the tower is trained

	command *exec.Cmd
	in      *bufio.Writer
	pipe    io.Closer
	out     *bufio.Reader
	known   map[string]bool // samples whose pictures the process has
}

// Start starts the process; what it and its libraries say goes to log.
func Start(p Python, log io.Writer) (*Trainer, error) {
	t := &Trainer{command: exec.Command(p.Path, "-u", "-c", script), known: map[string]bool{}}
	t.command.Stderr = log
	t.command.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "OMP_WAIT_POLICY=PASSIVE")
	in, err := t.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := t.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.in, t.pipe, t.out = bufio.NewWriterSize(in, 1<<20), in, bufio.NewReaderSize(out, 1<<16)
	if err := t.command.Start(); err != nil {
		return nil, err
	}
	if err := t.ask("hello", nil, nil, &t.Hello); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// Open loads base and adapter.
func (t *Trainer) Open(s Settings) error {
	var a struct {
		Trainable int
		Frozen    bool
	}
	err := t.ask("open", s, nil, &a)
	t.Trainable, t.Frozen = a.Trainable, a.Frozen
	return err
}

// Knows says that a frozen tower has seen a sample's pictures, so that they need not be sent again.
func (t *Trainer) Knows(id string) bool { return t.Frozen && t.known[id] }

// outcome is what a step or a check answers.
type outcome struct {
	Loss    float64
	Norm    float64
	Tokens  int
	Samples []train.SampleLoss
	Took    struct{ Forward, Backward, Optimizer float64 }
}

func (o outcome) result(rate float64) *train.Result {
	r := &train.Result{Loss: o.Loss, LearningRate: rate, GradNorm: o.Norm, Tokens: o.Tokens, Samples: o.Samples}
	nll, tokens := 0.0, 0
	for _, s := range o.Samples {
		nll, tokens = nll+s.NLL, tokens+s.Tokens
	}
	r.LossPlain = nll / float64(max(1, tokens))
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	r.Times = train.Times{Forward: seconds(o.Took.Forward), Backward: seconds(o.Took.Backward),
		Optimizer: seconds(o.Took.Optimizer)}
	return r
}

// Step takes one optimizer step at a learning rate of the adapters and one of the projectors. The loss is divided once,
// for the whole step, by the weight that its samples are expected to have (train.StepDenominator).
func (t *Trainer) Step(samples []Sample, rate, projectors, sampleWeight float64) (*train.Result, error) {
	var o outcome
	err := t.ask("step", map[string]any{"rate": rate, "projector_rate": projectors,
		"denominator": denominator(samples, sampleWeight)}, samples, &o)
	return o.result(rate), err
}

// Check measures samples and changes nothing.
func (t *Trainer) Check(samples []Sample) (*train.Result, error) {
	var o outcome
	err := t.ask("check", map[string]any{"denominator": denominator(samples, 0)}, samples, &o)
	return o.result(0), err
}

// Answer answers questions greedily, with at most so many new tokens, until one of stop.
func (t *Trainer) Answer(questions []Sample, most int, stop []int32) ([]Reply, error) {
	var a struct{ Replies []Reply }
	err := t.ask("answer", map[string]any{"new": most, "stop": stop}, questions, &a)
	return a.Replies, err
}

// Save writes adapter_model.safetensors, trained projectors and the optimizer's state into a folder that exists.
func (t *Trainer) Save(dir string) error {
	return t.ask("save", map[string]any{"folder": dir}, nil, nil)
}

// Restore goes to where Save was called, and returns the steps taken until then.
func (t *Trainer) Restore(dir string) (steps int, err error) {
	var a struct{ Steps int }
	err = t.ask("restore", map[string]any{"folder": dir}, nil, &a)
	return a.Steps, err
}

// Close ends the process and waits for it.
func (t *Trainer) Close() error {
	return errors.Join(t.pipe.Close(), t.command.Wait())
}

func denominator(samples []Sample, sampleWeight float64) float64 {
	list := make([]train.Sample, len(samples))
	for i, s := range samples {
		list[i] = s.Sample
	}
	return train.StepDenominator(list, sampleWeight)
}

// described is a tensor whose bytes follow a command.
type described struct {
	Sample int    `json:"sample"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int    `json:"size"`

	ints   []int32
	floats []float32
}

// ask sends a command with samples and reads its answer into answer, which may be nil.
func (t *Trainer) ask(do string, arguments any, samples []Sample, answer any) error {
	command := map[string]any{}
	if arguments != nil {
		text, err := json.Marshal(arguments)
		if err == nil {
			err = json.Unmarshal(text, &command)
		}
		if err != nil {
			return err
		}
	}
	command["do"] = do
	tensors := t.describe(samples, command)
	line, err := json.Marshal(command)
	if err == nil {
		err = t.send(line, tensors)
	}
	if err != nil {
		return fmt.Errorf("the process of MODEL.ENGINE = torch is gone: log.txt has what it said last (%w)", err)
	}
	text, err := t.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the process of MODEL.ENGINE = torch ended while it was to %s: log.txt has what it said "+
			"last (%w)",
			do, err)
	}
	var fault struct{ Fault, Kind string }
	if err := json.Unmarshal(text, &fault); err != nil {
		return fmt.Errorf("the process of MODEL.ENGINE = torch answers %.100q: %w", text, err)
	}
	switch {
	case fault.Kind == "not finite":
		return fmt.Errorf("%s: %w", fault.Fault, train.ErrNotFinite)
	case fault.Kind == "memory":
		return fmt.Errorf("the GPU's memory is full (%s): lower MODEL.MAX_PIXELS, or choose a smaller base",
			fault.Fault)
	case fault.Fault != "":
		return fmt.Errorf("PyTorch could not %s: %s", do, fault.Fault)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(text, answer)
}

// describe puts the samples into a command and lists the tensors that follow.
func (t *Trainer) describe(samples []Sample, command map[string]any) (list []described) {
	if samples == nil {
		return nil
	}
	plain := make([]map[string]any, len(samples))
	for i, s := range samples {
		ints := func(name string, v []int32) {
			list = append(list, described{Sample: i, Name: name, Type: "i32", Size: len(v), ints: v})
		}
		floats := func(name string, v []float32) {
			list = append(list, described{Sample: i, Name: name, Type: "f32", Size: len(v), floats: v})
		}
		plain[i] = map[string]any{"id": s.ID, "key": s.Key, "grids": s.Grids}
		ints("ids", s.IDs)
		ints("pos", positions(s.Sample))
		ints("targets", s.Targets)
		floats("weights", s.Weights)
		ints("places", s.Places)
		if len(s.Grids) > 0 && !t.Knows(s.ID) {
			floats("pixels", s.Pixels)
			t.known[s.ID] = true
		}
	}
	command["samples"], command["tensors"] = plain, list
	return list
}

// positions are a sample's rotary positions, one row after the other.
func positions(s train.Sample) (all []int32) {
	for _, row := range s.Pos {
		if row != nil {
			all = append(all, row...)
			continue
		}
		for i := range s.IDs {
			all = append(all, int32(i))
		}
	}
	return all
}

func (t *Trainer) send(line []byte, tensors []described) error {
	if _, err := t.in.Write(append(line, '\n')); err != nil {
		return err
	}
	buffer := make([]byte, 0, 1<<16)
	for _, d := range tensors {
		for len(d.ints) > 0 || len(d.floats) > 0 {
			buffer = buffer[:0]
			for _, v := range d.ints[:min(len(d.ints), cap(buffer)/4)] {
				buffer = binary.LittleEndian.AppendUint32(buffer, uint32(v))
			}
			for _, v := range d.floats[:min(len(d.floats), cap(buffer)/4)] {
				buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
			}
			d.ints = d.ints[min(len(d.ints), cap(buffer)/4):]
			d.floats = d.floats[min(len(d.floats), cap(buffer)/4):]
			if _, err := t.in.Write(buffer); err != nil {
				return err
			}
		}
	}
	return t.in.Flush()
}
