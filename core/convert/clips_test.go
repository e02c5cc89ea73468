package convert

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/project"
)

// ofPictures are the dialects that take pictures.
func ofPictures() (names []string) {
	for _, d := range dialects {
		if !d.asWritten {
			names = append(names, string(d.name))
		}
	}
	return names
}

// clipProject opens a project on a label file of clips.
func clipProject(t *testing.T, dir string, overrides ...string) *project.Project {
	t.Helper()
	path := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte("[PROJECT]\nNAME = \"qved\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	base := []string{"DATASET.PATH=labels.json", "RECIPE.SAMPLING=instance", "CONVERT.DIALECT=mobile-videogpt",
		"CONVERT.USER_PROMPT_TEMPLATE=Analyze this {exercise} video and provide corrective feedback."}
	if err := file.Override(append(base, overrides...)); err != nil {
		t.Fatal(err)
	}
	// the clips of these tests are empty
	set, err := dataset.Read(context.Background(), file.Config.Dataset, file.Root, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := project.OpenOn(context.Background(), file.Snapshot, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

type videoRow struct {
	Video         string
	Conversations []struct{ From, Value string }
	Split         string
}

func rowsOf(t *testing.T, result *Result) (rows []videoRow, text []byte) {
	t.Helper()
	if len(result.Files) != 1 || filepath.Base(result.Files[0].Path) != "qved_train.json" {
		t.Fatalf("files %+v", result.Files)
	}
	text, err := os.ReadFile(result.Files[0].Path)
	if err == nil {
		err = json.Unmarshal(text, &rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rows, text
}

func TestClipsAreConvertedByTheSpecification(t *testing.T) {
	at := filepath.Join("..", "..", "..", "shared", "golden", "mobile-videogpt", "qved")
	if root := os.Getenv("FINETUI_GOLDEN"); root != "" {
		at = filepath.Join(root, "mobile-videogpt", "qved")
	}
	labels, err := os.ReadFile(filepath.Join(at, "labels.json"))
	if err != nil {
		t.Skipf("no reference outputs at %s: set FINETUI_GOLDEN", at)
	}
	var want struct {
		Records []struct{ Video, Exercise, Answer, Split string }
	}
	text, err := os.ReadFile(filepath.Join(at, "expected_by_spec.json"))
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	moved := strings.ReplaceAll(string(labels), "/srv/qved/", dir+"/")
	if err := os.WriteFile(filepath.Join(dir, "labels.json"), []byte(moved), 0o644); err != nil {
		t.Fatal(err)
	}
	p := clipProject(t, dir, "CONVERT.KEEP_MISSING=true")
	rows, _ := rowsOf(t, convertAll(t, p))
	if len(rows) != len(want.Records) {
		t.Fatalf("%d rows, want %d", len(rows), len(want.Records))
	}
	byVideo := map[string]videoRow{}
	for _, row := range rows {
		byVideo[row.Video] = row
	}
	key := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", " ")) }
	for _, r := range want.Records {
		row := byVideo[r.Video]
		asked := fmt.Sprintf("<video>\nAnalyze this %s video and provide corrective feedback.", r.Exercise)
		if len(row.Conversations) != 2 || row.Split != r.Split || row.Conversations[0].From != "human" ||
			row.Conversations[1].From != "gpt" || key(row.Conversations[0].Value) != key(asked) ||
			row.Conversations[1].Value != r.Answer {
			t.Errorf("%s: got %+v, want %+v", r.Video, row, r)
		}
	}
}

func TestClipsAreLimitedPerClassAlikeEverywhere(t *testing.T) {
	var labels []string
	dir := t.TempDir()
	for i := range 60 {
		path := fmt.Sprintf("%02d.mp4", i)
		labels = append(labels, fmt.Sprintf(`{"video_path": "./%s", "labels": ["%s - x"], "split": "%s"}`, path,
			[]string{"squats", "Squats", "lunges"}[i%3], []string{"train", "test"}[i%2]))
		if i != 7 {
			if err := os.WriteFile(filepath.Join(dir, path), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	text := "[" + strings.Join(labels, ",\n") + "]"
	if err := os.WriteFile(filepath.Join(dir, "labels.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	limited := []string{"CONVERT.LIMIT_PER_CLASS=10", "PROJECT.SEED=1337"}
	result := convertAll(t, clipProject(t, dir, limited...))
	rows, first := rowsOf(t, result)
	if n := len(rows); n > 20 || n < 19 {
		t.Errorf("%d rows of two classes, want 10 of each but for the one that is missing", n)
	}
	said := slices.IndexFunc(result.Findings, func(f dataset.Finding) bool { return f.Code == summary })
	if said < 0 || !strings.Contains(result.Findings[said].Text, "LIMIT_PER_CLASS = 10 leaves out 40") {
		t.Errorf("findings %+v", result.Findings)
	}
	if _, again := rowsOf(t, convertAll(t, clipProject(t, dir, limited...))); string(again) != string(first) {
		t.Error("the same seed gives other bytes")
	}
	if _, other := rowsOf(t, convertAll(t, clipProject(t, dir, limited[0],
		"PROJECT.SEED=2"))); string(other) == string(first) {
		t.Error("another seed gives the same bytes")
	}
	rows, _ = rowsOf(t, convertAll(t, clipProject(t, dir, "CONVERT.DIALECT=mobile-videogpt-roles",
		"CONVERT.SYSTEM_PROMPT=Coach.")))
	if len(rows) != 59 || len(rows[0].Conversations) != 3 || rows[0].Conversations[0].From != "system" ||
		rows[0].Conversations[2].From != "assistant" {
		t.Errorf("%d rows, the first %+v", len(rows), rows[0])
	}
}

// What is said of a set of clips speaks of clips, in convert, in lint and where a split has nothing to score.
func TestASetOfClipsIsNotSaidToBeOfPictures(t *testing.T) {
	dir := t.TempDir()
	labels := `[{"video_path":"a.mp4","labels":["bow - low"],"split":"train"},
		{"video_path":"b.mp4","labels":["jump - high"],"split":"test"}]`
	for name, text := range map[string]string{"labels.json": labels, "b.mp4": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := clipProject(t, dir)
	var said []string
	for _, kept := range []bool{false, true} {
		p.Config.Convert.KeepMissing = kept
		result, err := Write(context.Background(), p, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range result.Findings {
			said = append(said, f.Text, f.Do)
		}
	}
	found, err := p.Recipe.Lint(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		said = append(said, f.Text, f.Do)
	}
	said = append(said, p.NoSplit("valid").Error())
	all := strings.Join(said, "\n")
	for _, want := range []string{"add the clip before training", "add the clip, or set", "move some of its clips",
		"its clips are missing"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said", want)
		}
	}
	for _, text := range said {
		if strings.Contains(text, "picture") {
			t.Errorf("of clips: %s", text)
		}
	}
}
