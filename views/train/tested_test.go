package train

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"finetui/core/dataset"
	"finetui/core/eval"
	"finetui/views/widget"
)

// evaluated writes what a run answered on test: n rock toes, of which it says those in wrong to be vegetation.
func evaluated(t *testing.T, dir, name string, n int, wrong ...int) {
	t.Helper()
	classes := []dataset.Class{{Name: "rock toe", Object: "rock toe", Condition: "normal"},
		{Name: "vegetation", Object: "vegetation", Condition: "normal"}}
	var items []eval.Item
	for i := range n {
		items = append(items, eval.Item{ID: fmt.Sprintf("test/%d#0", i), Answer: "rock toe"})
	}
	for _, i := range wrong {
		items[i].Answer = "vegetation"
	}
	result, err := eval.Score(items, classes, eval.Options{Subject: name, Split: "test"})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, name, "eval")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := result.WriteJSON(filepath.Join(folder, "test.json")); err != nil {
		t.Fatal(err)
	}
}

func TestComparedRunsAreTestedAgainstEachOther(t *testing.T) {
	dir := folder(t, doneRun, killedRun)
	evaluated(t, dir, "0001-basic", 60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	evaluated(t, dir, "0002-enhanced", 60, 1, 20)
	p, d := open(t, control(dir), 120, 30)
	d.Press("J", "space", "K", "space").Wait("both runs", p.allRead)
	if len(p.tests.of) > 0 {
		t.Error("runs are tested before anybody looks at the comparison")
	}
	d.Press("c").Wait("the test", func() bool { return len(p.tests.splits) > 0 })
	text := strings.Join(strings.Fields(ansi.Strip(strings.Join(p.tests.lines(widget.NewTheme(true, false), 60), " "))),
		" ")
	for _, want := range []string{"on test alone right of McNemar p", "A and B 1 and 9 60 0.021 ✓ they differ"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	d.Golden("tested-120x30")

	before := p.tests.of
	d.Press("tab", "down", "o")
	if len(p.tests.of) != 2 || p.tests.of[0] != before[0] || p.tests.request.Pending() {
		t.Error("the same evaluations are tested again")
	}
	if d.Press("space"); len(p.tests.splits) > 0 && len(p.compared()) < 2 {
		t.Error("a test of two stands beside one run")
	}
}

func TestEvaluationsThatCannotBeComparedSayWhy(t *testing.T) {
	a := &eval.Result{Subject: "a", Split: "test", ClosedList: []eval.Label{{Name: "x"}}}
	b := &eval.Result{Subject: "b", Split: "test", ClosedList: []eval.Label{{Name: "y"}}}
	p := New(Control{})
	p.tests.splits = testEach([]string{"test", "valid"}, []*eval.Result{a, b, {Split: "valid"}},
		[]string{"A", "B", "B"}, 1)
	lines := p.tests.lines(widget.NewTheme(true, false), 60)
	if text := strings.Join(lines, " "); len(p.tests.splits) != 1 ||
		!strings.Contains(text, "different closed lists") {
		t.Errorf("it says %q", text)
	}
}

func TestDetailsWrapWhatIsLongAtTheirNarrowest(t *testing.T) {
	dir := folder(t, doneRun)
	p, d := open(t, control(dir), 120, 30)
	d.Press("enter").Wait("the run", p.allRead)
	theme := widget.NewTheme(true, false)
	about, beside := &details{p.shared}, &comparison{shared: p.shared}
	for name, lines := range map[string][]string{"constants": about.constantLines(theme, 34),
		"evaluation": about.resultLines(theme, 34), "differences": beside.differenceLines(theme, 34)} {
		for _, line := range lines {
			if widget.Width(line) > 34 {
				t.Errorf("%s: %q is wider than the panel", name, ansi.Strip(line))
			}
		}
	}
	if text := ansi.Strip(strings.Join(about.resultLines(theme, 34),
		" ")); !strings.Contains(strings.Join(strings.Fields(text), " "), "or b in Infer") {
		t.Errorf("the evaluation says %q", text)
	}
}
