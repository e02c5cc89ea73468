package wholefile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Open opens a file to read it. What is no file (a pipe, a device, a folder) is an error: it neither waits for a writer
// nor comes to no end. A missing file is fs.ErrNotExist.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for its writer
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is %s, no file: put the file back, or remove it", path, Kind(info))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Text is more than any configuration, index, vocabulary or list of results ever has, in bytes.
const Text = 256 << 20

// Read reads a file that has at most limit bytes. A larger one is an error, and does not fill the memory.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil {
		b.Grow(int(min(info.Size(), limit)) + bytes.MinRead) // else it grows, and is copied, again and again
	}
	_, err = b.ReadFrom(io.LimitReader(f, limit+1))
	data := b.Bytes()
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes, which is more than such a file ever has: remove it",
			path, limit)
	}
	return data, err
}

// Kind says in a word or two what something is that is no file.
func Kind(info os.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a folder"
	case mode&os.ModeNamedPipe != 0:
		return "a pipe"
	case mode&os.ModeSocket != 0:
		return "a socket"
	case mode&os.ModeDevice != 0:
		return "a device"
	case mode&os.ModeSymlink != 0:
		return "a link"
	}
	return "something else"
}
