// Package level says how bad something is that the program has to say: findings of a data set and of a recipe, faults
// of a configuration, events and alerts of a run.
package level

// Level is one of three words, which stand so in files and in JSON.
type Level string

const (
	Error Level = "error" // something is wrong, and what depends on it stops or is left out
	Warn  Level = "warn"  // it goes on, and somebody should look
	Info  Level = "info"  // good to know
)

// Severity orders levels: 0 for Error, 1 for Warn, 2 for Info and for what is none.
func (l Level) Severity() int {
	switch l {
	case Error:
		return 0
	case Warn:
		return 1
	}
	return 2
}
