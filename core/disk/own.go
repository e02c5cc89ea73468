// Package disk keeps what the program writes apart from what others have written: it tells
// its own files by their content, and overwrites no other.
package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// headBytes is how much of a file is looked at to tell whose it is.
const headBytes = 4 << 20

// Foreign is a file or folder that the program did not make and does not overwrite.
type Foreign struct{ Path, Text string }

func (f *Foreign) Error() string {
	return fmt.Sprintf("%s %s, which finetui does not overwrite: name another place, or move it away", f.Path, f.Text)
}

// OwnJSON returns nil where path may be written: nothing is there, an empty file, or a JSON object that has all of
// keys, as the program writes it. Else it is a *Foreign, or says why path cannot be looked at.
func OwnJSON(path string, keys ...string) error {
	return own(path, func(head io.Reader) bool { return hasKeys(head, keys) })
}

// OwnText is OwnJSON for a file that begins with begin.
func OwnText(path, begin string) error {
	return own(path, func(head io.Reader) bool {
		found := make([]byte, len(begin))
		_, err := io.ReadFull(head, found)
		return err == nil && string(found) == begin
	})
}

// OwnMatch is OwnJSON for a file whose first 8 KiB match begin.
func OwnMatch(path string, begin *regexp.Regexp) error {
	return own(path, func(head io.Reader) bool {
		found, err := io.ReadAll(io.LimitReader(head, 8<<10))
		return err == nil && begin.Match(found)
	})
}

func own(path string, ours func(head io.Reader) bool) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for its writer
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, syscall.ENXIO) { // a socket
		return &Foreign{path, "is no file"}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return &Foreign{path, "is a folder"}
	case !info.Mode().IsRegular():
		return &Foreign{path, "is a pipe or a device"}
	case info.Size() == 0 || ours(io.LimitReader(f, headBytes)):
		return nil
	}
	return &Foreign{path, "holds something else than finetui writes there"}
}

// hasKeys says whether text is an object with all of keys among its own. What comes after the last of them is not read.
func hasKeys(text io.Reader, keys []string) bool {
	d := json.NewDecoder(text)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	missing := slices.Clone(keys)
	for len(missing) > 0 && d.More() {
		key, err := d.Token()
		if err != nil {
			return false
		}
		missing = slices.DeleteFunc(missing, func(k string) bool { return k == key })
		var value json.RawMessage
		if len(missing) > 0 && d.Decode(&value) != nil {
			return false
		}
	}
	return len(missing) == 0
}

// OwnFolder returns nil where files may be written into dir: it is not there, is empty, or ours says of each of its
// entries, but hidden ones, that the program writes such a thing.
func OwnFolder(dir string, ours func(entry fs.DirEntry) bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, syscall.ENOTDIR):
		return &Foreign{dir, "is a file"}
	case err != nil:
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !ours(e) {
			return &Foreign{dir, fmt.Sprintf("holds %q", e.Name())}
		}
	}
	return nil
}
