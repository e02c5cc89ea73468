package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"

	"finetui/core/printable"
	"finetui/views/widget"
)

// progress returns a function that shows how far long work is on stderr: a bar on a terminal,
// elsewhere a line every few seconds. done ends the bar.
func (c call) progress() (report func(done, total int, what string), done func()) {
	p := &progress{out: c.stderr, every: 5 * time.Second, began: time.Now()}
	if c.stderr.terminal() && os.Getenv("TERM") != "dumb" {
		p.bar, p.every = true, 100*time.Millisecond
	}
	p.last = time.Now()
	return p.report, p.end
}

type progress struct {
	out   *output
	bar   bool
	every time.Duration
	began time.Time

	mutex sync.Mutex
	last  time.Time
	shown bool
}

func (p *progress) report(done, total int, what string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if time.Since(p.last) < p.every {
		return
	}
	p.last = time.Now()
	count := fmt.Sprintf("%d", done)
	if total > 0 {
		count = fmt.Sprintf("%d/%d", done, total)
	}
	if !p.bar {
		fmt.Fprintf(p.out, "%s %s, %.0f s\n", count, printable.Line(what), time.Since(p.began).Seconds())
		return
	}
	share := 0.0
	if total > 0 {
		share = float64(done) / float64(total)
	}
	line := widget.ProgressBar(24).ViewAs(share) + " " + count + " " + printable.Line(what)
	if columns, _, err := term.GetSize(p.out.file().Fd()); err == nil {
		line = widget.Cut(line, columns-1)
	}
	p.out.sign("\r\x1b[K" + line)
	p.shown = true
}

func (p *progress) end() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.shown {
		p.out.sign("\r\x1b[K")
		p.shown = false
	}
}
