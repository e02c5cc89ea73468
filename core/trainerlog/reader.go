package trainerlog

import (
	"os"
	"path/filepath"
	"sort"
)

// Reader reads the rows of a run as they are written. What is appended is read once.
//
// Its files say the same figures: where one has a figure at a step already, another one only goes on from there. A log
// that goes back to an earlier step, or a later event file that begins at one, is a run that was started again: its
// rows count from there on, and who keeps them takes back what came after. What a trainer_state.json alone has, steps
// from before the log began and figures that the log lacks, is filled in, with the time of day of the log's row of
// that step. It is for one goroutine.
type Reader struct {
	log     *Log
	sources []source // in the order of log.files
	state   *state
	marks   map[string]mark
	began   bool    // the log's first rows have been read
	first   int     // step of the first of them
	pending []said  // they
	times   []stamp // of the log's rows of training; only where there is a state
	values  []Value
	look    int // reads until the folder is looked at again
}

// mark is how far a figure is known, and from which source.
type mark struct {
	step, source int
}

type stamp struct {
	step int
	time float64
}

// Got is what one Read came to.
type Got struct {
	Bad   int  // places that could not be read; they are skipped
	Reset bool // forget what was handed on before
	More  bool // there is more right now
}

const (
	stateSource = -1
	lookAgain   = 8 // reads at the end of all files
)

// Reader returns a reader of all rows.
func (l *Log) Reader() *Reader { return &Reader{log: l, marks: map[string]mark{}} }

// open makes sources of files that were not there before.
func (r *Reader) open() {
	for _, f := range r.log.files[min(len(r.sources), len(r.log.files)):] {
		switch f.kind {
		case eventFile:
			r.sources = append(r.sources, &events{path: f.path})
		case ultralyticsTable:
			r.sources = append(r.sources, newLines(f.path, &table{}))
		case consoleLog:
			r.sources = append(r.sources, newLines(f.path, &console{}))
		case savedLosses:
			r.sources = append(r.sources, &losses{path: f.path})
		default:
			r.sources = append(r.sources, newLines(f.path, &objects{}))
		}
	}
	switch {
	case r.log.state == "":
		r.state = nil
	case r.state == nil || r.state.path != r.log.state:
		facts := stateFacts{}
		if r.state != nil { // that of a later checkpoint
			facts = r.state.facts
		}
		r.state = &state{path: r.log.state, facts: facts}
	}
}

// changed tells whether the folder's files are other ones than the reader's.
func (r *Reader) changed(before []logFile) bool {
	if len(r.log.files) < len(before) {
		return true
	}
	for i, f := range before {
		if r.log.files[i] != f {
			return true
		}
	}
	return false
}

// Read hands on a bounded number of rows that have come since the last Read.
func (r *Reader) Read(each func(Row)) (got Got, err error) {
	if r.look--; r.look < 0 || len(r.sources) == 0 {
		r.look = lookAgain
		before := r.log.files
		fresh := *r.log
		if fresh.Refresh() {
			*r.log = fresh
		}
		if r.changed(before) && len(r.sources) > 0 {
			*r = Reader{log: r.log, marks: map[string]mark{}, look: lookAgain}
			got.Reset = true
		}
	}
	r.open()
	void := func() {
		*r = Reader{log: r.log, marks: map[string]mark{}, look: r.look}
		got.Reset, got.More = true, true
	}
	for i, s := range r.sources {
		var rows []said
		emit := func(row said) {
			if !r.began {
				row.Values = append([]Value(nil), row.Values...)
				rows = append(rows, row)
				return
			}
			r.hand(row, i, each)
		}
		read, err := s.read(emit)
		if err != nil {
			return got, err
		}
		got.Bad += read.bad
		if read.reset {
			void()
			if found, ok := s.(*lines); ok && found.lanes.mixed { // it goes on with what it has found out
				r.open()
				r.sources[i] = found
			}
			return got, nil
		}
		if !r.began && len(rows) > 0 {
			r.first, r.pending = rows[0].Step, rows
			for _, row := range rows {
				r.first = min(r.first, row.Step)
			}
		}
		got.More = got.More || read.more
		if !r.began && len(rows) > 0 {
			reset, err := r.begin(i, each)
			if err != nil || reset {
				got.Reset = got.Reset || reset
				return got, err
			}
		}
		if read.more { // later files wait until this one is read
			return got, nil
		}
	}
	more, reset, err := r.fill(each)
	if reset {
		void()
		return got, err
	}
	got.More = got.More || more
	if got.More {
		r.look++
	}
	return got, err
}

