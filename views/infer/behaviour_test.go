package infer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/core/model"
	"finetui/core/run"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/viewtest"
)

// shows fails unless the screen has all the texts.
func shows(t *testing.T, d *viewtest.Driver, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !d.Shows(text) {
			t.Errorf("the screen does not show %q:\n%s", text, d.Screen())
		}
	}
}

func hides(t *testing.T, d *viewtest.Driver, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if d.Shows(text) {
			t.Errorf("the screen shows %q:\n%s", text, d.Screen())
		}
	}
}

func TestAnswerAppearsPieceByPieceAndStops(t *testing.T) {
	f := newFake(t)
	f.base.gate = make(chan struct{})
	p, d := openPane(t, newProject(t), f, 120, 30)
	shows(t, d, "base tiny", "enter asks")
	d.Press("enter")
	for _, want := range []string{"a▌", "a wall▌"} {
		f.base.gate <- struct{}{}
		d.Wait(want, func() bool { return d.Shows(want) })
	}
	shows(t, d, "esc stops", "tokens/s")
	d.Press("esc")
	shows(t, d, "a wall", "! stopped before its end")
	if p.ask.request.Pending() {
		t.Error("the answer still runs")
	}
	d.Press("enter")
	for range 4 {
		f.base.gate <- struct{}{}
	}
	answered(d, p)
	shows(t, d, "a wall of stones", "4 tokens · 60.0 tokens/s · first after 41 ms",
		"! unparsed: it names none of the 9 classes")
	hides(t, d, "stopped", "▌")
}

func TestAdapterBaseAndBothAnswerWithTheirOwnPrompts(t *testing.T) {
	f := newFake(t)
	f.base.asked, f.run.asked = make(chan model.Question, 9), make(chan model.Question, 9)
	p, d := openPane(t, lived(t), f, 120, 30)
	shows(t, d, "0002-enhanced step 426 (best) on tiny")
	d.Press("R", "down", "enter")
	settled(d, p)
	shows(t, d, "0001-basic step 400 (best) on tiny", "Question · the recipe's", "Answer with its name")
	d.Press("m", "enter")
	answered(d, p)
	shows(t, d, "Answers", "base tiny", "0001-basic step 400", "a wall of stones", "rock toe damaged",
		"base: At the top.", "adapter: At the top.")
	base, run := <-f.base.asked, <-f.run.asked
	if strings.Contains(base.Prompt, "Answer with its name") || !strings.Contains(run.Prompt, "Answer with its name") {
		t.Errorf("base was asked %q, the run %q", base.Prompt, run.Prompt)
	}
	if shown := shownBy(t, base); len(shown) != 1 || shown[0].Frames[0].W != shown[0].Frames[0].H {
		t.Errorf("the base was not shown one square cut-out")
	}
	d.Press("m")
	shows(t, d, "base tiny", "a wall of stones")
	hides(t, d, "0001-basic step 400")
}

func TestTruthTellsRightFromWrong(t *testing.T) {
	f := newFake(t)
	answers := []string{"Vegetation.", "it is a rock toe", "vegetation", "a wall"}
	f.base.says = func(model.Question) string { answer := answers[0]; answers = answers[1:]; return answer }
	p, d := openPane(t, newProject(t), f, 120, 30)
	for range 4 {
		d.Press("enter")
		answered(d, p)
		d.Press("right")
	}
	settled(d, p)
	hides(t, d, "✓", "✗")
	d.Press("h", "h", "h", "h", "t")
	settled(d, p)
	for _, want := range [][]string{
		{"slope_000 · object 1 of 4", "truth: vegetation", "✓ right"},
		{"object 2 of 4", "✗ wrong: it is rock toe damaged (the right object in the wrong",
			"condition); read as rock toe"},
		{"object 3 of 4", "✓ right"},
		{"object 4 of 4", "✗ names no class; it is rock toe damaged"},
	} {
		shows(t, d, want...)
		d.Press("right")
		settled(d, p)
	}
	shows(t, d, "✓ vegetation", "✗ rock toe", "✗ “a wall”")
}

func TestSamplesAreBrowsedAndKeepTheirAnswers(t *testing.T) {
	p, d := openPane(t, newProject(t), newFake(t), 120, 30)
	d.Press("enter")
	answered(d, p)
	d.Press("l", "j", "down", "right", "k")
	settled(d, p)
	shows(t, d, "slope_000 · object 4 of 4", "Samples of test · 4 of 128", "enter asks")
	d.Press("G")
	shows(t, d, "128 of 128")
	d.Press("g")
	settled(d, p)
	shows(t, d, "a wall of stones")
	d.Press("S")
	settled(d, p)
	shows(t, d, "Samples of train · 1 of 18")
	if !strings.Contains(p.Status(), "split train") {
		t.Errorf("status %q", p.Status())
	}
	d.Press("S", "S")
	settled(d, p)
	shows(t, d, "Samples of test · 1 of 128", "a wall of stones")
}

