package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/charmbracelet/x/term"

	"finetui/core/config"
	"finetui/core/printable"
)

// output is where a verb prints to. What is printed is made safe for a terminal, and the first write that failed is
// remembered, so that nobody takes half a result for a whole one.
type output struct {
	mutex  sync.Mutex
	to     io.Writer
	safe   *printable.Writer
	err    error
	failed func() // called once, at the first write that fails; may be nil
}

func newOutput(to io.Writer) *output {
	if o, ok := to.(*output); ok { // a verb that calls another
		return o
	}
	o := &output{to: to}
	o.safe = printable.NewWriter(writerFunc(o.raw))
	return o
}

// Write prints text; it never fails, so that a verb goes on to what it has to put in order. See err.
func (o *output) Write(p []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	_, _ = o.safe.Write(p)
	return len(p), nil
}

// sign writes past the filter: a progress bar.
func (o *output) sign(text string) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	_, _ = o.raw([]byte(text))
}

func (o *output) raw(p []byte) (int, error) {
	if o.err != nil {
		return len(p), nil
	}
	_, err := o.to.Write(p)
	if err != nil {
		o.err = err
		if o.failed != nil {
			o.failed()
		}
	}
	return len(p), err
}

// flush prints what is left of a character that was cut off.
func (o *output) flush() {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	_ = o.safe.Flush()
}

// file is the file behind an output, or nil.
func (o *output) file() *os.File {
	f, _ := o.to.(*os.File)
	return f
}

// terminal says whether a person reads this.
func (o *output) terminal() bool { return o.file() != nil && term.IsTerminal(o.file().Fd()) }

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// print prints a line of results.
func (c call) print(format string, args ...any) { fmt.Fprintf(c.stdout, format+"\n", args...) }

// note prints a line of what is worth knowing beside the results.
func (c call) note(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }

// printJSON prints v as one object with a schema number.
func (c call) printJSON(v any) int {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return c.failure(err)
	}
	c.print("%s", printable.JSON(text))
	return exitDone
}

// printRow prints v as one object on one line: follow prints many.
func (c call) printRow(v any) int {
	text, err := json.Marshal(v)
	if err != nil {
		return c.failure(err)
	}
	c.print("%s", printable.JSON(text))
	return exitDone
}

// fail says what is wrong and is the exit code for it: as text, or, where the
// verb prints JSON, as one object on the last line of stderr.
func (c call) fail(code int, format string, args ...any) int {
	err := fmt.Errorf(format, args...)
	text := printable.Error(err)
	if !errors.As(err, new(config.Errors)) { // those alone have a line each
		text = printable.Line(text)
	}
	if !c.json {
		c.note("finetui: %s", text)
		return code
	}
	object, err := json.Marshal(struct {
		Schema int    `json:"schema"`
		Error  string `json:"error"`
		Exit   int    `json:"exit"`
	}{1, text, code})
	if err != nil {
		object = []byte(text)
	}
	c.note("%s", printable.JSON(object))
	return code
}

// unusable is the exit code for an error about what the call names: the call is wrong where that is not there; what is
// there and damaged is a failure.
func (c call) unusable(err error) int {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return c.fail(exitCall, "%w", err)
	}
	return c.failure(err)
}

// failure is the exit code for an error that stopped a verb.
func (c call) failure(err error) int {
	var told signalled
	switch {
	case c.stdout.err != nil:
		return exitFailed // ended says it
	case errors.As(context.Cause(c.ctx), &told):
		return c.fail(told.code(), "interrupted")
	case c.ctx.Err() != nil:
		return c.fail(exitInterrupted, "interrupted")
	case errors.As(err, new(*config.Unusable)):
		return c.fail(exitCall, "%w", err)
	}
	return c.fail(exitFailed, "%w", err)
}
