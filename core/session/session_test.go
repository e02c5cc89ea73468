package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/demo/clipbase"
	"finetui/core/disk"
	"finetui/core/eval"
	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/model/hub/hubtest"
	"finetui/core/run"
	"finetui/core/video"
	"finetui/ml/lora"
	"finetui/ml/picture"
)

// projectFile writes a data set of two classes with two pictures a split, and its config.toml.
func projectFile(t *testing.T) *config.File {
	t.Helper()
	root := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	write(t, filepath.Join(root, "data/data.yaml"),
		"train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnc: 2\nnames: ['wall', 'wall damaged']\n")
	for _, split := range []string{"train", "valid", "test"} {
		for i := range 2 {
			picture := picture.NewRGB(64, 48)
			for j := range picture.Pix {
				picture.Pix[j] = byte(40*i + j%97 + len(split))
			}
			name := fmt.Sprintf("%s_%d", split, i)
			os.MkdirAll(filepath.Join(root, "data", split, "images"), 0o755)
			if err := media.WritePNG(filepath.Join(root, "data", split, "images", name+".png"), picture); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(root, "data", split, "labels", name+".txt"),
				fmt.Sprintf("%d 0.3 0.4 0.2 0.3\n%d 0.7 0.6 0.2 0.4\n", i, 1-i))
		}
	}
	file, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	file.Move(filepath.Join(root, "config.toml"), root)
	set(t, file, "DATASET.PATH", "data")
	set(t, file, "EVAL.DATA", "")
	set(t, file, "EVAL.MAX_NEW_TOKENS", "6")
	set(t, file, "INFER.MAX_NEW_TOKENS", "6")
	set(t, file, "PROJECT.RUNS", "runs")
	if err := file.Save(); err != nil {
		t.Fatal(err)
	}
	return file
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func set(t *testing.T, file *config.File, name, value string) {
	t.Helper()
	if err := file.Set(name, value); err != nil {
		t.Fatal(err)
	}
}

