package run

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestChangesAreSignalled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux reports changes here")
	}
	c := NewChanges()
	defer c.Close()
	dir := t.TempDir()
	if c.Watch(filepath.Join(dir, "absent")) {
		t.Error("a folder that does not exist is said to be watched")
	}
	if !c.Watch(dir) {
		t.Skip("this file system reports no changes")
	}
	path := filepath.Join(dir, "metrics.jsonl")
	write := func(flags int) {
		f, err := os.OpenFile(path, flags, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("x"); err != nil {
			t.Fatal(err)
		}
	}
	for _, change := range []struct {
		name string
		do   func()
	}{
		{"a new file", func() { write(os.O_CREATE | os.O_WRONLY) }},
		{"a longer file", func() { write(os.O_APPEND | os.O_WRONLY) }},
		{"a renamed file", func() { os.Rename(path, path+"2") }},
		{"a file that is gone", func() { os.Remove(path + "2") }},
		{"the folder is gone", func() { os.Remove(dir) }},
	} {
		for quiet := false; !quiet; { // what came of the change before
			select {
			case <-c.C:
			case <-time.After(20 * time.Millisecond):
				quiet = true
			}
		}
		change.do()
		select {
		case <-c.C:
		case <-time.After(time.Minute):
			t.Fatalf("%s: no signal", change.name)
		}
	}
}

func TestWithoutReportsNothingIsSignalled(t *testing.T) {
	c := &Changes{}
	if c.Watch(t.TempDir()) || c.C != nil {
		t.Error("it says that it watches")
	}
	c.Close()
}
