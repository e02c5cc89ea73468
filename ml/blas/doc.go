// Package blas multiplies matrices and maps vectors of float32 at the speed of the processor's vector
// units. It holds no model, no graph and no state but its scratch memory, never allocates per call once
// warm, and panics only on sizes that a caller got wrong.
//
// Every element of a product is summed in one order: over k ascending, in blocks of a fixed length. Neither the number
// of goroutines nor the way a product is cut into rows and columns changes a bit of the result. Different kernel sets
// (see [Kernels]) may differ in the last bits.
//
// [Panels], which hold most of a model, lie in large pages of the system, outside Go's heap.
package blas
