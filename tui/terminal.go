package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"golang.org/x/sys/unix"
)

// exitHangup is the exit code where the terminal went away, as a shell counts signals.
const exitHangup = 128 + int(syscall.SIGHUP)

// show draws a workbench until the user leaves it, a signal ends it or its terminal is gone.
func show(r *root) int {
	r.live, r.ascii = true, !utf8Locale(os.Getenv)
	r.busy = newBusy(r.ascii)
	profile, _ := colours(r.colours, os.Stdout, os.Environ())
	input := &keyboard{File: os.Stdin}
	p := newProgram(r, tea.WithInput(input), tea.WithColorProfile(profile), tea.WithoutSignalHandler())
	input.lost = func() { p.Send(leave{exitHangup}) }
	defer onSignals(func(code int) { p.Send(leave{code}) })()
	defer onStop(p)()
	_, err := p.Run()
	switch {
	case r.code != exitDone:
		return r.code
	case input.gone.Load():
		return exitHangup
	case err == nil:
		return exitDone
	}
	fmt.Fprintln(os.Stderr, "finetui:", err)
	return exitFailed
}

// leave asks the workbench to end, whatever is open, with that exit code.
type leave struct{ code int }

// onSignals calls leave at a signal that asks the program to end, until the returned function is called. A hangup that
// whoever started the program wants ignored (nohup) stays so: then the lost terminal ends it.
func onSignals(leave func(code int)) (stop func()) {
	codes := map[os.Signal]int{syscall.SIGINT: exitInterrupted, syscall.SIGTERM: exitDone, syscall.SIGQUIT: 128 +
		int(syscall.SIGQUIT)}
	if !signal.Ignored(syscall.SIGHUP) {
		codes[syscall.SIGHUP] = exitHangup
	}
	arrived := make(chan os.Signal, 4)
	for s := range codes {
		signal.Notify(arrived, s)
	}
	go func() {
		for s := range arrived {
			leave(codes[s])
		}
	}()
	return func() { signal.Stop(arrived) }
}

// onStop gives the terminal back before the program is stopped from outside (kill -TSTP) and takes it again when it
// goes on, until the returned function is called.
func onStop(p *tea.Program) (end func()) {
	told, goesOn := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTSTP)
	signal.Notify(goesOn, syscall.SIGCONT)
	go func() {
		for range told {
			if orphaned() {
				continue // as the system does: nobody would wake it
			}
			_ = p.ReleaseTerminal()
			for len(goesOn) > 0 {
				<-goesOn
			}
			if syscall.Kill(os.Getpid(), syscall.SIGSTOP) == nil {
				<-goesOn
			}
			_ = p.RestoreTerminal()
		}
	}()
	return func() { signal.Stop(told); signal.Stop(goesOn) }
}

// orphaned says whether no shell has charge of this process as a job.
func orphaned() bool {
	parent := os.Getppid()
	mine, err := unix.Getsid(0)
	theirs, other := unix.Getsid(parent)
	group, third := unix.Getpgid(parent)
	return err != nil || other != nil || third != nil || mine != theirs || group == unix.Getpgrp()
}

// keyboard is the terminal as it is read from. It tells when
// there is nothing to be read any more: the terminal is gone.
type keyboard struct {
	*os.File
	lost func()

	gone atomic.Bool
}

// Read reads what was typed.
func (k *keyboard) Read(p []byte) (int, error) {
	n, err := k.File.Read(p)
	if err != nil || n == 0 && len(p) > 0 {
		if !k.gone.Swap(true) {
			go k.lost()
		}
	}
	return n, err
}

// answers knows whether the terminal still owes answers to what it was asked at the start: its background, its modes,
// its keyboard. What came after the end would stand on the shell's prompt. Every terminal answers a question for its
// device attributes, and in order: that answer is the last.
type answers struct {
	asked time.Time // zero: nothing is owed
}

// mostOwed is how long after asking an answer is waited for at
// the end: a terminal that is silent until then answers none.
const mostOwed = 500 * time.Millisecond

// lastQuestion says that the program's first questions have been put, and the last may be.
type lastQuestion struct{}

// expect takes note that questions are being put, and has the last one put in a moment.
func (a *answers) expect(now time.Time) tea.Cmd {
	a.asked = now
	return tea.Tick(30*time.Millisecond, func(time.Time) tea.Msg { return lastQuestion{} })
}

// came takes note of an answer.
func (a *answers) came(msg tea.Msg) {
	if _, last := msg.(uv.PrimaryDeviceAttributesEvent); last {
		a.asked = time.Time{}
	}
}

// owed is how much longer an answer may be on its way.
func (a *answers) owed(now time.Time) time.Duration {
	if a.asked.IsZero() {
		return 0
	}
	return max(mostOwed-now.Sub(a.asked), 0)
}

// utf8Locale says whether the terminal is told to show UTF-8. Where
// the environment says nothing it is: containers are silent.
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return true
}
