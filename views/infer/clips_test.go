package infer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/session"
	"finetui/core/video"
	"finetui/views/viewtest"
)

// coachedClips are the exercises of the fixture's test split, with how many clips there are of each.
var coachedClips = []struct {
	exercise, advice string
	n                int
}{{"squats", "Keep your back straight", 5}, {"elbow plank", "Hold your hips level", 3}, {"lunges", "Step longer", 2}}

// coached is a project of exercise clips with a run, both it and the base scored: the base names no exercise. All tests
// share its folder and change nothing in it.
func coached(t *testing.T) *config.File {
	t.Helper()
	t.Setenv("PATH", t.TempDir()) // without FFmpeg: the clips are none that it could read
	t.Setenv("NLTK_DATA", noSynonyms(t))
	coachedOnce.Do(func() {
		var err error
		if coachedRoot, err = os.MkdirTemp("", "finetui-coached-*"); err != nil {
			t.Fatal(err)
		}
		makeCoached(t, coachedRoot)
	})
	file, err := config.Load(filepath.Join(coachedRoot, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// noSynonyms is a folder of nltk's data whose WordNet knows one word: it is found before any that this machine has, so
// that METEOR is the same on every machine.
func noSynonyms(t *testing.T) string {
	t.Helper()
	dir, licence := t.TempDir(), "  1 This is WordNet 0.0 for tests\n"
	for _, part := range []string{"noun", "verb", "adj", "adv"} {
		at := filepath.Join(dir, "corpora", "wordnet")
		write(t, filepath.Join(at, "index."+part), licence+"drain n 1 0 1 0 00000034\n")
		write(t, filepath.Join(at, "data."+part), licence+"00000034 06 n 01 drain 0 000 | carries water\n")
		write(t, filepath.Join(at, part+".exc"), "")
	}
	return dir
}

var (
	coachedOnce sync.Once
	coachedRoot string
)

func makeCoached(t *testing.T, root string) *config.File {
	t.Helper()
	var records []map[string]any
	for _, split := range []string{"train", "test"} {
		for _, of := range coachedClips {
			for range of.n {
				name := fmt.Sprintf("%08d.mp4", len(records))
				write(t, filepath.Join(root, "data", name), "clip "+name)
				records = append(records, map[string]any{"video_path": "./" + name, "split": split,
					"labels":             []string{of.exercise + " - fault"},
					"labels_descriptive": []string{of.exercise + " - " + of.advice}})
			}
		}
	}
	file := labelledClips(t, root, records)
	label := addRun(t, file, "coach", "short", 60)
	scoreWords(t, file.Snapshot, session.Base, func(i int, truth string) string { return "a wall of stones" })
	scoreWords(t, file.Snapshot, label, func(i int, truth string) string {
		exercise, _, _ := strings.Cut(truth, " - ")
		switch i % 4 {
		case 1:
			return exercise + " - Keep going"
		case 3:
			return "burpees - Keep going"
		}
		return truth
	})
	return file
}

// labelledClips is a project of clips with these records, in a folder that has the clips.
func labelledClips(t *testing.T, root string, records []map[string]any) *config.File {
	t.Helper()
	text, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "data", "fine_grained_labels.json"), string(text))
	file, err := config.Preset("qved")
	if err != nil {
		t.Fatal(err)
	}
	file.Move(filepath.Join(root, "config.toml"), root)
	for name, value := range map[string]string{"MODEL.BASE": "tiny", "PROJECT.RUNS": "runs",
		"TRAIN.PROJECTOR_LEARNING_RATE": "0"} {
		set(t, file, name, value)
	}
	if err := file.Save(); err != nil {
		t.Fatal(err)
	}
	return file
}

// scoreWords makes and keeps the evaluation of a subject that says what it is told to.
func scoreWords(t testing.TB, file *config.Snapshot, name string, says func(i int, truth string) string) {
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
	samples := setting.Project.Recipe.Samples("test")
	replies := make([]model.Reply, len(samples))
	for i, x := range samples {
		replies[i] = model.Reply{Text: says(i, x.Answer), Tokens: 12, Seconds: 0.05}
	}
	closed, err := setting.Project.Score(samples, replies, name, "test", 200)
	if err != nil {
		t.Fatal(err)
	}
	words, err := setting.Project.ScoreText(samples, replies, name, "test", 200)
	if err != nil {
		t.Fatal(err)
	}
	timed, err := setting.Project.ScoreTimed(samples, replies, name, "test", 200)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(file.Root, "runs", name, "eval")
	write(t, filepath.Join(dir, "test.toml"), string(config.Render(setting.Project.Config)))
	if timed != nil {
		if err := timed.WriteJSON(filepath.Join(dir, "test.timed.json")); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(closed.WriteJSON(filepath.Join(dir, "test.json")),
		words.WriteJSON(filepath.Join(dir, "test.text.json"))); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2026, 3, 4, 15, 6, 0, 0, time.Local)
	if err := os.Chtimes(filepath.Join(dir, "test.json"), when, when); err != nil {
		t.Fatal(err)
	}
}

// clipOf20 is a clip of 20 frames of w×h, four of which the model is shown.
func clipOf20(w, h int) *session.Clip {
	c := &session.Clip{Info: &video.Info{W: w, H: h, Frames: 20, Duration: 2, FPS: 10}, Shown: []int{0, 6, 13, 19}}
	for i := range 20 {
		p := media.NewPicture(w, h)
		for at := range w * h {
			copy(p.Pix[3*at:], []byte{byte(12 * i), byte(at % w * 255 / w), byte(at / w * 255 / h)})
		}
		c.Frames = append(c.Frames, video.Frame{Index: i, Seconds: float64(i) / 10, Picture: p})
	}
	return c
}

// showing is a control whose clips are read by a function.
func (f *fake) showing(read func(path string) (*session.Clip, error)) Control {
	c := f.control()
	c.Clip = func(_ context.Context, _ *session.Session, _ *session.Setting, path string) (*session.Clip, error) {
		return read(path)
	}
	return c
}

// openCoached shows the pane of a project of clips.
func openCoached(t *testing.T, f *fake, w, h int) (*Pane, *viewtest.Driver) {
	t.Helper()
	p := New(coached(t), f.showing(func(string) (*session.Clip, error) { return clipOf20(96, 72), nil }))
	d := viewtest.OpenProject(t, p, p.file, project.ReadShared, w, h)
	settled(d, p)
	return p, d
}

func TestAnswersInWordsAreScoredBesideTheirTruths(t *testing.T) {
	p, d := openCoached(t, newFake(t), 120, 44)
	d.Press("]")
	settled(d, p)
	shows(t, d, "Scores of 0001-coach on test · 10 clips", "exercise", "identified", "METEOR", "ROUGE-L", "all  ",
		"perfect answers would score METEOR", "240 tokens/s", "All answers · 10", "it said: burpees - Keep going",
		"truth:   ", "✗ names another exercise or none · METEOR", "evaluated 4 Mar 15:06")
	screen := d.Screen()
	for _, pair := range [][2]string{{" squats ", " elbow plank "}, {" elbow plank ", " lunges "}} {
		if strings.Index(screen, pair[0]) > strings.Index(screen, pair[1]) {
			t.Errorf("%q does not stand before%q:\n%s", pair[0], pair[1], screen)
		}
	}
	d.Press("down", "down")
	shows(t, d, "▸elbow plank", "Elbow plank · 3")
	if got := p.scores.text(); !strings.Contains(got, "exercise identified") {
		t.Errorf("copied is %q", got)
	}
	d.Press("v")
	shows(t, d, "recall", "precision")
	hides(t, d, "METEOR", "by condition", "by object") // one condition, and each class an object: they would say the same
	d.Press("v")
	shows(t, d, "METEOR")
}

// spoken is a project of clips with feedback that has its moments, and a run that is scored. The first clip was answered
// in part, the second in full, the third without a second, the fourth not at all.
func spoken(t *testing.T) *config.File {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
	t.Setenv("NLTK_DATA", noSynonyms(t))
	root := t.TempDir()
	var records []map[string]any
	for i := range 8 {
		name := fmt.Sprintf("%08d.mp4", i)
		write(t, filepath.Join(root, "data", name), "clip "+name)
		records = append(records, map[string]any{"video_path": "./" + name, "split": []string{"train", "test"}[i/4],
			"labels": []string{"squats - coached"}, "feedbacks": []string{"Lower your hips", "Keep going", "Well done"},
			"feedback_timestamps": []float64{0.5, 1.9, 12}})
	}
	file := labelledClips(t, root, records)
	label := addRun(t, file, "coach", "short", 60)
	scoreWords(t, file.Snapshot, label, func(i int, truth string) string {
		return []string{"0.9 s: Lower your hips now\n5 s: Chest up\n11 s: Well done", truth, "Well done, keep going",
			""}[i]
	})
	return file
}

func openSpoken(t *testing.T, file *config.File, w, h int) (*Pane, *viewtest.Driver) {
	t.Helper()
	p := New(file, newFake(t).showing(func(string) (*session.Clip, error) { return clipOf20(96, 72), nil }))
	d := viewtest.OpenProject(t, p, p.file, project.ReadShared, w, h)
	settled(d, p)
	d.Press("]")
	settled(d, p)
	return p, d
}

func TestFeedbackThatHasItsMomentIsSeenOnOneTimeLine(t *testing.T) {
	p, d := openSpoken(t, spoken(t), 120, 40)
	shows(t, d, "Scores of 0001-coach on test · 4 clips", "expected", "T-F", "12 expected, 6 given, 5 matched",
		"precision", "Time line of 00000006.mp4 · 3 missed · 0 false", "no line of the answer has its second",
		"Well done, keep going")
	d.Press("down", "down")
	settled(d, p)
	shows(t, d, "▸00000004.mp4", "Time line of 00000004.mp4 · 1 missed · 1 false", "✓ Lower your hips now", "+0.4 s",
		"✗ missed", "✗ Chest up", "−1.0 s", "● matched  ○ missed  ✗ false", "6/20 · 0:00.50")
	p.views.Board().Focus("items")
	d.Press("down")
	settled(d, p)
	shows(t, d, "expected: 1.9 s: Keep going", "given:    nothing less than 1.5 s away", "20/20 · 0:01.90")
	if got := p.scores.text(); !strings.Contains(got, "T-F") {
		t.Errorf("copied is %q", got)
	}
	d.Press("v")
	settled(d, p)
	shows(t, d, "exercise", "identified", "All answers · 4")
	d.Press("v", "v")
	settled(d, p)
	shows(t, d, "Time line of")
	d.Press("/", "Z")
	settled(d, p)
	shows(t, d, "the filter lets no clip through")
}

func TestAnAnswerSaysHowMuchOfItComesAtItsMoment(t *testing.T) {
	f := newFake(t)
	f.run.says = func(model.Question) string { return "0.9 s: Lower your hips\n5 s: Chest up" }
	p := New(spoken(t), f.showing(func(string) (*session.Clip, error) { return clipOf20(96, 72), nil }))
	d := viewtest.OpenProject(t, p, p.file, project.ReadShared, 120, 40)
	settled(d, p)
	d.Press("enter")
	answered(d, p)
	shows(t, d, "2 with their second")
	d.Press("t")
	settled(d, p)
	shows(t, d, "! 1 of 3 at their moment, less than 1.5 s away; 1 at none")
}

func TestAnswersInWordsAreComparedByTheirWords(t *testing.T) {
	p, d := openCoached(t, newFake(t), 120, 44)
	d.Press("[")
	settled(d, p)
	shows(t, d, "base (zero-shot)", "METEOR", "they differ by", "Exercise by exercise", "0 → ", "paired bootstrap",
		"Where they differ · 10 clips", "a wall of stones", "truth: ", "· 1/20 ·")
	if got := p.compare.text(); !strings.Contains(got, "METEOR base") {
		t.Errorf("copied is %q", got)
	}
	d.Press("v")
	settled(d, p)
	shows(t, d, "macro-F1", "McNemar's exact p", "Class by class")
}

// What convert or an earlier program left there of a subject may be damaged: its figures by class stay.
func TestADamagedFileOfAnswersInWordsIsSaid(t *testing.T) {
	f := newFake(t)
	t.Setenv("PATH", t.TempDir())
	file := makeCoached(t, t.TempDir())
	write(t, filepath.Join(file.Root, "runs/0001-coach/eval/test.text.json"), "{")
	p := New(file, f.showing(func(string) (*session.Clip, error) { return clipOf20(96, 72), nil }))
	d := viewtest.OpenProject(t, p, file, project.ReadShared, 120, 32)
	settled(d, p)
	d.Press("]")
	settled(d, p)
	shows(t, d, "recall", "evaluate again")
}

func TestFramesThatTheModelLooksAtAreMarkedWithTheirScores(t *testing.T) {
	for _, size := range [][2]int{{80, 22}, {120, 30}, {200, 58}} {
		for _, clip := range []*session.Clip{clipOf20(96, 72), clipOf20(54, 96)} {
			f := newFake(t)
			f.run.looks = []model.Attention{{Share: []float64{.4, .1, .3, .2}, Chosen: []int{0, 2}}}
			p := New(coached(t), f.showing(func(string) (*session.Clip, error) { return clip, nil }))
			d := viewtest.OpenProject(t, p, p.file, project.ReadShared, size[0], size[1])
			settled(d, p)
			shows(t, d, "What it sees · 4 of 20", "▸0:00.00", "0:00.60", "0:01.30", "0:01.90")
			hides(t, d, "40.0 %")
			d.Press("enter")
			answered(d, p)
			shows(t, d, "● 40.0 %", "● 30.0 %", "10.0 %", "20.0 %")
			hides(t, d, "● 10.0 %", "● 20.0 %")
			if size[0] >= 120 {
				shows(t, d, "Sees 4 of 20 frames · ● 2 chosen")
			}
		}
	}
}

func TestArrowsPlayThroughAClip(t *testing.T) {
	p, d := openCoached(t, newFake(t), 120, 30)
	p.ask.board.Focus("picture")
	for _, step := range []struct{ key, want string }{{"right", "2/20 · 0:00.10"}, {"right", "3/20 · 0:00.20"},
		{"left", "2/20 · 0:00.10"}, {"down", "7/20 · 0:00.60"}, {"down", "14/20 · 0:01.30"}, {"up", "7/20 · 0:00.60"},
		{"G", "20/20 · 0:01.90"}, {"right", "20/20 · 0:01.90"}, {"g", "1/20 · 0:00.00"}} {
		d.Press(step.key)
		settled(d, p)
		shows(t, d, step.want)
	}
	d.Press("tab", "tab", "tab", "right") // among the samples it is another clip
	settled(d, p)
	shows(t, d, "Samples of test · 2 of 10")
}

// A clip that cannot be read says so where its frames would stand, and the others stay.
func TestAClipThatCannotBeReadSaysSoInThePane(t *testing.T) {
	p := New(coached(t), newFake(t).showing(func(path string) (*session.Clip, error) {
		if strings.HasSuffix(path, "10.mp4") {
			return nil, errors.New("data/00000010.mp4: it has sound and no picture; leave it out")
		}
		return clipOf20(96, 72), nil
	}))
	d := viewtest.OpenProject(t, p, p.file, project.ReadShared, 120, 30)
	settled(d, p)
	shows(t, d, "it has sound and no")
	d.Press("down")
	settled(d, p)
	shows(t, d, "4 of 20 frames")
	hides(t, d, "it has sound and no")
}

func TestScreensOfClips(t *testing.T) {
	for size, name := range map[[2]int]string{{120, 30}: "120x32", {80, 22}: "80x24"} {
		p, d := openCoached(t, newFake(t), size[0], size[1])
		d.Press("]")
		settled(d, p)
		d.Golden("words-" + name)
		if size[0] == 80 {
			viewtest.Sizes(t, func(w, h int) string { return p.View(theme(), w, h) })
		}
		d.Press("]", "]")
		settled(d, p)
		d.Golden("words-compared-" + name)
	}
}

func TestTimedFeedbackOfTwoIsCompared(t *testing.T) {
	file := spoken(t)
	scoreWords(t, file.Snapshot, addRun(t, file, "on-time", "list", 60), func(i int, truth string) string {
		return []string{truth, truth, "2 s: Keep going\n6 s: Well done", "0.4 s: Lower your hips"}[i]
	})
	for size, name := range map[[2]int]string{{200, 58}: "200x60", {120, 30}: "120x32", {80, 22}: "80x24"} {
		p, d := openSpoken(t, file, size[0], size[1])
		d.Press("]", "]")
		settled(d, p)
		if size[0] == 80 {
			viewtest.Sizes(t, func(w, h int) string { return p.View(theme(), w, h) })
		}
		d.Golden("timed-compared-" + name)
		if size[0] == 120 {
			d.Press("v")
			settled(d, p)
			shows(t, d, "METEOR", "identified", "T-F 0.556 → 0.762")
		}
	}
}

func TestScreensOfTimedFeedback(t *testing.T) {
	for size, name := range map[[2]int]string{{200, 58}: "200x60", {120, 30}: "120x32", {80, 22}: "80x24"} {
		p, d := openSpoken(t, spoken(t), size[0], size[1])
		d.Press("down", "down")
		settled(d, p)
		if size[0] == 80 {
			p.views.Board().Focus("items")
			viewtest.Sizes(t, func(w, h int) string { return p.View(theme(), w, h) })
		}
		d.Golden("timed-" + name)
	}
}