func TestFilterListsSamplesAndAnswersWithEveryLetter(t *testing.T) {
	p, d := openPane(t, lived(t), newFake(t), 120, 30)
	d.Press("/").Type("vegeta")
	settled(d, p)
	listed := p.ask.listed.len()
	if listed == 0 || listed >= 128 {
		t.Fatalf("%d of 128 samples are listed", listed)
	}
	shows(t, d, fmt.Sprintf("1 of %d that pass, of 128", listed))
	d.Press("enter", "down")
	settled(d, p)
	if x, _ := p.ask.sample(base); x.Answer != "vegetation" {
		t.Errorf("down went to a sample of %s", x.Answer)
	}
	d.Press("]", "f", "f", "f")
	for _, i := range p.scores.list.items() {
		item := p.result().Items[i]
		if !p.filter.Passes(item.ID, item.Expected, item.Answer) {
			t.Errorf("%s is listed", item.ID)
		}
	}
	if d.Press("esc"); len(p.scores.list.items()) != 128 || !p.views.Is(scoresView) {
		t.Errorf("after esc %d answers are listed in %s", len(p.scores.list.items()), p.views.View().Name)
	}
	if d.Press("["); p.ask.listed.len() != 128 {
		t.Errorf("after esc %d samples are listed", p.ask.listed.len())
	}
}

func TestNoViewIsALayer(t *testing.T) {
	p, d := openPane(t, lived(t), newFake(t), 120, 30)
	for range p.views.Names() {
		if p.Leave() {
			t.Errorf("%s is left by esc", p.views.View().Name)
		}
		d.Press("]")
	}
}

func TestBrowsingAsksWhereAskedTo(t *testing.T) {
	p, d := openPane(t, newProject(t), newFake(t), 120, 30)
	d.Press("A")
	answered(d, p)
	for range 3 {
		d.Press("j")
		answered(d, p)
	}
	if len(p.ask.given) != 4 {
		t.Errorf("%d answers to 4 samples", len(p.ask.given))
	}
	d.Press("A", "j")
	settled(d, p)
	shows(t, d, "enter asks")
}

func TestPictureFileIsAskedAbout(t *testing.T) {
	f := newFake(t)
	f.base.asked = make(chan model.Question, 9)
	p, d := openPane(t, newProject(t), f, 120, 30)
	d.Press("ctrl+o").Type("data/te")
	d.Wait("a completion", func() bool { return p.ask.editor != nil && !p.ask.editor.wanted.Pending() })
	d.Press("tab").Type("images/nothing.png").Press("enter")
	shows(t, d, "✗ there is no picture data/test/images/nothing.png")
	for range len("nothing.png") {
		d.Press("backspace")
	}
	d.Type("slope_001.png").Press("enter")
	settled(d, p)
	shows(t, d, "slope_001.png", "What it sees · the whole picture", "nobody knows the truth", "Name and state?")
	hides(t, d, "At the top")
	d.Press("enter")
	answered(d, p)
	shows(t, d, "a wall of stones")
	if q := <-f.base.asked; q.Prompt != "Name and state?" || len(shownBy(t, q)) != 1 {
		t.Errorf("asked %q with %d pictures", q.Prompt, len(shownBy(t, q)))
	}
	d.Press("esc")
	settled(d, p)
	shows(t, d, "slope_000 · object 1 of 4")
}

func TestPastedPathOpensAPicture(t *testing.T) {
	file := newProject(t)
	p, d := openPane(t, file, newFake(t), 120, 30)
	path := filepath.Join(file.Root, "data/test/images/slope_002.png")
	d.Send(tea.PasteMsg{Content: " 'file://" + path + "'\n"})
	if p.ask.editor == nil || p.ask.editor.prompt.Value() != path {
		t.Fatalf("the pasted path did not open the editor: %+v", p.ask.editor)
	}
	d.Press("enter")
	settled(d, p)
	shows(t, d, "╭ slope_002.png")
}

