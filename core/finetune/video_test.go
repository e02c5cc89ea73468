package finetune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/ml/goldentest"
	"finetui/ml/lora"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/tokenizer"
	"finetui/ml/wholefile"
)

// clipProject is a set of twelve drawn clips of two exercises in QEVD's form, and the small Mobile-VideoGPT
// of the goldens with a tokenizer of as many tokens.
func clipProject(t *testing.T) *config.File { return clipsProject(t, 8, 4) }

// clipsProject is the same with so many clips to learn from and to check on.
func clipsProject(t *testing.T, learn, check int) *config.File {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip(err)
	}
	golden := filepath.Dir(goldentest.Dir(t, "mobile-videogpt", "model", "base"))
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "model"), os.DirFS(golden)); err != nil {
		t.Fatal(err)
	}
	var records []map[string]any
	for i := range learn + check {
		exercise, source := "squats", "testsrc2=s=64x48:r=8:d=2"
		if i%2 == 1 {
			exercise, source = "elbow plank", fmt.Sprintf("color=c=0x%02x4080:s=64x48:r=8:d=2", 20*i)
		}
		name := fmt.Sprintf("%08d.mp4", i)
		path := filepath.Join(root, "data", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", path)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("ffmpeg makes no clip: %v: %s", err, out)
		}
		split := "train"
		if i >= learn {
			split = "valid"
		}
		records = append(records, map[string]any{"video_path": "./" + name, "split": split,
			"labels": []string{exercise + " - good"}, "labels_descriptive": []string{exercise + " - User does well"}})
	}
	text, err := json.Marshal(records)
	if err == nil {
		err = wholefile.Write(filepath.Join(root, "data", "fine_grained_labels.json"), text)
	}
	if err != nil {
		t.Fatal(err)
	}
	special := []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>"}
	tok, err := tokenizer.Train([]string{strings.Repeat("squats elbow plank User does well exercise video ", 9)}, 300,
		special)
	if err == nil {
		text = tok.Marshal()
	}
	if err == nil {
		err = wholefile.Write(filepath.Join(root, "model", "base", "tokenizer.json"), text)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := config.Preset("qved")
	if err != nil {
		t.Fatal(err)
	}
	f.Path, f.Root = filepath.Join(root, "config.toml"), root
	if err := f.Override([]string{"MODEL.BASE=model/base", "MODEL.MAX_LENGTH=4096", "PROJECT.RUNS=runs", "LORA.R=4",
		"TRAIN.EPOCHS=4", "TRAIN.BATCH_SIZE=4", "TRAIN.GRAD_ACCUM=1", "TRAIN.LEARNING_RATE=0.01",
		"TRAIN.PROJECTOR_LEARNING_RATE=0.002", "TRAIN.SAVE_EVERY=2", "TRAIN.EVAL_EVERY=4", "TRAIN.LOG_EVERY=1",
		"TRAIN.KEEP=2", "EVAL.MAX_NEW_TOKENS=8", "EVAL.SPLIT=valid"}); err != nil {
		t.Fatal(err)
	}
	return f
}

// A run of Mobile-VideoGPT on clips trains adapters and projectors, leaves the original's files, and comes to the same
// when it is killed; what it has learned answers.
func TestMobileVideoGPTLearnsFromClips(t *testing.T) {
	f := clipProject(t)
	r := start(t, f, "clips")
	wait(t, r)
	h := history(t, r)
	if n := len(h.Train); n < 8 || !(h.Train[n-1].Loss < h.Train[0].Loss) || len(h.Evals) == 0 {
		t.Errorf("%d rows, %d checks, loss %v to %v", n, len(h.Evals), h.Train[0].Loss, h.Train[n-1].Loss)
	}
	saved, _ := r.Latest()
	for _, name := range []string{"config.json", "adapter_config.json", "adapter_model.safetensors",
		mobilevideogpt.ProjectorsFile} {
		if _, err := os.Stat(filepath.Join(saved.Path, name)); err != nil {
			t.Error(err)
		}
	}
	if c, _, err := lora.Read(saved.Path); err != nil || c.Naming != lora.Classic {
		t.Errorf("the adapter is spelled %v, %v: PEFT looks for model.layers… in this model", c.Naming, err)
	}
	killed := killedAtRandom(t, f, 2, 5)
	sameFiles(t, last(t, r), last(t, killed))
	for at, begins := range map[string]string{r.Dir: "Using %s projector from base model checkpoint",
		killed.Dir: "Initializing %s projector from " + killed.Dir} {
		text, err := os.ReadFile(filepath.Join(at, "log.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range []string{"video", "image"} {
			if want := fmt.Sprintf(begins, what); !strings.Contains(string(text), want) {
				t.Errorf("the log does not say %q:\n%s", want, text)
			}
		}
	}

	ctx := context.Background()
	p, err := project.Open(ctx, f.Snapshot, nil)
	if err == nil {
		err = p.OpenBase(ctx, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if n := project.Trainable(p.Base.Kind, f.Config); n != r.Info.Trainable {
		t.Errorf("%d values are estimated, %d were trained", n, r.Info.Trainable)
	}
	answers := map[string]string{}
	for name, adapter := range map[string]string{"base": "", "run": saved.Path} {
		subject, err := model.Load(p.Base, adapter, 1)
		if err != nil {
			t.Fatal(err)
		}
		replies, err := p.Ask(ctx, subject, p.Recipe.Samples("valid"), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, reply := range replies {
			answers[name] += reply.Text + "\n"
		}
		e, err := p.Evaluate(ctx, subject, name, "valid", 100, nil)
		if err != nil || e.FreeText == nil || e.FreeText.N != 4 || e.FreeText.Named != 4 || e.N != 4 {
			t.Errorf("%s: scored as %+v, error %v", name, e, err)
		}
	}
	if answers["base"] == answers["run"] {
		t.Errorf("base and run both say %q", answers["run"])
	}
	t.Logf("the run says %q", answers["run"])
}

// What sees for the base is no product of transformers', which is what 4 bits are made of: it is said before a process
// is started.
func TestAVideoModelIsNotPutIntoFourBits(t *testing.T) {
	ctx, f := context.Background(), clipProject(t)
	if err := f.Override([]string{"TORCH.QUANTIZATION=nf4", "MODEL.ENGINE=torch"}); err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(ctx, f.Snapshot, nil)
	if err == nil {
		err = p.OpenBase(ctx, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	var unusable *config.Unusable
	_, err = openTorch(ctx, Task{Project: p, Steps: 1})
	if !errors.As(err, &unusable) || unusable.Key != "TORCH.QUANTIZATION" {
		t.Errorf("%v", err)
	}
}
