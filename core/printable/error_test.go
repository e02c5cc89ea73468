package printable

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestErrorsAreSentences(t *testing.T) {
	dir := t.TempDir()
	_, absent := os.Open(filepath.Join(dir, "no.json"))
	_, below := os.Stat(filepath.Join(os.Args[0], "x"))
	_, folder := os.ReadFile(dir)
	made := os.Mkdir(filepath.Join(dir, "a", "b"), 0o755)
	var x struct {
		A int `json:"a"`
	}
	_, number := strconv.Atoi("seven")
	_, program := exec.LookPath("finetui-has-no-such-program")
	for _, c := range []struct {
		err  error
		want string
	}{
		{absent, dir + "/no.json is not there; check its name"},
		{fmt.Errorf("run 3: %w", absent), "run 3: " + dir + "/no.json is not there; check its name"},
		{fmt.Errorf("run 3: %v", absent), "run 3: " + dir + "/no.json is not there; check its name"},
		{errors.Join(errors.New("first"), absent), "first\n" + dir + "/no.json is not there; check its name"},
		{below, "a part of its path, is a file, not a folder"},
		{folder, dir + " is a folder; a file is expected there"},
		{made, dir + "/a/b cannot be written: its folder is not there"},
		{&os.PathError{Op: "open", Path: "/x/.y.json.tmp-123", Err: syscall.EACCES},
			"/x/y.json may not be written by you; change its permissions or its owner, or choose another place"},
		{&os.LinkError{Op: "rename", Old: "a", New: "b", Err: syscall.ENOSPC},
			"b cannot be written: the disk is full; make room and try again"},
		{&os.PathError{Op: "open", Path: "\x1b[2J", Err: syscall.ENOENT}, "␛[2J is not there; check its name"},
		{errors.New("writing x: no space left on device"), "writing x: the disk is full; make room and try again"},
		{errors.New("it cannot open the door: no such file or directory"), "it cannot open the door: it is not there"},
		{json.Unmarshal([]byte(`{"a":`), &x), "it ends in the middle"},
		{json.Unmarshal([]byte(`<html>`), &x), "it is not JSON: '<' stands where it does not belong"},
		{json.Unmarshal([]byte(`{"a":1,}`), &x), "it is not JSON: '}' stands where it does not belong"},
		{json.Unmarshal([]byte(`{"a":"x"}`), &x), "a holds a value of the wrong kind (string)"},
		{json.Unmarshal([]byte(`[1]`), &x), "it holds a value of the wrong kind (array)"},
		{fmt.Errorf("x: %w", io.ErrUnexpectedEOF), "x: it ends in the middle"},
		{fmt.Errorf("x: %w", io.EOF), "x: it ends too early"},
		{number, `"seven" is not a number that fits here`},
		{program, "is not installed"},
		{errors.New(`Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused`),
			"http://127.0.0.1:1/x: 127.0.0.1:1: it does not answer"},
	} {
		got := Error(c.err)
		if !strings.Contains(got, c.want) {
			t.Errorf("%v became %q, want %q", c.err, got, c.want)
		}
		for _, speech := range []string{"open /", "stat /", "no such file", "JSON input", "invalid character",
			"Go struct", "strconv", "EOF", ".tmp-"} {
			if strings.Contains(got, speech) {
				t.Errorf("%q is left in %q", speech, got)
			}
		}
	}
}

func TestAFileIsNamedOnceByItsPlace(t *testing.T) {
	full := func(path string) error { return &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC} }
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("writing /x/y.json: %w", full("/x/.y.json.tmp-12")), "/x/y.json"},
		{fmt.Errorf("writing /x/y: %w", fmt.Errorf("writing /x/.y.tmp-1/z: %w", full("/x/.y.tmp-1/.z.tmp-2"))),
			"writing /x/y: /x/y/z"},
		{fmt.Errorf("step 3: writing /x/.y.tmp/z: %w", full("/x/.y.tmp/.z.tmp-2")), "step 3: /x/y/z"},
	} {
		want := c.want + " cannot be written: the disk is full; make room and try again"
		for how, got := range map[string]string{"error": Error(c.err), "text": Plain(c.err.Error())} {
			if got != want {
				t.Errorf("%s: %q, want %q", how, got, want)
			}
		}
	}
}
