package project

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
)

// held is a reader that counts its calls and waits to be let go.
func held() (s *sets, calls *atomic.Int32, began chan context.Context, letGo chan error) {
	calls, began, letGo = &atomic.Int32{}, make(chan context.Context, 9), make(chan error)
	s = &sets{reader: func(ctx context.Context, _ config.Dataset, _ string, report Progress) (*dataset.Dataset, error) {
		calls.Add(1)
		began <- ctx
		report(1, 2, "reading")
		select {
		case err := <-letGo:
			return &dataset.Dataset{}, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	return s, calls, began, letGo
}

func TestASetIsReadOnceForAll(t *testing.T) {
	s, calls, began, letGo := held()
	got := make([]*dataset.Dataset, 3)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = s.read(context.Background(), config.Dataset{Path: "data"}, "/", false, nil); err != nil {
				t.Error(err)
			}
		})
	}
	<-began
	letGo <- nil
	all.Wait()
	later, err := s.read(context.Background(), config.Dataset{Path: "data", LevelWithin: .3}, "/", false, nil)
	if err != nil || calls.Load() != 1 || got[0] != got[1] || got[1] != got[2] || later != got[0] {
		t.Errorf("%d readings, %p %p %p, later %p, %v", calls.Load(), got[0], got[1], got[2], later, err)
	}
}

func TestAReadingStopsWithTheLastWhoWaits(t *testing.T) {
	s, calls, began, letGo := held()
	first, stopFirst := context.WithCancel(context.Background())
	second, stopSecond := context.WithCancel(context.Background())
	ends := make(chan error, 2)
	for _, ctx := range []context.Context{first, second} {
		r, mine := s.join(config.Dataset{}, "/", false, nil)
		go func() {
			defer s.leave(r, mine)
			select {
			case <-r.done:
				ends <- r.err
			case <-ctx.Done():
				ends <- ctx.Err()
			}
		}()
	}
	reading := <-began
	stopFirst()
	if err := <-ends; !errors.Is(err, context.Canceled) || reading.Err() != nil {
		t.Fatalf("one of two leaves: %v, the reading %v", err, reading.Err())
	}
	stopSecond()
	<-ends
	<-reading.Done() // nobody waits any more
	go func() { letGo <- nil }()
	if _, err := s.read(context.Background(), config.Dataset{}, "/", false, nil); err != nil || calls.Load() != 2 {
		t.Errorf("what was stopped is not begun anew: %d readings, %v", calls.Load(), err)
	}
}

func TestAFailedReadingIsTriedAgain(t *testing.T) {
	s, calls, _, letGo := held()
	for _, want := range []error{errors.New("no disk"), nil} {
		go func() { letGo <- want }()
		if _, err := s.read(context.Background(), config.Dataset{}, "/", false, nil); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if calls.Load() != 2 {
		t.Errorf("%d readings", calls.Load())
	}
}
