package views

import (
	"context"
	"sync"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
)

// Ticket numbers one question to a command; no two questions of a program share one.
type Ticket uint64

var tickets atomic.Uint64

// Request remembers the newest question of one kind. Asking again stops the work for the one before and makes its
// answer stale. The zero value has asked nothing.
type Request struct {
	ticket Ticket
	stop   context.CancelFunc
}

// Takes says whether an answer belongs to the newest question and no answer has ended it yet. A pane drops what it
// does not take.
func (r *Request) Takes(t Ticket) bool { return r.ticket != 0 && r.ticket == t }

// Pending says whether an answer is awaited.
func (r *Request) Pending() bool { return r.ticket != 0 }

// Close ends the question: by its answer, or because nobody wants it any more. The work's context is cancelled.
func (r *Request) Close() {
	if r.stop != nil {
		r.stop()
	}
	r.ticket, r.stop = 0, nil
}

func (r *Request) open() (context.Context, Ticket) {
	r.Close()
	ctx, stop := context.WithCancel(context.Background())
	r.ticket, r.stop = Ticket(tickets.Add(1)), stop
	return ctx, r.ticket
}

// Answer is what a question of Ask came to.
type Answer[T any] struct {
	Ticket Ticket
	Value  T
	Err    error
}

// Ask runs work beside the screen and answers with an Answer[T]. In Update:
//
//	case views.Answer[*stats.Analysis]:
//		if p.request.Takes(msg.Ticket) {
//			p.request.Close()
//			p.analysis, p.err = msg.Value, msg.Err
//		}
func Ask[T any](r *Request, work func(context.Context) (T, error)) tea.Cmd {
	ctx, ticket := r.open()
	return func() tea.Msg {
		value, err := work(ctx)
		return Answer[T]{Ticket: ticket, Value: value, Err: err}
	}
}

// Batch is what a stream of Listen has said since the last Batch. The pane that takes it returns Next to hear more;
// after the one with Ended there is nothing more, and Next is nil.
type Batch[T any] struct {
	Ticket Ticket
	Values []T
	Ended  bool
	Err    error
	Next   tea.Cmd
}

// Listen runs work, which emits values as they come: tokens, progress, rows of a log. They arrive as Batch[T], however
// many have gathered since the last one, so a fast stream costs no more messages than the screen can use. emit never
// blocks.
func Listen[T any](r *Request, work func(ctx context.Context, emit func(T)) error) tea.Cmd {
	ctx, ticket := r.open()
	s := &stream[T]{ready: make(chan struct{}, 1)}
	return func() tea.Msg {
		go func() { s.end(work(ctx, s.emit)) }()
		return s.wait(ticket)
	}
}

// stream gathers what work emits until the screen asks for it.
type stream[T any] struct {
	mutex  sync.Mutex
	values []T
	ended  bool
	err    error
	ready  chan struct{} // holds one token while there is something to take
}

func (s *stream[T]) emit(value T) {
	s.mutex.Lock()
	s.values = append(s.values, value)
	s.mutex.Unlock()
	s.signal()
}

func (s *stream[T]) end(err error) {
	s.mutex.Lock()
	s.ended, s.err = true, err
	s.mutex.Unlock()
	s.signal()
}

func (s *stream[T]) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *stream[T]) wait(ticket Ticket) tea.Msg {
	<-s.ready
	s.mutex.Lock()
	defer s.mutex.Unlock()
	batch := Batch[T]{Ticket: ticket, Values: s.values, Ended: s.ended, Err: s.err}
	s.values = nil
	if !s.ended {
		batch.Next = func() tea.Msg { return s.wait(ticket) }
	}
	return batch
}
