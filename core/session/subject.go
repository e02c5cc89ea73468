package session

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/ml/qwen2vl/pixels"
)

// keepLoaded is how many subjects stay in memory: the base and a run, or two runs, to switch between.
const keepLoaded = 2

// Subject is a setting with its weights loaded. Any number of goroutines may ask it.
type Subject struct {
	*Setting
	Model *model.Subject
}

// Subject loads a subject by its name, or returns the loaded one where its adapter is still the best of the run.
func (s *Session) Subject(ctx context.Context, name string, report Progress) (*Subject, error) {
	t, err := s.Setting(name)
	if err != nil {
		return nil, err
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	if i := slices.IndexFunc(s.loaded, func(l *Subject) bool { return l.same(t) }); i >= 0 {
		found := s.loaded[i]
		s.loaded = append(slices.Delete(s.loaded, i, i+1), found)
		return found, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	say := func(done int, what string) {
		if report != nil {
			report(done, 2, what)
		}
	}
	say(0, "opening base "+t.Project.Config.Model.Base)
	b, err := s.base(t)
	if err != nil {
		return nil, err
	}
	t.Project.Base = b
	if t.Run != nil && t.Run.Info.BaseFingerprint != "" && t.Run.Info.BaseFingerprint != b.Fingerprint {
		return nil, fmt.Errorf("the base %s is not the one that %s was trained on (fingerprint %s, then %s): set MODEL.BASE back, or train again",
			b.Name, t.Name, b.Fingerprint, t.Run.Info.BaseFingerprint)
	}
	say(1, "loading "+t.Title())
	m, err := model.Load(b, t.Adapter.Path, t.Project.Config.Train.Threads)
	if err != nil {
		return nil, err
	}
	say(2, "loaded "+t.Title())
	subject := &Subject{t, m}
	s.loaded = append(s.loaded, subject)
	if over := len(s.loaded) - keepLoaded; over > 0 {
		s.loaded = slices.Delete(s.loaded, 0, over)
	}
	return subject, nil
}

// same says whether a loaded subject is the one of a setting found now.
func (l *Subject) same(t *Setting) bool {
	return l.Name == t.Name && l.Adapter.Path == t.Adapter.Path && (l.Run == nil || l.Run.Dir == t.Run.Dir)
}

// base opens the base of a setting unless it is open.
func (s *Session) base(t *Setting) (*model.Base, error) {
	name := t.Project.Config.Model.Base
	key := name
	if name != model.Tiny && !filepath.IsAbs(name) {
		key = filepath.Join(t.root, name)
	}
	if b := s.bases[key]; b != nil {
		return b, nil
	}
	b, err := model.OpenBase(name, t.root)
	if err != nil {
		return nil, err
	}
	s.bases[key] = b
	return b, nil
}

// Answer is what a subject said to one question.
type Answer struct {
	Text   string
	Tokens int
	First  time.Duration // until its first token: pictures and prompt are taken in
	Total  time.Duration
}

// Speed is how many tokens a second came after the first one; 0 where there was no second.
func (a Answer) Speed() float64 {
	if a.Tokens < 2 || a.Total <= a.First {
		return 0
	}
	return float64(a.Tokens-1) / (a.Total - a.First).Seconds()
}

// Ask puts one question by INFER.MAX_NEW_TOKENS and INFER.TEMPERATURE. heard is told each piece of the answer as it
// comes; it may be nil. With a cancelled context the error comes with the answer so far.
func (s *Subject) Ask(ctx context.Context, q model.Question, heard func(piece string)) (Answer, error) {
	c := s.Project.Config
	start := time.Now()
	var a Answer
	replies, err := s.Model.Ask(ctx, 1, func(int) (model.Question, error) { return q, nil }, model.Asking{
		View: s.Project.View(), MaxNew: c.Infer.MaxNewTokens, Temperature: c.Infer.Temperature, Seed: uint64(c.Project.Seed),
		Heard: func(_ int, piece string) {
			if a.First == 0 {
				a.First = time.Since(start)
			}
			if heard != nil {
				heard(piece)
			}
		},
	})
	a.Total = time.Since(start)
	if a.First == 0 {
		a.First = a.Total
	}
	if len(replies) > 0 {
		a.Text, a.Tokens = replies[0].Text, replies[0].Tokens
	}
	return a, err
}

// About is the question about a sample; an empty prompt means the usual one.
func (t *Setting) About(x recipe.Sample, prompt string) (model.Question, error) {
	whole, err := media.Load(x.Item)
	if err != nil {
		return model.Question{}, err
	}
	shown, err := t.Project.Shown(whole, x.Box())
	if prompt == "" {
		prompt = t.Prompt(x)
	}
	return model.Question{Pictures: shown, Prompt: prompt}, err
}

// AboutFile is the question about a picture file; an empty prompt means the usual one.
func (t *Setting) AboutFile(path, prompt string) (model.Question, error) {
	whole, _, err := pixels.Decode(path)
	if err != nil {
		return model.Question{}, err
	}
	shown, err := t.Whole(whole)
	if prompt == "" {
		prompt = t.FilePrompt()
	}
	return model.Question{Pictures: shown, Prompt: prompt}, err
}
