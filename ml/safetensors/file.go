// Package safetensors reads and writes the weight files of Hugging Face: single files and sharded folders, mapped into
// memory and checked to the last byte before a value is handed out. It knows no model and never fetches anything.
package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"sort"
	"unsafe"

	"finetui/ml/mapped"
	"finetui/ml/wholefile"
)

// littleEndian tells whether memory holds numbers as the files do, so that a view can stand for a copy.
var littleEndian = func() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 1
}()

// File is an open weight file, or several shards that act as one. Reading from several goroutines is safe; Close must
// come after the last use of every slice that was handed out without a copy.
type File struct {
	path     string // the file, or the folder of the shards
	tensors  map[string]tensor
	names    []string // sorted
	metadata map[string]string
	unmaps   []func() error
}

// tensor is one entry with its bytes.
type tensor struct {
	entry
	path string // the file it lies in
	data []byte
	load func() ([]byte, error) // what gives the bytes in the place of data; nil: data does
}

// Open maps one safetensors file and checks its header: every type, shape and offset, with neither gaps nor overlaps.
// Errors name the file and the tensor.
func Open(path string) (*File, error) {
	file, err := wholefile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() // the mapping outlives the descriptor
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder, not a safetensors file", path)
	}
	data, unmap, err := mapFile(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var entries []entry
	var metadata map[string]string
	var start int64
	err = mapped.Guard(func() (err error) {
		entries, metadata, start, err = parseHeader(data)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), unmap())
	}
	scattered(data)
	f := &File{path: path, tensors: make(map[string]tensor, len(entries)), metadata: metadata,
		unmaps: []func() error{unmap}}
	for _, e := range entries {
		f.tensors[e.name] = tensor{entry: e, path: path, data: data[start+e.begin : start+e.end : start+e.end]}
	}
	f.sortNames()
	return f, nil
}

// sortNames fills names from tensors.
func (f *File) sortNames() {
	f.names = make([]string, 0, len(f.tensors))
	for name := range f.tensors {
		f.names = append(f.names, name)
	}
	sort.Strings(f.names)
}

// Path is the file, or the folder of the shards.
func (f *File) Path() string { return f.path }

// Files are the paths of the weight files that are open, sorted.
func (f *File) Files() []string {
	paths := map[string]bool{}
	for _, t := range f.tensors {
		paths[t.path] = true
	}
	return slices.Sorted(maps.Keys(paths))
}

// Names returns the names of all tensors, sorted. The slice is the File's own: do not change it.
func (f *File) Names() []string { return f.names }

// Metadata is the header's free part (of shards: the first one's), nil where there is none.
func (f *File) Metadata() map[string]string { return f.metadata }

// Info returns a tensor's element type and shape; ok tells whether there is such a tensor.
func (f *File) Info(name string) (dtype DType, shape []int, ok bool) {
	t, ok := f.tensors[name]
	return t.dtype, t.shape, ok
}

// Shard is the name of the file that holds a tensor, without its folder; empty where there is no such tensor.
func (f *File) Shard(name string) string {
	t, ok := f.tensors[name]
	if !ok {
		return ""
	}
	return filepath.Base(t.path)
}

// Release tells the system that a tensor's bytes will hardly be read again, so that they need not stay in memory.
// Slices that were handed out stay valid; reading them brings the bytes back.
func (f *File) Release(name string) { release(f.tensors[name].data) }

// Close ends the mapping. Slices that were handed out without a copy must not be touched afterwards.
func (f *File) Close() error {
	var errs []error
	for _, unmap := range f.unmaps {
		errs = append(errs, unmap())
	}
	f.unmaps, f.tensors, f.names = nil, nil, nil
	return errors.Join(errs...)
}

// large is the size in bytes from which reading ahead pays.
const large = 1 << 20

// get finds a tensor whose bytes are about to be read, or says which file lacks it.
func (f *File) get(name string) (tensor, error) {
	t, ok := f.tensors[name]
	if !ok {
		return tensor{}, fmt.Errorf("%s: no tensor %q", f.path, name)
	}
	if len(t.data) >= large {
		whole(t.data)
	}
	if t.load != nil {
		data, err := t.load()
		if err != nil {
			return tensor{}, fmt.Errorf("%s: tensor %q: %w", t.path, name, err)
		}
		t.data = data
	}
	return t, nil
}

