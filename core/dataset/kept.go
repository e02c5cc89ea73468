package dataset

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"finetui/core/filehash"
	"finetui/ml/wholefile"
)

// A large data set is looked at once: what the label file and the header of each picture gave is kept in the
// project's .finetui folder, under both files' stat identities. The folders are listed anew each time, and
// whatever follows from several items is worked out anew. What is kept is never needed: where it is missing,
// foreign, broken or cannot be written, the files are read.

// keepFrom is how many items a set has that is kept; smaller ones are read as quickly. Tests lower it.
var keepFrom = 1000

const (
	keepSets  = 4   // sets of a project that are kept, the ones that were written last
	keepBlock = 256 // items that share a checksum
	keepTitle = "finetui look 1\n"
)

// keeper is the file that keeps the look at one set.
type keeper struct {
	path string            // empty: nothing is kept
	key  [sha256.Size]byte // everything beside the files themselves that the result depends on
	root string            // of the set; names within it are kept from there, so that a moved project keeps them

	labels bool // objects are kept, too; else the listing has them
}

// newKeeper is the keeper of the set at a place, for the project in a folder.
func newKeeper(project, at string, l *listing) keeper {
	program, known := filehash.Program()
	if project == "" || !known {
		return keeper{}
	}
	name := sha256.Sum256([]byte(shortPath(project, at)))
	return keeper{
		path: filepath.Join(project, ".finetui", "looks", fmt.Sprintf("%x", name[:8])),
		key:  sha256.Sum256(fmt.Appendf(nil, "%s %s", program, l.rules)),
		root: l.root,

		labels: l.labels != nil,
	}
}

// identity is what both files of an item are like before they are read.
type identity struct{ label, picture filehash.Stat }

// identify looks at those of both files of an item that nobody has seen. One that is not there, or none, has the zero
// Stat.
func (d *desk) identify(item *Item, id *identity) {
	if id.label == (filehash.Stat{}) {
		id.label = statIn(&d.labels, item.Labels)
	}
	if id.picture == (filehash.Stat{}) {
		id.picture = statIn(&d.pictures, item.Media)
	}
}

func statIn(in *folder, path string) (stat filehash.Stat) {
	if st, err := in.status(path); err == nil && isRegular(&st) {
		stat = statOf(&st)
	}
	return stat
}

func statOf(st *unix.Stat_t) filehash.Stat {
	return filehash.Stat{Size: st.Size, Modified: st.Mtim.Nano(), Changed: st.Ctim.Nano(), Inode: uint64(st.Ino),
		Device: uint64(st.Dev)}
}

// settled says whether an item that was identified then can be kept: its files tell the next change.
func (id identity) settled(now time.Time) bool {
	none := filehash.Stat{}
	return id.picture != none && !filehash.Fresh(id.picture, now) &&
		(id.label == none || !filehash.Fresh(id.label, now))
}

// name is a short name of an item's two files: FNV-1a of 64 bits. Two items of one name would have to have one
// identity, too, to be taken for each other.
func (k *keeper) name(item *Item) uint64 {
	hash := uint64(14695981039346656037)
	for _, path := range []string{item.Media, item.Labels, item.ID} { // one picture may be two items
		if within, ok := strings.CutPrefix(path, k.root); ok {
			path = within
		}
		for i := range len(path) {
			hash = (hash ^ uint64(path[i])) * 1099511628211
		}
		hash *= 1099511628211 // a zero byte
	}
	return hash
}

// names are those of all items; nil where nothing is kept.
func (k *keeper) names(items []Item) []uint64 {
	if k.path == "" {
		return nil
	}
	names := make([]uint64, len(items))
	for i := range items {
		names[i] = k.name(&items[i])
	}
	return names
}

// take fills in the items that are kept and unchanged. It says of
// which that is so, and whether the file holds nothing else.
func (k *keeper) take(items []Item, names []uint64, ids []identity, into func(i int, f []Finding,
	g glance)) (taken []bool, exact bool) {
	taken = make([]bool, len(items))
	if k.path == "" {
		return taken, false
	}
	file, err := os.OpenFile(k.path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return taken, false
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return taken, false
	}
	in := bufio.NewReaderSize(file, 1<<18)
	head := make([]byte, len(keepTitle)+len(k.key))
	if _, err := io.ReadFull(in, head); err != nil || string(head) != keepTitle+string(k.key[:]) {
		return taken, false
	}
	place := make(map[uint64]int32, len(items))
	for i, name := range names {
		place[name] = int32(i)
	}
	n, sound := 0, true
	var block []byte
	d := &desk{}
	for {
		if block, err = readBlock(in, block); err != nil {
			return taken, errors.Is(err, io.EOF) && sound && n == len(items)
		}
		r := record{rest: block}
		for len(r.rest) > 0 {
			var was Item
			name, id := r.number64(), r.identity()
			found, seen := r.item(d, &was)
			if r.broken {
				return taken, false // of this program's making and yet not readable: nothing more is taken
			}
			i, there := place[name]
			if !there || taken[i] || ids[i] != id {
				sound = false
				continue
			}
			item := &items[i]
			item.Broken, item.Width, item.Height, item.Orientation = was.Broken, was.Width, was.Height, was.Orientation
			if k.labels {
				item.Objects, item.Rows = d.keep(was.Objects), was.Rows
			}
			if id.label == (filehash.Stat{}) {
				item.Labels = ""
			}
			into(int(i), found, seen)
			taken[i] = true
			n++
		}
	}
}

