package safetensors

import "os"

// Foreign is a tensor of a file in another format.
type Foreign struct {
	Name  string
	DType DType
	Shape []int
	// Data are its bytes in a map of the file, row-major and little-endian; nil: they do not lie there so.
	Data []byte
	// Load gives the bytes in the place of Data, or says what is wrong with them; nil: Data does.
	Load func() ([]byte, error)
}

// FromForeign is a file in another format as a File. path is the file's. unmap ends the use of its map.
func FromForeign(path string, tensors []Foreign, unmap func() error) *File {
	f := &File{path: path, tensors: make(map[string]tensor, len(tensors)), unmaps: []func() error{unmap}}
	for _, t := range tensors {
		f.tensors[t.Name] = tensor{entry: entry{name: t.Name, dtype: t.DType, shape: t.Shape}, path: path, data: t.Data,
			load: t.Load}
	}
	f.sortNames()
	return f
}

// Map maps a file's bytes into memory, read-only, for readers of other formats: see ml/mapped for the loss of a mapped
// file. unmap ends that. The file may be closed before.
func Map(f *os.File, size int64) (data []byte, unmap func() error, err error) {
	if data, unmap, err = mapFile(f, size); err == nil {
		scattered(data)
	}
	return data, unmap, err
}
