package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/gpu"
)

// bare is a machine with nothing on it.
func bare() machine {
	return machine{
		env:      func(string) string { return "" },
		lookPath: func(string) (string, error) { return "", errors.New("not found") },
		run:      func(context.Context, string, ...string) (string, error) { return "", errors.New("not run") },
		gpus:     func() ([]gpu.Device, error) { return nil, fmt.Errorf("%w: no driver", gpu.ErrUnavailable) },
	}
}

// equipped has programs that answer as given by the end of their path.
func equipped(answers map[string]string) machine {
	m := bare()
	m.lookPath = func(name string) (string, error) {
		if _, ok := answers[name]; !ok {
			return "", errors.New("not found")
		}
		return "/bin/" + name, nil
	}
	m.run = func(_ context.Context, path string, _ ...string) (string, error) {
		answer := answers[filepath.Base(path)]
		if complaint, fails := strings.CutPrefix(answer, "fails: "); fails {
			return "", errors.New(complaint)
		}
		return answer, nil
	}
	return m
}

func parsed(t *testing.T, text string) *config.Snapshot {
	t.Helper()
	file, err := config.Parse(filepath.Join(t.TempDir(), "config.toml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return file.Snapshot
}

// line finds a line of a report by its name.
func line(t *testing.T, r Report, name string) Line {
	t.Helper()
	for _, l := range r.Lines {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no line %s in\n%s", name, r.Text())
	return Line{}
}

func TestBareMachineIsDescribedWithWhatToDo(t *testing.T) {
	in := Input{File: parsed(t, ""), Terminal: []Line{{Name: "TERM", Value: "dumb", Verdict: Info}}}
	r := in.look(context.Background(), bare())
	for name, want := range map[string]Line{
		"config.toml": {Verdict: Info, Value: "none", Do: "finetui new demo"},
		"GPU":         {Verdict: Info, Value: "no driver", Do: "processor"},
		"ffmpeg":      {Verdict: Missing, Value: "not on PATH", Do: "apt-get install ffmpeg"},
		"ffprobe":     {Verdict: Missing, Value: "not on PATH", Do: "apt-get install ffmpeg"},
		"Python":      {Verdict: Info, Value: "no python3", Do: "nothing for training here"},
		"HF_HOME":     {Verdict: Info, Value: "not there yet", Do: "download"},
		"TERM":        {Verdict: Info, Value: "dumb"},
	} {
		got := line(t, r, name)
		if got.Verdict != want.Verdict || !strings.Contains(got.Value, want.Value) ||
			!strings.Contains(got.Do, want.Do) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	for _, name := range []string{"processor", "kernels", "memory", "disk"} {
		if line(t, r, name).Value == "" {
			t.Errorf("%s is empty", name)
		}
	}
	if got := line(t, r, "built-in base"); got.Verdict != OK || !strings.Contains(got.Value, "fingerprint ") {
		t.Errorf("%+v", got)
	}
	if r.Has(Wrong) {
		t.Error("something is wrong without a config.toml")
	}
}

func TestProgramsTellTheirVersions(t *testing.T) {
	m := equipped(map[string]string{
		"ffmpeg":  "ffmpeg version 7.1-0+deb13u1 Copyright (c) 2000-2024\nbuilt with gcc\n",
		"ffprobe": "fails: exit status 127",
		"python3": `{"python": "3.12.1", "torch": "2.11.0", "peft": "0.21.2"}`,
	})
	m.env = func(name string) string { return map[string]string{"HF_HOME": os.TempDir()}[name] }
	m.gpus = func() ([]gpu.Device, error) {
		used, total, busy := uint64(3*gib), uint64(80*gib), 41.0
		return []gpu.Device{{Index: 0, Name: "H100", Util: &busy, MemoryUsed: &used, MemoryTotal: &total}, {Index: 1}},
			nil
	}
	r := Input{File: parsed(t, "")}.look(context.Background(), m)
	for name, want := range map[string]Line{
		"ffmpeg":       {Verdict: OK, Value: "7.1-0+deb13u1 · /bin/ffmpeg"},
		"ffprobe":      {Verdict: Missing, Value: "/bin/ffprobe does not run: it ended with exit code 127"},
		"Python":       {Verdict: OK, Value: "3.12.1 · /bin/python3"},
		"torch":        {Verdict: OK, Value: "2.11.0"},
		"transformers": {Verdict: Info, Value: "not installed for this Python"},
		"peft":         {Verdict: OK, Value: "0.21.2"},
		"HF_HOME":      {Verdict: OK, Value: "HF_HOME · " + os.TempDir()},
		"GPU 0":        {Verdict: OK, Value: "H100 · 3.0 of 80.0 GiB used · 41 % busy"},
		"GPU 1":        {Verdict: OK, Value: "unknown model"},
	} {
		if got := line(t, r, name); got.Verdict != want.Verdict || got.Value != want.Value {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestPythonThatDoesNotAnswerIsSaid(t *testing.T) {
	for _, answer := range []string{"fails: no answer within 5 s", "Python 2.7"} {
		r := Input{File: parsed(t, "")}.look(context.Background(), equipped(map[string]string{"python3": answer}))
		if got := line(t, r, "Python"); got.Verdict != Info || !strings.Contains(got.Value, "does not answer") {
			t.Errorf("%+v", got)
		}
	}
}

func TestConstantsAreChecked(t *testing.T) {
	file := parsed(t, "[DATASET]\nTOP_BELOW = 0.9\n[MODEL]\nBASE = \"nowhere\"\n[TRAIN]\nLEARNING_RATE = 0.0\n")
	r := Input{File: file, Found: true}.look(context.Background(), bare())
	for name, verdict := range map[string]Verdict{
		"DATASET.TOP_BELOW": Wrong, "TRAIN.LEARNING_RATE": Info, "data set": Missing, "MODEL.BASE": Missing,
		"config.toml": OK,
	} {
		if got := line(t, r, name); got.Verdict != verdict {
			t.Errorf("%+v, want %s", got, verdict)
		}
	}
	if !r.Has(Wrong) {
		t.Error("nothing is wrong")
	}
}

func TestEveryFaultOfABrokenFileIsALine(t *testing.T) {
	_, fault := config.Parse("config.toml", []byte("[TRAIN]\nEPOCS = 3\nBATCH_SIZE = 0\n"))
	r := Input{File: parsed(t, ""), Fault: fault}.look(context.Background(), bare())
	var wrong []string
	for _, l := range r.Lines {
		if l.Verdict == Wrong {
			wrong = append(wrong, l.Value)
		}
	}
	if len(wrong) != 2 || !strings.Contains(wrong[0], "config.toml:2:1") ||
		!strings.Contains(wrong[1], "TRAIN.BATCH_SIZE") {
		t.Errorf("%q", wrong)
	}
}

func TestTextPutsWhatToDoBelow(t *testing.T) {
	r := Report{Lines: []Line{{"GPU", "none", Info, "nothing"}, {"processor", "fast", OK, ""}}}
	want := "info  GPU        none\n                 → nothing\nok    processor  fast\n"
	if got := r.Text(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestProgramsThatFailGiveTheirLastLine(t *testing.T) {
	_, err := output(context.Background(), "sh", "-c", "echo first >&2; echo last >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "last") || strings.Contains(err.Error(), "first") {
		t.Error(err)
	}
}

func TestABaseOnTheHubIsFetchedLater(t *testing.T) {
	t.Setenv("HF_HOME", t.TempDir())
	t.Setenv("HF_HUB_OFFLINE", "")
	file := parsed(t, "[MODEL]\nBASE = \"Qwen/Qwen2-VL-7B-Instruct\"\n")
	if got := line(t, Input{File: file, Found: true}.look(context.Background(), bare()),
		"MODEL.BASE"); got.Verdict != Info || !strings.Contains(got.Do, "fetches") {
		t.Errorf("%+v", got)
	}
}

func TestSetsThatJoinAreLookedFor(t *testing.T) {
	root := t.TempDir()
	t.Setenv("DATASET_DIR", root)
	for name, text := range map[string]string{"sets.json": `{"talk": {"annotation_path": "talk.json"}}`,
		"talk.json": "[]"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for constants, want := range map[string]map[string]Verdict{
		"": {"set talk": OK, "set qved": Info},
		"[DATASET]\nSETS = [\"talk:0.5\", \"x\"]": {"set talk:0.5": OK, "set x": Wrong},
	} {
		r := Input{File: parsed(t, constants), Found: true}.look(context.Background(), bare())
		for name, verdict := range want {
			got := line(t, r, name)
			if got.Verdict != verdict || !strings.Contains(got.Value, root) {
				t.Errorf("%q: %+v, want %s", constants, got, verdict)
			}
		}
	}
	none := Input{File: parsed(t, "[DATASET]\nSETS = [\"none\"]"), Found: true}.look(context.Background(), bare())
	if got := line(t, none, "sets"); got.Verdict != Info || !strings.Contains(got.Value, "none joins") {
		t.Errorf("%+v", got)
	}
}
