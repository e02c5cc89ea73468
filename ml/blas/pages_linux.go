package blas

import (
	"runtime"
	"sync"
	"unsafe"
	"weak"

	"golang.org/x/sys/unix"
)

const (
	largePage   = 2 << 20
	mappingSize = 64 << 20 // at least; what is not touched of it takes no memory
	leastMapped = 64 << 10 // what is smaller stays on Go's heap
)

// mapping is memory from the system, in large pages where it has them: a walk through hundreds of megabytes takes a
// fifth longer where the processor has to look up every four kilobytes. Go's heap, which grows to twice what it holds
// before it is cleaned, does not know of it. It is given back when nobody refers to the mapping any more.
type mapping struct {
	free []byte
}

// current is the mapping that the next panels go to.
var current struct {
	sync.Mutex
	weak.Pointer[mapping]
}

// memory returns n zeros, and what has to be kept alive as long as they are used: nil where they are on Go's heap.
func memory[T float32 | uint16](n int) ([]T, *mapping) {
	var element T
	size := n * int(unsafe.Sizeof(element))
	if size < leastMapped {
		return make([]T, n), nil
	}
	current.Lock()
	defer current.Unlock()
	m := current.Value()
	if m == nil || len(m.free) < size {
		if m = newMapping(max(size, mappingSize)); m == nil {
			return make([]T, n), nil
		}
		current.Pointer = weak.Make(m)
	}
	s := unsafe.Slice((*T)(unsafe.Pointer(&m.free[0])), n)
	m.free = m.free[min(roundUp(size, 64), len(m.free)):]
	return s, m
}

// newMapping is nil where the system refuses.
func newMapping(size int) *mapping {
	all, err := unix.Mmap(-1, 0, size+largePage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil
	}
	_ = unix.Madvise(all, unix.MADV_HUGEPAGE) // a wish: what comes of it does not matter
	m := &mapping{all[-uintptr(unsafe.Pointer(&all[0]))%largePage:]}
	runtime.AddCleanup(m, func(all []byte) { _ = unix.Munmap(all) }, all)
	return m
}
