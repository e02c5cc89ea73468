package main

import (
	"errors"
	"fmt"
	"os"

	tea "charm.land/bubbletea/v2"
)

// openWorkbench shows the screen until the user leaves it, and is the exit code.
func openWorkbench(r *root) int {
	_, err := tea.NewProgram(r).Run()
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, tea.ErrInterrupted):
		return exitInterrupted
	}
	fmt.Fprintln(os.Stderr, "finetui:", err)
	return exitFailed
}
