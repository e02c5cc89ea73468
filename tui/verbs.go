package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"finetui/core/finetune"
	"finetui/views/widget"
)

// The exit codes of every verb.
const (
	exitDone        = 0
	exitFailed      = 1
	exitCall        = 2 // the call or the configuration is wrong
	exitFindings    = 3 // findings of error level
	exitInterrupted = 130
)

// verb is one link of the chain that is run without a screen.
type verb struct {
	name  string
	words string // what follows the name: "RUN [now]"
	help  string // one sentence
	run   func(c call) int
}

// verbs is the table that dispatch and help are made from.
func verbs() []verb {
	return []verb{
		{"new", "demo|drains [FOLDER]", "starts a project from a preset", runNew},
		{"analyze", "", "writes the statistics and findings of the data set", runAnalyze},
		{"lint", "", "checks recipe, data and model before any training", runLint},
		{"convert", "", "writes the records in a trainer's dialect", runConvert},
		{"train", "[NAME]", "lints, and starts a run in a process of its own", runTrain},
		{"stop", "RUN [now]", "stops a run at its next checkpoint, or after this step", runStop},
		{"resume", "RUN", "goes on with a run from its last checkpoint", runResume},
		{"follow", "RUN", "watches a run; leaving does not stop it", runFollow},
		{"runs", "[RUN]", "lists the runs, or shows one in full", runRuns},
		{"eval", "RUN|base", "scores a run or the base on EVAL.SPLIT", runEval},
		{"compare", "RUN|base RUN …", "puts evaluations of the same items side by side", runCompare},
		{"integrate", "RUN|base", "gives stage-1 detections their conditions", runIntegrate},
		{"infer", "RUN|base MEDIA [prompt …]", "asks one question about a picture or an object of the data set", runInfer},
		{"export", "merged|adapter RUN FOLDER [old]", "writes a run's adapter alone (old: under the names of older installs), or merged into its base", runExport},
		{"demo", "[base FOLDER]", "runs the whole chain on the demo project; demo base pretrains the built-in base anew", runDemo},
		{"doctor", "", "says what this machine has, and what to do where something is missing", runDoctor},
		{finetune.Verb, "DIR", "is the process of a run; train and resume start it", runWork},
		{"help", "[VERB]", "shows what there is to call", runHelp},
		{"version", "", "says which build this is", runVersion},
	}
}

// call is one call of the program: the words after the verb, and the constants that it overrides.
type call struct {
	ctx       context.Context // ends when the user interrupts
	words     []string
	overrides []string // "SECTION.KEY=value", as given
	stdin     io.Reader
	stdout    io.Writer // results only
	stderr    io.Writer // progress, messages, errors
}

// fail says what is wrong and is the exit code for it.
func (c call) fail(code int, format string, args ...any) int {
	fmt.Fprintf(c.stderr, "finetui: "+format+"\n", args...)
	return code
}

var override = regexp.MustCompile(`^[A-Z][A-Z_]*\.[A-Za-z][A-Za-z0-9_]*=`)

// divide tells a verb's words from the constants that the call overrides.
func divide(arguments []string) (words, overrides []string) {
	for _, argument := range arguments {
		if override.MatchString(argument) {
			overrides = append(overrides, argument)
		} else {
			words = append(words, argument)
		}
	}
	return words, overrides
}

// dispatch runs the verb of a call; c.words begins with its name.
func dispatch(c call) int {
	name := c.words[0]
	table := verbs()
	if i := slices.IndexFunc(table, func(v verb) bool { return v.name == name }); i >= 0 {
		c.words = c.words[1:]
		return table[i].run(c)
	}
	names := make([]string, len(table))
	for i, v := range table {
		names[i] = v.name
	}
	return c.fail(exitCall, "there is no verb %q; did you mean %s? finetui help lists them", name, nearest(name, names))
}

func runHelp(c call) int {
	table := verbs()
	if len(c.words) > 0 {
		i := slices.IndexFunc(table, func(v verb) bool { return v.name == c.words[0] })
		if i < 0 {
			return c.fail(exitCall, "there is no verb %q; finetui help lists them", c.words[0])
		}
		v := table[i]
		fmt.Fprintf(c.stdout, "finetui %s\n    %s\n", strings.TrimSpace(v.name+" "+v.words+" [SECTION.KEY=value …]"), v.help)
		return exitDone
	}
	fmt.Fprintln(c.stdout, "finetui                                 opens the workbench on ./config.toml")
	fmt.Fprintln(c.stdout, "finetui VERB words SECTION.KEY=value …  runs one link; a value overrides config.toml for this call")
	fmt.Fprintln(c.stdout)
	width := 0
	for _, v := range table {
		width = max(width, widget.Width(v.name+" "+v.words))
	}
	for _, v := range table {
		fmt.Fprintf(c.stdout, "  %s  %s\n", widget.Left(v.name+" "+v.words, width), v.help)
	}
	return exitDone
}

func runVersion(c call) int {
	fmt.Fprintf(c.stdout, "finetui %s %s\n", version(), runtime.Version())
	return exitDone
}

// revision is set by make; a plain go build leaves it to what go itself notes.
var revision string

// version is the revision that the program was built from.
func version() string {
	if revision != "" {
		return revision
	}
	found, dirty := "unknown revision", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				found = setting.Value[:min(len(setting.Value), 12)]
			case setting.Key == "vcs.modified" && setting.Value == "true":
				dirty = " with changes"
			}
		}
	}
	return found + dirty
}

// nearest is the name with the fewest letters to change (Levenshtein 1966).
func nearest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int { return changes(name, a) - changes(name, b) })
}

func changes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
