package textmetric

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FindWordNet reads the WordNet of this machine: that of nltk's data (NLTK_DATA, then nltk's own places; a folder or
// the archive as it is downloaded), else one that is installed (WNSEARCHDIR, WNHOME, Debian's wordnet-base). nil and no
// error where there is none. The error names files that are there and cannot be read.
func FindWordNet() (*WordNet, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // no nltk_data in it, then
	}
	return findWordNet(os.Getenv, home, "/")
}

// findWordNet looks in a home folder ("": none) and below a root.
func findWordNet(getenv func(string) string, home, root string) (*WordNet, error) {
	data := filepath.SplitList(getenv("NLTK_DATA"))
	if home != "" {
		data = append(data, filepath.Join(home, "nltk_data"))
	}
	for _, dir := range []string{"usr/share", "usr/local/share", "usr/lib", "usr/local/lib"} {
		data = append(data, filepath.Join(root, dir, "nltk_data"))
	}
	for _, dir := range data {
		if dir == "" {
			continue
		}
		w, err := openFolder(filepath.Join(dir, "corpora", "wordnet"))
		if w == nil && err == nil {
			w, err = openArchive(filepath.Join(dir, "corpora", "wordnet.zip"))
		}
		if w != nil || err != nil {
			return w, err
		}
	}
	installed := []string{getenv("WNSEARCHDIR")}
	if own := getenv("WNHOME"); own != "" {
		installed = append(installed, filepath.Join(own, "dict"))
	}
	for _, dir := range []string{"usr/share/wordnet", "usr/local/WordNet-3.0/dict"} {
		installed = append(installed, filepath.Join(root, dir))
	}
	for _, dir := range installed {
		if dir == "" {
			continue
		}
		if w, err := openFolder(dir); w != nil || err != nil {
			return w, err
		}
	}
	return nil, nil
}

func openFolder(dir string) (*WordNet, error) {
	folder := os.DirFS(dir)
	if !isWordNet(folder) {
		return nil, nil
	}
	w, err := OpenWordNet(folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return w, nil
}

func openArchive(path string) (*WordNet, error) {
	archive, err := zip.OpenReader(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer archive.Close()
	folder, err := fs.Sub(archive, "wordnet")
	if err != nil || !isWordNet(folder) {
		return nil, err
	}
	w, err := OpenWordNet(folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}
