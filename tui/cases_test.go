package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// caseCheck is what a verb must say of one of the shared cases, by its README. Add a row for another verb or text; the
// folder is copied anew for each row.
type caseCheck struct {
	folder, call string   // below the cases, the verb with its words and overrides
	code         int      // of exit
	says, not    []string // in what is printed to both
	set          *inAnalysis
}

// inAnalysis is what the analysis must count.
type inAnalysis struct {
	images, objects int
	findings        string // codes of those of level error and warn, in their order
}

func analysed(images, objects int, findings string) *inAnalysis {
	return &inAnalysis{images, objects, findings}
}

var caseChecks = []caseCheck{
	{"data/01-outline-past-edge", "analyze", exitDone, []string{"a corner lies 0.0021", "clipped"}, nil,
		analysed(10, 10, "box_past_edge outline_past_edge")},
	{"data/02-roboflow-name-in-path", "analyze", exitDone, nil, []string{"does not exist", "missing"},
		analysed(10, 10, "")},
	{"data/04-list-backslash-hangul", "analyze", exitDone, []string{"4 paths"}, nil, analysed(6, 6, "")},
	{"data/06-dots-in-names", "analyze", exitDone, nil, nil, analysed(6, 6, "")},
	{"data/07-label-png-txt", "analyze", exitDone, []string{"3 label files carry the picture's ending"},
		[]string{"missing_label"}, analysed(6, 6, "")},
	{"data/08a-names-reversed", "analyze", exitDone, []string{"swapped", "background", "pothole"}, []string{"class 0"},
		analysed(10, 10, "names_swapped")},
	{"data/08c-names-no-space", "analyze", exitDone, []string{"data.yaml:5", "no space after the colon", "crack"},
		[]string{"class 0"}, analysed(10, 10, "names_are_one_text")},
	{"data/09-linked-images", "analyze", exitDone, nil, nil, analysed(6, 6, "")},
	{"data/10-labels-beside-images", "analyze", exitDone, []string{"beside the pictures"}, []string{"missing_label"},
		analysed(9, 9, "")},
	{"data/11a-pose-5x2", "analyze", exitDone, []string{"0.50"}, nil, analysed(10, 10, "")},
	{"data/12-exif-convert-full", "analyze", exitDone, nil, nil, analysed(6, 6, "")},
	{"data/12b-exif-png-webp", "analyze", exitDone, nil, nil, analysed(4, 4, "same_image_in_two_splits")},
	{"data/15-damaged-middle", "analyze", exitFindings, []string{"train/images/t2.jpg", "cut off or damaged",
		"its data end in the middle"}, nil, analysed(10, 10, "unreadable_image")},
	{"data/16-grey16", "analyze", exitDone, nil, nil, analysed(6, 6, "")},
	{"data/17-cmyk-palette-alpha", "analyze", exitDone, nil, nil, analysed(10, 10, "")},
	{"data/18-aspect-200", "analyze", exitDone, nil, nil, analysed(10, 11, "")},
	{"data/18b-aspect-200-whole", "analyze", exitDone, nil, nil, analysed(10, 10, "")},
	{"data/18-aspect-200", "lint", exitDone, nil, []string{"200 to 1"}, nil},
	{"data/18b-aspect-200-whole", "lint", exitFindings, []string{"train/images/t3.jpg", "2300×10 pixels",
		"cut it into pieces"}, nil, nil},
	{"data/15-damaged-middle", "lint", exitFindings, []string{"unreadable_image", "train/images/t0.jpg", "3 pictures",
		"train/images/t1.png, train/images/t2.jpg"}, nil, nil},
	{"data/16-grey16", "lint", exitDone, []string{"nearly_black_16_bits", "6 pictures", "864 to 2640"}, nil, nil},
	{"data/22-ids-from-one", "lint", exitFindings, []string{"ids begin with 1", "5 of 10 rows do not count"}, nil, nil},
	{"data/19a-name-is-image-tag", "analyze", exitDone, nil, nil, analysed(10, 10, "")},
	{"data/19b-names-yaml-words", "analyze", exitDone, []string{"YAML reads on, null, ~, 007",
		"put the name in quotes"}, nil, analysed(10, 10, "")},
	{"data/19d-escape-signs", "analyze", exitFindings, []string{"without a picture", "is no plain number"}, nil,
		analysed(11, 9, "missing_image not_a_number missing_label")},
	{"data/20b-classes-txt-cp950", "analyze", exitFindings, []string{"not UTF-8", "classes.txt:1", `\xB5\xF5\xC1_`},
		[]string{"\ufffd"}, analysed(10, 10, "not_utf8")},
	{"data/20c-yaml-utf16", "analyze", exitFindings, []string{"UTF-16", "as UTF-8"}, nil, analysed(10, 9, "not_utf8")},
	{"data/22-ids-from-one", "analyze", exitFindings, []string{"ids begin with 1", "5 of 10 rows do not count",
		"5 of 10 rows in the label files do not count"}, nil, analysed(10, 5, "class_out_of_range")},
	{"data/23-too-long", "analyze", exitDone, nil, nil, analysed(10, 10, "")},
	{"data/24a-upper-txt", "analyze", exitDone, []string{"IMG_0.TXT"}, []string{"missing_label"}, analysed(9, 9, "")},
	{"data/25-images-images", "analyze", exitDone, nil, nil, analysed(5, 5, "")},
	{"data/12-exif-convert-full", "convert CONVERT.DIALECT=llava", exitDone, []string{"6 pictures are turned",
		"copies"}, nil, nil},
	{"data/16-grey16", "convert CONVERT.DIALECT=llava", exitDone,
		[]string{"6 pictures are turned by EXIF, or of 16 bits"}, nil, nil},
	{"data/18-aspect-200", "convert CONVERT.DIALECT=llava", exitDone, []string{"7 records of train"}, nil, nil},
	{"data/18b-aspect-200-whole", "convert CONVERT.DIALECT=llava", exitDone, []string{"train/t3#0 is left out",
		"2300×10"}, nil, nil},
	{"data/19a-name-is-image-tag", "convert CONVERT.DIALECT=llava", exitFindings,
		[]string{"10 records, first train/t0#0 says \"<image>\""}, []string{"records of train\n"}, nil},
	{"data/12-exif-convert-full", "convert CONVERT.DIALECT=llama-factory", exitDone, []string{"6 pictures are turned",
		"copies"}, nil, nil},
	{"data/16-grey16", "convert CONVERT.DIALECT=llama-factory", exitDone,
		[]string{"6 pictures are turned by EXIF, or of 16 bits"}, nil, nil},
	{"data/18-aspect-200", "convert CONVERT.DIALECT=llama-factory", exitDone, []string{"7 records of train"}, nil, nil},
	{"data/18b-aspect-200-whole", "convert CONVERT.DIALECT=llama-factory", exitDone, []string{"train/t3#0 is left out",
		"2300×10"}, nil, nil},
	{"data/19a-name-is-image-tag", "convert CONVERT.DIALECT=llama-factory", exitFindings,
		[]string{"10 records, first train/t0#0 says \"<image>\""}, []string{"records of train\n"}, nil},
	{"data/12-exif-convert-full", "convert CONVERT.DIALECT=ms-swift", exitDone, []string{"6 pictures are turned",
		"copies"}, nil, nil},
	{"data/16-grey16", "convert CONVERT.DIALECT=ms-swift", exitDone,
		[]string{"6 pictures are turned by EXIF, or of 16 bits"}, nil, nil},
	{"data/18-aspect-200", "convert CONVERT.DIALECT=ms-swift", exitDone, []string{"7 records of train"}, nil, nil},
	{"data/18b-aspect-200-whole", "convert CONVERT.DIALECT=ms-swift", exitDone, []string{"train/t3#0 is left out",
		"2300×10"}, nil, nil},
	{"data/19a-name-is-image-tag", "convert CONVERT.DIALECT=ms-swift", exitFindings,
		[]string{"10 records, first train/t0#0 says \"<image>\""}, []string{"records of train\n"}, nil},
	{"data/12-exif-convert-full", "convert CONVERT.DIALECT=trl", exitDone, []string{"6 pictures are turned", "copies"},
		nil, nil},
	{"data/16-grey16", "convert CONVERT.DIALECT=trl", exitDone,
		[]string{"6 pictures are turned by EXIF, or of 16 bits"}, nil, nil},
	{"data/18-aspect-200", "convert CONVERT.DIALECT=trl", exitDone, []string{"7 records of train"}, nil, nil},
	{"data/18b-aspect-200-whole", "convert CONVERT.DIALECT=trl", exitDone, []string{"train/t3#0 is left out",
		"2300×10"}, nil, nil},
	{"data/19a-name-is-image-tag", "convert CONVERT.DIALECT=trl", exitFindings,
		[]string{"10 records, first train/t0#0 says \"<image>\""}, []string{"records of train\n"}, nil},
	{"data/12-exif-convert-full", "convert CONVERT.DIALECT=axolotl", exitDone, []string{"6 pictures are turned",
		"copies"}, nil, nil},
	{"data/16-grey16", "convert CONVERT.DIALECT=axolotl", exitDone,
		[]string{"6 pictures are turned by EXIF, or of 16 bits"}, nil, nil},
	{"data/18-aspect-200", "convert CONVERT.DIALECT=axolotl", exitDone, []string{"7 records of train"}, nil, nil},
	{"data/18b-aspect-200-whole", "convert CONVERT.DIALECT=axolotl", exitDone, []string{"train/t3#0 is left out",
		"2300×10"}, nil, nil},
	{"data/19a-name-is-image-tag", "convert CONVERT.DIALECT=axolotl", exitFindings,
		[]string{"10 records, first train/t0#0 says \"<image>\""}, []string{"records of train\n"}, nil},
	{"data/19a-name-is-image-tag", "lint", exitFindings, []string{"control token", "<image>"}, nil, nil},
	{"data/19d-escape-signs", "convert", exitDone, nil, []string{"\x1b"}, nil},
}

