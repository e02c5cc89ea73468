package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"finetui/core/config"
	"finetui/core/doctor"
	"finetui/views/widget"
)

// runDoctor says what this machine has. It works without a config.toml, and says what is wrong with a broken one.
func runDoctor(c call) int {
	file, err := config.Load(configFile)
	in := doctor.Input{Found: err == nil}
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			in.Fault = err
		}
		if file, err = config.Parse(configFile, nil); err != nil {
			return c.failure(err)
		}
	}
	if err := applyOverrides(file, c.overrides); err != nil {
		return c.fail(exitCall, "%w", err)
	}
	in.File = file.Snapshot
	in.Terminal = terminal(c.stdout.file(), os.Environ(), in.File.Config.View)
	report := doctor.Look(c.ctx, in)
	if c.ctx.Err() != nil {
		return c.failure(c.ctx.Err())
	}
	if c.json {
		if code := c.printJSON(report); code != exitDone {
			return code
		}
	} else {
		fmt.Fprint(c.stdout, report.Text())
	}
	if report.Has(doctor.Wrong) {
		return exitCall
	}
	return exitDone
}

// terminal is what is known of the terminal that out leads to, and how the workbench would draw pictures on it.
func terminal(out *os.File, environ []string, view config.View) []doctor.Line {
	profile, why := colours(view.Colors, out, environ)
	size := doctor.Line{Name: "size", Value: "stdout is no terminal", Verdict: doctor.Info,
		Do: "call it without redirecting its output to see what the workbench gets"}
	if out != nil && term.IsTerminal(out.Fd()) {
		w, h, err := term.GetSize(out.Fd())
		size.Value = fmt.Sprintf("%d×%d", w, h)
		switch {
		case err != nil:
			size.Value, size.Do = err.Error(), "set the size with stty"
		case w < 60 || h < 20:
			size.Do = "enlarge the window: below 60×20 the workbench shows one line"
		default:
			size.Verdict, size.Do = doctor.OK, ""
		}
	}
	hues := doctor.Line{Name: "colours", Value: map[colorprofile.Profile]string{colorprofile.TrueColor: "24 bits",
		colorprofile.ANSI256: "256", colorprofile.ANSI: "16"}[profile], Verdict: doctor.OK}
	if hues.Value == "" {
		hues.Value = "none"
	}
	hues.Value += ": " + why
	mode, why := widget.ChoosePictures(view.Images, profile)
	pictures := doctor.Line{Name: "pictures", Value: fmt.Sprintf("as %s: %s", mode, why), Verdict: doctor.OK}
	if profile > colorprofile.NoTTY && profile < colorprofile.TrueColor && view.Images == "auto" {
		pictures.Verdict, pictures.Do = doctor.Info,
			"a terminal with 24-bit colours (COLORTERM=truecolor, in tmux its feature RGB) shows pictures finest; "+
				"VIEW.COLORS forces them"
	}
	return []doctor.Line{variable("TERM"), variable("COLORTERM"), hues, size, pictures}
}

// variable is an environment variable as it is.
func variable(name string) doctor.Line {
	value := os.Getenv(name)
	if value == "" {
		return doctor.Line{Name: name, Value: "not set", Verdict: doctor.Info}
	}
	return doctor.Line{Name: name, Value: value, Verdict: doctor.OK}
}
