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
)

func TestLintPutsErrorsFirst(t *testing.T) {
	p := drawn(t) // all in test: nothing to train on is an error, classes without an object are notes
	findings, err := p.Lint(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	order := func(a, b dataset.Finding) int { return dataset.Severity(a.Level) - dataset.Severity(b.Level) }
	if len(findings) < 2 || findings[0].Level != dataset.LevelError || !slices.IsSortedFunc(findings, order) {
		t.Errorf("findings %+v", findings)
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
	if err := p.File.Override([]string{"EVAL.DATA=more"}); err != nil {
		t.Fatal(err)
	}
	with, err := Open(context.Background(), p.File, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(with.Data.Findings, func(f dataset.Finding) bool { return f.Code == dataset.TooFewFields })
	if at < 0 || with.Data.Findings[at].File != with.Data.Short(labels) {
		t.Errorf("findings %+v", with.Data.Findings)
	}
}

func TestMissingFurtherDataIsNamed(t *testing.T) {
	p := drawn(t)
	if err := p.File.Override([]string{"EVAL.DATA=nowhere"}); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(context.Background(), p.File, nil)
	if err != nil {
		t.Fatalf("a set that only scoring sees keeps the project from opening: %v", err)
	}
	defer opened.Close()
	last := opened.Data.Findings[len(opened.Data.Findings)-1]
	if last.Level != dataset.LevelInfo || !strings.HasPrefix(last.Text, "EVAL.DATA: there is no folder") {
		t.Errorf("finding %+v", last)
	}
	if err := opened.NoSplit("nowhere"); !strings.HasPrefix(err.Error(), "EVAL.DATA: there is no folder") {
		t.Errorf("scoring on it says %v", err)
	}
	if err := opened.NoSplit("moon"); !strings.HasPrefix(err.Error(), "EVAL.SPLIT") {
		t.Errorf("scoring on another one says %v", err)
	}
}
