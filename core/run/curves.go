package run

import (
	"cmp"
	"math"
	"slices"
)

// ValidSplit is the split that runs are checked on while they train.
const ValidSplit = "valid"

// Curve is a value of one class over a run.
type Curve struct {
	Name  string
	N     int // what it is a mean of: samples trained on, or samples of valid
	Heads []Head
	Y     []float64
	Of    []int // how many samples each value is the mean of
}

// Last is the newest value; NaN where there is none.
func (c Curve) Last() float64 {
	if len(c.Y) == 0 {
		return math.NaN()
	}
	return c.Y[len(c.Y)-1]
}

// Trend is the mean of the newest quarter less that of the quarter before it; NaN with fewer than four values.
func (c Curve) Trend() float64 {
	quarter := len(c.Y) / 4
	if quarter == 0 {
		return math.NaN()
	}
	from := len(c.Y) - quarter
	return Mean(c.Y[from:]) - Mean(c.Y[from-quarter:from])
}

// Mean is that of the values that are finite; NaN where none is.
func Mean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if Finite(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

// Finite says whether a value is a number that is not infinite.
func Finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// LossCurves are the curves of the classes' losses, most samples first, then by name.
func LossCurves(rows []*Class) []Curve {
	g := newGathering()
	for _, row := range rows {
		for _, l := range row.Losses {
			if l.N > 0 {
				c := g.of(l.Name)
				c.N += l.N
				c.Heads, c.Y, c.Of = append(c.Heads, row.Head), append(c.Y, float64(l.Loss)), append(c.Of, l.N)
			}
		}
	}
	return g.curves()
}

// RecallCurves are the curves of the classes' recalls on valid, most samples first, then by name.
func RecallCurves(rows []*Eval) []Curve {
	g := newGathering()
	for _, row := range rows {
		if row.Split != ValidSplit {
			continue
		}
		for name, r := range row.Recall {
			if r.N > 0 {
				c := g.of(name)
				c.N = r.N
				c.Heads, c.Y, c.Of = append(c.Heads, row.Head), append(c.Y, float64(r.Right)/float64(r.N)),
					append(c.Of, r.N)
			}
		}
	}
	return g.curves()
}

// gathering collects curves by name.
type gathering map[string]*Curve

func newGathering() gathering { return gathering{} }

func (g gathering) of(name string) *Curve {
	c := g[name]
	if c == nil {
		c = &Curve{Name: name}
		g[name] = c
	}
	return c
}

func (g gathering) curves() []Curve {
	all := make([]Curve, 0, len(g))
	for _, c := range g {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Curve) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// Checks are the checks on valid.
func (h *History) Checks() []*Eval {
	var checks []*Eval
	for _, r := range h.Evals {
		if r.Split == ValidSplit {
			checks = append(checks, r)
		}
	}
	return checks
}
