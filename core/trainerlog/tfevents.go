package trainerlog

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"

	"google.golang.org/protobuf/encoding/protowire"

	"finetui/core/linetail"
	"finetui/ml/wholefile"
)

// events is one event file of TensorBoard, read as it grows: a sequence of records (TFRecord), each an Event with the
// values of one step.
//
//	uint64 length | masked CRC32C of it | data | masked CRC32C of data
//
// A record that is not whole yet waits; behind one that is damaged the next is looked for.
type events struct {
	path     string
	offset   int64
	file     os.FileInfo
	left     bool // there was more at the last read
	lost     bool // behind a damaged record, and the next one is not found yet
	buf      []byte
	tags     map[string]*tag
	open     said // the step that is being gathered
	values   []Value
	gathered map[*tag]bool
}

// tag is a series of an event file.
type tag struct {
	name string
	role role
	skip bool // it is no scalar
}

const (
	eventChunk  = 1 << 20
	mostRecord  = 64 << 20 // a longer record is none
	recordFrame = 16       // bytes of a record beside its data
	mostTags    = 4096
	wallTime    = 1<<3 | 1 // how an Event begins: the field 1 with 8 bytes
)

// masked is the checksum as TFRecord has it.
func masked(data []byte) uint32 {
	c := crc32.Checksum(data, linetail.Castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// recordAt is the length of the data of the record at the front of a text; ok is false where none is there.
func recordAt(b []byte) (n int, ok bool) {
	if len(b) < 12 {
		return 0, false
	}
	length := binary.LittleEndian.Uint64(b)
	if length > mostRecord || masked(b[:8]) != binary.LittleEndian.Uint32(b[8:]) {
		return 0, false
	}
	return int(length), true
}

func (e *events) read(each func(said)) (got progress, err error) {
	info, err := os.Stat(e.path)
	if err != nil {
		return got, ignoreMissing(err)
	}
	if e.file != nil && (info.Size() < e.offset || !os.SameFile(info, e.file)) {
		*e = events{path: e.path, buf: e.buf}
		got.reset = true
	} else if e.file != nil && info.Size() == e.file.Size() && info.ModTime().Equal(e.file.ModTime()) &&
		!e.left {
		return got, nil
	}
	e.file = info
	f, err := wholefile.Open(e.path)
	if err != nil {
		return got, ignoreMissing(err)
	}
	defer f.Close()
	from := e.offset
	for want := int64(eventChunk); ; want *= 4 {
		n := min(want, info.Size()-e.offset)
		if int64(cap(e.buf)) < n {
			e.buf = make([]byte, n)
		}
		part := e.buf[:n]
		if k, err := f.ReadAt(part, e.offset); err != nil && !errors.Is(err, io.EOF) {
			return got, ignoreMissing(err)
		} else {
			part = part[:k]
		}
		used := e.records(part, each, &got)
		e.offset += int64(used)
		if used > 0 || int64(len(part)) < want || want > mostRecord {
			break // else a record that is longer than what was read
		}
	}
	got.more = from < e.offset && e.offset < info.Size()
	if e.left = got.more; !got.more { // else the step goes on in what is read next
		e.flush(each)
	}
	return got, nil
}

// records hands on what the whole records at the front of a text say, and says how long they are.
func (e *events) records(b []byte, each func(said), got *progress) (used int) {
	for {
		n, ok := recordAt(b[used:])
		switch {
		case !ok && len(b)-used < 12:
			return used
		case !ok:
			if !e.lost {
				e.lost = true
				got.bad++
			}
			used++
			continue
		case len(b)-used < n+recordFrame:
			return used
		}
		e.lost = false
		data := b[used+12 : used+12+n]
		if masked(data) == binary.LittleEndian.Uint32(b[used+12+n:]) {
			e.event(data, each)
		} else {
			got.bad++
		}
		used += n + recordFrame
	}
}

// flush hands on the step that was gathered.
func (e *events) flush(each func(said)) {
	if e.open.stepped {
		e.open.Values = e.values
		each(e.open)
	}
	e.open, e.values = said{}, e.values[:0]
	clear(e.gathered)
}

// event takes an Event apart: wall_time 1, step 2, summary 5.
func (e *events) event(data []byte, each func(said)) {
	var wall float64
	var step int64
	var summary []byte
	ok := eachField(data, func(num protowire.Number, v wireValue) {
		switch num {
		case 1:
			wall = math.Float64frombits(v.bits)
		case 2:
			step = int64(v.bits)
		case 5:
			summary = v.bytes
		}
	})
	if !ok || step < 0 || summary == nil || math.IsNaN(wall) || math.IsInf(wall, 0) {
		return
	}
	eachField(summary, func(num protowire.Number, v wireValue) {
		if num == 1 && v.bytes != nil {
			e.value(v.bytes, int(step), wall, each)
		}
	})
}

// value takes a Summary.Value: tag 1, simple_value 2, tensor 8, metadata 9.
func (e *events) value(data []byte, step int, wall float64, each func(said)) {
	var name, tensor, metadata []byte
	simple, v := false, 0.0
	if !eachField(data, func(num protowire.Number, w wireValue) {
		switch num {
		case 1:
			name = w.bytes
		case 2:
			simple, v = true, float64(math.Float32frombits(uint32(w.bits)))
		case 8:
			tensor = w.bytes
		case 9:
			metadata = w.bytes
		}
	}) {
		return
	}
	t := e.tags[string(name)]
	if t == nil {
		if len(e.tags) >= mostTags || len(name) == 0 || len(name) > 256 {
			return
		}
		t = &tag{name: tagName(string(name)), skip: metadata != nil && !scalars(metadata)}
		t.role = roles[t.name]
		if e.tags == nil {
			e.tags, e.gathered = map[string]*tag{}, map[*tag]bool{}
		}
		e.tags[string(name)] = t
	}
	if t.skip || t.role == ignoredRole || t.role == stepRole {
		return
	}
	if !simple {
		if v, simple = tensorScalar(tensor); !simple {
			return
		}
	}
	if e.open.stepped && (e.open.Step != step || e.gathered[t]) {
		e.flush(each)
	}
	if !e.open.stepped {
		e.open = said{Row: Row{Step: step, Time: wall, Epoch: -1}, stepped: true, elapsed: -1}
	}
	e.gathered[t] = true
	switch {
	case t.role == finalRole:
		e.open.final = true
	case t.role == epochRole:
		e.open.Epoch = v
	default:
		e.values = append(e.values, Value{t.name, v})
		e.open.loss = e.open.loss || t.name == Loss
	}
}

// scalars says whether a series' metadata are those of numbers: plugin_data 1 {plugin_name 1}.
func scalars(metadata []byte) bool {
	plugin := ""
	eachField(metadata, func(num protowire.Number, v wireValue) {
		if num == 1 {
			eachField(v.bytes, func(num protowire.Number, v wireValue) {
				if num == 1 {
					plugin = string(v.bytes)
				}
			})
		}
	})
	return plugin == "" || plugin == "scalars"
}

// tensorScalar is the one number of a TensorProto: dtype 1, tensor_content 4, float_val 5, double_val 6, int_val 7,
// int64_val 10, half_val 13, bool_val 11.
func tensorScalar(data []byte) (v float64, ok bool) {
	dtype, n := uint64(0), 0
	var content []byte
	add := func(x float64) { v, n = x, n+1 }
	whole := eachField(data, func(num protowire.Number, w wireValue) {
		switch num {
		case 1:
			dtype = w.bits
		case 4:
			content = w.bytes
		case 5:
			eachFixed(w, 4, func(b uint64) { add(float64(math.Float32frombits(uint32(b)))) })
		case 6:
			eachFixed(w, 8, func(b uint64) { add(math.Float64frombits(b)) })
		case 7, 10, 11:
			eachVarint(w, func(b uint64) { add(float64(int64(b))) })
		case 13:
			eachVarint(w, func(b uint64) { add(narrow(dtype, uint16(b))) })
		}
	})
	if !whole {
		return 0, false
	}
	if n == 0 && content != nil {
		n = 1
		switch {
		case dtype == typeFloat && len(content) == 4:
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(content)))
		case dtype == typeDouble && len(content) == 8:
			v = math.Float64frombits(binary.LittleEndian.Uint64(content))
		case dtype == typeInt32 && len(content) == 4:
			v = float64(int32(binary.LittleEndian.Uint32(content)))
		case dtype == typeInt64 && len(content) == 8:
			v = float64(int64(binary.LittleEndian.Uint64(content)))
		case (dtype == typeHalf || dtype == typeBfloat16) && len(content) == 2:
			v = narrow(dtype, binary.LittleEndian.Uint16(content))
		default:
			n = 0
		}
	}
	return v, n == 1
}

