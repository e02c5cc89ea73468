package project

import (
	"os"
	"runtime"
	"runtime/debug"
)

// heapGrowth is by how many percent of what is alive the heap of a lean process grows before it is collected.
const heapGrowth = 33

// Lean is for a process that holds much and makes little garbage, as the workbench, readers of a data set and runs do:
// it lets the heap grow by a third before it is collected, not by its own size, unless GOGC says otherwise. 100,000
// pictures take a third less memory, a run a quarter less, and neither takes more time.
func Lean() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}

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
