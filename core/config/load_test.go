package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFaultsNamePlaceAndNearestName(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"syntax", "[TRAIN]\nEPOCHS = = 3\n", "c.toml:2:10: "},
		{"syntax after a byte-order mark", "\xef\xbb\xbf[TRAIN]\nEPOCHS = = 3\n", "c.toml:2:10: "},
		{"unclosed string", "[TRAIN]\nSCHEDULE = \"linear\n", "c.toml:2:"},
		{"unknown constant", "[TRAIN]\n# x\n  EPOCH = 3\n",
			"c.toml:3:3: TRAIN has no constant EPOCH; did you mean EPOCHS?"},
		{"lower case", "[TRAIN]\nepochs = 3\n", "c.toml:2:1: TRAIN has no constant epochs; did you mean EPOCHS?"},
		{"another section's constant", "[TRAIN]\nDROPOUT = 0.1\n",
			"TRAIN has no constant DROPOUT; DROPOUT belongs to LORA"},
		{"unknown section", "\n[TRIAN]\nEPOCHS = 3\n", "c.toml:2:1: unknown section TRIAN; did you mean TRAIN?"},
		{"constant above every section", "EPOCHS = 3\n",
			"c.toml:1:1: EPOCHS stands above every section; write it below [TRAIN]"},
		{"choice", "[TRAIN]\nSCHEDULE = \"cosin\"\n",
			`c.toml:2:12: TRAIN.SCHEDULE "cosin" is none of linear, cosine, constant; did you mean cosine?`},
		{"choice in a list", "[LORA]\nTARGETS = [\"q_proj\", \"v_porj\"]\n", `"v_porj" is none of`},
		{"type", "[TRAIN]\nEPOCHS = 3.5\n", "c.toml:2:10: TRAIN.EPOCHS takes a whole number, not 3.5"},
		{"text for a number", "[TRAIN]\nLEARNING_RATE = \"2e-4\"\n",
			`TRAIN.LEARNING_RATE takes a number, not the text "2e-4"`},
		{"too large", "[LORA]\nDROPOUT = 1.5\n", "LORA.DROPOUT 1.5 is too large: at most 0.95"},
		{"too small", "[MODEL]\nMIN_PIXELS = 1\n", "MODEL.MIN_PIXELS 1 is too small: at least 784 pixels"},
		{"not a number", "[TRAIN]\nLEARNING_RATE = nan\n", "is not a finite number"},
		{"infinite", "[LORA]\nALPHA = inf\n", "is not a finite number"},
		{"inline table", "TRAIN = { EPOCHS = 3 }\n", "c.toml:1:1: TRAIN is written as an inline table; write [TRAIN]"},
		{"list of tables", "[[TRAIN]]\nEPOCHS = 3\n", "c.toml:1:1: [[TRAIN]] is a list of tables"},
		{"table in a section", "[TRAIN.MORE]\nEPOCHS = 3\n", "[TRAIN.MORE] is a table in a section"},
		{"dots in a section", "[TRAIN]\nEPOCHS.N = 3\n", "TRAIN.EPOCHS.N has too many dots"},
		{"date", "[PROJECT]\nNAME = 2024-01-01 10:00:00 # x\n", "PROJECT.NAME takes text, not a date"},
		{"twice", "[TRAIN]\nEPOCHS = 3\nEPOCHS = 4\n", "c.toml:3:"},
		{"UTF-16", "\xff\xfe[\x00T\x00", "c.toml"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("c.toml", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestEveryFaultIsReportedAtOnceInOrder(t *testing.T) {
	_, err := Parse("c.toml", []byte("[TRAIN]\nEPOCH = 3\nSCHEDULE = 1\n[NOPE]\nA = 1\n[LORA]\nR = 0\n"))
	var all Errors
	if !errors.As(err, &all) || len(all) != 4 {
		t.Fatalf("got %v", err)
	}
	for i, line := range []int{2, 3, 4, 7} {
		if all[i].Line != line {
			t.Errorf("fault %d in line %d, want %d: %v", i, all[i].Line, line, all[i])
		}
	}
}

func TestLeftOutConstantsHaveDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "[TRAIN]\n", "\xef\xbb\xbf"} {
		f, err := Parse("c.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if d := Diff(Default(), f.Config); len(d) > 0 {
			t.Errorf("%q differs from the defaults: %v", text, d)
		}
	}
}

