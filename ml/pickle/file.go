package pickle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"finetui/ml/safetensors"
	"finetui/ml/wholefile"
)

// maxValues is more than any storage has.
const maxValues = 1 << 40

// File is an open file of torch.save, a dictionary of tensors. It serves one goroutine at a time.
type File struct {
	path    string
	file    file
	size    int64
	tensors map[string]tensor
	names   []string // sorted
	places  map[string]place

	last  string // the storage that was read last
	bytes []byte
}

// file is what is read: an *os.File.
type file interface {
	io.ReaderAt
	io.Closer
}

// place is where the values of a storage lie: an entry of the archive, or a part of the file.
type place struct {
	entry *zip.File
	at    int64
}

// Open reads what a file holds, without the tensors' values. Where the dictionary has one of the containers in it
// ("model", "module"), that one's tensors are meant, and so on inwards. What is no tensor is passed over. The error
// names the file.
func Open(path string, containers ...string) (*File, error) {
	file, err := wholefile.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		var f *File
		if f, err = open(path, file, info.Size(), containers); err == nil {
			return f, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
}

func open(path string, r file, size int64, containers []string) (*File, error) {
	f := &File{path: path, file: r, size: size, tensors: map[string]tensor{}, places: map[string]place{}}
	root, err := f.read()
	if err != nil {
		return nil, err
	}
	return f, f.take(root, containers)
}

func (f *File) read() (any, error) {
	var magic [4]byte
	if _, err := f.file.ReadAt(magic[:], 0); err != nil && err != io.EOF {
		return nil, err
	}
	if string(magic[:]) == "PK\x03\x04" {
		return f.archive()
	}
	return f.stream()
}

// archive reads a zip archive of torch.save: NAME/data.pkl, and NAME/data/KEY for each storage.
func (f *File) archive() (any, error) {
	z, err := zip.NewReader(f.file, f.size)
	if err != nil {
		return nil, fmt.Errorf("it is no whole zip archive (%w): the download was perhaps cut off", err)
	}
	entries := map[string]*zip.File{}
	root := ""
	for _, e := range z.File {
		if entries[e.Name] != nil {
			return nil, fmt.Errorf("the archive has two entries called %q", clean(e.Name))
		}
		entries[e.Name] = e
		if name, ok := strings.CutSuffix(e.Name, "data.pkl"); ok && (name == "" || strings.HasSuffix(name, "/")) {
			root = name
		}
	}
	pickled := entries[root+"data.pkl"]
	if pickled == nil {
		return nil, errors.New("the archive has no data.pkl: it was not written by torch.save")
	}
	if order := entries[root+"byteorder"]; order != nil {
		if b, err := f.entry(order, 16); err != nil || strings.TrimSpace(string(b)) != "little" {
			return nil, errors.Join(errors.New("its numbers are not in little-endian order"), err)
		}
	}
	data, err := f.entry(pickled, maxPickle)
	if err != nil {
		return nil, err
	}
	value, _, err := load(data, func(id any) (any, error) {
		s, _, err := storageOf(id)
		if err != nil {
			return nil, err
		}
		e := entries[root+"data/"+s.key]
		if e == nil {
			return nil, fmt.Errorf("the archive lacks the values data/%s", clean(s.key))
		}
		if want := uint64(s.n) * uint64(s.dtype.Size()); e.UncompressedSize64 != want {
			return nil, fmt.Errorf("the values data/%s are %d bytes, and %d of %s need %d", clean(s.key),
				e.UncompressedSize64, s.n, s.dtype, want)
		}
		f.places[s.key] = place{entry: e}
		return s, nil
	})
	return value, err
}

// entry reads an entry of at most so many bytes.
func (f *File) entry(e *zip.File, most int64) ([]byte, error) {
	if e.Method != zip.Store {
		return nil, fmt.Errorf("%s is compressed, which torch.save never does", clean(e.Name))
	}
	if n := e.UncompressedSize64; n > uint64(f.size) || n > uint64(most) {
		return nil, fmt.Errorf("%s says it has %d bytes, more than it can", clean(e.Name), n)
	}
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data := make([]byte, e.UncompressedSize64)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("%s: %w", clean(e.Name), err)
	}
	if _, err := r.Read(make([]byte, 1)); err != nil && err != io.EOF { // the checksum comes last
		return nil, fmt.Errorf("%s: %w", clean(e.Name), err)
	}
	return data, nil
}

