package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// faults are what can stand in the place of a file. As root nothing
// is unreadable: folder, dangling and pipe stand for it.
var faults = map[string]func(path string, was []byte) error{
	"missing": func(string, []byte) error { return nil },
	"empty":   func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o644) },
	"garbage": func(path string, _ []byte) error {
		return os.WriteFile(path, []byte("\x00\xff\x13 garbage ]}{\x1b[31m\n"), 0o644)
	},
	"folder":   func(path string, _ []byte) error { return os.Mkdir(path, 0o755) },
	"dangling": func(path string, _ []byte) error { return os.Symlink("nowhere", path) },
	"pipe":     func(path string, _ []byte) error { return syscall.Mkfifo(path, 0o644) },
	"list":     func(path string, _ []byte) error { return os.WriteFile(path, []byte("[1, 2]\n"), 0o644) },
	"cut": func(path string, was []byte) error {
		return os.WriteFile(path, was[:len(was)/2], 0o644)
	},
}

// faultRow is how verbs must answer where something is wrong with a file that they read.
type faultRow struct {
	path   string
	faults string // names of faults; "*": all others of the table for this path
	code   int
	says   string // in what is printed; empty: the file's name
	calls  []string
}

const (
	few    = " EVAL.MAX_NEW_TOKENS=2"
	object = "infer base test/slope_0001#0 INFER.MAX_NEW_TOKENS=2"
	latest = "runs/0001-x/checkpoints/latest/"
)

var (
	allVerbs = []string{"analyze", "lint", "convert", "train", "runs", "stop 1", "resume 1", "follow 1", "eval base",
		"compare base 1", "integrate base", object, "export base out", "export adapter 1 out"}
	readData    = []string{"analyze", "lint", "convert", "train", "eval base", "integrate base", object}
	readRun     = []string{"runs 1", "stop 1", "resume 1", "follow 1", "eval 1", "compare 1 1", "export adapter 1 out"}
	readAnswers = []string{"eval 1" + few, "infer 1 - hello INFER.MAX_NEW_TOKENS=2", "export merged 1 out"}
	readAdapter = []string{"eval adapter", "infer adapter - hello", "integrate adapter", "export merged adapter out",
		"export adapter adapter out"}
	readBase = []string{"lint", "train", "eval base", "infer base - hello INFER.MAX_NEW_TOKENS=2", "export base out",
		"export merged 1 out"}
)

