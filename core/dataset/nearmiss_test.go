package dataset

import (
	"strings"
	"testing"

	"finetui/core/level"
)

// Sets that are nearly right: what is likely is said, and what is certain is read.
func TestNearMissesAreNamedOrRead(t *testing.T) {
	set := func(pictures, labels, ending string, rows ...string) map[string]string {
		files := map[string]string{"data.yaml": "train: train/" + pictures + "\nnames: [crack, hole]\n"}
		for i, row := range rows {
			name := string(rune('a' + i))
			files["train/"+pictures+"/"+name+".jpg"] = pictureFile(t, name, 16+8*i, 12)
			files["train/"+labels+"/"+name+ending] = row + "\n"
		}
		return files
	}
	const row, other = "0 0.3 0.3 0.2 0.2", "1 0.6 0.6 0.2 0.2"
	const yaml = "train: train/images\nnames: "
	const lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345"
	plain := set("images", "labels", ".txt", row, other)
	with := func(name, text string) map[string]string {
		files := map[string]string{}
		for n, t := range plain {
			files[n] = t
		}
		files[name] = text
		return files
	}
	jfif := with("train/images/c.jfif", pictureFile(t, "c", 40, 12))
	jfif["train/labels/c.txt"] = row
	for name, c := range map[string]struct {
		files   map[string]string
		objects int
		says    []string // in the causes
	}{
		"pictures in JPEGImages":  {set("JPEGImages", "labels", ".txt", row, other), 2, nil},
		"pictures in img, Labels": {set("img", "Labels", ".txt", row, other), 2, nil},
		"labels in label":         {set("images", "label", ".txt", row, other), 2, nil},
		"both unusual":            {set("img", "label", ".txt", row, other), 2, nil},
		"the ending twice":        {set("images", "labels", ".txt.txt", row, other), 2, []string{"their ending twice"}},
		"labels in annotations": {set("images", "annotations", ".txt", row, other), 0,
			[]string{"none of the 2", "train/annotations", "call that folder labels"}},
		"a picture of another ending": {jfif, 3, nil},
		"a pointer for a picture":     {with("train/images/b.jpg", lfs), 2, []string{"Git LFS", "git lfs pull"}},
		"a pointer for labels":        {with("train/labels/b.txt", lfs), 1, []string{"Git LFS in place of the labels"}},
		"a web page for a picture": {with("train/images/b.jpg", "\n<!DOCTYPE html><html>"), 2,
			[]string{"web page", "download it again"}},
		"corners for a box": {set("images", "labels", ".txt", "0 0.1 0.2 0.5 0.6", "0 0.6 0.5 0.9 0.8",
			"1 0.3 0.3 0.7 0.9"), 3, []string{"likely two corners", "x y width height"}},
		"names that look the same":  {with("data.yaml", yaml+"[\"be\u0301ton\", \"b\u00e9ton\"]\n"), 2, []string{"ids 0 and 1 are both named"}},
		"names of another encoding": {with("data.yaml", yaml+"[\xc1\xd1\xb7\xec, b]\n"), 2, []string{`\xC1\xD1\xB7\xEC`}},
	} {
		d := open(t, write(t, c.files))
		objects := 0
		for i := range d.Items {
			objects += len(d.Items[i].Objects)
		}
		var said []string
		for _, cause := range d.Causes() {
			if len(c.says) == 0 && cause.Level != level.Info {
				t.Errorf("%s: %s", name, cause.Text)
			}
			said = append(said, cause.Text+" – "+cause.Do)
		}
		if objects != c.objects {
			t.Errorf("%s: %d objects, want %d: %q", name, objects, c.objects, said)
		}
		for _, text := range c.says {
			if !strings.Contains(strings.Join(said, "\n"), text) {
				t.Errorf("%s: nothing says %q: %q", name, text, said)
			}
		}
	}
}
