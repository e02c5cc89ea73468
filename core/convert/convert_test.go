package convert

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/project"
)

var update = flag.Bool("update", false, "write the goldens in testdata anew")

// twoPictures writes a data set of two pictures, three objects in train and one in valid, and opens a project on it.
func twoPictures(t *testing.T, overrides ...string) *project.Project {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("data/data.yaml", "train: train/images\nval: valid/images\nnames: [rock toe, rock toe damaged, Toe drain- "+
		"Blocked]\n")
	write("data/train/labels/slope one.txt", "0 0.25 0.25 0.25 0.25\n0 0.75 0.25 0.25 0.25\n1 0.5 0.75 0.5 0.25\n")
	write("data/valid/labels/b.txt", "2 0.5 0.5 0.5 0.5\n")
	for _, name := range []string{"data/train/images/slope one.png", "data/valid/images/b.png"} {
		write(name, pictureFile(t))
	}
	write("config.toml", "[PROJECT]\nNAME = \"two pictures\"\n")
	file, err := config.Load(filepath.Join(dir, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	base := []string{"RECIPE.SAMPLING=instance", "RECIPE.CONTEXT=full", "RECIPE.PROMPT_FACTS=object",
		"MODEL.MAX_PIXELS=12544"}
	if err := file.Override(append(base, overrides...)); err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(context.Background(), file.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// picture is a PNG of 64×64 pixels that differ.
func pictureFile(t *testing.T) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			img.Set(x, y, color.RGBA{uint8(4 * x), uint8(4 * y), uint8(x * y), 255})
		}
	}
	var text strings.Builder
	if err := png.Encode(&text, img); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func convertAll(t *testing.T, p *project.Project) *Result {
	t.Helper()
	result, err := Write(context.Background(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// codes lists a result's findings as "level code".
func codes(r *Result) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, string(f.Level)+" "+f.Code)
	}
	return list
}

func TestEveryDialectWritesItsGolden(t *testing.T) {
	for _, dialect := range ofPictures() {
		p := twoPictures(t, "CONVERT.DIALECT="+dialect, "CONVERT.SYSTEM_PROMPT=You inspect slopes.",
			"RECIPE.CLASS_WEIGHTS=max_ratio", "RECIPE.CONTEXT=full+crop")
		result := convertAll(t, p)
		var got strings.Builder
		for _, f := range result.Files {
			text, err := os.ReadFile(f.Path)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "== %s: %d\n%s", filepath.Base(f.Path), f.Records, text)
		}
		for _, f := range result.Findings {
			line := fmt.Sprintf("%s %s: %s:%d: %s – %s\n", f.Level, f.Code, f.File, f.Line, f.Text, f.Do)
			got.WriteString(strings.ReplaceAll(line, p.File.Root, "ROOT"))
		}
		path := filepath.Join("testdata", dialect+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s: go test ./core/convert -update writes this:\n%s", dialect, &got)
		}
		if result.Pictures != 8 {
			t.Errorf("%s: %d pictures drawn, want 8", dialect, result.Pictures)
		}
	}
}

// Every path in a record leads from the output folder to a file, whatever the context.
func TestPathsLeadToPictures(t *testing.T) {
	for _, mode := range []string{"full", "marked", "crop", "full+crop"} {
		p := twoPictures(t, "CONVERT.DIALECT=axolotl", "CONVERT.OUTPUT=some/where", "RECIPE.CONTEXT="+mode)
		result := convertAll(t, p)
		n := 0
		for _, f := range result.Files {
			err := Read(f.Path, "axolotl", nil, func(r Record) error {
				for _, path := range r.media(Image) {
					n++
					file, err := os.Open(filepath.Join(result.Output, path))
					if err != nil {
						return err
					}
					defer file.Close()
					if _, _, err := image.Decode(file); err != nil {
						return fmt.Errorf("%s: %w", path, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("%s: %v", mode, err)
			}
		}
		if want := map[string]int{"full": 4, "marked": 4, "crop": 4, "full+crop": 8}[mode]; n != want {
			t.Errorf("%s: %d pictures, want %d", mode, n, want)
		}
	}
}

func TestTheSameCallWritesTheSameBytes(t *testing.T) {
	p := twoPictures(t, "RECIPE.CONTEXT=full+crop", "CONVERT.LIMIT_PER_CLASS=1")
	read := func() map[string]string {
		result := convertAll(t, p)
		files := map[string]string{}
		err := filepath.Walk(result.Output, func(path string, info os.FileInfo, err error) error {
			if err == nil && !info.IsDir() {
				text, err := os.ReadFile(path)
				files[path] = string(text)
				return err
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	first, second := read(), read()
	if len(first) != 2+6+1 || // records, pictures, and the mark of who made them
		len(first) != len(second) {
		t.Fatalf("%d files, then %d", len(first), len(second))
	}
	for path, text := range first {
		if second[path] != text {
			t.Errorf("%s differs", path)
		}
	}
}

func TestLimitCountsEachClassAndFollowsTheSeed(t *testing.T) {
	ids := func(seed string) []string {
		p := twoPictures(t, "CONVERT.LIMIT_PER_CLASS=1", "PROJECT.SEED="+seed)
		var list []string
		for _, f := range convertAll(t, p).Files {
			if err := Read(f.Path, "llava", nil,
				func(r Record) error { list = append(list, r.ID); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		return list
	}
	seen := map[string]bool{}
	for seed := range 8 {
		got := ids(fmt.Sprint(seed))
		if len(got) != 3 || got[1] != "train/slope one#2" || got[2] != "valid/b#0" {
			t.Fatalf("seed %d: %v", seed, got)
		}
		seen[got[0]] = true
	}
	if len(seen) != 2 {
		t.Errorf("eight seeds draw only %v", seen)
	}
}

func TestMissingPictureIsAFindingAndLeftOutUnlessKept(t *testing.T) {
	for _, c := range []struct {
		context, keep string
		records       int
		finding       string
	}{
		{"full", "false", 0, "error missing_picture"},
		{"full", "true", 3, "warn missing_picture"},
		{"crop", "false", 0, "error missing_picture"},
		{"crop", "true", 3, "warn missing_picture"},
	} {
		p := twoPictures(t, "RECIPE.CONTEXT="+c.context, "CONVERT.KEEP_MISSING="+c.keep)
		if err := os.Remove(p.Data.Items[0].Media); err != nil {
			t.Fatal(err)
		}
		result := convertAll(t, p)
		if !slices.Contains(codes(result), c.finding) {
			t.Errorf("%v: %v", c, codes(result))
		}
		if empty := slices.Contains(codes(result), "warn split_empty"); empty != (c.records == 0) {
			t.Errorf("%v: split_empty %v", c, empty)
		}
		if c.records > 0 && result.Files[0].Records != c.records {
			t.Errorf("%v: %v", c, result.Files)
		}
		left, _ := filepath.Glob(filepath.Join(result.Output, "*"))
		for _, path := range left {
			if strings.Contains(path, ".tmp") || c.records == 0 && strings.HasPrefix(filepath.Base(path), "train") {
				t.Errorf("%v: %s is left", c, path)
			}
		}
	}
}

func TestTemplateIsFilledIn(t *testing.T) {
	p := twoPictures(t, "CONVERT.USER_PROMPT_TEMPLATE=A {object} {position}, {x} {y}: {question} One of {classes}. "+
		"{plain text} {prompt}")
	var said []string
	for _, f := range convertAll(t, p).Files {
		if err := Read(f.Path, "llava", nil,
			func(r Record) error { said = append(said, r.Turns[0].Words()); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	want := "A rock toe at the bottom, 0.50 0.75: Name and state? One of rock toe; rock toe damaged; Toe drain- " +
		"Blocked. {plain text} At x 0.50, y 0.75. At the bottom. A rock toe. Name and state?"
	if said[2] != want {
		t.Errorf("%q\nwant %q", said[2], want)
	}
}

func TestUnknownPlaceholdersAreNamed(t *testing.T) {
	err := CheckTemplate("{prompt} {clip} {Object} {clip}")
	if err == nil || !strings.Contains(err.Error(), "{clip}, {Object}; known are {prompt}, {question}") {
		t.Error(err)
	}
	if err := CheckTemplate("{prompt} {} { }"); err != nil {
		t.Error(err)
	}
}

func TestWhatFilesCannotHoldIsSaid(t *testing.T) {
	for _, c := range []struct {
		overrides []string
		want      []string
	}{
		{nil, []string{"info how_to_start"}},
		{[]string{"CONVERT.DIALECT=ms-swift", "RECIPE.CLASS_WEIGHTS=max_ratio", "CONVERT.SYSTEM_PROMPT=x"},
			[]string{"info how_to_start"}},
		{[]string{"RECIPE.CLASS_WEIGHTS=max_ratio", "CONVERT.SYSTEM_PROMPT=x"}, []string{"warn weights_not_carried",
			"warn system_not_carried", "info how_to_start"}},
		{[]string{"CONVERT.DIALECT=trl", "RECIPE.CLASS_WEIGHTS=max_ratio", "CONVERT.SYSTEM_PROMPT=x"},
			[]string{"warn weights_not_carried", "info how_to_start"}},
		{[]string{"RECIPE.SAMPLING=class_balanced", "RECIPE.LOSS=focal"}, []string{"info sampling_written",
			"warn loss_not_written", "info how_to_start"}},
		{[]string{"RECIPE.PROMPT=enhanced-original"}, []string{"error answer_in_prompt", "error answer_in_prompt",
			"error condition_in_prompt", "error condition_in_prompt", "error condition_in_prompt",
			"error class_names_in_prompt", "info how_to_start"}},
		{[]string{"RECIPE.PROMPT=enhanced-original",
			"CONVERT.USER_PROMPT_TEMPLATE=Is the {object} at {x}, {y} damaged?"}, []string{"info how_to_start"}},
		{[]string{"CONVERT.USER_PROMPT_TEMPLATE=What is it?"}, []string{"warn object_not_told", "info how_to_start"}},
		{[]string{"CONVERT.USER_PROMPT_TEMPLATE=<image> {prompt}"}, []string{"error record_unfit", "warn split_empty",
			"warn split_empty", "info how_to_start"}},
		{[]string{"CONVERT.DIALECT=trl", "CONVERT.USER_PROMPT_TEMPLATE=<image> {prompt}"},
			[]string{"error record_unfit", "warn split_empty", "warn split_empty", "info how_to_start"}},
	} {
		got := codes(convertAll(t, twoPictures(t, c.overrides...)))
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.overrides, got, c.want)
		}
	}
}

func TestCancelledConversionLeavesNoHalfFile(t *testing.T) {
	p := twoPictures(t, "RECIPE.CONTEXT=crop")
	ctx, cancel := context.WithCancel(context.Background())
	report := func(done, total int, what string) {
		if strings.HasPrefix(what, "records") {
			cancel()
		}
	}
	if _, err := Write(ctx, p, report); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	left, _ := filepath.Glob(filepath.Join(p.File.Abs(p.Config.Convert.Output), "*"))
	if len(left) != 1 || filepath.Base(left[0]) != "media" {
		t.Errorf("left are %v", left)
	}
}

func TestFurtherDataSetIsNotWritten(t *testing.T) {
	p := twoPictures(t)
	p.Config.Eval.Data = "further/valid" // as project.Open would have added it
	if got := convertAll(t, p).Files; len(got) != 1 || got[0].Split != "train" {
		t.Errorf("%v", got)
	}
}

func TestOutputThatCannotBeWrittenSaysSo(t *testing.T) {
	p := twoPictures(t)
	if err := os.WriteFile(p.File.Abs("converted"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(context.Background(), p, nil); err == nil || !strings.Contains(err.Error(), "CONVERT.OUTPUT") {
		t.Error(err)
	}
}

func TestOtherEntriesOfDatasetInfoStay(t *testing.T) {
	p := twoPictures(t, "CONVERT.DIALECT=llama-factory")
	path := filepath.Join(p.File.Abs("converted"), datasetInfo)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path,
		[]byte(`{"mine": {"file_name": "a.json"}, "two_pictures_train": {"file_name": "old"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	convertAll(t, p)
	text, _ := os.ReadFile(path)
	if !strings.Contains(string(text), `"mine"`) || strings.Contains(string(text), "old") ||
		!strings.Contains(string(text), `"two_pictures_valid"`) {
		t.Errorf("%s", text)
	}
	if err := os.WriteFile(path, []byte(`{`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(context.Background(), p, nil); err == nil || !strings.Contains(err.Error(), datasetInfo) {
		t.Error(err)
	}
}

func TestFindingsComeWorstFirst(t *testing.T) {
	r := convertAll(t, twoPictures(t, "RECIPE.SAMPLING=square_root", "CONVERT.USER_PROMPT_TEMPLATE=<image>{prompt}"))
	if !slices.IsSortedFunc(r.Findings, func(a, b dataset.Finding) int {
		return a.Level.Severity() -
			b.Level.Severity()
	}) {
		t.Errorf("%v", codes(r))
	}
}
