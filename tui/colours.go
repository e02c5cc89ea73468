package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"finetui/core/config"
)

// palettes are the values of VIEW.COLORS beside "auto".
var palettes = map[config.Colors]colorprofile.Profile{
	config.ColorsTrue: colorprofile.TrueColor, config.Colors256: colorprofile.ANSI256,
	config.Colors16:   colorprofile.ANSI,
	config.ColorsNone: colorprofile.ASCII,
}

// colours are those that VIEW.COLORS asks for, or that the terminal behind out shows, and why in words. NO_COLOR, with
// any value, is stronger than what the terminal can do; VIEW.COLORS is stronger than NO_COLOR.
func colours(want config.Colors, out *os.File, environ []string) (profile colorprofile.Profile, why string) {
	if profile, forced := palettes[want]; forced {
		return profile, fmt.Sprintf("VIEW.COLORS = %q", want)
	}
	environment := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		environment[name] = value
	}
	switch {
	case out == nil || !term.IsTerminal(out.Fd()):
		return colorprofile.NoTTY, "stdout is no terminal"
	case environment["NO_COLOR"] != "":
		return colorprofile.ASCII, "NO_COLOR is set"
	case environment["TMUX"] != "":
		return tmuxColours(environ)
	}
	profile = colorprofile.Env(environ)
	if profile < colorprofile.TrueColor && profile > colorprofile.ASCII {
		profile = max(profile, colorprofile.Terminfo(environment["TERM"]))
	}
	return profile, "TERM and COLORTERM say so"
}

// tmuxColours asks tmux what it draws 24-bit colours with on the terminal that looks at it now: it changes them into
// 256 wherever it does not know better, whatever COLORTERM says.
func tmuxColours(environ []string) (colorprofile.Profile, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	ask := exec.CommandContext(ctx, "tmux", "display-message", "-p", "#{client_termfeatures}")
	ask.Env = environ
	features, err := ask.Output()
	if err == nil && hasFeature(string(features), "RGB") {
		return colorprofile.TrueColor, "tmux has the feature RGB for this terminal"
	}
	return colorprofile.ANSI256,
		"tmux does not know that this terminal has 24-bit colours: set -as terminal-features ',*:RGB' in tmux.conf " +
			"tells it"
}

func hasFeature(list, name string) bool {
	for feature := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		if feature == name {
			return true
		}
	}
	return false
}
