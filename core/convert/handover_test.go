package convert

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/core/project"
)

func handOver(t *testing.T, p *project.Project) *HandedOver {
	t.Helper()
	h, err := HandOver(context.Background(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// settingsOf are the lines of a configuration, without its comments.
func settingsOf(t *testing.T, h *HandedOver) (all map[string]string, comments string) {
	t.Helper()
	data, err := os.ReadFile(h.Config)
	if err != nil {
		t.Fatal(err)
	}
	all = map[string]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			comments += line + "\n"
			continue
		}
		key, value, is := strings.Cut(line, ":")
		if !is {
			t.Errorf("%q is no setting", line)
		}
		if _, twice := all[key]; twice && !strings.HasPrefix(key, " ") {
			t.Errorf("%s is set twice", key)
		}
		all[key] = strings.TrimSpace(value)
	}
	return all, comments
}

// trainerDialects are those that can be handed over to.
func trainerDialects() (names []string) {
	for _, d := range dialects {
		if d.settings != nil {
			names = append(names, string(d.name))
		}
	}
	return names
}

func TestEveryTrainerIsGivenItsConfiguration(t *testing.T) {
	names := trainerDialects()
	if want := []string{"llama-factory", "ms-swift", "trl", "axolotl"}; !slices.Equal(names, want) {
		t.Fatalf("handed over to %q, want %q", names, want)
	}
	for _, name := range names {
		p := twoPictures(t, "CONVERT.DIALECT="+name, "CONVERT.OUTPUT=out", "PROJECT.NAME=two", "MODEL.BASE=tiny",
			"RECIPE.CLASS_WEIGHTS=none", "RECIPE.CONDITION_WEIGHTS=none", "RECIPE.SAMPLING=instance",
			"TRAIN.EPOCHS=4", "TRAIN.WARMUP_STEPS=0", "TRAIN.WARMUP_RATIO=0.3", "TRAIN.SCHEDULE=constant",
			"TRAIN.LEARNING_RATE=0.00002", "TRAIN.BATCH_SIZE=1", "TRAIN.GRAD_ACCUM=2")
		h := handOver(t, p)
		dir := filepath.Join(p.File.Root, "out")
		if h.Config != filepath.Join(dir, "train.yaml") || !strings.HasPrefix(h.Commands[0], "finetui export base ") ||
			h.Commands[1] != "cd "+dir || !strings.Contains(h.Commands[2], "train.yaml") {
			t.Errorf("%s: %s, %q", name, h.Config, h.Commands)
		}
		data, err := os.ReadFile(h.Config)
		if err != nil {
			t.Fatal(err)
		}
		got := []byte(strings.ReplaceAll(strings.ReplaceAll(string(data), p.File.Path, "config.toml"), dir, "/out"))
		golden := filepath.Join("testdata", "handover", name+".yaml")
		if *update {
			if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || string(want) != string(got) {
			t.Errorf("%s is not as %s has it (%v); with -update it is written anew:\n%s", name, golden, err, got)
		}
		settings, _ := settingsOf(t, h)
		if settings["learning_rate"] != "0.00002" || settings["lr_scheduler"]+settings["lr_scheduler_type"] !=
			"constant_with_warmup" {
			t.Errorf("%s: rate %s, schedule %s", name, settings["learning_rate"], settings["lr_scheduler_type"])
		}
		handOver(t, p) // its own files are written anew
		if err := os.WriteFile(h.Config, []byte("mine: true\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		var foreign *disk.Foreign
		if _, err := HandOver(context.Background(), p, nil); !errors.As(err, &foreign) {
			t.Errorf("%s: another's configuration is written over: %v", name, err)
		}
	}
}

// What a trainer cannot be told is said, in the findings and in its file; weights are folded into copies where it has
// none, and the epochs shrink so that the steps stay the recipe's.
func TestWhatATrainerCannotExpressIsFoldedInOrSaid(t *testing.T) {
	for _, name := range trainerDialects() {
		p := twoPictures(t, "CONVERT.DIALECT="+name, "CONVERT.OUTPUT=out", "MODEL.BASE=tiny", "RECIPE.LOSS=focal",
			"RECIPE.CLASS_WEIGHTS=max_ratio", "RECIPE.SAMPLING=instance", "LORA.ALPHA=12.5", "TRAIN.BEST_BY=macro_f1",
			"TRAIN.PROJECTOR_LEARNING_RATE=0.001", "LORA.TARGETS=q_proj,mlp.0", "TRAIN.EPOCHS=6")
		weights, mean := map[string]float64{}, 0.0
		samples := p.Recipe.Samples("train")
		for _, s := range samples {
			weights[s.Answer] += s.Weight
			mean += s.Weight / float64(len(samples))
		}
		h := handOver(t, p)
		settings, comments := settingsOf(t, h)
		var codes []string
		for _, f := range h.Findings {
			codes = append(codes, f.Code)
			if f.Code == lostWeight {
				t.Errorf("%s: weights are called lost: %s", name, f.Text)
			}
		}
		for _, want := range []string{"focal", "TRAIN.BEST_BY", "TRAIN.PROJECTOR_LEARNING_RATE"} {
			if !strings.Contains(comments, want) {
				t.Errorf("%s: its file does not say what became of %s:\n%s", name, want, comments)
			}
		}
		rows := 0
		for _, f := range h.Files {
			if f.Split == "train" {
				rows = f.Records
			}
		}
		if name == "ms-swift" {
			if settings["is_binary_loss_scale"] != "false" || settings["lora_alpha"] != "12.5" ||
				rows != len(samples) ||
				slices.Contains(codes, weightsFolded) || settings["freeze_vit"] != "false" {
				t.Errorf("%s: %d rows, %v, %q", name, rows, settings, codes)
			}
			continue
		}
		if rows <= len(samples) || !slices.Contains(codes, weightsFolded) ||
			!strings.Contains(comments, "folded in: the weights") || !strings.Contains(comments, "LORA.ALPHA = 12.5") {
			t.Errorf("%s: %q\n%s", name, codes, comments)
		}
		var epochs float64
		if err := json.Unmarshal([]byte(settings["num_train_epochs"]+settings["num_epochs"]), &epochs); err != nil {
			t.Fatal(err)
		}
		if steps, want := epochs*float64(rows), 6*float64(len(samples)); steps < 0.9*want || steps > 1.1*want {
			t.Errorf("%s: %g samples are shown in all, want about %g", name, steps, want)
		}
		counts, file := map[string]float64{}, filepath.Join(p.File.Root, "out", "train.jsonl")
		if name == "llama-factory" {
			file = strings.TrimSuffix(file, "l")
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			for answer := range weights {
				if strings.Contains(line, `"`+answer+`"`) {
					counts[answer]++
				}
			}
		}
		for answer, weight := range weights {
			want := weight / (mean * float64(len(samples))) * float64(rows)
			if d := counts[answer] - want; d > 1 || d < -1 {
				t.Errorf("%s: %d rows, of %s %g, want %g", name, rows, answer, counts[answer], want)
			}
		}
	}
}

func TestYAMLReadsWhatIsWritten(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{1e-8, "0.00000001"}, {3.0, "3.0"}, {2, "2"}, {true, "true"}, {"no", `"no"`}, {"a b", `"a b"`},
		{"1e3", `"1e3"`},
		{"Qwen/Qwen2-VL-2B", "Qwen/Qwen2-VL-2B"}, {"a: b", `"a: b"`}, {"", `""`}, {nil, "null"}, {"x#y", `"x#y"`},
		{[]string{"q_proj", "mlp.0"}, "[q_proj, mlp.0]"}, {"line\nbreak", `"line\nbreak"`},
	} {
		if got := yamlValue(c.value); got != c.want {
			t.Errorf("%v is written as %s, want %s", c.value, got, c.want)
		}
	}
	if got := quoted("a b'c"); got != `'a b'\''c'` {
		t.Errorf("a word for a shell is %s", got)
	}
	if d, ok := TrainerOf("llamafactory"); !ok || d != config.DialectLlamaFactory {
		t.Errorf("llamafactory is %q", d)
	}
	if _, ok := TrainerOf("llava"); ok {
		t.Error("a dialect without a configuration is a trainer")
	}
}

func TestWhatTransformersHasNotIsHandedOverToNoTrainerOfIt(t *testing.T) {
	t.Setenv("HF_HOME", t.TempDir()) // nothing of the base is here: its name tells what it is
	for _, name := range trainerDialects() {
		p := twoPictures(t, "CONVERT.DIALECT="+name, "CONVERT.OUTPUT=out", "MODEL.BASE=Amshaker/Mobile-VideoGPT-0.5B")
		_, err := HandOver(context.Background(), p, nil)
		if !errors.As(err, new(*config.Unusable)) || !strings.Contains(err.Error(), "CONVERT.DIALECT=mobile-videogpt") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithoutATrainSplitNothingIsHandedOver(t *testing.T) {
	p := twoPictures(t, "CONVERT.DIALECT=trl", "CONVERT.OUTPUT=out", "MODEL.BASE=tiny", "DATASET.SPLITS=valid")
	if _, err := HandOver(context.Background(), p, nil); err == nil || !strings.Contains(err.Error(), "split train") {
		t.Errorf("it is handed over: %v", err)
	}
}
