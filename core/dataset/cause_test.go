package dataset

import (
	"fmt"
	"strings"
	"testing"

	"finetui/core/level"
)

func TestOneCauseIsOneFinding(t *testing.T) {
	files := map[string]string{"data.yaml": "train: train/images\nnames: [crack, hole]\n"}
	for i := range 30 {
		files[fmt.Sprintf("train/images/%02d.png", i)] = ""
		files[fmt.Sprintf("train/labels/%02d.txt", i)] = fmt.Sprintf("%d .5 .5 .2 .2\n", 1+i%2)
	}
	set := open(t, write(t, files))
	causes := set.Causes()
	if len(set.Findings) != 15 || len(causes) != 1 {
		t.Fatalf("%d findings, causes %+v", len(set.Findings), causes)
	}
	c := causes[0]
	if c.Count != 15 || len(c.Places) != 15 || c.File != "train/labels/01.txt" ||
		!strings.Contains(c.Text, "ids begin with 1") || !strings.Contains(c.Text, "15 of 30 rows") {
		t.Errorf("got %+v", c)
	}
	if also := c.Also(); also != "train/labels/03.txt:1, train/labels/05.txt:1, train/labels/07.txt:1 and 11 more" {
		t.Errorf("also %q", also)
	}
	if filled, lost := set.RowCount(); filled != 30 || lost != 15 {
		t.Errorf("%d rows, %d lost", filled, lost)
	}
}

func TestLikelyCausesAreSaid(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		says  string
	}{
		"more ids than names": {map[string]string{"data.yaml": "names: [a, b]\n", "train/images/1.jpg": "",
			"train/labels/1.txt": "0 .5 .5 .2 .2\n4 .5 .5 .2 .2\n"},
			"ids go up to 4, and there are 2 names"},
		"no labels at all": {map[string]string{"data.yaml": "names: [a]\n", "train/images/1.jpg": "",
			"train/images/2.jpg": ""},
			"none of the 2 pictures has a label file"},
		"labels of another format": {map[string]string{"data.yaml": "names: [a]\n", "train/images/1.jpg": "",
			"train/images/2.jpg": "", "annotations/x.json": `{"images": [{"file_name": "1.jpg"}]}`},
			"COCO JSON (annotations/x.json)"},
	} {
		causes := open(t, write(t, test.files)).Causes()
		if len(causes) == 0 || causes[0].Level != level.Error || !strings.Contains(causes[0].Text, test.says) {
			t.Errorf("%s: %+v", name, causes)
		}
		if strings.Contains(test.says, "COCO") && causes[0].Do != `set DATASET.FORMAT to "coco" to read it` {
			t.Errorf("%s: %s", name, causes[0].Do)
		}
	}
}

func TestAFileOfOneFaultIsOneCause(t *testing.T) {
	files := map[string]string{"data.yaml": "train: train/images\nnames: [crack, hole]\n", "train/images/1.png": "",
		"train/images/2.png": ""}
	files["train/labels/1.txt"] = strings.Repeat("2 .5 .5 .2 .2\n", 3000) + "1 .5 .5 .2 .2\n"
	files["train/labels/2.txt"] = strings.Repeat("2 .5 .5 .2 .2\nx\n", 200)
	files["train/images/3.png"], files["train/labels/3.txt"] = "", strings.Repeat("y 2 3 4 5\n", 150)
	causes := open(t, write(t, files)).Causes()
	var got []string
	for _, c := range causes {
		got = append(got, fmt.Sprint(c.Code, " ", c.Count))
	}
	if want := "class_out_of_range 3050, more_faults 300, not_a_number 150, too_few_fields 50"; strings.Join(got,
		", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !strings.Contains(causes[0].Text, "ids begin with 1") || !strings.Contains(causes[0].Text, "3050 of 3551 rows") {
		t.Errorf("got %+v", causes[0].Text)
	}
}

func TestCausesOfDifferentKindsStayApart(t *testing.T) {
	causes := Causes([]Finding{
		{Code: MissingFolder, Text: "a", Do: "x"}, {Code: MissingFolder, Text: "b", Do: "x"},
		{Code: MissingLabel, File: "1", Do: "x"}, {Code: MissingLabel, File: "2", Do: "y"},
		{Code: MissingLabel, File: "3", Do: "x", Count: 5},
	})
	var got []string
	for _, c := range causes {
		got = append(got, fmt.Sprint(c.Code, c.Count, len(c.Places)))
	}
	if want := "missing_folder1 0 missing_folder1 0 missing_label6 2 missing_label1 0"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOtherFormatsAreNamed(t *testing.T) {
	for says, files := range map[string]map[string]string{
		"CVAT XML": {"images/a.jpg": "",
			"annotations/a.xml": `<annotations><image id="0" name="a.jpg"/></annotations>`},
		"CreateML JSON": {"a.jpg": "",
			"a.json": `[{"image": "a.jpg", "annotations": [{"coordinates": {}}]}]`},
		"one folder of pictures for each class": {"train/cat/1.jpg": "", "train/dog/2.jpg": ""},
		"labelme JSON":                          {"1.jpg": "", "1.json": `{"shapes": [], "imagePath": "1.jpg"}`},
	} {
		_, err := Open(testConfig("."), write(t, files))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "convert it to YOLO") {
			t.Errorf("%s: %v", says, err)
		}
	}
}
