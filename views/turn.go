package views

import (
	"context"
	"runtime"

	"finetui/core/dataset"
)

// places is how much work over whole data sets runs at a time: as much as leaves a core to the screen.
var places = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))

// InTurn is work over a whole data set that waits for its turn, in the order in which it was asked for, and gives way to
// the screen. What nobody wants any more by then is not done.
func InTurn[T any](work func(context.Context) (T, error)) func(context.Context) (T, error) {
	return func(ctx context.Context) (value T, err error) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil {
			return value, err
		}
		dataset.Behind(func() { value, err = work(ctx) })
		return value, err
	}
}
