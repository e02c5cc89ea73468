package infer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/demo"
	"finetui/core/eval"
	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/run"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/viewtest"
)

// testCounts are how many objects of each class the test split of the fixture holds, as in the demo's.
var testCounts = []int{4, 8, 7, 11, 35, 14, 12, 13, 24}

// newProject writes a small data set with the demo's classes and a config.toml beside it.
func newProject(t testing.TB) *config.File {
	t.Helper()
	return projectIn(t, t.TempDir())
}

func projectIn(t testing.TB, root string) *config.File {
	t.Helper()
	names := make([]string, len(demo.Classes))
	for i, name := range demo.Classes {
		names[i] = "'" + name + "'"
	}
	write(t, filepath.Join(root, "data/data.yaml"),
		fmt.Sprintf("train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnc: 9\nnames: [%s]\n",
			strings.Join(names, ", ")))
	rng := rand.New(rand.NewPCG(1, 1))
	for _, split := range []string{"train", "valid", "test"} {
		var classes []int
		for class, n := range testCounts {
			if split != "test" {
				n = 2
			}
			for range n {
				classes = append(classes, class)
			}
		}
		rng.Shuffle(len(classes), func(i, j int) { classes[i], classes[j] = classes[j], classes[i] })
		for i := 0; i*4 < len(classes); i++ {
			writePicture(t, filepath.Join(root, "data", split), fmt.Sprintf("slope_%03d", i),
				classes[i*4:min(i*4+4, len(classes))])
		}
	}
	file, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	file.Move(filepath.Join(root, "config.toml"), root)
	set(t, file, "DATASET.PATH", "data")
	set(t, file, "PROJECT.RUNS", "runs")
	set(t, file, "EVAL.DATA", "")
	set(t, file, "EVAL.SPLIT", "test")
	if err := file.Save(); err != nil {
		t.Fatal(err)
	}
	return file
}

