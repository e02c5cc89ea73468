package trainerlog

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"finetui/ml/lora"
	"finetui/ml/wholefile"
)

// Checkpoint is what a trainer saved at a step.
type Checkpoint struct {
	Step    int
	Path    string // absolute: a folder, or a file of weights
	Adapter string // the folder with an adapter in PEFT's format; "": there is none
	Best    bool   // so the trainer says
}

// checkpointStep is the step in the name of a checkpoint's folder: checkpoint-500, epoch_0_step_500.
func checkpointStep(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, "checkpoint-")
	if !ok {
		if at := strings.LastIndex(name, "step_"); strings.HasPrefix(name, "epoch_") && at > 0 {
			digits, ok = name[at+len("step_"):], true
		}
	}
	step, err := strconv.Atoi(digits)
	return step, ok && err == nil && step >= 0
}

// adapterIn is the folder with an adapter: that of a checkpoint, or model in it (AutoModel). Its configuration alone is
// none: axolotl writes that before it trains.
func adapterIn(dir string) string {
	has := func(path ...string) bool {
		info, err := os.Lstat(filepath.Join(path...))
		return err == nil && info.Mode().IsRegular()
	}
	for _, at := range []string{dir, filepath.Join(dir, "model")} {
		if has(at, lora.ConfigFile) && (has(at, lora.WeightsFile) || has(at, lora.PickleFile)) {
			return at
		}
	}
	return ""
}

// checkpoints are those of a run's folder, by step.
func (p place) checkpoints() (list []Checkpoint) {
	for _, dir := range []place{p, p.below("checkpoints")} {
		for _, name := range dir.folders {
			step, ok := checkpointStep(name)
			if !ok {
				continue
			}
			path := dir.path(name)
			if inside, err := look(path); err != nil || len(inside.files)+len(inside.folders) == 0 {
				continue
			}
			list = append(list, Checkpoint{Step: step, Path: path, Adapter: adapterIn(path)})
		}
	}
	slices.SortStableFunc(list, func(a, b Checkpoint) int { return a.Step - b.Step })
	return list
}

// losses are the files that AutoModel's checkpoints in the folder tell their losses in: all that is known of a run before
// its log, whose rows it keeps until there are a hundred, or it ends.
func (p place) losses(checkpoints []Checkpoint) (files []logFile) {
	for _, c := range checkpoints {
		path := filepath.Join(c.Path, "losses.json")
		head, _ := partOf(path, false)
		if filepath.Dir(c.Path) == p.dir && bytes.Contains(head, []byte(`"train_loss"`)) {
			files = append(files, logFile{path, savedLosses})
		}
	}
	return files
}

// below is a folder in this one, empty where there is none.
func (p place) below(name string) place {
	if !slices.Contains(p.folders, name) {
		return place{}
	}
	q, err := look(p.path(name))
	if err != nil {
		return place{}
	}
	return q
}

// settleCheckpoints marks the best one, and adds what a trainer leaves at its end.
func (l *Log) settleCheckpoints() {
	if l.state != "" {
		head, _ := partOf(l.state, false)
		facts, _ := stateHead(head)
		for i := range l.checkpoints {
			l.checkpoints[i].Best = facts.best != "" && filepath.Base(l.checkpoints[i].Path) == facts.best
		}
	}
	if l.Tool == Ultralytics {
		for _, name := range []string{"last.pt", "best.pt"} {
			path := filepath.Join(l.Dir, "weights", name)
			if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
				l.checkpoints = append(l.checkpoints, Checkpoint{Step: l.weightsStep(name), Path: path,
					Best: name == "best.pt"})
			}
		}
	}
}

// weightsStep is the epoch that Ultralytics' last.pt is of; that of best.pt is not written down outside of it.
func (l *Log) weightsStep(name string) int {
	if name == "best.pt" {
		return 0
	}
	return l.Glance().Step
}

// Checkpoints are what the trainer has saved, by step.
func (l *Log) Checkpoints() []Checkpoint { return l.checkpoints }

// Adapter is the folder of the adapter to ask: the one at the run's end, else the best, else the newest; "" where the
// run has saved none in PEFT's format.
func (l *Log) Adapter() string {
	if at := adapterIn(l.Dir); at != "" {
		return at
	}
	at := ""
	for _, c := range l.checkpoints {
		if c.Adapter != "" {
			at = c.Adapter
		}
	}
	for _, c := range l.checkpoints {
		if c.Adapter != "" && c.Best {
			at = c.Adapter
		}
	}
	return at
}

// Names of trainers.
const (
	Transformers = "HF Trainer"
	LLaMAFactory = "LLaMA-Factory"
	Swift        = "ms-swift"
	TRL          = "TRL"
	Axolotl      = "axolotl"
	AutoModel    = "AutoModel"
	Ultralytics  = "Ultralytics"
	TensorBoard  = "TensorBoard"
	JSONLines    = "JSON lines"
)

