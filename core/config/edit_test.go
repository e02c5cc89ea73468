package config

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = `# my project
[TRAIN] # the run
# passes
EPOCHS   =  6   # six
LEARNING_RATE=2e-4

# --- adapters
[LORA]
TARGETS = [
  "q_proj", # query
  "v_proj",
]
`

func load(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("config.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSetChangesOnlyTheValue(t *testing.T) {
	cases := []struct{ name, key, text, from, to string }{
		{"number keeps its spelling", "TRAIN.LEARNING_RATE", "1e-3", "2e-4", "1e-3"},
		{"number TOML does not know", "TRAIN.LEARNING_RATE", ".5", "2e-4", "0.5"},
		{"comment stays", "TRAIN.EPOCHS", " 12 ", "  6   # six", "  12   # six"},
		{"same value keeps the file's spelling", "TRAIN.LEARNING_RATE", "0.0002", "", ""},
		{"list", "LORA.TARGETS", "o_proj, k_proj", "[\n  \"q_proj\", # query\n  \"v_proj\",\n]",
			`["o_proj", "k_proj"]`},
		{"list as TOML", "LORA.TARGETS", `[ 'o_proj' ]`, "[\n  \"q_proj\", # query\n  \"v_proj\",\n]", `["o_proj"]`},
		{"missing constant", "TRAIN.SCHEDULE", "cosine", "LEARNING_RATE=2e-4\n",
			"LEARNING_RATE=2e-4\n# of the learning rate after warm-up [linear | cosine | constant]\nSCHEDULE = " +
				"\"cosine\"\n"},
		{"missing section", "KEYS.quit", "ctrl+q", "  \"v_proj\",\n]\n",
			"  \"v_proj\",\n]\n\n[KEYS]\nquit = \"ctrl+q\"\n"},
		{"text that looks like TOML", "PROJECT.NAME", "a\"\nb = 1 # [X]\\", "  \"v_proj\",\n]\n",
			"  \"v_proj\",\n]\n\n[PROJECT]\n# name shown in the title line\nNAME = \"a\\\"\\nb = 1 # [X]\\\\\"\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := load(t, sample)
			if err := f.Set(c.key, c.text); err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(sample, c.from, c.to, 1); string(f.Raw()) != want {
				t.Errorf("got\n%s\nwant\n%s", f.Raw(), want)
			}
			if f.Changed(); f.Undo() == (c.from == "") {
				t.Error("undo")
			}
			if string(f.Raw()) != sample {
				t.Error("undo left a trace")
			}
		})
	}
}

func TestSetRefusesAndLeavesTheFileAlone(t *testing.T) {
	cases := []struct{ key, text, want string }{
		{"TRAIN.EPOCHS", "many", `TRAIN.EPOCHS: "many" is not a whole number`},
		{"TRAIN.EPOCHS", "3.5", "takes a whole number, not 3.5"},
		{"TRAIN.EPOCHS", ".5", "not a whole number"},
		{"TRAIN.EPOCHS", "3 # x\nKEEP = 1", "is not a whole number"},
		{"TRAIN.EPOCHS", "", "is not a whole number"},
		{"TRAIN.LEARNING_RATE", "1e999", "not a number"},
		{"TRAIN.LEARNING_RATE", "nan", "finite"},
		{"TRAIN.FOLLOW", "yes", "not true or false"},
		{"TRAIN.SCHEDULE", "line", "did you mean linear?"},
		{"LORA.TARGETS", "[\"q_proj\"", "is not a list"},
		{"LORA.TARGETS", "[1]", "and 1 is in it"},
		{"PROJECT.NAME", "\xff", "UTF-8"},
		{"TRAIN.EPOCH", "3", "did you mean EPOCHS?"},
		{"TRIAN.EPOCHS", "3", "did you mean TRAIN.EPOCHS?"},
		{"EPOCHS", "3", "did you mean TRAIN.EPOCHS?"},
		{"TRAIN", "3", "TRAIN is a section"},
		{"LORA.LERNING_RATE", "3", "did you mean TRAIN.LEARNING_RATE?"},
		{"QQQQQQ.X", "3", "there are PROJECT, DATASET"},
		{"KEYS.", "3", "section"},
		{"", "3", "unknown"},
	}
	for _, c := range cases {
		f := load(t, sample)
		err := f.Set(c.key, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: %v, want %s", c.key, c.text, err, c.want)
		}
		if string(f.Raw()) != sample || f.Undo() {
			t.Errorf("%s=%s changed the file", c.key, c.text)
		}
	}
}

