package train

import (
	"sync"

	"finetui/core/run"
	"finetui/views/widget"
)

// averages are smoothed curves that have been drawn: a screen draws each of them several times, and mostly draws again
// what it has drawn before. They may be asked for beside the screen. A curve is known by where it lies, and is not
// changed (see reading).
type averages struct {
	mutex sync.Mutex
	made  map[*float64]average
}

type average struct {
	n      int // values
	weight float64
	y      []float64
}

// mostAverages are more than the curves of one screen.
const mostAverages = 64

// of is the moving average of a curve. Nobody changes it.
func (a *averages) of(y []float64, weight float64) []float64 {
	if a == nil || len(y) == 0 {
		return widget.Smooth(y, weight)
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if kept, ok := a.made[&y[0]]; ok && kept.n == len(y) && kept.weight == weight {
		return kept.y
	}
	if a.made == nil || len(a.made) >= mostAverages {
		a.made = map[*float64]average{}
	}
	made := average{len(y), weight, widget.Smooth(y, weight)}
	a.made[&y[0]] = made
	return made.y
}

// shrink gives w values for a line of w cells: the mean of those that fall into each.
func shrink(y []float64, w int) []float64 {
	if len(y) <= w || w <= 0 {
		return y
	}
	out := make([]float64, w)
	for i := range out {
		out[i] = run.Mean(y[i*len(y)/w : (i+1)*len(y)/w])
	}
	return out
}
