package views

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"

	"finetui/core/dataset"
)

// places is how much work over whole data sets runs at a time: as much as leaves a core to the screen.
var places = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))

// begun and ended count it: where they are equal none runs or waits.
var begun, ended atomic.Int64

// InTurn is work over a whole data set that waits for its turn, in the order in which it was asked for, and gives way to
// the screen. What nobody wants any more by then is not done.
func InTurn[T any](work func(context.Context) (T, error)) func(context.Context) (T, error) {
	return func(ctx context.Context) (value T, err error) {
		begun.Add(1)
		defer func() {
			if ended.Add(1) == begun.Load() {
				go dataset.Behind(memory.giveBack)
			}
		}()
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

// memory is what the program holds of the machine's.
var memory holding

// holding knows how much memory was in use when some was last given back, bytes.
type holding struct{ used atomic.Uint64 }

// worthwhile is how much more than was in use must be held for memory to be given back again, bytes. What Go needs for
// itself is a third of it.
const worthwhile = 48 << 20

// giveBack gives the memory back that reading a data set and working on it has left behind, half of what is held. The
// system takes it when the program ends, too, but whoever leaves waits for that: 0.1 ms and more for a MiB.
func (h *holding) giveBack() {
	resting := ended.Load()
	if held() < h.used.Load()+worthwhile || begun.Load() != resting {
		return
	}
	debug.FreeOSMemory()
	if used := figure("/gc/heap/live:bytes"); begun.Load() == resting { // else it holds what is under way
		h.used.Store(used)
	}
}

// held is how much memory Go holds of the machine's, bytes.
func held() uint64 {
	return figure("/memory/classes/total:bytes") - figure("/memory/classes/heap/released:bytes")
}

// figure is one of those that Go keeps of itself.
func figure(name string) uint64 {
	figures := []metrics.Sample{{Name: name}}
	metrics.Read(figures)
	return figures[0].Value.Uint64()
}
