//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package safetensors

import (
	"fmt"
	"math"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile maps the file's bytes into memory, read-only; unmap ends that. An empty file is an empty slice.
func mapFile(f *os.File, size int64) (data []byte, unmap func() error, err error) {
	if size == 0 {
		return nil, func() error { return nil }, nil
	}
	if size > math.MaxInt {
		return nil, nil, fmt.Errorf("%d bytes do not fit this machine's address space", size)
	}
	data, err = syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping it into memory: %w", err)
	}
	return data, func() error { return syscall.Munmap(data) }, nil
}

// release gives back the pages that lie wholly within a part of a mapping.
func release(data []byte) {
	page := os.Getpagesize()
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(data))) % uintptr(page)
	if uintptr(len(data)) < skip+uintptr(page) {
		return
	}
	data = data[skip:]
	_ = unix.Madvise(data[:len(data)/page*page], unix.MADV_DONTNEED) // no more than advice
}
