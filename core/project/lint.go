package project

import (
	"context"
	"fmt"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/core/sample"
)

// Lint says what is wrong with the recipe on this data, with the base's own count of tokens and what it would be
// trained to say, and with the data that a run uses: what analyze finds, and what decoding every picture of train,
// valid and the split that is scored does. Errors come first. Pictures that turn out broken are marked so in Data.
func (p *Project) Lint(ctx context.Context, report Progress) ([]dataset.Finding, error) {
	l, err := p.lint(ctx, report)
	if err != nil {
		return nil, err
	}
	p.linted = p.verdict(l, p.Data.Fingerprint)
	return p.linted.Findings, nil
}

func (p *Project) lint(ctx context.Context, report Progress) (*linted, error) {
	if err := p.OpenBase(ctx, report); err != nil {
		return nil, err
	}
	if !p.Base.Sees() {
		return nil, fmt.Errorf("MODEL.BASE = %q: %w", p.Base.Name, model.ErrBlind)
	}
	if err := p.CheckPictures(ctx, report); err != nil {
		return nil, err
	}
	total := p.objects("")
	done, step := 0, max(1, total/400)
	measure := newRuler(p)
	var supervision recipe.Supervision
	shapes := sizeLint{p: p}
	var kinds distinct
	ahead := outlook{kind: p.Base.Kind, bytes: p.Base.WeightBytes(), all: make([]*weight, 0, p.objects("train"))}
	findings, err := p.Recipe.Lint(ctx, func(s recipe.Sample) int {
		if done++; report != nil && (done%step == 0 || done == total) {
			report(done, total, "counting tokens")
		}
		shown := measure.sizes.Shown(s)
		shapes.see(s, shown)
		m, err := measure.of(s, shown)
		var w weight
		if err == nil {
			w = m.weight(s, shown)
		}
		switch {
		case s.Item.Split == "train":
			ahead.all = append(ahead.all, kinds.of(w))
		case s.Item.Split == "valid" && !measure.sizes.Hides(s):
			ahead.valid = append(ahead.valid, kinds.of(w))
		}
		if err != nil {
			return 0 // what cannot be shown has its finding
		}
		if s.Item.Split == "train" {
			supervision.See(s, m.supervised)
		}
		return m.tokens
	})
	if err != nil {
		return nil, err
	}
	findings = append(findings, supervision.Findings()...)
	findings = append(findings, shapes.found...)
	findings = append(findings, p.DataFindings()...)
	return &linted{findings, p.projectorFindings(), p.Mass(), p.demand(ahead, p.Batches()), ""}, nil
}

// projectorFindings says where the projectors that the constants train are not there.
func (p *Project) projectorFindings() []dataset.Finding {
	if err := p.CheckProjectors(); err != nil {
		return []dataset.Finding{{Code: "no_projectors", Level: level.Error, Text: err.Key +
			" is above 0, and " + err.Text,
			Do: "set " + err.Key + " to 0, or MODEL.BASE to a Mobile-VideoGPT"}}
	}
	return nil
}

// CheckProjectors says that the projectors which the constants train are not there; nil where they are, or where none
// is trained. The base is open.
func (p *Project) CheckProjectors() *config.Unusable {
	if p.Config.Train.ProjectorLR == 0 || p.Base.Kind.Sizes().Projectors > 0 {
		return nil
	}
	return &config.Unusable{Key: "TRAIN.PROJECTOR_LEARNING_RATE",
		Text: fmt.Sprintf("MODEL.BASE = %q has no projector that is trained as a whole", p.Base.Name)}
}

// DataFindings is what is wrong with the data that a run uses, each cause once; EVAL.DATA is no part of it.
func (p *Project) DataFindings() (findings []dataset.Finding) {
	for _, cause := range p.Data.Own().Causes() {
		f := cause.Finding
		if also := cause.Also(); also != "" {
			f.Text += "; also " + also
		}
		findings = append(findings, f)
	}
	if p.furtherFault != nil {
		findings = append(findings, furtherFinding(p.furtherFault))
	}
	return findings
}

