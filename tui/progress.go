package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"
)

// progress returns a function that shows how far long work is on stderr: a bar on a terminal, elsewhere a line every few
// seconds. done ends the bar.
func (c call) progress() (report func(done, total int, what string), done func()) {
	p := &progress{out: c.stderr, every: 5 * time.Second, began: time.Now()}
	if f, ok := c.stderr.(*os.File); ok && term.IsTerminal(f.Fd()) && os.Getenv("TERM") != "dumb" {
		p.bar, p.every = true, 100*time.Millisecond
	}
	p.last = time.Now()
	return p.report, p.end
}

type progress struct {
	out   io.Writer
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
		fmt.Fprintf(p.out, "%s %s, %.0f s\n", count, what, time.Since(p.began).Seconds())
		return
	}
	const width = 24
	filled := 0
	if total > 0 {
		filled = width * done / total
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s%s %s %s", strings.Repeat("█", filled), strings.Repeat("░", width-filled), count, what)
	p.shown = true
}

func (p *progress) end() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}
