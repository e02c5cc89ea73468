package session

import (
	"context"
	"time"

	"finetui/core/eval"
	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/core/video"
	"finetui/ml/picture"
)

// Subject is a setting with its weights loaded. Any number of goroutines may ask it.
type Subject struct {
	*Setting
	Model *model.Subject
}

// Subject loads a subject by its name. What is loaded stays in memory, and is loaded anew once the run has a better
// checkpoint.
func (s *Session) Subject(ctx context.Context, name string, report Progress) (*Subject, error) {
	t, err := s.Setting(name)
	if err != nil {
		return nil, err
	}
	m, err := s.pool.load(ctx, t, report)
	if err != nil {
		return nil, err
	}
	t.Project.Base = m.Base
	return &Subject{t, m}, nil
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

// Hearing is told what comes of a question before its answer is whole. Its functions may be nil.
type Hearing struct {
	Piece  func(piece string)      // of the answer
	Looked func([]model.Attention) // at the frames of clips, where the model chooses among them
}

// Ask puts one question by INFER.MAX_NEW_TOKENS and INFER.TEMPERATURE. onText is told each piece of the answer as it
// comes; it may be nil. With a cancelled context the error comes with the answer so far.
func (s *Subject) Ask(ctx context.Context, q model.Question, onText func(piece string)) (Answer, error) {
	return s.Hear(ctx, q, Hearing{Piece: onText})
}

// Hear is Ask for those who want to hear more than the answer.
func (s *Subject) Hear(ctx context.Context, q model.Question, h Hearing) (Answer, error) {
	c := s.Project.Config
	start := time.Now()
	var a Answer
	asking := model.Asking{
		View: s.Project.Encoder().View(), MaxNew: c.Infer.MaxNewTokens, Temperature: c.Infer.Temperature,
		TopP: c.Infer.TopP, Repetition: c.Infer.Repetition, Seed: uint64(c.Project.Seed),
		OnText: func(_ int, piece string) {
			if a.First == 0 {
				a.First = time.Since(start)
			}
			if h.Piece != nil {
				h.Piece(piece)
			}
		},
	}
	if h.Looked != nil {
		asking.Looked = func(_ int, list []model.Attention) { h.Looked(list) }
	}
	replies, err := s.Model.Ask(ctx, 1, func(int) (model.Question, error) { return q, nil }, asking)
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
	if prompt == "" {
		prompt = t.Prompt(x)
	}
	if x.Item.Clip != nil {
		return t.about(prompt, func(ctx context.Context) ([]model.Shown, error) {
			return t.Encoder().Load(ctx, x)
		}), nil
	}
	whole, err := media.Load(x.Item)
	if err != nil {
		return model.Question{}, err
	}
	return t.about(prompt, func(context.Context) ([]model.Shown, error) {
		shown, err := t.Encoder().Shown(whole, x.Box())
		return model.Pictures(shown...), err
	}), nil
}

// Measure is what an answer in free words to a sample is worth: the exercise that it names, METEOR, ROUGE-L; nil where
// the data set has no words of its own for it.
func (t *Setting) Measure(x recipe.Sample, a Answer) (*eval.FreeTextAnswer, error) {
	if !x.Told() {
		return nil, nil
	}
	r, err := t.Project.ScoreText([]recipe.Sample{x}, []model.Reply{{Text: a.Text, Tokens: a.Tokens,
		Seconds: a.Total.Seconds()}}, t.Name, x.Item.Split, 0)
	if err != nil {
		return nil, err
	}
	return &r.Items[0], nil
}

// about is a question about what is made ready when its turn comes: by then the base, whose own rule says what it is
// shown, is here.
func (t *Setting) about(prompt string, load func(ctx context.Context) ([]model.Shown, error)) model.Question {
	return model.Question{Scene: model.Scene{Load: load}, Prompt: prompt}
}

// AboutFile is the question about the file of a picture or a clip; an empty prompt means the usual one.
func (t *Setting) AboutFile(path, prompt string) (model.Question, error) {
	if prompt == "" {
		prompt = t.FilePrompt(path)
	}
	if video.Named(path) {
		return t.about(prompt, func(ctx context.Context) ([]model.Shown, error) {
			return t.Encoder().Clip(ctx, path)
		}), nil
	}
	whole, _, err := picture.Decode(path)
	if err != nil {
		return model.Question{}, err
	}
	return t.about(prompt, func(context.Context) ([]model.Shown, error) {
		shown, err := t.Whole(whole)
		return model.Pictures(shown...), err
	}), nil
}
