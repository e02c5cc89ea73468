package trainerlog

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"finetui/ml/lora"
)

// Glance is how a run stands, as the ends of its files tell.
type Glance struct {
	Step    int     // the last one
	Total   int     // how many there will be; 0: not known
	Began   float64 // Unix seconds; 0: not known
	Wrote   float64 // when a file of the run was last written, in Unix seconds
	Every   float64 // seconds between two rows, the longer of the last ones; 0: not known
	Elapsed float64 // seconds that the trainer has been at work, as far as it says
	Over    string  // by what it is known to have ended: "its last row says so"; "": it is not
	Failure string  // the error that what it printed ends with; "": none
}

// seen is what a file's end came to when it looked like this.
type seen struct {
	size int64
	time time.Time
	glance
}

// glance is what the end of one file tells.
type glance struct {
	step, total    int
	first, last    float64 // times of its rows
	every, elapsed float64
	final          bool
	failure        string
}

// glances keeps what was seen, by path: nothing is read twice while it does not change.
var glances = newCache()

// Glance looks at the ends of the run's files.
func (l *Log) Glance() Glance {
	g := Glance{}
	final := false
	for _, f := range l.files {
		one := glances.of(f)
		g.Step, g.Total = max(g.Step, one.step), max(g.Total, one.total)
		g.Elapsed = max(g.Elapsed, one.elapsed)
		g.Every = max(g.Every, one.every)
		wrote := modified(f.path)
		if one.last > 0 && one.last < wrote { // a copy is newer than its rows
			wrote = one.last
		}
		g.Wrote = max(g.Wrote, wrote)
		if one.first > 0 && (g.Began == 0 || one.first < g.Began) {
			g.Began = one.first
		}
		final = final || one.final
	}
	if l.state != "" {
		one := glances.of(logFile{l.state, stateFile})
		g.Step, g.Total = max(g.Step, one.step), max(g.Total, one.total)
		final = final || one.final
		g.Wrote = max(g.Wrote, modified(l.state))
	}
	if g.Total == 0 {
		g.Total = l.plan
	}
	if l.console != "" {
		g.Wrote = max(g.Wrote, modified(l.console))
		g.Failure = glances.of(logFile{l.console, consoleLog}).failure
	}
	for _, c := range l.checkpoints {
		g.Wrote = max(g.Wrote, modified(c.Path))
	}
	if g.Began == 0 && g.Elapsed > 0 {
		g.Began = g.Wrote - g.Elapsed
	}
	if g.Elapsed == 0 && g.Began > 0 { // its rows tell their time of day
		g.Elapsed = max(g.Wrote-g.Began, 0)
	}
	switch {
	case final:
		g.Over = "its last row says so"
	case g.Total > 0 && g.Step >= g.Total, l.Tool == AutoModel && g.Total > 0 && g.Step == g.Total-1: // it counts from 0
		g.Over = "it has taken all of its steps"
	default:
		for _, name := range []string{"all_results.json", "train_results.json", lora.WeightsFile, lora.PickleFile} {
			if at := modified(filepath.Join(l.Dir, name)); at > 0 && at >= g.Wrote-300 && l.Tool != AutoModel {
				g.Over = "it has left its " + name
			}
		}
	}
	return g
}

// planned are the steps, or epochs where those are counted, that the settings name; 0: none.
func (l *Log) planned() int {
	want := map[string]string{Ultralytics: "epochs", AutoModel: "step_scheduler.max_steps"}[l.Tool]
	if want == "" {
		return 0
	}
	for _, s := range l.Settings() {
		if s.Key == want {
			n, _ := strconv.Atoi(s.Value)
			return max(n, 0)
		}
	}
	return 0
}

