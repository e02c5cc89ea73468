package convert

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"finetui/core/run"
	"finetui/ml/wholefile"
)

// create writes a file whole, in a folder that need not be there.
func create(path string, write func(io.Writer) error) error {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = wholefile.Create(path, 0o644, write)
	}
	switch {
	case run.IsDiskFull(err):
		return fmt.Errorf("CONVERT.OUTPUT: there is no room left for %s: free some, or name a folder on another "+
			"disk; what is whole so far stays", path)
	case err != nil:
		return fmt.Errorf("CONVERT.OUTPUT: %w", err)
	}
	return nil
}

// rowWriter writes rows one by one, so that a file of any length takes little memory: one object a line, or an array
// with one object a line.
type rowWriter struct {
	out   io.Writer
	lines bool
	n     int
	err   error
}

func (w *rowWriter) row(v any) {
	before := ""
	if !w.lines {
		before = "[\n"
		if w.n > 0 {
			before = ",\n"
		}
	}
	w.text(before)
	if w.err == nil {
		w.err = encode(w.out, v, w.lines)
	}
	w.n++
}

// end closes the array.
func (w *rowWriter) end() error {
	switch {
	case w.lines:
	case w.n == 0:
		w.text("[]\n")
	default:
		w.text("\n]\n")
	}
	return w.err
}

func (w *rowWriter) text(s string) {
	if w.err == nil && s != "" {
		_, w.err = io.WriteString(w.out, s)
	}
}

// encode writes v as JSON with its marks <image> as they are, which json.Marshal would escape.
func encode(out io.Writer, v any, newline bool) error {
	var e *json.Encoder
	if newline {
		e = json.NewEncoder(out)
	} else {
		e = json.NewEncoder(withoutNewline{out})
	}
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// withoutNewline takes the newline off what an encoder writes, which it does in one piece.
type withoutNewline struct{ io.Writer }

func (w withoutNewline) Write(text []byte) (int, error) {
	n := len(text)
	if n > 0 && text[n-1] == '\n' {
		text = text[:n-1]
	}
	if _, err := w.Writer.Write(text); err != nil {
		return 0, err
	}
	return n, nil
}
