package trainerlog

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"finetui/core/linetail"
)

// A source is one file, or several that go on from each other, that rows are read from.
type source interface {
	// read hands on a bounded number of rows that have come since the last read, and says how many places could not be
	// read, whether what was handed on before is void (these rows start again) and whether there is more right now.
	read(each func(said)) (got progress, err error)
}

// progress is what one read came to.
type progress struct {
	bad         int
	reset, more bool
}

// lines is a log with a row a line: JSON objects, a table, or what a trainer prints.
type lines struct {
	tail   linetail.Tail
	parse  parser
	lanes  lanes
	began  float64 // Unix seconds, worked out from the last row's elapsed time; 0: not known
	looked bool
	values []Value
}

// parser reads one line; ok is false for one that is damaged. Lines that are no rows have no step.
type parser interface {
	line(line []byte, values []Value) (r said, list []Value, ok bool)
	restart() // the file begins anew
}

func newLines(path string, p parser) *lines {
	return &lines{tail: linetail.Tail{Path: path}, parse: p}
}

func (l *lines) read(each func(said)) (got progress, err error) {
	if !l.looked {
		l.looked = true
		l.began = l.beginning()
	}
	mixed := l.lanes.mixed
	read, err := l.tail.Read(func() { l.parse.restart(); l.lanes = lanes{}; got.reset = true }, func(line []byte) {
		if l.lanes.mixed != mixed {
			return // all of it is read again
		}
		r, list, ok := l.parse.line(line, l.values[:0])
		if l.values = list; !ok {
			got.bad++
			// a writer was killed inside a line, and the next one, or another, wrote on behind it
			if at := bytes.LastIndex(line, []byte(`{"`)); at > 0 {
				r, l.values, ok = l.parse.line(line[at:], l.values[:0])
			}
		}
		if !ok || !r.stepped {
			return
		}
		if r.Time == 0 && r.elapsed >= 0 && l.began > 0 {
			r.Time = l.began + r.elapsed
		}
		if lane := l.lanes.of(r.Step, r.loss); lane > 0 {
			r.loss = false
			for i := range r.Values {
				r.Values[i].Name = laneName(r.Values[i].Name, lane)
			}
		}
		each(r)
	})
	if l.lanes.mixed && !mixed { // two writers: what was taken back when the second began has to come again
		l.tail = linetail.Tail{Path: l.tail.Path, Taken: l.tail.Taken}
		l.parse.restart()
		l.lanes = lanes{mixed: true}
		return progress{reset: true, more: true}, err
	}
	got.more = read.More
	return got, err
}

// beginning is when the trainer began, by the time that the newest row says has gone by and that of the file.
func (l *lines) beginning() float64 {
	end, info := tailOf(l.tail.Path)
	if info == nil {
		return 0
	}
	began := 0.0
	for line := range bytes.Lines(end) {
		if r, _, ok := l.parse.line(bytes.TrimSpace(line), nil); ok && r.elapsed >= 0 {
			began = float64(info.ModTime().UnixMilli())/1000 - r.elapsed
		}
	}
	l.parse.restart()
	return began
}

// lanes tell writers apart that write the same file: a killed run that was started again goes on from an earlier step,
// and its new rows take the old ones' place; two that run at once go forward each for itself.
type lanes struct {
	mixed bool // two write at once: rows of the second and later ones have names of their own
	all   []lane
	row   int
	now   int
}

// lane is one writer: its newest step, and the row that it wrote last.
type lane struct{ step, row int }

const (
	laneAlive = 4 // a writer that has not written for so many rows of others is gone
	mostLanes = 8
)

