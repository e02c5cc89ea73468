//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package safetensors

import (
	"fmt"
	"math"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"finetui/ml/mapped"
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
	forget := mapped.Register(data, f.Name())
	return data, func() error {
		forget()
		return syscall.Munmap(data)
	}, nil
}

// Reading a page of a mapping makes the system read megabytes ahead, which pays for a large tensor. A model has
// hundreds of small ones between them, and reading those would bring a third of a checkpoint into memory.

// scattered asks the system not to read ahead in a mapping.
func scattered(data []byte) { advise(data, unix.MADV_RANDOM) }

// whole asks it to do so in a part that will be read from end to end.
func whole(data []byte) { advise(data, unix.MADV_NORMAL) }

// release gives back the pages that lie wholly within a part of a mapping.
func release(data []byte) { advise(data, unix.MADV_DONTNEED) }

// advise says how the pages that lie wholly within a part of a mapping are used. It is no more than advice.
func advise(data []byte, advice int) {
	page := os.Getpagesize()
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(data))) % uintptr(page)
	if uintptr(len(data)) < skip+uintptr(page) {
		return
	}
	data = data[skip:]
	_ = unix.Madvise(data[:len(data)/page*page], advice)
}
