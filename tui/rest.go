package main

import (
	"reflect"
	"sync"
	"time"
	"unsafe"

	tea "charm.land/bubbletea/v2"
)

// rest lets the program sleep while nothing happens. Bubble Tea looks sixty times a second whether there is something
// to draw, which takes most of what an idle workbench takes of a core, and has no way to say otherwise; so its ticker
// is slowed down after a while without messages, and set going before the next one is taken.
type rest struct {
	ticker func() *time.Ticker // nil: there is none

	mutex  sync.Mutex
	awake  bool
	latest time.Time
}

const (
	drawEvery = time.Second / 120 // between two looks while something happens
	restEvery = time.Minute       // and while nothing does
	restAfter = time.Second       // without a message
)

// newProgram is the program of a model, which rests while nothing happens.
func newProgram(m tea.Model, options ...tea.ProgramOption) *tea.Program {
	var p *tea.Program
	r := &rest{ticker: func() *time.Ticker { return tickerOf(p) }}
	filter := func(_ tea.Model, msg tea.Msg) tea.Msg {
		r.wake()
		return msg
	}
	p = tea.NewProgram(m, append(options, tea.WithFPS(int(time.Second/drawEvery)), tea.WithFilter(filter))...)
	return p
}

// wake is called with every message, before the model takes it.
func (r *rest) wake() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.latest = time.Now()
	if ticker := r.ticker(); !r.awake && ticker != nil {
		r.awake = true
		ticker.Reset(drawEvery)
		time.AfterFunc(restAfter, r.tire)
	}
}

// tire slows the ticker down where there has been no message for
// long enough; what the last one changed is drawn by then.
func (r *rest) tire() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if left := restAfter - time.Since(r.latest); left > 0 {
		time.AfterFunc(left, r.tire)
		return
	}
	r.awake = false
	r.ticker().Reset(restEvery)
}

// tickerOf is the ticker by which a program draws; nil before it runs, or where a later Bubble
// Tea has none of that name: then it draws as it likes.
func tickerOf(p *tea.Program) *time.Ticker {
	field := reflect.ValueOf(p).Elem().FieldByName("ticker")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*time.Ticker]() {
		return nil
	}
	return *(**time.Ticker)(unsafe.Pointer(field.UnsafeAddr()))
}
