package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
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