func TestApplyIsAllOrNothingAndOneUndo(t *testing.T) {
	f := load(t, sample)
	before := f.Config
	if err := f.Override([]string{"TRAIN.EPOCHS=2", "MODEL.BASE=tiny", "TRAIN.KEP=1"}); err == nil ||
		string(f.Raw()) != sample || f.Config != before {
		t.Fatalf("half applied: %v", err)
	}
	if err := f.Override([]string{"TRAIN.EPOCHS=2", "INFER.PROMPT=a = b, \"c\""}); err != nil {
		t.Fatal(err)
	}
	if f.Config.Train.Epochs != 2 || f.Config.Infer.Prompt != `a = b, "c"` || before.Train.Epochs != 6 {
		t.Errorf("%+v %+v", f.Config.Train, f.Config.Infer)
	}
	if !f.Undo() || string(f.Raw()) != sample || f.Undo() {
		t.Error("not one step")
	}
	if err := f.Override([]string{"now"}); err == nil {
		t.Error("a word without = was taken")
	}
}

func TestPresetAppliesAsChanges(t *testing.T) {
	f := load(t, sample)
	p, err := Preset("drains")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(Diff(f.Config, p.Config)); err != nil {
		t.Fatal(err)
	}
	if d := Diff(f.Config, p.Config); len(d) > 0 {
		t.Error(d)
	}
	if !strings.Contains(string(f.Raw()), "# passes\nEPOCHS   =  3   # six\n") {
		t.Errorf("comments were lost:\n%s", f.Raw())
	}
}

// TestRandomEditsTouchNothingElse edits constants at random in files of random layout, and compares the file with its
// value spans cut out before and after.
func TestRandomEditsTouchNothingElse(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		f := load(t, randomFile(rng))
		for range 10 {
			field := schema().fields[rng.IntN(len(schema().fields))]
			text := randomValue(rng, field)
			old, oldConfig, present := f.raw, f.Config, f.Has(field.Name())
			want, _, err := parseValue(field, text)
			if err != nil {
				t.Fatalf("%s = %q: %v", field.Name(), text, err)
			}
			if err := f.Set(field.Name(), text); err != nil {
				t.Fatalf("round %d: %s = %q: %v\n%s", round, field.Name(), text, err, f.raw)
			}
			for _, d := range Diff(oldConfig, f.Config) {
				if d.Key != field.Name() {
					t.Fatalf("round %d: setting %s changed %s\n%s", round, field.Name(), d.Key, f.raw)
				}
			}
			if got := valueOf(f.Config, field); !equalValues(got, want) {
				t.Fatalf("round %d: %s is %v, want %v", round, field.Name(), got, want)
			}
			again := load(t, string(f.raw))
			if d := Diff(f.Config, again.Config); len(d) > 0 {
				t.Fatalf("round %d: read again it is different: %v", round, d)
			}
			if present {
				if a, b := withoutValue(old, field), withoutValue(f.raw, field); a != b {
					t.Fatalf("round %d: %s: other bytes changed\n%s\n---\n%s", round, field.Name(), old, f.raw)
				}
			} else if !isInsertion(string(old), string(f.raw)) {
				t.Fatalf("round %d: %s: not a pure insertion\n%s\n---\n%s", round, field.Name(), old, f.raw)
			}
		}
	}
}

func withoutValue(raw []byte, f Field) string {
	l, _ := scan(raw)
	e, _ := l.find(f.Section, f.Key)
	return string(raw[:e.value]) + "\x00" + string(raw[e.end:])
}

func isInsertion(old, edited string) bool {
	i := 0
	for i < len(old) && i < len(edited) && old[i] == edited[i] {
		i++
	}
	return strings.HasSuffix(edited, old[i:])
}

func pick(rng *rand.Rand, from ...string) string { return from[rng.IntN(len(from))] }

func randomText(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(12) {
		b.WriteString(pick(rng, "a", "Z", " ", "\"", "'", "\\", "#", "=", "[", "]", "{", "\n", "\t", "é", "\"\"\"",
			"'''", ",", "0", "\r", "\x7f", "\x01"))
	}
	return b.String()
}

