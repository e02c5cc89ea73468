//go:build !linux

package blas

// mapping is memory from the system; there is none here.
type mapping struct{}

// memory returns n zeros on Go's heap.
func memory[T float32 | uint16](n int) ([]T, *mapping) { return make([]T, n), nil }
