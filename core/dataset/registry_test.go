package dataset

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
)

// withSets is a project with two labelled pictures, and a registry of conversations and boxes beside it.
func withSets(t *testing.T) (root string) {
	t.Helper()
	jpeg := pictureFile(t, "a.jpg", 16, 12)
	files := map[string]string{
		"data/data.yaml": "names: [crack, hole]\n", "data/train/images/1.jpg": jpeg, "data/valid/images/2.jpg": jpeg,
		"data/train/labels/1.txt": box, "data/valid/labels/2.txt": box,
		"playground/data/sets.json": `{"talk": {"annotation_path": "talk/train.jsonl", "data_path": "pictures"},
			"gone": {"annotation_path": "gone/train.json"}, "empty": {"data_path": "x"}}`,
		"playground/data/plain.json": `[{"image":"pictures/0.jpg","messages":[{"role":"user","content":"q"},` +
			`{"role":"assistant","content":"plain words"}],"split":"test"}]`,
		"playground/data/boxes/data.yaml": "names: [hole, root]\n", "playground/data/boxes/train/images/9.jpg": jpeg,
		"playground/data/boxes/train/labels/9.txt": "1 .5 .5 .2 .2\n0 .5 .5 .1 .1\n",
	}
	var lines []string
	for i := range 100 {
		files[fmt.Sprintf("playground/data/pictures/%d.jpg", i)] = jpeg
		lines = append(lines, fmt.Sprintf(`{"image":"%d.jpg","messages":[{"role":"user","content":"<image>q"},`+
			`{"role":"assistant","content":"%s"}],"split":"%s"}`, i, []string{"hole", "leaf"}[i%2],
			map[bool]string{true: "train", false: "valid"}[i < 80]))
	}
	files["playground/data/talk/train.jsonl"] = strings.Join(lines, "\n")
	return write(t, files)
}

func readSets(t *testing.T, root string, sets ...string) (*Dataset, error) {
	t.Helper()
	cfg := testConfig("data")
	cfg.Sets = sets
	return Read(context.Background(), cfg, root, nil)
}

func textsOf(set *Dataset, code string) (all []string) {
	for _, f := range set.Findings {
		if f.Code == code {
			all = append(all, f.Text)
		}
	}
	return all
}

func classNames(set *Dataset) (names []string) {
	for _, class := range set.Classes {
		names = append(names, class.Name)
	}
	return names
}

func TestSetsThatArePresentJoinByThemselves(t *testing.T) {
	root := withSets(t)
	set, err := readSets(t, root)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Items) != 102 || len(set.Sets) != 1 || set.Sets[0].Train != 80 || set.Sets[0].Samples != 100 {
		t.Fatalf("%d items, sets %+v", len(set.Items), set.Sets)
	}
	if got, want := classNames(set), []string{"crack", "hole", "leaf"}; !slices.Equal(got, want) {
		t.Errorf("classes %q, want %q", got, want)
	}
	joined, passed := textsOf(set, SetJoined), textsOf(set, SetAbsent)
	if len(joined) != 1 || joined[0] != "the set talk joins with 100 samples: 80 of 80 train samples" {
		t.Errorf("of the one that is there: %q", joined)
	}
	if len(passed) != 2 || !strings.Contains(strings.Join(passed, "\n"),
		filepath.Join(root, "playground/data/gone/train.json")) ||
		!strings.Contains(strings.Join(passed, "\n"), "MobileGPT/qved_train.json") {
		t.Errorf("of those that are not: %q", passed)
	}
	if got := textsOf(set, BadRegistry); len(got) != 1 || !strings.Contains(got[0], `"empty"`) {
		t.Errorf("of an entry without labels: %q", got)
	}
	item := set.Find("train/talk/4.jpg")
	if item == nil || item.Set != 1 || item.Width != 16 || set.Classes[item.Objects[0].Class].Name != "hole" {
		t.Errorf("got %+v", item)
	}
	for _, item := range set.Items {
		if item.Set == 0 && strings.Contains(item.ID, "talk") || set.Find(item.ID) == nil {
			t.Errorf("%s is of the set %d", item.ID, item.Set)
		}
	}
	none, err := readSets(t, root, config.NoSets)
	if err != nil || len(none.Items) != 2 || len(none.Findings) > 0 && len(textsOf(none, SetJoined)) > 0 {
		t.Errorf("none: %d items, error %v", len(none.Items), err)
	}
	t.Setenv("DATASET_DIR", t.TempDir())
	if set, err := readSets(t, root); err != nil || len(set.Items) != 2 || len(textsOf(set, SetAbsent)) != 1 {
		t.Errorf("in an empty folder: %v, error %v", set.Findings, err)
	}
	alone := SetsFrom(context.Background(), "")
	if set, err := Read(alone, testConfig("data"), root, nil); err != nil || len(set.Items) != 2 ||
		len(textsOf(set, SetAbsent)) > 0 {
		t.Errorf("without a registry: %v", err)
	}
}

