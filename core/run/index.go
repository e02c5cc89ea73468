package run

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	sys "golang.org/x/sys/unix"

	"finetui/core/linetail"
	"finetui/ml/wholefile"
)

// An index is what a Reader has read of a metrics file: its History, bounded as it is, and how far it goes. It lies in
// .finetui in the folder of runs and may be deleted at any time. It counts only while the bytes it was made from stand
// there; else the file is read anew. A file that nobody has touched since is taken at its size and times, with its
// first and last bytes; of one that has grown, or was touched otherwise, all of those bytes are summed up again, which
// takes a tenth of reading their rows. What is not noticed: an edit in the middle of a copy, of the same length, whose
// time was then set back to that of the original; and one in a file that a Reader has open.
const (
	indexFolder  = ".finetui"
	indexVersion = 8       // grows when what is kept, or what it is worked out by, changes
	indexFrom    = 1 << 20 // bytes read since the index was written that make a new one worth while
	indexMost    = 8 << 20 // that do so of a file of any length
	checkedHead  = 4 << 10 // bytes at the beginning of the file that an index is held against
	checkedTail  = 64 << 10
)

// origin is what an index was made from.
type origin struct {
	offset     int64 // of the file, read
	size       int64 // of the file then
	mtime      int64 // Unix nanoseconds, of the last write
	ctime      int64 // likewise, of the last change of any kind, which nobody can set
	inode      uint64
	head, tail uint32 // checksums of the first bytes, and of the last ones before offset
	all        uint32 // checksum of all bytes before offset
	skipping   bool
}

// originOf looks at a file that has been read up to an offset.
func originOf(f *os.File, offset int64) (o origin, err error) {
	var stat sys.Stat_t
	if err := sys.Fstat(int(f.Fd()), &stat); err != nil {
		return o, err
	}
	if stat.Size < offset {
		return o, io.ErrUnexpectedEOF
	}
	o = origin{offset: offset, size: stat.Size, mtime: stat.Mtim.Nano(), ctime: stat.Ctim.Nano(), inode: stat.Ino}
	sum := func(from, n int64) (uint32, error) {
		part := make([]byte, n)
		_, err := f.ReadAt(part, from)
		return crc32.Checksum(part, linetail.Castagnoli), err
	}
	if o.head, err = sum(0, min(offset, checkedHead)); err != nil {
		return o, err
	}
	n := min(offset, checkedTail)
	o.tail, err = sum(offset-n, n)
	return o, err
}

// fits tells whether a file that now looks like o still holds what an index was made from. A copy is only taken for it
// while it has the same size and time.
func (o origin) fits(now origin, f *os.File) bool {
	if o.head != now.head || o.tail != now.tail {
		return false
	}
	same, untouched := o.inode == now.inode, o.size == now.size && o.mtime == now.mtime
	if untouched && (!same || o.ctime == now.ctime) {
		return true
	}
	if !same || now.size < o.size {
		return false
	}
	sum := crc32.New(linetail.Castagnoli)
	_, err := io.Copy(sum, io.NewSectionReader(f, 0, o.offset))
	return err == nil && sum.Sum32() == o.all
}

// load takes over an index that fits the file, and says whether there was one.
func (r *Reader) load() bool {
	data, err := wholefile.Read(r.index, wholefile.Text)
	if err != nil || len(data) < 8 {
		return false
	}
	body := data[:len(data)-4]
	if crc32.Checksum(body, linetail.Castagnoli) != binary.LittleEndian.Uint32(data[len(data)-4:]) {
		return false
	}
	var o origin
	h := History{Limit: r.History.Limit, Brief: r.History.Brief}
	c := coder{in: body}
	if c.index(&o, &h); c.bad || len(c.in) > 0 {
		return false
	}
	f, err := wholefile.Open(r.tail.Path)
	if err != nil {
		return false
	}
	defer f.Close()
	now, err := originOf(f, o.offset)
	if err != nil || !o.fits(now, f) {
		return false
	}
	mark := make([]byte, min(o.offset, linetail.MarkBytes))
	if _, err := f.ReadAt(mark, o.offset-int64(len(mark))); err != nil {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	r.History, r.kept = h, o.offset
	r.tail.Offset, r.tail.Skipping, r.tail.Mark, r.tail.File = o.offset, o.skipping, mark, info
	r.tail.Sum = o.all
	return true
}

// keep writes the index anew where much has been read since. Nobody needs it: where it cannot be written, on a disk
// that is full or a folder that is only read, the next reader reads the file.
func (r *Reader) keep() {
	if r.index == "" || r.tail.Offset-r.kept < min(max(r.tail.Offset/16, indexFrom), indexMost) {
		return
	}
	r.kept = r.tail.Offset // also where writing fails: not to be tried again and again
	f, err := wholefile.Open(r.tail.Path)
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !os.SameFile(info, r.tail.File) {
		return
	}
	o, err := originOf(f, r.tail.Offset)
	if err != nil {
		return
	}
	o.skipping, o.all = r.tail.Skipping, r.tail.Sum
	c := coder{out: new(bytes.Buffer)}
	c.index(&o, &r.History)
	body := c.out.Bytes()
	if err := os.Mkdir(filepath.Dir(r.index), 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return
	}
	if wholefile.Write(r.index, binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, linetail.Castagnoli))) == nil {
		sweepIndexes(filepath.Dir(r.index))
	}
}