func TestOwnQuestionIsAskedUntilItIsEmptied(t *testing.T) {
	f := newFake(t)
	f.base.asked = make(chan model.Question, 9)
	p, d := openPane(t, newProject(t), f, 120, 30)
	d.Press("i")
	for range len(p.ask.questionTo(base)) {
		d.Press("backspace")
	}
	d.Type("What is broken?").Press("enter")
	answered(d, p)
	shows(t, d, "Question · yours", "What is broken?", "a wall of stones")
	if q := <-f.base.asked; q.Prompt != "What is broken?" {
		t.Errorf("asked %q", q.Prompt)
	}
	d.Press("right", "enter")
	answered(d, p)
	if q := <-f.base.asked; q.Prompt != "What is broken?" {
		t.Errorf("the next sample was asked %q", q.Prompt)
	}
	d.Press("i")
	for range len("What is broken?") {
		d.Press("backspace")
	}
	d.Press("enter")
	answered(d, p)
	shows(t, d, "Question · the recipe's", "Name and state?")
	if q := <-f.base.asked; !strings.HasSuffix(q.Prompt, "Name and state?") {
		t.Errorf("asked %q", q.Prompt)
	}
}

func TestWritingReplacesTheQuestionThatStoodThere(t *testing.T) {
	p, d := openPane(t, newProject(t), newFake(t), 120, 30)
	for _, c := range []struct {
		keys []string
		want string
	}{
		{[]string{"i", "w", "h", "y", "enter"}, "why"},
		{[]string{"i", "end", "?", "enter"}, "why?"},
		{[]string{"i", "backspace", "h", "o", "w", "enter"}, "how"},
		{[]string{"i", "left", "right", "enter"}, "how"},
	} {
		d.Press(c.keys...)
		answered(d, p)
		if p.ask.own != c.want {
			t.Errorf("%v asks %q, want %q", c.keys, p.ask.own, c.want)
		}
	}
}

func TestRunWithoutCheckpointCannotBeChosen(t *testing.T) {
	p, d := openPane(t, lived(t), newFake(t), 120, 30)
	d.Press("R", "up", "enter")
	settled(d, p)
	shows(t, d, "0003-young", "it has written no checkpoint yet")
	if p.choice == nil {
		t.Error("the list closed")
	}
	d.Press("esc")
	_, d = openPane(t, newProject(t), newFake(t), 120, 30)
	d.Press("R", "m")
	var said []string
	for _, msg := range d.Seen() {
		if toast, ok := msg.(views.Toast); ok {
			said = append(said, toast.Text)
		}
	}
	slices.Sort(said) // each comes by a command of its own
	if len(said) != 2 || said[0] != noRun || !strings.Contains(said[1], "there is no run yet") {
		t.Errorf("without runs R and m say %q", said)
	}
}

func TestWhoIsAskedStaysWhenAnotherRunWritesACheckpoint(t *testing.T) {
	file := newProject(t)
	addRun(t, file, "first", "short", 10)
	p, d := openPane(t, file, newFake(t), 120, 30)
	shows(t, d, "0001-first step 10")
	addRun(t, file, "second", "short", 20)
	d.Press("ctrl+r")
	settled(d, p)
	shows(t, d, "0001-first step 10")
	if last := p.now.candidates[len(p.now.candidates)-1].Name; last != "0002-second" {
		t.Fatalf("the newest run is %s", last)
	}
}

// A checkpoint that was written since the pane looked is the one that answers: its answer stands there before it is known
// and afterwards.
func TestAnAnswerOfACheckpointThatIsNotYetKnownStays(t *testing.T) {
	file := newProject(t)
	w, err := run.Create(filepath.Join(file.Root, "runs"), "first", run.Meta{Recipe: "first", Base: "tiny",
		Root: file.Root}, file.Raw())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Finish(run.Done, "all epochs are done") })
	checkpoint := func(step int) {
		if err := errors.Join(w.Checkpoint(step, func(string) error { return nil }), w.Rate(step, run.Score{})); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	checkpoint(10)
	p, d := openPane(t, file, newFake(t), 120, 30)
	shows(t, d, "0001-first step 10")
	checkpoint(20)
	d.Press("enter")
	answered(d, p)
	shows(t, d, "0001-first step 20", "rock toe damaged")
	d.Press("]", "[") // which looks for runs
	settled(d, p)
	if p.now.titles[adapter] != "0001-first step 20 (best) on tiny" {
		t.Fatalf("the pane knows %q", p.now.titles)
	}
	shows(t, d, "0001-first step 20", "rock toe damaged")
	if d.Shows("enter asks") {
		t.Errorf("the answer is gone:\n%s", d.Screen())
	}
}