// tool is which trainer wrote the folder: its own log says so, else the class of the arguments that it pickled, else
// its words in the model's card, else what it printed first.
func (l *Log) tool(p place) string {
	by := map[fileKind]string{llamaFactoryLog: LLaMAFactory, swiftLog: Swift, autoModelLog: AutoModel,
		savedLosses: AutoModel, ultralyticsTable: Ultralytics, jsonLog: JSONLines}
	for _, f := range l.files {
		if tool := by[f.kind]; tool != "" {
			return tool
		}
	}
	for _, m := range []struct{ module, tool string }{{"axolotl", Axolotl}, {"trl", TRL}, {"llamafactory", LLaMAFactory},
		{"swift", Swift}} {
		if strings.HasPrefix(l.class, m.module+".") {
			return m.tool
		}
	}
	dirs := []string{l.Dir}
	if n := len(l.checkpoints); n > 0 {
		dirs = append(dirs, l.checkpoints[n-1].Path)
	}
	for _, dir := range dirs {
		card, _ := partOf(filepath.Join(dir, "README.md"), false)
		for _, m := range []struct{ word, tool string }{{"axolotl", Axolotl}, {"llama-factory", LLaMAFactory},
			{"- trl\n", TRL}} {
			if bytes.Contains(bytes.ToLower(card), []byte(m.word)) {
				return m.tool
			}
		}
	}
	if printed, _ := partOf(l.console, false); bytes.Contains(printed, []byte("[axolotl.")) {
		return Axolotl
	}
	plain := l.state == "" && len(l.checkpoints) == 0
	if plain && len(l.files) > 0 && l.files[0].kind == eventFile && !ofTrainer(l.files[0].path) {
		return TensorBoard
	}
	return Transformers
}

// Setting is a constant of the trainer's, by the file that names it.
type Setting struct{ File, Key, Value string }

const (
	argumentsFile = "training_args.bin"
	mostSettings  = 1000
	mostSetting   = 200 // characters of a value
	settingBytes  = 4 << 20
)

// settingNames are files that hold what a trainer was told.
var settingNames = []string{"args.json", "args.yaml", "config.yaml", "config.yml", "training_args.yaml", argumentsFile,
	lora.ConfigFile, "all_results.json"}

// settingFiles are those in the folder; what it lacks may lie beside the newest checkpoint.
func (p place) settingFiles(checkpoints []Checkpoint) (found []string) {
	last := place{}
	if n := len(checkpoints); n > 0 {
		if q, err := look(checkpoints[n-1].Path); err == nil {
			last = q
		}
	}
	for _, name := range settingNames {
		if p.has(name) {
			found = append(found, p.path(name))
		} else if last.has(name) {
			found = append(found, last.path(name))
		}
	}
	return found
}

// Settings are what the trainer was told, file by file.
func (l *Log) Settings() []Setting { return l.settings }

// readSettings reads the settings where their files are other ones than before. What cannot be read is left out.
func (l *Log) readSettings() {
	for _, path := range l.named {
		l.told += fmt.Sprintln(path, modified(path))
	}
	if l.told == l.before.told {
		l.settings, l.class = l.before.settings, l.before.class
		return
	}
	var list []Setting
	for _, path := range l.named {
		name := filepath.Base(path)
		add := func(key, value string) {
			if runes := []rune(value); len(runes) > mostSetting {
				value = string(runes[:mostSetting]) + "…"
			}
			if len(list) < mostSettings && value != "" {
				list = append(list, Setting{name, key, value})
			}
		}
		if name == argumentsFile {
			arguments(path, add)
			l.class = argumentsClass(path)
			continue
		}
		data, err := wholefile.Read(path, settingBytes)
		if err != nil {
			continue
		}
		var root yaml.Node
		if yaml.Unmarshal(data, &root) == nil && len(root.Content) > 0 { // JSON is YAML, too
			flatten("", root.Content[0], 0, add)
		}
	}
	l.settings = list
}

// flatten hands on the leaves of a document, by their keys joined with dots.
func flatten(key string, n *yaml.Node, depth int, add func(key, value string)) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		add(key, n.Value)
	case n.Kind == yaml.SequenceNode:
		var parts []string
		for _, c := range n.Content[:min(len(n.Content), 32)] {
			if c.Kind == yaml.ScalarNode {
				parts = append(parts, c.Value)
			}
		}
		add(key, strings.Join(parts, ", "))
	case n.Kind == yaml.MappingNode && depth < 8:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i].Value
			if key != "" {
				name = key + "." + name
			}
			flatten(name, n.Content[i+1], depth+1, add)
		}
	}
}

// pickled is the pickle in a file of torch.save, a zip archive; nil where there is none. Nothing of it is run.
func pickled(path string) []byte {
	data, err := wholefile.Read(path, settingBytes)
	if err != nil {
		return nil
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil
	}
	for _, e := range z.File {
		if filepath.Base(e.Name) != "data.pkl" {
			continue
		}
		f, err := e.Open()
		if err != nil {
			return nil
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, settingBytes))
		if err != nil {
			return nil
		}
		return text
	}
	return nil
}

