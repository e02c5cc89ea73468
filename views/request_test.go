package views

import (
	"context"
	"errors"
	"testing"
)

func TestNewerQuestionMakesTheOlderOneStaleAndStopsItsWork(t *testing.T) {
	var r Request
	stopped := make(chan struct{})
	older := Ask(&r, func(ctx context.Context) (int, error) { <-ctx.Done(); close(stopped); return 1, ctx.Err() })
	newer := Ask(&r, func(context.Context) (int, error) { return 2, nil })
	if answer := older().(Answer[int]); r.Takes(answer.Ticket) || !errors.Is(answer.Err, context.Canceled) {
		t.Errorf("the stale answer %+v is taken or its work went on", answer)
	}
	<-stopped
	answer := newer().(Answer[int])
	if !r.Takes(answer.Ticket) || answer.Value != 2 || !r.Pending() {
		t.Errorf("the newest answer %+v is not taken", answer)
	}
	r.Close()
	if r.Takes(answer.Ticket) || r.Pending() {
		t.Error("an answer is taken twice")
	}
}

func TestZeroRequestTakesNothing(t *testing.T) {
	var r Request
	if r.Takes(0) || r.Pending() {
		t.Error("nothing was asked")
	}
}

func TestStreamKeepsOrderAndEndsWithItsError(t *testing.T) {
	var r Request
	failure := errors.New("weights are gone")
	cmd := Listen(&r, func(_ context.Context, emit func(int)) error {
		for i := range 1000 {
			emit(i)
		}
		return failure
	})
	var got []int
	for messages := 0; cmd != nil; messages++ {
		batch := cmd().(Batch[int])
		if !r.Takes(batch.Ticket) || messages > 1001 {
			t.Fatalf("message %d: %+v", messages, batch)
		}
		got = append(got, batch.Values...)
		if cmd = batch.Next; batch.Ended && (cmd != nil || batch.Err != failure) {
			t.Errorf("the end is %+v", batch)
		}
	}
	for i, v := range got {
		if i != v {
			t.Fatalf("value %d is %d", i, v)
		}
	}
	if len(got) != 1000 {
		t.Errorf("%d values", len(got))
	}
}
