package pickle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"sync"

	"finetui/ml/mapped"
	"finetui/ml/safetensors"
	"finetui/ml/wholefile"
)

// maxValues is more than any storage has.
const maxValues = 1 << 40

// The names under which Hugging Face saves a model's weights as pickles.
const (
	SingleName = "pytorch_model.bin"
	IndexName  = "pytorch_model.bin.index.json"
)

// file is a mapped file of torch.save that is being read.
type file struct {
	data   []byte
	places map[string]*place
}

// place is where the values of a storage lie in the file, and the checksum of an archive's entry.
type place struct {
	name   string
	data   []byte
	sum    uint32
	hasSum bool

	once sync.Once
	err  error
}

// check holds the values against their checksum, the first time that it is asked.
func (p *place) check() error {
	p.once.Do(func() {
		if p.hasSum && crc32.ChecksumIEEE(p.data) != p.sum {
			p.err = fmt.Errorf("the values %s are not those that were written: the file was changed or damaged, fetch "+
				"it again", clean(p.name))
		}
	})
	return p.err
}

// Open reads what a file holds, a dictionary of tensors; their values are mapped. Where the dictionary has one of the
// containers in it ("model", "module"), that one's tensors are meant, and so on inwards. What is no tensor is passed
// over. The error names the file.
func Open(path string, containers ...string) (*safetensors.File, error) {
	f, err := wholefile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the mapping outlives the descriptor
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder, not a file of torch.save", path)
	}
	data, unmap, err := safetensors.Map(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var tensors []safetensors.Foreign
	err = mapped.Guard(func() (err error) {
		tensors, err = open(data, containers)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), unmap())
	}
	return safetensors.FromForeign(path, tensors, unmap), nil
}

// OpenFolder opens a checkpoint folder: its pytorch_model.bin, or the shards that pytorch_model.bin.index.json lists.
// It is nil where the folder has neither.
func OpenFolder(dir string, containers ...string) (*safetensors.File, error) {
	return safetensors.OpenNamed(dir, SingleName, IndexName, func(path string) (*safetensors.File, error) {
		return Open(path, containers...)
	})
}

func open(data []byte, containers []string) ([]safetensors.Foreign, error) {
	f := &file{data: data, places: map[string]*place{}}
	root, err := f.read()
	if err != nil {
		return nil, err
	}
	return f.take(root, containers)
}

func (f *file) read() (any, error) {
	if bytes.HasPrefix(f.data, []byte("PK\x03\x04")) {
		return f.archive()
	}
	return f.stream()
}

// archive reads a zip archive of torch.save: NAME/data.pkl, and NAME/data/KEY for each storage.
func (f *file) archive() (any, error) {
	z, err := zip.NewReader(bytes.NewReader(f.data), int64(len(f.data)))
	if err != nil {
		return nil, fmt.Errorf("it is no whole zip archive (%w): the download was perhaps cut off, fetch it again", err)
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
		if p, err := f.entry(order, 16); err != nil || strings.TrimSpace(string(p.data)) != "little" {
			return nil, errors.Join(errors.New("its numbers are not in little-endian order"), err)
		}
	}
	p, err := f.entry(pickled, maxPickle)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return nil, err
	}
	value, _, err := load(p.data, func(id any) (any, error) {
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
		if f.places[s.key] == nil {
			f.places[s.key], err = f.entry(e, math.MaxUint64)
		}
		return s, err
	})
	return value, err
}

// entry finds an entry of at most so many bytes.
func (f *file) entry(e *zip.File, most uint64) (*place, error) {
	if e.Method != zip.Store {
		return nil, fmt.Errorf("%s is compressed, which torch.save never does", clean(e.Name))
	}
	at, err := e.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", clean(e.Name), err)
	}
	n, all := e.UncompressedSize64, uint64(len(f.data))
	if at < 0 || uint64(at) > all || n > all-uint64(at) || n > most {
		return nil, fmt.Errorf("%s says it has %d bytes, more than it can", clean(e.Name), n)
	}
	return &place{name: e.Name, data: f.data[at : at+int64(n) : at+int64(n)], sum: e.CRC32, hasSum: true}, nil
}

