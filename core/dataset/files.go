package dataset

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"finetui/core/filehash"
)

var errNoFile = errors.New("no file")

// Data sets have hundreds of thousands of small files. They are read here with as few system calls and as little memory
// as each needs: no poller, no buffer a file.

func isRegular(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFREG }

// statusAt is the entry in the file system of a name in a folder that is open, with flags of fstatat: by default a link
// is what it leads to. The error is bare of the path.
func statusAt(folder int, name string, flags int) (st unix.Stat_t, err error) {
	for {
		if err = unix.Fstatat(folder, name, &st, flags); err != unix.EINTR {
			return st, err
		}
	}
}

// folder is the folder of the file that was asked for last, kept open: the next one in it is found by its name alone.
type folder struct {
	path string
	file *os.File // nil where it cannot be opened; closes itself when nobody holds it any more
}

// find is a file's folder, as the system's calls take it, and its name there. It holds while f does; path is not kept.
func (f *folder) find(path string) (fd int, name string) {
	cut := strings.LastIndexByte(path, filepath.Separator)
	if f == nil || cut <= 0 {
		return unix.AT_FDCWD, path
	}
	if path[:cut] != f.path {
		f.path, f.file = strings.Clone(path[:cut]), nil
		if file, err := os.OpenFile(f.path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0); err == nil {
			f.file = file
		}
	}
	if f.file == nil {
		return unix.AT_FDCWD, path
	}
	return int(f.file.Fd()), path[cut+1:]
}

// status is that of a file.
func (f *folder) status(path string) (unix.Stat_t, error) {
	fd, name := f.find(path)
	st, err := statusAt(fd, name, 0)
	runtime.KeepAlive(f)
	return st, err
}

// place is a file that is to be read.
type place struct {
	path string
	in   *folder       // nil where none is kept open
	was  filehash.Stat // as it was a moment ago; zero where nobody looked, or where it is no file that can be read
}

// look says why what stands there cannot be read.
func (p place) look() error {
	if p.was != (filehash.Stat{}) {
		return nil
	}
	switch st, err := p.in.status(p.path); {
	case err != nil:
		return err
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return errFolder
	case !isRegular(&st):
		return errNoFile
	}
	return nil
}

// opened is a file that is open for reading, and the part of it that has been read.
type opened struct {
	fd   int
	size int64
	head []byte // from the file's beginning
}

// openFile opens a regular file, which look has found there: a device may do things when it is opened. A pipe that has
// come to stand in its place does not hold the caller.
func openFile(p place) (file opened, err error) {
	for {
		fd, name := p.in.find(p.path)
		file.fd, err = unix.Openat(fd, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if runtime.KeepAlive(p.in); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return file, err
	}
	var st unix.Stat_t
	for {
		if err = unix.Fstat(file.fd, &st); err != unix.EINTR {
			break
		}
	}
	if err == nil && !isRegular(&st) {
		err = errNoFile
	}
	if err != nil {
		file.close()
		return file, err
	}
	file.size = st.Size
	return file, nil
}

// read reads the file's beginning into buffer, as much as fits.
func (f *opened) read(buffer []byte) error {
	n := 0
	for n < len(buffer) && int64(n) < f.size {
		got, err := unix.Read(f.fd, buffer[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if got == 0 {
			break
		}
		n += got
	}
	f.head = buffer[:n]
	return nil
}

func (f opened) close() { _ = unix.Close(f.fd) } // it was only read

// ReadAt reads what is not in the head from the file.
func (f opened) ReadAt(p []byte, at int64) (n int, err error) {
	if at >= 0 && at < int64(len(f.head)) {
		if n = copy(p, f.head[at:]); n == len(p) {
			return n, nil
		}
	}
	for n < len(p) {
		got, err := unix.Pread(f.fd, p[n:], at+int64(n))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return n, err
		}
		if got == 0 {
			return n, io.EOF
		}
		n += got
	}
	return n, nil
}

// readSmall reads a text file of sane length into buffer, which grows where it must.
func readSmall(p place, buffer []byte) (text, kept []byte, err error) {
	if err := p.look(); err != nil {
		return nil, buffer, err
	}
	file, err := openFile(p)
	if err != nil {
		return nil, buffer, err
	}
	defer file.close()
	if file.size > longestText {
		return nil, buffer, errTooLong
	}
	if file.size > int64(cap(buffer)) {
		buffer = make([]byte, file.size+file.size/4)
	}
	if err := file.read(buffer[:cap(buffer)]); err != nil {
		return nil, buffer, err
	}
	return file.head, buffer, nil
}

// readText is readSmall for a file now and then.
func readText(path string) (string, error) {
	text, _, err := readSmall(place{path: path}, nil)
	if err != nil {
		return "", &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return string(text), nil
}
