package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestNearMissesOfALayoutAreRead(t *testing.T) {
	const yaml = "train: train/images\nnames: [a]\n"
	tests := []struct {
		name     string
		files    map[string]string
		ids      []string
		findings []string
	}{
		{
			"label files with the picture's ending",
			map[string]string{"data.yaml": yaml, "train/images/1.png": "", "train/images/1.jpg": "",
				"train/labels/1.png.txt": box, "train/labels/1.jpg.txt": box},
			[]string{"train/1", "train/1.png"},
			[]string{"label_has_picture_ending train/labels"},
		},
		{
			"endings in upper case",
			map[string]string{"data.yaml": yaml, "train/images/A.JPG": "", "train/labels/A.TXT": box},
			[]string{"train/A"},
			[]string{"label_spelt_otherwise train/labels"},
		},
		{
			"names composed otherwise",
			map[string]string{"data.yaml": yaml, "train/images/caf\u00e9.jpg": "", "train/labels/cafe\u0301.txt": box},
			[]string{"train/caf\u00e9"},
			[]string{"label_spelt_otherwise train/labels"},
		},
		{
			"labels beside the pictures, and no folder of labels",
			map[string]string{"data.yaml": yaml, "train/images/1.jpg": "", "train/images/1.txt": box,
				"train/images/2.jpg": "", "train/images/2.txt": box},
			[]string{"train/1", "train/2"},
			[]string{"labels_beside_pictures train/images"},
		},
		{
			"some labels beside the pictures",
			map[string]string{"data.yaml": yaml, "train/images/1.jpg": "", "train/images/1.txt": box,
				"train/images/2.jpg": "", "train/labels/2.txt": box},
			[]string{"train/1", "train/2"},
			[]string{"labels_beside_pictures train/images"},
		},
		{
			"a label file in its place comes first",
			map[string]string{"data.yaml": yaml, "train/images/1.jpg": "", "train/images/1.txt": box + box,
				"train/labels/1.txt": box},
			[]string{"train/1"},
			nil,
		},
		{
			"folders in upper case",
			map[string]string{"data.yaml": "train: Train/Images\nnames: [a]\n", "Train/Images/1.jpg": "",
				"Train/Labels/1.txt": box},
			[]string{"train/1"},
			nil,
		},
		{
			"a list of a Windows machine",
			map[string]string{
				"data.yaml":        "train: train.txt\nnames: [a]\n",
				"train.txt":        "images\\sub\\1.jpg \r\nC:\\data\\set\\images\\sub\\2.JPG\r\n",
				"images/sub/1.jpg": "", "images/sub/2.jpg": "", "labels/sub/1.txt": box, "labels/sub/2.txt": box,
				"images/other/2.jpg": "",
			},
			[]string{"train/images/sub/1", "train/images/sub/2"},
			[]string{"list_of_another_machine train.txt"},
		},
		{
			"a list of another machine, and a name that two pictures have",
			map[string]string{
				"data.yaml":      "train: train.txt\nnames: [a]\n",
				"train.txt":      "/home/me/set/a/1.jpg\n/home/me/elsewhere/2.jpg\n",
				"images/a/1.jpg": "", "images/b/1.jpg": "", "images/a/2.jpg": "", "images/b/2.jpg": "",
				"labels/a/1.txt": box,
			},
			[]string{"train/images/a/1"},
			[]string{"missing_image train.txt", "list_of_another_machine train.txt"},
		},
		{
			"a list in UTF-16 that names a picture twice",
			map[string]string{
				"data.yaml":    "train: train.txt\nnames: [a]\n",
				"train.txt":    asUTF16("images/1.jpg\r\n./images/1.jpg\r\n", "\xff\xfe"),
				"images/1.jpg": "", "labels/1.txt": box,
			},
			[]string{"train/images/1"},
			[]string{"picture_listed_twice train.txt", "utf_16 train.txt"},
		},
		{
			"backslashes and a drive in data.yaml",
			map[string]string{"data.yaml": "train: D:\\work\\set\\train\\images\nnames: [a]\n",
				"train/images/1.jpg": "", "train/labels/1.txt": box},
			[]string{"train/1"},
			[]string{"moved_folder data.yaml"},
		},
		{
			"the name of the set's own folder before its paths",
			map[string]string{"pits-3/data.yaml": "train: pits-3/train/images\nnames: [a]\n",
				"pits-3/train/images/1.jpg": "", "pits-3/train/labels/1.txt": box},
			[]string{"train/1"},
			nil,
		},
		{
			"file names that are no UTF-8",
			map[string]string{"data.yaml": yaml, "train/images/\xa4.jpg": "", "train/labels/\xa4.txt": box,
				"train/images/\xa5.jpg": "", "train/labels/\xa5.txt": box},
			[]string{`train/\xA4`, `train/\xA5`},
			[]string{`name_not_utf8 train/images/\xA4.jpg`, `name_not_utf8 train/images/\xA5.jpg`},
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

func TestAFolderLinkedIntoItselfIsWalkedOnce(t *testing.T) {
	root := write(t, map[string]string{
		"data.yaml": "train: train/images\nnames: [a]\n", "train/images/sub/1.jpg": "", "train/labels/sub/1.txt": box,
		"pool/2.jpg": "", "train/labels/pool/2.txt": box,
	})
	for link, target := range map[string]string{
		"train/images/sub/again": "..", "train/images/twin": "sub", "train/images/pool": "../../pool",
		"train/images/pool2": "../../pool", "train/images/up": "../..",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Skip("no links on this file system:", err)
		}
	}
	if set := open(t, root); !slices.Equal(ids(set), []string{"train/pool/2", "train/sub/1"}) {
		t.Errorf("got %q", ids(set))
	}
}

func TestLabelsOfALinkedFolderLieBesideTheLink(t *testing.T) {
	root := write(t, map[string]string{
		"set/data.yaml": "train: train.txt\nnames: [a]\n", "set/train.txt": "./images/1.jpg\n", "set/labels/1.txt": box,
		"pool/1.jpg": "",
	})
	asText := filepath.Join(root, "set", "images")
	if err := os.WriteFile(asText, []byte("../pool"), 0o644); err != nil {
		t.Fatal(err)
	}
	if set := openAt(t, root, "set"); !slices.Equal(ids(set), []string{"train/images/1"}) ||
		len(set.Items[0].Objects) != 1 ||
		!slices.Equal(found(set), []string{"text_in_place_of_link images"}) {
		t.Errorf("a link left as text: got %+v, %v", set.Items, set.Findings)
	}
	if err := os.Remove(asText); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../pool", filepath.Join(root, "set", "images")); err != nil {
		t.Skip("no links on this file system:", err)
	}
	if set := open(t, root); !slices.Equal(ids(set), []string{"train/images/1"}) || len(set.Items[0].Objects) != 1 ||
		len(set.Findings) > 0 {
		t.Errorf("got %+v, %v", set.Items, set.Findings)
	}
}
