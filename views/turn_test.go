package views

import (
	"context"
	"errors"
	"testing"
	"time"
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

// Memory that work over a data set has left behind is given back when the last of it has ended, and is not looked for
// again where none has come since.
func TestMemoryIsGivenBackWhenTheLastWorkHasEnded(t *testing.T) {
	const left = 2 * worthwhile
	before := held()
	work := InTurn(func(context.Context) (byte, error) {
		used := make([]byte, left)
		for i := 0; i < left; i += 4096 {
			used[i] = 1
		}
		return used[left/2], nil
	})
	if _, err := work(context.Background()); err != nil {
		t.Fatal(err)
	}
	for held() > before+left/2 {
		time.Sleep(time.Millisecond)
	}
	var h holding
	h.giveBack()
	const looks = "/gc/cycles/forced:gc-cycles"
	n := figure(looks)
	if h.giveBack(); figure(looks) != n {
		t.Errorf("%d looks where nothing has come, want none", figure(looks)-n)
	}
}
