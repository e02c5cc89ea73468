// Package features keeps on disk what a frozen vision tower saw, so that it looks at each picture once: across epochs,
// runs and programs; and, in a folder of their own, the decoded frames of clips. A value is found by a key that its
// maker derives from everything it depends on. The package knows no pictures and no models.
//
// The cache is a folder of segments, files that only grow; values are read in place through memory maps. Writers of
// several processes take turns by a lock on the folder. When all segments together reach the limit, the oldest one
// goes. Nothing depends on the cache: where its folder is of no use (a full disk, no right to write, something else in
// its place), values are not kept, Trouble says why, and what can still be found is found.
package features

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"finetui/ml/mapped"
)

// Key names a value.
type Key [32]byte

// A record is a header of headerSize bytes and the values, filled up to a multiple of it: magic,
// checksum of the values, their length in bytes, the key.
const (
	headerSize = 64
	magic      = 0x31465446 // "FTF1"
	segments   = 8          // the limit is shared out among so many
	prefix     = "segment-"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Cache is an open folder of values. Any number of goroutines may use it.
type Cache struct {
	dir     string
	values  Values
	room    int64    // bytes of one segment
	lock    *os.File // nil: nothing is written
	mutex   sync.Mutex
	segs    []*segment // oldest first
	last    int        // the highest number that a segment, or what stands in one's place, has
	index   map[Key]place
	trouble error
}

// segment is one file, mapped up to the size it may ever have; only what the file holds is touched.
type segment struct {
	number int
	file   *os.File
	data   []byte
	known  int64 // bytes that are in the index
	size   int64 // of the file, when it was last looked at

	writable bool
	forget   func() // ends the map's name
}

type place struct {
	seg     *segment
	at      int64 // of the values
	bytes   int64
	sum     uint32
	checked bool
}

// Values are what a cache keeps, in words for Trouble: "What …
// in FOLDER: the disk is full. Work goes on without, and …".
type Values struct{ NotKept, Instead string }

var seen = Values{"What the vision tower makes of pictures and clips is not kept", "looks at each anew"}

// Open opens the cache of features in a folder, which is made where it is missing, for at most limit bytes.
func Open(dir string, limit int64) *Cache { return OpenFor(seen, dir, limit) }

// OpenFor is Open for other values.
func OpenFor(values Values, dir string, limit int64) *Cache {
	const page = 1 << 16
	c := &Cache{dir: dir, values: values, room: max(limit/segments/page*page, page), index: map[Key]place{}}
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		c.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR|unix.O_NONBLOCK, 0o644)
	}
	if err == nil {
		err = c.refresh()
	} else if readable := c.refresh(); readable != nil && !errors.Is(readable, fs.ErrNotExist) {
		err = readable
	}
	if err != nil {
		c.fail(err)
	}
	return c
}

// fail remembers the first trouble; from then on nothing is written.
func (c *Cache) fail(err error) {
	if c.trouble == nil {
		c.trouble = err
	}
}

// Trouble says in a sentence why values are not kept any more; empty: they are.
func (c *Cache) Trouble() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	err := c.trouble
	if err == nil {
		return ""
	}
	why := err.Error()
	var p *fs.PathError
	switch errors.As(err, &p); {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		why = "the disk is full"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS):
		why = "it may not be written"
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EEXIST), errors.Is(err, unix.EISDIR):
		why = "something else stands in its place"
	case p != nil:
		why = p.Err.Error()
	}
	return fmt.Sprintf("%s in %s: %s. Work goes on without, and %s.", c.values.NotKept, c.dir, why, c.values.Instead)
}

// Close ends the maps: values that Get returned must not be touched any more.
func (c *Cache) Close() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var errs []error
	for _, s := range c.segs {
		errs = append(errs, s.close())
	}
	c.segs, c.index = nil, nil
	if c.lock != nil {
		errs = append(errs, c.lock.Close())
	}
	return errors.Join(errs...)
}

func (s *segment) close() error {
	s.forget()
	return errors.Join(unix.Munmap(s.data), s.file.Close())
}

// Get returns the values of a key, in place: read-only, valid until Close. What another process has written meanwhile
// is found too; what does not fit its checksum is not.
func (c *Cache) Get(key Key) ([]float32, bool) {
	raw, ok := c.GetBytes(key)
	if !ok || len(raw)%4 != 0 {
		return nil, false
	}
	if len(raw) == 0 {
		return nil, true
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&raw[0])), len(raw)/4), true
}

// GetBytes is Get for what PutBytes kept.
func (c *Cache) GetBytes(key Key) ([]byte, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	p, ok := c.index[key]
	if !ok {
		if c.trouble != nil || c.refresh() != nil {
			return nil, false
		}
		if p, ok = c.index[key]; !ok {
			return nil, false
		}
	}
	raw := p.seg.data[p.at : p.at+p.bytes]
	if !p.checked {
		var sum uint32
		if lost := mapped.Guard(func() error { sum = crc32.Checksum(raw, castagnoli); return nil }); lost != nil ||
			sum != p.sum {
			delete(c.index, key)
			return nil, false
		}
		p.checked = true
		c.index[key] = p
	}
	return raw, true
}

// Put keeps values under a key. Values that are larger than a segment are not kept. After a failure the cache is as it
// was, and nothing more is kept: see Trouble.
func (c *Cache) Put(key Key, values []float32) {
	c.PutBytes(key, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values)))
}

