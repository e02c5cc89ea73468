package mapped_test

import "unsafe"

// unsafeWords are the bytes of a map as the bfloat16 words that weights are.
func unsafeWords(data []byte) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/2)
}