// sweepIndexes removes what belongs to runs that are gone, and what a killed reader has left half written.
func sweepIndexes(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		label, kind := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), filepath.Ext(e.Name())
		gone := false
		switch info, err := e.Info(); {
		case err != nil:
		case kind == ".curves" || kind == ".brief":
			_, err := os.Stat(filepath.Join(filepath.Dir(dir), label))
			gone = errors.Is(err, os.ErrNotExist)
		case strings.Contains(e.Name(), ".curves.tmp-") || strings.Contains(e.Name(), ".brief.tmp-"):
			gone = time.Since(info.ModTime()) > time.Hour
		}
		if gone {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// coder writes an index, or reads one: each method does the one or the other with the same value, so that both agree.
type coder struct {
	out *bytes.Buffer // nil: it reads
	in  []byte
	bad bool // what is read ends too early, or is none
}

func (c *coder) word(v *uint64) {
	switch {
	case c.out != nil:
		c.out.Write(binary.LittleEndian.AppendUint64(c.out.AvailableBuffer(), *v))
	case c.bad || len(c.in) < 8:
		c.bad = true
	default:
		*v, c.in = binary.LittleEndian.Uint64(c.in), c.in[8:]
	}
}

func coded[T ~int | ~int64 | ~uint32 | ~uint64](c *coder, v *T) {
	w := uint64(*v)
	c.word(&w)
	*v = T(w)
}

func (c *coder) float(v *float64) {
	w := math.Float64bits(*v)
	c.word(&w)
	*v = math.Float64frombits(w)
}

func (c *coder) floats(all ...*Float) {
	for _, v := range all {
		c.float((*float64)(v))
	}
}

func (c *coder) flag(v *bool) {
	w := uint64(0)
	if *v {
		w = 1
	}
	c.word(&w)
	*v = w == 1
}

// length is that of a list whose elements take at least so many bytes each.
func (c *coder) length(n, least int) int {
	coded(c, &n)
	if c.out == nil && (n < 0 || n > len(c.in)/least) {
		c.bad, n = true, 0
	}
	return n
}

func (c *coder) text(v *string) {
	n := c.length(len(*v), 1)
	if c.out != nil {
		c.out.WriteString(*v)
		return
	}
	*v, c.in = string(c.in[:n]), c.in[n:]
}

// list codes a list whose elements take at least so many bytes each.
func list[T any](c *coder, all *[]T, least int, each func(*T)) {
	n := c.length(len(*all), least)
	if c.out == nil && n > 0 {
		*all = make([]T, n)
	}
	for i := range *all {
		each(&(*all)[i])
	}
}

// rows codes a list of rows, which are made one by one: thinning lets go of some later.
func rows[T any](c *coder, all *[]*T, each func(*T)) {
	list(c, all, 8, func(row **T) {
		if c.out == nil {
			*row = new(T)
		}
		each(*row)
	})
}

// optional codes a value that may be unknown.
func optional[T any](c *coder, v **T, each func(*T)) {
	known := *v != nil
	c.flag(&known)
	if known {
		if c.out == nil {
			*v = new(T)
		}
		each(*v)
	}
}

func (c *coder) head(h *Head, kind string) {
	h.Kind = kind
	coded(c, &h.Step)
	c.float(&h.Time)
}

// index codes everything that an index holds.
func (c *coder) index(o *origin, h *History) {
	version, limit, brief := indexVersion, h.Limit, h.Brief
	coded(c, &version)
	coded(c, &limit)
	c.flag(&brief)
	if version != indexVersion || limit != h.Limit || brief != h.Brief {
		c.bad = true
	}
	coded(c, &o.offset)
	coded(c, &o.size)
	coded(c, &o.mtime)
	coded(c, &o.ctime)
	coded(c, &o.inode)
	coded(c, &o.head)
	coded(c, &o.tail)
	coded(c, &o.all)
	c.flag(&o.skipping)
	coded(c, &h.Bad)
	coded(c, &h.Resume)
	coded(c, &h.last)
	c.flag(&h.any)
	c.flag(&h.Thin)
	coded(c, &h.furthest)
	list(c, &h.Figures, 16, func(f *Figure) {
		c.text(&f.Name)
		list(c, &f.Points, 24, func(p *Point) {
			coded(c, &p.Step)
			c.float(&p.Time)
			c.float(&p.Y)
		})
	})
	names := c.classNames(h)
	rows(c, &h.Train, func(r *Train) {
		c.head(&r.Head, "train")
		coded(c, &r.Tokens)
		coded(c, &r.Samples)
		c.floats(&r.Epoch, &r.Loss, &r.LossPlain, &r.LR, &r.GradNorm, &r.TokensPerSecond,
			&r.Seconds.Data, &r.Seconds.Forward, &r.Seconds.Backward, &r.Seconds.Optimizer)
		list(c, &r.Ranks, 16, func(k *Rank) { c.floats(&k.Loss, &k.Seconds) })
	})
	rows(c, &h.Classes, func(r *Class) {
		c.head(&r.Head, "class")
		list(c, (*[]ClassLoss)(&r.Losses), 24, func(l *ClassLoss) {
			names.code(c, &l.Name)
			coded(c, &l.N)
			c.floats(&l.Loss)
		})
	})
	rows(c, &h.Evals, func(r *Eval) {
		c.head(&r.Head, "eval")
		c.text(&r.Split)
		c.floats(&r.Loss, &r.Accuracy, &r.MacroF1, &r.SE)
		c.text((*string)(&r.By))
		c.recalls(&r.Recall)
		coded(c, &r.Unparsed)
	})
	rows(c, &h.System, func(r *System) {
		c.head(&r.Head, "system")
		optional(c, &r.CPU, c.float)
		optional(c, &r.RSS, c.word)
		optional(c, &r.Busy, c.float)
		list(c, &r.GPUs, 48, func(g *GPU) {
			coded(c, &g.Index)
			optional(c, &g.Util, c.float)
			optional(c, &g.MemoryUsed, c.word)
			optional(c, &g.MemoryTotal, c.word)
			optional(c, &g.Power, c.float)
			optional(c, &g.PowerLimit, c.float)
			optional(c, &g.Temperature, c.float)
			optional(c, &g.Clock, c.float)
			list(c, &g.Throttle, 8, c.text)
			c.flag(&g.MIG)
			c.flag(&g.Lost)
			list(c, &g.Processes, 24, func(p *GPUProcess) {
				coded(c, &p.PID)
				c.flag(&p.Own)
				c.text(&p.User)
				optional(c, &p.Memory, c.word)
			})
		})
		if r.GPUs == nil {
			r.GPUs = []GPU{}
		}
	})
	rows(c, &h.Checkpoints, func(r *Checkpoint) {
		c.head(&r.Head, "checkpoint")
		c.text(&r.Path)
		c.floats(&r.Seconds)
		coded(c, &r.Bytes)
	})
	rows(c, &h.Events, func(r *Event) {
		c.head(&r.Head, "event")
		c.text((*string)(&r.Level))
		c.text(&r.Text)
	})
}

// recalls codes the answers of a check by class; its list is
// in order of names, so that equal histories are equal bytes.
func (c *coder) recalls(all *map[string]Recall) {
	names := slices.Sorted(maps.Keys(*all))
	byName := make(map[string]Recall, len(names))
	list(c, &names, 24, func(name *string) {
		r := (*all)[*name]
		c.text(name)
		coded(c, &r.N)
		coded(c, &r.Right)
		byName[*name] = r
	})
	*all = byName
}

// nameTable numbers the names of classes, which stand in every row of them.
type nameTable struct {
	names   []string
	numbers map[string]int
}

// classNames codes the table of a history's class names.
func (c *coder) classNames(h *History) nameTable {
	t := nameTable{numbers: map[string]int{}}
	for _, row := range h.Classes {
		for _, l := range row.Losses {
			if _, known := t.numbers[l.Name]; !known {
				t.numbers[l.Name] = len(t.names)
				t.names = append(t.names, l.Name)
			}
		}
	}
	list(c, &t.names, 8, c.text)
	return t
}

func (t nameTable) code(c *coder, name *string) {
	n := t.numbers[*name]
	coded(c, &n)
	if c.out != nil {
		return
	}
	if n < 0 || n >= len(t.names) {
		c.bad = true
		return
	}
	*name = t.names[n]
}
