// Package filehash names files by what they hold: SHA-256 of all their bytes. What was hashed is kept in the project's
// .finetui folder under the file's path and stat identity, so that an unchanged file is never read twice, whichever
// process comes. It knows no models and no data sets, and changes no file but its own.
//
//	store := filehash.In(root)                      // root is the project's folder; "" keeps in memory alone
//	sum, err := store.Sum(ctx, path, report)        // read at most once
//	store.Flush()                                   // at the end of a piece of work; never needed
//
// Who reads a file's bytes anyway hashes them on the way: Look before, Look after, and Keep where both are equal.
package filehash

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Sum is the SHA-256 of a file's bytes.
type Sum [sha256.Size]byte

// String is the sum in hexadecimal digits.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// Progress is told how many bytes of how many have been read; it may be nil.
type Progress = func(done, total int64)

// Stat is a file's identity as the system tells it without reading: equal ones are taken for the same bytes. Changed is
// the time of the last change of the file's entry, which no program can set back.
type Stat struct {
	Size              int64
	Modified, Changed int64 // Unix nanoseconds
	Inode, Device     uint64
}

// Look is the identity of a regular file; whatever else stands
// there is an error that says so. A link is what it leads to.
func Look(path string) (Stat, error) {
	var st unix.Stat_t
	for {
		err := unix.Stat(path, &st)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return Stat{}, &fs.PathError{Op: "stat", Path: path, Err: err}
		}
		return identity(path, &st)
	}
}

// Program tells one build of this program from another, which may work otherwise; ok is false where the system does not
// say which file it is.
var Program = sync.OnceValues(func() (id string, ok bool) {
	exe, err := os.Executable()
	if err != nil {
		return "", false
	}
	st, err := Look(exe)
	return fmt.Sprint(st.Size, st.Modified, st.Changed, st.Inode), err == nil
})

func identity(path string, st *unix.Stat_t) (Stat, error) {
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return Stat{}, fmt.Errorf("%s is not a file that can be read: it is a folder, a device or a pipe", path)
	}
	return Stat{Size: st.Size, Modified: st.Mtim.Nano(), Changed: st.Ctim.Nano(), Inode: uint64(st.Ino),
		Device: uint64(st.Dev)}, nil
}

// Store is the hashes of one project's files. Any number of goroutines
// may use it, and any number of processes its file.
type Store struct {
	root string // absolute; empty: nothing is kept on disk

	mutex   sync.Mutex
	loaded  bool
	known   map[string]entry
	doing   map[string]*work
	log     log
	pending []string // keys of known that the log lacks
	weight  int64    // bytes that were read for them
}

// entry is what is known of one file.
type entry struct {
	stat Stat
	sum  Sum
	used bool // since this process began
}

// work is one file being read, for those who wait for the same one.
type work struct {
	done chan struct{}
	stat Stat
	sum  Sum
	err  error
}

var stores = struct {
	mutex sync.Mutex
	of    map[string]*Store
}{of: map[string]*Store{}}

// In is the store of the project in a folder: one in a process. With "" nothing is kept on disk. It reads nothing yet.
func In(root string) *Store {
	if root != "" {
		if abs, err := filepath.Abs(root); err == nil {
			root = abs
		}
	}
	stores.mutex.Lock()
	defer stores.mutex.Unlock()
	s := stores.of[root]
	if s == nil {
		s = open(root)
		stores.of[root] = s
	}
	return s
}

func open(root string) *Store {
	s := &Store{root: root, known: map[string]entry{}, doing: map[string]*work{}}
	if root != "" {
		s.log.path = filepath.Join(root, ".finetui", "hashes")
	}
	return s
}

// key is a path as it is kept: within the project from its root, so that a moved project keeps what it knows.
func (s *Store) key(path string) string {
	if s.root == "" {
		return filepath.Clean(path)
	}
	if !filepath.IsAbs(path) {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
	}
	path = filepath.Clean(path)
	if within, ok := strings.CutPrefix(path, s.root+string(filepath.Separator)); ok {
		return within
	}
	return path
}

// load takes in what is kept on disk. The mutex is held.
func (s *Store) load() {
	if !s.loaded {
		s.loaded = true
		s.log.read(s.known)
	}
}

// Known is the hash of a file of this identity where it was read before; nothing is read.
func (s *Store) Known(path string, stat Stat) (Sum, bool) {
	key := s.key(path)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.load()
	return s.find(key, stat)
}

func (s *Store) find(key string, stat Stat) (Sum, bool) {
	e, ok := s.known[key]
	if !ok || e.stat != stat {
		return Sum{}, false
	}
	if !e.used {
		e.used = true
		s.known[key] = e
	}
	return e.sum, true
}