var faultRows = []faultRow{
	{"config.toml", "missing dangling", exitCall, "there is no config.toml here", allVerbs},
	{"config.toml", "garbage folder pipe list", exitCall, "", append([]string{"doctor"}, allVerbs...)},
	{"data", "missing dangling", exitCall, "there is no file or folder", readData},
	{"data", "*", exitCall, "holds no data set of a known format", readData},
	{"data/data.yaml", "missing folder pipe empty dangling", exitFindings, "names is missing", []string{"analyze",
		"lint"}},
	{"data/data.yaml", "*", exitFailed, "", readData},
	{"data/train/labels/slope_0001.txt", "missing dangling empty cut", exitDone, "", []string{"analyze", "lint"}},
	{"data/train/labels/slope_0001.txt", "*", exitFindings, "", []string{"analyze", "lint"}},
	{"data/train/images/slope_0001.jpg", "missing folder", exitFindings, "slope_0001.txt", []string{"analyze", "lint"}},
	{"data/train/images/slope_0001.jpg", "*", exitFindings, "", []string{"analyze", "lint", "convert"}},
	{"data/test/images/slope_0001.jpg", "missing dangling", exitCall, "",
		[]string{"infer base data/test/images/slope_0001.jpg"}},
	{"data/test/images/slope_0001.jpg", "folder", exitCall, "name a picture or a clip in it",
		[]string{"infer base data/test/images/slope_0001.jpg"}},
	{"data/test/images/slope_0001.jpg", "*", exitFailed, "", []string{"infer base data/test/images/slope_0001.jpg"}},
	{"runs", "missing folder dangling", exitCall, "holds no runs yet", []string{"runs 1", "stop 1", "eval 1",
		"export merged 1 out"}},
	{"runs", "*", exitCall, "", []string{"runs 1", "stop 1", "eval 1", "compare base 1", "export merged 1 out"}},
	{"runs", "empty garbage pipe list", exitFailed, "", []string{"runs", "train"}},
	{"runs/0001-x/run.json", "missing dangling", exitCall, "", readRun},
	{"runs/0001-x/run.json", "*", exitFailed, "", readRun},
	{"runs/0001-x/run.json", "*", exitDone, "unreadable", []string{"runs"}},
	{"runs/0001-x/config.toml", "missing dangling empty garbage folder pipe list", exitFailed, "",
		[]string{"resume 1", "eval 1", "integrate 1", "export merged 1 out", "export adapter 1 out"}},
	{"runs/0001-x/metrics.jsonl", "missing dangling empty garbage list cut", exitDone, "", []string{"follow 1",
		"runs 1"}},
	{"runs/0001-x/metrics.jsonl", "folder pipe", exitFailed, "", []string{"follow 1"}},
	{"runs/0001-x/eval/test.json", "missing dangling", exitCall, "finetui eval 0001-x", []string{"compare base 1"}},
	{"runs/0001-x/eval/test.json", "*", exitFailed, "", []string{"compare base 1"}},
	{"runs/0001-x/checkpoints", "missing dangling folder", exitCall, "no checkpoint", readAnswers},
	{"runs/0001-x/checkpoints", "*", exitCall, "", readAnswers},
	{latest + "adapter_config.json", "*", exitDone, "The checkpoint of step 2 is used instead", readAnswers},
	{latest + "adapter_model.safetensors", "*", exitDone, "The checkpoint of step 2 is used instead", readAnswers},
	{"adapter/adapter_config.json", "missing dangling", exitCall, `no run "adapter"`, readAdapter},
	{"adapter/adapter_config.json", "*", exitFailed, "", readAdapter},
	{"adapter/adapter_model.safetensors", "missing dangling", exitCall, "", readAdapter},
	{"adapter/adapter_model.safetensors", "*", exitFailed, "", readAdapter},
	{"base", "*", exitCall, "", readBase},
	{"base/config.json", "missing dangling", exitCall, "", readBase},
	{"base/config.json", "*", exitFailed, "", readBase},
	{"base/tokenizer.json", "missing dangling", exitCall, "", readBase},
	{"base/tokenizer.json", "*", exitFailed, "", readBase},
	{"base/model.safetensors", "missing dangling", exitCall, "", readBase},
	{"base/model.safetensors", "*", exitFailed, "", readBase},
	{"base/preprocessor_config.json", "empty garbage folder pipe list cut", exitFailed, "", readBase},
	{"base/generation_config.json", "empty garbage folder pipe list cut", exitFailed, "", readBase},
	{"found", "*", exitCall, "", []string{"integrate base EVAL.DETECTIONS=found" + few}},
	{"found/slope_0001.txt", "empty missing dangling", exitDone, "", []string{"integrate base EVAL.DETECTIONS=found" +
		few}},
	{"found/slope_0001.txt", "garbage list", exitFindings, "", []string{"integrate base EVAL.DETECTIONS=found" + few}},
	{"found/slope_0001.txt", "folder pipe", exitFailed, "", []string{"integrate base EVAL.DETECTIONS=found" + few}},
}

