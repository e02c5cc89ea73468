package train

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/run"
	"finetui/views"
)

func TestARunIsRenamedWithItsMark(t *testing.T) {
	dir := folder(t, doneRun, killedRun)
	p, d := open(t, control(dir), 120, 30)
	d.Press("space", "C")
	if !p.Capturing() || !d.Shows("Another name for 0002-enhanced") {
		t.Fatalf("nothing is asked:\n%s", d.Screen())
	}
	if d.Type("a=b").Press("enter"); !d.Shows("reads like a constant") {
		t.Errorf("a name that is none is taken:\n%s", d.Screen())
	}
	d.Press("esc", "C").Type("mild").Press("enter")
	said(t, d, "0002-enhanced is called 0002-mild now")
	now := filepath.Join(dir, "0002-mild")
	d.Wait("the folder", func() bool { return p.list.find(now) != nil && p.allRead() })
	if p.selected().run.Dir != now || len(p.marks) != 1 || p.marks[0] != now || !d.Shows("A 0002-mild") {
		t.Errorf("selected %s, marked %v:\n%s", p.selected().run.Dir, p.marks, d.Screen())
	}
}

func TestARunIsDeletedOnlyAfterAYes(t *testing.T) {
	dir := folder(t, doneRun, killedRun)
	p, d := open(t, control(dir), 120, 30)
	there := func() bool { _, err := os.Stat(filepath.Join(dir, "0002-enhanced")); return err == nil }
	for _, keys := range [][]string{{"d", "esc"}, {"d", "enter"}, {"d", "down", "up", "enter"}} {
		if d.Press(keys...); !there() || p.Capturing() {
			t.Fatalf("%q deletes the run", keys)
		}
	}
	if d.Press("d", "down"); !d.Shows("Delete 0002-enhanced?") || !d.Shows("checkpoint") {
		t.Errorf("what is asked:\n%s", d.Screen())
	}
	d.Press("enter")
	said(t, d, "0002-enhanced is deleted")
	d.Wait("the list", func() bool { return len(p.list.runs) == 1 })
	if there() || p.selected().run.Label() != "0001-basic" {
		t.Errorf("it is there still, or %s is selected", p.selected().run.Label())
	}
}

func TestARunThatGoesOnIsNeitherRenamedNorDeleted(t *testing.T) {
	p, d := open(t, control(folder(t, runningRun)), 120, 30)
	for _, key := range []string{"C", "d"} {
		d.Press(key)
		if p.Capturing() {
			t.Errorf("%s asks about a run that goes on", key)
		}
	}
	said(t, d, "0001-enhanced is running: x stops it, then it can be renamed")
	said(t, d, "0001-enhanced is running: x stops it, then it can be deleted")
}

func TestRunsAreListedInTheOrderThatIsChosen(t *testing.T) {
	other := doneRun
	other.name, other.recipe, other.level, other.done = "arid", "enhanced-original", 0.2, 200
	other.end = run.Stopped
	p, d := open(t, control(folder(t, doneRun, killedRun, other)), 120, 30)
	labels := func() string {
		var all []string
		for _, e := range p.listedRuns() {
			all = append(all, e.run.Label()[:4])
		}
		return strings.Join(all, " ")
	}
	d.Press("down") // 0002 is selected, and stays so
	for _, c := range []struct{ title, want string }{
		{"", "0003 0002 0001"}, {" · by name", "0003 0001 0002"}, {" · by recipe", "0001 0002 0003"},
		{" · by state", "0002 0003 0001"}, {" · best first", ""}, {" · furthest first", "0001 0002 0003"},
	} {
		if got := labels(); c.want != "" && got != c.want {
			t.Errorf("%q: %s, want %s", c.title, got, c.want)
		}
		if !d.Shows("Runs · 3"+c.title) || p.selected().run.Label() != "0002-enhanced" {
			t.Errorf("%q is not said, or %s is selected:\n%s", c.title, p.selected().run.Label(), d.Screen())
		}
		if c.title == " · best first" {
			runs := p.listedRuns()
			for i := range runs[1:] {
				if a, b := runs[i].best, runs[i+1].best; a.by == b.by && better(a.by, b.value, a.value) {
					t.Errorf("%s comes before %s", a.text(true), b.text(true))
				}
			}
		}
		d.Press("T")
	}
	if got := labels(); got != "0003 0002 0001" {
		t.Errorf("back to %s", got)
	}
}

func TestTheEndOfARunIsSaidOnce(t *testing.T) {
	entryOf := func(state, reason string) entry {
		return entry{run: &run.Run{Dir: "/runs/0001-basic"}, status: run.Status{State: state, Reason: reason},
			best: score{"accuracy", 0.9, 40}}
	}
	for state, want := range map[string]views.Toast{
		run.Done:    {Level: views.Info, Text: "0001-basic is done: best 90.0 % right at step 40"},
		run.Failed:  {Level: views.Warning, Text: "0001-basic is failed: no memory"},
		run.Killed:  {Level: views.Warning, Text: "0001-basic is killed: no memory"},
		run.Stopped: {Level: views.Info, Text: "0001-basic is stopped"},
	} {
		var e ends
		if e.news(&listing{runs: []entry{entryOf(state, "no memory")}}, config.BellOff) != nil {
			t.Errorf("%s: said of a run that had ended before", state)
		}
		if e.news(&listing{runs: []entry{entryOf(run.Running, "")}}, config.BellOff) != nil {
			t.Error("a live run is news")
		}
		cmd := e.news(&listing{runs: []entry{entryOf(state, "no memory")}}, config.BellOff)
		if cmd == nil {
			t.Fatalf("%s: nothing is said", state)
		}
		if got, _ := cmd().(views.Toast); got.Text != want.Text || got.Level != want.Level {
			t.Errorf("%s: %+v", state, got)
		}
		if e.news(&listing{runs: []entry{entryOf(state, "no memory")}}, config.BellOff) != nil {
			t.Errorf("%s is said again", state)
		}
	}
}

func TestTheBellRingsAsViewBellSays(t *testing.T) {
	for _, c := range []struct {
		state string
		bell  config.Bell
		rings bool
	}{
		{run.Done, config.BellEnded, true}, {run.Failed, config.BellEnded, true}, {run.Killed, config.BellEnded, true},
		{run.Stopped, config.BellEnded, false}, {run.Done, config.BellFailed, false},
		{run.Failed, config.BellFailed, true},
		{run.Killed, config.BellFailed, true}, {run.Done, config.BellOff, false}, {run.Failed, config.BellOff, false},
	} {
		of := func(state string) *listing {
			return &listing{runs: []entry{{run: &run.Run{Dir: "/runs/0001-basic"}, status: run.Status{State: state}}}}
		}
		var e ends
		e.news(of(run.Running), c.bell)
		if got := rung(e.news(of(c.state), c.bell)); got != c.rings {
			t.Errorf("%s with %s: rings %v", c.state, c.bell, got)
		}
		if rung(e.news(of(c.state), c.bell)) {
			t.Errorf("%s with %s rings again", c.state, c.bell)
		}
	}
}

// rung says whether a command sends the terminal its bell.
func rung(cmd tea.Cmd) bool {
	if cmd == nil {
		return false
	}
	switch msg := cmd().(type) {
	case tea.RawMsg:
		return msg.Msg == "\a"
	case tea.BatchMsg:
		return slices.ContainsFunc(msg, rung)
	}
	return false
}