// writePicture draws a slope with one dark rectangle for each object, and its label file.
func writePicture(t testing.TB, dir, name string, classes []int) {
	t.Helper()
	picture := media.NewPicture(96, 72)
	for y := range picture.H {
		for x := range picture.W {
			shade := byte(90 + y + (x*7+y*13)%11)
			copy(picture.Pix[3*(y*picture.W+x):], []byte{shade, shade - 8, shade - 30})
		}
	}
	label := ""
	for i, class := range classes {
		cx, cy := 0.15+0.22*float64(i), 0.3+0.13*float64((i+class)%4)
		label += fmt.Sprintf("%d %.2f %.2f 0.16 0.24\n", class, cx, cy)
		for y := int((cy - .12) * 72); y < int((cy+.12)*72); y++ {
			for x := int((cx - .08) * 96); x < int((cx+.08)*96); x++ {
				copy(picture.Pix[3*(y*picture.W+x):], []byte{byte(30 + 18*class), 60, byte(150 - 12*class)})
			}
		}
	}
	write(t, filepath.Join(dir, "labels", name+".txt"), label)
	if err := os.MkdirAll(filepath.Join(dir, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := media.WritePNG(filepath.Join(dir, "images", name+".png"), picture); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func set(t testing.TB, file *config.File, name, value string) {
	t.Helper()
	if err := file.Set(name, value); err != nil {
		t.Fatal(err)
	}
}

// addRun makes a run that is done, its checkpoint an empty folder: nobody loads it here.
func addRun(t testing.TB, file *config.File, name, prompt string, step int) string {
	t.Helper()
	before := file.Config.Recipe.Prompt
	set(t, file, "RECIPE.PROMPT", prompt)
	w, err := run.Create(filepath.Join(file.Root, "runs"), name, run.Meta{Recipe: name, Base: "tiny", Root: file.Root},
		file.Raw())
	set(t, file, "RECIPE.PROMPT", string(before))
	if err != nil {
		t.Fatal(err)
	}
	if step == 0 {
		w.Close()
		return filepath.Base(w.Dir())
	}
	for _, do := range []func() error{
		w.Begin,
		func() error { return w.Checkpoint(step, func(string) error { return nil }) },
		func() error { return w.Rate(step, run.Score{}) },
		func() error { return w.Finish(run.Done, "all epochs are done") },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Base(w.Dir())
}

// score makes the evaluation of a subject that is right about a share of the items, and keeps it as session does.
func score(t testing.TB, file *config.Snapshot, name string, right float64) *eval.Result {
	t.Helper()
	s, err := session.Open(context.Background(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	setting, err := s.Setting(name)
	if err != nil {
		t.Fatal(err)
	}
	r := scored(t, setting, name, right)
	dir := filepath.Join(file.Root, "runs", name, "eval")
	write(t, filepath.Join(dir, "test.toml"), string(config.Render(setting.Project.Config)))
	if err := r.WriteJSON(filepath.Join(dir, "test.json")); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2026, 3, 4, 15, 6, 0, 0, time.Local)
	if err := os.Chtimes(filepath.Join(dir, "test.json"), when, when); err != nil {
		t.Fatal(err)
	}
	return r
}

func scored(t testing.TB, setting *session.Setting, name string, right float64) *eval.Result {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	classes := setting.Project.Recipe.Classes
	var items []eval.Item
	for _, x := range setting.Project.Recipe.Samples("test") {
		answer := x.Answer
		if rng.Float64() > right {
			switch rng.IntN(4) {
			case 0:
				answer = "a wall of stones"
			default:
				answer = classes[(x.Class+1+rng.IntN(3))%len(classes)].Name
			}
		}
		items = append(items, eval.Item{ID: x.ID, Expected: x.Class, Answer: answer, Seconds: 0.031})
	}
	c := setting.Project.Config.Eval
	r, err := eval.Score(items, classes, eval.Options{Subject: name, Split: "test", SuccessOverall: c.SuccessOverall,
		SuccessCondition: c.SuccessCondition, Seed: 1, Resamples: 200})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// speaker answers in pieces, as a model does. Where gate is not nil it waits for it before each piece.
type speaker struct {
	title string
	says  func(q model.Question) string
	gate  chan struct{}
	asked chan model.Question // may be nil
	looks []model.Attention   // at the frames of a clip
}

func (s *speaker) Title() string { return s.title }

func (s *speaker) Hear(ctx context.Context, q model.Question, h session.Hearing) (session.Answer, error) {
	if s.asked != nil {
		s.asked <- q
	}
	if s.looks != nil {
		h.Looked(s.looks)
	}
	a := session.Answer{First: 41 * time.Millisecond, Total: 91 * time.Millisecond}
	for _, word := range strings.SplitAfter(s.says(q), " ") {
		if s.gate != nil {
			select {
			case <-s.gate:
			case <-ctx.Done():
				return a, ctx.Err()
			}
		}
		if err := ctx.Err(); err != nil {
			return a, err
		}
		h.Piece(word)
		a.Text += word
		a.Tokens++
	}
	return a, nil
}

// fake is a control whose subjects say what they are told to.
type fake struct {
	base, run *speaker
	loadErr   error
	scored    float64       // share that an evaluation finds right
	gate      chan struct{} // an evaluation waits for it, where it is not nil
	t         testing.TB
}

func newFake(t testing.TB) *fake {
	return &fake{t: t, scored: 0.9,
		base: &speaker{says: func(model.Question) string { return "a wall of stones" }},
		run:  &speaker{says: func(model.Question) string { return "rock toe damaged" }}}
}

func (f *fake) control() Control {
	return Control{
		Picture: media.NewCache(1 << 24).Decode,
		Open: func(ctx context.Context, file *config.Snapshot, set *dataset.Dataset, before *session.Session,
			report session.Progress) (*session.Session, error) {
			if before == nil {
				return session.OpenOn(ctx, file, set, report)
			}
			return before.Reopen(ctx, file, set, report)
		},
		Load: func(_ context.Context, s *session.Session, name string, report session.Progress) (Asker, error) {
			report(1, 2, "loading "+name)
			if f.loadErr != nil {
				return nil, f.loadErr
			}
			setting, err := s.Setting(name)
			if err != nil {
				return nil, err
			}
			who := f.run
			if name == session.Base {
				who = f.base
			}
			spoken := *who
			spoken.title = setting.Title()
			return &spoken, nil
		},
		Evaluate: func(ctx context.Context, s *session.Session, name, split string,
			report session.Progress) (*eval.Result, error) {
			report(48, 128, "answers")
			if f.gate != nil {
				select {
				case <-f.gate:
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
			return score(f.t, s.Project.File, name, f.scored), nil
		},
	}
}

// lived is a project with a base, two runs and one that has only begun, all but the last evaluated. All tests share its
// folder and change nothing in it.
func lived(t testing.TB) *config.File {
	t.Helper()
	livedOnce.Do(func() { makeLived(t) })
	file, err := config.Load(filepath.Join(livedRoot, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

var (
	livedOnce sync.Once
	livedRoot string
)

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(livedRoot)
	os.RemoveAll(coachedRoot)
	os.Exit(code)
}

func makeLived(t testing.TB) {
	t.Helper()
	root, err := os.MkdirTemp("", "finetui-infer-*")
	if err != nil {
		t.Fatal(err)
	}
	livedRoot = root
	file := projectIn(t, root)
	basic := addRun(t, file, "basic", "basic", 400)
	enhanced := addRun(t, file, "enhanced", "short", 426)
	addRun(t, file, "young", "short", 0)
	score(t, file.Snapshot, session.Base, 0.1)
	score(t, file.Snapshot, basic, 0.8)
	score(t, file.Snapshot, enhanced, 0.93)
}

// openPane shows a pane of a project until it is quiet.
func openPane(t testing.TB, file *config.File, f *fake, w, h int) (*Pane, *viewtest.Driver) {
	t.Helper()
	p := New(file, f.control())
	d := viewtest.OpenProject(t, p, file, project.ReadShared, w, h)
	settled(d, p)
	return p, d
}

// answered waits for the end of the answers and the evaluation that are going on.
func answered(d *viewtest.Driver, p *Pane) {
	d.Wait("the answers", func() bool { return !p.ask.request.Pending() && !p.batch.request.Pending() })
	settled(d, p)
}

// settled waits until nothing is read or drawn any more.
func settled(d *viewtest.Driver, p *Pane) {
	d.Wait("the screen", func() bool {
		reading := slices.ContainsFunc(p.players, func(v *player) bool { return v.request.Pending() })
		return !reading && !p.waiting() && !p.looking.Pending() && !p.pictures.Pending() &&
			!p.compare.request.Pending()
	})
}

var _ views.Pane = (*Pane)(nil)
