package infer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/model"
	"finetui/core/printable"
	"finetui/core/recipe"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/widget"
)

// ask is what is asked about, and what was answered.
type ask struct {
	cursor   widget.List // among the samples of the split, whether or not the filter lets them through
	listed   []int       // the samples that it lets through
	path     string      // a picture file that is asked about instead; empty: none
	question string      // the user's own; empty: the recipe's
	truth    bool        // the truth is shown
	auto     bool        // samples are asked about as they are browsed

	answers map[answerKey]*answer
	said    map[saidKey]*answer // the newest answer of a subject about something
	request views.Request
	running []answerKey // of the open request
	scroll  int         // lines of the answers that are above the panel

	questions, paths []string // written earlier
}

// answerKey is everything that an answer is an answer to.
type answerKey struct {
	subject string // its title: a better checkpoint is another subject
	about   string // ID of the sample, or path of the picture
	prompt  string
}

type saidKey struct{ subject, about string }

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
}

// speed is tokens a second after the first one; 0: not known.
func (a *answer) speed() float64 {
	return session.Answer{Tokens: a.tokens, First: a.first, Total: a.total}.Speed()
}

// forget drops everything that was said: the question may be another one now.
func (a *ask) forget() {
	a.request.Close()
	a.answers, a.said, a.running = nil, nil, nil
}

// heard is one message of an answer being given.
type heard struct {
	key     answerKey
	title   string          // of who answers; empty: unchanged
	loading widget.Progress // before the first piece
	piece   string
	since   time.Duration   // since the question was put
	whole   *session.Answer // the end
	err     error
}

// sample is the one under the cursor as a subject is asked about it; false where the subject cannot be asked.
func (p *Pane) sample(who int) (recipe.Sample, bool) {
	samples := p.scene.samples[who]
	if len(samples) == 0 {
		return recipe.Sample{}, false
	}
	return samples[p.ask.cursor.At(len(samples))], true
}

// question is what a subject is asked now.
func (p *Pane) question(who int) string {
	setting := p.scene.settings[who]
	switch {
	case p.ask.question != "":
		return p.ask.question
	case setting == nil:
		return ""
	case p.ask.path != "":
		return setting.FilePrompt()
	}
	x, _ := p.sample(who)
	return setting.Prompt(x)
}

// setQuestion takes what the user wrote; what is the recipe's own anyway stays the recipe's for every sample.
func (p *Pane) setQuestion(text string) {
	p.ask.question = ""
	if text = strings.TrimSpace(text); text != p.question(p.main()) {
		p.ask.question = text
	}
}

// key is what an answer of a subject to the present question is kept under.
func (p *Pane) key(who int) (answerKey, bool) {
	setting := p.scene.settings[who]
	if setting == nil {
		return answerKey{}, false
	}
	k := answerKey{subject: setting.Title(), about: p.ask.path, prompt: p.question(who)}
	if k.about == "" {
		x, there := p.sample(who)
		if !there {
			return k, false
		}
		k.about = x.ID
	}
	return k, true
}

// put is one question to one subject.
type put struct {
	key     answerKey
	setting *session.Setting
	sample  recipe.Sample
	path    string
}

func (u put) question() (model.Question, error) {
	if u.path != "" {
		return u.setting.AboutFile(u.path, u.key.prompt)
	}
	return u.setting.About(u.sample, u.key.prompt)
}

// askNow puts the question to the subjects of the mode, one after the other, so that their speeds are their own.
func (p *Pane) askNow() tea.Cmd {
	p.stopAnswer()
	var puts []put
	for _, who := range p.asked() {
		key, can := p.key(who)
		if !can {
			continue
		}
		x, _ := p.sample(who)
		puts = append(puts, put{key, p.scene.settings[who], x, p.ask.path})
		p.record(key, &answer{title: key.subject, loading: widget.Progress{What: "waiting"}})
		p.ask.running = append(p.ask.running, key)
	}
	if len(puts) == 0 {
		return views.Warn("nobody can be asked: %s", p.whyNobody())
	}
	p.ask.scroll = 0
	s, load := p.session, p.control.Load
	return views.Listen(&p.ask.request, func(ctx context.Context, emit func(heard)) error {
		for _, u := range puts {
			if err := answerOne(ctx, s, load, u, emit); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				emit(heard{key: u.key, err: err})
			}
		}
		return nil
	})
}

func answerOne(ctx context.Context, s *session.Session, load func(context.Context, *session.Session, string,
	session.Progress) (Asker, error), u put, emit func(heard)) error {
	asker, err := load(ctx, s, u.setting.Name, func(done, total int, what string) {
		emit(heard{key: u.key, loading: widget.Progress{What: what, Done: done, Total: total}})
	})
	if err != nil {
		return err
	}
	emit(heard{key: u.key, title: asker.Title(), loading: widget.Progress{What: "looking at the picture"}})
	q, err := u.question()
	if err != nil {
		return err
	}
	start := time.Now()
	whole, err := asker.Ask(ctx, q,
		func(piece string) { emit(heard{key: u.key, piece: piece, since: time.Since(start)}) })
	if err != nil {
		return err
	}
	emit(heard{key: u.key, whole: &whole})
	return nil
}

