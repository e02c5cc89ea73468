package dataset

import (
	"slices"
	"strings"
	"testing"
)

func TestVOCSetsOfOthersAreRead(t *testing.T) {
	for path, want := range map[string]struct {
		told  string
		codes []string
	}{
		"data/bccd":                     {"voc [test] 72/72: Platelets 69, RBC 805, WBC 71", nil},
		"cases/data/L4-voc-floats/data": {"voc [train valid] 2/2: crack 2", []string{OtherPicture}},
		"data/importers/voc_dataset/voc_dataset1": {"voc [train] 1/1: cat 1, person 1",
			[]string{MissingLabel}},
		"data/importers/voc_dataset/voc_dataset2": {"voc [train] 0/5: background 0, aeroplane 0, bicycle 0, bird 0",
			[]string{MissingImage, UnknownSize, EmptyLabelFile}},
		"data/importers/voc_dataset/voc_dataset3": {"voc [train] 1/1: cat 1", nil},
		"data/importers/roboflow_dataset/voc": {"voc [train valid] 3/3: label_0 2, label_1 2",
			[]string{SameImage, SameImageOtherLabels}},
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

// vocXML is an annotation of a picture of 16×12 with objects of these boxes, each "name xmin ymin xmax ymax".
func vocXML(objects ...string) string {
	text := "<annotation>\n<size><width>16</width><height>12</height></size>\n"
	for _, object := range objects {
		f := append(strings.Fields(object), "", "", "", "")
		text += "<object><name>" + f[0] +
			"</name><part><name>head</name><bndbox><xmin>1</xmin></bndbox></part><bndbox>" +
			"<xmin>" + f[1] + "</xmin><ymin>" + f[2] + "</ymin><xmax>" + f[3] + "</xmax><ymax>" + f[4] +
			"</ymax></bndbox></object>\n"
	}
	return text + "</annotation>\n"
}

func TestVOCObjectsArePlacedOrSaid(t *testing.T) {
	picture := pictureFile(t, "one.jpg", 16, 12)
	root := write(t, map[string]string{
		"VOC2012/Annotations/1.xml": vocXML("b 1 1 8 6", "a 0 0 16.0 12", "a 1 1 20 12", "a 5 5 5 4", "a 30 1 40 5",
			"b 1 1 8 6",
			"a x 1 2 3"),
		"VOC2012/Annotations/2.xml":              "<annotation><object><name>A & B</name></object><object><name>a</na",
		"VOC2012/Annotations/3.xml":              vocXML(),
		"VOC2012/Annotations/4.xml":              vocXML("a 1 1 2 2"),
		"VOC2012/JPEGImages/1.JPG":               picture,
		"VOC2012/JPEGImages/2.jpg":               picture + "x",
		"VOC2012/JPEGImages/3.png":               pictureFile(t, "x.png", 16, 12),
		"VOC2012/ImageSets/Main/train.txt":       "1\n2\n# none\n\n9\n",
		"VOC2012/ImageSets/Main/val.txt":         "3\n1\n",
		"VOC2012/ImageSets/Main/crack_train.txt": "1 -1\n",
	})
	set := readSet(t, root)
	if got, want := told(set), "voc [train valid] 4/4: A & B 1, a 4, b 2"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	first := set.Find("train/1")
	if o := first.Objects[0]; o.Box != (Box{0, 0, .5, .5}) || o.Line != 3 {
		t.Errorf("corners count from 1: %+v", o)
	}
	if o := first.Objects[1]; o.Box != Whole {
		t.Errorf("corners that count from 0: %+v", o)
	}
	if o := set.Find("train/2").Objects[0]; o.Box != Whole || set.Find("train/2").Width != 16 {
		t.Errorf("without a box: %+v", o)
	}
	want := []string{BrokenXML, NotANumber, ValueOutOfRange, ZeroSize, BoxPastEdge, DuplicateRow, MissingLabel, NoBox,
		SameFolder, EmptyLabelFile, UnlistedFolder}
	if got := codes(set); !slices.Equal(got, want) {
		t.Errorf("findings\n%q, want\n%q", got, want)
	}
}

func FuzzVOC(f *testing.F) {
	f.Add(vocXML("a 1 1 2 2", "b 1 1 x 2"))
	f.Add("<annotation><filename>..\\x.jpg</filename><size><width>-3</width></size><object/>")
	f.Add("<!DOCTYPE a [<!ENTITY b \"c\">]><annotation>&b;<object><name>&b;</name></object>")
	f.Fuzz(func(t *testing.T, text string) {
		file := parseVOC(hideBytes(text), "x.xml")
		b := &vocListing{listing: &listing{root: "/nowhere", items: []Item{{ID: "train/x", Labels: "/nowhere/x.xml"}}},
			files: []vocFile{file}, places: pictures{bases: []string{"/nowhere"}}}
		b.complete()
		b.labels(&desk{})(0)
		for _, o := range b.items[0].Objects {
			c := o.Box.Center()
			if o.Class >= len(b.names) || !(c.X > -1e-3 && c.X < 1.001 && c.Y > -1e-3 && c.Y < 1.001) {
				t.Errorf("%q gives %+v", text, o)
			}
		}
	})
}
