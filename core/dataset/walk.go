package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"finetui/core/filehash"
)

const deepest = 12 // folders within folders that are looked into, so that a link to a parent ends

func join(base, path string) string {
	if base == "" {
		return path
	}
	return filepath.Join(base, path)
}

// walk calls visit for every file in a folder and the folders within, in the order of their names. A folder for which
// visit returns false is not entered, nor is a link to a folder that is walked anyway. Names that start with a dot are
// passed over. failed, which may be nil, is told of folders that cannot be read.
func walk(folder string, visit func(path string, isFolder bool) bool, failed func(folder string, err error)) {
	w := walker{visit: func(path string, isFolder bool, _ filehash.Stat) bool { return visit(path, isFolder) },
		failed: failed}
	w.run(folder)
}

type walker struct {
	visit  func(path string, isFolder bool, stat filehash.Stat) bool
	failed func(folder string, err error)
	census *census         // nil: files are not looked at, and visit is told no stat
	root   string          // where the walk began, without links
	linked map[string]bool // folders that links led to
}

// entry is a name in a folder.
type entry struct {
	name             string
	isFolder, linked bool
	mode             uint32        // of a file that was looked at, as stat
	stat             filehash.Stat // zero where it is no file that can be read
}

func (w *walker) run(folder string) {
	w.linked = map[string]bool{}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		w.root = real
	}
	w.walk(filepath.Clean(folder), 0)
}

func (w *walker) walk(folder string, depth int) {
	list := entries
	if w.census != nil {
		list = w.census.entries
	}
	found, err := list(folder)
	if err != nil && w.failed != nil {
		w.failed(folder, err)
	}
	inside := strings.TrimSuffix(folder, string(filepath.Separator)) + string(filepath.Separator)
	for _, entry := range found {
		path := inside + entry.name
		if w.visit(path, entry.isFolder, entry.stat) && entry.isFolder && depth < deepest &&
			!(entry.linked && w.known(path)) {
			w.walk(path, depth+1)
		}
	}
}

// entries are the names in a folder, in order, but for those that start with a dot.
func entries(folder string) (found []entry, err error) {
	names, err := os.ReadDir(folder)
	for _, name := range names {
		if strings.HasPrefix(name.Name(), ".") {
			continue
		}
		e := entry{name: name.Name(), isFolder: name.IsDir()}
		if name.Type()&fs.ModeSymlink != 0 {
			e.isFolder = isFolder(filepath.Join(folder, e.name))
			e.linked = e.isFolder
		}
		found = append(found, e)
	}
	return found, err
}

// known tells whether what a link leads to has been walked by another link, or will be walked without it.
func (w *walker) known(link string) bool {
	real, err := filepath.EvalSymlinks(link)
	if err != nil || w.linked[real] {
		return true
	}
	w.linked[real] = true
	if within, err := filepath.Rel(real, w.root); err == nil && filepath.IsLocal(within) {
		return true // it leads to the folder that the walk began with, or above
	}
	within, err := filepath.Rel(w.root, real)
	if err != nil || !filepath.IsLocal(within) {
		return false
	}
	return !strings.HasPrefix(within, ".") && !strings.Contains(within, string(filepath.Separator)+".")
}

const longestText = 64 << 20 // bytes; no label file is that long

var (
	errFolder  = errors.New("a folder stands in its place")
	errTooLong = fmt.Errorf("longer than %d MiB", longestText>>20)
)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
