package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/finetune"
	"finetui/core/printable"
	"finetui/core/sweep"
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
	name        string
	words       string   // what follows the name: "RUN [now]"
	least, most int      // how many words that is; most < 0: any number
	sections    []string // of the constants that it heeds; nil: all
	help        string   // one sentence
	run         func(c call) int
}

// What a verb heeds that reads no data set: where the runs are, and how it prints.
var (
	onlyView = []string{"VIEW"}
	onlyRuns = []string{"PROJECT", "VIEW"}
)

// verbs is the table that dispatch and help are made from.
func verbs() []verb {
	return []verb{
		{"new", strings.Join(config.Presets(), "|") + " [FOLDER]", 1, 2, nil, "starts a project from a preset", runNew},
		{"analyze", "", 0, 0, nil, "writes the statistics and findings of the data set", runAnalyze},
		{"lint", "", 0, 0, nil, "checks recipe, data and model before any training", runLint},
		{"convert", "", 0, 0, nil,
			"writes the records in a trainer's dialect; CONVERT.DIALECT and CONVERT.OUTPUT say how and where",
			runConvert},
		{"probe", "", 0, 0, nil, fmt.Sprintf("takes %d steps as a run would and keeps what they took, time and memory, for "+
			"lint, Train and Config to reckon with; no run is left", finetune.ProbeSteps), runProbe},
		{"train", "[NAME]", 0, 1, nil, "lints, and starts a run in a process of its own", runTrain},
		{"stop", "RUN [now]", 1, 2, onlyRuns, "stops a run at its next checkpoint, or after this step", runStop},
		{"resume", "RUN", 1, 1, nil,
			"goes on with a run from its newest whole checkpoint; constants that may change (TRAIN.EPOCHS, " +
				"SAVE_EVERY, …) are followed", runResume},
		{"follow", "RUN|FOLDER", 1, 1, onlyRuns,
			"watches a run, also the one of another trainer in a folder; leaving does not stop it", runFollow},
		{"runs", "[RUN|FOLDER]", 0, 1, onlyRuns,
			"lists the runs, and those of other trainers in PROJECT.WATCH or a folder, or shows one in full", runRuns},
		{"eval", "RUN|base", 1, 1, nil, "scores a run or the base on EVAL.SPLIT", runEval},
		{"compare", "RUN|base RUN … | RUN,RUN,RUN RUN,RUN,RUN …", 2, -1, nil,
			"puts evaluations of the same items side by side; runs joined by commas are seeds of one recipe, and then " +
				"recipes are compared", runCompare},
		{"sweep", "[[NAME] [each|zip] [SEEDS=3] [TOGETHER=1] | NAME pause|go|stop | NAME skip VARIANT [SEED] | " +
			"NAME seeds N | NAME export FILE.md|FILE.csv|FILE.png]", 0, -1, nil,
			"trains and scores every value of the constants that are given several (RECIPE.SAMPLING=instance,square_root) " +
				"under several seeds, and compares them as recipes; each: one constant at a time; zip: the values of all in " +
				"step; alone: lists the sweeps", runSweep},
		{"integrate", "RUN|base", 1, 1, nil, "gives stage-1 detections their conditions", runIntegrate},
		{"infer", "RUN|base MEDIA [prompt …]", 2, -1, nil,
			"asks one question about a picture, an object of the data set such as test/NAME#0, or nothing that is " +
				"shown (-)", runInfer},
		{"export", "base FOLDER | merged|adapter RUN FOLDER [old] | TRAINER FOLDER", 2, 4, nil,
			"writes a run's adapter alone (old: under the names of older installs), or merged into its base; or " +
				"MODEL.BASE itself as trainers read it, with chat template and processor; or the samples and the recipe's " +
				"constants for llamafactory, ms-swift, trl or axolotl", runExport},
		{"demo", "[qved] [base FOLDER]", 0, 3, nil,
			"runs the whole chain on the demo project, or that of exercise clips; with base it pretrains the base that " +
				"the program carries for it anew", runDemo},
		{"doctor", "", 0, 0, nil, "says what this machine has, and what to do where something is missing", runDoctor},
		{finetune.Verb, "DIR", 1, 1, nil, "is the process of a run; train and resume start it", runWork},
		{finetune.ProbeVerb, "", 0, 0, nil, "is the process of a probe; probe starts it", runProbing},
		{sweep.Verb, "DIR", 1, 1, nil, "is the process of a sweep; sweep starts it", runQueue},
		{"help", "[VERB]", 0, 1, onlyView, "shows what there is to call", runHelp},
		{"version", "", 0, 0, onlyView, "says which build this is", runVersion},
	}
}

