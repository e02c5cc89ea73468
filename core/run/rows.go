package run

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"finetui/core/config"
	"finetui/core/level"
)

// Float is a number that JSON may not be able to carry: NaN and the infinities are written as text.
type Float float64

// MarshalJSON writes a number, or "NaN", "Infinity", "-Infinity".
func (f Float) MarshalJSON() ([]byte, error) {
	switch v := float64(f); {
	case math.IsNaN(v):
		return []byte(`"NaN"`), nil
	case math.IsInf(v, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(v)
	}
}

// UnmarshalJSON reads what MarshalJSON writes and any number in quotes; null is NaN.
func (f *Float) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		*f = Float(math.NaN())
		return nil
	}
	if text[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		return fmt.Errorf("%s is not a number", data)
	}
	*f = Float(v)
	return nil
}

// Row is one line of metrics.jsonl: *Train, *Class, *Eval, *System, *Checkpoint, *Event or *Metrics.
type Row interface {
	head() *Head
	kind() string
}

// Head is what every row has. Append fills Kind, and Time where it is 0.
type Head struct {
	Kind string  `json:"kind"`
	Step int     `json:"step"` // optimizer steps done
	Time float64 `json:"time"` // Unix seconds
}

func (h *Head) head() *Head { return h }

// When returns the row's time.
func (h *Head) When() time.Time { return time.UnixMilli(int64(h.Time * 1000)) }

// Train is the optimizer's progress since the last such row.
type Train struct {
	Head
	Epoch           Float     `json:"epoch"`      // passes done, with fraction
	Loss            Float     `json:"loss"`       // mean over the supervised tokens, weighted as the recipe says
	LossPlain       Float     `json:"loss_plain"` // the same without weights
	LR              Float     `json:"lr"`
	GradNorm        Float     `json:"grad_norm"` // before clipping
	Tokens          int       `json:"tokens"`    // seen since the run began
	Samples         int       `json:"samples"`   // seen since the run began
	TokensPerSecond Float     `json:"tokens_per_s"`
	Seconds         StepTimes `json:"seconds"`         // of the steps since the last such row
	Ranks           []Rank    `json:"ranks,omitempty"` // of each of several processes, in order
}

// Rank is one process's part of the steps since the last such row.
type Rank struct {
	Loss    Float `json:"loss"`    // mean over its supervised tokens, without weights
	Seconds Float `json:"seconds"` // in which it computed; the rest it waited for the others
}

// StepTimes is where the time of steps went, in seconds.
type StepTimes struct {
	Data      Float `json:"data"`
	Forward   Float `json:"forward"`
	Backward  Float `json:"backward"`
	Optimizer Float `json:"optimizer"`
}

// Class is the plain loss of each class since the last such row.
type Class struct {
	Head
	Losses ClassLosses `json:"losses"`
}

// ClassLosses are the losses of some classes, by name; in a file they are an object, class → {n, loss}.
type ClassLosses []ClassLoss

// ClassLoss is the mean loss of a class's N samples.
type ClassLoss struct {
	Name string `json:"-"`
	N    int    `json:"n"`
	Loss Float  `json:"loss"`
}

// MarshalJSON writes the object.
func (l ClassLosses) MarshalJSON() ([]byte, error) {
	object := make(map[string]ClassLoss, len(l))
	for _, c := range l {
		object[c.Name] = c
	}
	return json.Marshal(object)
}