// of is which writer a row is from: 0 for the only one, or for the first.
func (l *lanes) of(step int, loss bool) int {
	if !loss { // a check, or what else is said of a step
		if len(l.all) == 0 {
			return 0
		}
		for i, a := range l.all {
			if a.step == step && a.row >= l.all[l.now].row-laneAlive {
				return l.named(i)
			}
		}
		return l.named(l.now)
	}
	l.row++
	best := -1
	for i, a := range l.all {
		if a.step < step && (l.row-a.row <= laneAlive || i == l.now) &&
			(best < 0 || a.step > l.all[best].step || a.step == l.all[best].step && a.row > l.all[best].row) {
			best = i
		}
	}
	switch {
	case best < 0 && len(l.all) < mostLanes:
		l.all = append(l.all, lane{})
		best = len(l.all) - 1
	case best < 0:
		l.all = append(l.all[:1], l.all[2:]...)
		l.all = append(l.all, lane{})
		best = mostLanes - 1
	case best < l.now && !l.mixed:
		l.mixed = true
	}
	l.all[best], l.now = lane{step, l.row}, best
	return l.named(best)
}

func (l *lanes) named(i int) int {
	if !l.mixed {
		return 0
	}
	return i
}

// laneName is a figure of another writer than the first.
func laneName(name string, lane int) string {
	return name + [...]string{"", " (2)", " (3)", " (4)", " (5)", " (6)", " (7)", " (8)"}[min(lane, mostLanes-1)]
}

// objects reads lines that are JSON objects.
type objects struct{ fields fields }

func (o *objects) restart() {}

func (o *objects) line(line []byte, values []Value) (said, []Value, bool) {
	s := scanner{b: line}
	r, list, ok := o.fields.object(&s, values)
	return r, list, ok && s.peek() == 0
}

// table reads Ultralytics' results.csv: an epoch a line, padded names in the first one. Its loss is the sum of what
// train/…_loss say, that on valid of val/…_loss.
type table struct {
	columns []string
	parts   []string // of the columns: which sum they are part of; "": of none
}

func (t *table) restart() { t.columns, t.parts = nil, nil }

func (t *table) line(line []byte, values []Value) (r said, list []Value, ok bool) {
	r.Epoch, r.elapsed = -1, -1
	cells := strings.Split(string(line), ",")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	if cells[0] == "epoch" {
		t.columns, t.parts = cells, make([]string, len(cells))
		for i, name := range cells {
			switch {
			case strings.HasPrefix(name, "train/") && strings.HasSuffix(name, "loss"):
				t.parts[i] = Loss
			case strings.HasPrefix(name, "val/") && strings.HasSuffix(name, "loss"):
				t.parts[i] = CheckLoss
			}
			if usual := usualNames[name]; usual != "" {
				t.columns[i] = usual
			}
		}
		return r, values, true
	}
	if t.columns == nil {
		return r, values, true
	}
	if len(cells) != len(t.columns) {
		return r, values, false
	}
	sums := map[string]float64{}
	for i, name := range t.columns {
		v, number := figure([]byte(cells[i]))
		switch {
		case name == "epoch":
			r.Step, r.stepped = whole([]byte(cells[i]))
			r.Epoch = v
		case name == "time" && number:
			r.elapsed = v
		case number:
			values = append(values, Value{name, v})
			if t.parts[i] != "" {
				sums[t.parts[i]] += v
			}
		}
	}
	for _, name := range []string{Loss, CheckLoss} {
		if sum, there := sums[name]; there {
			values = append(values, Value{name, sum})
			r.loss = r.loss || name == Loss
		}
	}
	r.Values = values
	return r, values, r.stepped
}

// console reads what HF Trainer prints: dictionaries, mixed with bars that a carriage return ends. The step of a row, and
// when it was, is that of the bar before it; without bars rows are counted. Bars of checks are other ones: they stand
// below that of training, which a terminal's word to go up again tells, or have another number of places.
type console struct {
	fields fields
	bar    bar // of training
	other  bar // the last one, where it is of another number of places
	rows   int
}

// bar is how far a bar of tqdm is.
type bar struct {
	step, total int
	elapsed     float64 // seconds; below 0: not said
}