// refuse is the error for a tensor whose type an accessor cannot give.
func (t tensor) refuse(wanted string) error {
	return fmt.Errorf("%s: tensor %q is %s, which cannot be read as %s", t.path, t.name, t.dtype, wanted)
}

// Raw returns the tensor's bytes as the file holds them (little-endian), without a copy: read-only, valid until Close.
func (f *File) Raw(name string) ([]byte, error) {
	t, err := f.get(name)
	return t.data, err
}

// Float32 returns the values of a floating-point tensor, row-major. An F32 tensor comes without a copy where the
// file's alignment allows: treat the slice as read-only and as valid until Close. F16 and BF16 are widened, F64 is
// rounded, into memory of their own.
func (f *File) Float32(name string) ([]float32, error) {
	t, err := f.get(name)
	if err != nil {
		return nil, err
	}
	if t.dtype == F32 {
		if v, ok := view[float32](t.data, 4); ok {
			return v, nil
		}
	}
	out := make([]float32, len(t.data)/t.dtype.Size())
	if err := t.widen(out, t.data); err != nil {
		return nil, err
	}
	return out, nil
}

// Float32At copies len(out) values of a floating-point tensor, row-major from value first on, widened or rounded as by
// Float32.
func (f *File) Float32At(name string, first int, out []float32) error {
	t, err := f.get(name)
	if err != nil {
		return err
	}
	size := t.dtype.Size()
	if n := len(t.data) / size; first < 0 || first > n-len(out) {
		return fmt.Errorf("%s: tensor %q has %d values: there are no %d from %d on", t.path, t.name, n, len(out), first)
	}
	return t.widen(out, t.data[first*size:])
}

// widen fills out from the beginning of data.
func (t tensor) widen(out []float32, data []byte) error {
	switch t.dtype {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = WidenBF16(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case F16:
		for i := range out {
			out[i] = WidenF16(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case F64:
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
		}
	default:
		return t.refuse("float32")
	}
	return nil
}

// BF16 returns the bits of a BF16 tensor, row-major, without a copy where the file's alignment allows: read-only,
// valid until Close. See [WidenBF16].
func (f *File) BF16(name string) ([]uint16, error) {
	t, err := f.get(name)
	if err != nil {
		return nil, err
	}
	if t.dtype != BF16 {
		return nil, t.refuse("bfloat16")
	}
	if v, ok := view[uint16](t.data, 2); ok {
		return v, nil
	}
	out := make([]uint16, len(t.data)/2)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(t.data[2*i:])
	}
	return out, nil
}

// Int64 returns the values of a signed integer, U8 or BOOL tensor, row-major, in memory of their own.
func (f *File) Int64(name string) ([]int64, error) {
	t, err := f.get(name)
	if err != nil {
		return nil, err
	}
	data := t.data
	out := make([]int64, len(data)/t.dtype.Size())
	switch t.dtype {
	case I64:
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint64(data[8*i:]))
		}
	case I32:
		for i := range out {
			out[i] = int64(int32(binary.LittleEndian.Uint32(data[4*i:])))
		}
	case I16:
		for i := range out {
			out[i] = int64(int16(binary.LittleEndian.Uint16(data[2*i:])))
		}
	case I8:
		for i := range out {
			out[i] = int64(int8(data[i]))
		}
	case U8, BOOL:
		for i := range out {
			out[i] = int64(data[i])
		}
	default:
		return nil, t.refuse("int64")
	}
	return out, nil
}

// view lets data stand for a slice of T without a copy, where the machine's byte order and data's alignment allow.
func view[T float32 | uint16](data []byte, size int) ([]T, bool) {
	if !littleEndian {
		return nil, false
	}
	if len(data) == 0 {
		return []T{}, true
	}
	start := unsafe.Pointer(unsafe.SliceData(data))
	if uintptr(start)%uintptr(size) != 0 {
		return nil, false
	}
	return unsafe.Slice((*T)(start), len(data)/size), true
}
