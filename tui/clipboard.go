package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
)

// copyOut takes text to the clipboard. Inside tmux its own command does it: as tmux comes, it takes no such
// escape sequence from what runs in it (set-clipboard external). Elsewhere the sequence OSC 52 does it,
// through ssh, too, and no terminal says whether it took it.
func copyOut(c views.Clipboard, getenv func(string) string) tea.Cmd {
	osc := tea.Batch(tea.SetClipboard(c.Text),
		views.Say("sent %d characters to the terminal's clipboard (OSC 52); a terminal that takes none says nothing",
			c.Characters()))
	if getenv("TMUX") == "" {
		return osc
	}
	return func() tea.Msg {
		if err := loadBuffer(c.Text, "-w"); err == nil {
			return views.Toast{Level: views.Info,
				Text: fmt.Sprintf("copied %d characters to tmux's buffer, and to the terminal's clipboard where it "+
					"takes it", c.Characters())}
		}
		if err := loadBuffer(c.Text); err == nil { // before tmux 3.2
			return views.Toast{Level: views.Info,
				Text: fmt.Sprintf("copied %d characters to tmux's buffer: prefix ] pastes them", c.Characters())}
		}
		return osc()
	}
}

// loadBuffer gives text to tmux.
func loadBuffer(text string, flags ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	load := exec.CommandContext(ctx, "tmux", append(append([]string{"load-buffer"}, flags...), "-")...)
	load.Stdin = strings.NewReader(text)
	return load.Run()
}
