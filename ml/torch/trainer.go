package torch

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
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
	Attention   string  `json:"attention"`
	Quantized   bool    `json:"quantized"` // the language model's products in 4 bits
	Zero        int     `json:"zero"`      // DeepSpeed's stage, 2 or 3; 0: without
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

// Hello is what a process is made of.
type Hello struct {
	Torch, Transformers, Peft, Device, Name string
	Devices                                 int // GPUs of its machine
}

// Reply is an answer in tokens.
type Reply struct {
	Tokens  []int32
	Seconds float64
}

// Trainer is one process at work, or several that take every step together. Its methods are called one at a time.
type Trainer struct {
	Hello     Hello
	Trainable int  // values
	Frozen    bool // nothing of the tower is trained
	// Told is the signal that told a process of it to end, "" where none was. It is the caller's to act on.
	Told string

	ranks     []*rank
	launchers []*launcher
	alike     bool // all answer the same questions: each pass takes all of them
	cleanup   func() error
	broken    error // why no more can be asked
}

// Start starts the processes. What goes wrong in one of several ends all.
func Start(ctx context.Context, l Launch) (*Trainer, error) {
	t := &Trainer{}
	var err error
	if l.total() > 1 {
		err = t.startSeveral(ctx, l)
	} else {
		err = t.startOne(l)
	}
	if err == nil {
		err = t.ask("hello", nil, nil, one(&t.Hello))
	}
	if err == nil && t.Hello.Device == "cuda" && t.Hello.Devices < l.Processes {
		err = fmt.Errorf("TORCH.PROCESSES = %d, and PyTorch sees %d GPUs", l.Processes, t.Hello.Devices)
	}
	if err != nil {
		t.kill()
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// Processes is their number.
func (t *Trainer) Processes() int { return len(t.ranks) }

// Compiles says whether DeepSpeed compiles what it needs, which takes minutes, before one of the processes can open.
func (t *Trainer) Compiles(s Settings) (yes bool, err error) {
	if s.Zero == 0 {
		return false, nil
	}
	list := make([]struct{ Compiles bool }, len(t.ranks))
	err = t.ask("compiles", map[string]any{"device": s.Device}, nil, each(list))
	for _, a := range list {
		yes = yes || a.Compiles
	}
	return yes, err
}

// Open loads base and adapter.
func (t *Trainer) Open(s Settings) error {
	var a struct {
		Trainable int
		Frozen    bool
	}
	t.alike = s.Zero == 3
	err := t.ask("open", s, nil, one(&a))
	t.Trainable, t.Frozen = a.Trainable, a.Frozen
	return err
}

// Knows says that a frozen tower has seen the pictures of a sample, the i-th of those that are handed over together, so
// that they need not be sent again.
func (t *Trainer) Knows(i int, id string) bool {
	for _, r := range t.ranks {
		if (t.alike || r.number == i%len(t.ranks)) && !(t.Frozen && r.known[id]) {
			return false
		}
	}
	return true
}

// outcome is what a step or a check answers, of one process.
type outcome struct {
	Loss    float64 // weighted sum
	Norm    float64
	Tokens  int
	Samples []train.SampleLoss
	Took    struct{ Forward, Backward, Optimizer float64 }
}

// Result is what a step or a check came to.
type Result struct {
	train.Result
	Ranks []Share // of several processes
}

// Share is a process's part of a result.
type Share struct {
	NLL    float64       // plain sum over Tokens
	Tokens int           // supervised
	Busy   time.Duration `json:"-"`
}

// together puts the processes' outcomes together. Its times are those of the process that computed longest.
func together(list []outcome, rate, denominator float64) *Result {
	r := &Result{Result: train.Result{LearningRate: rate, GradNorm: list[0].Norm}}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	nll, tokens, busiest := 0., 0, time.Duration(-1)
	for _, o := range list {
		var s Share
		for _, x := range o.Samples {
			s.NLL, s.Tokens = s.NLL+x.NLL, s.Tokens+x.Tokens
		}
		if s.Busy = seconds(o.Took.Forward + o.Took.Backward); s.Busy > busiest {
			busiest = s.Busy
			r.Times = train.Times{Forward: seconds(o.Took.Forward), Backward: seconds(o.Took.Backward),
				Optimizer: seconds(o.Took.Optimizer)}
		}
		nll, tokens = nll+s.NLL, tokens+s.Tokens
		r.Loss, r.Tokens = r.Loss+o.Loss/denominator, r.Tokens+o.Tokens
		r.Ranks = append(r.Ranks, s)
	}
	r.LossPlain = nll / float64(max(1, tokens))
	if r.Samples = dealt(list, func(o outcome) []train.SampleLoss { return o.Samples }); len(list) == 1 {
		r.Ranks = nil
	}
	return r
}

// dealt brings what the processes say of their samples into the order in which the samples were dealt out.
func dealt[A, B any](list []A, of func(A) []B) (all []B) {
	for i := 0; ; i++ {
		part, at := of(list[i%len(list)]), i/len(list)
		if at >= len(part) {
			return all
		}
		all = append(all, part[at])
	}
}

// Step takes one optimizer step at a learning rate of the adapters and one of the projectors. The loss is divided once,
// for the whole step, by the weight that its samples are expected to have (train.StepDenominator).
func (t *Trainer) Step(samples []Sample, rate, projectors, sampleWeight float64) (*Result, error) {
	d := denominator(samples, sampleWeight)
	list := make([]outcome, len(t.ranks))
	err := t.ask("step", map[string]any{"rate": rate, "projector_rate": projectors, "denominator": d}, samples,
		each(list))
	if err != nil {
		return nil, err
	}
	return together(list, rate, d), nil
}

// Check measures samples and changes nothing.
func (t *Trainer) Check(samples []Sample) (*Result, error) {
	list := make([]outcome, len(t.ranks))
	if err := t.ask("check", nil, samples, each(list)); err != nil {
		return nil, err
	}
	return together(list, 0, denominator(samples, 0)), nil
}

// Answer answers questions greedily, with at most so many new tokens, until one of stop.
func (t *Trainer) Answer(questions []Sample, most int, stop []int32) ([]Reply, error) {
	type replies struct{ Replies []Reply }
	list := make([]replies, len(t.ranks))
	err := t.ask("answer", map[string]any{"new": most, "stop": stop}, questions, each(list))
	if t.alike {
		list = list[:1]
	}
	return dealt(list, func(r replies) []Reply { return r.Replies }), err
}

// Held is the most memory that a process held so far, in bytes. 0 is not known.
type Held struct {
	Host int64 `json:"host"` // of its machine
	GPU  int64 `json:"gpu"`  // that PyTorch took of its GPU
}

// Held says it of every process.
func (t *Trainer) Held() ([]Held, error) {
	list := make([]Held, len(t.ranks))
	err := t.ask("held", nil, nil, each(list))
	return list, err
}

// Save writes adapter_model.safetensors, trained projectors and the optimizer's state into a folder that exists.
func (t *Trainer) Save(dir string) error {
	return t.ask("save", map[string]any{"folder": dir}, nil, nil)
}

// Restore goes to where Save was called, and returns the steps taken until then.
func (t *Trainer) Restore(dir string) (steps int, err error) {
	var a struct{ Steps int }
	err = t.ask("restore", map[string]any{"folder": dir}, nil, one(&a))
	return a.Steps, err
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

// one reads the answer of the first process.
func one(answer any) func(rank int, text []byte) error {
	return func(rank int, text []byte) error {
		if rank > 0 {
			return nil
		}
		return json.Unmarshal(text, answer)
	}
}

// each reads the answers of all processes.
func each[T any](list []T) func(rank int, text []byte) error {
	return func(rank int, text []byte) error { return json.Unmarshal(text, &list[rank]) }
}

// fault is what a process could not do.
type fault struct{ Fault, Kind string }

// reply is what a process answered.
type reply struct {
	rank *rank
	text []byte
	told string
	fault
	err error // it is gone
}

// ask sends a command to all processes, deals the samples out to them, and hands their answers to read, which may be
// nil.
func (t *Trainer) ask(do string, arguments any, samples []Sample, read func(rank int, text []byte) error) error {
	if t.broken != nil {
		return t.broken
	}
	command, err := object(arguments)
	if err != nil {
		return err
	}
	command["do"] = do
	replies := make(chan reply, len(t.ranks))
	for i, r := range t.ranks {
		var share []Sample
		for k := i; k < len(samples); k += len(t.ranks) {
			share = append(share, samples[k])
		}
		if t.alike && do == "answer" {
			share = samples
		}
		own := maps.Clone(command)
		if samples != nil && share == nil {
			share = []Sample{}
		}
		tensors := t.describe(r, share, own)
		go func() { replies <- r.ask(own, tensors) }()
	}
	list := t.collect(replies)
	if err := t.judge(do, list); err != nil {
		return err
	}
	for _, r := range list {
		if r.told != "" {
			t.Told = r.told
		}
		if read != nil {
			if err := read(r.rank.number, r.text); err != nil {
				return err
			}
		}
	}
	return nil
}

// object is a value as the members of a JSON object.
func object(v any) (map[string]any, error) {
	members := map[string]any{}
	text, err := json.Marshal(v)
	if err == nil && v != nil {
		err = json.Unmarshal(text, &members)
	}
	return members, err
}

// ask sends a process its command and waits for the answer.
func (r *rank) ask(command map[string]any, tensors []described) (a reply) {
	a.rank = r
	line, err := json.Marshal(command)
	if err == nil {
		err = r.send(line, tensors)
	}
	if err == nil {
		a.text, err = r.out.ReadBytes('\n')
	}
	if a.err = err; err != nil {
		return a
	}
	var head struct {
		fault
		Told string
	}
	if err := json.Unmarshal(a.text, &head); err != nil {
		a.err = fmt.Errorf("it answers %.100q: %w", a.text, err)
	}
	a.fault, a.told = head.fault, head.Told
	return a
}

// collect waits for all answers; where one is a fault, for the others no longer than they may take to notice.
func (t *Trainer) collect(replies <-chan reply) (list []reply) {
	var enough <-chan time.Time
	for len(list) < len(t.ranks) {
		select {
		case r := <-replies:
			if list = append(list, r); enough == nil && (r.err != nil || r.Fault != "") {
				enough = time.After(3 * time.Second)
			}
		case <-enough:
			return list
		}
	}
	return list
}

// The kinds of faults.
const (
	notFinite = "not finite"
	memory    = "memory"
	alone     = "alone" // another process cannot be reached
)

// judge is the error of what processes answered: of one that is gone before that of one that has a fault, and that
// before those which follow from another's. After any but train.ErrNotFinite, which all find together, several
// processes are ended.
func (t *Trainer) judge(do string, list []reply) error {
	slices.SortStableFunc(list, func(a, b reply) int { return b.weight() - a.weight() })
	worst := list[0]
	switch {
	case worst.weight() == 0:
		return nil
	case worst.err == nil && worst.Kind == notFinite:
		return fmt.Errorf("%s: %w", worst.Fault, train.ErrNotFinite)
	}
	err := t.explain(do, worst)
	if len(t.ranks) > 1 || worst.err != nil {
		t.broken = err
		t.kill()
	}
	return err
}

// weight is how much a reply explains.
func (r reply) weight() int {
	switch {
	case r.err != nil:
		return 3
	case r.Kind == alone:
		return 1
	case r.Fault != "":
		return 2
	}
	return 0
}

// explain says in a sentence what went wrong, in which process, and what to do.
func (t *Trainer) explain(do string, r reply) error {
	who := "PyTorch"
	if len(t.ranks) > 1 {
		who = r.rank.name(len(t.ranks))
	}
	switch {
	case r.err != nil && len(t.ranks) > 1:
		return fmt.Errorf("%s ended while it was to %s; %s (%w)", who, do, r.rank.lastWords(), r.err)
	case r.err != nil:
		return fmt.Errorf("the process of MODEL.ENGINE = torch ended while it was to %s: log.txt has what it said "+
			"last (%w)", do, r.err)
	case r.Kind == memory:
		return fmt.Errorf("%s: the GPU's memory is full (%s): lower MODEL.MAX_PIXELS, or choose a smaller base", who,
			r.Fault)
	}
	return fmt.Errorf("%s could not %s: %s", who, do, r.Fault)
}

// describe puts the samples into a command and lists the tensors that follow.
func (t *Trainer) describe(r *rank, samples []Sample, command map[string]any) (list []described) {
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
		if len(s.Grids) > 0 && !(t.Frozen && r.known[s.ID]) {
			floats("pixels", s.Pixels)
			r.known[s.ID] = true
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

func (r *rank) send(line []byte, tensors []described) error {
	if _, err := r.in.Write(append(line, '\n')); err != nil {
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
			if _, err := r.in.Write(buffer); err != nil {
				return err
			}
		}
	}
	return r.in.Flush()
}
