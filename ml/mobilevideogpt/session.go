package mobilevideogpt

import (
	"context"
	"fmt"

	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
)

// Session answers several questions together. It is one worker's.
type Session struct {
	*qwen2.Session
	model      *Model
	projectors *projectors
}

// NewSession returns a session that works on e.
func (m *Model) NewSession(e *nn.Exec) *Session {
	return &Session{Session: m.Text.NewSession(e), model: m, projectors: m.projectors.replica(m.Config, e)}
}

// Prompt begins anew with questions, whose Visual is what an Eye saw, and returns the logits [questions, vocab] after
// each. ctx ends it, and each step after it, between two layers.
func (s *Session) Prompt(ctx context.Context, questions []train.Sample) ([]float32, error) {
	s.Check = ctx.Err
	var seen Features
	var p train.Pack
	for i := range questions {
		f, _, err := s.model.Config.see(&questions[i])
		if err != nil {
			return nil, fmt.Errorf("question %d: %w", i+1, err)
		}
		seen, p.Samples = append(seen, f...), append(p.Samples, &questions[i])
	}
	var b nn.Batch
	p.Fill(&b)
	s.projectors.load(seen)
	return s.Session.Prompt(b, s.projectors.Forward(nil, false))
}
