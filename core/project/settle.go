package project

import (
	"runtime"
	"runtime/debug"
)

// Settle is for a verb that has read its data set and goes through it: it gives back what the reading left behind, and
// lets the heap grow by little until done is called. What is held in between is the set, and what is made of it is
// small: 300,000 clips take less memory, and the processor no longer.
func Settle() (done func()) {
	const percent = 15 // of what is held
	before := debug.SetGCPercent(percent)
	if before < percent { // GOGC asks for less, or for no collection at all
		debug.SetGCPercent(before)
		return func() {}
	}
	runtime.GC()
	return func() { debug.SetGCPercent(before) }
}