// The base answers until there is a run, as the pane says; whoever was asked meanwhile stays.
func TestTheFirstRunTakesTheBasesPlaceUntilSomebodyWasAsked(t *testing.T) {
	for _, c := range []struct{ press, shown string }{{"", "0001-first step 10"},
		{"enter", "m asks 0001-first instead"}} {
		file := newProject(t)
		p, d := openPane(t, file, newFake(t), 120, 30)
		shows(t, d, "base")
		if c.press != "" {
			d.Press(c.press)
			answered(d, p)
		}
		addRun(t, file, "first", "short", 10)
		d.Press("ctrl+r")
		settled(d, p)
		shows(t, d, c.shown)
	}
}

func TestModelThatCannotBeLoadedSaysWhy(t *testing.T) {
	f := newFake(t)
	f.loadErr = errors.New("model.safetensors is cut off: download it again")
	p, d := openPane(t, newProject(t), f, 120, 30)
	d.Press("enter")
	answered(d, p)
	shows(t, d, "✗ model.safetensors is cut off: download it again")
	f.loadErr = nil
	d.Press("enter")
	answered(d, p)
	shows(t, d, "a wall of stones")
}

func TestChangedConstantsMakeAnswersStale(t *testing.T) {
	file := newProject(t)
	p, d := openPane(t, file, newFake(t), 120, 30)
	d.Press("enter")
	answered(d, p)
	before := p.session
	set(t, file, "VIEW.IMAGES", "ascii")
	d.Send(views.ConfigChanged{File: file})
	settled(d, p)
	if p.session != before {
		t.Error("how pictures are drawn made the pane read the project again")
	}
	shows(t, d, "a wall of stones")
	set(t, file, "INFER.PROMPT", "What do you see?")
	d.Send(views.ConfigChanged{File: file})
	settled(d, p)
	shows(t, d, "Question · INFER.PROMPT", "What do you see?", "enter asks")
	if p.session.Project.Data != before.Project.Data {
		t.Error("the data set was read again")
	}
	d.Send(views.DatasetChanged{})
	settled(d, p)
	if p.session.Project.Data == before.Project.Data {
		t.Error("the data set was not read again after it changed")
	}
}

func TestMissingDataSetIsSaidAndTriedAgain(t *testing.T) {
	file := newProject(t)
	data := filepath.Join(file.Root, "data")
	if err := os.Rename(data, data+"-away"); err != nil {
		t.Fatal(err)
	}
	p, d := openPane(t, file, newFake(t), 80, 22)
	shows(t, d, "✗ There is nothing to ask about yet", "ctrl+r tries again")
	d.Press("enter", "b", "m", "t", "]", "R") // nothing to do, nothing breaks
	if err := os.Rename(data+"-away", data); err != nil {
		t.Fatal(err)
	}
	d.Press("ctrl+r")
	settled(d, p)
	shows(t, d, "Samples of test · 1 of 128")
	d.Send(views.ConfigChanged{})
	shows(t, d, "No project is open")
}

func TestEvaluationShowsItsProgressItsResultAndStops(t *testing.T) {
	f := newFake(t)
	f.gate = make(chan struct{})
	p, d := openPane(t, newProject(t), f, 120, 36)
	d.Press("b")
	d.Wait("progress", func() bool { return d.Shows("48/128") })
	shows(t, d, "Scores of base on test", "Asking about all 128 objects of test")
	if !strings.Contains(p.Status(), "evaluating base 48/128") {
		t.Errorf("status %q", p.Status())
	}
	d.Press("x")
	shows(t, d, "base has not been evaluated on test")
	d.Press("b")
	f.gate <- struct{}{}
	answered(d, p)
	shows(t, d, "Scores of base on test · 128 objects", "perfect answers would score 100 %", "macro-F1")
	if k := p.kept(); k == nil || k.Name != session.Base {
		t.Errorf("kept %+v", k)
	}
}

func TestFewItemsShowTheirHonestInterval(t *testing.T) {
	p, d := openPane(t, lived(t), newFake(t), 120, 30)
	p.views.Show(scoresView)
	shows(t, d, "Toe drain             4   100 %  !51–100 %", "! too few to tell: Toe drain, 4 of 4",
		"✓ goal met, but an interval reaches", "asked: 90 % overall, 85 % in each")
	d.Press("R", "down", "enter")
	settled(d, p)
	shows(t, d, "Scores of 0001-basic", "✗ goal not met")
}

