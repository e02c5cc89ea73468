package convert

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"finetui/core/disk"
)

// marker is an empty file in mediaFolder that says who made it.
const marker = ".finetui"

// ownStart is how every file of records begins that this package writes: its first record is named after an object, or
// after a clip in one line.
var ownStart = regexp.MustCompile(`^(?:\[\n)?\{(?:"id":"[^"/]+/[^"]+#\d+"|"video":"(?:[^"\\]|\\.)+","conversations":)`)

// claim makes sure that nothing is overwritten which this package did not write: neither a split's file nor pictures.
func (w *writer) claim() error {
	own := false
	for _, split := range w.splits() {
		path := filepath.Join(w.dir, w.fileName(split))
		if err := disk.OwnMatch(path, ownStart); err != nil {
			return fmt.Errorf("CONVERT.OUTPUT: %w", err)
		}
		own = own || there(path)
	}
	folder := filepath.Join(w.dir, mediaFolder)
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) == 0 || own || there(filepath.Join(folder, marker)) || w.written() {
		return nil
	}
	return fmt.Errorf("CONVERT.OUTPUT: %w", &disk.Foreign{Path: folder,
		Text: "holds something else than finetui writes there"})
}

// written says whether another dialect's file of a split lies in the folder.
func (w *writer) written() bool {
	for _, split := range w.splits() {
		for _, ending := range []string{".json", ".jsonl"} {
			if path := filepath.Join(w.dir, split+ending); there(path) && disk.OwnMatch(path, ownStart) == nil {
				return true
			}
		}
	}
	return false
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
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
	if w.d.together {
		name := strings.Map(func(c rune) rune {
			if unicode.IsLetter(c) || unicode.IsDigit(c) || c == '-' || c == '_' {
				return c
			}
			return '_'
		}, w.p.Config.Project.Name)
		return cmp.Or(name, "clips") + "_train.json"
	}
	if w.d.lines {
		return split + ".jsonl"
	}
	return split + ".json"
}
