package views

import (
	"context"
	"errors"
	"testing"
)

func TestWorkWaitsForItsTurnAndIsNotDoneWhenNobodyWantsItAnyMore(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	long := InTurn(func(context.Context) (int, error) {
		begun <- struct{}{}
		<-end
		return 0, nil
	})
	for range cap(places) {
		go long(context.Background())
		<-begun
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := false
	answers := make(chan error)
	go func() {
		_, err := InTurn(func(context.Context) (int, error) { done = true; return 0, nil })(ctx)
		answers <- err
	}()
	cancel()
	if err := <-answers; !errors.Is(err, context.Canceled) || done {
		t.Errorf("stale work: done %v, error %v", done, err)
	}
	close(end)
	if n, err := InTurn(func(context.Context) (int, error) { return 7, nil })(context.Background()); n != 7 || err != nil {
		t.Errorf("afterwards: %d, %v", n, err)
	}
}
