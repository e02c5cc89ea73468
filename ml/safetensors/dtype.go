package safetensors

import "math"

// DType is an element type under the name that the file format gives it.
type DType string

// The element types of the format. Those without an accessor of their own (the 8-bit floats and the unsigned
// integers among them) are read through [File.Raw].
const (
	BOOL   DType = "BOOL"
	U8     DType = "U8"
	I8     DType = "I8"
	F8E5M2 DType = "F8_E5M2"
	F8E4M3 DType = "F8_E4M3"
	F8E8M0 DType = "F8_E8M0"
	I16    DType = "I16"
	U16    DType = "U16"
	F16    DType = "F16"
	BF16   DType = "BF16"
	I32    DType = "I32"
	U32    DType = "U32"
	F32    DType = "F32"
	C64    DType = "C64"
	F64    DType = "F64"
	I64    DType = "I64"
	U64    DType = "U64"
)

// dtypes holds every type in the order in which the reference writer (the safetensors crate) ranks them: its files
// hold the last of this list first, so that wide elements keep their alignment.
var dtypes = []DType{BOOL, U8, I8, F8E5M2, F8E4M3, F8E8M0, I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64}

// Size is the number of bytes of one element, 0 for a type that the format does not know.
func (d DType) Size() int {
	switch d {
	case BOOL, U8, I8, F8E5M2, F8E4M3, F8E8M0:
		return 1
	case I16, U16, F16, BF16:
		return 2
	case I32, U32, F32:
		return 4
	case C64, F64, I64, U64:
		return 8
	}
	return 0
}

// rank is the place of the type in dtypes.
func (d DType) rank() int {
	for i, known := range dtypes {
		if d == known {
			return i
		}
	}
	return -1
}

// RoundBF16 is the bfloat16 nearest to v, ties to even, as bits; a NaN stays a (quiet) NaN.
func RoundBF16(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// WidenBF16 is the float32 of a bfloat16 given as bits; it is exact.
func WidenBF16(bits uint16) float32 { return math.Float32frombits(uint32(bits) << 16) }

// RoundF16 is the IEEE half-precision number nearest to v, ties to even, as bits; what is
// too large becomes infinite and a NaN stays a (quiet) NaN.
func RoundF16(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, size := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case v != v:
		return sign | 0x7e00
	case size >= 0x47fff000: // 65520, halfway to 2^16, the first power that does not fit
		return sign | 0x7c00
	case size < 0x38800000: // below 2^-14: a multiple of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(size))*(1<<24)))
	}
	return sign | uint16((size-(127-15)<<23+0xfff+size>>13&1)>>13)
}

// WidenF16 is the float32 of an IEEE half-precision number given as bits; it is exact.
func WidenF16(half uint16) float32 {
	sign := uint32(half&0x8000) << 16
	exponent := uint32(half>>10) & 0x1f
	fraction := uint32(half & 0x3ff)
	switch exponent {
	case 0: // zero and subnormal numbers: fraction · 2^-24
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f: // infinity and NaN
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
