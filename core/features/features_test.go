package features

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func key(i int) Key { return sha256.Sum256(fmt.Append(nil, i)) }

func values(i, n int) []float32 {
	rng := rand.New(rand.NewPCG(uint64(i), 1))
	v := make([]float32, n)
	for j := range v {
		v[j] = rng.Float32()
	}
	return v
}

func open(t *testing.T, dir string, limit int64) *Cache {
	t.Helper()
	c := Open(dir, limit)
	if c.Trouble() != "" {
		t.Fatal(c.Trouble())
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func put(t *testing.T, c *Cache, i, n int) {
	t.Helper()
	if c.Put(key(i), values(i, n)); c.Trouble() != "" {
		t.Fatal(c.Trouble())
	}
}

func has(t *testing.T, c *Cache, i, n int) bool {
	t.Helper()
	v, ok := c.Get(key(i))
	if ok && !slices.Equal(v, values(i, n)) {
		t.Errorf("value %d came back as another", i)
	}
	return ok
}

func TestValuesOutliveTheProcessAndAreSeenByOthers(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir, 64<<20), open(t, dir, 64<<20)
	put(t, a, 1, 100)
	put(t, b, 2, 33)
	put(t, a, 3, 0)
	for i, n := range map[int]int{1: 100, 2: 33, 3: 0} {
		if !has(t, a, i, n) || !has(t, b, i, n) || !has(t, open(t, dir, 64<<20), i, n) {
			t.Errorf("value %d is missing", i)
		}
	}
	if has(t, a, 4, 1) {
		t.Error("a value that nobody put was found")
	}
}

func TestTheOldestGoesAtTheLimit(t *testing.T) {
	dir := t.TempDir()
	const limit = 8 << 16
	c, other := open(t, dir, limit), open(t, dir, limit)
	for i := range 200 {
		put(t, c, i, 1000)
	}
	if has(t, c, 0, 1000) || has(t, other, 0, 1000) || !has(t, c, 199, 1000) || !has(t, other, 199, 1000) {
		t.Error("the oldest is to go and the newest to stay")
	}
	var size int64
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	if size > limit {
		t.Errorf("%d bytes, the limit is %d", size, limit)
	}
	if c.Put(key(1000), values(1, 1<<20)); c.Trouble() != "" {
		t.Error(c.Trouble())
	}
}

func TestTornAndBrokenRecordsAreNotFound(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 1<<20)
	put(t, c, 1, 100)
	put(t, c, 2, 100)
	c.Close()
	path := filepath.Join(dir, prefix+"000001")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	half := len(data) / 2
	data[headerSize+40] ^= 1 // in the first record's values
	if err := os.WriteFile(path, data[:len(data)-70], 0o644); err != nil {
		t.Fatal(err)
	}
	c = open(t, dir, 1<<20)
	if has(t, c, 1, 100) || has(t, c, 2, 100) {
		t.Error("a broken and a torn record were found")
	}
	put(t, c, 1, 100)
	put(t, c, 3, 50)
	if !has(t, c, 1, 100) || !has(t, c, 3, 50) || !has(t, open(t, dir, 1<<20), 3, 50) {
		t.Error("what was put behind the torn record is missing")
	}
	if info, _ := os.Stat(path); info.Size() < int64(half) {
		t.Errorf("%d bytes are left of %d", info.Size(), len(data))
	}
}

func TestManyWritersAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	caches := []*Cache{open(t, dir, 64<<20), open(t, dir, 64<<20), open(t, dir, 64<<20)}
	for w, c := range caches {
		for g := range 2 {
			wait.Go(func() {
				for i := range 60 {
					n := (i*7 + w + g) % 80
					if c.Put(key(n), values(n, 10+n)); c.Trouble() != "" {
						t.Error(c.Trouble())
					}
					if v, ok := c.Get(key(n)); !ok || !slices.Equal(v, values(n, 10+n)) {
						t.Errorf("value %d", n)
					}
				}
			})
		}
	}
	wait.Wait()
}