func (p *Pane) whyNobody() string {
	for _, who := range p.asked() {
		if err := p.scene.faults[who]; err != nil {
			return printable.Error(err)
		}
	}
	return noRun
}

// record keeps an answer as the present and the newest one.
func (p *Pane) record(key answerKey, a *answer) {
	if p.ask.answers == nil {
		p.ask.answers, p.ask.said = map[answerKey]*answer{}, map[saidKey]*answer{}
	}
	p.ask.answers[key] = a
	p.ask.said[saidKey{key.subject, key.about}] = a
}

// heard takes what came of an answer.
func (p *Pane) heard(msg views.Batch[heard]) tea.Cmd {
	if !p.ask.request.Takes(msg.Ticket) {
		return nil
	}
	for _, h := range msg.Values {
		if a := p.ask.answers[h.key]; a != nil {
			a.take(h)
		}
	}
	if !msg.Ended {
		return msg.Next
	}
	p.ask.request.Close()
	p.ask.running = nil
	return nil
}

func (a *answer) take(h heard) {
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

// stopAnswer ends what is being answered; what was said so far stays.
func (p *Pane) stopAnswer() {
	p.ask.request.Close()
	for _, key := range p.ask.running {
		a := p.ask.answers[key]
		switch {
		case a == nil:
		case a.state == speaking:
			a.state = stopped
		case a.state == loading:
			delete(p.ask.answers, key)
			delete(p.ask.said, saidKey{key.subject, key.about})
		}
	}
	p.ask.running = nil
}

// moveSample goes to another sample.
func (p *Pane) moveSample(m widget.Move, page int) {
	switch m {
	case widget.MoveLeft:
		m = widget.Up
	case widget.MoveRight:
		m = widget.Down
	}
	p.ask.path = ""
	p.ask.scroll = 0
	p.onListed(func(cursor *widget.List) { cursor.Move(m, len(p.ask.listed), page) })
}

// onListed moves the cursor among the samples that are listed.
func (p *Pane) onListed(move func(cursor *widget.List)) {
	cursor := widget.List{Index: max(slices.Index(p.ask.listed, p.ask.cursor.Index), 0)}
	move(&cursor)
	if at := cursor.At(len(p.ask.listed)); at >= 0 {
		p.ask.cursor.Index = p.ask.listed[at]
	}
}

// refilter lists the samples that the filter lets through, and stands on one of them where there is any.
func (p *Pane) refilter() {
	p.ask.listed = p.ask.listed[:0]
	for i, x := range p.scene.samples[base] {
		if p.filter.Passes(x.ID, x.Answer) {
			p.ask.listed = append(p.ask.listed, i)
		}
	}
	p.onListed(func(*widget.List) {})
	p.scores.arrive()
}

func (p *Pane) askFilter() tea.Cmd {
	p.filter.Open("list only what contains", "part of a picture's name, a class or an answer; empty lists all")
	p.refilter()
	return nil
}

// browse is an action that moves among the samples.
func (p *Pane) browse(m widget.Move) func() tea.Cmd {
	return func() tea.Cmd { p.moveSample(m, 1); return nil }
}

// askUnasked asks about the present sample where auto is on and nobody has.
func (p *Pane) askUnasked() tea.Cmd {
	if !p.ask.auto || p.Capturing() {
		return nil
	}
	for _, who := range p.asked() {
		if key, can := p.key(who); can && p.ask.answers[key] == nil {
			return p.askNow()
		}
	}
	return nil
}

// verdict judges an answer by the truth.
func (p *Pane) verdict(text string) (parsed string, class int) {
	class = p.scene.parser.Parse(text)
	if class == eval.Unparsed {
		return eval.UnparsedLabel, class
	}
	return p.session.Project.Recipe.Classes[class].Name, class
}

// answersText is the present question and its answers.
func (p *Pane) answersText() string {
	var b strings.Builder
	for _, who := range p.asked() {
		key, can := p.key(who)
		if a := p.ask.answers[key]; can && a != nil && a.text != "" {
			fmt.Fprintf(&b, "%s\n%s\n%s: %s\n", key.about, key.prompt, a.title, a.text)
		}
	}
	return b.String()
}

// pathOf is a path as it is dropped or pasted: without the quotes and the scheme that terminals and file managers add.
func pathOf(pasted string) string {
	path := strings.Trim(strings.TrimSpace(pasted), `"'`)
	path, _ = strings.CutPrefix(path, "file://")
	return strings.ReplaceAll(path, `\ `, " ")
}
