package dataset

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shared returns a path below the shared folder, and skips the test where it is absent.
func shared(t testing.TB, name string) string {
	t.Helper()
	at := filepath.Join(moduleRoot(t), "..", "shared", filepath.FromSlash(name))
	if !exists(at) {
		t.Skipf("no %s beside the checkout", name)
	}
	return at
}

// readSet reads a set in a folder, whatever its format.
func readSet(t testing.TB, path string) *Dataset {
	t.Helper()
	set, err := Read(context.Background(), testConfig(path), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// told is the format, the splits, the pictures and how many objects each class has.
func told(set *Dataset) string {
	counts, found := make([]int, len(set.Classes)), 0
	for _, item := range set.Items {
		for _, o := range item.Objects {
			counts[o.Class]++
		}
		if item.Media != "" {
			found++
		}
	}
	var words []string
	for i, class := range set.Classes[:min(len(set.Classes), 4)] {
		words = append(words, fmt.Sprintf("%s %d", class.Name, counts[i]))
	}
	return fmt.Sprintf("%s %v %d/%d: %s", set.Format, set.Splits, found, len(set.Items), strings.Join(words, ", "))
}

// codes are those of the causes, worst first.
func codes(set *Dataset) (all []string) {
	for _, c := range set.Causes() {
		all = append(all, c.Code)
	}
	return all
}

func countOf(set *Dataset, code string) (n int) {
	for _, f := range set.Findings {
		if f.Code == code {
			n += max(1, f.Count)
		}
	}
	return n
}

func TestCOCOSetsOfOthersAreRead(t *testing.T) {
	for path, want := range map[string]struct {
		told  string
		codes []string
	}{
		"data/taco": {"coco [train] 0/1500: Aluminium foil 62, Battery 2, Aluminium blister pack 6, Carded blister pack 1",
			[]string{MissingImage, BoxPastEdge, DuplicateID, NoSplits}},
		"data/facemask":                        {"coco [valid] 171/171: mask_weared_incorrect 18, with_mask 741, without_mask 156", nil},
		"cases/data/L1-coco-ids-from-one/data": {"coco [train] 2/2: hole 1, crack 2, spall 1", nil},
		"cases/data/L2-coco-flat-box/data": {"coco [train] 1/1: hole 1, crack 1",
			[]string{ClassOutOfRange, ZeroSize, BoxPastEdge}},
		"data/importers/coco_dataset/coco": {"coco [train valid] 2/2: a 1, b 1, c 0",
			[]string{CrowdRegion, OtherAnnotations}},
		"data/importers/coco_dataset/coco_roboflow":  {"coco [train valid] 2/2: a 1, b 1, c 0", []string{CrowdRegion}},
		"data/importers/coco_dataset/mmdet_coco":     {"coco [train valid] 2/2: a 1, b 1, c 0", []string{CrowdRegion}},
		"data/importers/coco_dataset/coco_labels":    {"coco [train valid] 2/2: a 1, b 2", []string{NoBox}},
		"data/importers/coco_dataset/coco_stuff":     {"coco [train valid] 2/2: a 0, b 0", []string{CrowdRegion}},
		"data/importers/coco_dataset/coco_captions":  {"coco [train valid] 2/2: ", []string{ClassOutOfRange}},
		"data/importers/coco_dataset/coco_instances": {"coco [train valid] 2/2: a 1, b 1, c 0", []string{CrowdRegion}},
	} {
		t.Run(path, func(t *testing.T) {
			set := readSet(t, shared(t, path))
			if got := told(set); got != want.told {
				t.Errorf("got  %s\nwant %s", got, want.told)
			}
			if got := codes(set); !slices.Equal(got, want.codes) {
				t.Errorf("findings %q, want %q", got, want.codes)
			}
		})
	}
}

// cocoSet is a set of one annotation file and three pictures of 16×12.
func cocoSet(t testing.TB, annotations string) string {
	picture := pictureFile(t, "one.jpg", 16, 12)
	return write(t, map[string]string{"annotations/instances_val.json": annotations, "images/val/a.jpg": picture,
		"images/val/deep/a.jpg": picture + "x", "images/b.jpg": picture + "y"})
}

const cocoImages = `"images": [{"id": 7, "file_name": "a.jpg", "width": 16, "height": 12},
	{"id": "k", "file_name": "deep\\a.jpg"}, {"id": 3, "file_name": "b.jpg", "width": 32, "height": 24},
	{"id": 4, "file_name": "none.jpg", "width": 10, "height": 10}]`

const cocoCategories = `"categories": [{"id": 90, "name": "spall", "supercategory": "things"},
	{"id": 0, "name": "things", "supercategory": "none"}, {"id": 1, "name": "crack", "supercategory": "things"}]`

func TestCOCOAnnotationsArePlacedOrSaid(t *testing.T) {
	root := cocoSet(t, `{"info": {"x": [1, {"y": null}]}, "annotations": [
		{"id": 1, "image_id": 7, "category_id": 90, "bbox": [4, 3, 8, 6], "segmentation": [[4,3,12,3,12,9],[5,4,6,4,6,5]]},
		{"id": 2, "image_id": "k", "category_id": 1, "bbox": [0, 0, 8, 6]},
		{"id": 3, "image_id": 3, "category_id": 1, "bbox": [0, 0, 16, 12]},
		{"id": 4, "image_id": 4, "category_id": 1, "bbox": [5, 5, 5, 5]},
		{"id": 5, "image_id": 7, "category_id": 1, "segmentation": {"size": [12, 16], "counts": [50, 2, 10, 2, 128]}},
		{"id": 6, "image_id": 7, "category_id": 1, "segmentation": {"size": [12, 16], "counts": "b12:0f3"}},
		{"id": 7, "image_id": 7, "category_id": 90, "bbox": [4, 3, 8, 6], "segmentation": [[4,3,12,3,12,9],[5,4,6,4,6,5]]},
		{"id": 8, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3]},
		{"id": 9, "image_id": 7, "category_id": 1, "bbox": [1, NaN, 3, 4]},
		{"id": 10, "image_id": 7, "category_id": 1, "segmentation": [[1, 1, 2]]},
		{"id": 11, "image_id": 99, "category_id": 1, "bbox": [1, 1, 2, 2]},
		{"id": 12, "image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 2], "segmentation": {"size": [9, 9], "counts": [81]}},
		{"image_id": 7, "category_id": 1, "bbox": [12, 9, 9, 1]},
		{"id": 13, "image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 2], "iscrowd": 1}
	], `+cocoImages+", "+cocoCategories+"}")
	set := readSet(t, root)
	if got, want := told(set), "coco [valid] 3/4: spall 1, crack 5"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	a := set.Find("valid/a")
	if o := a.Objects[0]; o.Box != (Box{.25, .25, .75, .75}) || len(o.Rings()) != 2 ||
		o.Rings()[1][0] != (Point{5. / 16, 4. / 12}) {
		t.Errorf("an outline of two rings: %+v %v", o, o.Rings())
	}
	if o := a.Objects[1]; o.Shape.Mask == nil || o.Box != (Box{4. / 16, 2. / 12, 6. / 16, 4. / 12}) {
		t.Errorf("a mask: %+v", o)
	}
	if o := set.Find("valid/deep/a").Objects[0]; o.Box != (Box{0, 0, .5, .5}) {
		t.Errorf("without a stated size the picture's own counts: %+v", o)
	}
	if b := set.Find("valid/b"); b.Width != 16 || b.Objects[0].Box != (Box{0, 0, .5, .5}) {
		t.Errorf("a picture of half the size: %+v", b)
	}
	if none := set.Find("valid/none"); none.Media != "" || none.Width != 10 ||
		none.Objects[0].Box != (Box{.5, .5, 1, 1}) {
		t.Errorf("a picture that is missing: %+v", none)
	}
	if n := countOf(set, DuplicateRow); n != 2 {
		t.Errorf("%d objects are said twice, want 2: a mask packed and as a list, an outline", n)
	}
	want := []string{MissingImage, NotFinite, TooFewFields, UnknownImage, ValueOutOfRange, ZeroSize, BadMask,
		CrowdRegion,
		DuplicateRow, OddPolygon, SizeDiffers, SuperClass}
	got := codes(set)
	slices.Sort(got[:len(got)-1])
	slices.Sort(want[:len(want)-1])
	if !slices.Equal(got, want) {
		t.Errorf("findings\n%q, want\n%q", got, want)
	}
}

func TestABrokenCOCOFileCountsUpToThere(t *testing.T) {
	root := cocoSet(t, "{"+cocoImages+",\n"+cocoCategories+`,
		"annotations": [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 2]},
		{"id": 2, "image_id": 7, "categ`)
	set := readSet(t, root)
	if got, want := told(set), "coco [valid] 3/4: spall 0, crack 1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f := set.Findings[0]
	if f.Code != BrokenJSON || f.Line != 7 || !strings.Contains(f.Text, "cut off") {
		t.Errorf("got %+v", f)
	}
}

func TestLabelsOfAnUnturnedPictureAreTurned(t *testing.T) {
	for orientation, want := range map[int]Box{
		5: {.1, .5, .3, .6}, 6: {.7, .5, .9, .6}, 7: {.7, .4, .9, .5}, 8: {.1, .4, .3, .5},
	} {
		item := Item{ID: "train/a", Media: "a.jpg", Width: 100, Height: 200, Orientation: uint8(orientation),
			Objects: []Object{{Box: Box{100, 10, 120, 30}, Line: 1}}}
		p := placing{item: &item, classes: 1}
		p.pixels(pixelSize{200, 100})
		p.all(&desk{}, annotationName)
		got := item.Objects[0].Box
		for _, d := range []float64{got.X0 - want.X0, got.Y0 - want.Y0, got.X1 - want.X1, got.Y1 - want.Y1} {
			if math.Abs(d) > 1e-9 {
				t.Errorf("orientation %d: got %v, want %v", orientation, got, want)
			}
		}
		if len(p.findings) != 1 || p.findings[0].Code != TurnedLabels {
			t.Errorf("findings %v", p.findings)
		}
	}
}

func FuzzCOCO(f *testing.F) {
	f.Add("{" + cocoImages + `,"annotations":[{"id":1,"image_id":7,"category_id":1,"bbox":[1,1,2,2],"segmentation":` +
		`{"size":[12,16],"counts":"b12:0f3"}},{"image_id":7,"category_id":90,"segmentation":[[1,1,2,2,3,1]],"iscrowd":0}],` +
		cocoCategories + "}")
	f.Add(`{"images":[{"id":1e99,"file_name":"../x"}],"annotations":[{"bbox":[1,2,3]}]}`)
	f.Add(`[{"image_id":1}]`)
	f.Fuzz(func(t *testing.T, text string) {
		file := &cocoFile{path: "/nowhere/x.json", short: "x.json"}
		file.read(strings.NewReader(text))
		b := &cocoListing{root: "/nowhere", listing: &listing{root: "/nowhere"}, classAt: map[string]int{},
			ids: map[string]bool{}, pictures: pictures{bases: []string{"/nowhere"}}}
		b.take("train", file)
		l, d := b.finish(), &desk{}
		label := l.labels(d)
		for i := range l.items {
			label(i)
			for _, o := range l.items[i].Objects {
				c := o.Box.Center()
				if o.Class < 0 || o.Class >= len(b.names) || !(c.X > -1e-3 && c.X < 1.001 && c.Y > -1e-3 &&
					c.Y < 1.001) {
					t.Errorf("%q gives %+v", text, o)
				}
			}
		}
	})
}
