package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/printable"
)

// Progress is told how far a long read is. It may be nil, and is never called by two goroutines at once.
type Progress func(done, total int, what string)

// format is one way in which a data set can be written. Another
// one is a file that implements it and an entry in formats.
type format interface {
	// name is the word for it in DATASET.FORMAT.
	name() string
	// detect returns where within path (a folder or a file) such a set begins, or "" where there is none. An error says
	// that there are several and how to choose.
	detect(path string) (at string, err error)
	// read returns the set with the names of its classes, its splits, its items and its findings, in any order.
	read(ctx context.Context, at string, cfg config.Dataset, root string, report Progress) (*Dataset, error)
}

var formats = []format{yolo{}}

// Open reads the data set that cfg names; root is the folder of config.toml, which relative paths start from.
func Open(cfg config.Dataset, root string) (*Dataset, error) {
	return Read(context.Background(), cfg, root, nil)
}

// Read is Open for large sets: it reports its progress and stops when ctx does, with ctx's error.
func Read(ctx context.Context, cfg config.Dataset, root string, report Progress) (*Dataset, error) {
	path := below(root, cfg.Path)
	if cfg.Path == "" {
		return nil, &config.Unusable{Key: "DATASET.PATH", Text: "it is empty; set it to the folder of the data set"}
	}
	if _, err := os.Stat(path); err != nil {
		text := fmt.Sprintf("there is no folder %s; set it to the folder of the data set", path)
		if !errors.Is(err, fs.ErrNotExist) {
			text = printable.Error(err)
		}
		return nil, &config.Unusable{Key: "DATASET.PATH", Text: text, Cause: err}
	}
	reader, at, err := choose(cfg.Format, path)
	if err != nil {
		return nil, err
	}
	set, err := reader.read(ctx, at, cfg, root, report)
	if err != nil {
		return nil, err
	}
	set.Format = reader.name()
	for i, class := range set.Classes {
		set.Classes[i] = SplitClass(class.Name, cfg.Conditions, cfg.DefaultCondition)
	}
	slices.SortFunc(set.Splits, compareSplits)
	byID := func(a, b *Item) int {
		if a.Split != b.Split {
			return compareSplits(a.Split, b.Split)
		}
		return strings.Compare(a.ID, b.ID)
	}
	sorted := true // as folders list them they mostly are
	for i := 1; i < len(set.Items) && sorted; i++ {
		sorted = byID(&set.Items[i-1], &set.Items[i]) <= 0
	}
	if !sorted {
		slices.SortStableFunc(set.Items, func(a, b Item) int { return byID(&a, &b) })
	}
	sortFindings(set.Findings)
	return set, nil
}

// choose returns the reader that cfg.Format asks for, or the first that finds a set of its own at path.
func choose(wanted, path string) (format, string, error) {
	var names []string
	for _, f := range formats {
		names = append(names, f.name())
		if wanted != "" && wanted != "auto" && wanted != f.name() {
			continue
		}
		at, err := f.detect(path)
		if err != nil {
			return nil, "", err
		}
		if at != "" {
			return f, at, nil
		}
	}
	if wanted != "" && wanted != "auto" && !slices.Contains(names, wanted) {
		return nil, "", &config.Unusable{Key: "DATASET.FORMAT",
			Text: fmt.Sprintf("%q is not read here: use auto or one of %s", wanted, strings.Join(names, ", "))}
	}
	if other := otherFormat(path); other != "" {
		return nil, "", &config.Unusable{Key: "DATASET.PATH",
			Text: fmt.Sprintf("%s holds %s, which finetui does not read yet: convert it to YOLO (data.yaml, images "+
				"and labels; Roboflow, Datumaro and Ultralytics' converter write it) and name that folder",
				readable(path), other)}
	}
	return nil, "", &config.Unusable{Key: "DATASET.PATH",
		Text: fmt.Sprintf("%s holds no data set of a known format (%s): a YOLO set has data.yaml, and images and "+
			"labels folders", readable(path), strings.Join(names, ", "))}
}

// compareSplits orders train, valid, test, then others by name.
func compareSplits(a, b string) int {
	rank := func(s string) int {
		if i := slices.Index([]string{"train", "valid", "test"}, s); i >= 0 {
			return i
		}
		return 3
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

// wantedSplits returns a filter for DATASET.SETS, or an error where it names a split that is not among present.
func wantedSplits(sets, present []string) (func(split string) bool, error) {
	if len(sets) == 0 {
		return func(string) bool { return true }, nil
	}
	var wanted []string
	for _, set := range sets {
		split := config.SplitName(set)
		if !slices.Contains(present, split) {
			return nil, &config.Unusable{Key: "DATASET.SETS", Text: fmt.Sprintf("there is no split %q: this set has %s",
				set, strings.Join(present, ", "))}
		}
		wanted = append(wanted, split)
	}
	return func(split string) bool { return slices.Contains(wanted, split) }, nil
}

// below resolves a path that may be relative to root.
func below(root, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(root, path)
}