func openSession(t *testing.T, file *config.File) *Session {
	t.Helper()
	s, err := Open(context.Background(), file.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// addRun makes a run with an adapter that shouts: its B is so large that the base cannot be heard through it.
func addRun(t *testing.T, s *Session, file *config.File, name string, steps ...int) string {
	t.Helper()
	b, err := model.OpenLocal(file.Config.Model.Base, file.Root)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	cfg := &lora.Config{Base: b.Name, R: 2, Alpha: 4, Targets: []string{"q_proj", "v_proj", "down_proj"},
		Naming: lora.Nested}
	m, err := b.New(model.Adapt(cfg))
	if err != nil {
		t.Fatal(err)
	}
	adapters := model.Adapters(m, cfg)
	for i, a := range adapters {
		adapters[i] = lora.New(a.Module, a.In, a.Out, cfg, 1)
		for j := range adapters[i].B {
			adapters[i].B[j] = float32(j%7-3) / 2
		}
	}
	fingerprint, err := b.Fingerprint(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := run.Create(s.RunsDir(), name, run.Meta{Recipe: "basic", Base: b.Name, BaseFingerprint: fingerprint,
		DataFingerprint: s.Project.Data.Fingerprint(), Root: file.Root}, file.Raw())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, step := range steps {
		if err := w.Checkpoint(step, func(dir string) error { return lora.Write(dir, cfg, adapters) }); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Base(w.Dir())
}

func TestRunIsAskedWithItsOwnRecipeAboutTheCurrentData(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	set(t, file, "RECIPE.PROMPT", "list")
	set(t, file, "EVAL.MAX_NEW_TOKENS", "3")
	label := addRun(t, s, file, "basic", 4, 9)
	file.Undo()
	file.Undo()
	for _, name := range []string{label, "1", "basic", filepath.Join(s.RunsDir(), label)} {
		setting, err := s.Setting(name)
		if err != nil {
			t.Fatal(err)
		}
		c := setting.Project.Config
		if c.Recipe.Prompt != "list" || c.Eval.MaxNewTokens != 6 {
			t.Errorf("%s: RECIPE.PROMPT %q, want the run's \"list\"; EVAL.MAX_NEW_TOKENS %d, want the current 6", name,
				c.Recipe.Prompt, c.Eval.MaxNewTokens)
		}
		if got, want := setting.Title(), label+" step 9 (newest) on tiny"; got != want {
			t.Errorf("title %q, want %q", got, want)
		}
		if x, ok := setting.Sample("test/test_1#1"); !ok ||
			!strings.Contains(setting.Prompt(x), "Choose: wall; wall damaged") {
			t.Errorf("the prompt of a sample is not the run's: %q", x.Prompt)
		}
		if len(setting.Notes) > 0 {
			t.Errorf("notes %v on the data set it was trained on", setting.Notes)
		}
	}
	base, err := s.Setting(Base)
	if err != nil || base.Project.Config.Recipe.Prompt == "list" || base.Title() != "base tiny" {
		t.Errorf("the base is asked with %q as %q, error %v", base.Project.Config.Recipe.Prompt, base.Title(), err)
	}
}

func TestUnknownAndUnreadySubjectsSaySo(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	label := addRun(t, s, file, "young")
	for name, want := range map[string]string{label: "no checkpoint yet",
		"0042-none": `the base without an adapter is called "base"`} {
		if _, err := s.Subject(context.Background(), name, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", name, err, want)
		}
	}
	list, err := s.Candidates()
	if err != nil || len(list) != 2 || list[0].Name != Base || list[0].Why != "" || list[1].Why == "" {
		t.Errorf("candidates %+v, error %v", list, err)
	}
}

func TestAnswerComesInPiecesAndSubjectsStayLoaded(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	label := addRun(t, s, file, "basic", 5)
	ctx := context.Background()
	texts := map[string]string{}
	for _, name := range []string{Base, label} {
		steps := 0
		subject, err := s.Subject(ctx, name, func(done, total int, what string) { steps++ })
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Subject(ctx, name, nil)
		if err != nil || again.Model != subject.Model || steps == 0 {
			t.Errorf("%s was loaded twice, or in silence (%d steps), error %v", name, steps, err)
		}
		x, _ := subject.Sample("test/test_0#0")
		q, err := subject.About(x, "")
		if err != nil {
			t.Fatal(err)
		}
		var heard strings.Builder
		a, err := subject.Ask(ctx, q, func(piece string) { heard.WriteString(piece) })
		if err != nil {
			t.Fatal(err)
		}
		if heard.String() != a.Text || a.Tokens > 6 || a.First <= 0 || a.Total < a.First {
			t.Errorf("%s: heard %q, answer %+v", name, heard.String(), a)
		}
		texts[name] = a.Text
	}
	if texts[Base] == texts[label] {
		t.Errorf("base and adapter both say %q: the adapter was not applied", texts[Base])
	}
	stopped, cancel := context.WithCancel(ctx)
	subject, _ := s.Subject(ctx, Base, nil)
	q, err := subject.AboutFile(filepath.Join(file.Root, "data/test/images/test_0.png"), "What is this?")
	if err != nil || q.Prompt != "What is this?" {
		t.Fatalf("question %+v, error %v", q, err)
	}
	if shown, err := q.Load(ctx); err != nil || len(shown) == 0 {
		t.Fatalf("it shows %v, error %v", shown, err)
	}
	if _, err := subject.Ask(stopped, q, func(string) { cancel() }); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped answer ends with %v", err)
	}
}

// TestBaseOnTheHubIsFetchedByWhoAsks stops a fetch as somebody does who changes his mind, and asks again.
func TestBaseOnTheHubIsFetchedByWhoAsks(t *testing.T) {
	hub := hubtest.Of(t, filepath.Join("..", "model", "tiny"))
	hub.Hold = make(chan struct{})
	file := projectFile(t)
	set(t, file, "MODEL.BASE", hubtest.Model)
	s := openSession(t, file)
	ctx, cancel := context.WithCancel(context.Background())
	half := func(done, total int, what string) {
		if what == "MB, model.safetensors" && done > 0 {
			cancel()
		}
	}
	if _, err := s.Subject(ctx, Base, half); !errors.Is(err, context.Canceled) {
		t.Fatalf("a stopped fetch: %v", err)
	}
	close(hub.Hold)
	x, err := s.Subject(context.Background(), Base, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Ask(context.Background(), model.Question{Prompt: "Name and state?"}, nil); err != nil {
		t.Error(err)
	}
	if hub.Asked("GET /model.safetensors") != 2 || hub.Asked("GET /model.safetensors bytes=") != 1 {
		t.Errorf("what had come was fetched again: %q", hub.Requests())
	}
}

func TestBetterCheckpointIsLoadedAnew(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	label := addRun(t, s, file, "basic", 5, 6)
	first, err := s.Subject(context.Background(), label, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("step-000005", filepath.Join(s.RunsDir(), label, "checkpoints/best")); err != nil {
		t.Fatal(err)
	}
	second, err := s.Subject(context.Background(), label, nil)
	if err != nil || first.Model == second.Model || second.Title() != label+" step 5 (best) on tiny" {
		t.Errorf("after another checkpoint became the best %q answers, error %v", second.Title(), err)
	}
}

func TestReopenedSessionSharesWhatHasNotChanged(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	ctx := context.Background()
	before, err := s.Subject(ctx, Base, nil)
	if err != nil {
		t.Fatal(err)
	}
	set(t, file, "INFER.PROMPT", "What is it?")
	next, err := s.Reopen(ctx, file.Snapshot, s.set, nil)
	if err != nil {
		t.Fatal(err)
	}
	after, err := next.Subject(ctx, Base, nil)
	if err != nil || after.Model != before.Model || next.Project.Data != s.Project.Data {
		t.Errorf("model or data set were read again after a change of INFER, error %v", err)
	}
	if x, _ := after.Sample("test/test_0#0"); after.Prompt(x) != "What is it?" || before.Prompt(x) == "What is it?" {
		t.Errorf("prompts %q before, %q after", before.Prompt(x), after.Prompt(x))
	}
	set(t, file, "DATASET.CONDITIONS", "broken")
	other, err := dataset.Read(ctx, file.Config.Dataset, file.Root, nil)
	if err != nil {
		t.Fatal(err)
	}
	third, err := next.Reopen(ctx, file.Snapshot, other, nil)
	if err != nil || third.Project.Data == next.Project.Data {
		t.Errorf("the session of another set shows the one before, error %v", err)
	}
	set(t, file, "EVAL.DATA", "data")
	if fourth, err := third.Reopen(ctx, file.Snapshot, other, nil); err != nil ||
		fourth.Project.Data == third.Project.Data {
		t.Errorf("another EVAL.DATA is not read, error %v", err)
	}
}

func TestForeignBaseIsRefused(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	label := addRun(t, s, file, "basic", 5)
	path := filepath.Join(s.RunsDir(), label, "run.json")
	data, _ := os.ReadFile(path)
	data, _, _ = disk.Unseal(data)
	text := string(data)
	at := strings.Index(text, `"base_fingerprint":"`) + len(`"base_fingerprint":"`)
	write(t, path, text[:at]+"0000000000000000"+text[at+64:])
	if _, err := s.Subject(context.Background(), label, nil); err == nil ||
		!strings.Contains(err.Error(), "is not the one that") {
		t.Errorf("error %v", err)
	}
}

func TestBaseThatWasMovedIsFoundWhereItIsNow(t *testing.T) {
	file := projectFile(t)
	was, is := filepath.Join(file.Root, "was"), filepath.Join(file.Root, "is")
	if err := os.CopyFS(was, os.DirFS(filepath.Join("..", "model", "tiny"))); err != nil {
		t.Fatal(err)
	}
	set(t, file, "MODEL.BASE", "was")
	label := addRun(t, openSession(t, file), file, "basic", 5)
	if err := os.Rename(was, is); err != nil {
		t.Fatal(err)
	}
	set(t, file, "MODEL.BASE", "is")
	s := openSession(t, file)
	if _, err := s.Subject(context.Background(), label, nil); err != nil {
		t.Errorf("the run's base lies where MODEL.BASE says: %v", err)
	}
	write(t, filepath.Join(is, "generation_config.json"), `{"eos_token_id": 3}`)
	if _, err := openSession(t, file).Subject(context.Background(), label, nil); err == nil ||
		!strings.Contains(err.Error(), "is not the one that") {
		t.Errorf("another base in the place of the run's: %v", err)
	}
}

// TestWhatASubjectIsShownIsItsBasesRule holds the frames of a question against those of an evaluation.
func TestWhatASubjectIsShownIsItsBasesRule(t *testing.T) {
	file := projectFile(t)
	if err := clipbase.Write(filepath.Join(file.Root, "clips")); err != nil {
		t.Fatal(err)
	}
	set(t, file, "MODEL.BASE", "clips")
	s := openSession(t, file)
	before, err := s.Setting(Base)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := s.Subject(context.Background(), Base, nil)
	if err != nil {
		t.Fatal(err)
	}
	clip := &video.Info{Frames: 100, FPS: 25}
	want := loaded.Project.Encoder().Pick(clip)
	if usual := model.Usual().Pick(clip.Frames, clip.FPS, file.Config.Model.Frames); slices.Equal(want, usual) {
		t.Fatal("another kind picks the same frames: nothing is tested")
	}
	for name, setting := range map[string]*Setting{"before it is loaded": before, "loaded": loaded.Setting} {
		if got := setting.Encoder().Pick(clip); !slices.Equal(got, want) {
			t.Errorf("%s: frames %v, in an evaluation %v", name, got, want)
		}
	}
}

func TestEvaluationsAreKeptAndCompared(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	set(t, file, "RECIPE.PROMPT", "list")
	label := addRun(t, s, file, "basic", 5)
	ctx := context.Background()
	if _, err := s.Result(Base, "test"); err == nil ||
		!strings.Contains(err.Error(), "finetui eval base EVAL.SPLIT=test") {
		t.Errorf("before any evaluation: %v", err)
	}
	before := s.baseEval("test", freeText+"json") // of a data set that had answers in words
	write(t, before, "{}")
	for _, name := range []string{label, Base} {
		r, err := s.Evaluate(ctx, name, "test", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.N != 4 || r.Subject != name || r.Split != "test" || r.SelfTest != 1 {
			t.Errorf("result of %s: n %d, subject %q, split %q", name, r.N, r.Subject, r.Split)
		}
	}
	if _, err := os.Stat(before); err == nil {
		t.Error("answers in words of an evaluation before stay beside the new one")
	}
	list, err := s.Results("test")
	if err != nil || len(list) != 2 || list[0].Name != Base || list[1].Name != label || list[0].Asked == nil ||
		list[0].Older || list[1].Older {
		t.Fatalf("kept %+v, error %v", list, err)
	}
	for _, path := range []string{filepath.Join(s.RunsDir(), "base/eval/test.csv"), filepath.Join(s.RunsDir(), label,
		"eval/test.json")} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	board, err := s.Board(list)
	if err != nil || len(board.Pairs) != 1 {
		t.Fatalf("board %+v, error %v", board, err)
	}
	differ := strings.Join(board.Pairs[0].Constants, "; ")
	if want := "the adapter (none → " + label + ")"; !strings.Contains(differ, want) ||
		!strings.Contains(differ, "RECIPE.PROMPT short → list") {
		t.Errorf("constants that differ: %s", differ)
	}
	set(t, file, "RECIPE.PROMPT", "basic")
	if later, err := s.Reopen(ctx, file.Snapshot, s.set, nil); err != nil {
		t.Error(err)
	} else if now, _ := later.Setting(Base); strings.Join(now.Changed(list[0]), "; ") != "RECIPE.PROMPT short → basic" {
		t.Errorf("changed since the base was asked: %v", now.Changed(list[0]))
	}
	if others, err := s.Results("valid"); err != nil || len(others) != 0 {
		t.Errorf("evaluations of another split: %+v, %v", others, err)
	}
}

func TestBrokenEvaluationIsListedWithItsFault(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	write(t, s.baseEval("test", "json"), `{"schema": 1, "split":`)
	list, err := s.Results("test")
	if err != nil || len(list) != 1 || list[0].Fault == nil || !strings.Contains(list[0].Fault.Error(),
		"evaluate again") {
		t.Errorf("list %+v, error %v", list, err)
	}
	if _, err := s.Board(append(list, Kept{Name: "x", Result: &eval.Result{}})); err == nil {
		t.Error("a broken evaluation was compared")
	}
}

func TestEvaluationStopsOnRequest(t *testing.T) {
	s := openSession(t, projectFile(t))
	ctx, cancel := context.WithCancel(context.Background())
	_, err := s.Evaluate(ctx, Base, "test", func(done, total int, what string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(s.baseEval("test", "json")); err == nil {
		t.Error("a stopped evaluation was kept")
	}
}

func TestPictureFileIsShownWholeWhateverTheContext(t *testing.T) {
	file := projectFile(t)
	picture := picture.NewRGB(64, 32)
	for context, want := range map[string][][2]int{"full": {{64, 32}}, "marked": {{64, 32}}, "crop": {{112, 112}},
		"full+crop": {{64, 32}, {112, 112}}} {
		set(t, file, "RECIPE.CONTEXT", context)
		setting, err := openSession(t, file).Setting(Base)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := setting.Whole(picture)
		if err != nil || len(shown) != len(want) {
			t.Fatalf("%s: %d pictures, error %v", context, len(shown), err)
		}
		for i, p := range shown {
			if [2]int{p.W, p.H} != want[i] {
				t.Errorf("%s: picture %d is %d×%d, want %v", context, i, p.W, p.H, want[i])
			}
		}
	}
}

func TestPicturesAreFoundFromTheProjectAndByTheirFaults(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	if p, err := s.Media("data/test/images/test_0.png"); err != nil || !filepath.IsAbs(p) {
		t.Errorf("%q, error %v", p, err)
	}
	if _, err := s.Media(file.Root); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := s.Media("nowhere.png"); err == nil || !strings.Contains(err.Error(), "there is no picture") {
		t.Errorf("nothing: %v", err)
	}
	for written, want := range map[string]string{"": "data/", "da": "data/", "data/te": "data/test/",
		"data/test/images/test_1": "data/test/images/test_1.png", "data/test/labels/": "", "nowhere/": ""} {
		if got := strings.Join(s.Complete(written), " "); got != want {
			t.Errorf("%q completes to %q, want %q", written, got, want)
		}
	}
	if got := strings.Join(s.Splits(), " "); got != "train valid test" {
		t.Errorf("splits %s", got)
	}
}