// CheckPictures decodes every picture that a run uses, unless that was done before, and marks those that are broken in
// Data, so that they are left out. It is for who opened the project and has not handed Data on.
func (p *Project) CheckPictures(ctx context.Context, report Progress) error {
	check, err := p.Data.CheckPictures(ctx, p.File.Root, []string{"train", "valid", p.Config.Eval.Split}, report)
	if err == nil {
		p.Data.Add(check)
	}
	return err
}

// ruler counts the tokens of samples. A question is cut into tokens once, with the smallest pictures that there are,
// however many objects are asked about in these words; theirs take as many tokens as their size says. An answer is cut
// apart from its question, as when the model says it, and so once, too, whatever was asked.
type ruler struct {
	p       *Project
	sizes   *sample.Ruler
	asked   recipe.PhraseTable[asking]
	answers map[string]measured // what samples are trained to say, by their answers
	least   []model.Size        // memory that is used again
}

// asking is a prompt with the chat around it, and how many pictures or clips are shown.
type asking struct {
	counted bool
	isClip  bool
	shown   int
	tokens  int // without those of the pictures and of the answer
}

// measured is a sample, or an answer, as tokens.
type measured struct {
	tokens     int
	targets    int    // of them, those that are trained
	supervised string // what it is trained to say
}

// mostAnswers are kept: in free words they may be as many as samples.
const mostAnswers = 1 << 14

func newRuler(p *Project) *ruler {
	return &ruler{p: p, sizes: p.Encoder().Ruler(), answers: map[string]measured{}}
}

// of measures a sample of which that is shown. An error says why it cannot be.
func (r *ruler) of(s recipe.Sample, shown []sample.Measured) (measured, error) {
	tokens := 0
	for _, m := range shown {
		if m.Err != nil {
			return measured{}, m.Err
		}
		tokens += m.Shape.Tokens
	}
	known := r.asked.At(s)
	if known == nil {
		known = new(asking)
	}
	if isClip := s.Item.Clip != nil; !known.counted || known.shown != len(shown) || known.isClip != isClip {
		n, err := r.question(s.Prompt, shown)
		if err != nil {
			return measured{}, err
		}
		*known = asking{true, isClip, len(shown), n}
	}
	m, err := r.answer(s.Answer)
	if err != nil {
		return measured{}, err
	}
	m.tokens += known.tokens + tokens
	return m, nil
}

// question counts the tokens of a prompt with the chat around it.
func (r *ruler) question(prompt string, shown []sample.Measured) (tokens int, err error) {
	shapes, places, err := r.smallest(shown)
	if err != nil {
		return 0, err
	}
	t, err := r.p.Base.Sample(shapes, prompt, "", 1)
	return len(t.IDs) - places - len(t.Supervised()), err
}

// answer measures what follows a question.
func (r *ruler) answer(text string) (measured, error) {
	if m, known := r.answers[text]; known {
		return m, nil
	}
	t, err := r.p.Base.Sample(nil, "", text, 1)
	if err != nil {
		return measured{}, err
	}
	n := len(t.Supervised())
	m := measured{n, n, r.p.Base.Supervised(t)}
	if len(r.answers) >= mostAnswers {
		clear(r.answers)
	}
	r.answers[text] = m
	return m, nil
}

// smallest are as many pictures and clips as are shown, of the smallest shapes, and the tokens that they take.
func (r *ruler) smallest(shown []sample.Measured) (shapes []model.Shape, tokens int, err error) {
	side := max(1, r.p.Base.Kind.Sizes().Unit)
	r.least = r.least[:0]
	for _, m := range shown {
		r.least = append(r.least, model.Size{W: side, H: side, Frames: min(m.Size.Frames, 1)})
	}
	shapes, err = r.p.Base.Measure(model.View{MinPixels: 1, MaxPixels: side * side}, r.least)
	for _, s := range shapes {
		tokens += s.Tokens
	}
	return shapes, tokens, err
}
