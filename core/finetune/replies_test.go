package finetune

import (
	"context"
	"testing"

	"finetui/core/project"
)

// TestACheckAsksNobodyWhoseAnswerIsKnown holds the replies of checks, while a run learns, against those of asking about
// everything.
func TestACheckAsksNobodyWhoseAnswerIsKnown(t *testing.T) {
	f, ctx := smallProject(t), context.Background()
	if err := f.Override([]string{"EVAL.MAX_NEW_TOKENS=6", "TRAIN.LEARNING_RATE=0.01"}); err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(ctx, f.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.OpenBase(ctx, nil); err != nil {
		t.Fatal(err)
	}
	opened, err := openNative(ctx, Task{Project: p, Steps: 40})
	if err != nil {
		t.Fatal(err)
	}
	e := opened.(*nativeEngine)
	learnt, valid := p.Recipe.Samples("train"), p.Recipe.Samples("valid")
	known := 0
	for step := range 24 {
		if _, err := e.Step(ctx, learnt[step*8%48:][:8], 0); err != nil {
			t.Fatal(err)
		}
		if step%8 != 7 {
			continue
		}
		res, got, err := e.Check(ctx, valid)
		if err != nil {
			t.Fatal(err)
		}
		want, err := p.Ask(ctx, e.subject, valid, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i].Text != want[i].Text || got[i].Tokens != want[i].Tokens {
				t.Errorf("after step %d, %s: %q of %d tokens, asked it says %q of %d", step+1, valid[i].ID, got[i].Text,
					got[i].Tokens, want[i].Text, want[i].Tokens)
			}
			if l := res.Samples[i]; l.Right == l.Tokens {
				known++
			}
		}
	}
	if all := 3 * len(valid); known == 0 || known == all {
		t.Errorf("%d of %d answers were known: this test shows nothing", known, all)
	}
}
