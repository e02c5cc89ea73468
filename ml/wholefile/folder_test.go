package wholefile

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func put(dir string) error { return os.WriteFile(filepath.Join(dir, "a"), []byte("x"), 0o644) }

func TestFolderIsThereWholeOrNotAtAll(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "new", "folder")
	if err := Folder(path, func(dir string) error {
		return errors.Join(put(dir),
			errors.New("no room"))
	}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("error %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 0 {
		t.Errorf("something is left: %v", entries)
	}
	if err := os.Mkdir(path, 0o755); err != nil { // an empty one is no loss
		t.Fatal(err)
	}
	if err := Folder(path, put); err != nil {
		t.Fatal(err)
	}
	if err := Folder(path, put); err == nil || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("a folder with something in it: %v", err)
	}
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Folder(file, put); err == nil || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("a file in its place: %v", err)
	}
}

// TestMain makes a folder and waits to be killed in the middle of it, where a test calls the program so.
func TestMain(m *testing.M) {
	if path := os.Getenv("FINETUI_TEST_FOLDER"); path != "" {
		err := Folder(path, func(dir string) error {
			os.Stdout.WriteString(dir + "\n")
			time.Sleep(time.Hour) // until it is killed
			return nil
		})
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// maker is a process in the middle of making a folder, and the folder as it stands.
func maker(t *testing.T, path string) (cmd *exec.Cmd, draft string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FINETUI_TEST_FOLDER="+path)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(line)
}

func TestWhatAKilledProcessLeftIsRemovedAtOnceAndNoOthers(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "base")
	_, living := maker(t, path)
	killed, dead := maker(t, path)
	if err := errors.Join(killed.Process.Kill(), os.Mkdir(filepath.Join(parent, ".bases"), 0o755),
		os.Mkdir(filepath.Join(parent, "base.tmp-1"), 0o755),
		os.Mkdir(filepath.Join(parent, ".base.tmp-mine"), 0o755)); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	if err := Folder(path, put); err != nil {
		t.Fatal(err)
	}
	for dir, stays := range map[string]bool{dead: false, living: true, filepath.Join(parent, ".bases"): true,
		filepath.Join(parent, "base.tmp-1"): true, filepath.Join(parent, ".base.tmp-mine"): true} {
		if _, err := os.Stat(dir); (err == nil) != stays {
			t.Errorf("%s is there: %v, want %v", filepath.Base(dir), err == nil, stays)
		}
	}
}

// TestManyMakersDisturbNoOther lets several make and sweep at a time.
func TestManyMakersDisturbNoOther(t *testing.T) {
	parent := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 20 {
				Clear(filepath.Join(parent, "x"))
				path := filepath.Join(parent, fmt.Sprint("x", i, k))
				if err := errors.Join(Folder(path, put), os.RemoveAll(path)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
