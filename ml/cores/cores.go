// Package cores says how many cores a program may use, and lets one that has a screen keep more threads than that. It
// never says what to do with them.
package cores

import "runtime"

// count is what Go found at the program's start: the machine's cores, fewer where a limit or GOMAXPROCS says so.
var count = runtime.GOMAXPROCS(0)

// Count is how many cores this program may use: what work that computes divides itself into.
func Count() int { return count }

// spare is how many goroutines more than there are cores run at a time once Answer was called: those between a key and
// its frame wait for each other, so one of them runs, and the collector may hold a thread for as long as it marks.
const spare = 2

// Answer lets the program answer while all its cores compute. Go takes a core from a goroutine after 10 ms, and a key
// goes through five of them; with threads to spare it is the system that divides the cores, which lets a thread that
// was asleep run within a millisecond or two. Count stays as it is.
func Answer() { runtime.GOMAXPROCS(count + spare) }