func TestNamedSetsMustBeThere(t *testing.T) {
	root := withSets(t)
	at := func(name string) string { return filepath.Join(root, "playground", "data", filepath.FromSlash(name)) }
	for name, want := range map[string][]string{
		"gone":  {at("gone/train.json"), "DATASET_DIR"},
		"llava": {at("llava.json"), at("llava.jsonl"), "knows talk, gone, qved"},
		"train": {at("train.json"), "splits are named in DATASET.SPLITS"},
		"qved":  {at("MobileGPT/qved_train.json")},
		"a:2":   {"a:0.3"},
	} {
		_, err := readSets(t, root, "talk", name)
		var unusable *config.Unusable
		if !errors.As(err, &unusable) || unusable.Key != "DATASET.SETS" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, part := range want {
			if !strings.Contains(unusable.Text, part) {
				t.Errorf("%s: %s\nholds no %q", name, unusable.Text, part)
			}
		}
	}
	set, err := readSets(t, root, "plain", "boxes")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := classNames(set), []string{"crack", "hole", "root", FreeText}; len(set.Items) != 4 ||
		!slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("%d items of %q", len(set.Items), got)
	}
	boxes := set.Find("train/boxes/9")
	if boxes == nil || set.Classes[boxes.Objects[0].Class].Name != "root" ||
		set.Classes[boxes.Objects[1].Class].Name != "hole" {
		t.Errorf("the classes of boxes went astray: %+v", boxes)
	}
	if !slices.Equal(set.Splits, []string{"train", "valid", "test"}) {
		t.Errorf("splits %q", set.Splits)
	}
}

// A share is drawn alike everywhere, a smaller one is part of a larger, and what is not drawn is not there at all.
func TestAShareOfTheTrainSplitIsDrawn(t *testing.T) {
	root := withSets(t)
	ids := func(entry string) (train []string, set *Dataset) {
		set, err := readSets(t, root, entry)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range set.Items {
			if item.Set == 1 && item.Split == "train" {
				train = append(train, item.ID)
			}
		}
		return train, set
	}
	some, set := ids("talk:0.3")
	if len(some) != 24 || set.Sets[0].Train != 24 || set.Sets[0].Of != 80 || set.Sets[0].Samples != 44 {
		t.Errorf("%d of 80, %+v", len(some), set.Sets)
	}
	if got := textsOf(set, SetJoined); len(got) != 1 ||
		got[0] != "the set talk joins with 44 samples: 24 of 80 train samples, drawn by its share of 0.3" {
		t.Errorf("it is said as %q", got)
	}
	if want := "train/talk/9.jpg"; some[len(some)-1] != want || some[0] != "train/talk/14.jpg" {
		t.Errorf("another draw than elsewhere: %q", some)
	}
	more, _ := ids("talk:0.5")
	for _, id := range some {
		if !slices.Contains(more, id) {
			t.Errorf("%s is in the smaller share alone", id)
		}
	}
	again, twice := ids("talk:0.3")
	if !slices.Equal(some, again) || twice.Fingerprint() != set.Fingerprint() {
		t.Error("two readings differ")
	}
}

func TestTheFingerprintCoversWhichSetsJoinedAndTheirBytes(t *testing.T) {
	root := withSets(t)
	seen := map[string]string{}
	look := func(name string, sets ...string) {
		t.Helper()
		set, err := readSets(t, root, sets...)
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[set.Fingerprint()]; twice {
			t.Errorf("%s and %s have one fingerprint", name, other)
		}
		seen[set.Fingerprint()] = name
	}
	look("none", config.NoSets)
	look("one", "talk")
	look("a share", "talk:0.5")
	look("two", "talk", "plain")
	alone, err := readSets(t, root, config.NoSets)
	if err != nil {
		t.Fatal(err)
	}
	bare := *alone
	bare.Sets = []Joined{{Name: "x", Share: 1, Items: 1, Sum: "1"}}
	other := bare
	other.Sets = []Joined{{Name: "x", Share: 1, Items: 1, Sum: "2"}}
	if bare.FingerprintOfAll() == other.FingerprintOfAll() || bare.FingerprintOfAll() == alone.FingerprintOfAll() {
		t.Error("the bytes of a set make no difference")
	}
	empty := *alone
	if empty.Sets = []Joined{{Name: "x", Share: 1, Sum: "1"}}; empty.FingerprintOfAll() != alone.FingerprintOfAll() {
		t.Error("a set that adds nothing, as what convert wrote of this one, makes another data set of it")
	}
}

