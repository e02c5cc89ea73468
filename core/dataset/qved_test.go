package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// qvedExpected is what the written rules give for every record.
type qvedExpected struct {
	Records []struct {
		Video, Exercise, Answer, Split string
		From                           string `json:"exercise_from"`
	}
}

func TestQVEDRecordsComeOutByTheSpecification(t *testing.T) {
	var want qvedExpected
	readJSON(t, golden(t, "mobile-videogpt/qved/expected_by_spec.json"), &want)
	for file, n := range map[string]int{"labels.json": 400, "labels.dict.json": 40} {
		set := readSet(t, golden(t, "mobile-videogpt/qved/"+file))
		if len(set.Items) != n {
			t.Fatalf("%s: %d items, want %d", file, len(set.Items), n)
		}
		byPath := map[string]*Item{}
		for i := range set.Items {
			byPath[set.Items[i].Written()] = &set.Items[i]
		}
		keys, unnamed := map[string]bool{}, 0
		for _, r := range want.Records[:n] {
			keys[ExerciseKey(r.Exercise)] = true
			if r.From == "none" || r.From == "folder" {
				unnamed++
			}
			path := r.Video
			if byPath[path] == nil {
				path = "/srv/qved/" + path
			}
			item := byPath[path]
			if item == nil {
				t.Errorf("%s is missing", r.Video)
				continue
			}
			o := item.Objects[0]
			if got := set.Classes[o.Class].Name; ExerciseKey(got) != ExerciseKey(r.Exercise) ||
				o.Text.Answer != r.Answer ||
				item.Split != r.Split || o.Box != Whole || item.Clip == nil {
				t.Errorf("%s: got %q, %q, %s, want %q, %q, %s", r.Video, got, o.Text.Answer, item.Split, r.Exercise,
					r.Answer, r.Split)
			}
		}
		if len(set.Classes) != len(keys) {
			t.Errorf("%s: %d classes, want %d: %v", file, len(set.Classes), len(keys), set.Classes)
		}
		if got := countOf(set, NoLabel) + countOf(set, LabelNoPrefix); got != unnamed {
			t.Errorf("%s: %d labels name no exercise, want %d", file, got, unnamed)
		}
		if countOf(set, MissingClip) != n {
			t.Errorf("%s: %d clips are missing, want %d", file, countOf(set, MissingClip), n)
		}
	}
}

