package train

import (
	"slices"
	"time"

	"finetui/core/run"
	"finetui/views/widget"
)

// axis is what curves are drawn over.
type axis int

const (
	byStep     axis = iota
	byClock         // time of day
	byRelative      // time at work since the run began
	axisCount
)

func (a axis) String() string { return [...]string{"step", "time", "at work"}[a] }

// plotOptions are how curves are drawn. The zero value smooths nothing and lets outliers be clipped and marked.
type plotOptions struct {
	smoothing int // index in smoothings, or byLength
	x         axis
	log       bool
	outliers  bool // hold them in the scale
	plain     bool // the loss without the recipe's weights
	recall    bool // of the classes, in place of their loss
	commonest bool // first, in place of the rarest
	window    xWindow
}

// smoothings are the weights of the moving average that the keys go through.
var smoothings = []float64{0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99, 0.995}

// byLength smooths over a twentieth of the run's rows: the average of a short run is not drawn out by its beginning,
// that of a long one is calm. Keys go on from there, and come back to it beyond the largest weight.
const (
	byLength   = -1
	lengthPart = 20
)

// smooth takes the n-th weight further on, for a curve of so many rows.
func (l *plotOptions) smooth(n, rows int) {
	at := l.smoothing
	if at == byLength {
		at = slices.IndexFunc(smoothings, func(w float64) bool { return w >= l.weight(rows) })
		if n > 0 && smoothings[at] > l.weight(rows) {
			n-- // the next larger one is where it stands already
		}
	}
	switch at += n; {
	case at >= len(smoothings):
		at = byLength
	case at < 0:
		at = 0
	}
	l.smoothing = at
}

// weight is that of the moving average of a curve of so many rows: it averages over about 1 / (1 − weight) of them.
func (l *plotOptions) weight(rows int) float64 {
	if l.smoothing == byLength {
		return min(1-1/max(float64(rows)/lengthPart, 1), smoothings[len(smoothings)-1])
	}
	return smoothings[l.smoothing]
}

// at is where a row stands on the axis.
func (a axis) at(h run.Head, c run.Clock) float64 {
	switch a {
	case byClock:
		return h.Time
	case byRelative:
		return c.Worked(h.Time)
	}
	return float64(h.Step)
}

// tones tell the lines of one chart apart, beside their letters.
var tones = []widget.Tone{widget.Accent, widget.Warning, widget.Plain, widget.Strong, widget.OK, widget.Muted}

// chart is an empty chart with the axes that were chosen; zone is where times of day are told.
func (l *plotOptions) chart(zone *time.Location) widget.LineChart {
	c := widget.LineChart{XName: l.x.String(), IgnoreOutliers: !l.outliers, LogY: l.log, XFrom: l.window.from,
		XTo: l.window.to}
	if l.window.pointed {
		c.Cursor = &l.window.cursor
	}
	switch l.x {
	case byClock:
		c.XText = func(x float64) string { return clockText(x, zone) }
	case byRelative:
		c.XText = func(x float64) string { return seconds(x) }
	}
	return c
}

// clockText is a time of day in Unix seconds as people write it.
func clockText(unix float64, zone *time.Location) string {
	return time.UnixMilli(int64(unix * 1000)).In(zone).Format("15:04:05")
}

// seconds writes a time.
func seconds(s float64) string {
	switch {
	case !run.Finite(s):
		return widget.Missing
	case s == 0:
		return "0 s"
	}
	return widget.Duration(time.Duration(s * float64(time.Second)))
}