// argumentsClass is the class of the arguments that a trainer pickled: "trl.trainer.sft_config SFTConfig".
func argumentsClass(path string) string {
	text := pickled(path)
	if len(text) < 3 || text[0] != 0x80 || text[2] != 'c' { // PROTO, GLOBAL
		return ""
	}
	module, rest, _ := bytes.Cut(text[3:min(len(text), 512)], []byte{'\n'})
	class, _, ok := bytes.Cut(rest, []byte{'\n'})
	if !ok {
		return ""
	}
	return string(module) + " " + string(class)
}

// arguments hands on those of a trainer's pickled arguments that are plain values: a text as the key, then a number, a
// text, a truth or a choice. It walks over the pickle's words and makes no object.
func arguments(path string, add func(key, value string)) {
	w := words{rest: pickled(path), memo: map[int]string{}}
	for w.next() {
	}
	for _, s := range w.found {
		add(s.Key, s.Value)
	}
}

// words are a pickle as far as it is walked over.
type words struct {
	rest  []byte
	found []Setting
	key   string
	depth int            // of what is in it: 1 is the dictionary of arguments
	last  string         // what the next word may give a number to: a text, or a choice by its text
	told  string         // the text that a choice may be made of
	memo  map[int]string // what is named again by its number
}

func (w *words) set(value string) {
	if w.key != "" && w.depth == 1 && len(w.found) < mostSettings {
		w.found = append(w.found, Setting{Key: w.key, Value: value})
	}
	w.key = ""
}

func (w *words) text(s string) {
	w.last, w.told = s, s
	if w.key == "" {
		w.key = s
	} else {
		w.set(s)
	}
}

// take is what belongs to a word; nil where the pickle ends.
func (w *words) take(n int) []byte {
	if n < 0 || n > len(w.rest) {
		w.rest = nil
		return nil
	}
	part := w.rest[:n]
	w.rest = w.rest[n:]
	return part
}

// next walks over one word; false at the end, and at one that no arguments have.
func (w *words) next() bool {
	op := w.take(1)
	if op == nil {
		return false
	}
	number := func(n int, value func([]byte) string) bool {
		b := w.take(n)
		if b != nil {
			w.set(value(b))
		}
		return b != nil
	}
	put := func(n int) (int, bool) {
		b := append(slices.Clone(w.take(n)), 0, 0, 0)
		return int(binary.LittleEndian.Uint32(b[:4])), len(b) == n+3
	}
	switch op[0] {
	case 'X': // BINUNICODE
		size := w.take(4)
		if size == nil {
			return false
		}
		text := w.take(int(binary.LittleEndian.Uint32(size)))
		if text == nil {
			return false
		}
		w.text(string(text))
		return true
	case 'c': // GLOBAL: the class of a choice, whose text follows
		for range 2 {
			end := bytes.IndexByte(w.rest, '\n')
			if w.take(end+1) == nil || end < 0 {
				return false
			}
		}
		w.last, w.told = "", ""
		return true
	case 'K':
		return number(1, func(b []byte) string { return strconv.Itoa(int(b[0])) })
	case 'M':
		return number(2, func(b []byte) string { return strconv.Itoa(int(binary.LittleEndian.Uint16(b))) })
	case 'J':
		return number(4, func(b []byte) string { return strconv.Itoa(int(int32(binary.LittleEndian.Uint32(b)))) })
	case 'G':
		return number(8, func(b []byte) string { return fmt.Sprint(math.Float64frombits(binary.BigEndian.Uint64(b))) })
	case 0x88:
		w.set("true")
	case 0x89:
		w.set("false")
	case 'q', 'r': // BINPUT, LONG_BINPUT
		at, ok := put(map[byte]int{'q': 1, 'r': 4}[op[0]])
		if ok && w.last != "" && len(w.memo) < mostSettings*4 {
			w.memo[at] = w.last
		}
		w.last = ""
		return ok
	case 'h', 'j': // BINGET, LONG_BINGET
		at, ok := put(map[byte]int{'h': 1, 'j': 4}[op[0]])
		if text := w.memo[at]; ok && text != "" {
			w.text(text)
			w.last = ""
		}
		return ok
	case 0x80: // PROTO
		return w.take(1) != nil
	case '(':
		w.depth++
		w.key = ""
	case 'e', 'u', 't', 'l', 'd':
		w.depth--
		w.key = ""
	case 's': // one item of another dictionary
		if n := len(w.found); n > 0 && w.depth == 1 {
			w.found = w.found[:n-1]
		}
		w.key = ""
	case 'R': // REDUCE: the choice is made
		w.last, w.told, w.key = w.told, "", ""
	case 'N', '}', ']', ')', 'a', 0x81, 'b':
		if w.last, w.told = "", ""; op[0] != ')' {
			w.key = ""
		}
	case 0x85, 0x86, 0x87: // tuples
	default:
		return false
	}
	return true
}

// Base is the model that was trained, as far as the settings name it; "" else.
func (l *Log) Base() string {
	keys := []string{"base_model_name_or_path", "model.pretrained_model_name_or_path", "model_name_or_path", "model",
		"base_model", "model_id_or_path"}
	settings := l.Settings()
	for _, key := range keys {
		for _, s := range settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}