// inFullProject moves the test into a small project with a base of its own, a run, an adapter's folder, evaluations of
// both and predictions of stage 1.
func inFullProject(t *testing.T) {
	t.Helper()
	inSmallProject(t)
	must := func(words ...string) {
		t.Helper()
		if code, out, errs := program(t, words...); code != exitDone {
			t.Fatalf("%v: code %d\n%s%s", words, code, out, errs)
		}
	}
	must("export", "base", "base")
	setConstants(t, "MODEL.BASE=base")
	must("train", "x", "TRAIN.EPOCHS=1", "TRAIN.SAVE_EVERY=2", "TRAIN.BATCH_SIZE=4", "TRAIN.EVAL_EVERY=4")
	if state := settle(t); state != "done" {
		t.Fatalf("the run is %s", state)
	}
	must("export", "adapter", "1", "adapter")
	must("eval", "base", "EVAL.MAX_NEW_TOKENS=2")
	must("eval", "1", "EVAL.MAX_NEW_TOKENS=2")
	if err := os.Mkdir("found", 0o755); err != nil {
		t.Fatal(err)
	}
	labels, _ := filepath.Glob("data/test/labels/*.txt")
	for _, label := range labels {
		rows, err := os.ReadFile(label)
		if err == nil {
			rows = []byte(strings.ReplaceAll(strings.TrimSpace(string(rows)), "\n", " 0.9\n") + " 0.9\n")
			err = os.WriteFile(filepath.Join("found", filepath.Base(label)), rows, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// goSpeech is what the language and the system say, and nobody should read.
var goSpeech = regexp.MustCompile(`(?m)no such file|is a directory|not a directory|(^|[^.\w])(json|yaml|toml): |` +
	`invalid character|unexpected end|unexpected EOF|goroutine \d|panic|runtime error|strconv\.|%!\w|<nil>|` +
	`(^|: )(open|openat|stat|lstat|read|mkdir|rename|unlink|readlink) [^ \n]+: |of Go `)

// inputs are the bytes of all files that no verb may change.
func inputs(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, root := range []string{configFile, "data", "base", "adapter", "found", "runs/0001-x"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || strings.HasPrefix(path, "runs/0001-x/eval") || strings.Contains(path, "/control") {
				return nil
			}
			found[path] = e.Type().String()
			if e.Type().IsRegular() {
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				found[path] += string(text)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// answered runs a call, in a process of its own where it keeps what it once read.
func answered(t *testing.T, words string) (code int, said string) {
	t.Helper()
	type answer struct {
		code        int
		out, errors string
	}
	came := make(chan answer, 1)
	go func() {
		run := verbAnswer
		if verb, _, _ := strings.Cut(words, " "); strings.Contains("eval integrate infer compare", verb) {
			run = program
		}
		code, out, errs := run(t, strings.Fields(words)...)
		came <- answer{code, out, errs}
	}()
	select {
	case a := <-came:
		if a.code != exitDone && strings.TrimSpace(a.out+a.errors) == "" {
			t.Errorf("%s: code %d, and nothing is said", words, a.code)
		}
		return a.code, a.out + a.errors
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s does not come to an end", words)
		return
	}
}

// TestVerbsSayWhatIsWrongWithAFile holds every verb against every fault of every file that it reads.
func TestVerbsSayWhatIsWrongWithAFile(t *testing.T) {
	inFullProject(t)
	named := map[string]string{}
	for _, row := range faultRows {
		if row.faults != "*" {
			named[row.path] += " " + row.faults
		}
	}
	for _, row := range faultRows {
		was, _ := os.ReadFile(row.path)
		for name, fault := range faults {
			mine := strings.Contains(" "+row.faults+" ", " "+name+" ")
			if row.faults == "*" {
				mine = !strings.Contains(named[row.path]+" ", " "+name+" ") && (name != "cut" || len(was) > 0)
			}
			if !mine {
				continue
			}
			t.Run(fmt.Sprintf("%s %s", row.path, name), func(t *testing.T) {
				away := filepath.Join(t.TempDir(), "away")
				if err := os.Rename(row.path, away); err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := os.RemoveAll(row.path); err != nil {
						t.Fatal(err)
					}
					if err := os.Rename(away, row.path); err != nil {
						t.Fatal(err)
					}
				}()
				if err := fault(row.path, was); err != nil {
					t.Fatal(err)
				}
				before := inputs(t)
				for _, call := range row.calls {
					checkFault(t, row, call, before)
				}
			})
		}
	}
}

// checkFault holds one call against its row.
func checkFault(t *testing.T, row faultRow, call string, before map[string]string) {
	t.Helper()
	code, said := answered(t, call)
	says := row.says
	if says == "" && code != exitDone {
		says = filepath.Base(row.path)
	}
	if code != row.code || !strings.Contains(said, says) {
		t.Errorf("%s: code %d, want %d and %q\n%.900s", call, code, row.code, says, said)
	}
	if speech := goSpeech.FindString(said); speech != "" || len(rawSigns(said)) > 0 {
		t.Errorf("%s says %q:\n%.900s", call, speech, said)
	}
	if _, err := os.Lstat("out"); err == nil {
		if code != exitDone {
			t.Errorf("%s left a folder behind", call)
		}
		if err := os.RemoveAll("out"); err != nil {
			t.Fatal(err)
		}
	}
	after := inputs(t)
	for path, content := range before {
		if after[path] != content {
			t.Errorf("%s changed %s", call, path)
		}
	}
	for path := range after {
		if _, there := before[path]; !there {
			t.Errorf("%s left %s", call, path)
		}
	}
}
