package run

import (
	"math"
	"slices"
	"sort"
)

// History is a run's rows by kind, oldest first, bounded in memory. It is for one goroutine.
//
// When a step repeats after a resume the later row wins: a train row at or before the last one takes back everything
// from its step on. When a series outgrows Limit it is thinned, evenly over its steps; extremes and
// NaN stay.
type History struct {
	Limit int  // rows of one series, at least 64; 0: 20,000; of classes a fifth
	Brief bool // keep what a list of runs shows: the last step, checks and checkpoints

	Train       []*Train
	Classes     []*Class
	Evals       []*Eval
	System      []*System
	Checkpoints []*Checkpoint
	Events      []*Event
	Figures     []Figure // of rows of metrics, in the order in which they first came

	Bad    int // lines that were no rows
	Thin   bool
	Resume int // how often steps went back

	last     int // step of the newest train row
	any      bool
	furthest int // step that a row of metrics has come to
	places   map[string]int
}

// Figure is a series of a figure by its name. Like a history's rows, what is in it is not changed, only added to.
type Figure struct {
	Name   string
	Points []Point
}

// Point is a figure at a step.
type Point struct {
	Step int
	Time float64 // Unix seconds
	Y    float64
}

// Head is that of the row that the point was in.
func (p Point) Head() Head { return Head{Step: p.Step, Time: p.Time} }

// Figure is the series of a name; it is empty where there is none.
func (h *History) Figure(name string) Figure {
	for _, f := range h.Figures {
		if f.Name == name {
			return f
		}
	}
	return Figure{Name: name}
}

const (
	defaultLimit = 20_000
	classShare   = 5 // of the limit, one part in so many is that of rows of classes, each of which has many values
	eventLimit   = 1_000
	mostFigures  = 2_000
	figurePoints = 4_000_000 // of all figures together
)

// Add takes in what a Tail has read.
func (h *History) Add(b Batch) {
	if b.Reset {
		*h = History{Limit: h.Limit, Brief: h.Brief}
	}
	h.Bad += b.Bad
	h.Figures = slices.Clone(h.Figures) // who has looked at the history keeps what was there
	for _, row := range b.Rows {
		h.add(row)
	}
	h.Checkpoints = newest(h.Checkpoints, h.limit())
	h.Events = newest(h.Events, eventLimit)
}

// Step returns the last step that a train or checkpoint row reports.
func (h *History) Step() int {
	step := h.last
	if n := len(h.Checkpoints); n > 0 {
		step = max(step, h.Checkpoints[n-1].Step)
	}
	return max(step, h.furthest)
}

// add takes in one row. A series that has become too long is thinned at once, so that what is kept does not depend on how
// many rows came together.
func (h *History) add(row Row) {
	limit := h.limit()
	switch r := row.(type) {
	case *Train:
		if h.any && r.Step <= h.last {
			h.rollBack(r.Step)
		}
		if h.last, h.any = r.Step, true; !h.Brief {
			h.Train = append(h.Train, r)
		}
		if len(h.Train) > limit {
			h.Train, h.Thin = thin(h.Train, limit/2, trainStep, lossHeight), true
		}
	case *Class:
		if !h.Brief {
			h.Classes = append(before(h.Classes, r.Step), r)
		}
		if most := max(limit/classShare, 64); len(h.Classes) > most {
			h.Classes, h.Thin = mergeClasses(h.Classes, most/2), true
		}
	case *Eval:
		if h.Evals = append(h.withoutEval(r), r); len(h.Evals) > limit {
			h.Evals, h.Thin = thin(h.Evals, limit/2, evalStep, checkHeight), true
		}
	case *System:
		if !h.Brief {
			h.System = append(h.System, r)
		}
		if len(h.System) > limit {
			h.System, h.Thin = newestOfEach(h.System, limit/2, systemSecond), true
		}
	case *Checkpoint:
		h.Checkpoints = append(before(h.Checkpoints, r.Step), r)
	case *Event:
		if !h.Brief {
			h.Events = append(h.Events, r)
		}
	case *Metrics:
		h.furthest = max(h.furthest, r.Step)
		if !h.Brief {
			h.addFigures(r)
		}
	}
}

// addFigures adds to the series of a row's figures. One that goes back to an earlier step is taken back from there on.
func (h *History) addFigures(r *Metrics) {
	if h.places == nil {
		h.places = map[string]int{}
		for i, f := range h.Figures {
			h.places[f.Name] = i
		}
	}
	for _, v := range r.Values {
		at, known := h.places[v.Name]
		if !known {
			if len(h.Figures) == mostFigures {
				continue
			}
			at = len(h.Figures)
			h.places[v.Name] = at
			h.Figures = append(h.Figures, Figure{Name: v.Name})
		}
		f := &h.Figures[at]
		if n := len(f.Points); n > 0 && f.Points[n-1].Step >= r.Step {
			n = sort.Search(n, func(i int) bool { return f.Points[i].Step >= r.Step })
			f.Points = f.Points[:n:n]
		}
		f.Points = append(f.Points, Point{r.Step, r.Time, float64(v.Y)})
		if most := max(min(h.limit(), figurePoints/len(h.Figures)), 64); len(f.Points) > most {
			f.Points, h.Thin = thin(f.Points, most/2, pointStep, pointHeight), true
		}
	}
}

