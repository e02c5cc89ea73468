package main

import (
	"os"
	"slices"
	"testing"

	"finetui/views"
	"finetui/views/viewtest"
)

// markable is a pane in which something is marked.
type markable struct {
	*viewtest.Sample
	marks []string
}

func (m *markable) Marked() []string    { return m.marks }
func (m *markable) Mark(names []string) { m.marks = names }

var _ views.Marker = (*markable)(nil)

func TestWhatIsMarkedIsFoundAgain(t *testing.T) {
	project := t.TempDir()
	opened := func(marks ...string) (*root, *markable) {
		m := &markable{viewtest.NewSample("Train"), marks}
		return newRoot("demo", viewtest.NewSample("Data"), m), m
	}
	r, _ := opened()
	if r.keep(project); exists(keptFile(project)) {
		t.Error("a file says that nothing is marked")
	}
	r, _ = opened("0001-basic", "0002-enhanced")
	r.keep(project)
	r, m := opened()
	if r.recall(project); !slices.Equal(m.marks, []string{"0001-basic", "0002-enhanced"}) {
		t.Errorf("marked %q", m.marks)
	}
	m.marks = nil
	r.keep(project)
	r, m = opened("0003-other")
	if r.recall(project); len(m.marks) > 0 {
		t.Errorf("after all marks were taken off, marked %q", m.marks)
	}
	for _, garbage := range []string{"", "{", `{"schema": 9, "marks": {"Train": ["x"]}}`} {
		if err := os.WriteFile(keptFile(project), []byte(garbage), 0o644); err != nil {
			t.Fatal(err)
		}
		r, m = opened("as before")
		if r.recall(project); !slices.Equal(m.marks, []string{"as before"}) {
			t.Errorf("%q marks %q", garbage, m.marks)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