func randomValue(rng *rand.Rand, f Field) string {
	switch {
	case f.Kind == Switch:
		return pick(rng, "true", "false")
	case f.Kind == Integer:
		return fmt.Sprint(int(f.Min) + rng.IntN(9))
	case f.Kind == Number:
		low, high := f.Min, f.Max
		if high > 1000 {
			high = low + 10
		}
		return fmt.Sprintf(pick(rng, "%g", "%e", "%f"), low+rng.Float64()*(high-low)*0.99)
	case f.Kind == List && f.Choices != nil:
		return pick(rng, f.Choices...) + "," + pick(rng, f.Choices...)
	case f.Kind == List:
		return "[" + quote(randomText(rng)) + ", " + quote(randomText(rng)) + "]"
	case f.Choices != nil:
		return pick(rng, f.Choices...)
	}
	return randomText(rng)
}

// randomFile writes some constants in random order and layout: spaces,
// comments, CRLF, dotted, literal and multi-line text.
func randomFile(rng *rand.Rand) string {
	eol := pick(rng, "\n", "\r\n")
	var b strings.Builder
	b.WriteString(pick(rng, "", "", "\xef\xbb\xbf") + pick(rng, "", "# head"+eol, eol))
	sections := Sections()
	rng.Shuffle(len(sections), func(i, j int) { sections[i], sections[j] = sections[j], sections[i] })
	for i, s := range sections {
		dotted := i == 0 && s.Name != keysSection && rng.IntN(2) == 0
		if !dotted && rng.IntN(4) == 0 {
			continue
		}
		if !dotted {
			b.WriteString(pick(rng, "", "\t", "  ") + "[" + pick(rng, s.Name, " "+s.Name+" ", "\""+s.Name+"\"") + "]" +
				pick(rng, "", " # [X] = \"") + eol)
		}
		for _, f := range Fields() {
			if f.Section != s.Name || rng.IntN(3) == 0 {
				continue
			}
			_, source, _ := parseValue(f, randomValue(rng, f))
			if f.Choices != nil && f.Kind == Text && rng.IntN(3) == 0 {
				source = pick(rng, "'", "'''", "\"\"\"")
				source += strings.Trim(formatValue(f.Choices[0]), "\"") + source
			} else if f.Kind == List && rng.IntN(2) == 0 {
				source = strings.Replace(source, "[", "[ # ] '"+eol+"\t", 1)
			} else if f.Kind == Path || f.Kind == Text && f.Choices == nil && rng.IntN(2) == 0 {
				source = "\"\"\"" + eol + "a # \\\" ''' \"\" [b]" + eol + "\"" + "\"\"\""
			}
			name := f.Key
			if dotted {
				name = f.Section + pick(rng, ".", " . ") + f.Key
			}
			b.WriteString(pick(rng, "", "# c = 1"+eol, eol, " ") + name + pick(rng, "=", " = ", "\t=  ") + source +
				pick(rng, "", " # [X] = '", "  ") + eol)
		}
	}
	return strings.TrimSuffix(b.String(), pick(rng, "", eol))
}

func TestSaveIsAtomicAndSeesOtherWriters(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.toml")
	if err := os.Symlink("config.toml", link); err != nil {
		t.Fatal(err)
	}
	f, err := Load(link)
	if err != nil {
		t.Fatal(err)
	}
	if f.Changed() {
		t.Error("changed right after loading")
	}
	if err := f.Set("TRAIN.EPOCHS", "7"); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	if f.Changed() {
		t.Error("changed right after saving")
	}
	if info, _ := os.Lstat(link); info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Error("the mode was lost")
	}
	if err := os.WriteFile(path, []byte("# theirs\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); !errors.Is(err, ErrChangedOnDisk) {
		t.Errorf("overwrote somebody's change: %v", err)
	}
	if err := f.Writing().SaveOver(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != string(f.Raw()) {
		t.Error("not written")
	}
	os.Remove(path)
	if err := f.Save(); !errors.Is(err, ErrChangedOnDisk) {
		t.Errorf("removed file: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestPresetDoesNotOverwriteAProject(t *testing.T) {
	p, err := Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	p.Path = filepath.Join(t.TempDir(), "config.toml")
	if err := p.Save(); err != nil {
		t.Fatal(err)
	}
	again, _ := Preset("demo")
	again.Path = p.Path
	if err := again.Save(); !errors.Is(err, ErrChangedOnDisk) {
		t.Errorf("overwrote: %v", err)
	}
}