// The head of a stream of before 2020: two pickles that hold these numbers, one about the machine, the value itself,
// the keys of its storages, and their values one after the other.
var streamMagic = []byte{0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'}

const streamVersion = 1001

func (f *file) stream() (any, error) {
	if bytes.HasPrefix(f.data, []byte("version https://git-lfs")) {
		return nil, errors.New("this is a Git LFS pointer, not the weights: fetch the real file with `git lfs pull`")
	}
	head := f.data[:min(len(f.data), maxPickle)]
	if i := bytes.Index(head[:min(len(head), 32)], streamMagic); i < 0 {
		return nil, errors.New("it is neither a zip archive of torch.save nor one of its older streams: fetch the " +
			"pickle again, or save its tensors as safetensors")
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
	return value, f.findPlaces(keys, known, at)
}

// findPlaces finds the values of a stream's storages: of each its length in eight bytes, then its values.
func (f *file) findPlaces(keys any, known map[string]storage, at int) error {
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
		if len(f.data)-at < 8 {
			return errShort
		}
		if got := binary.LittleEndian.Uint64(f.data[at:]); got != uint64(s.n) {
			return fmt.Errorf("the values %s are %d, and %d were announced", clean(key), got, s.n)
		}
		at += 8
		size := s.n * s.dtype.Size()
		if size > len(f.data)-at {
			return errShort
		}
		f.places[key] = &place{name: key, data: f.data[at : at+size : at+size]}
		at += size
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
func (f *file) take(root any, containers []string) ([]safetensors.Foreign, error) {
	d, ok := root.(*dict)
	for range 8 { // no file is as deep
		if !ok {
			return nil, errors.New("it holds no dictionary of tensors: save the model's state_dict() with torch.save")
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
	found := map[string]tensor{}
	for i, k := range d.keys {
		t, ok := d.values[i].(tensor)
		name, okName := k.(string)
		if !ok || !okName {
			continue
		}
		if p := f.places[t.storage.key]; p == nil || len(p.data) != t.storage.n*t.storage.dtype.Size() {
			return nil, fmt.Errorf("the values of %s are not in the file, or not as many as it announces: it is "+
				"damaged, fetch it again", clean(name))
		}
		found[name] = t
	}
	var out []safetensors.Foreign
	for name, t := range found { // the File sorts them
		out = append(out, t.foreign(name, f.places[t.storage.key]))
	}
	return out, nil
}

// foreign is a tensor whose values are looked at when somebody asks for them: a part of the map, or where it is a view
// that skips some, a copy.
func (t tensor) foreign(name string, p *place) safetensors.Foreign {
	size := t.storage.dtype.Size()
	out := safetensors.Foreign{Name: name, DType: t.storage.dtype, Shape: t.shape}
	if t.contiguous() {
		first, last := t.offset*size, (t.offset+t.values())*size
		out.Data = p.data[first:last:last]
		out.Load = func() ([]byte, error) { return out.Data, p.check() }
		return out
	}
	out.Load = func() ([]byte, error) {
		if err := p.check(); err != nil {
			return nil, err
		}
		return t.gather(p.data, size), nil
	}
	return out
}

// gather copies a view's values, each of so many bytes, one after the other.
func (t tensor) gather(data []byte, size int) []byte {
	n := t.values()
	out := make([]byte, 0, n*size)
	index := make([]int, len(t.shape))
	for range n {
		at := t.offset
		for k, v := range index {
			at += v * t.strides[k]
		}
		out = append(out, data[at*size:(at+1)*size]...)
		for k := len(index) - 1; k >= 0; k-- {
			if index[k]++; index[k] < t.shape[k] {
				break
			}
			index[k] = 0
		}
	}
	return out
}