func TestAllSpellingsOfTOMLAreRead(t *testing.T) {
	text := "TRAIN.EPOCHS = 9 # dotted\r\n[ \"LORA\" ]\r\n'R'=1_6\r\nTARGETS = [ # list\r\n  'q_proj', # ]\r\n  " +
		"\"v_proj\",\r\n]\r\n" +
		"[INFER]\r\nPROMPT = \"\"\"\\\r\n  a \"# [x]\" = \\\"\"\"\"\"\r\n[CONVERT]\r\nSYSTEM_PROMPT = '''it''s " +
		"\\ '''\r\n[KEYS]\r\n\"train.stop\" = \"x\""
	f, err := Parse("c.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c := f.Config
	if c.Train.Epochs != 9 || c.LoRA.R != 16 || strings.Join(c.LoRA.Targets, " ") != "q_proj v_proj" ||
		c.Keys["train.stop"] != "x" {
		t.Errorf("read %+v %+v %+v", c.Train, c.LoRA, c.Keys)
	}
	if c.Infer.Prompt != `a "# [x]" = ""` || c.Convert.SystemPrompt != `it''s \ ` {
		t.Errorf("texts %q %q", c.Infer.Prompt, c.Convert.SystemPrompt)
	}
	for _, change := range []Change{{"TRAIN.EPOCHS", "", "3"}, {"LORA.R", "", "8"}, {"LORA.TARGETS", "", "k_proj"},
		{"INFER.PROMPT", "", "b"},
		{"KEYS.train.stop", "", "ctrl+x"}, {"TRAIN.KEEP", "", "2"}, {"KEYS.zoom", "", "+"}} {
		if err := f.Set(change.Key, change.New); err != nil {
			t.Fatal(err)
		}
	}
	want := "TRAIN.EPOCHS = 3 # dotted\r\n# checkpoints kept, beside best and latest [at least 1]\r\nTRAIN.KEEP = " +
		"2\r\n[ \"LORA\" ]\r\n'R'=8\r\nTARGETS = [\"k_proj\"]\r\n" +
		"[INFER]\r\nPROMPT = \"b\"\r\n[CONVERT]\r\nSYSTEM_PROMPT = '''it''s \\ '''\r\n[KEYS]\r\n\"train.stop\" = " +
		"\"ctrl+x\"\r\nzoom = \"+\"\r\n"
	if got := string(f.Raw()); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestMissingFileSaysHowToStart(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "config.toml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "finetui new demo") {
		t.Error(err)
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a folder was loaded")
	}
}

func TestPathsStartFromTheFileItself(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte("[DATASET]\nPATH = \"d\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Abs(f.Config.Dataset.Path); got != filepath.Join(dir, "d") || f.Abs("") != "" || f.Abs("/x") != "/x" {
		t.Error(got)
	}
}

func TestCommentIsTheFilesOwn(t *testing.T) {
	f, err := Parse("c.toml", []byte("# head\n\n[TRAIN]\n# how often\n#   we look\nEPOCHS = 3\nKEEP = 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"TRAIN.EPOCHS":     "how often we look",
		"TRAIN.KEEP":       "checkpoints kept, beside best and latest [at least 1]",
		"TRAIN.BATCH_SIZE": "samples at once [at least 1]",
		"TRAIN.NOPE":       "",
	} {
		if got := f.Comment(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, p := range Presets() {
		file, err := Preset(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file.Raw())
	}
	f.Add([]byte("TRAIN.EPOCHS = 3\n[LORA]\nTARGETS = ['q_proj', #]\n]\n[KEYS]\n\"a.b\" = '''x''''"))
	f.Add([]byte("\xef\xbb\xbf[INFER]\r\nPROMPT = \"\"\"a\\\"\"\"\"\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := Parse("c.toml", raw)
		if err != nil {
			return
		}
		if string(file.Raw()) != string(raw) {
			t.Fatal("loading changed the bytes")
		}
		if err := file.Set("TRAIN.EPOCHS", "77"); err != nil {
			t.Fatalf("an accepted file cannot be edited: %v", err)
		}
		if file.Config.Train.Epochs != 77 {
			t.Fatal("the edit went elsewhere")
		}
		file.Undo()
		if string(file.Raw()) != string(raw) {
			t.Fatal("undo did not bring the bytes back")
		}
	})
}
