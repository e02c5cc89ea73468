package trainerlog

import (
	"bytes"
	"strings"
	"time"
)

// Figures that trainers call differently have one name here; every other one keeps its own.
const (
	Loss      = "loss"
	Rate      = "lr"
	Norm      = "grad_norm"
	Speed     = "tokens_per_s"
	CheckLoss = "eval_loss"
)

var usualNames = map[string]string{
	"learning_rate": Rate, "lr": Rate, "lr/pg0": Rate,
	"loss": Loss, "grad_norm": Norm, "tps": Speed, "throughput": Speed,
	"eval_loss": CheckLoss, "val_loss": CheckLoss,
}

// Row is what a trainer said of one step.
type Row struct {
	Step   int
	Time   float64 // Unix seconds; 0: not known
	Epoch  float64 // passes done, with fraction; below 0: not known
	Values []Value // good until the next Read
}

// Value is a figure by its name.
type Value struct {
	Name string
	V    float64
}

// role is what a key of a row says.
type role byte

const (
	figureRole  role = iota
	stepRole         // "step": 10
	ofRole           // "global_step/max_steps": "10/438"
	totalRole        // how many steps there will be
	epochRole        // passes done
	elapsedRole      // seconds since the trainer began
	clockRole        // time of day
	finalRole        // the trainer's last word: train_loss, train_runtime
	ignoredRole
)

var roles = map[string]role{
	"step": stepRole, "current_steps": stepRole, "global_step": stepRole, "global_step/max_steps": ofRole,
	"total_steps": totalRole, "max_steps": totalRole, "epoch": epochRole, "elapsed_time": elapsedRole,
	"timestamp": clockRole, "train_loss": finalRole, "percentage": ignoredRole, "remaining_time": ignoredRole,
	"total_flos": ignoredRole, "train_runtime": ignoredRole, "train_samples_per_second": ignoredRole,
	"train_steps_per_second": ignoredRole,
}

// field is a key as it is read.
type field struct {
	key, name string
	role      role
}

// fields are the keys that the rows of a file have: as they mostly come in the same order, each is known at once.
type fields struct {
	known map[string]*field
	order []*field
}

// mostFields is more than the rows of any trainer have; the keys of what is none are not kept.
const mostFields = 1024

var ignored = &field{role: ignoredRole}

func (f *fields) at(i int, key []byte) *field {
	if i < len(f.order) && f.order[i].key == string(key) {
		return f.order[i]
	}
	known := f.known[string(key)]
	if known == nil {
		if len(f.known) >= mostFields || len(key) > 256 {
			return ignored
		}
		name := string(key)
		known = &field{key: name, name: name, role: roles[name]}
		if usual := usualNames[name]; usual != "" {
			known.name = usual
		}
		if f.known == nil {
			f.known = map[string]*field{}
		}
		f.known[name] = known
	}
	if i == len(f.order) && i < mostFields {
		f.order = append(f.order, known)
	} else if i < len(f.order) {
		f.order[i] = known
	}
	return known
}

// said is everything that one object of a log says.
type said struct {
	Row
	stepped bool    // it names its step
	total   int     // steps there will be; 0: not said
	elapsed float64 // seconds since the trainer began; below 0: not said
	final   bool    // it is the trainer's last word
	loss    bool    // it has a loss of training
}

// object reads an object; its values are appended to a list, which comes back. A row of a trainer is flat: what is
// nested in it is passed over.
func (f *fields) object(s *scanner, values []Value) (r said, list []Value, ok bool) {
	r.Epoch, r.elapsed = -1, -1
	from, i := len(values), -1
	ok = s.members(func(key []byte) bool {
		i++
		k, v, ok := s.value()
		if !ok || k == other {
			return ok
		}
		fd := f.at(i, key)
		switch fd.role {
		case figureRole:
			if n, ok := figure(v); ok {
				values = append(values, Value{fd.name, n})
				r.loss = r.loss || fd.name == Loss
			}
		case stepRole:
			r.Step, r.stepped = whole(v)
		case ofRole:
			step, total, _ := bytes.Cut(v, []byte("/"))
			r.Step, r.stepped = whole(step)
			r.total, _ = whole(total)
		case totalRole:
			r.total, _ = whole(v)
		case epochRole:
			if n, ok := figure(v); ok {
				r.Epoch = n
			}
		case elapsedRole:
			if n, ok := duration(v); ok {
				r.elapsed = n
			}
		case clockRole:
			r.Time = clock(v)
		case finalRole:
			r.final = true
		}
		return true
	})
	r.Values = values[from:]
	return r, values, ok
}

// clock is a time of day in Unix seconds: a number, or a text as ISO 8601 has it; 0: neither.
func clock(v []byte) float64 {
	if n, ok := figure(v); ok && !bytes.ContainsAny(v, ":") {
		return n
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, string(v)); err == nil {
			return float64(t.UnixMilli()) / 1000
		}
	}
	return 0
}

// tagName is the name of a figure under a tag of TensorBoard: HF Trainer and those on top of it put train/ and eval/
// before the names that their own files have.
func tagName(tag string) string {
	name := tag
	if rest, ok := strings.CutPrefix(tag, "train/"); ok {
		name = rest
	} else if rest, ok := strings.CutPrefix(tag, "eval/"); ok {
		name = "eval_" + rest
	} else {
		switch strings.ToLower(tag) {
		case "loss/train", "train_loss", "training_loss", "training/loss", "loss_train", "train/loss_epoch":
			return Loss
		case "loss/val", "loss/valid", "loss/validation", "loss/eval", "val/loss", "valid/loss", "validation/loss",
			"val_loss", "validation_loss":
			return CheckLoss
		case "lr", "learning_rate":
			return Rate
		}
		return tag
	}
	if usual := usualNames[name]; usual != "" {
		return usual
	}
	return name
}