// hidden says whether a verb is the program's own, by which it calls itself.
func hidden(verb string) bool {
	return verb == finetune.Verb || verb == finetune.ProbeVerb || verb == sweep.Verb
}

// usage is how a verb is called.
func (v verb) usage() string { return strings.TrimSpace("finetui " + v.name + " " + v.words) }

// call is one call of the program: the words after the verb, and the constants that it overrides.
type call struct {
	ctx       context.Context // ends when the user interrupts, or stdout fails
	words     []string
	overrides []string    // "SECTION.KEY=value", as given
	plan      *sweep.Plan // of a new sweep; nil: none is planned
	stdout    *output     // results only
	stderr    *output     // progress, messages, errors
	json      bool        // VIEW.FORMAT
}

// newCall is a call that ends with ctx, or once nothing can be written to stdout any more.
func newCall(ctx context.Context, words, overrides []string, stdout, stderr io.Writer) call {
	ctx, cancel := context.WithCancel(ctx)
	c := call{ctx: ctx, words: words, overrides: overrides, stdout: newOutput(stdout), stderr: newOutput(stderr)}
	c.stdout.failed = cancel
	return c
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

// dispatch runs the verb of a call, after checking its words and constants; c.words begins with its name.
func dispatch(c call) int {
	code := c.dispatch()
	c.stdout.flush()
	if c.stdout.err != nil {
		return c.fail(exitFailed, "the result could not be written to stdout: %s", printable.Reason(c.stdout.err))
	}
	return code
}

func (c call) dispatch() int {
	name := c.words[0]
	c.words = c.words[1:]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-v", "-V", "-version", "--version":
		name = "version"
	}
	c.json = c.wantsJSON(name)
	table := verbs()
	i := slices.IndexFunc(table, func(v verb) bool { return v.name == name })
	if i < 0 {
		return c.noVerb(name)
	}
	v := table[i]
	if v.name == "sweep" && sweep.Plans(c.words, c.overrides) {
		plan, words, overrides, err := sweep.Parse(c.words, c.overrides)
		if err != nil {
			return c.fail(exitCall, "%w", err)
		}
		c.plan, c.words, c.overrides = &plan, words, overrides
	}
	if slices.ContainsFunc(c.words[:min(max(v.least, 1), len(c.words))], asksForHelp) {
		c.words = []string{v.name}
		return runHelp(c)
	}
	if err := v.check(c.words, c.overrides); err != nil {
		return c.fail(exitCall, "%w", err)
	}
	return v.run(c)
}

func asksForHelp(word string) bool { return word == "-h" || word == "-help" || word == "--help" }

// wantsJSON says whether the call is to be answered in JSON: by its own constant, or by that of the file.
func (c call) wantsJSON(verb string) bool {
	for _, o := range slices.Backward(c.overrides) {
		if format, ok := strings.CutPrefix(o, "VIEW.FORMAT="); ok {
			return format == "json"
		}
	}
	if hidden(verb) || verb == "new" { // they have a configuration of their own
		return false
	}
	file, err := config.Load(configFile)
	return err == nil && file.Config.View.Format == config.OutputJSON
}

func (c call) noVerb(name string) int {
	if near, ok := likeConstant(name); ok {
		return c.fail(exitCall, "%s is no constant%s; constants are written SECTION.KEY=value, in upper case, "+
			"behind a verb", name, didYouMean(near))
	}
	var names []string
	for _, v := range verbs() {
		if !hidden(v.name) {
			names = append(names, v.name)
		}
	}
	return c.fail(exitCall, "there is no verb %q; did you mean %s? finetui help lists them", printable.Line(name),
		nearest(name, names))
}