// glanceAt looks at the end of a file.
func glanceAt(f logFile) (g glance) {
	end, _ := partOf(f.path, true)
	var rows []said
	take := func(r said) {
		r.Values = nil
		rows = append(rows, r)
	}
	switch f.kind {
	case savedLosses:
		if r, ok := lossesIn(f.path); ok {
			rows = append(rows, r)
		}
	case stateFile:
		head, _ := partOf(f.path, false)
		facts := stateGlance(head, end)
		g.step, g.total = facts.step, facts.total
		g.final = bytes.Contains(end, []byte(`"train_runtime":`)) && bytes.Contains(end, []byte(`"train_loss":`))
		return g
	case eventFile:
		e := events{}
		e.records(end, take, &progress{})
		e.flush(take)
		e = events{}
		var first []said
		head, _ := partOf(f.path, false)
		e.records(head, func(r said) { first = append(first, r) }, &progress{})
		if e.flush(func(r said) { first = append(first, r) }); len(first) > 0 {
			g.first = first[0].Time
		}
	default:
		var p parser = &objects{}
		if f.kind == consoleLog {
			p, g.failure = &console{}, failure(end)
		} else if f.kind == ultralyticsTable {
			p = &table{}
			head, _ := partOf(f.path, false)
			line, _, _ := bytes.Cut(head, []byte{'\n'})
			p.line(bytes.TrimSpace(line), nil)
		}
		for line := range bytes.Lines(end) {
			if line = bytes.TrimSpace(line); !bytes.HasSuffix(line, []byte("}")) && f.kind != consoleLog &&
				f.kind != ultralyticsTable {
				continue
			}
			if r, _, ok := p.line(line, nil); ok && r.stepped {
				if f.kind == llamaFactoryLog && len(r.Values) == 0 && r.total > 0 && r.Step >= r.total {
					r.final = true
				}
				take(r)
			}
		}
	}
	g.summarize(rows, f.path)
	return g
}

const paceRows = 20 // the newest ones, whose distance is the pace

func (g *glance) summarize(rows []said, path string) {
	for _, r := range rows {
		g.step, g.total = max(g.step, r.Step), max(g.total, r.total)
		g.final = r.final || g.final && !r.loss // a run that was started again goes on
		if r.elapsed >= 0 {
			g.elapsed = r.elapsed
		}
	}
	newest := rows[max(len(rows)-paceRows, 0):]
	at := func(r said) float64 {
		if r.Time > 0 {
			return r.Time
		}
		return r.elapsed
	}
	for i := 1; i < len(newest); i++ {
		if a, b := at(newest[i-1]), at(newest[i]); a >= 0 && b > a {
			g.every = max(g.every, b-a)
		}
	}
	if n := len(rows); n > 0 && rows[n-1].Time > 0 {
		if g.last = rows[n-1].Time; g.first == 0 {
			g.first = firstTime(path)
		}
	}
}

// firstTime is the time of the first row of a log.
func firstTime(path string) float64 {
	head, _ := partOf(path, false)
	o := objects{}
	for line := range bytes.Lines(head) {
		if r, _, ok := o.line(bytes.TrimSpace(line), nil); ok && r.Time > 0 {
			return r.Time
		}
	}
	return 0
}

// failure is the last line of the trace that a Python program has ended with; "" where it has not, or was started again
// since.
func failure(end []byte) string {
	at := bytes.LastIndex(end, []byte("Traceback (most recent call last):"))
	if at < 0 || bytes.Contains(end[at:], []byte("{'loss'")) {
		return ""
	}
	for line := range bytes.Lines(end[at:]) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 || line[0] == ' ' || bytes.HasPrefix(line, []byte("Traceback")) {
			continue
		}
		name, _, _ := bytes.Cut(line, []byte{':'}) // ValueError: …
		if !bytes.ContainsAny(name, " {'\t") {
			return string(line[:min(len(line), 300)])
		}
	}
	return ""
}

// The rules of what silence means, of a run that has not said that it is over.
const (
	quietTimes = 10               // times the longest pace between rows,
	quietLeast = 2 * time.Minute  // but at least this: it has said nothing for long
	goneTimes  = 100              // and after so many
	goneLeast  = 6 * time.Hour    // it does not come back
	saveQuiet  = 30 * time.Minute // of a run whose pace nobody knows
	batched    = 100              // rows that AutoModel keeps before it writes them
)

// Silence is how long a run has written nothing, and what that means: quiet is longer than its pace explains, gone is
// so long that it will not come back.
func (l *Log) Silence(g Glance, now time.Time) (silent time.Duration, quiet, gone bool) {
	silent = max(now.Sub(time.UnixMilli(int64(g.Wrote*1000))), 0)
	every := time.Duration(g.Every * float64(time.Second))
	if l.Tool == AutoModel {
		every *= batched
	}
	limit := max(quietTimes*every, quietLeast)
	if every == 0 {
		limit = max(limit, saveQuiet)
	}
	return silent, silent > limit, silent > max(goneTimes*every, goneLeast, limit)
}

// Pace is the run's pace in words, "a row every 12s"; "" where it is not known, or below a second.
func (g Glance) Pace() string {
	if g.Every < 1 {
		return ""
	}
	return fmt.Sprintf("a row every %s", time.Duration(g.Every*float64(time.Second)).Round(time.Second))
}
