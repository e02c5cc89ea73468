package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"finetui/core/config"
)

// write makes files of a small set: a name ending in a picture's ending gets a picture with a colour made of its path,
// a name ending in / is a folder, others get the text.
func write(t testing.TB, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if text == "" && isPicture(name) {
			text = pictureFile(t, name, 16, 12)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func pictureFile(t testing.TB, name string, width, height int) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i, c := range []byte(name) {
		img.Set(i%width, i/width, color.RGBA{c, 255 - c, byte(i), 255})
	}
	var out bytes.Buffer
	var err error
	if strings.HasSuffix(strings.ToLower(name), ".png") {
		err = png.Encode(&out, img)
	} else {
		err = jpeg.Encode(&out, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func open(t testing.TB, root string) *Dataset {
	t.Helper()
	return openAt(t, root, ".")
}

// openAt opens the set at a path of a project's folder.
func openAt(t testing.TB, root, path string) *Dataset {
	t.Helper()
	set, err := Open(testConfig(path), root)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// found lists findings as "code file".
func found(set *Dataset) (all []string) {
	for _, f := range set.Findings {
		all = append(all, strings.TrimSpace(f.Code+" "+f.File))
	}
	return all
}

func ids(set *Dataset) (all []string) {
	for _, item := range set.Items {
		all = append(all, item.ID)
	}
	return all
}

const box = "0 .5 .5 .2 .2\n"

func TestLayoutsOfYOLOSets(t *testing.T) {
	tests := []struct {
		name     string
		files    map[string]string
		ids      []string
		findings []string
	}{
		{
			"Roboflow's paths beside the folder",
			map[string]string{
				"data.yaml": "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnames: " +
					"[a, b]\n",
				"train/images/1.jpg": "", "train/labels/1.txt": box, "valid/images/2.jpg": "",
				"valid/labels/2.txt": box,
			},
			[]string{"train/1", "valid/2"},
			[]string{"missing_folder data.yaml"},
		},
		{
			"Ultralytics' images/train with path, and a list of folders",
			map[string]string{
				"data.yaml": "path: ../elsewhere\ntrain: [images/train, images/more]\nval: " +
					"images/val\nnames: {0: a}\n",
				"images/train/1.jpg": "", "labels/train/1.txt": box, "images/more/1.jpg": "", "labels/more/1.txt": box,
				"images/val/sub/x.y.PNG": "", "labels/val/sub/x.y.txt": box,
			},
			[]string{"train/1", "train/1.jpg", "valid/sub/x.y"},
			nil,
		},
		{
			"a split that data.yaml leaves out",
			map[string]string{
				"data.yaml":          "train: train/images\nnames: [a]\n",
				"train/images/1.jpg": "", "train/labels/1.txt": box, "test/images/2.jpg": "", "test/labels/2.txt": box,
			},
			[]string{"train/1", "test/2"},
			[]string{"unlisted_folder test/images"},
		},
		{
			"a path of another machine",
			map[string]string{
				"data.yaml":          "train: /content/set/train/images\nnames: [a]\n",
				"train/images/1.jpg": "", "train/labels/1.txt": box,
			},
			[]string{"train/1"},
			[]string{"moved_folder data.yaml"},
		},
		{
			"the folder above images",
			map[string]string{
				"data.yaml":          "train: train\nnames: [a]\n",
				"train/images/1.jpg": "", "train/labels/1.txt": box, "train/labels/2.txt": box,
			},
			[]string{"train/images/1"},
			[]string{"missing_image train/labels/2.txt"},
		},
		{
			"labels beside the pictures",
			map[string]string{"data.yaml": "train: train\nnames: [a]\n", "train/1.jpg": "", "train/1.txt": box,
				"train/classes.txt": "a"},
			[]string{"train/1"},
			nil,
		},
		{
			"a list of pictures",
			map[string]string{
				"data.yaml":    "train: train.txt\nnames: [a]\n",
				"train.txt":    "images/1.jpg\n./images/2.jpg\nimages/gone.jpg\n",
				"images/1.jpg": "", "images/2.jpg": "", "images/3.jpg": "", "labels/1.txt": box, "labels/2.txt": box,
				"labels/3.txt": box,
			},
			[]string{"train/images/1", "train/images/2"},
			[]string{"missing_image train.txt"},
		},
		{
			"one folder for two splits",
			map[string]string{"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/1.jpg": "",
				"labels/1.txt": box},
			[]string{"train/1", "valid/1"},
			[]string{"same_folder_in_two_splits images"},
		},
		{
			"no data.yaml, names elsewhere",
			map[string]string{"classes.txt": "a\nb\n", "train/images/1.jpg": "", "train/labels/1.txt": box},
			[]string{"train/1"},
			[]string{"names_missing data.yaml"},
		},
		{
			"no splits",
			map[string]string{"data.yaml": "names: [a]\n", "images/1.jpg": "", "labels/1.txt": box},
			[]string{"train/1"},
			[]string{"no_splits images"},
		},
		{
			"two folders below",
			map[string]string{"a/my set (1)/data.yaml": "names: [a]\n", "a/my set (1)/train/images/1 [2].jpg": "",
				"a/my set (1)/train/labels/1 [2].txt": box},
			[]string{"train/1 [2]"},
			nil,
		},
		{
			"two pictures of one name",
			map[string]string{"data.yaml": "names: [a]\n", "train/images/1.jpg": "", "train/images/1.png": "",
				"train/labels/1.txt": box},
			[]string{"train/1", "train/1.png"},
			[]string{"shared_label train/images/1.png"},
		},
		{
			"what lies around is passed over",
			map[string]string{
				"data.yaml": "names: [a]\n", "train/images/1.jpg": "", "train/images/._1.jpg": "x",
				"train/images/Thumbs.db": "x",
				"train/labels/1.txt":     box, "train/labels.cache": "x", "train/labels/README.txt": "x",
			},
			[]string{"train/1"},
			nil,
		},
		{
			"a picture that nothing here reads",
			map[string]string{"data.yaml": "names: [a]\n", "train/images/1.heic": "x", "train/labels/1.txt": box},
			[]string{"train/1"},
			[]string{"unreadable_image train/images/1.heic"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set := open(t, write(t, test.files))
			if !slices.Equal(ids(set), test.ids) {
				t.Errorf("items %q, want %q", ids(set), test.ids)
			}
			if !slices.Equal(found(set), test.findings) {
				t.Errorf("findings %q, want %q", found(set), test.findings)
			}
			for _, item := range set.Items {
				if len(item.Objects) != 1 {
					t.Errorf("%s has %d objects, want 1 of %s", item.ID, len(item.Objects), item.Labels)
				}
			}
		})
	}
}

func TestSetsThatCannotBeOpenedSayWhy(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		cfg   func(*config.Dataset)
		says  []string
	}{
		{"nothing there", nil, func(c *config.Dataset) { c.Path = "gone" }, []string{"DATASET.PATH", "gone"}},
		{"no path", nil, func(c *config.Dataset) { c.Path = "" }, []string{"DATASET.PATH", "empty"}},
		{"an empty folder", nil, nil, []string{"no data set of a known format"}},
		{"another format", nil, func(c *config.Dataset) { c.Format = "csv" }, []string{"DATASET.FORMAT", `"csv"`}},
		{"none of that format", map[string]string{"data.yaml": "names: [a]\n"},
			func(c *config.Dataset) { c.Format = "voc" }, []string{"DATASET.FORMAT", "XML file for each picture"}},
		{"broken YAML", map[string]string{"data.yaml": "names: [a\n\tb: {{\n"}, nil, []string{"data.yaml", "line "}},
		{"a list for a mapping", map[string]string{"data.yaml": "- a\n"}, nil, []string{"data.yaml", "line 1"}},
		{"no pictures", map[string]string{"data.yaml": "names: [a]\n"}, nil, []string{"no folder of pictures"}},
		{"two sets", map[string]string{"a/data.yaml": "names: [a]", "b/data.yaml": "names: [a]"}, nil,
			[]string{"2 data sets", "name one"}},
		{
			"a split that is not there", map[string]string{"data.yaml": "names: [a]\n", "train/images/1.jpg": ""},
			func(c *config.Dataset) { c.Splits = []string{"train", "holdout"} }, []string{"DATASET.SPLITS",
				"holdout", "train"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := testConfig(".")
			if test.cfg != nil {
				test.cfg(&cfg)
			}
			_, err := Open(cfg, write(t, test.files))
			if err == nil {
				t.Fatal("no error")
			}
			for _, word := range test.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
		})
	}
}

func TestSpecialFilesAmongLabelsAreFound(t *testing.T) {
	root := write(t, map[string]string{"data.yaml": "names: [a]\n", "train/images/1.png": "", "train/images/2.png": "",
		"train/images/3.png": "", "train/labels/1.txt": box})
	if err := unix.Mkfifo(filepath.Join(root, "train", "labels", "2.txt"), 0o600); err != nil {
		t.Skip("no pipes on this file system:", err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(root, "train", "labels", "3.txt")); err != nil {
		t.Skip("no links on this file system:", err)
	}
	if set := open(t, root); !slices.Equal(found(set), []string{"unreadable_label train/labels/2.txt",
		"unreadable_label train/labels/3.txt"}) {
		t.Errorf("got %q", found(set))
	}
}

func TestClassesAreNumberedWithoutNames(t *testing.T) {
	set := open(t, write(t, map[string]string{"train/images/1.jpg": "", "train/labels/1.txt": "2 .5 .5 .2 .2\n"}))
	if len(set.Classes) != 3 || set.Classes[2].Name != "class 2" ||
		!slices.Equal(found(set), []string{"names_missing data.yaml"}) {
		t.Errorf("got %v, %v", set.Classes, found(set))
	}
}

func TestASlipOfADigitMakesNoListOfMillions(t *testing.T) {
	files := map[string]string{"data.yaml": "nc: 900000000\n", "train/images/1.jpg": "",
		"train/labels/1.txt": "1 .5 .5 .2 .2\n2000000000 .5 .5 .2 .2\n"}
	set := open(t, write(t, files))
	want := []string{"class_out_of_range train/labels/1.txt", "names_missing data.yaml",
		"class_count_differs data.yaml"}
	if len(set.Classes) != 2 || len(set.Items[0].Objects) != 1 || !slices.Equal(found(set), want) {
		t.Errorf("%d classes, findings %q, want %q", len(set.Classes), found(set), want)
	}
}

func TestNamesAreMadeUnique(t *testing.T) {
	data, err := parseDataYAML("data.yaml", []byte("names: [a, a, b, 'a (2)', a]"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "a (3)", "b", "a (2)", "a (4)"}; !slices.Equal(data.names, want) ||
		len(data.findings) != 2 {
		t.Errorf("got %q, %v, want %q", data.names, data.findings, want)
	}
}

func TestSetsChoosesSplits(t *testing.T) {
	cfg := testConfig(".")
	cfg.Splits = []string{"val"}
	set, err := Open(cfg, write(t, map[string]string{
		"data.yaml": "names: [a]\n", "train/images/1.jpg": "", "valid/images/2.jpg": "", "valid/labels/2.txt": box,
	}))
	if err != nil || !slices.Equal(ids(set), []string{"valid/2"}) || len(set.Findings) > 0 {
		t.Errorf("got %v, %v", set, err)
	}
}

func TestPicturesMayLieElsewhere(t *testing.T) {
	root := write(t, map[string]string{
		"set/data.yaml": "train: train/images\nval: valid/images\nnames: [a]\n", "set/train/labels/1.txt": box,
		"set/valid/labels/2.txt":   box,
		"media/train/images/1.jpg": "", "media/valid/images/2.jpg": "",
	})
	cfg := testConfig("set")
	cfg.Media = "media"
	set, err := Open(cfg, root)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids(set), []string{"train/1", "valid/2"}) || len(set.Findings) > 0 ||
		len(set.Items[0].Objects) != 1 {
		t.Errorf("got %v, findings %v", set.Items, set.Findings)
	}
}

func TestLeaksBetweenSplitsAreFound(t *testing.T) {
	same := pictureFile(t, "same.jpg", 16, 12)
	set := open(t, write(t, map[string]string{
		"data.yaml": "names: [a]\n", "train/images/a.jpg": same, "train/images/b.jpg": same, "valid/images/c.jpg": same,
		"train/labels/a.txt": box, "train/labels/b.txt": box, "valid/labels/c.txt": box,
		"train/images/p_jpg.rf.111.jpg": "", "valid/images/p_jpg.rf.222.jpg": "", "train/labels/p_jpg.rf.111.txt": box,
		"valid/labels/p_jpg.rf.222.txt": box,
	}))
	want := []string{"same_image_in_two_splits valid/images/c.jpg",
		"same_source_in_two_splits valid/images/p_jpg.rf.222.jpg"}
	if !slices.Equal(found(set), want) {
		t.Errorf("findings %q, want %q", found(set), want)
	}
}

func TestReadingStopsOnTheContext(t *testing.T) {
	root := write(t, map[string]string{"data.yaml": "names: [a]\n", "train/images/1.jpg": "",
		"train/labels/1.txt": box})
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Read(ctx, testConfig("."), root, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestComparingPicturesOfEqualSizeStopsOnTheContext(t *testing.T) {
	same := pictureFile(t, "same.jpg", 16, 12)
	root := write(t, map[string]string{"data.yaml": "names: [a]\n", "train/images/1.jpg": same,
		"valid/images/1.jpg": same})
	ctx, stop := context.WithCancel(context.Background())
	_, err := Read(ctx, testConfig("."), root, func(_, _ int, what string) {
		if strings.HasPrefix(what, "comparing") {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestProgressEndsAtTheTotal(t *testing.T) {
	files := map[string]string{"data.yaml": "names: [a]\n"}
	for i, name := range []string{"1", "2", "3", "4", "5"} {
		files["train/images/"+name+".jpg"] = pictureFile(t, name+".jpg", 16+i, 12) // no two are the same
	}
	last, calls := 0, 0
	_, err := Read(context.Background(), testConfig("."), write(t, files), func(done, total int, what string) {
		calls++
		if done != last+1 || total != 5 || what == "" {
			t.Errorf("progress %d of %d, %q after %d", done, total, what, last)
		}
		last = done
	})
	if err != nil || calls != 5 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestFingerprintFollowsTheLabels(t *testing.T) {
	files := map[string]string{"data.yaml": "names: [a]\n", "train/images/1.jpg": "", "train/labels/1.txt": box}
	one, two := open(t, write(t, files)), open(t, write(t, files))
	if one.Fingerprint() != two.Fingerprint() {
		t.Error("the same set elsewhere has another fingerprint")
	}
	files["train/labels/1.txt"] = "0 .5 .5 .2 .20001\n"
	if one.Fingerprint() == open(t, write(t, files)).Fingerprint() {
		t.Error("another label has the same fingerprint")
	}
}

func FuzzDataYAML(f *testing.F) {
	for _, text := range []string{"names: [a, b]", "names: {1: a, x: b}\nnc: 3", "a: &a [*a]\nnames: *a",
		"train: [x, [y]]\nval:\n", "? [a]\n: b"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		data, err := parseDataYAML("data.yaml", text)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, name := range data.names {
			if name == "" || seen[name] {
				t.Errorf("names %q are not distinct and filled", data.names)
			}
			seen[name] = true
		}
	})
}

func TestOnePictureUnderTwoLabelsInTrainIsFound(t *testing.T) {
	same := pictureFile(t, "same.jpg", 16, 12)
	two := "0 .5 .5 .2 .2\n0 .2 .2 .1 .1\n"
	set := open(t, write(t, map[string]string{
		"data.yaml":          "names: [a, b]\n",
		"train/images/1.jpg": same, "train/labels/1.txt": box,
		"train/images/2.jpg": same, "train/labels/2.txt": "1 .5 .5 .2 .2\n", // another class
		"train/images/3.jpg": same, "train/labels/3.txt": box, // the same again
		"train/images/4.jpg": same, "train/labels/4.txt": "", // the same as 5
		"train/images/5.jpg": same, "train/labels/5.txt": "",
		"valid/images/6.jpg": pictureFile(t, "other.jpg", 17, 12), "valid/labels/6.txt": box,
		// nobody learns from valid
		"valid/images/7.jpg": pictureFile(t, "other.jpg", 17, 12), "valid/labels/7.txt": two,
	}))
	want := []string{"same_image_with_other_labels train/images/2.jpg",
		"same_image_with_other_labels train/images/4.jpg", "empty_label_file train/labels/4.txt",
		"empty_label_file train/labels/5.txt"}
	if !slices.Equal(found(set), want) {
		t.Errorf("findings %q, want %q", found(set), want)
	}
}

func TestTheOrderOfRowsIsNoOtherLabel(t *testing.T) {
	same := pictureFile(t, "same.jpg", 16, 12)
	set := open(t, write(t, map[string]string{
		"data.yaml":          "names: [a, b]\n",
		"train/images/1.jpg": same, "train/labels/1.txt": "0 .5 .5 .2 .2\n1 .2 .2 .1 .1\n",
		"train/images/2.jpg": same, "train/labels/2.txt": "1 .2 .2 .1 .1\n0 .5 .5 .2 .2\n",
	}))
	if len(set.Findings) > 0 {
		t.Errorf("findings %q, want none", found(set))
	}
}

// TestManyEqualPicturesAreComparedOnce has a set of equal pictures in two splits, each labelled in its own way: every
// one of valid is found, with the picture of its name in train.
func TestManyEqualPicturesAreComparedOnce(t *testing.T) {
	same := pictureFile(t, "same.jpg", 16, 12)
	files := map[string]string{"data.yaml": "names: [a]\n"}
	for i := range 300 {
		for _, split := range []string{"train", "valid"} {
			files[fmt.Sprintf("%s/images/%03d.jpg", split, i)] = same
			files[fmt.Sprintf("%s/labels/%03d.txt", split, i)] = fmt.Sprintf("0 .5 .5 .2 .%d\n", i+100)
		}
	}
	n := 0
	for _, f := range open(t, write(t, files)).Findings {
		if f.Code != SameImage {
			continue
		}
		n++
		if want := "the same picture as train/images/" + filepath.Base(f.File); f.Text != want {
			t.Fatalf("%s is %q, want %q", f.File, f.Text, want)
		}
	}
	if n != 300 {
		t.Errorf("%d found, want 300", n)
	}
}
