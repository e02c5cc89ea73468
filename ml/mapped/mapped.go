// Package mapped turns the loss of a mapped file into an error. A file that is mapped into memory can be cut short by
// another program, or its disk can fail; whoever reads the map then is killed by the system (SIGBUS), unless the
// goroutine says beforehand that it wants a panic. The package knows which parts of memory are maps: every other fault
// stays what it is, a fault of the program.
package mapped

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maps are the parts of memory that stand for files.
var maps struct {
	sync.RWMutex
	all map[uintptr]region // by first address
}

type region struct {
	size uintptr
	path string
}

// Register says that data is the map of the file at path, until forget is called.
func Register(data []byte, path string) (forget func()) {
	if len(data) == 0 {
		return func() {}
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	maps.Lock()
	defer maps.Unlock()
	if maps.all == nil {
		maps.all = map[uintptr]region{}
	}
	maps.all[first] = region{uintptr(len(data)), path}
	return func() {
		maps.Lock()
		defer maps.Unlock()
		delete(maps.all, first)
	}
}

// Lost is the error for a mapped file that could not be read any more.
type Lost struct{ Path string }

func (l *Lost) Error() string {
	return fmt.Sprintf("%s was cut short while it was in use, or its disk failed: put the whole file back and "+
		"start again", l.Path)
}

// Watch makes faults of the calling goroutine panics, for which Cause has an error, until end is called there. A
// goroutine that lives for this alone need not call it.
func Watch() (end func()) {
	before := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(before) }
}

// Cause is the error, a *Lost, of a recovered panic that reading a map raised; nil for every other value.
func Cause(recovered any) error {
	fault, ok := recovered.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok {
		return nil
	}
	maps.RLock()
	defer maps.RUnlock()
	for first, r := range maps.all {
		if at := fault.Addr(); at >= first && at-first < r.size {
			return &Lost{r.path}
		}
	}
	return nil
}

// Guard calls f, which may read maps on this goroutine and on those of a blas.Team. A map that
// is lost meanwhile ends it with a *Lost; other panics go on.
func Guard(f func() error) (err error) {
	defer Watch()()
	defer func() {
		if v := recover(); v != nil {
			if err = Cause(v); err == nil {
				panic(v)
			}
		}
	}()
	return f()
}

// Written is an error of writing bytes of a map to a file: where the system could not read the map, it is that of the
// file at path.
func Written(err error, path string) error {
	if errors.Is(err, unix.EFAULT) {
		return &Lost{path}
	}
	return err
}
