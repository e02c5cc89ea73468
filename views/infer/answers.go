package infer

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/widget"
)

// answers are what was said to the questions so far, and what is being said.
type answers struct {
	given    map[answerKey]*answer
	newest   map[newestKey]*answer // of a subject about something
	attended map[newestKey][]model.Attention
	request  views.Request
	running  []answerKey // of the open request
}

// answerKey is everything that an answer is an answer to.
type answerKey struct {
	subject string // its title: a better checkpoint is another subject
	about   string // ID of the sample, or path of the picture
	prompt  string
}

type newestKey struct{ subject, about string }

// from is the key of the same answer from another subject.
func (k answerKey) from(subject string) answerKey {
	k.subject = subject
	return k
}

func (k answerKey) newest() newestKey { return newestKey{k.subject, k.about} }

// How far an answer is.
const (
	loading = iota
	speaking
	said
	stopped
	failed
)

type answer struct {
	title   string
	state   int
	loading widget.Progress
	text    string
	tokens  int           // while it is spoken: pieces heard
	first   time.Duration // until the first piece
	total   time.Duration
	err     error
	worth   *eval.FreeTextAnswer // of an answer in free words; nil: it is none, or cannot be measured
}

// speed is tokens a second after the first one; 0: not known.
func (a *answer) speed() float64 {
	return session.Answer{Tokens: a.tokens, First: a.first, Total: a.total}.Speed()
}

// forget drops everything that was said: the question may be another one now.
func (a *answers) forget() {
	a.request.Close()
	a.given, a.newest, a.attended, a.running = nil, nil, nil, nil
}

// answerStep is one message of an answer being given.
type answerStep struct {
	key     answerKey
	title   string          // of who answers; empty: unchanged
	loading widget.Progress // before the first piece
	piece   string
	since   time.Duration   // since the question was put
	whole   *session.Answer // the end
	worth   *eval.FreeTextAnswer
	looked  []model.Attention // at the frames of a clip
	err     error
}

// inquiry is one question to one subject.
type inquiry struct {
	key     answerKey
	setting *session.Setting
	sample  recipe.Sample
	path    string
	what    string // it is about
}

func (q inquiry) question() (model.Question, error) {
	if q.path != "" {
		return q.setting.AboutFile(q.path, q.key.prompt)
	}
	return q.setting.About(q.sample, q.key.prompt)
}

// askNow puts the question to the subjects of the mode, one after the other, so that their speeds are their own.
func (v *ask) askNow() tea.Cmd {
	v.stop()
	v.meant = true
	var list []inquiry
	for _, who := range v.asked() {
		key, can := v.key(who)
		if !can {
			continue
		}
		x, _ := v.sample(who)
		what := "picture"
		if v.clip() != "" {
			what = "clip"
		}
		list = append(list, inquiry{key, v.now.settings[who], x, v.path, what})
		v.record(key, &answer{title: key.subject, loading: widget.Progress{What: "waiting"}})
		v.running = append(v.running, key)
	}
	if len(list) == 0 {
		return views.Warn("nobody can be asked: %s", v.whyNobody())
	}
	v.scroll = 0
	s, load := v.session, v.control.Load
	return views.Listen(&v.request, func(ctx context.Context, emit func(answerStep)) error {
		for _, u := range list {
			if err := answerOne(ctx, s, load, u, emit); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				emit(answerStep{key: u.key, err: err})
			}
		}
		return nil
	})
}

func answerOne(ctx context.Context, s *session.Session, load func(context.Context, *session.Session, string,
	session.Progress) (Asker, error), u inquiry, emit func(answerStep)) error {
	asker, err := load(ctx, s, u.setting.Name, func(done, total int, what string) {
		emit(answerStep{key: u.key, loading: widget.Progress{What: what, Done: done, Total: total}})
	})
	if err != nil {
		return err
	}
	emit(answerStep{key: u.key, title: asker.Title(), loading: widget.Progress{What: "looking at the " + u.what}})
	q, err := u.question()
	if err != nil {
		return err
	}
	start := time.Now()
	whole, err := asker.Hear(ctx, q, session.Hearing{
		Piece:  func(piece string) { emit(answerStep{key: u.key, piece: piece, since: time.Since(start)}) },
		Looked: func(list []model.Attention) { emit(answerStep{key: u.key, looked: list}) },
	})
	if err != nil {
		return err
	}
	step := answerStep{key: u.key, whole: &whole}
	if u.path == "" {
		if step.worth, err = u.setting.Measure(u.sample, whole); err != nil {
			step.worth = nil // an evaluation says why
		}
	}
	emit(step)
	return nil
}

// record keeps an answer as the present and the newest one.
func (a *answers) record(key answerKey, new *answer) {
	if a.given == nil {
		a.given, a.newest = map[answerKey]*answer{}, map[newestKey]*answer{}
		a.attended = map[newestKey][]model.Attention{}
	}
	a.given[key] = new
	a.newest[key.newest()] = new
}

// remove forgets an answer.
func (a *answers) remove(key answerKey) {
	delete(a.given, key)
	delete(a.newest, key.newest())
}

// heard takes what came of an answer.
func (a *answers) heard(msg views.Batch[answerStep]) tea.Cmd {
	if !a.request.Takes(msg.Ticket) {
		return nil
	}
	for _, h := range msg.Values {
		one := a.given[h.key]
		if one == nil {
			continue
		}
		if h.looked != nil {
			a.attended[h.key.newest()], a.attended[h.key.from(one.title).newest()] = h.looked, h.looked
			continue
		}
		if one.take(h); one.title != h.key.subject { // a better checkpoint, which is not yet known to have been written
			a.record(h.key.from(one.title), one)
		}
	}
	if !msg.Ended {
		return msg.Next
	}
	a.request.Close()
	a.running = nil
	return nil
}

func (a *answer) take(h answerStep) {
	if h.title != "" {
		a.title = h.title
	}
	switch {
	case h.err != nil:
		a.state, a.err = failed, h.err
		if errors.Is(h.err, context.Canceled) {
			a.state = stopped
		}
	case h.whole != nil:
		a.state, a.text, a.tokens, a.first, a.total = said, h.whole.Text, h.whole.Tokens, h.whole.First, h.whole.Total
		a.worth = h.worth
	case h.piece != "":
		if a.state = speaking; a.tokens == 0 {
			a.first = h.since
		}
		a.text += h.piece
		a.tokens++
		a.total = h.since
	default:
		a.loading = h.loading
	}
}

// stop ends what is being answered; what was said so far stays.
func (a *answers) stop() {
	a.request.Close()
	for _, key := range a.running {
		one := a.given[key]
		switch {
		case one == nil:
		case one.state == speaking:
			one.state = stopped
		case one.state == loading:
			a.remove(key)
			a.remove(key.from(one.title))
		}
	}
	a.running = nil
}
