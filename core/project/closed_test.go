package project

import (
	"context"
	"math"
	"testing"

	"finetui/core/model"
	"finetui/ml/nn"
	"finetui/ml/train"
)

// ln p of each name of the closed list, walked through with shared beginnings, is minus the loss that training would
// count for that answer, computed by itself.
func TestLogProbsAreThoseOfTraining(t *testing.T) {
	ctx := context.Background()
	p := drawn(t)
	subject, err := model.Load(p.Base, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	samples := p.Recipe.Samples("test")[:3]
	var names []string
	for _, c := range p.Recipe.Classes {
		names = append(names, c.Name)
	}
	names = append(names, "Toe", "Toe drain") // one that others begin with, one twice
	encoder := p.Encoder()
	question := func(i int) (model.Question, error) { return encoder.Question(samples[i]) }
	got, err := subject.LogProbs(ctx, len(samples), question, names, model.Asking{View: encoder.View()})
	if err != nil {
		t.Fatal(err)
	}
	solver, err := train.NewAdamW(subject.Network.Parameters(), []train.Group{{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := train.New(subject.Network, solver, train.Schedule{Kind: "constant", Steps: 1}, train.Options{})
	if err != nil {
		t.Fatal(err)
	}
	eye := subject.Network.NewEye(nn.NewExec(1))
	for i, s := range samples {
		q, err := question(i)
		if err != nil {
			t.Fatal(err)
		}
		seen, shapes, err := p.Base.See(ctx, eye, true, encoder.View(), q.Scene)
		if err != nil {
			t.Fatal(err)
		}
		for k, name := range names {
			one, err := p.Base.Sample(shapes, s.Prompt, name, 1)
			if err != nil {
				t.Fatal(err)
			}
			one.Visual = seen
			res, err := trainer.Evaluate(ctx, []train.Sample{one})
			if err != nil {
				t.Fatal(err)
			}
			if want := -res.Samples[0].NLL; math.Abs(got[i][k]-want) > 1e-4 {
				t.Errorf("%s, %q: ln p %v, by training's loss %v", s.ID, name, got[i][k], want)
			}
		}
	}
}