// Types of a TensorProto.
const (
	typeFloat, typeDouble, typeInt32, typeInt64 = 1, 2, 3, 9
	typeBfloat16, typeHalf                      = 14, 19
)

// narrow is a number of 16 bits.
func narrow(dtype uint64, b uint16) float64 {
	if dtype == typeBfloat16 {
		return float64(math.Float32frombits(uint32(b) << 16))
	}
	sign, exponent, fraction := 1.0, int(b>>10&31), float64(b&1023)/1024
	if b>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -14)
	case 31:
		if fraction == 0 {
			return math.Inf(int(sign))
		}
		return math.NaN()
	}
	return sign * math.Ldexp(1+fraction, exponent-15)
}

// wireValue is what a field holds: a number's bits, or bytes.
type wireValue struct {
	bits  uint64
	bytes []byte
}

// eachField calls with every field of a message; false means that it is damaged.
func eachField(b []byte, each func(protowire.Number, wireValue)) bool {
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		var v wireValue
		switch kind {
		case protowire.VarintType:
			v.bits, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var bits uint32
			bits, n = protowire.ConsumeFixed32(b)
			v.bits = uint64(bits)
		case protowire.Fixed64Type:
			v.bits, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, kind, b)
		}
		if n < 0 {
			return false
		}
		each(num, v)
		b = b[n:]
	}
	return true
}

// eachFixed calls with numbers of so many bytes, packed or not.
func eachFixed(v wireValue, size int, each func(uint64)) {
	if v.bytes == nil {
		each(v.bits)
		return
	}
	for b := v.bytes; len(b) >= size; b = b[size:] {
		if size == 4 {
			each(uint64(binary.LittleEndian.Uint32(b)))
		} else {
			each(binary.LittleEndian.Uint64(b))
		}
	}
}

func eachVarint(v wireValue, each func(uint64)) {
	if v.bytes == nil {
		each(v.bits)
		return
	}
	for b := v.bytes; len(b) > 0; {
		x, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return
		}
		each(x)
		b = b[n:]
	}
}
