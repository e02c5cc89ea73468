package train

import (
	"testing"
)

func TestScreens(t *testing.T) {
	dir := folder(t, doneRun, killedRun, runningRun)
	for _, size := range []struct {
		name string
		w, h int
	}{{"120x30", 120, 30}, {"80x22", 80, 22}} {
		_, d := open(t, control(dir), size.w, size.h)
		d.Golden("running-" + size.name)
		for _, view := range []string{"curves", "classes", "machine", "details"} {
			d.Press("]").Golden(view + "-" + size.name)
		}
		d.Press("[", "[", "[", "[", "J").Wait("the killed run", func() bool { return d.Shows("killed") })
		d.Golden("killed-" + size.name)
	}
}