// The head of a stream of before 2020: two pickles that hold these numbers, one about the machine, the value itself,
// the keys of its storages, and their values one after the other.
var streamMagic = []byte{0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'}

const streamVersion = 1001

func (f *File) stream() (any, error) {
	head := make([]byte, min(f.size, maxPickle))
	if _, err := io.ReadFull(io.NewSectionReader(f.file, 0, f.size), head); err != nil {
		return nil, err
	}
	if i := bytes.Index(head[:min(len(head), 32)], streamMagic); i < 0 {
		return nil, errors.New("it is neither a zip archive of torch.save nor one of its older streams")
	}
	known := map[string]storage{}
	at := 0
	next := func(persist func(id any) (any, error)) (any, error) {
		v, n, err := load(head[at:], persist)
		at += n
		return v, err
	}
	if _, err := next(nil); err != nil {
		return nil, err
	}
	version, err := next(nil)
	if err != nil {
		return nil, err
	}
	if version != any(int64(streamVersion)) {
		return nil, fmt.Errorf("its format is %v; %d can be read", version, streamVersion)
	}
	machine, err := next(nil)
	if err != nil {
		return nil, err
	}
	if d, ok := machine.(*dict); ok {
		if little, _ := d.get("little_endian"); little == any(false) {
			return nil, errors.New("its numbers are not in little-endian order")
		}
	}
	value, err := next(func(id any) (any, error) {
		s, view, err := storageOf(id)
		if err == nil && view {
			err = errors.New("it has views of storages, which nothing writes since 2017: save it anew")
		}
		known[s.key] = s
		return s, err
	})
	if err != nil {
		return nil, err
	}
	keys, err := next(nil)
	if err != nil {
		return nil, err
	}
	return value, f.findPlaces(keys, known, int64(at))
}

// findPlaces finds the values of a stream's storages: of each its length in eight bytes, then its values.
func (f *File) findPlaces(keys any, known map[string]storage, at int64) error {
	l, ok := keys.(*list)
	if !ok {
		return errStack
	}
	for _, k := range l.items {
		key, _ := k.(string)
		s, ok := known[key]
		if !ok {
			return fmt.Errorf("the values %s belong to no tensor", clean(key))
		}
		var n [8]byte
		if _, err := f.file.ReadAt(n[:], at); err != nil {
			return errShort
		}
		if got := binary.LittleEndian.Uint64(n[:]); got != uint64(s.n) {
			return fmt.Errorf("the values %s are %d, and %d were announced", clean(key), got, s.n)
		}
		at += 8
		f.places[key] = place{at: at}
		if at += int64(s.n) * int64(s.dtype.Size()); at > f.size {
			return errShort
		}
	}
	return nil
}

// storageOf reads a persistent id: ("storage", class, key, device, values), in streams also what it is a view of.
func storageOf(id any) (s storage, view bool, err error) {
	l, ok := id.(*list)
	if !ok || len(l.items) < 5 || l.items[0] != any("storage") {
		return s, false, errStack
	}
	class, _ := l.items[1].(global)
	s.dtype, ok = storages[strings.TrimPrefix(string(class), "torch.")]
	key, okKey := l.items[2].(string)
	n, okN := l.items[4].(int64)
	if !ok || !okKey || !okN || n < 0 || n > maxValues {
		return s, false, errStack
	}
	s.key, s.n = key, int(n)
	return s, len(l.items) > 5 && l.items[5] != nil, nil
}

// take finds the tensors of what the file holds.
func (f *File) take(root any, containers []string) error {
	d, ok := root.(*dict)
	for range 8 { // no file is as deep
		if !ok {
			return errors.New("it holds no dictionary of tensors")
		}
		var inner any
		for _, name := range containers {
			if v, ok := d.get(name); ok {
				inner = v
				break
			}
		}
		deeper, found := inner.(*dict)
		if !found {
			break
		}
		d = deeper
	}
	for i, k := range d.keys {
		t, ok := d.values[i].(tensor)
		name, okName := k.(string)
		if !ok || !okName {
			continue
		}
		if _, ok := f.places[t.storage.key]; !ok {
			return fmt.Errorf("the values of %s are not in the file", clean(name))
		}
		f.tensors[name] = t
	}
	for name := range f.tensors {
		f.names = append(f.names, name)
	}
	slices.Sort(f.names)
	return nil
}

// Path is the file's.
func (f *File) Path() string { return f.path }

// Names are those of all tensors, sorted.
func (f *File) Names() []string { return f.names }

// Info returns a tensor's element type and shape; ok tells whether there is such a tensor.
func (f *File) Info(name string) (dtype safetensors.DType, shape []int, ok bool) {
	t, ok := f.tensors[name]
	return t.storage.dtype, t.shape, ok
}

// Close closes the file. Values that were read stay.
func (f *File) Close() error {
	f.bytes = nil
	return f.file.Close()
}

// values are the bytes of a storage.
func (f *File) values(s storage) ([]byte, error) {
	if f.last == s.key && f.bytes != nil {
		return f.bytes, nil
	}
	p, ok := f.places[s.key]
	if !ok {
		return nil, fmt.Errorf("%s: the values %s are not in the file", f.path, clean(s.key))
	}
	var data []byte
	var err error
	if p.entry != nil {
		data, err = f.entry(p.entry, math.MaxInt64)
	} else {
		data = make([]byte, s.n*s.dtype.Size())
		_, err = f.file.ReadAt(data, p.at)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	f.last, f.bytes = s.key, data
	return data, nil
}

// Float32 returns the values of a floating-point tensor, row-major, in memory of their own: F16 and BF16 are widened,
// F64 is rounded.
func (f *File) Float32(name string) ([]float32, error) {
	t, ok := f.tensors[name]
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", f.path, name)
	}
	size := t.storage.dtype.Size()
	read, ok := floats[t.storage.dtype]
	if !ok {
		return nil, fmt.Errorf("%s: tensor %q is %s, which cannot be read as float32", f.path, name, t.storage.dtype)
	}
	data, err := f.values(t.storage)
	if err != nil {
		return nil, err
	}
	out := make([]float32, t.values())
	if t.contiguous() {
		for i := range out {
			out[i] = read(data[(t.offset+i)*size:])
		}
		return out, nil
	}
	index := make([]int, len(t.shape))
	for i := range out {
		at := t.offset
		for k, v := range index {
			at += v * t.strides[k]
		}
		out[i] = read(data[at*size:])
		for k := len(index) - 1; k >= 0; k-- {
			if index[k]++; index[k] < t.shape[k] {
				break
			}
			index[k] = 0
		}
	}
	return out, nil
}

// floats read one value of each type that is one.
var floats = map[safetensors.DType]func(b []byte) float32{
	safetensors.F32:  func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
	safetensors.F64:  func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) },
	safetensors.F16:  func(b []byte) float32 { return safetensors.WidenF16(binary.LittleEndian.Uint16(b)) },
	safetensors.BF16: func(b []byte) float32 { return safetensors.WidenBF16(binary.LittleEndian.Uint16(b)) },
}