// caseFolder is the folder of a case; the test is skipped where there is none.
func caseFolder(t *testing.T, folder string) string {
	t.Helper()
	root := os.Getenv("FINETUI_CASES")
	if root == "" {
		root = filepath.Join(checkout, "..", "shared", "cases")
	}
	from := filepath.Join(root, filepath.FromSlash(folder))
	if _, err := os.Stat(from); err != nil {
		t.Skipf("no case at %s: set FINETUI_CASES", from)
	}
	return from
}

// inCase moves the test into a copy of a case.
func inCase(t *testing.T, folder string) {
	t.Helper()
	from := caseFolder(t, folder)
	to := t.TempDir()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(to)
}

// checkout is the folder of go.mod.
var checkout = func() string {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return "."
}()

// TestCasesBehaveAsTheirREADMEsSay runs every row of caseChecks on a copy of its case.
func TestCasesBehaveAsTheirREADMEsSay(t *testing.T) {
	for _, c := range caseChecks {
		t.Run(filepath.Base(c.folder)+" "+c.call, func(t *testing.T) {
			inCase(t, c.folder)
			code, stdout, stderr := verbAnswer(t, strings.Fields(c.call)...)
			said := stdout + stderr
			if code != c.code {
				t.Errorf("exit code %d, want %d\n%s", code, c.code, said)
			}
			for _, text := range c.says {
				if !strings.Contains(said, text) {
					t.Errorf("does not say %q:\n%s", text, said)
				}
			}
			for _, text := range c.not {
				if strings.Contains(said, text) {
					t.Errorf("says %q:\n%s", text, said)
				}
			}
			if c.set != nil {
				checkAnalysis(t, *c.set)
			}
		})
	}
}

