package filehash

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"finetui/ml/wholefile"

	"golang.org/x/sys/unix"
)

// log is the file of a store. It only grows, by whole records under a lock; a record that is cut off
// or does not fit its checksum ends what is read of it, and the next writer cuts it off. When it is
// larger than its limit, it is written anew without the records that nobody used lately. Whatever else
// stands in its place is left alone, and nothing is kept.
type log struct {
	path string // empty: there is none
	dead bool   // it cannot be written: not tried again
	at   int64  // bytes that were taken in
	file os.FileInfo
}

// limit is the size at which the file is written anew, in bytes: room for some 500,000 files.
var limit int64 = 64 << 20

const (
	title    = "finetui hashes 1\n"
	headSize = 4 + 2 + 5*8 + len(Sum{}) // checksum of what follows, length of the path, stat, sum; then the path
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is one entry as it stands in the file; nil where its path is too long for one.
func record(to []byte, key string, e entry) []byte {
	if len(key) > 1<<16-1 {
		return to
	}
	start := len(to)
	to = append(to, 0, 0, 0, 0)
	to = binary.LittleEndian.AppendUint16(to, uint16(len(key)))
	for _, n := range []uint64{uint64(e.stat.Size), uint64(e.stat.Modified), uint64(e.stat.Changed), e.stat.Inode,
		e.stat.Device} {
		to = binary.LittleEndian.AppendUint64(to, n)
	}
	to = append(to, e.sum[:]...)
	to = append(to, key...)
	binary.LittleEndian.PutUint32(to[start:], crc32.Checksum(to[start+4:], castagnoli))
	return to
}

// parse takes the records at the beginning of data into known and returns how many bytes they have.
func parse(data []byte, known map[string]entry) int {
	text := string(data) // the paths are parts of it: one piece of memory for all
	at := 0
	for len(data)-at >= headSize {
		r := data[at:]
		end := headSize + int(binary.LittleEndian.Uint16(r[4:]))
		if len(r) < end || crc32.Checksum(r[4:end], castagnoli) != binary.LittleEndian.Uint32(r) {
			break
		}
		number := func(i int) uint64 { return binary.LittleEndian.Uint64(r[6+8*i:]) }
		e := entry{stat: Stat{int64(number(0)), int64(number(1)), int64(number(2)), number(3), number(4)}}
		copy(e.sum[:], r[6+5*8:])
		key := text[at+headSize : at+end]
		if old, ok := known[key]; !ok || !old.used { // what this process read itself is newer
			known[key] = e
		}
		at += end
	}
	return at
}

// read takes in what the file holds beyond what was taken in before. whole says that it ends with a whole record.
func (l *log) read(known map[string]entry) (whole bool) {
	if l.path == "" {
		return false
	}
	f, err := os.OpenFile(l.path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		l.at = 0
		return errors.Is(err, os.ErrNotExist)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > 4*limit {
		l.at = 0
		return false
	}
	if l.file == nil || !os.SameFile(l.file, info) || info.Size() < l.at {
		l.at, l.file = 0, info
	}
	data := make([]byte, info.Size()-l.at)
	n, err := f.ReadAt(data, l.at)
	if err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	data = data[:n]
	if l.at == 0 {
		if len(data) < len(title) || string(data[:len(title)]) != title {
			return len(data) == 0
		}
		l.at = int64(len(title))
		data = data[len(title):]
	}
	taken := parse(data, known)
	l.at += int64(taken)
	return taken == len(data)
}

// append writes the entries of keys behind the others. It returns false where that cannot be.
func (l *log) append(known map[string]entry, keys []string) bool {
	if l.path == "" || l.dead {
		return false
	}
	unlock, err := l.lock()
	if err != nil {
		l.dead = !errors.Is(err, errBusy)
		return false
	}
	defer unlock()
	clean := l.read(known)
	if info, err := os.Lstat(l.path); err == nil && !info.Mode().IsRegular() {
		l.dead = true // somebody else's
		return false
	}
	size := 0
	for _, key := range keys {
		size += headSize + len(key)
	}
	data := make([]byte, 0, size)
	for _, key := range keys {
		data = record(data, key, known[key])
	}
	if l.at == 0 || l.at+int64(len(data)) > limit {
		return l.rewrite(known)
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY, 0)
	if err != nil {
		l.dead = true
		return false
	}
	defer f.Close()
	if !clean {
		err = f.Truncate(l.at)
	}
	if err == nil {
		_, err = f.WriteAt(data, l.at)
	}
	if err != nil {
		l.dead = f.Truncate(l.at) != nil || !errors.Is(err, unix.ENOSPC)
		return false
	}
	l.at += int64(len(data))
	return true
}

// rewrite makes the file of what is known: all of it, or where that is more than half the limit, what this process used
// first and then what has the youngest files.
func (l *log) rewrite(known map[string]entry) bool {
	keys := make([]string, 0, len(known))
	for key := range known {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		x, y := known[a], known[b]
		if x.used != y.used {
			if x.used {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(y.stat.Changed, x.stat.Changed), cmp.Compare(a, b))
	})
	data := []byte(title)
	for i, key := range keys {
		if int64(len(data)+headSize+len(key)) > limit/2 {
			for _, old := range keys[i:] {
				if !known[old].used {
					delete(known, old)
				}
			}
			break
		}
		data = record(data, key, known[key])
	}
	if err := wholefile.Write(l.path, data); err != nil {
		l.dead = !errors.Is(err, unix.ENOSPC)
		return false
	}
	l.at = int64(len(data))
	l.file, _ = os.Stat(l.path)
	return true
}

// sweep removes what a killed writer left beside the file. The lock is held: no live one has such a file.
func (l *log) sweep() {
	for _, path := range wholefile.Glob(filepath.Dir(l.path), "."+filepath.Base(l.path)+".tmp-*") {
		_ = os.Remove(path)
	}
}

var errBusy = errors.New("another process writes the hashes")

// lock keeps other writers out. Nobody waits long for one who holds it: what is not written now is written later.
func (l *log) lock() (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(l.path+".lock", os.O_CREATE|os.O_RDWR|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, err
	}
	for range 20 {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
			l.sweep()
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(err, f.Close())
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, errors.Join(errBusy, f.Close())
}