// begin hands on what only the state knows, the steps before the log's first, and then the log's first rows.
func (r *Reader) begin(source int, each func(Row)) (reset bool, err error) {
	r.began = true
	if r.state != nil {
		early := &state{path: r.state.path}
		for {
			read, err := early.read(func(row said) {
				if row.Step < r.first {
					r.hand(row, stateSource, each)
				}
			})
			if err != nil {
				return false, err
			}
			if !read.more {
				break
			}
		}
	}
	for _, row := range r.pending {
		r.hand(row, source, each)
	}
	r.pending = nil
	return false, nil
}

// fill hands on what the state has beyond the log.
func (r *Reader) fill(each func(Row)) (more, reset bool, err error) {
	if r.state == nil {
		return false, false, nil
	}
	read, err := r.state.read(func(row said) { r.hand(row, stateSource, each) })
	if err != nil || read.reset {
		return false, read.reset, err
	}
	r.began = true
	return read.more, false, nil
}

// hand hands on the figures of a row that go on from what is known.
func (r *Reader) hand(row said, source int, each func(Row)) {
	r.values = r.values[:0]
	for _, v := range row.Values {
		m, known := r.marks[v.Name]
		switch {
		case !known:
		case source == m.source && source >= 0:
		case source == m.source: // the state: twice the same step is two checks
			if row.Step < m.step {
				continue
			}
		case row.Step > m.step && (source > m.source || !r.following() || source == stateSource):
		case source == stateSource || source < m.source || m.source != stateSource && !r.following():
			continue
		case m.source == stateSource && !r.startedAfterState(row):
			continue
		}
		if known && v.Name == Loss && row.Step <= m.step {
			r.goBack(row.Step)
		}
		r.marks[v.Name] = mark{row.Step, source}
		r.values = append(r.values, v)
	}
	if source >= 0 && r.state != nil && row.loss && row.Time > 0 {
		r.stamp(row.Step, row.Time)
	}
	if len(r.values) == 0 && (source == stateSource || len(row.Values) > 0) {
		return // else the trainer's last word, that it has come to a step
	}
	row.Values = r.values
	if source == stateSource && row.Time == 0 {
		row.Time = r.timeOf(row.Step)
	}
	each(row.Row)
}

// goBack lets every figure go on from a step: a run that was started again is there.
func (r *Reader) goBack(step int) {
	for name, m := range r.marks {
		if m.step >= step {
			r.marks[name] = mark{step - 1, m.source}
		}
	}
}

// following says whether the files follow each other, a new one for each process, and do not stand side by side.
func (r *Reader) following() bool { return r.log.files[0].kind == eventFile }

// startedAfterState says whether a row is from a run that was started anew after the state was last saved.
func (r *Reader) startedAfterState(row said) bool {
	return r.state != nil && r.state.file != nil && row.Time > float64(r.state.file.ModTime().Unix())+1
}

// stamp remembers when a step was.
func (r *Reader) stamp(step int, time float64) {
	n := sort.Search(len(r.times), func(i int) bool { return r.times[i].step >= step })
	r.times = append(r.times[:n], stamp{step, time})
}

// timeOf is when a step was, between the rows around it; 0: not known.
func (r *Reader) timeOf(step int) float64 {
	n := sort.Search(len(r.times), func(i int) bool { return r.times[i].step >= step })
	switch {
	case n < len(r.times) && r.times[n].step == step:
		return r.times[n].time
	case n == 0 || n == len(r.times):
		return 0
	}
	a, b := r.times[n-1], r.times[n]
	return a.time + (b.time-a.time)*float64(step-a.step)/float64(b.step-a.step)
}

// modified is when a file was last written, in Unix seconds; 0: it is not there.
func modified(path string) float64 {
	info, err := os.Stat(filepath.Clean(path))
	if err != nil {
		return 0
	}
	return float64(info.ModTime().UnixMilli()) / 1000
}
