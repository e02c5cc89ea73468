package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const deepest = 12 // folders within folders that are looked into, so that a link to a parent ends

// escapeGlob keeps signs in a folder's own name from being read as a pattern.
func escapeGlob(path string) string {
	if os.PathSeparator == '\\' {
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

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
	w := walker{visit: visit, failed: failed, linked: map[string]bool{}}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		w.root = real
	}
	w.walk(filepath.Clean(folder), 0)
}

type walker struct {
	visit  func(path string, isFolder bool) bool
	failed func(folder string, err error)
	root   string          // where the walk began, without links
	linked map[string]bool // folders that links led to
}

func (w *walker) walk(folder string, depth int) {
	entries, err := os.ReadDir(folder)
	if err != nil && w.failed != nil {
		w.failed(folder, err)
	}
	inside := strings.TrimSuffix(folder, string(filepath.Separator)) + string(filepath.Separator)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		path := inside + entry.Name()
		inner, linked := entry.IsDir(), false
		if entry.Type()&fs.ModeSymlink != 0 {
			inner = isFolder(path)
			linked = inner
		}
		if w.visit(path, inner) && inner && depth < deepest && !(linked && w.known(path)) {
			w.walk(path, depth+1)
		}
	}
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