// readBlock reads a block and checks it; io.EOF is the end of the file.
func readBlock(in io.Reader, block []byte) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return block, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if n > 1<<28 {
		return block, errors.New("no block")
	}
	block = slices.Grow(block[:0], n)[:n]
	if _, err := io.ReadFull(in, block); err != nil {
		return block, io.ErrUnexpectedEOF
	}
	if crc32.Checksum(block, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return block, errors.New("a broken block")
	}
	return block, nil
}

// keep writes the look at all items that are settled. It fails in silence: the next look reads the files.
func (k *keeper) keep(items []Item, names []uint64, ids []identity, now time.Time, of func(i int) ([]Finding, glance)) {
	if k.path == "" {
		return
	}
	folder := filepath.Dir(k.path)
	if os.MkdirAll(folder, 0o755) != nil {
		return
	}
	if info, err := os.Lstat(k.path); err == nil && !info.Mode().IsRegular() {
		return // somebody else's
	}
	err := wholefile.Create(k.path, 0o644, func(out io.Writer) error {
		if _, err := io.WriteString(out, keepTitle+string(k.key[:])); err != nil {
			return err
		}
		var head [8]byte
		var block []byte
		for i := range items {
			if ids[i].settled(now) {
				found, seen := of(i)
				block = k.append(block, names[i], ids[i], &items[i], found, seen)
			}
			if len(block) == 0 || (i+1)%keepBlock > 0 && i+1 < len(items) {
				continue
			}
			binary.LittleEndian.PutUint32(head[:], uint32(len(block)))
			binary.LittleEndian.PutUint32(head[4:], crc32.Checksum(block, castagnoli))
			for _, part := range [][]byte{head[:], block} {
				if _, err := out.Write(part); err != nil {
					return err
				}
			}
			block = block[:0]
		}
		return nil
	})
	if err == nil {
		sweepLooks(folder, now)
	}
}

// sweepLooks removes the looks at sets that have not been written for longest, and what a killed writer left.
func sweepLooks(folder string, now time.Time) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	type look struct {
		path string
		time time.Time
	}
	var looks []look
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		if strings.Contains(entry.Name(), ".tmp-") {
			if now.Sub(info.ModTime()) > time.Hour {
				_ = os.Remove(path)
			}
			continue
		}
		looks = append(looks, look{path, info.ModTime()})
	}
	slices.SortFunc(looks, func(a, b look) int { return b.time.Compare(a.time) })
	for _, old := range looks[min(keepSets, len(looks)):] {
		_ = os.Remove(old.path)
	}
}

// append writes what reading an item gave.
func (k *keeper) append(to []byte, name uint64, id identity, item *Item, found []Finding, seen glance) []byte {
	to = binary.LittleEndian.AppendUint64(to, name)
	for _, s := range []filehash.Stat{id.label, id.picture} {
		for _, n := range []uint64{uint64(s.Size), uint64(s.Modified), uint64(s.Changed), s.Inode, s.Device} {
			to = binary.LittleEndian.AppendUint64(to, n)
		}
	}
	objects := item.Objects
	if !k.labels {
		objects = nil
	}
	to = append(to, flag(item.Broken, 1))
	for _, n := range []int{int(item.Width), int(item.Height), int(item.Orientation), int(item.Rows.Filled),
		int(item.Rows.Lost), int(item.Rows.TopID), int(seen.bytes), int(seen.head), int(seen.tail), len(objects)} {
		to = binary.AppendVarint(to, int64(n))
	}
	for i := range objects {
		to = appendKept(to, &objects[i])
	}
	if len(found) == 0 {
		return binary.AppendVarint(to, 0)
	}
	text, err := json.Marshal(found)
	if err != nil { // a list of strings and numbers has JSON
		panic(err)
	}
	return append(binary.AppendVarint(to, int64(len(text))), text...)
}