func TestQVEDSetsOfEveryForm(t *testing.T) {
	root := write(t, map[string]string{
		"fine_grained_labels.json": `[{"video_path": "./a.mp4", "labels": "Squats - deep", "split": "val"},
			{"video_path": "sub/b.mp4", "labels": [], "label": "heel_lift  (left arm) - a - b", "labels_descriptive": ["x", "y"]},
			{"video_path": "a.mp4", "labels": ["squats - again"]},
			{"video_path": "lunges/c.mp4", "labels": ["no prefix"]},
			{"video_path": "d.mp4"}, {"label": "squats - nowhere"}, 7,
			{"video_path": "gone.mp4", "exercise": "Heel Lift (left arm)", "labels_descriptive": null, "frames": {"n": [1]}},
			{"video_path": "\\\\srv\\all\\e.mp4", "labels": ["SQUATS - x"]}]`,
		"fine_grained_labels_with_worker_ids.json": `[{"video_path": "a.mp4", "worker_id": 17}, {"video_path": "./d.mp4", "worker_id": "17"},
			{"video_path": "none.mp4", "worker_id": 1}, {"video_path": "sub/b.mp4", "worker_id": "w"}]`,
		"feedbacks_short_clips.json": `[{"video_path": "./d.mp4", "feedbacks": ["Nice.", "Go on."], "split": "train"}]`,
		"manifest.json":              `{"d.mp4": "pushups", "./a.mp4": {"exercise": "burpees"}}`,
		"a.mp4":                      "", "sub/b.mp4": "", "lunges/c.mp4": "", "d.mp4": "", "e.mp4": "",
	})
	set := readSet(t, root)
	var got []string
	for _, item := range set.Items {
		o := item.Objects[0]
		there := "missing"
		if item.Media != "" {
			there, _ = filepath.Rel(root, item.Media)
		}
		got = append(got, fmt.Sprintf("%s | %s | %q | %s | %s", item.ID, set.Classes[o.Class].Name,
			o.Text.Answer, there,
			item.Group))
	}
	want := []string{
		`train/d.mp4 | pushups | "Nice.\nGo on." | d.mp4 | 17`,
		`train/gone.mp4 | heel_lift  (left arm) | "No feedback available." | missing | `,
		`train/lunges/c.mp4 | lunges | "no prefix" | lunges/c.mp4 | `,
		`train/srv/all/e.mp4 | Squats | "SQUATS - x" | e.mp4 | `,
		`train/sub/b.mp4 | heel_lift  (left arm) | "x\ny" | sub/b.mp4 | w`,
		`valid/a.mp4 | Squats | "Squats - deep" | a.mp4 | 17`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, want := codes(set), []string{MissingClip, NoPath, LabelNoPrefix, RepeatedClip, NoLabel,
		GroupParted}; !sameSet(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
	manifest := write(t, map[string]string{"manifest.json": `{"x.mp4": "clap", "y.mp4": {"exercise": "wave", "split": "test"}}`,
		"x.mp4": "", "y.mp4": ""})
	if got, want := told(readSet(t, manifest)), "qved [train test] 2/2: clap 1, wave 1"; got != want {
		t.Errorf("a manifest alone: got %s, want %s", got, want)
	}
}

func TestClipsWithoutALabelFileAreNamedByTheirFiles(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"qved [train] 3/3: walk 1, yes 1, bottle 1": {"asl/walk.mkv": "", "asl/yes.MKV": "", "bottle.mp4": "",
			"LICENSE": ""},
		"qved [train] 3/3: lunges 1, squats 2": {"lunges/a.mp4": "", "squats/a.mp4": "", "squats/b.mp4": ""},
	} {
		set := readSet(t, write(t, files))
		if got := told(set); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := codes(set); !slices.Equal(got, []string{NoSplits, NoLabelFile}) {
			t.Errorf("findings %q", got)
		}
	}
}

// A clip's path is told as its labels write it, also where the split of its item is dealt or it joins from another set.
func TestPathsOfClipsStayAsTheirLabelsWriteThem(t *testing.T) {
	paths := []string{"./a.mp4", "b.mp4", "./../c.mp4", "/srv/d.mp4", `e\f.mp4`, "././g.mp4", "./é.mp4"}
	var labels, talks []string
	for i, path := range paths {
		labels = append(labels, fmt.Sprintf(`{"video_path":%q,"label":"a - b","worker_id":%d}`, path, i))
		talks = append(talks, fmt.Sprintf(`{"video":%q,"conversations":[{"from":"human","value":"<video>\nq"},`+
			`{"from":"gpt","value":"a - c"}]}`, path))
	}
	root := write(t, map[string]string{"labels/labels.json": "[" + strings.Join(labels, ",\n") + "]",
		"sets/talk.json": "[" + strings.Join(talks, ",\n") + "]"})
	t.Setenv("DATASET_DIR", filepath.Join(root, "sets"))
	cfg := testConfig(filepath.Join(root, "labels"))
	cfg.SplitBy, cfg.Sets = "participant", []string{"talk"}
	set, err := Open(cfg, root)
	if err != nil {
		t.Fatal(err)
	}
	told := map[bool][]string{} // of the set that joined, and of the labels
	for i := range set.Items {
		told[set.Items[i].Set > 0] = append(told[set.Items[i].Set > 0], set.Items[i].Written())
	}
	for joined, got := range told {
		if !sameSet(got, paths) {
			t.Errorf("joined %t: paths %q, want %q", joined, got, paths)
		}
	}
	if len(told) != 2 {
		t.Errorf("items of %d sets", len(told))
	}
}

func TestParticipantsAreDealtToSplitsWhole(t *testing.T) {
	var labels, workers []string
	for i := range 2000 {
		labels = append(labels, fmt.Sprintf(`{"video_path": "%04d.mp4", "labels": ["a - b"], "split": "%s"}`, i,
			[]string{"train", "test"}[i%2]))
		workers = append(workers, fmt.Sprintf(`{"video_path": "./%04d.mp4", "worker_id": %d}`, i, i%400))
	}
	root := write(t, map[string]string{"labels.json": "[" + strings.Join(labels, ",") + "]",
		"labels_with_worker_ids.json": "[" + strings.Join(workers[:1999], ",") + "]"})
	cfg := testConfig("labels.json")
	cfg.SplitBy = "participant"
	set, err := Open(cfg, root)
	if err != nil {
		t.Fatal(err)
	}
	of, sizes := map[Group]string{}, map[string]int{}
	for _, item := range set.Items {
		sizes[item.Split]++
		if split, known := of[item.Group]; known && split != item.Split && item.Group != (Group{}) {
			t.Errorf("participant %s is in %s and %s", item.Group, split, item.Split)
		}
		of[item.Group] = item.Split
	}
	if sizes["train"] < 1450 || sizes["train"] > 1750 || sizes["valid"] < 120 || sizes["test"] < 120 {
		t.Errorf("the splits have %v", sizes)
	}
	if countOf(set, GroupParted) != 0 || countOf(set, NoGroup) != 1 {
		t.Errorf("findings %q", codes(set))
	}
	{
		cfg.SplitBy = "record"
		set, err := Open(cfg, root)
		if err != nil || countOf(set, GroupParted) != 0 {
			t.Errorf("by the records: %q, %v", codes(set), err)
		}
	}
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func FuzzQVED(f *testing.F) {
	f.Add(`[{"video_path":"./a.mp4","labels":["a - b"],"labels_descriptive":["x"],"split":"train","worker_id":3}]`)
	f.Add(`{"a/b.mp4":{"label":"x","exercise":"y"},"../c.mp4":"z"}`)
	f.Add(`[{"video_path":"a.mp4","labels":"A_b - c","labels_descriptive":"x\ny"},{"video_path":"./a.mp4"},` +
		`{"label":"y"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "labels.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := qved{}.list(context.Background(), file, request{})
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, item := range l.items {
			if ids[item.ID] || item.Objects[0].Class >= len(l.classes(nil)) || item.Objects[0].Text == nil {
				t.Errorf("%q: %+v", text, item)
			}
			ids[item.ID] = true
		}
		compareNaively(t, text, l)
	})
}

// compareNaively holds a listing against what encoding/json and the same rules make of a text that is JSON.
func compareNaively(t *testing.T, text string, l *listing) {
	plain := []string{"video_path", "labels", "label", "labels_descriptive", "exercise", "split"}
	var records []map[string]any
	if !utf8.ValidString(text) || json.Unmarshal([]byte(text), &records) != nil {
		return
	}
	for _, r := range records {
		for key := range r {
			if !slices.Contains(plain, key) {
				return
			}
		}
	}
	names, want := l.classes(nil), naiveItems(records, "labels.json")
	if len(want) != len(l.items) {
		t.Fatalf("%q: %d items, %d by encoding/json", text, len(l.items), len(want))
	}
	at := map[string]Item{}
	for _, item := range l.items {
		at[item.Written()] = item
	}
	classes := map[string]int{}
	for _, item := range want {
		got, there := at[item.Written()]
		if !there || got.Split != item.Split || got.Objects[0].Text.Answer != readable(item.Objects[0].Text.Answer) {
			t.Fatalf("%q: got %+v, want %+v", text, got, item)
		}
		name := names[got.Objects[0].Class]
		if class, known := classes[name]; known && class != item.Objects[0].Class {
			t.Fatalf("%q: class %q is %d and %d by encoding/json", text, name, class, item.Objects[0].Class)
		}
		classes[name] = item.Objects[0].Class
	}
}

// FuzzManifest is a manifest beside labels: it may only give an exercise to clips that the labels have.
func FuzzManifest(f *testing.F) {
	for _, seed := range []string{`{"a.mp4":"clap","./b.mp4":{"exercise":"wave","split":"test"}}`, `["a.mp4"]`,
		`{"a.mp4":`, `[{"video_path":"b.mp4","exercise":"x"}]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		folder := t.TempDir()
		file := filepath.Join(folder, "labels.json")
		labels := `[{"video_path":"a.mp4"},{"video_path":"./b.mp4","label":"jump - low"}]`
		for name, text := range map[string]string{file: labels,
			filepath.Join(folder, "manifest.json"): text} {
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		l, err := qved{}.list(context.Background(), file, request{})
		if err != nil {
			t.Fatal(err)
		}
		names := l.classes(nil)
		if len(l.items) != 2 || names[l.items[1].Objects[0].Class] != "jump" {
			t.Errorf("%q: %+v, classes %q", text, l.items, names)
		}
		// alone it is a label file
		alone, err := qved{}.list(context.Background(), filepath.Join(folder, "manifest.json"), request{})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range alone.items {
			if item.Objects[0].Class >= len(alone.classes(nil)) || !utf8.ValidString(item.ID) {
				t.Errorf("%q: %+v", text, item)
			}
		}
	})
}
