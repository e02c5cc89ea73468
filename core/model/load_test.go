package model

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// askable is the most bytes of weights with which a question is asked: laid out for the products they are there twice.
const askable = 6 << 30

// TestLoadOfARealSize opens the checkpoint FINETUI_CHECKPOINT (go run ./ml/bench/fake makes one), builds the model,
// cold and warm, and asks one question where that fits the memory. The goal is under two seconds to the built model.
func TestLoadOfARealSize(t *testing.T) {
	dir := os.Getenv("FINETUI_CHECKPOINT")
	if dir == "" {
		t.Skip("FINETUI_CHECKPOINT names no checkpoint of a real size; go run ./ml/bench/fake makes one")
	}
	for _, state := range []string{"cold", "warm"} {
		if state == "cold" {
			forget(t, dir)
		}
		start := time.Now()
		b, err := OpenLocal(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		opened := time.Since(start)
		m, err := b.New(Tuning{})
		if err != nil {
			t.Fatal(err)
		}
		built := time.Since(start)
		t.Logf("%s: opened in %.2f s, built after %.2f s; %s", state, opened.Seconds(), built.Seconds(), memory(t))
		if built > 2*time.Second {
			t.Errorf("%s: %.2f s until the model is built", state, built.Seconds())
		}
		if size := weightBytes(t, dir); state == "warm" && size > askable {
			t.Logf("%.1f GB of weights: nothing is asked", float64(size)/1e9)
		} else if state == "warm" {
			q := Question{Shows(Pictures(noise(1, 224, 224))...), "Which drain is blocked?"}
			for _, turn := range []string{"first", "second"} {
				start = time.Now()
				r := ask(t, NewSubject(b, m, 0), []Question{q}, Asking{View: View{3136, 50176}, MaxNew: 8})[0]
				t.Logf("%s answer: %d tokens in %.2f s; %s", turn, r.Tokens, time.Since(start).Seconds(), memory(t))
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// weightBytes is the size of a folder's weights.
func weightBytes(t *testing.T, dir string) (size int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}

// forget takes a folder's files out of the page cache.
func forget(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			t.Error(err)
		}
		f.Close()
	}
}

// memory is what the process holds: its own memory, and pages of mapped files, which the system can take back.
func memory(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, line := range strings.Split(string(data), "\n") {
		name, value, _ := strings.Cut(line, ":")
		var kilobytes int
		if name == "RssAnon" || name == "RssFile" {
			fmt.Sscan(value, &kilobytes)
			out = append(out, fmt.Sprintf("%s %d MB", name, kilobytes>>10))
		}
	}
	return strings.Join(out, ", ")
}