func TestNumbersLeadToTheirAnswersAndThoseToTheirPictures(t *testing.T) {
	p, d := openPane(t, lived(t), newFake(t), 120, 30)
	d.Press("]", "down", "enter")
	settled(d, p)
	if p.views.Board().Focused() != "items" {
		t.Errorf("enter on a class leads to %s", p.views.Board().Focused())
	}
	shows(t, d, "Toe drain- Blocked · 8")
	id := p.result().Items[p.scores.list.items()[0]].ID
	d.Press("enter")
	settled(d, p)
	x, _ := p.ask.sample(base)
	if !p.views.Is(askView) || x.ID != id {
		t.Errorf("the answer about %s leads to %s in %s", id, x.ID, p.views.View().Name)
	}
	shows(t, d, "truth: Toe drain- Blocked")

	d.Press("]", "]", "down", "right", "right", "right")
	settled(d, p)
	shows(t, d, "Of 8 × Toe drain- Blocked, 1 (12 %) called rock toe. Enter", "Toe drain- Blocked → rock toe · 1")
	d.Press("f")
	shows(t, d, "Wrong answers · 11")
	d.Press("f")
	shows(t, d, "Answers that name no class · 1", "“a wall of stones”")
	d.Press("f")
	shows(t, d, "All answers · 128")
	p.views.Named(confusionView).Boards[0].Focus("unparsed")
	d.Press("enter", "enter")
	settled(d, p)
	shows(t, d, "truth: Toe drain- Damaged")
}

func TestSubjectsAreComparedWithTheTest(t *testing.T) {
	p, d := openPane(t, lived(t), newFake(t), 120, 30)
	d.Press("]", "]", "]")
	settled(d, p)
	shows(t, d, "◆  base (zero-shot)", "0001-basic", "base → 0002-enhanced", "McNemar's exact p < 0.001",
		"the adapter (none → ", "Where they differ · 108 objects")
	d.Press("space") // every difference is one from the reference: of the base to the run, and the other way
	settled(d, p)
	shows(t, d, "◆  0002-enhanced", "0002-enhanced → base", "91.4 % → 11.7 %", "−79.7", "-75")
	d.Press("down", "down", "space")
	settled(d, p)
	shows(t, d, "◆  0001-basic", "0001-basic → base")
	d.Press("down", "down")
	shows(t, d, "0001-basic → 0002-enhanced", "McNemar's exact p 0.0", "RECIPE.PROMPT basic →")
	p.views.Named(compareView).Boards[0].Focus("differ")
	id := p.compare.differences()[0].first.ID
	d.Press("enter")
	settled(d, p)
	if x, _ := p.ask.sample(base); x.ID != id || !p.views.Is(askView) {
		t.Errorf("the difference about %s leads to %s", id, x.ID)
	}
	p.views.Show(compareView)
	p.views.Named(compareView).Boards[0].Focus("subjects")
	d.Press("g", "down", "enter")
	settled(d, p)
	shows(t, d, "Scores of base on test")
}

func TestLongAnswersScroll(t *testing.T) {
	f := newFake(t)
	f.base.says = func(model.Question) string {
		return strings.Repeat("one two three four five six seven ",
			60) + "end"
	}
	p, d := openPane(t, newProject(t), f, 80, 22)
	d.Press("enter")
	answered(d, p)
	hides(t, d, "end")
	p.views.Named(askView).Boards[0].Focus("answer")
	d.Press("G")
	shows(t, d, "end")
	d.Press("g")
	hides(t, d, "end")
}

func TestTerminalWithoutPicturesGetsWords(t *testing.T) {
	file := newProject(t)
	set(t, file, "VIEW.IMAGES", "words")
	_, d := openPane(t, file, newFake(t), 120, 30)
	shows(t, d, "The object reaches from", "VIEW.IMAGES = \"words\"")
}

func TestCopyTakesWhatIsSeen(t *testing.T) {
	p, d := openPane(t, lived(t), newFake(t), 120, 30)
	d.Press("y", "enter")
	answered(d, p)
	d.Press("y", "]", "y")
	settled(d, p)
	var said []string
	for _, msg := range d.Seen() {
		switch msg := msg.(type) {
		case views.Toast:
			said = append(said, msg.Text)
		case views.Clipboard:
			said = append(said, "copied "+msg.Text)
		}
	}
	if len(said) != 3 || said[0] != "there is nothing to copy yet" || !strings.HasPrefix(said[1], "copied ") ||
		!strings.HasPrefix(said[2], "copied ") {
		t.Errorf("said %q", said)
	}
}

// shownBy are what a question shows.
func shownBy(t *testing.T, q model.Question) []model.Shown {
	t.Helper()
	shown, err := q.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return shown
}
