package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unsafe"

	"finetui/ml/wholefile"
)

// Tensor is one tensor to be written: Data are its elements, row-major and little-endian.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte
	Fill  func(w io.Writer) error // in place of Data: writes the elements when their turn comes
}

// FromFloat32 is an F32 tensor of the values. It shares their memory where the machine's byte order allows.
func FromFloat32(name string, shape []int, values []float32) Tensor {
	var data []byte
	if littleEndian {
		data = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values))
	} else {
		data = make([]byte, 4*len(values))
		for i, v := range values {
			binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(v))
		}
	}
	return Tensor{Name: name, DType: F32, Shape: shape, Data: data}
}

// FromFloat32AsBF16 is a BF16 tensor of the values, each rounded to the nearest, ties to even.
func FromFloat32AsBF16(name string, shape []int, values []float32) Tensor {
	data := make([]byte, 2*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint16(data[2*i:], RoundBF16(v))
	}
	return Tensor{Name: name, DType: BF16, Shape: shape, Data: data}
}

// Write stores the tensors at path. The same tensors give the same bytes in whatever order they come, and those of the
// reference writer: wide types first, then by name. The file is written beside path, synced and renamed, so that path
// holds either what it held before or everything.
func Write(path string, tensors []Tensor, metadata map[string]string) error {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b Tensor) int {
		if d := b.DType.rank() - a.DType.rank(); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	header, err := buildHeader(sorted, metadata)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return wholefile.Create(path, 0o644, func(w io.Writer) error {
		if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
			return err
		}
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, t := range sorted {
			if err := t.write(w); err != nil {
				return fmt.Errorf("tensor %q: %w", t.Name, err)
			}
		}
		return nil
	})
}

// buildHeader checks the tensors and describes them in their order, padded with spaces to a multiple of 8 bytes.
func buildHeader(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	put := func(key string, value any) error {
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		for i, part := range []any{key, value} {
			if i == 1 {
				out.WriteByte(':')
			}
			if err := encoder.Encode(part); err != nil {
				return err
			}
			out.Truncate(out.Len() - 1) // the encoder ends everything with a newline
		}
		return nil
	}
	out.WriteByte('{')
	if metadata != nil {
		if err := put(metadataKey, metadata); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	at := int64(0)
	for _, t := range tensors {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %q is to be written twice", t.Name)
		}
		seen[t.Name] = true
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		end := at + t.size()
		if err := put(t.Name, headerJSON{t.DType, &shape, []int64{at, end}}); err != nil {
			return nil, err
		}
		at = end
	}
	out.WriteByte('}')
	for out.Len()%8 != 0 {
		out.WriteByte(' ')
	}
	if out.Len() > maxHeader {
		return nil, fmt.Errorf("header of %d bytes is over the format's limit of %d", out.Len(), maxHeader)
	}
	return out.Bytes(), nil
}

// check holds a tensor's data against its type and shape.
func (t Tensor) check() error {
	if t.Name == metadataKey {
		return errors.New("the format keeps this name for itself")
	}
	if t.DType.Size() == 0 {
		return fmt.Errorf("dtype %q is unknown", string(t.DType))
	}
	need, err := byteCount(t.DType, t.Shape)
	if err != nil {
		return err
	}
	if t.Fill == nil && need != int64(len(t.Data)) {
		return fmt.Errorf("%s%v needs %d bytes, not %d", t.DType, t.Shape, need, len(t.Data))
	}
	return nil
}

// size is the number of bytes of a tensor that passed check.
func (t Tensor) size() int64 {
	n, _ := byteCount(t.DType, t.Shape)
	return n
}

// write writes the elements, and no other number of them than the header says.
func (t Tensor) write(w io.Writer) error {
	if t.Fill == nil {
		_, err := w.Write(t.Data)
		return err
	}
	c := counter{w: w}
	if err := t.Fill(&c); err != nil {
		return err
	}
	if c.n != t.size() {
		return fmt.Errorf("%s%v needs %d bytes, not %d", t.DType, t.Shape, t.size(), c.n)
	}
	return nil
}

// counter counts what is written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(data []byte) (int, error) {
	n, err := c.w.Write(data)
	c.n += int64(n)
	return n, err
}
