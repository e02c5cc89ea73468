package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"charm.land/bubbles/v2/spinner"
	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/viewtest"
	"finetui/views/widget"
)

// A line is an output that remembers what goes over it.
type line struct {
	t     *testing.T
	mutex sync.Mutex
	all   strings.Builder
}

func (l *line) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.all.Write(p)
}

// after is what has gone over the line from a place on.
func (l *line) after(at int) string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.all.String()[at:]
}

// wait is what has gone over the line from a place on, as soon as text is in it.
func (l *line) wait(at int, text string) string {
	l.t.Helper()
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if said := l.after(at); strings.Contains(said, text) {
			return said
		}
		if time.Now().After(limit) {
			l.t.Fatalf("%q is not written: %q", text, l.after(at))
		}
	}
}

// drawing is a workbench that tells when it has drawn itself after a message.
type drawing struct {
	*root
	drawn chan struct{} // takes one for each again
	told  bool
}

// again has the screen drawn anew.
type again struct{}

func (d *drawing) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, told := msg.(again); told {
		d.told = true
		d.redraw.atOnce()
	}
	_, cmd := d.root.Update(msg)
	return d, cmd
}

func (d *drawing) View() tea.View {
	view := d.root.View()
	if d.told {
		d.told = false
		d.drawn <- struct{}{}
	}
	return view
}

func TestNothingGoesOverTheLineWhileNothingChanges(t *testing.T) {
	out := &line{t: t}
	d := &drawing{root: samples(), drawn: make(chan struct{})}
	p := newProgram(d, tea.WithInput(nil), tea.WithOutput(out), tea.WithoutSignals(), tea.WithWindowSize(120, 32),
		tea.WithEnvironment([]string{"TERM=xterm-256color"}))
	ended := make(chan error, 1)
	go func() { _, err := p.Run(); ended <- err }()
	out.wait(0, "drains")
	say := func(text string) string { // what it takes to say something else
		at := len(out.after(0))
		p.Send(views.Toast{Level: views.Warning, Text: text})
		return out.wait(at, text)
	}
	say("first")
	say("other")
	alone := say("first")
	say("other")
	at := len(out.after(0))
	for range 30 {
		p.Send(again{})
		<-d.drawn
		time.Sleep(2 * drawEvery) // the renderer looks at it
	}
	p.Send(views.Toast{Level: views.Warning, Text: "first"})
	if with := out.wait(at, "first"); with != alone {
		t.Errorf("30 drawings of the same screen wrote %d bytes: %q, then %q", len(with)-len(alone), with, alone)
	}
	p.Quit()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// toiling is a pane that has work under way.
type toiling struct {
	*viewtest.Sample
	at bool
}

func (p *toiling) Working() bool { return p.at }

func (p *toiling) View(t *widget.Theme, w, h int) string {
	return widget.Block(widget.Progress{What: "reading", Done: 3}.View(t, w), w, h)
}

func TestTheSpinnerTurnsWhileTheOpenPaneWorksAndThenRests(t *testing.T) {
	pane := &toiling{Sample: viewtest.NewSample("Data"), at: true}
	r := newRoot("drains", pane, viewtest.NewSample("Config"))
	d := viewtest.OpenModel(t, r, 120, 32)
	frames := map[string]bool{}
	d.Wait("three frames", func() bool {
		d.Press("x") // draws at once
		frames[strings.Split(d.Screen(), "\n")[1]] = true
		return len(frames) == 3
	})
	for line := range frames {
		if !strings.HasSuffix(strings.TrimSpace(line), " reading 3") {
			t.Errorf("the line is %q", line)
		}
	}
	pane.at = false
	d.Wait("rest", func() bool { return !r.busy.turning })
	before := r.theme.Busy
	if d.Send(spinner.TickMsg{}); r.theme.Busy != before || r.busy.turning {
		t.Error("it turns while nobody works")
	}
	pane.at = true
	if d.Press("2"); r.open != 1 || r.working() {
		t.Error("it turns for a pane that is not seen")
	}
	if d.Press("1"); !r.busy.turning {
		t.Error("it does not turn again")
	}
}
