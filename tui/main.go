// Command finetui is a workbench for fine-tuning vision-language models: on a terminal four panes, with a verb one
// link of the chain. This package wires core to views and holds no knowledge of its own about data, models or runs.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/charmbracelet/x/term"

	"finetui/core/project"
)

func main() { os.Exit(start(os.Args[1:])) }

// start opens the workbench or runs a verb, and is the program's exit code.
func start(arguments []string) int {
	words, overrides := divide(arguments)
	if len(words) == 0 || slices.Contains([]string{"analyze", "lint", "convert"}, words[0]) {
		project.Lean()
	}
	if len(words) == 0 {
		if !drawable() {
			fmt.Fprintln(os.Stderr, "finetui: the workbench needs a terminal to draw on (TERM is not \"dumb\", "+
				"stdin and stdout are not redirected); finetui help lists what runs without one")
			return exitCall
		}
		return openWorkbench(overrides)
	}
	endings := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
	if hidden(words[0]) {
		endings = endings[:2]
	}
	ctx, stop := untilSignal(endings)
	defer stop()
	return dispatch(newCall(ctx, words, overrides, os.Stdout, os.Stderr))
}

// signalled is why a context ended: a signal told the program to.
type signalled struct{ syscall.Signal }

func (s signalled) Error() string { return "told to end by signal " + s.Signal.String() }

// code is the exit code that shells give a program which such a signal ended: 130 for ctrl+c, 143 for kill.
func (s signalled) code() int { return 128 + int(s.Signal) }

// untilSignal is a context that one of the signals ends; a second one ends the program at once. Signals that the caller
// ignores (nohup) stay ignored.
func untilSignal(endings []os.Signal) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	came := make(chan os.Signal, 1)
	for _, s := range endings {
		if !signal.Ignored(s) {
			signal.Notify(came, s)
		}
	}
	go func() {
		if s, ok := (<-came).(syscall.Signal); ok {
			cancel(signalled{s})
		}
		signal.Stop(came)
	}()
	return ctx, func() {
		signal.Stop(came)
		cancel(nil)
	}
}

// drawable says whether a person sits in front of something that can show a screen.
func drawable() bool {
	return term.IsTerminal(os.Stdin.Fd()) && term.IsTerminal(os.Stdout.Fd()) && os.Getenv("TERM") != "dumb"
}
