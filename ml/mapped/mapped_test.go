package mapped_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"finetui/ml/blas"
	"finetui/ml/mapped"
)

// cut maps a file of several pages and then cuts it to one.
func cut(t *testing.T) (data []byte, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "weights")
	size := 64 * os.Getpagesize()
	if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if data, err = unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED); err != nil {
		t.Fatal(err)
	}
	forget := mapped.Register(data, path)
	t.Cleanup(func() { forget(); unix.Munmap(data) })
	if err := os.Truncate(path, int64(os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	return data, path
}

func TestLostMapIsAnErrorThatNamesItsFile(t *testing.T) {
	data, path := cut(t)
	for name, read := range map[string]func() error{
		"in Go": func() error {
			sum := byte(0)
			for _, b := range data {
				sum += b
			}
			return errors.New(string(sum))
		},
		"in the runtime's copy": func() error {
			copy(make([]byte, len(data)), data)
			return nil
		},
		"on another goroutine of a team": func() error {
			blas.NewTeam(2).For(len(data), 1, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					_ = data[i] + 1
				}
				copy(make([]byte, hi-lo), data[lo:hi])
			})
			return nil
		},
		"in a kernel": func() error {
			words := make([]float32, len(data)/2)
			raw := unsafeWords(data)
			blas.WidenBF16(words, raw)
			return nil
		},
		"while panels are packed": func() error {
			raw := unsafeWords(data)
			blas.PackBF16(true, 32, len(raw)/32, raw, len(raw)/32)
			return nil
		},
	} {
		err := mapped.Guard(read)
		var lost *mapped.Lost
		if !errors.As(err, &lost) || lost.Path != path || !strings.Contains(err.Error(), "cut short") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestOtherPanicsGoOn(t *testing.T) {
	for name, f := range map[string]func() error{
		"a nil pointer": func() error { var p *int; *p = 1; return nil },
		"a word":        func() error { panic("word") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the panic was swallowed", name)
				}
			}()
			_ = mapped.Guard(f)
		}()
	}
}

// A map that was given back is nobody's any more.
func TestForgottenMapIsNoCause(t *testing.T) {
	data := make([]byte, 10)
	mapped.Register(data, "x")()
	if err := mapped.Cause("text"); err != nil {
		t.Error(err)
	}
}