const (
	isSure   = 1 // confidence 1
	hasRings = 2
	hasMask  = 4
	hasText  = 8
)

func appendKept(to []byte, o *Object) []byte {
	var mask *Mask
	if o.Shape != nil {
		mask = o.Shape.Mask
	}
	to = append(to, flag(o.Confidence == 1, isSure)|flag(len(o.Rings()) > 0, hasRings)|flag(mask != nil, hasMask)|
		flag(o.Text != nil, hasText))
	whole := func(n int) { to = binary.AppendVarint(to, int64(n)) }
	number := func(v float64) { to = binary.LittleEndian.AppendUint64(to, math.Float64bits(v)) }
	whole(o.Class)
	whole(o.Line)
	for _, v := range [...]float64{o.Box.X0, o.Box.Y0, o.Box.X1, o.Box.Y1} {
		number(v)
	}
	if o.Confidence != 1 {
		number(o.Confidence)
	}
	if rings := o.Rings(); len(rings) > 0 {
		whole(len(rings))
		for _, ring := range rings {
			whole(len(ring))
			for _, p := range ring {
				number(p.X)
				number(p.Y)
			}
		}
	}
	if mask != nil {
		for _, n := range []int{mask.Width, mask.Height, len(mask.Runs)} {
			whole(n)
		}
		for _, n := range mask.Runs {
			whole(int(n))
		}
	}
	if o.Text != nil {
		for _, text := range []string{o.Text.Question, o.Text.Answer} {
			whole(len(text))
			to = append(to, text...)
		}
	}
	return to
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

// record reads what appendItem wrote. broken says that it was not that.
type record struct {
	rest   []byte
	broken bool
}

func (r *record) bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.broken, r.rest = true, nil
		return nil
	}
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

func (r *record) number64() uint64 {
	if part := r.bytes(8); part != nil {
		return binary.LittleEndian.Uint64(part)
	}
	return 0
}

func (r *record) number() int {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bytes(-1)
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

func (r *record) float() float64 { return math.Float64frombits(r.number64()) }

func (r *record) flags() byte {
	if part := r.bytes(1); part != nil {
		return part[0]
	}
	return 0
}

func (r *record) identity() (id identity) {
	for _, s := range []*filehash.Stat{&id.label, &id.picture} {
		*s = filehash.Stat{Size: int64(r.number64()), Modified: int64(r.number64()), Changed: int64(r.number64()),
			Inode: r.number64(), Device: r.number64()}
	}
	return id
}

// item reads an item; its objects are the desk's until the next one.
func (r *record) item(d *desk, item *Item) (found []Finding, seen glance) {
	item.Broken = r.flags() != 0
	item.setSize(r.number(), r.number())
	item.Orientation = uint8(r.number())
	item.Rows = countRows(r.number(), r.number(), r.number())
	seen = glance{int64(r.number()), uint32(r.number()), uint32(r.number())}
	objects := d.objects[:0]
	for n := r.number(); n > 0 && !r.broken; n-- {
		objects = append(objects, r.object())
	}
	d.objects, item.Objects = objects, objects
	if text := r.bytes(r.number()); len(text) > 0 && json.Unmarshal(text, &found) != nil {
		r.broken = true
	}
	return found, seen
}

func (r *record) object() (o Object) {
	flags := r.flags()
	o.Class, o.Line, o.Confidence = r.number(), r.number(), 1
	o.Box = Box{r.float(), r.float(), r.float(), r.float()}
	if flags&isSure == 0 {
		o.Confidence = r.float()
	}
	if flags&(hasRings|hasMask) != 0 {
		o.Shape = &Shape{}
	}
	if flags&hasRings != 0 {
		for n := r.count(1); n > 0; n-- {
			ring := make([]Point, r.count(16))
			for i := range ring {
				ring[i] = Point{r.float(), r.float()}
			}
			o.Shape.Rings = append(o.Shape.Rings, ring)
		}
	}
	if flags&hasMask != 0 {
		o.Shape.Mask = &Mask{Width: r.number(), Height: r.number(), Runs: make([]uint32, r.count(1))}
		for i := range o.Shape.Mask.Runs {
			o.Shape.Mask.Runs[i] = uint32(r.number())
		}
	}
	if flags&hasText != 0 {
		o.Text = &Text{string(r.bytes(r.number())), string(r.bytes(r.number()))}
	}
	return o
}

// count reads how many things follow that take at least so many bytes each.
func (r *record) count(size int) int {
	n := r.number()
	if n < 0 || n > len(r.rest)/size {
		r.bytes(-1)
		return 0
	}
	return n
}