// rollBack forgets what a killed process had done from that step on. System rows and events happened all the same.
func (h *History) rollBack(step int) {
	h.Resume++
	h.furthest = min(h.furthest, step)
	h.Train = before(h.Train, step)
	h.Classes = before(h.Classes, step)
	h.Evals = before(h.Evals, step)
	h.Checkpoints = before(h.Checkpoints, step)
}

// before returns the rows of a series that come before a step.
func before[R Row](rows []R, step int) []R {
	n := sort.Search(len(rows), func(i int) bool { return rows[i].head().Step >= step })
	if n == len(rows) {
		return rows // appending to it copies nothing
	}
	return rows[:n:n]
}

// withoutEval drops an earlier row of the same split from that step on; other splits of the step stay.
func (h *History) withoutEval(r *Eval) []*Eval {
	kept := before(h.Evals, r.Step)
	for _, e := range h.Evals[len(kept):] {
		if e.Step == r.Step && e.Split != r.Split {
			kept = append(kept, e)
		}
	}
	return kept
}

// limit is how many rows of one series are kept at most.
func (h *History) limit() int {
	if h.Limit == 0 {
		return defaultLimit
	}
	return max(h.Limit, 64)
}

func newest[R any](rows []R, n int) []R {
	if len(rows) <= n {
		return rows
	}
	return append([]R(nil), rows[len(rows)-n:]...)
}

// stretches hands on the rows of every stretch of a series, as from and to in its rows: at most so many. Stretches are
// powers of two long and begin at multiples of their length, so that rows which were thinned before and those which came
// since end up equally dense.
func stretches[R any](rows []R, most int, at func(R) int, each func(from, to int)) {
	end := func(from, bits int) int {
		to := from + 1
		for to < len(rows) && at(rows[to])>>bits == at(rows[from])>>bits {
			to++
		}
		return to
	}
	fits := func(bits int) bool {
		n, from := 0, 0
		for ; from < len(rows) && n <= most; n++ {
			from = end(from, bits)
		}
		return n <= most
	}
	bits := 1
	for !fits(bits) && bits < 63 {
		bits++
	}
	for from := 0; from < len(rows); {
		to := end(from, bits)
		each(from, to)
		from = to
	}
}

// thin keeps at most so many rows, evenly over the steps: the lowest and the highest of every stretch, the first and
// the last of all.
func thin[R any](rows []R, most int, at func(R) int, height func(R) float64) []R {
	kept := make([]R, 0, most)
	stretches(rows, most/2-1, at, func(from, to int) {
		low, high := from, from
		for i := from + 1; i < to; i++ {
			if height(rows[i]) < height(rows[low]) {
				low = i
			}
			if height(rows[i]) >= height(rows[high]) {
				high = i
			}
		}
		low, high = min(low, high), max(low, high)
		if from == 0 && low > 0 {
			kept = append(kept, rows[0])
		}
		kept = append(kept, rows[low])
		if high > low {
			kept = append(kept, rows[high])
		}
		if to == len(rows) && high < to-1 {
			kept = append(kept, rows[to-1])
		}
	})
	return kept
}

func trainStep(r *Train) int { return r.Step }

func classStep(r *Class) int { return r.Step }

func evalStep(r *Eval) int { return r.Step }

// systemSecond is when a row was, in whole Unix seconds: such rows come by the clock, several of a step or one in many.
func systemSecond(r *System) int { return int(min(max(r.Time, 0), 1<<53)) }

func pointStep(p Point) int { return p.Step }

func pointHeight(p Point) float64 { return peak(p.Y) }

func lossHeight(r *Train) float64 { return peak(float64(r.Loss)) }

func checkHeight(r *Eval) float64 { return peak(float64(r.Loss)) }

// peak is a value in the order of heights: a NaN is higher than any.
func peak(v float64) float64 {
	if math.IsNaN(v) {
		return math.Inf(1)
	}
	return v
}

// newestOfEach keeps at most so many rows, the newest of every stretch: what the rows between them say is neither added
// to it nor sought out, so that means over them stay what they were.
func newestOfEach[R any](rows []R, most int, at func(R) int) []R {
	kept := make([]R, 0, most)
	stretches(rows, most, at, func(_, to int) { kept = append(kept, rows[to-1]) })
	return kept
}

// mergeClasses joins the rows of every stretch to at most so many; their losses are means, weighted by n.
func mergeClasses(rows []*Class, most int) []*Class {
	kept := make([]*Class, 0, most)
	stretches(rows, most, classStep, func(from, to int) {
		losses := rows[from].Losses
		for _, r := range rows[from+1 : to] {
			losses = mergeLosses(losses, r.Losses)
		}
		kept = append(kept, &Class{Head: rows[to-1].Head, Losses: losses})
	})
	return kept
}

func mergeLosses(a, b ClassLosses) ClassLosses {
	merged := make(ClassLosses, 0, max(len(a), len(b)))
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Name < b[0].Name:
			merged, a = append(merged, a[0]), a[1:]
		case len(a) == 0 || b[0].Name < a[0].Name:
			merged, b = append(merged, b[0]), b[1:]
		default:
			l := ClassLoss{Name: a[0].Name, N: a[0].N + b[0].N, Loss: b[0].Loss}
			if l.N > 0 {
				l.Loss = (a[0].Loss*Float(a[0].N) + b[0].Loss*Float(b[0].N)) / Float(l.N)
			}
			merged, a, b = append(merged, l), a[1:], b[1:]
		}
	}
	return merged
}
