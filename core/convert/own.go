package convert

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// marker is an empty file in mediaFolder that says who made it.
const marker = ".finetui"

// ownStart is how every file of records begins that this package writes: its first record is named after an object.
var ownStart = regexp.MustCompile(`^(?:\[\n)?\{"id":"[^"/]+/[^"]+#\d+"`)

// ours says whether a file begins as those of this package do.
func ours(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	const longest = 8 << 10 // of a beginning with its name
	head := make([]byte, longest)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.Is(err, io.EOF) // an empty file
	}
	return ownStart.Match(head[:n])
}

// claim makes sure that nothing is overwritten which this package did not write: neither a split's file nor pictures.
func (w *writer) claim() error {
	own := false
	for _, split := range w.splits() {
		path := filepath.Join(w.dir, w.fileName(split))
		info, err := os.Lstat(path)
		if err != nil {
			continue // it is not there, or what keeps it from being written is said then
		}
		if !info.Mode().IsRegular() || !ours(path) {
			return foreign(path)
		}
		own = true
	}
	folder := filepath.Join(w.dir, mediaFolder)
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) == 0 || own {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(folder, marker)); err == nil || w.written() {
		return nil
	}
	return foreign(folder)
}

// written says whether another dialect's file of a split lies in the folder.
func (w *writer) written() bool {
	for _, split := range w.splits() {
		for _, ending := range []string{".json", ".jsonl"} {
			if path := filepath.Join(w.dir, split+ending); ours(path) {
				return true
			}
		}
	}
	return false
}

// mark says in the folder of pictures who made it, before the first is there.
func mark(dir string) error {
	path := filepath.Join(dir, mediaFolder, marker)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return create(path, func(io.Writer) error { return nil })
}

// fileName is that of a split's records.
func (w *writer) fileName(split string) string {
	if w.d.lines {
		return split + ".jsonl"
	}
	return split + ".json"
}

func foreign(path string) error {
	return fmt.Errorf("CONVERT.OUTPUT: %s holds something else than finetui writes there, and is not overwritten: name another folder, or move it away", path)
}