func (c *console) restart() { c.bar, c.other, c.rows = bar{}, bar{}, 0 }

func (c *console) line(line []byte, values []Value) (r said, list []Value, ok bool) {
	r.Epoch, r.elapsed = -1, -1
	list = values
	for part := range bytes.SplitSeq(line, []byte{'\r'}) {
		if b, ok := barIn(part); ok && (c.bar.total == 0 || b.total == c.bar.total) {
			c.bar, c.other = b, bar{}
		} else if ok {
			c.other = b
		}
		at := bytes.Index(part, []byte("{'"))
		if at < 0 || r.stepped {
			continue
		}
		s := scanner{b: part[at:]}
		found, more, ok := c.fields.object(&s, values)
		if !ok || len(found.Values) == 0 && !found.final {
			continue
		}
		r, list = found, more
		if r.loss {
			if c.rows++; c.other.total > 0 { // that of training after all: it was started again, or is another one
				c.bar, c.other = c.other, bar{}
			}
		}
		r.total = c.bar.total
		if c.bar.total > 0 {
			r.elapsed = c.bar.elapsed
		}
		if !r.stepped {
			r.Step, r.stepped = c.bar.step, true
			if c.bar.total == 0 {
				r.Step = c.rows
			}
		}
	}
	return r, list, true
}

// barIn is the last bar in what was printed, "10%|█ | 10/438 [00:12<…"; one with words before it, and one below another,
// do not count.
func barIn(part []byte) (b bar, ok bool) {
	end := bytes.LastIndex(part, []byte(" ["))
	if end < 0 || bytes.Contains(part[end:], []byte("\x1b[A")) {
		return bar{}, false
	}
	begin := bytes.LastIndex(part[:end], []byte("%|"))
	if begin < 0 {
		return bar{}, false
	}
	share := bytes.TrimRight(part[:begin], "0123456789.")
	if said := bytes.TrimSpace(share); len(said) > 0 && said[len(said)-1] == ':' {
		return bar{}, false
	}
	from := bytes.LastIndexByte(part[:end], ' ') + 1
	a, n, found := bytes.Cut(part[from:end], []byte("/"))
	step, okA := whole(a)
	total, okB := whole(n)
	b = bar{step, total, -1}
	if clock, _, ok := bytes.Cut(part[end+2:], []byte("<")); ok {
		if seconds, ok := duration(clock); ok {
			b.elapsed = seconds
		}
	}
	return b, found && okA && okB && total > 0
}

// losses are those that a checkpoint of AutoModel tells, whose folder has the step in its name: one row.
type losses struct {
	path string
	done bool
}

func (l *losses) read(each func(said)) (got progress, err error) {
	if l.done {
		return got, nil
	}
	if r, ok := lossesIn(l.path); ok {
		l.done = true
		each(r)
	}
	return got, nil
}

// lossesIn is the row of a losses.json; its time is that of the file.
func lossesIn(path string) (r said, ok bool) {
	head, info := partOf(path, false)
	told := map[string]any{} // a loss that is no number is not told
	if json.Unmarshal(head, &told) != nil {
		return r, false
	}
	r = said{elapsed: -1}
	r.Epoch, r.Time = -1, float64(info.ModTime().UnixMilli())/1000
	for key, name := range map[string]string{"train_loss": Loss, "val_loss": CheckLoss} {
		if v, is := told[key].(float64); is {
			r.Values, r.loss = append(r.Values, Value{name, v}), r.loss || name == Loss
		}
	}
	r.Step, r.stepped = checkpointStep(filepath.Base(filepath.Dir(path)))
	return r, r.stepped
}

// tailOf is the end of a file from a line's beginning on, and what it looks like now; nil where it cannot be read.
func tailOf(path string) ([]byte, os.FileInfo) {
	return partOf(path, true)
}

// headBytes and tailBytes are what is read of a file to find out what it is and how far it has come.
const (
	headBytes = 8 << 10
	tailBytes = 64 << 10
)