// checkAnalysis holds the written analysis against what it must count.
func checkAnalysis(t *testing.T, want inAnalysis) {
	t.Helper()
	text, err := os.ReadFile("out/analysis.json")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Images         int
		TotalInstances int `json:"total_instances"`
		Findings       []struct{ Code, Level, Text, Do string }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, f := range got.Findings {
		if f.Level != "info" {
			codes = append(codes, f.Code)
		}
		if f.Text == "" || f.Do == "" {
			t.Errorf("a finding without words: %+v", f)
		}
	}
	if got.Images != want.images || got.TotalInstances != want.objects || strings.Join(codes, " ") != want.findings {
		t.Errorf("%d images, %d objects, findings %q, want %d, %d, %q", got.Images, got.TotalInstances, codes,
			want.images, want.objects, want.findings)
	}
}

// TestPicturesOfOddSizesAreJudgedBeforeTraining lints the pictures of train/11 as whole pictures: those with sides
// above 1 : 200 are named, the others are enlarged or shrunk.
func TestPicturesOfOddSizesAreJudgedBeforeTraining(t *testing.T) {
	from := caseFolder(t, "train/11-picture-sizes")
	inSmallProject(t)
	pictures, _ := filepath.Glob(filepath.Join(from, "*.png"))
	for _, picture := range pictures {
		name := strings.TrimSuffix(filepath.Base(picture), ".png")
		content, err := os.ReadFile(picture)
		if err == nil {
			err = os.WriteFile("data/train/images/"+name+".png", content, 0o644)
		}
		if err == nil {
			err = os.WriteFile("data/train/labels/"+name+".txt", []byte("0 0.5 0.5 1 1\n"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := verbAnswer(t, "lint", "RECIPE.CONTEXT=full")
	if code != exitFindings {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
	var said string
	for line := range strings.Lines(stdout) {
		if strings.Contains(line, "1:200") || strings.Contains(line, "200 to 1") || strings.Contains(line, "too_long") {
			said += line
		}
	}
	for _, name := range []string{"1x10000", "20000x1", "ratio-227"} {
		if !strings.Contains(said, name) {
			t.Errorf("%s is not named:\n%s", name, stdout)
		}
	}
	for _, name := range []string{"2x2", "1x1.png", "26x28", "332x27", "690x15420", "798x519"} {
		if strings.Contains(said, name) {
			t.Errorf("%s is refused:\n%s", name, said)
		}
	}
}

// trainCases are the tests that hold the cases of adapters, runs and terminals.
var trainCases = map[string]string{
	"04-tied":              "TestAdaptersOfTiedBasesLoad",
	"10-features-kept":     "TestOtherTowersAndProcessorsAreNotServedKeptFeatures",
	"11-picture-sizes":     "TestPicturesOfOddSizesAreJudgedBeforeTraining",
	"13-resume-settings":   "TestConstantsThatMayChangeAreFollowed",
	"14-disk-full":         "TestFullDiskLosesNoRow",
	"15-wide-names":        "TestWidthCountsAsTheTerminalDoes",
	"17-broken-checkpoint": "TestDamagedNewestCheckpointGivesWayToTheOneBefore",
	"18-moved-run":         "TestMovedAndCopiedProjectsResume",
	"19-eval-data-changed": "TestEvalDataBindsNoRun",
	"20-terminal":          "TestSignalsLeaveACleanTerminal",
}

// TestEveryCaseOfARunHasATest holds that the folders beside the data's have their tests, and that these are there.
func TestEveryCaseOfARunHasATest(t *testing.T) {
	folders, err := os.ReadDir(caseFolder(t, "train"))
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	err = filepath.WalkDir(checkout, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		tests.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if name := trainCases[folder.Name()]; name == "" || !strings.Contains(tests.String(), "\nfunc "+name+"(") {
			t.Errorf("train/%s: there is no test %q of it", folder.Name(), name)
		}
	}
}

// TestEveryCaseHasARow holds that no case is forgotten.
func TestEveryCaseHasARow(t *testing.T) {
	root := os.Getenv("FINETUI_CASES")
	if root == "" {
		root = filepath.Join(checkout, "..", "shared", "cases")
	}
	configs, _ := filepath.Glob(filepath.Join(root, "data", "*", configFile))
	if len(configs) == 0 {
		t.Skipf("no cases at %s: set FINETUI_CASES", root)
	}
	rows := map[string]bool{}
	for _, c := range caseChecks {
		rows[c.folder] = true
	}
	for _, path := range configs {
		if folder := "data/" + filepath.Base(filepath.Dir(path)); !rows[folder] {
			t.Errorf("%s has no row in caseChecks", folder)
		}
	}
}
