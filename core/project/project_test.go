package project

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/dataset"
	"finetui/core/level"
)

func TestLintPutsErrorsFirst(t *testing.T) {
	p := drawn(t) // all in test: nothing to train on is an error, classes without an object are notes
	findings, err := p.Lint(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	order := func(a, b dataset.Finding) int { return a.Level.Severity() - b.Level.Severity() }
	if len(findings) < 2 || findings[0].Level != level.Error || !slices.IsSortedFunc(findings, order) {
		t.Errorf("findings %+v", findings)
	}
}

// A base without projectors cannot be trained with a rate for
// them: lint says so, and so stops the run before it begins.
func TestLintNamesProjectorsThatAreNotThere(t *testing.T) {
	p := drawn(t)
	for rate, want := range map[float64]int{2e-5: 1, 0: 0} {
		p.Config.Train.ProjectorLR = rate
		findings, err := p.Lint(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, f := range findings {
			if f.Code == "no_projectors" && f.Level == level.Error &&
				strings.Contains(f.Do, "set TRAIN.PROJECTOR_LEARNING_RATE to 0") {
				n++
			}
		}
		if n != want {
			t.Errorf("with a rate of %g: %+v", rate, findings)
		}
	}
}

func TestLintStopsOnTheContext(t *testing.T) {
	p := drawn(t)
	ctx, stop := context.WithCancel(context.Background())
	calls := 0
	_, err := p.Lint(ctx, func(_, _ int, _ string) {
		calls++
		stop()
	})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%d samples were looked at, error %v", calls, err)
	}
}

func TestFindingsOfFurtherDataNameTheirOwnFiles(t *testing.T) {
	p := drawn(t)
	root := p.File.Root
	more := filepath.Join(root, "more")
	if err := os.CopyFS(more, os.DirFS(filepath.Join(root, "data"))); err != nil {
		t.Fatal(err)
	}
	labels := filepath.Join(more, "test", "labels", "slope_0001.txt")
	if err := os.WriteFile(labels, []byte("garbage\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := p.File.Override([]string{"EVAL.DATA=more"})
	if err != nil {
		t.Fatal(err)
	}
	with, err := Open(context.Background(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(with.Data.Findings, func(f dataset.Finding) bool { return f.Code == dataset.TooFewFields })
	if at < 0 || with.Data.Findings[at].File != with.Data.Short(labels) {
		t.Errorf("findings %+v", with.Data.Findings)
	}
}

func TestMissingFurtherDataStopsNothingButScoring(t *testing.T) {
	p := drawn(t)
	before := p.Data.Fingerprint()
	for _, broken := range []string{"nowhere", "config.toml"} {
		file, err := p.File.Override([]string{"EVAL.DATA=" + broken})
		if err != nil {
			t.Fatal(err)
		}
		opened, err := Open(context.Background(), file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if why := opened.NoSplit(broken); strings.Contains(why.Error(), "DATASET.PATH") ||
			strings.Contains(why.Error(), "stat ") || !strings.HasPrefix(why.Error(), "EVAL.DATA: ") {
			t.Errorf("%s: got %v", broken, why)
		}
		if err := opened.NoSplit("moon"); !strings.HasPrefix(err.Error(), "EVAL.SPLIT") {
			t.Errorf("scoring on another one says %v", err)
		}
		last := opened.Data.Findings[len(opened.Data.Findings)-1]
		if last.Code != "eval_data" || last.Level != level.Info || opened.Data.Fingerprint() != before {
			t.Errorf("%s: findings %+v", broken, opened.Data.Findings)
		}
	}
}

func TestFurtherDataIsNoPartOfTheFingerprint(t *testing.T) {
	p := drawn(t)
	before := p.Data.Fingerprint()
	more := filepath.Join(p.File.Root, "more")
	if err := os.CopyFS(more, os.DirFS(filepath.Join(p.File.Root, "data"))); err != nil {
		t.Fatal(err)
	}
	file, err := p.File.Override([]string{"EVAL.DATA=more"})
	if err != nil {
		t.Fatal(err)
	}
	with, err := Open(context.Background(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(with.Data.Items) != 2*len(p.Data.Items) || with.Data.Fingerprint() != before ||
		len(with.Data.Own().Items) != len(p.Data.Items) {
		t.Errorf("%d items, fingerprint %s, want %d and %s", len(with.Data.Items), with.Data.Fingerprint(),
			2*len(p.Data.Items), before)
	}
}
