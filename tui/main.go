// Command finetui is a workbench for fine-tuning vision-language models: on a terminal four panes, with a verb one
// link of the chain. This package wires core to views and holds no knowledge of its own about data, models or runs.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/charmbracelet/x/term"
)

func main() { os.Exit(start(os.Args[1:])) }

// start opens the workbench or runs a verb, and is the program's exit code.
func start(arguments []string) int {
	words, overrides := divide(arguments)
	if len(words) == 0 {
		if !drawable() {
			fmt.Fprintln(os.Stderr, "finetui: the workbench needs a terminal to draw on (TERM is not \"dumb\", stdin and stdout are not redirected); finetui help lists what runs without one")
			return exitCall
		}
		return openWorkbench(overrides)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return dispatch(call{ctx: ctx, words: words, overrides: overrides, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr})
}

// drawable says whether a person sits in front of something that can show a screen.
func drawable() bool {
	return term.IsTerminal(os.Stdin.Fd()) && term.IsTerminal(os.Stdout.Fd()) && os.Getenv("TERM") != "dumb"
}
