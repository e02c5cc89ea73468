package dataset

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pairs is a format as somebody may add one: a file pairs.csv of rows "split,picture,class,x0,y0,x1,y1" in pixels.
type pairs struct{}

func (pairs) name() string  { return "pairs" }
func (pairs) holds() string { return "a set of pairs has pairs.csv" }

func (pairs) detect(path string) (string, error) {
	if file := filepath.Join(path, "pairs.csv"); isFile(file) {
		return file, nil
	}
	return "", nil
}

func (pairs) list(_ context.Context, at string, ask request) (*listing, error) {
	text, note, err := readTextAnyhow(at, "pairs.csv")
	if err != nil {
		return nil, err
	}
	l, names := &listing{root: filepath.Dir(at)}, []string{}
	if note.Code != "" {
		l.findings = append(l.findings, note)
	}
	for number, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var o Object
		f := strings.SplitN(line, ",", 4)
		if n, _ := fmt.Sscanf(f[len(f)-1], "%g,%g,%g,%g", &o.Box.X0, &o.Box.Y0, &o.Box.X1, &o.Box.Y1); n < 4 {
			l.findings = append(l.findings, newFinding(TooFewFields, "pairs.csv", number+1, "%s", quote(line)))
			continue
		}
		if !slices.Contains(names, f[2]) {
			names = append(names, f[2])
		}
		if !slices.Contains(l.splits, f[0]) {
			l.splits = append(l.splits, f[0])
		}
		o.Class, o.Line, o.Confidence = slices.Index(names, f[2]), number+1, 1
		l.items = append(l.items, Item{ID: f[0] + "/" + f[1], Split: f[0], Media: filepath.Join(l.root, f[1]),
			Labels: at, Objects: []Object{o}})
	}
	wanted, err := ask.splits(l.splits)
	if err != nil {
		return nil, err
	}
	l.splits = slices.DeleteFunc(l.splits, func(s string) bool { return !wanted(s) })
	l.items = slices.DeleteFunc(l.items, func(i Item) bool { return !wanted(i.Split) })
	l.labels = func(*desk) func(i int) []Finding {
		return func(i int) []Finding { // pixels become shares of the picture, which has been looked at
			item := &l.items[i]
			b, w, h := &item.Objects[0].Box, float64(item.Width), float64(item.Height)
			*b = Box{b.X0 / w, b.Y0 / h, b.X1 / w, b.Y1 / h}
			return nil
		}
	}
	l.classes = func([]Item) []string { return names }
	return l, nil
}

func TestAReaderIsOneFile(t *testing.T) {
	formats = append(formats, pairs{})
	t.Cleanup(func() { formats = formats[:len(formats)-1] })
	jpeg := pictureFile(t, "one.jpg", 16, 12)
	root := write(t, map[string]string{
		"pairs.csv": "valid,c.jpg,crack wide,0,0,8,6\ntrain,a.jpg,blocked drain,4,3,12,9\ntrain,b.jpg,crack wide,0,0,16\n" +
			"train,b.jpg,crack wide,0,0,16,12\n",
		"a.jpg": jpeg, "b.jpg": jpeg[:len(jpeg)-9], "c.jpg": jpeg,
	})
	read := func(sets ...string) *Dataset {
		t.Helper()
		cfg := testConfig(".")
		cfg.Splits = sets
		set, err := Read(context.Background(), cfg, root, nil)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	set := read()
	if set.Format != "pairs" || !slices.Equal(set.Splits, []string{"train", "valid"}) || len(set.Items) != 3 {
		t.Fatalf("got %+v", set)
	}
	if c := set.Classes[1]; c.Object != "drain" || c.Condition != "blocked" {
		t.Errorf("the class is not taken apart: %+v", c)
	}
	first := set.Items[0]
	if first.ID != "train/a.jpg" || first.Width != 16 || first.Objects[0].Box != (Box{.25, .25, .75, .75}) {
		t.Errorf("got %+v", first)
	}
	var codes []string
	for _, f := range set.Findings {
		codes = append(codes, f.Code)
	}
	if want := []string{TooFewFields, UnreadableImage, SameImage}; !slices.Equal(codes, want) {
		t.Errorf("findings %q, want %q: %v", codes, want, set.Findings)
	}
	if set.Fingerprint() != read().Fingerprint() || set.Fingerprint() == read("train").Fingerprint() {
		t.Error("the fingerprint does not name what was read")
	}
	if _, err := Read(context.Background(), testConfig("."), t.TempDir(), nil); err == nil ||
		!strings.Contains(err.Error(), "a set of pairs has pairs.csv") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestTheFingerprintCoversShapesTextsAndClips(t *testing.T) {
	make := func(change func(item *Item)) string {
		item := Item{ID: "train/a", Split: "train", Width: 4, Height: 4, Objects: []Object{{Box: Whole, Confidence: 1}}}
		change(&item)
		return (&Dataset{Format: "x", Items: []Item{item}}).Fingerprint()
	}
	ring := func(at float64) []Point { return []Point{{at, 0}, {1, 0}, {1, 1}} }
	seen := map[string]int{}
	for i, change := range []func(item *Item){
		func(*Item) {},
		func(item *Item) { item.Objects[0].Shape = Outline(ring(0), ring(.5)) },
		func(item *Item) { item.Objects[0].Shape = Outline(append(ring(0), ring(.5)...)) },
		func(item *Item) { item.Objects[0].Shape = &Shape{Mask: &Mask{4, 4, []uint32{3, 13}}} },
		func(item *Item) { item.Objects[0].Shape = &Shape{Mask: &Mask{4, 4, []uint32{4, 12}}} },
		func(item *Item) { item.Objects[0].Text = &Text{Answer: "lower"} },
		func(item *Item) { item.Objects[0].Text = &Text{Question: "lower"} },
		func(item *Item) { item.Clip = &Clip{} },
		func(item *Item) { item.Clip = &Clip{Frames: 30, FPS: 30, Seconds: 1} },
		func(item *Item) { item.Group = GroupOf("w1") },
	} {
		name := make(change)
		if other, twice := seen[name]; twice {
			t.Errorf("changes %d and %d have one fingerprint", other, i)
		}
		seen[name] = i
	}
}