func TestALowerLimitLeavesWhatAHigherOneWroteAlone(t *testing.T) {
	dir := t.TempDir()
	high := open(t, dir, 8<<20)
	put(t, high, 1, 1000)
	for i := 2; i < 40; i++ { // well past the lower limit's segment
		put(t, high, i, 5000)
	}
	low := open(t, dir, 8<<16)
	put(t, low, 100, 10)
	put(t, high, 200, 10)
	for i := 2; i < 40; i++ {
		if !has(t, high, i, 5000) {
			t.Fatalf("value %d is gone", i)
		}
	}
	if !has(t, low, 100, 10) || !has(t, high, 100, 10) || !has(t, low, 200, 10) {
		t.Error("what the two put afterwards is missing")
	}
}

// What stands in the folder's place or in it stops nobody: it is left as it is, and the trouble is said in a sentence.
func TestAFolderOfNoUseStopsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir string) error
		works bool // values are kept all the same
	}{
		"a file in the folder's place": {func(dir string) error { return os.WriteFile(dir, []byte("mine"), 0o644) },
			false},
		"a folder in the lock's place": {func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, "lock"),
				0o755)
		}, false},
		"a folder that is called a segment": {func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, prefix+"000001", "mine"), 0o755)
		}, true},
		"a pipe that is called a segment": {func(dir string) error {
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
			return unix.Mkfifo(filepath.Join(dir, prefix+"000001"), 0o644)
		}, true},
		"somebody's file that is called a segment": {func(dir string) error {
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, prefix+"000007"), []byte("my notes"), 0o644)
		}, true},
		"a link to nowhere that is called a segment": {func(dir string) error {
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
			return os.Symlink("nowhere", filepath.Join(dir, prefix+"000001"))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "features")
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			cache := Open(dir, 1<<20)
			defer cache.Close()
			cache.Put(key(1), values(1, 10))
			if found := has(t, cache, 1, 10); found != c.works || (cache.Trouble() == "") != c.works {
				t.Errorf("found %v, trouble %q", found, cache.Trouble())
			}
			if text := cache.Trouble(); strings.Contains(text, "feature cache:") || strings.Contains(text, "open ") {
				t.Errorf("the trouble is no sentence: %s", text)
			}
			if data, err := os.ReadFile(filepath.Join(dir, prefix+"000007")); err == nil && string(data) != "my notes" {
				t.Error("somebody's file was changed")
			}
		})
	}
}

// A folder that another user made can be read where it cannot be written.
func TestAReadOnlyFolderIsReadAndTheTroubleSaid(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere: see TestReadOnlySegmentsAreRead")
	}
	dir := t.TempDir()
	c := open(t, dir, 1<<20)
	put(t, c, 1, 10)
	c.Close()
	for path, mode := range map[string]os.FileMode{filepath.Join(dir, "lock"): 0o444,
		filepath.Join(dir, prefix+"000001"): 0o444, dir: 0o555} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	c = Open(dir, 1<<20)
	defer c.Close()
	c.Put(key(2), values(2, 10))
	if !has(t, c, 1, 10) || has(t, c, 2, 10) || !strings.Contains(c.Trouble(), "may not be written") {
		t.Errorf("trouble %q", c.Trouble())
	}
}

func TestReadOnlySegmentsAreRead(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 1<<20)
	put(t, c, 1, 10)
	c.Close()
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "lock"), 0o755); err != nil {
		t.Fatal(err)
	}
	c = Open(dir, 1<<20)
	defer c.Close()
	if !has(t, c, 1, 10) || c.Trouble() == "" {
		t.Errorf("trouble %q", c.Trouble())
	}
}

func TestAFullDiskIsSaidOnceAndWorkGoesOn(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 1<<20)
	put(t, c, 1, 10)
	var old unix.Rlimit
	signal.Ignore(unix.SIGXFSZ)
	defer signal.Reset(unix.SIGXFSZ)
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Skip(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 200, Max: old.Max}); err != nil {
		t.Skip(err)
	}
	c.Put(key(2), values(2, 100))
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	c.Put(key(3), values(3, 10))
	if !has(t, c, 1, 10) || has(t, c, 2, 100) || has(t, c, 3, 10) || c.Trouble() == "" {
		t.Errorf("trouble %q", c.Trouble())
	}
	if again := open(t, dir, 1<<20); !has(t, again, 1, 10) {
		t.Error("the value before is lost")
	}
}