// check says what is wrong with a verb's words and constants.
func (v verb) check(words, overrides []string) error {
	for i, word := range words {
		// a prompt may hold anything that is not meant as a constant
		if v.most < 0 && i >= v.least && v.name == "infer" {
			if near, ok := likeConstant(word); !ok || !strings.EqualFold(near, strings.TrimLeft(word, "-")) {
				continue
			}
		}
		if near, ok := likeConstant(word); ok {
			return fmt.Errorf("%s is no constant%s; constants are written SECTION.KEY=value, in upper case", word,
				didYouMean(near))
		}
	}
	switch {
	case len(words) < v.least:
		return fmt.Errorf("%s says too little: call it as %s", v.name, v.usage())
	case v.most >= 0 && len(words) > v.most:
		surplus := words[v.most]
		if v.most == 0 {
			return fmt.Errorf("%s takes no words, and %q is one: call it as %s [SECTION.KEY=value …]", v.name,
				surplus, v.usage())
		}
		return fmt.Errorf("%q is a word too many: call it as %s", surplus, v.usage())
	}
	defaults, err := config.Parse(configFile, nil)
	if err == nil {
		err = defaults.Override(overrides) // whatever is in the file
	}
	if err != nil {
		return err
	}
	for _, o := range overrides {
		name, _, _ := strings.Cut(o, "=")
		section, _, _ := strings.Cut(name, ".")
		if v.sections != nil && !slices.Contains(v.sections, section) {
			return fmt.Errorf("%s does not heed %s%s", v.name, name, heeded(v.sections))
		}
	}
	return nil
}

func heeded(sections []string) string {
	if len(sections) == 0 {
		return "; it takes no constants"
	}
	return "; of the constants it heeds those of " + strings.Join(sections, " and ")
}

// likeConstant says whether a word looks like a constant that is given a value, and what it most likely means:
// "recipe.preset=nope", "epochs=3", "--view.format=json".
func likeConstant(word string) (near string, ok bool) {
	if _, err := os.Lstat(word); err == nil { // a file of such a name is one
		return "", false
	}
	m := constantLike.FindStringSubmatch(word)
	if m == nil {
		return "", false
	}
	if near = config.Nearest(m[1], m[2]); near != "" {
		near += "=" + m[2]
	}
	return near, true
}

var constantLike = regexp.MustCompile(`^-{0,2}([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_.]*)?)=([^\n]*)$`)

func didYouMean(near string) string {
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}

func runHelp(c call) int {
	table := slices.DeleteFunc(verbs(), func(v verb) bool { return hidden(v.name) && len(c.words) == 0 })
	if len(c.words) > 0 {
		i := slices.IndexFunc(table, func(v verb) bool { return v.name == c.words[0] })
		if i < 0 {
			return c.noVerb(c.words[0])
		}
		table = table[i : i+1]
	}
	type described struct {
		Name  string `json:"name"`
		Words string `json:"words,omitempty"`
		Help  string `json:"help"`
	}
	if c.json {
		out := struct {
			Schema int         `json:"schema"`
			Verbs  []described `json:"verbs"`
		}{Schema: 1}
		for _, v := range table {
			out.Verbs = append(out.Verbs, described{v.name, v.words, v.help})
		}
		return c.printJSON(out)
	}
	if len(table) == 1 {
		c.print("%s [SECTION.KEY=value …]\n    %s", table[0].usage(), table[0].help)
		return exitDone
	}
	c.print("finetui                                 opens the workbench on ./config.toml")
	c.print("finetui VERB words SECTION.KEY=value …  runs one link; a value overrides config.toml for this call")
	c.print("")
	for _, v := range table {
		c.print("  %s", v.name+" "+v.words)
		c.print("      %s", v.help)
	}
	return exitDone
}

func runVersion(c call) int {
	if c.json {
		return c.printJSON(struct {
			Schema  int    `json:"schema"`
			Version string `json:"version"`
			Go      string `json:"go"`
		}{1, version(), runtime.Version()})
	}
	c.print("finetui %s %s", version(), runtime.Version())
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
