package finetune

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"finetui/core/dataset"
	"finetui/core/filehash"
	"finetui/ml/cores"
	"finetui/ml/wholefile"
)

// picturesFile has a line for each picture that a run shows its model: its SHA-256 and its name in the data set. A
// resumed run holds the pictures against it.
const picturesFile = "pictures.sha256"

// mostPictures is more than the list of any data set that a run could be through with, in bytes.
const mostPictures = 4 << 30

// checkPictures holds the pictures of train and valid against those that the
// run was started on. A run that has no list yet gets one.
func (j *job) checkPictures(ctx context.Context) error {
	now, err := j.pictureSums(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(j.w.Dir(), picturesFile)
	text, err := wholefile.Read(path, mostPictures)
	if errors.Is(err, fs.ErrNotExist) {
		return j.w.Freeze(picturesFile, listPictures(now))
	}
	if err != nil {
		return err
	}
	then, damaged := parsePictures(text)
	if info := j.w.Info(); damaged == "" && !info.Thaw(picturesFile, text) {
		damaged = "by its checksum in run.json"
	}
	if damaged != "" {
		return fmt.Errorf("%s is damaged %s: put it back from a copy, or remove it, and the pictures count as they are "+
			"now", path, damaged)
	}
	var changed []string
	for name, sum := range now {
		if was, ok := then[name]; ok && was != sum {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	slices.Sort(changed)
	one, more := j.p.Data.Words()
	which := fmt.Sprintf("the %s %s has", one, changed[0])
	if n := len(changed); n > 1 {
		which = fmt.Sprintf("%d %s have (%s)", n, more, strings.Join(changed[:min(n, 5)], ", "))
		if n > 5 {
			which = strings.TrimSuffix(which, ")") + ", …)"
		}
	}
	return fmt.Errorf("%s changed since this run was started: put back what was there, or start a new run", which)
}

// pictureSums are the sums of the pictures that the run shows, by their names in the data set. Files that have not
// changed since they were hashed are not read.
func (j *job) pictureSums(ctx context.Context) (map[string]filehash.Sum, error) {
	var items []*dataset.Item
	for i := range j.p.Data.Items {
		item := &j.p.Data.Items[i]
		if item.Media != "" && !item.Broken && (item.Split == "train" || item.Split == "valid") {
			items = append(items, item)
		}
	}
	_, more := j.p.Data.Words()
	store := filehash.In(j.p.File.Root)
	defer store.Flush()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sums := make([]filehash.Sum, len(items))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range cores.Count() {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(items) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				sum, err := store.Sum(ctx, items[i].Media, nil)
				if err != nil {
					cancel(err)
				}
				sums[i] = sum
				j.announce(i+1, len(items), more+" looked at by their content")
			}
		})
	}
	wait.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	named := make(map[string]filehash.Sum, len(items))
	for i, item := range items {
		named[item.ID] = sums[i]
	}
	return named, nil
}

// listPictures is the picturesFile.
func listPictures(sums map[string]filehash.Sum) []byte {
	var text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&text, "%s  %q\n", sums[name], name)
	}
	return text.Bytes()
}

// parsePictures reads a picturesFile; damaged says where it is no such list.
func parsePictures(text []byte) (sums map[string]filehash.Sum, damaged string) {
	sums = map[string]filehash.Sum{}
	at := 0
	for line := range strings.Lines(string(text)) {
		at++
		digits, quoted, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		name, err := strconv.Unquote(quoted)
		var sum filehash.Sum
		if n, hexErr := hex.Decode(sum[:], []byte(digits[:min(len(digits), 2*len(sum))])); err != nil ||
			hexErr != nil || n != len(sum) {
			return nil, fmt.Sprintf("in line %d", at)
		}
		sums[name] = sum
	}
	return sums, ""
}
