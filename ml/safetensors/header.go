package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
)

// maxHeader is the largest header that the format allows, in bytes.
const maxHeader = 100_000_000

// metadataKey is the one key of a header that names no tensor.
const metadataKey = "__metadata__"

// entry is where one tensor lies: its type and shape, and its half-open range of bytes after the header.
type entry struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int64
}

// headerJSON is a tensor's entry as the header spells it; pointers tell an absent field from a zero.
type headerJSON struct {
	DType   DType   `json:"dtype"`
	Shape   *[]int  `json:"shape"`
	Offsets []int64 `json:"data_offsets"`
}

// parseHeader reads and checks the header of a whole file. The entries come in the order of their bytes, cover
// everything after the header without gap or overlap (the format asks for that, so that nothing can hide in a file),
// and each has as many bytes as its type and shape need. start is where their bytes begin.
func parseHeader(file []byte) (entries []entry, metadata map[string]string, start int64, err error) {
	if len(file) < 8 {
		return nil, nil, 0, fmt.Errorf("%d bytes are too few for a safetensors file: it is cut off, fetch it again",
			len(file))
	}
	if bytes.HasPrefix(file, []byte("version https://git-lfs")) {
		return nil, nil, 0, errors.New("this is a Git LFS pointer, not the weights: fetch the real file with `git lfs pull`")
	}
	length := binary.LittleEndian.Uint64(file)
	if length > maxHeader {
		return nil, nil, 0, fmt.Errorf("header of %d bytes is over the format's limit of %d: not a safetensors file",
			length, maxHeader)
	}
	if length > uint64(len(file)-8) {
		return nil, nil, 0, fmt.Errorf("header of %d bytes in a file of %d: it is cut off, fetch it again",
			length, len(file))
	}
	start = 8 + int64(length)
	entries, metadata, err = parseEntries(file[8:start])
	if err != nil {
		return nil, nil, 0, err
	}
	if err := checkCover(entries, int64(len(file))-start); err != nil {
		return nil, nil, 0, err
	}
	return entries, metadata, start, nil
}

// parseEntries reads the JSON text of a header key by key, which is what makes a name that occurs twice visible.
func parseEntries(text []byte) ([]entry, map[string]string, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, nil, errors.New("the header is not a JSON object: not a safetensors file")
	}
	var entries []entry
	var metadata map[string]string
	seen := map[string]bool{}
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("header: %w", err)
		}
		name, ok := token.(string)
		if !ok {
			return nil, nil, fmt.Errorf("header: %v stands where a tensor's name should", token)
		}
		if seen[name] {
			return nil, nil, fmt.Errorf("tensor %q occurs twice in the header", name)
		}
		seen[name] = true
		if name == metadataKey {
			if err := dec.Decode(&metadata); err != nil {
				return nil, nil, fmt.Errorf("header: %s must hold texts: %w", metadataKey, err)
			}
			continue
		}
		var raw headerJSON
		if err := dec.Decode(&raw); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		e, err := raw.entry(name)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		entries = append(entries, e)
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("header: something other than spaces follows the JSON object")
	}
	sort.SliceStable(entries, func(i, j int) bool {
		if entries[i].begin != entries[j].begin {
			return entries[i].begin < entries[j].begin
		}
		return entries[i].end < entries[j].end
	})
	return entries, metadata, nil
}

// entry checks one tensor for itself: a known type, a shape without negative sides, a range that fits both.
func (raw headerJSON) entry(name string) (entry, error) {
	if raw.DType.Size() == 0 {
		return entry{}, fmt.Errorf("dtype %q is unknown", string(raw.DType))
	}
	if raw.Shape == nil {
		return entry{}, errors.New("it has no shape")
	}
	if len(raw.Offsets) != 2 {
		return entry{}, fmt.Errorf("data_offsets holds %d numbers, not 2", len(raw.Offsets))
	}
	begin, end := raw.Offsets[0], raw.Offsets[1]
	if begin < 0 || end < begin {
		return entry{}, fmt.Errorf("data_offsets %v is no range", raw.Offsets)
	}
	need, err := byteCount(raw.DType, *raw.Shape)
	if err != nil {
		return entry{}, err
	}
	if end-begin != need {
		return entry{}, fmt.Errorf("%s%v needs %d bytes, data_offsets %v holds %d", raw.DType, *raw.Shape, need,
			raw.Offsets, end-begin)
	}
	return entry{name, raw.DType, *raw.Shape, begin, end}, nil
}

// byteCount is how many bytes a tensor of that type and shape takes, or an error where that overflows.
func byteCount(dtype DType, shape []int) (int64, error) {
	bytes := int64(dtype.Size())
	for _, side := range shape {
		if side < 0 {
			return 0, fmt.Errorf("shape %v has a negative side", shape)
		}
		if side > 0 && bytes > math.MaxInt64/int64(side) {
			return 0, fmt.Errorf("shape %v is too large for any file", shape)
		}
		bytes *= int64(side)
	}
	return bytes, nil
}

// checkCover holds the entries, sorted by place, against the size bytes that follow the header.
func checkCover(entries []entry, size int64) error {
	at, last := int64(0), ""
	for _, e := range entries {
		switch {
		case e.begin < at:
			return fmt.Errorf("tensor %q (bytes %d to %d) overlaps tensor %q, which ends at %d", e.name, e.begin,
				e.end, last, at)
		case e.end > size:
			return fmt.Errorf("tensor %q ends at byte %d of %d: the file is cut off, fetch it again", e.name,
				e.end, size)
		case e.begin > at:
			return fmt.Errorf("tensor %q begins at byte %d, but the one before it ends at %d: the bytes between "+
				"belong to none", e.name, e.begin, at)
		}
		at, last = e.end, e.name
	}
	if at != size {
		return fmt.Errorf("%d bytes follow the last tensor: the header does not belong to this file", size-at)
	}
	return nil
}
