package model

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/ml/lora"
	"finetui/ml/picture"
)

func openTiny(t *testing.T) *Base {
	t.Helper()
	b, err := OpenBase(context.Background(), Tiny, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// noise is a picture that no two seeds share.
func noise(seed uint64, w, h int) *picture.RGB {
	rng := rand.New(rand.NewPCG(seed, 1))
	p := picture.NewRGB(w, h)
	for i := range p.Pix {
		p.Pix[i] = uint8(rng.IntN(256))
	}
	return p
}

func ask(t *testing.T, s *Subject, questions []Question, a Asking) []Reply {
	t.Helper()
	replies, err := s.Ask(context.Background(), len(questions), func(i int) (Question, error) {
		return questions[i],
			nil
	}, a)
	if err != nil {
		t.Fatal(err)
	}
	return replies
}

var small = Asking{View: View{MinPixels: 3136, MaxPixels: 12544}, MaxNew: 6}

func TestAnswersDoNotDependOnTheCompany(t *testing.T) {
	s, err := Load(openTiny(t), "", 2)
	if err != nil {
		t.Fatal(err)
	}
	var questions []Question
	for i := range 37 {
		q := Question{Prompt: "What is shown?"}
		if i%5 != 0 {
			q.Scene = Shows(Pictures(noise(uint64(i), 60+i, 112))...)
		}
		questions = append(questions, q)
	}
	heard := make([]string, len(questions))
	a := small
	a.OnText = func(i int, piece string) { heard[i] += piece }
	together := ask(t, s, questions, a)
	for i, q := range questions {
		if alone := ask(t, s, []Question{q}, small)[0]; alone.Text != together[i].Text || heard[i] != together[i].Text {
			t.Errorf("question %d: alone %q, together %q, heard %q", i, alone.Text, together[i].Text, heard[i])
		}
	}
}

func TestAdapterChangesAnswersAndItsFilesComeBack(t *testing.T) {
	b := openTiny(t)
	cfg := &lora.Config{Base: b.Name, R: 4, Alpha: 64, Targets: []string{"q_proj", "v_proj", "down_proj"},
		Naming: lora.Nested}
	m, err := b.New(Adapt(cfg))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range m.Parameters() {
		for i := range p.Value {
			p.Value[i] = float32(rng.NormFloat64() * .2)
		}
	}
	dir := t.TempDir()
	if err := lora.Write(dir, cfg, Adapters(m, cfg)); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(b, dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	base, err := Load(b, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	q := []Question{{Shows(Pictures(noise(3, 112, 112))...), "Report."}}
	a := ask(t, loaded, q, small)[0].Text
	if live := ask(t, NewSubject(b, m, 1), q, small)[0].Text; a != live {
		t.Errorf("from the files %q, from memory %q", a, live)
	}
	if plain := ask(t, base, q, small)[0].Text; a == plain {
		t.Errorf("the adapter changed nothing: %q", a)
	}
	cfg.Targets = []string{"q_proj"}
	if other, err := b.New(Adapt(cfg)); err != nil {
		t.Error(err)
	} else if err := Fill(other, Adapters(m, cfg)); err == nil || !strings.Contains(err.Error(), "down_proj") &&
		!strings.Contains(err.Error(), "v_proj") {
		t.Errorf("an adapter without a place: %v", err)
	}
}

func TestCancelledQuestionsEnd(t *testing.T) {
	s, err := Load(openTiny(t), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	_, err = s.Ask(ctx, 200, func(int) (Question, error) {
		if n++; n == 20 {
			cancel()
		}
		return Question{Prompt: "State?"}, nil
	}, small)
	if err == nil || n > 64 {
		t.Errorf("error %v after %d questions", err, n)
	}
}

// broken is the tiny base in a folder, with one file changed.
func broken(t *testing.T, name string, change func([]byte) []byte) string {
	t.Helper()
	src := openTiny(t).Dir
	dir := t.TempDir()
	entries, err := os.ReadDir(src)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(src, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() == name {
			data = change(data)
		}
		if data == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, e.Name()), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func replace(old, new string) func([]byte) []byte {
	return func(data []byte) []byte { return []byte(strings.Replace(string(data), old, new, 1)) }
}

func TestBrokenBasesAreNamed(t *testing.T) {
	for what, c := range map[string]struct {
		file   string
		change func([]byte) []byte
		want   string
	}{
		"no configuration":     {"config.json", func([]byte) []byte { return nil }, "config.json"},
		"torn configuration":   {"config.json", func(d []byte) []byte { return d[:len(d)/2] }, "config.json"},
		"another architecture": {"config.json", replace(`"qwen2_vl"`, `"llama"`), "llama"},
		"another depth": {"config.json", replace(`"num_hidden_layers": 4`, `"num_hidden_layers": 5`),
			"model.layers.4."},
		"another width": {"config.json", replace(`"intermediate_size": 384`, `"intermediate_size": 400`),
			"mlp.gate_proj.weight"},
		"more than memory": {"config.json", replace(`"intermediate_size": 384`, `"intermediate_size": 16777216`),
			"mlp.gate_proj.weight"},
		"a deep tower": {"config.json", replace(`"depth": `, `"depth": 10`), "visual.blocks.4."},
		"another type": {"model.safetensors", replace(`"dtype":"BF16"`, `"dtype":"I16" `), "is I16"},
		"overlapping tensors": {"model.safetensors", replace(`"data_offsets":[0,`, `"data_offsets":[2,`),
			"tensor \""},
		"no weights": {"model.safetensors", func([]byte) []byte { return nil }, "safetensors"},
		"truncated weights": {"model.safetensors", func(d []byte) []byte { return d[:len(d)-100] },
			"model.safetensors: tensor \"visual.patch_embed.proj.weight\""},
		"unknown tensor names": {"model.safetensors", replace("model.norm.weight", "model.form.weight"),
			"model.norm.weight"},
		"an end that is none": {"generation_config.json", replace(`"eos_token_id": `,
			`"eos_token_id": "end", "was": `), "generation_config.json: eos_token_id"},
		"no tokenizer":          {"tokenizer.json", func([]byte) []byte { return nil }, "tokenizer.json"},
		"garbage for tokenizer": {"tokenizer.json", func([]byte) []byte { return []byte("{]") }, "tokenizer.json"},
	} {
		b, err := OpenLocal(broken(t, c.file, c.change), "")
		if err == nil {
			_, err = Load(b, "", 1)
			b.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not name %s", what, err, c.want)
		}
	}
	if _, err := OpenLocal("no/such/folder", "/tmp"); err == nil ||
		!strings.Contains(err.Error(), "/tmp/no/such/folder") || !strings.Contains(err.Error(), Tiny) {
		t.Errorf("a missing folder: %v", err)
	}
}
