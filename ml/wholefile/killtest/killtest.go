// Package killtest ends a process, in tests, just before a step by which its files come to be. It is for test binaries
// that are the program's own processes, and never part of the program.
package killtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"finetui/ml/wholefile"
)

// Watch counts the steps by which files below dir come to be (wholefile.Before: rename, symlink, remove, sync), adds
// them to the file notes, and ends the process before the n-th. Where once is not "", it is a file that is made then,
// and no process is ended while it is there. 0 ends none, "" notes nothing.
func Watch(dir string, n int, once, notes string) {
	var to *os.File
	if notes != "" {
		var err error
		if to, err = os.OpenFile(notes, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
			panic(err)
		}
	}
	if n == 0 && to == nil {
		return
	}
	var mutex sync.Mutex
	count := 0
	wholefile.Before = func(step, path string) {
		below, err := filepath.Rel(dir, path)
		if err != nil || !filepath.IsLocal(below) {
			return // kept features, and other files that are not meant
		}
		mutex.Lock()
		defer mutex.Unlock()
		count++
		if to != nil {
			fmt.Fprintln(to, step, below)
		}
		if count != n {
			return
		}
		if once != "" {
			f, err := os.OpenFile(once, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
			if err != nil {
				return
			}
			f.Close()
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// Program is this test's own program, as a file in a folder of the test's, with something more in its environment
// ("NAME=value"): tests that run at once have several.
func Program(t testing.TB, env ...string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text := "#!/bin/sh\n"
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		text += fmt.Sprintf("export %s='%s'\n", name, value)
	}
	return Script(t, text+"exec '"+exe+"' \"$@\"\n")
}

// Script is a program of that text. A process that another test starts while it is written would hold it open, and "text
// file busy" would be the end of whoever runs it: none is started meanwhile.
func Script(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte(text), 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
