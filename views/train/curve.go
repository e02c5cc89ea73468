package train

import (
	"cmp"
	"math"
	"slices"

	"finetui/core/run"
)

// curve is a value of one class over a run.
type curve struct {
	name  string
	n     int // what it is a mean of: samples trained on, or samples of valid
	heads []run.Head
	y     []float64
	of    []int // how many samples each value is the mean of
}

// last is the newest value; NaN where there is none.
func (c curve) last() float64 {
	if len(c.y) == 0 {
		return math.NaN()
	}
	return c.y[len(c.y)-1]
}

// trend is the mean of the newest quarter less that of the quarter before it; NaN with fewer than four values.
func (c curve) trend() float64 {
	quarter := len(c.y) / 4
	if quarter == 0 {
		return math.NaN()
	}
	from := len(c.y) - quarter
	return mean(c.y[from:]) - mean(c.y[from-quarter:from])
}

// mean is that of the values that are finite; NaN where none is.
func mean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if finite(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// classLosses are the curves of the classes' losses, most samples first, then by name.
func classLosses(rows []*run.Class) []curve {
	g := newGathering()
	for _, row := range rows {
		for _, l := range row.Losses {
			if l.N > 0 {
				c := g.of(l.Name)
				c.n += l.N
				c.heads, c.y, c.of = append(c.heads, row.Head), append(c.y, float64(l.Loss)), append(c.of, l.N)
			}
		}
	}
	return g.curves()
}

// classRecalls are the curves of the classes' recalls on valid, most samples first, then by name.
func classRecalls(rows []*run.Eval) []curve {
	g := newGathering()
	for _, row := range rows {
		if row.Split != validSplit {
			continue
		}
		for name, r := range row.Recall {
			if r.N > 0 {
				c := g.of(name)
				c.n = r.N
				c.heads, c.y, c.of = append(c.heads, row.Head), append(c.y, float64(r.Right)/float64(r.N)), append(c.of, r.N)
			}
		}
	}
	return g.curves()
}

// gathering collects curves by name.
type gathering map[string]*curve

func newGathering() gathering { return gathering{} }

func (g gathering) of(name string) *curve {
	c := g[name]
	if c == nil {
		c = &curve{name: name}
		g[name] = c
	}
	return c
}

func (g gathering) curves() []curve {
	all := make([]curve, 0, len(g))
	for _, c := range g {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b curve) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name))
	})
	return all
}

// validChecks are the checks on valid.
func validChecks(h *run.History) []*run.Eval {
	var checks []*run.Eval
	for _, r := range h.Evals {
		if r.Split == validSplit {
			checks = append(checks, r)
		}
	}
	return checks
}

// shrink gives w values for a line of w cells: the mean of those that fall into each.
func shrink(y []float64, w int) []float64 {
	if len(y) <= w || w <= 0 {
		return y
	}
	out := make([]float64, w)
	for i := range out {
		out[i] = mean(y[i*len(y)/w : (i+1)*len(y)/w])
	}
	return out
}
