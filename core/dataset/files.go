package dataset

import (
	"errors"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Data sets have hundreds of thousands of small files. They are read here with as few system calls and as little memory
// as each needs: no poller, no buffer a file.

// status is a file's entry in the file system; a link is what it leads to. The error is bare of the path.
func status(path string) (st unix.Stat_t, err error) {
	for {
		if err = unix.Stat(path, &st); err != unix.EINTR {
			return st, err
		}
	}
}

func isRegular(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFREG }

// opened is a file that is open for reading, and the part of it that has been read.
type opened struct {
	fd   int
	size int64
	head []byte // from the file's beginning
}

// openFile opens a regular file of that size and reads its beginning into buffer, as much as fits. A pipe that has come
// to stand in its place does not hold the caller.
func openFile(path string, size int64, buffer []byte) (opened, error) {
	file := opened{fd: -1, size: size}
	var err error
	for {
		if file.fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return file, err
	}
	n := 0
	for n < len(buffer) && int64(n) < size {
		got, err := unix.Read(file.fd, buffer[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			file.close()
			return file, err
		}
		if got == 0 {
			break
		}
		n += got
	}
	file.head = buffer[:n]
	return file, nil
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
func readSmall(path string, buffer []byte) (text, kept []byte, err error) {
	st, err := status(path)
	switch {
	case err != nil:
		return nil, buffer, err
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return nil, buffer, errFolder
	case !isRegular(&st):
		return nil, buffer, errors.New("no file")
	case st.Size > longestText:
		return nil, buffer, errTooLong
	}
	if st.Size > int64(cap(buffer)) {
		buffer = make([]byte, st.Size+st.Size/4)
	}
	file, err := openFile(path, st.Size, buffer[:cap(buffer)])
	if err != nil {
		return nil, buffer, err
	}
	file.close()
	return file.head, buffer, nil
}

// readText is readSmall for a file now and then.
func readText(path string) (string, error) {
	text, _, err := readSmall(path, nil)
	if err != nil {
		return "", &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return string(text), nil
}
