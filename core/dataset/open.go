package dataset

import (
	"cmp"
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

// Open reads the data set that cfg names; root is the folder of config.toml, which relative paths start from.
func Open(cfg config.Dataset, root string) (*Dataset, error) {
	return Read(context.Background(), cfg, root, nil)
}

// Read is Open for large sets: it reports its progress and stops when ctx does, with ctx's error.
//
// The sets of the registry that DATASET.SETS names, or all that are there, join it (registry.go).
func Read(ctx context.Context, cfg config.Dataset, root string, report Progress) (*Dataset, error) {
	set, err := readOne(ctx, cfg, root, nil, report)
	if err == nil {
		err = joinSets(ctx, set, cfg, root, report)
	}
	if err != nil {
		return nil, err
	}
	set.sort()
	set.fingerprint = &fingerprint{}
	return set, nil
}

const setPath = "; set it to the folder of the data set, or to its label file"

// readOne reads one set, in any order. more are folders that its pictures may lie in beside its own.
func readOne(ctx context.Context, cfg config.Dataset, root string, more []string, report Progress) (*Dataset, error) {
	path := below(root, cfg.Path)
	if cfg.Path == "" {
		return nil, &config.Unusable{Key: "DATASET.PATH", Text: "it is empty" + setPath}
	}
	if _, err := os.Stat(path); err != nil {
		hint := cmp.Or(config.PathHint(root, cfg.Path), setPath)
		text := fmt.Sprintf("there is no file or folder %s%s", path, hint)
		if !errors.Is(err, fs.ErrNotExist) {
			text = printable.Error(err)
		}
		return nil, &config.Unusable{Key: "DATASET.PATH", Text: text, Cause: err}
	}
	reader, at, err := choose(cfg.Format, path)
	if err != nil {
		return nil, err
	}
	ask := requestOf(cfg, root)
	ask.more, ask.report = append(more, root), report
	l, err := reader.list(ctx, at, ask)
	if err != nil {
		return nil, err
	}
	var state *State
	if l.tell != nil {
		if s, ok := tellState(ctx, cfg, root, reader.name(), at, l.tell); ok {
			state = &s
		}
	}
	set, err := l.finish(ctx, root, at, report)
	if err != nil {
		return nil, err
	}
	set.state = state
	set.Format = reader.name()
	for i, class := range set.Classes {
		set.Classes[i] = SplitClass(class.Name, cfg.Conditions, cfg.DefaultCondition)
	}
	return set, nil
}

// requestOf is what constants ask of a set.
func requestOf(cfg config.Dataset, root string) request {
	ask := request{more: []string{root}, only: cfg.Splits, byGroup: cfg.SplitBy == config.SplitByParticipant}
	if cfg.Media != "" {
		ask.media = below(root, cfg.Media)
	}
	return ask
}

// sort puts splits, items and findings in order.
func (d *Dataset) sort() {
	slices.SortFunc(d.Splits, compareSplits)
	byID := func(a, b *Item) int {
		if a.Split != b.Split {
			return compareSplits(a.Split, b.Split)
		}
		return strings.Compare(a.ID, b.ID)
	}
	sorted := true // as folders list them they mostly are
	for i := 1; i < len(d.Items) && sorted; i++ {
		sorted = byID(&d.Items[i-1], &d.Items[i]) <= 0
	}
	if !sorted {
		slices.SortStableFunc(d.Items, func(a, b Item) int { return byID(&a, &b) })
	}
	sortFindings(d.Findings)
}

// choose returns the reader that cfg.Format asks for, or the first that finds a set of its own at path.
func choose(wanted config.Format, path string) (format, string, error) {
	var names, holds []string
	for _, f := range formats {
		names, holds = append(names, f.name()), append(holds, f.holds())
		if wanted != "" && wanted != config.FormatAuto && string(wanted) != f.name() {
			continue
		}
		at, err := f.detect(path)
		if err != nil {
			return nil, "", err
		}
		if at != "" {
			return f, at, nil
		}
		if string(wanted) == f.name() {
			return nil, "", &config.Unusable{Key: "DATASET.FORMAT", Text: fmt.Sprintf(
				"it is %s, and %s holds no such set: %s; auto looks for the others", wanted, readable(path), f.holds())}
		}
	}
	if wanted != "" && wanted != config.FormatAuto && !slices.Contains(names, string(wanted)) {
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
		Text: fmt.Sprintf("%s holds no data set of a known format (%s): %s", readable(path), strings.Join(names, ", "),
			strings.Join(holds, "; "))}
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

// below resolves a path that may be relative to root.
func below(root, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(root, path)
}
