package filehash

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"finetui/core/printable"
)

// write makes a file of the past, whose identity can be trusted.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	settled(t, path)
}

// settled waits until the file's change is long enough ago.
func settled(t *testing.T, path string) {
	t.Helper()
	for {
		stat, err := Look(path)
		if err != nil {
			t.Fatal(err)
		}
		if !Fresh(stat, time.Now()) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// sum hashes a file and says whether it was read for that.
func sum(t *testing.T, s *Store, path string) (Sum, bool) {
	t.Helper()
	read := false
	got, err := s.Sum(context.Background(), path, func(int64, int64) { read = true })
	if err != nil {
		t.Fatal(err)
	}
	return got, read
}

func TestUnchangedFileIsReadOnceByAllProcesses(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "data", "a.jpg")
	write(t, path, "picture")
	one := open(root)
	got, read := sum(t, one, path)
	if got != sha256.Sum256([]byte("picture")) || !read {
		t.Fatalf("sum %s, read %v", got, read)
	}
	if _, read := sum(t, one, path); read {
		t.Error("read a second time by the same store")
	}
	one.Flush()
	if again, read := sum(t, open(root), path); read || again != got {
		t.Errorf("read anew by another process: %v, sum %s", read, again)
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(root, moved); err != nil {
		t.Fatal(err)
	}
	if _, read := sum(t, open(moved), filepath.Join(moved, "data", "a.jpg")); read {
		t.Error("a moved project reads its files anew")
	}
}

func TestChangedFileIsReadAnew(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string, old fs.FileInfo) error{
		"other bytes": func(t *testing.T, path string, _ fs.FileInfo) error {
			return os.WriteFile(path, []byte("PICTURE"), 0o644)
		},
		"same size and time": func(t *testing.T, path string, old fs.FileInfo) error {
			if err := os.WriteFile(path, []byte("PICTURE"), 0o644); err != nil {
				return err
			}
			return os.Chtimes(path, old.ModTime(), old.ModTime())
		},
		"another file of the same time": func(t *testing.T, path string, old fs.FileInfo) error {
			other := path + ".new"
			if err := os.WriteFile(other, []byte("PICTURE"), 0o644); err != nil {
				return err
			}
			if err := os.Chtimes(other, old.ModTime(), old.ModTime()); err != nil {
				return err
			}
			return os.Rename(other, path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, "a.jpg")
			write(t, path, "picture")
			s := open(root)
			sum(t, s, path)
			old, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := change(t, path, old); err != nil {
				t.Fatal(err)
			}
			if got, _ := sum(t, s, path); got != sha256.Sum256([]byte("PICTURE")) {
				t.Error("the hash is that of the file before")
			}
		})
	}
}

func TestFileOfThisMomentIsNotKept(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a")
	s := open(root)
	for i := range 20 { // within one tick of the clock, of one size: only reading tells them apart
		content := fmt.Sprintf("%02d", i)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, _ := sum(t, s, path); got != sha256.Sum256([]byte(content)) {
			t.Fatalf("%s has the hash of what stood there before", content)
		}
	}
}

func TestChangeWhileReadIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	write(t, path, strings.Repeat("a", 3<<20))
	s := open("")
	times := 0
	got, err := s.Sum(context.Background(), path, func(done, total int64) {
		if times++; times == 1 {
			write(t, path, strings.Repeat("b", 3<<20))
		}
	})
	if err != nil || got != sha256.Sum256([]byte(strings.Repeat("b", 3<<20))) {
		t.Errorf("sum %s, error %v: want that of the file as it came to rest", got, err)
	}
	n := 0
	restless := filepath.Join(t.TempDir(), "b")
	write(t, restless, "x")
	_, err = s.Sum(context.Background(), restless, func(int64, int64) {
		n++
		if e := os.WriteFile(restless, []byte(strings.Repeat("x", n+1)), 0o644); e != nil {
			t.Error(e)
		}
	})
	if err == nil || !strings.Contains(err.Error(), "changes while it is read") {
		t.Errorf("error %v", err)
	}
}

func TestCancelledReadingEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	write(t, path, strings.Repeat("a", 3<<20))
	ctx, cancel := context.WithCancel(context.Background())
	var last int64
	_, err := open("").Sum(ctx, path, func(done, total int64) { last = done; cancel() })
	if !errors.Is(err, context.Canceled) || last != 1<<20 {
		t.Errorf("error %v after %d bytes", err, last)
	}
}

func TestOnlyOneOfManyReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	write(t, path, strings.Repeat("a", 1<<20))
	s := open("")
	var wait sync.WaitGroup
	var mutex sync.Mutex
	bytes := int64(0)
	for range 16 {
		wait.Go(func() {
			if _, err := s.Sum(context.Background(), path, func(done, _ int64) {
				mutex.Lock()
				bytes += done
				mutex.Unlock()
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if bytes != 1<<20 {
		t.Errorf("%d bytes were read of a file of %d", bytes, 1<<20)
	}
}

func TestWhatIsNoFileIsRefusedAndNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip("no pipes here:", err)
	}
	for _, path := range []string{dir, pipe, "/dev/zero", filepath.Join(dir, "none")} {
		_, err := open("").Sum(context.Background(), path, nil)
		if err == nil {
			t.Errorf("%s is no error", path)
			continue
		}
		if said := printable.Error(err); strings.Contains(said, "stat ") || strings.Contains(said, "no such file") {
			t.Errorf("%s: error %s", path, said)
		}
	}
	if _, err := Look(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file is %v", err)
	}
}

// A store whose folder is of no use goes on in memory, and leaves what stands there alone.
func TestGarbageOrNoRoomInTheFolderStopsNothing(t *testing.T) {
	for name, spoil := range map[string]func(root string) error{
		"a file for the folder": func(root string) error {
			return os.WriteFile(filepath.Join(root, ".finetui"), []byte("mine"), 0o644)
		},
		"a folder for the file": func(root string) error {
			return os.MkdirAll(filepath.Join(root, ".finetui", "hashes", "mine"), 0o755)
		},
		"a pipe for the file": func(root string) error {
			if err := os.Mkdir(filepath.Join(root, ".finetui"), 0o755); err != nil {
				return err
			}
			return syscall.Mkfifo(filepath.Join(root, ".finetui", "hashes"), 0o644)
		},
		"garbage in the file": func(root string) error {
			if err := os.Mkdir(filepath.Join(root, ".finetui"), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(root, ".finetui", "hashes"), []byte(strings.Repeat("garbage", 1000)),
				0o644)
		},
		"a lock that is none": func(root string) error {
			return os.MkdirAll(filepath.Join(root, ".finetui", "hashes.lock"), 0o755)
		},
		"no right to write": func(root string) error { return os.Chmod(root, 0o555) },
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, "a")
			write(t, path, "picture")
			if err := spoil(root); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(root, 0o755) })
			s := open(root)
			sum(t, s, path)
			s.Flush()
			if _, read := sum(t, s, path); read {
				t.Error("read twice by one process")
			}
		})
	}
}

func TestTornRecordIsCutOffByTheNextWriter(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		write(t, filepath.Join(root, name), name)
	}
	s := open(root)
	sum(t, s, filepath.Join(root, "a"))
	s.Flush()
	file := filepath.Join(root, ".finetui", "hashes")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(data, data[len(title):len(data)-1]...), 0o644); err != nil {
		t.Fatal(err)
	}
	s = open(root)
	sum(t, s, filepath.Join(root, "b"))
	s.Flush()
	s = open(root)
	for _, name := range []string{"a", "b"} {
		if _, read := sum(t, s, filepath.Join(root, name)); read {
			t.Errorf("%s was lost", name)
		}
	}
	// a flipped bit must not become another file's hash
	data, err = os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(title)+30] ^= 1
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, read := sum(t, open(root), filepath.Join(root, "a")); !read {
		t.Error("a damaged record was believed")
	}
}

func TestSeveralWritersLoseNothing(t *testing.T) {
	root := t.TempDir()
	var stores []*Store
	for i := range 4 {
		s := open(root)
		for j := range 5 {
			path := filepath.Join(root, fmt.Sprintf("%d-%d", i, j))
			write(t, path, path)
			sum(t, s, path)
		}
		stores = append(stores, s)
	}
	var wait sync.WaitGroup
	for _, s := range stores {
		wait.Go(func() {
			for len(s.pending) > 0 { // another may hold the lock for longer than one waits
				s.Flush()
			}
		})
	}
	wait.Wait()
	s := open(root)
	for i := range 4 {
		for j := range 5 {
			if _, read := sum(t, s, filepath.Join(root, fmt.Sprintf("%d-%d", i, j))); read {
				t.Errorf("%d-%d was lost", i, j)
			}
		}
	}
}

func TestOldRecordsGoWhereTheLimitIsReached(t *testing.T) {
	old := limit
	limit = 2000
	t.Cleanup(func() { limit = old })
	root := t.TempDir()
	left := filepath.Join(root, ".finetui", ".hashes.tmp-123")
	write(t, left, "of a killed writer")
	var last string
	for i := range 60 {
		s := open(root)
		last = filepath.Join(root, fmt.Sprint("file", i))
		if err := os.WriteFile(last, []byte(last), 0o644); err != nil {
			t.Fatal(err)
		}
		stat, err := Look(last)
		if err != nil {
			t.Fatal(err)
		}
		stat.Modified, stat.Changed = int64(i), int64(i)
		s.Keep(last, stat, sha256.Sum256([]byte(last)))
		s.Flush()
		if _, ok := open(root).Known(last, stat); !ok {
			t.Fatalf("the newest record %d is not kept", i)
		}
		info, err := os.Stat(filepath.Join(root, ".finetui", "hashes"))
		if err != nil || info.Size() > limit {
			t.Fatalf("record %d: %v bytes of at most %d, error %v", i, info.Size(), limit, err)
		}
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Error("what a killed writer left is still there")
	}
}

func BenchmarkSum(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a")
	if err := os.WriteFile(path, make([]byte, 64<<20), 0o644); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(64 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := settle(context.Background(), path, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenWith100000(b *testing.B) {
	root := b.TempDir()
	s := open(root)
	for i := range 100_000 {
		s.Keep(filepath.Join(root, fmt.Sprintf("data/train/images/%06d.jpg", i)), Stat{Size: 1, Modified: int64(i)},
			Sum{})
	}
	s.Flush()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := open(root).Known(filepath.Join(root, "data/train/images/099999.jpg"),
			Stat{Size: 1, Modified: 99_999}); !ok {
			b.Fatal("lost")
		}
	}
}