// UnmarshalJSON reads the object. Of a name that stands there twice, what comes last counts.
func (l *ClassLosses) UnmarshalJSON(data []byte) error {
	var object map[string]ClassLoss
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	*l = make(ClassLosses, 0, len(object))
	for name, c := range object {
		c.Name = name
		*l = append(*l, c)
	}
	slices.SortFunc(*l, func(a, b ClassLoss) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// Eval is a check on a split during training.
type Eval struct {
	Head
	Split    string            `json:"split"`
	Loss     Float             `json:"loss"`
	Accuracy Float             `json:"accuracy"`
	MacroF1  Float             `json:"macro_f1"`
	Recall   map[string]Recall `json:"recall"`
	Unparsed int               `json:"unparsed,omitempty"` // answers that name no class
	By       config.BestBy     `json:"by,omitempty"`       // the figure that TRAIN.BEST_BY chooses by, where it does
	SE       Float             `json:"se,omitempty"`       // standard error of that figure
}

// Recall is how many of a class's N samples were answered right.
type Recall struct {
	N     int `json:"n"`
	Right int `json:"right"`
}

// System is the machine while training. A nil pointer is unknown.
type System struct {
	Head
	GPUs []GPU    `json:"gpus"`
	CPU  *float64 `json:"cpu,omitempty"`  // the share of all cores that the run and what it started take, percent
	RSS  *uint64  `json:"rss,omitempty"`  // resident memory of the run and of what it started, bytes
	Busy *float64 `json:"busy,omitempty"` // share of all cores that all processes of the machine take, percent
}

// GPU is one device's figures. A nil pointer is unknown.
type GPU struct {
	Index       int      `json:"index"`
	Util        *float64 `json:"util,omitempty"`         // percent
	MemoryUsed  *uint64  `json:"memory_used,omitempty"`  // bytes
	MemoryTotal *uint64  `json:"memory_total,omitempty"` // bytes
	Power       *float64 `json:"power,omitempty"`        // watts
	PowerLimit  *float64 `json:"power_limit,omitempty"`  // watts, the limit in force
	Temperature *float64 `json:"temperature,omitempty"`  // degrees Celsius
	Clock       *float64 `json:"clock,omitempty"`        // of the multiprocessors, MHz

	Throttle  []string     `json:"throttle,omitempty"` // what holds the clocks down: gpu.Heat, …
	MIG       bool         `json:"mig,omitempty"`      // split into instances
	Lost      bool         `json:"lost,omitempty"`     // fallen off the bus
	Processes []GPUProcess `json:"processes,omitempty"`
}

// GPUProcess is a process that computes on a GPU.
type GPUProcess struct {
	PID    int     `json:"pid"`
	Own    bool    `json:"own,omitempty"`    // the run's own, or one that it started
	User   string  `json:"user,omitempty"`   // whose it is; empty: not known
	Memory *uint64 `json:"memory,omitempty"` // bytes
}

// Checkpoint is a checkpoint that was written.
type Checkpoint struct {
	Head
	Path    string `json:"path"` // relative to the run directory
	Seconds Float  `json:"seconds"`
	Bytes   int64  `json:"bytes"`
}

// Event is something worth a sentence.
type Event struct {
	Head
	Level level.Level `json:"level"`
	Text  string      `json:"text"`
}

// Metrics are figures that have no place in the other rows, by name: those of another trainer's run.
type Metrics struct {
	Head
	Values NamedValues `json:"values"`
}

// NamedValues are figures by name; in a file they are an object.
type NamedValues []NamedValue

// NamedValue is a figure.
type NamedValue struct {
	Name string
	Y    Float
}

// MarshalJSON writes the object.
func (n NamedValues) MarshalJSON() ([]byte, error) {
	object := make(map[string]Float, len(n))
	for _, v := range n {
		object[v.Name] = v.Y
	}
	return json.Marshal(object)
}

// UnmarshalJSON reads the object, in order of its names.
func (n *NamedValues) UnmarshalJSON(data []byte) error {
	var object map[string]Float
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	*n = make(NamedValues, 0, len(object))
	for name, y := range object {
		*n = append(*n, NamedValue{name, y})
	}
	slices.SortFunc(*n, func(a, b NamedValue) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

func (*Train) kind() string      { return "train" }
func (*Class) kind() string      { return "class" }
func (*Eval) kind() string       { return "eval" }
func (*System) kind() string     { return "system" }
func (*Checkpoint) kind() string { return "checkpoint" }
func (*Event) kind() string      { return "event" }
func (*Metrics) kind() string    { return "metrics" }

// parser reads lines. It is for one goroutine.
type parser struct {
	classes names
	dense   bytes.Buffer // a line without blanks
}

// row reads one line. A kind that this program does not know is neither a row nor an error.
func (p *parser) row(line []byte) (Row, error) {
	if row, ok := scanRow(line, &p.classes); ok {
		return row, nil
	}
	if !bytes.HasPrefix(line, []byte(`{"kind":`)) || bytes.HasPrefix(line, []byte(`{"kind": `)) {
		p.dense.Reset()
		if json.Compact(&p.dense, line) == nil {
			if row, ok := scanRow(p.dense.Bytes(), &p.classes); ok {
				return row, nil
			}
		}
	}
	return decodeRow(line)
}

// decodeRow reads a line of any shape.
func decodeRow(line []byte) (Row, error) {
	var h Head
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, err
	}
	var row Row
	switch h.Kind {
	case "train":
		row = new(Train)
	case "class":
		row = new(Class)
	case "eval":
		row = new(Eval)
	case "system":
		row = new(System)
	case "checkpoint":
		row = new(Checkpoint)
	case "event":
		row = new(Event)
	case "metrics":
		row = new(Metrics)
	case "":
		return nil, fmt.Errorf("a row without a kind")
	default:
		return nil, nil
	}
	if err := json.Unmarshal(line, row); err != nil {
		return nil, err
	}
	return row, nil
}
