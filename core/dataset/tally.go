package dataset

// tally counts lines of a file that are alike.
type tally struct {
	n, line int // line of the first
	example string
}

func (t *tally) add(line int, example string) {
	if t.n++; t.n == 1 {
		t.line, t.example = line, example
	}
}

// finding is what is said of the lines: text has a place for their number and one for the example.
func (t *tally) finding(code, file, text, one, more string) Finding {
	f := newFinding(code, file, t.line, text, Counted(t.n, one, more), quote(readable(t.example)))
	f.Count = t.n
	return f
}