// PutBytes is Put for bytes.
func (c *Cache) PutBytes(key Key, raw []byte) {
	size := (headerSize + len(raw) + headerSize - 1) / headerSize * headerSize
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if int64(size) > c.room || c.trouble != nil || c.lock == nil {
		return
	}
	record := make([]byte, size)
	binary.LittleEndian.PutUint32(record, magic)
	binary.LittleEndian.PutUint32(record[4:], crc32.Checksum(raw, castagnoli))
	binary.LittleEndian.PutUint64(record[8:], uint64(len(raw)))
	copy(record[16:], key[:])
	copy(record[headerSize:], raw)
	if err := c.write(key, record); err != nil {
		c.fail(err)
	}
}

// write puts a record behind the others. The mutex is held.
func (c *Cache) write(key Key, record []byte) error {
	for {
		err := unix.Flock(int(c.lock.Fd()), unix.LOCK_EX)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return err
		}
	}
	defer unix.Flock(int(c.lock.Fd()), unix.LOCK_UN)
	if err := c.refresh(); err != nil {
		return err
	}
	if _, there := c.index[key]; there {
		return nil // another process was faster
	}
	s, err := c.newest(int64(len(record)))
	if err != nil {
		return err
	}
	if err := s.file.Truncate(s.known); err != nil { // what a killed writer left half done
		return err
	}
	if _, err := s.file.WriteAt(record, s.known); err != nil {
		return errors.Join(err, s.file.Truncate(s.known))
	}
	return c.scan(s)
}

// newest is the segment to write to: the last where it has the room, else a new one, for
// which the oldest may have to go. One that has outgrown the room is that of a process with
// a higher limit, and what stands behind our maps is in use.
func (c *Cache) newest(need int64) (*segment, error) {
	if n := len(c.segs); n > 0 && c.segs[n-1].writable && c.segs[n-1].known+need <= c.room &&
		c.segs[n-1].size <= c.room {
		return c.segs[n-1], nil
	}
	for len(c.segs) >= segments {
		if err := os.Remove(c.segs[0].file.Name()); err != nil {
			return nil, err
		}
		c.forget(c.segs[0])
	}
	s, err := c.open(c.last+1, os.O_CREATE|os.O_EXCL|os.O_RDWR)
	if err != nil {
		return nil, err
	}
	c.last++
	c.segs = append(c.segs, s)
	return s, nil
}

// forget takes a removed segment's values out of the index. Its map stays: somebody may still read in it.
func (c *Cache) forget(s *segment) {
	for key, p := range c.index {
		if p.seg == s {
			delete(c.index, key)
		}
	}
	s.file.Close()
	c.segs = slices.DeleteFunc(c.segs, func(x *segment) bool { return x == s })
}

func (c *Cache) open(number, flags int) (*segment, error) {
	name := filepath.Join(c.dir, fmt.Sprintf("%s%06d", prefix, number))
	f, err := os.OpenFile(name, flags|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, err
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(c.room), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(&fs.PathError{Op: "map", Path: name, Err: err}, f.Close())
	}
	return &segment{number: number, file: f, data: data, writable: flags&os.O_RDWR != 0, forget: mapped.Register(data,
		name)}, nil
}

// refresh takes in what the folder holds now. What is no segment of this package is left alone.
func (c *Cache) refresh() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	var there []int
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), prefix)
		n, err := strconv.Atoi(digits)
		if !ok || err != nil || n < 0 || e.Name() != fmt.Sprintf("%s%06d", prefix, n) {
			continue
		}
		c.last = max(c.last, n)
		if e.Type().IsRegular() && !foreign(filepath.Join(c.dir, e.Name())) {
			there = append(there, n)
		}
	}
	slices.Sort(there)
	for _, s := range slices.Clone(c.segs) {
		if !slices.Contains(there, s.number) {
			c.forget(s)
		}
	}
	for _, n := range there {
		i, found := slices.BinarySearchFunc(c.segs, n, func(s *segment, n int) int { return s.number - n })
		if !found {
			s, err := c.open(n, os.O_RDWR)
			if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
				s, err = c.open(n, os.O_RDONLY)
			}
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				continue // another process was faster, or it is another user's
			}
			if err != nil {
				return err
			}
			c.segs = slices.Insert(c.segs, i, s)
		}
		if err := c.scan(c.segs[i]); err != nil {
			return err
		}
	}
	return nil
}

// foreign says whether a file does not begin as a segment does, so that it is somebody else's.
func foreign(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [4]byte
	_, err = io.ReadFull(f, head[:])
	return err == nil && binary.LittleEndian.Uint32(head[:]) != magic
}

// scan takes complete records behind the known ones into the index. A record that is cut off, or no record, ends it.
// Headers are read, not looked at in the map: another process may cut off a killed writer's half record at any moment,
// and touching a map behind the file's end kills.
func (c *Cache) scan(s *segment) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	s.size = info.Size()
	size := min(s.size, c.room)
	head := make([]byte, headerSize)
	for s.known+headerSize <= size {
		if _, err := s.file.ReadAt(head, s.known); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		length := int64(binary.LittleEndian.Uint64(head[8:]))
		end := s.known + headerSize + (length+headerSize-1)/headerSize*headerSize
		if binary.LittleEndian.Uint32(head) != magic || length < 0 || length > c.room || end > size {
			return nil
		}
		var key Key
		copy(key[:], head[16:])
		c.index[key] = place{seg: s, at: s.known + headerSize, bytes: length, sum: binary.LittleEndian.Uint32(head[4:])}
		s.known = end
	}
	return nil
}
