package main

import (
	"context"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/convert"
)

// inProject makes a folder with a data set of one picture and a config.toml, and goes there.
func inProject(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"config.toml":               "[RECIPE]\nSAMPLING = \"instance\"\n",
		"data/data.yaml":            "train: train/images\nnames: [drain, drain damaged]\n",
		"data/train/labels/one.txt": "0 0.25 0.5 0.25 0.25\n1 0.75 0.5 0.25 0.25\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll("data/train/images", 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create("data/train/images/one.png")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, image.NewRGBA(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
}

// dispatched runs a verb and returns its code and what it prints.
func dispatched(arguments ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	words, overrides := divide(arguments)
	code = dispatch(newCall(context.Background(), words, overrides, &out, &errs))
	return code, out.String(), errs.String()
}

func TestConvertPrintsFilesAndFindings(t *testing.T) {
	inProject(t)
	for _, c := range []struct {
		arguments      []string
		code           int
		stdout, stderr string
	}{
		{nil, exitDone, "converted/train.json  2 records of train\ninfo how_to_start: paths are relative to",
			"2 pictures drawn"},
		{[]string{"CONVERT.DIALECT=trl", "RECIPE.CONTEXT=full"}, exitDone, "train.jsonl  2 records of train", ""},
		{[]string{"CONVERT.DIALECT=llava", "RECIPE.CLASS_WEIGHTS=max_ratio", "CONVERT.SYSTEM_PROMPT=x"}, exitDone,
			"warn system_not_carried", ""},
		{[]string{"CONVERT.USER_PROMPT_TEMPLATE=<image>"}, exitFindings, "error record_unfit", ""},
		{[]string{"CONVERT.USER_PROMPT_TEMPLATE={excercise}"}, exitCall, "", "no placeholder {excercise}"},
		{[]string{"CONVERT.DIALECT=lava"}, exitCall, "", "llava"},
		{[]string{"train"}, exitCall, "", "call it as finetui convert"},
		{[]string{"CONVERT.OUTPUT=config.toml"}, exitFailed, "", "CONVERT.OUTPUT"},
	} {
		code, stdout, stderr := dispatched(append([]string{"convert"}, c.arguments...)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%v: code %d\nstdout %s\nstderr %s", c.arguments, code, stdout, stderr)
		}
	}
}

func TestConvertPrintsOneObject(t *testing.T) {
	inProject(t)
	code, stdout, _ := dispatched("convert", "VIEW.FORMAT=json")
	var r convert.Result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitDone {
		t.Fatalf("%d %v\n%s", code, err, stdout)
	}
	if r.Schema != convert.Schema || r.Dialect != "llava" || len(r.Files) != 1 || r.Files[0].Records != 2 ||
		r.Pictures != 2 {
		t.Errorf("%+v", r)
	}
}
