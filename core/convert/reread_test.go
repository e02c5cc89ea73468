package convert

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/project"
	"finetui/core/recipe"
)

// asSaid is what a model is shown, asked and told, whatever the samples are called.
func asSaid(r *recipe.Recipe) (all []string) {
	for _, s := range r.Samples("") {
		all = append(all, fmt.Sprintf("%s %s: %s → %s", s.Item.Split, s.Item.Media, s.Prompt, s.Answer))
	}
	slices.Sort(all)
	return all
}

// reread opens what was converted as a data set.
func reread(t *testing.T, p *project.Project, path string, overrides ...string) *project.Project {
	t.Helper()
	file, err := p.File.With(config.Change{Key: "DATASET.PATH", New: path},
		config.Change{Key: "DATASET.FORMAT", New: "auto"}, config.Change{Key: "RECIPE.CONTEXT", New: "full"})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range overrides {
		key, value, _ := strings.Cut(word, "=")
		if file, err = file.With(config.Change{Key: key, New: value}); err != nil {
			t.Fatal(err)
		}
	}
	set, err := dataset.Read(context.Background(), file.Config.Dataset, file.Root, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := project.OpenOn(context.Background(), file, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	if set.Format != "conversations" {
		t.Fatalf("%s is read as %s", path, set.Format)
	}
	return again
}

// What convert writes of pictures is read back as the same samples, in every dialect.
func TestPicturesThatWereConvertedAreReadAsTheSameSamples(t *testing.T) {
	for _, name := range ofPictures() {
		p := twoPictures(t, "CONVERT.DIALECT="+name, "CONVERT.OUTPUT=out", "PROJECT.NAME=two",
			"CONVERT.SYSTEM_PROMPT=Be brief.", "RECIPE.CLASS_WEIGHTS=max_ratio")
		convertAll(t, p)
		again := reread(t, p, "out")
		if got, want := asSaid(again.Recipe), asSaid(p.Recipe); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
		for _, f := range again.Data.Findings {
			if f.Level != "info" && f.Code != dataset.SameImage { // the pictures of the splits are one
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
	p := twoPictures(t, "CONVERT.OUTPUT=out", "RECIPE.CONTEXT=crop")
	convertAll(t, p)
	again := reread(t, p, "out")
	if n := len(again.Recipe.Samples("")); n != 4 || !strings.Contains(again.Data.Items[0].Media, "crop.png") {
		t.Errorf("of cut-outs %d samples come back: %+v", n, again.Data.Items)
	}
}

// What convert writes of clips is read back as the same samples, with the splits and exercises of the records.
func TestClipsThatWereConvertedAreReadAsTheSameSamples(t *testing.T) {
	for _, d := range dialects {
		if !d.holds.clips {
			continue
		}
		dir := t.TempDir()
		var labels []string
		for i := range 12 {
			path := fmt.Sprintf("%s/%02d.mp4", []string{"a", "b"}[i%2], i)
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, path), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			labels = append(labels, fmt.Sprintf(`{"video_path":"./%s","labels":["%s - %d reps"],"split":"%s"}`, path,
				[]string{"squats", "lunges"}[i%2], i, []string{"train", "valid", "test"}[i%3]))
		}
		if err := os.WriteFile(filepath.Join(dir, "labels.json"), []byte("["+strings.Join(labels, ",")+"]"),
			0o644); err != nil {
			t.Fatal(err)
		}
		p := clipProject(t, dir, "CONVERT.DIALECT="+string(d.name), "CONVERT.OUTPUT=out/MobileGPT")
		convertAll(t, p)
		again := reread(t, p, "out/MobileGPT")
		if got, want := asSaid(again.Recipe), asSaid(p.Recipe); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", d.name, got, want)
		}
		for i, s := range again.Recipe.Samples("") {
			exercise, _, _ := strings.Cut(s.Answer, " - ")
			if s.Item.Clip == nil || again.Recipe.Classes[s.Class].Name != exercise {
				t.Errorf("%s: sample %d is %+v of the class %q", d.name, i, s, again.Recipe.Classes[s.Class].Name)
			}
		}
	}
}
