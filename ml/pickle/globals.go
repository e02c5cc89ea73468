package pickle

import (
	"errors"
	"fmt"
	"strings"

	"finetui/ml/safetensors"
)

// global is an object of Python's that a pickle names: known here, and never run.
type global string

// storage is the memory of one tensor or several, whose values lie elsewhere in the file.
type storage struct {
	key   string
	dtype safetensors.DType
	n     int // values
}

// tensor is a view of a storage.
type tensor struct {
	storage storage
	offset  int
	shape   []int
	strides []int // of values
}

// storages are the classes of memory and what they hold.
var storages = map[string]safetensors.DType{
	"FloatStorage": safetensors.F32, "DoubleStorage": safetensors.F64, "HalfStorage": safetensors.F16,
	"BFloat16Storage": safetensors.BF16, "LongStorage": safetensors.I64, "IntStorage": safetensors.I32,
	"ShortStorage": safetensors.I16, "CharStorage": safetensors.I8, "ByteStorage": safetensors.U8,
	"BoolStorage": safetensors.BOOL,
}

// callable are the functions and classes that hold weights together, and what comes of calling them.
var callable = map[string]func(given []any) (any, error){
	"collections.OrderedDict":                    ordered,
	"torch._utils._rebuild_tensor":               rebuild,
	"torch._utils._rebuild_tensor_v2":            rebuild,
	"torch._utils._rebuild_parameter":            first,
	"torch._utils._rebuild_parameter_with_state": first,
	"torch.nn.parameter.Parameter":               first,
	"torch.Size":                                 first,
	"torch.device":                               nothing,
	"_codecs.encode":                             nothing,
	"builtins.set":                               first,
	"__builtin__.set":                            first,
}

// dtypes are element types as a pickle names them, in the remarks beside weights.
const dtypes = " float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool float half double long int "

// find is the object of a name, or the error that refuses it.
func find(name string) (any, error) {
	if _, ok := callable[name]; ok {
		return global(name), nil
	}
	if class, ok := strings.CutPrefix(name, "torch."); ok {
		if _, ok := storages[class]; ok {
			return global(name), nil
		}
		if strings.Contains(dtypes, " "+class+" ") {
			return opaque{}, nil
		}
	}
	return nil, fmt.Errorf("it asks for Python's %s, which no plain weights need and which could run code: it is not "+
		"read. Save the tensors alone, with safetensors.torch.save_file or as a dictionary of tensors", clean(name))
}

// clean is a name that may go to a terminal.
func clean(name string) string {
	const most = 100
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name)
	if len(name) > most {
		name = name[:most] + "…"
	}
	return name
}

// call gives what calling the object would.
func (g global) call(given []any) (any, error) {
	call, ok := callable[string(g)]
	if !ok {
		return nil, fmt.Errorf("it calls %s, which is no function here: the file is damaged", clean(string(g)))
	}
	v, err := call(given)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g, err)
	}
	return v, nil
}

func nothing([]any) (any, error) { return opaque{}, nil }

// first is the first argument, whatever is said about it.
func first(given []any) (any, error) {
	if len(given) == 0 {
		return opaque{}, nil
	}
	return given[0], nil
}

// ordered is a dictionary, of a list of pairs where one is given.
func ordered(given []any) (any, error) {
	d := &dict{}
	if len(given) == 0 {
		return d, nil
	}
	pairs, ok := given[0].(*list)
	if !ok {
		return nil, errors.New("it is made of no list of pairs")
	}
	for _, p := range pairs.items {
		pair, ok := p.(*list)
		if !ok || len(pair.items) != 2 {
			return nil, errors.New("it is made of no list of pairs")
		}
		if err := d.add(pair.items); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// rebuild makes a tensor of a storage, an offset, a shape and strides.
func rebuild(given []any) (any, error) {
	if len(given) < 4 {
		return nil, fmt.Errorf("%d arguments do not make a tensor", len(given))
	}
	t := tensor{}
	var ok bool
	if t.storage, ok = given[0].(storage); !ok {
		return nil, errors.New("a tensor has no memory")
	}
	offset, ok := given[1].(int64)
	if !ok {
		return nil, errors.New("a tensor's offset is no number")
	}
	var err error
	if t.shape, err = sizes(given[2]); err != nil {
		return nil, err
	}
	if t.strides, err = sizes(given[3]); err != nil {
		return nil, err
	}
	t.offset = int(offset)
	return t, t.check()
}

// maxSize bounds a size, so that two of them can be multiplied.
const maxSize = 1 << 31

func sizes(v any) ([]int, error) {
	l, ok := v.(*list)
	if !ok || len(l.items) > 8 {
		return nil, errors.New("a tensor's shape is no short list of numbers")
	}
	out := make([]int, len(l.items))
	for i, item := range l.items {
		n, ok := item.(int64)
		if !ok || n < 0 || n > maxSize {
			return nil, errors.New("a tensor's shape is no short list of numbers")
		}
		out[i] = int(n)
	}
	return out, nil
}

// check holds a view against its storage: what it reads lies there, and it has no more values than that.
func (t tensor) check() error {
	if len(t.shape) != len(t.strides) {
		return fmt.Errorf("a tensor of shape %v has strides %v", t.shape, t.strides)
	}
	n, last := 1, t.offset
	for i, d := range t.shape {
		if d == 0 {
			n = 0
			break
		}
		if n > t.storage.n/d {
			return fmt.Errorf("a tensor of shape %v is spread out of %d values", t.shape, t.storage.n)
		}
		n *= d
		if (d-1)*t.strides[i] > maxValues {
			return fmt.Errorf("a tensor of shape %v has strides %v", t.shape, t.strides)
		}
		last += (d - 1) * t.strides[i]
	}
	if t.offset < 0 || t.offset > t.storage.n || n > 0 && last >= t.storage.n {
		return fmt.Errorf("a tensor of shape %v from value %d on reaches beyond the %d values of its memory", t.shape,
			t.offset, t.storage.n)
	}
	return nil
}

// contiguous says whether the values lie one after the other.
func (t tensor) contiguous() bool {
	want := 1
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.strides[i] != want {
			return false
		}
		want *= t.shape[i]
	}
	return true
}

// values is the number of a tensor's values.
func (t tensor) values() int {
	n := 1
	for _, d := range t.shape {
		n *= d
	}
	return n
}