// What convert wrote of the set, and joins it again, counts once; by itself it does not join what was corrected since.
func TestWhatIsThereTwiceCountsOnce(t *testing.T) {
	t.Run("clips that are there", func(t *testing.T) {
		readTwice(t, map[string]string{"data/a.mp4": "", "data/b.mp4": ""})
	})
	t.Run("clips that are missing", func(t *testing.T) { readTwice(t, map[string]string{}) })
}

func readTwice(t *testing.T, files map[string]string) {
	t.Helper()
	maps.Copy(files, map[string]string{
		"data/fine_grained_labels.json": `[{"video_path":"./a.mp4","labels":["squats - low"]},
			{"video_path":"./b.mp4","labels":["squats - slow"]}]`,
		"playground/data/MobileGPT/qved_train.json": `[{"video":"./a.mp4","conversations":[{"from":"human","value":
			"<video>\nq"},{"from":"gpt","value":"squats - low"}]},{"video":"./b.mp4","conversations":[{"from":"human",
			"value":"<video>\nq"},{"from":"gpt","value":"squats - fast"}]}]`,
	})
	root := write(t, files)
	set, err := readSets(t, root)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Items) != 2 || set.Sets[0].Samples != 0 || len(set.Classes) != 1 || countOf(set, SetRepeated) != 2 {
		t.Errorf("by itself: %d items, sets %+v, classes %v: %v", len(set.Items), set.Sets, set.Classes, set.Findings)
	}
	set, err = readSets(t, root, "qved")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Items) != 3 || set.Sets[0].Samples != 1 || len(set.Classes) != 1 || countOf(set, SetRepeated) != 1 {
		t.Errorf("named: %d items, sets %+v, classes %v: %v", len(set.Items), set.Sets, set.Classes, set.Findings)
	}
	cfg := testConfig("playground/data/MobileGPT/qved_train.json")
	set, err = Read(context.Background(), cfg, root, nil)
	if err != nil || len(set.Items) != 2 || len(set.Sets) != 0 || countOf(set, SetRepeated) != 1 {
		t.Errorf("the set itself: %+v, error %v", set, err)
	}
}

// convert writes a path from the top of the machine as one from the project's folder.
func TestAMissingClipIsKnownByBothItsPaths(t *testing.T) {
	root := write(t, map[string]string{
		"data/fine_grained_labels.json": `[{"video_path":"/srv/gone/a.mp4","labels":["squats - low"]}]`})
	within, err := filepath.Rel(root, "/srv/gone/a.mp4")
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(root, "playground/data/MobileGPT")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(at, "qved_train.json"), fmt.Appendf(nil, `[{"video":%q,"conversations":[{"from":
		"human","value":"<video>\nq"},{"from":"gpt","value":"squats - low"}]}]`, within), 0o644); err != nil {
		t.Fatal(err)
	}
	set, err := readSets(t, root)
	if err != nil || len(set.Items) != 1 || countOf(set, SetRepeated) != 1 {
		t.Errorf("%d items, error %v: %v", len(set.Items), err, set.Findings)
	}
}

// Another question with the same answer is another sample.
func TestSetsThatAskOfOnePictureAreAllAsked(t *testing.T) {
	record := func(question string) string {
		return `{"image":"a.jpg","messages":[{"role":"user","content":"<image>` + question + `"},{"role":"assistant",` +
			`"content":"yes"}]}`
	}
	root := write(t, map[string]string{"data/a.jpg": pictureFile(t, "a.jpg", 16, 12),
		"data/train.jsonl":           record("A drain?"),
		"playground/data/more.jsonl": record("A wall?") + "\n" + record("A drain?"),
		"playground/data/sets.json":  `{"more": {"annotation_path": "more.jsonl", "data_path": "../../data"}}`})
	set, err := readSets(t, root, "more")
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, line := range said(set) {
		_, line, _ = strings.Cut(line, ": ")
		line, _, _ = strings.Cut(line, " [")
		asked = append(asked, line)
	}
	if want := []string{"A drain? → yes", "A wall? → yes"}; !slices.Equal(asked, want) ||
		countOf(set, SetRepeated) != 1 {
		t.Errorf("got %q, want %q; %v", asked, want, set.Findings)
	}
}