// Keep takes in the hash of a file that its caller read, with the identity that it had before and after. A file that
// was changed a moment ago is not kept: it could be changed again within the same tick of the file system's clock.
func (s *Store) Keep(path string, stat Stat, sum Sum) {
	if Fresh(stat, time.Now()) {
		return
	}
	key := s.key(path)
	s.mutex.Lock()
	s.load()
	s.known[key] = entry{stat, sum, true}
	s.pending = append(s.pending, key)
	s.weight += stat.Size
	full := len(s.pending) >= 4096 || s.weight >= 1<<28
	s.mutex.Unlock()
	if full {
		s.Flush()
	}
}

// Fresh says whether a file was changed so lately that its time may not tell the next change.
func Fresh(stat Stat, now time.Time) bool {
	tick := int64(100 * time.Millisecond)
	if stat.Modified%1e9 == 0 && stat.Changed%1e9 == 0 {
		tick = int64(2 * time.Second) // a file system that counts seconds
	}
	return now.UnixNano()-max(stat.Modified, stat.Changed) < tick
}

// Flush writes what is new to the project's .finetui folder. Where that cannot be written, hashes stay in memory.
func (s *Store) Flush() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.pending) == 0 {
		return
	}
	if s.log.append(s.known, s.pending) {
		s.pending, s.weight = nil, 0
	} else if len(s.pending) > 1<<16 {
		s.pending, s.weight = nil, 0 // they stay known to this process
	}
}

// Sum is the hash of all bytes of a file. An unchanged file is not read again, and of several callers at a time one
// reads. A file that changes while it is read is read anew, and one that does not come to rest is an error.
func (s *Store) Sum(ctx context.Context, path string, report Progress) (Sum, error) {
	sum, _, err := s.SumStat(ctx, path, report)
	return sum, err
}

// SumStat is Sum with the identity of the file that was hashed.
func (s *Store) SumStat(ctx context.Context, path string, report Progress) (Sum, Stat, error) {
	key := s.key(path)
	for {
		if err := ctx.Err(); err != nil {
			return Sum{}, Stat{}, err
		}
		stat, err := Look(path)
		if err != nil {
			return Sum{}, Stat{}, err
		}
		s.mutex.Lock()
		s.load()
		if sum, ok := s.find(key, stat); ok {
			s.mutex.Unlock()
			return sum, stat, nil
		}
		w := s.doing[key]
		mine := w == nil
		if mine {
			w = &work{done: make(chan struct{})}
			s.doing[key] = w
		}
		s.mutex.Unlock()
		if !mine {
			select {
			case <-w.done:
			case <-ctx.Done():
				return Sum{}, Stat{}, ctx.Err()
			}
			if w.err == nil && w.stat == stat {
				return w.sum, stat, nil
			}
			continue // the other one was stopped, or the file is another by now
		}
		w.sum, w.stat, w.err = settle(ctx, path, report)
		if w.err == nil {
			s.Keep(path, w.stat, w.sum)
		}
		s.mutex.Lock()
		delete(s.doing, key)
		s.mutex.Unlock()
		close(w.done)
		return w.sum, w.stat, w.err
	}
}

// tries is how often a file that changes while it is read is read anew.
const tries = 3

// settle reads a file until it stays the same meanwhile.
func settle(ctx context.Context, path string, report Progress) (Sum, Stat, error) {
	for range tries {
		sum, before, after, err := read(ctx, path, report)
		if err != nil {
			return Sum{}, Stat{}, err
		}
		if before == after {
			return sum, after, nil
		}
	}
	return Sum{}, Stat{}, fmt.Errorf("%s changes while it is read: wait until what writes it is done", path)
}

// buffers are of the size at which disks reach their speed.
var buffers = sync.Pool{New: func() any { b := make([]byte, 1<<20); return &b }}

// read hashes a file once; before and after are its identities around that, after from the path, which may be another
// file by then.
func read(ctx context.Context, path string, report Progress) (sum Sum, before, after Stat, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a pipe in its place must not hold us
	if err != nil {
		return sum, before, after, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return sum, before, after, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if before, err = identity(path, &st); err != nil {
		return sum, before, after, err
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	hash := sha256.New()
	var done int64
	for done <= before.Size { // one that grows and grows is not read for ever
		if err := ctx.Err(); err != nil {
			return sum, before, after, err
		}
		n, err := f.Read(*buffer)
		hash.Write((*buffer)[:n])
		done += int64(n)
		if report != nil && n > 0 {
			report(done, max(done, before.Size))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return sum, before, after, err
		}
	}
	hash.Sum(sum[:0])
	if after, err = Look(path); err != nil {
		return sum, before, after, err
	}
	if done != before.Size {
		after = Stat{} // it grew or shrank
	}
	return sum, before, after, nil
}
