package printable

import (
	"io"
	"unicode/utf8"
)

// Writer passes on what is written to it as Text shows it. A character that is split between two writes is put together
// again; Flush passes on what is left of one. It is for one goroutine.
type Writer struct {
	to   io.Writer
	rest []byte // the beginning of a character
	last string // the character before, which a joiner looks at
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{to: w} }

// Write returns len(p), or what w says is wrong.
func (w *Writer) Write(p []byte) (int, error) {
	text := append(w.rest, p...)
	whole := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if b := text[len(text)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(text[len(text)-back:]) {
				whole -= back
			}
			break
		}
	}
	w.rest = append([]byte(nil), text[whole:]...)
	if whole == 0 {
		return len(p), nil
	}
	shown := clean(w.last+string(text[:whole]), true)[len(clean(w.last, true)):]
	_, size := utf8.DecodeLastRune(text[:whole])
	w.last = string(text[whole-size : whole])
	if _, err := io.WriteString(w.to, shown); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what is left of a character that never came to its end.
func (w *Writer) Flush() error {
	if len(w.rest) == 0 {
		return nil
	}
	w.rest = nil
	_, err := io.WriteString(w.to, string(utf8.RuneError))
	return err
}
