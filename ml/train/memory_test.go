package train

import (
	"context"
	"runtime"
	"testing"
)

func TestStepsLeaveNoMemoryBehind(t *testing.T) {
	trainer := newTrainer(t, newTiny(3, .1), Options{Replicas: 2, Threads: 2})
	samples := someSamples(6, 6)
	steps := func(count int) (allocations, held uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range count {
			if _, err := trainer.Step(context.Background(), samples); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		allocations = (after.Mallocs - before.Mallocs) / uint64(count)
		runtime.GC()
		runtime.ReadMemStats(&after)
		return allocations, after.HeapAlloc
	}
	steps(20)
	early, heldEarly := steps(100)
	late, heldLate := steps(500)
	if late > early+early/10+5 {
		t.Errorf("%d allocations a step at first, %d later", early, late)
	}
	if heldLate > heldEarly+64<<10 {
		t.Errorf("%d bytes held after 120 steps, %d after 620", heldEarly, heldLate)
	}
}
