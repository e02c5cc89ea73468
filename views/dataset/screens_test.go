package dataset

import (
	"fmt"
	"strings"
	"testing"

	"finetui/views/viewtest"
	"finetui/views/widget"
)

// screenSizes are those of the pane in terminals of 120×32 and 80×24: the root keeps two lines.
var screenSizes = [][2]int{{120, 30}, {80, 22}}

func screenName(view string, size [2]int) string {
	return fmt.Sprintf("%s-%dx%d", strings.ToLower(view), size[0], size[1]+2)
}

var theme = widget.NewTheme(true, true)

func TestScreens(t *testing.T) {
	for _, size := range screenSizes {
		p, d := open(t, size[0], size[1])
		for _, view := range p.views.Names() {
			if view != findingsView {
				show(p, d, view)
				d.Golden(screenName(view, size))
			}
		}
		show(p, d, samplesView)
		d.Press("right", "enter").Wait("the picture", p.settled).Golden(screenName("picture", size))
		p, d = openProject(t, faulty(), size[0], size[1])
		show(p, d, findingsView)
		d.Golden(screenName("findings", size))
	}
}

func TestEveryViewAtEverySize(t *testing.T) {
	p, d := open(t, 120, 30)
	draw := func(w, h int) string { return p.View(theme, w, h) }
	for _, view := range p.views.Names() {
		show(p, d, view)
		viewtest.Sizes(t, draw)
	}
	show(p, d, samplesView)
	d.Press("enter")
	viewtest.Sizes(t, draw)
}

// The root's least terminal leaves 60×18; faults make long texts.
func TestFaultySetIsDrawnWhole(t *testing.T) {
	p, d := openProject(t, faulty(), 120, 30)
	for _, theme := range []*widget.Theme{widget.NewTheme(true, true), widget.NewTheme(false, false)} {
		for _, view := range p.views.Names() {
			show(p, d, view)
			for _, size := range [][2]int{{60, 18}, {73, 21}, {80, 22}, {101, 27}, {150, 40}, {200, 58}} {
				if fault := viewtest.Fault(func(w, h int) string { return p.View(theme, w, h) }, size[0],
					size[1]); fault != "" {
					t.Errorf("%s at %d×%d: %s", view, size[0], size[1], fault)
				}
			}
		}
	}
}

// A large terminal shows more of what the view is about, not blanks.
func TestLargeTerminalsShowMore(t *testing.T) {
	p, d := open(t, 200, 58)
	show(p, d, recipeName)
	if n := strings.Count(d.Screen(), "each time with weight"); n != 2 {
		t.Errorf("%d examples of a prompt are shown:\n%s", n, d.Screen())
	}
	show(p, d, pairsView)
	list := d.Screen()[strings.Index(d.Screen(), "All pairs"):]
	if n := strings.Count(list, "\n"); n < 40 {
		t.Errorf("the list of pairs has not the room that the table leaves:\n%s", d.Screen())
	}
	p, d = openProject(t, faulty(), 200, 58)
	show(p, d, findingsView)
	if !d.Shows("Picture train/slope_02") || d.Shows("reading …") {
		t.Errorf("the picture of the finding is not shown:\n%s", d.Screen())
	}
	if d.Press("down").Wait("the next", p.settled); d.Shows("Picture train/slope_02") {
		t.Errorf("the next finding is shown on the picture of the one before:\n%s", d.Screen())
	}
	p, d = openProject(t, faulty(), 120, 30)
	if show(p, d, findingsView); d.Shows("Picture train/slope_02") {
		t.Errorf("a small terminal gives the picture the room of the places:\n%s", d.Screen())
	}
}
