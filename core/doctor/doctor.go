// Package doctor says what this machine has of what the program can use, and what to do where something is missing. It
// changes nothing, installs nothing and asks no network.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/gpu"
	"finetui/core/level"
	"finetui/core/model"
	"finetui/core/printable"
)

// Verdict is what a line comes to.
type Verdict string

// Verdicts.
const (
	OK      Verdict = "ok"      // there, and as it should be
	Info    Verdict = "info"    // worth knowing; nothing stops
	Missing Verdict = "missing" // something cannot be done without it
	Wrong   Verdict = "wrong"   // a constant that stops the verbs
)

// Line is one thing that was looked at.
type Line struct {
	Name    string  `json:"name"`
	Value   string  `json:"value"`
	Verdict Verdict `json:"verdict"`
	Do      string  `json:"do,omitempty"` // what to do; empty where there is nothing
}

// Schema is the number of Report's shape in JSON.
const Schema = 1

// Report is everything that was looked at.
type Report struct {
	Schema int    `json:"schema"`
	Lines  []Line `json:"lines"`
}

// Input is what the machine is looked at for.
type Input struct {
	File     *config.Snapshot // the constants; without a config.toml the defaults
	Found    bool             // there is a config.toml
	Fault    error            // what is wrong with it; File then holds the defaults
	Terminal []Line           // what is known of the terminal, which this package does not talk to
}

// Look looks at the machine. It takes a second or two, and less where ctx ends.
func Look(ctx context.Context, in Input) Report {
	return in.look(ctx, thisMachine())
}

func (in Input) look(ctx context.Context, m machine) Report {
	r := Report{Schema: Schema}
	add := func(lines ...Line) { r.Lines = append(r.Lines, lines...) }
	add(in.constants()...)
	add(processor(), kernels(), memory(), space(in.File.Root))
	add(gpus(m.gpus)...)
	add(m.tool(ctx, "ffmpeg"), m.tool(ctx, "ffprobe"))
	add(m.python(ctx, in.File)...)
	add(m.hubCache())
	add(bases(ctx, in.File)...)
	add(in.Terminal...)
	return r
}

// Has says whether a line has that verdict.
func (r Report) Has(v Verdict) bool {
	for _, l := range r.Lines {
		if l.Verdict == v {
			return true
		}
	}
	return false
}

// Text is the report as plain lines.
func (r Report) Text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range r.Lines {
		fmt.Fprintf(w, "%s\t%s\t%s\n", l.Verdict, printable.Line(l.Name), printable.Line(l.Value))
		if l.Do != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", printable.Line(l.Do))
		}
	}
	w.Flush()
	return b.String()
}

// constants looks at config.toml and at what it points to.
func (in Input) constants() []Line {
	const name = "config.toml"
	var lines []Line
	switch {
	case in.Fault != nil:
		var faults config.Errors
		if !errors.As(in.Fault, &faults) {
			return []Line{{name, printable.Error(in.Fault), Wrong, "correct it; the verbs refuse it"}}
		}
		for _, f := range faults {
			lines = append(lines, Line{name, f.Error(), Wrong, "correct it; the verbs refuse the file"})
		}
		return lines
	case !in.Found:
		return []Line{{name, "none in this folder", Info,
			"start a project with finetui new demo, or go to the folder of one"}}
	}
	lines = append(lines, Line{name, in.File.Path + " · " + in.File.Config.Project.Name, OK, ""})
	for _, p := range config.Validate(in.File.Config) {
		if p.Level == level.Error {
			lines = append(lines, Line{p.Key, p.Text, Wrong, "correct it; the verbs refuse it"})
		} else {
			lines = append(lines, Line{p.Key, p.Text, Info, "correct it if it is not meant"})
		}
	}
	return append(append(lines, dataSet(in.File)), sets(in.File)...)
}

// sets looks for those that join the data set.
func sets(file *config.Snapshot) (lines []Line) {
	folder, offered := dataset.OfferedSets(context.Background(), file.Config.Dataset, file.Root)
	for _, s := range offered {
		name := "set " + s.Name
		switch {
		case s.There:
			lines = append(lines, Line{name, s.Path + " · joins", OK, ""})
		case s.Text != "":
			lines = append(lines, Line{name, s.Text, Wrong,
				"correct DATASET.SETS, or put it there; the verbs refuse it"})
		default:
			lines = append(lines, Line{name, "none at " + s.Path, Info,
				"nothing if it is not wanted: it is passed over"})
		}
	}
	if len(lines) == 0 && folder == "" {
		return []Line{{"sets", "none joins DATASET.PATH", Info,
			"nothing if none is wanted; else set DATASET_DIR to their folder, or name them in DATASET.SETS"}}
	}
	return lines
}

func dataSet(file *config.Snapshot) Line {
	path := file.Abs(file.Config.Dataset.Path)
	if _, err := os.Stat(path); err != nil {
		return Line{"data set", printable.Error(err), Missing,
			"set DATASET.PATH to the folder of a data set; finetui demo draws one"}
	}
	return Line{"data set", path, OK, ""}
}

// machine is how the machine is asked; tests put theirs in its place.
type machine struct {
	env      func(name string) string
	lookPath func(name string) (string, error)
	run      func(ctx context.Context, name string, args ...string) (string, error)
	gpus     func() ([]gpu.Device, error)
}

// bases looks at the built-in base, and at MODEL.BASE where it is another one.
func bases(ctx context.Context, file *config.Snapshot) []Line {
	lines := []Line{base(ctx, "built-in base", model.Tiny, "",
		"build the program again from a whole checkout, and see that the user's cache folder can be written to")}
	if name := file.Config.Model.Base; name != model.Tiny {
		lines = append(lines, base(ctx, "MODEL.BASE", name, file.Root,
			"correct the name, or download the model into a folder and name that"))
	}
	return lines
}

func base(ctx context.Context, title, name, root, do string) Line {
	b, away, err := model.OpenPresent(name, root)
	if err != nil {
		return Line{title, printable.Error(err), Missing, do}
	}
	if away {
		return Line{title, name + " · not on this machine yet", Info,
			"nothing: a run fetches it from the hub, and so do finetui lint, eval and infer; a name that the hub " +
				"does not know is told then"}
	}
	defer b.Close()
	known := ""
	if fingerprint, ok := b.Known(ctx); ok {
		known = "fingerprint " + model.Short(fingerprint) + " · "
	}
	return Line{title, fmt.Sprintf("%s · %s%d layers of %d · %s", name, known, b.Kind.Sizes().Layers,
		b.Kind.Sizes().Hidden, b.Dir), OK, ""}
}

// patience is how long another program is waited for.
const patience = 5 * time.Second
