package train

import (
	"math"
	"strings"
	"testing"

	"finetui/core/level"
	"finetui/core/run"
	"finetui/views/widget"
)

func TestSmoothingFitsTheRunsLength(t *testing.T) {
	for _, rows := range []int{1, 10, 29, 86, 400, 20_000} {
		l := plotOptions{smoothing: byLength}
		y := make([]float64, rows)
		for i := range y { // a steep beginning, as every run's
			y[i] = 0.09 + 8*math.Exp(-12*float64(i)/float64(rows))
		}
		if smooth := widget.Smooth(y, l.weight(rows)); math.Abs(smooth[rows-1]-y[rows-1]) > 0.01+0.05*y[rows-1] {
			t.Errorf("%d rows: smoothed %.3f where the last is %.3f", rows, smooth[rows-1], y[rows-1])
		}
	}
}

func TestKeysGoThroughTheWeightsAndBackToTheRunsLength(t *testing.T) {
	l := plotOptions{smoothing: byLength}
	before := l.weight(86)
	if l.smooth(1, 86); l.weight(86) <= before {
		t.Errorf("more smoothing: %g after %g", l.weight(86), before)
	}
	l.smoothing = byLength
	if l.smooth(-1, 86); l.weight(86) >= before {
		t.Errorf("less smoothing: %g after %g", l.weight(86), before)
	}
	for range 20 {
		l.smooth(-1, 86)
	}
	if l.weight(86) != 0 {
		t.Errorf("the least is %g", l.weight(86))
	}
	for range len(smoothings) {
		l.smooth(1, 86)
	}
	if l.smoothing != byLength {
		t.Errorf("beyond the largest it is %g", l.weight(86))
	}
}

func TestCompareShowsRawSmoothAndValidLossOfTheSameKind(t *testing.T) {
	p, d := open(t, control(folder(t, doneRun, killedRun)), 200, 58)
	d.Press("space", "J", "space", "c").Wait("both runs", p.allRead)
	for _, dir := range p.compared() {
		r := p.readingOf(dir)
		var y []float64
		for _, row := range r.history.Train {
			y = append(y, float64(row.LossPlain))
		}
		checks := r.history.Checks()
		smooth := widget.Smooth(y, p.plot.weight(len(y)))
		for what, v := range map[string]float64{"raw": y[len(y)-1], "smooth": smooth[len(y)-1],
			"valid": float64(checks[len(checks)-1].Loss)} {
			if !d.Shows(widget.Number(v)) {
				t.Errorf("%s: the %s loss %s is not on\n%s", dir, what, widget.Number(v), d.Screen())
			}
		}
	}
	if !d.Shows("loss  smooth  valid loss") {
		t.Errorf("their heads:\n%s", d.Screen())
	}
}

func TestWhatIsOutOfSightIsSaidAndReached(t *testing.T) {
	p, d := open(t, control(folder(t, doneRun, killedRun)), 80, 22)
	d.Press("space", "J", "space", "c").Wait("both runs", p.allRead)
	for _, panel := range []string{"recalls", "differences"} {
		p.views.Board().Focus(panel)
		d.Press("g")
		if !d.Shows("↓ ") || !d.Shows(" more") {
			t.Errorf("%s: nothing says that there is more:\n%s", panel, d.Screen())
		}
		seen := map[string]bool{}
		for range 40 {
			for _, line := range strings.Split(d.Screen(), "\n") {
				seen[line] = true
			}
			d.Press("down")
		}
		var all strings.Builder
		for line := range seen {
			all.WriteString(line)
		}
		for _, want := range map[string][]string{"recalls": {"Toe drain", "vegetation", "rock toe"},
			"differences": {"RECIPE.PRESET", "RECIPE.PROMPT_FACTS"}}[panel] {
			if !strings.Contains(all.String(), want) {
				t.Errorf("%s: %q is never seen", panel, want)
			}
		}
		p.views.Board().Focus(panel)
		if d.Press("G"); !d.Shows("↑ ") {
			t.Errorf("%s: nothing says that there is something above:\n%s", panel, d.Screen())
		}
	}
}

func TestAGainHasOneSignAndOneTone(t *testing.T) {
	for d, want := range map[float64]widget.Cell{0.961: {Text: "+96", Tone: widget.OK},
		-1: {Text: "−100", Tone: widget.Warning}, 0.001: {Text: "0", Tone: widget.Muted}} {
		if got := gain(d); got != want {
			t.Errorf("%g: %+v, want %+v", d, got, want)
		}
	}
	if gain(math.NaN()).Text != widget.Missing {
		t.Error("an unknown gain has a number")
	}
}

func TestNothingFromARunReachesTheScreenRaw(t *testing.T) {
	m := wild()
	m.events = append(m.events, run.Event{Head: run.Head{Step: 1}, Level: level.Warn,
		Text: "\x1b]0;title\x07 \u202eevil\u202c \x9b2J"})
	other := doneRun
	other.change = m.change
	p, d := open(t, control(folder(t, m, other)), 200, 58)
	d.Press("space", "J", "space", "c").Wait("both runs", p.allRead)
	for _, view := range p.views.Names() {
		p.views.Show(view)
		screen := p.View(widget.NewTheme(true, false), 200, 58)
		if view == detailsView && !strings.Contains(screen, "evil") {
			t.Error("the event is not seen at all")
		}
		for _, bad := range []string{"\x1b]", "\x1b[31m", "\x1b[2J", "\x07", "\u202e", "\u009b", "\t"} {
			if strings.Contains(screen, bad) {
				t.Errorf("%s: %q is on the screen", view, bad)
			}
		}
	}
}
