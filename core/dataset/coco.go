package dataset

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"finetui/core/level"
)

// coco reads the annotation files of COCO: one JSON file for a split, with the boxes in pixels.
type coco struct{}

func (coco) name() string { return "coco" }

func (coco) holds() string {
	return "a COCO set has a JSON file of images, annotations and categories for each split"
}

const cocoSniffed = "COCO JSON" // as formatOf calls it

// detect finds annotation files in the folder, or in one folder below.
func (coco) detect(path string) (string, error) {
	if isFile(path) {
		if strings.EqualFold(filepath.Ext(path), ".json") && formatOf(path) == cocoSniffed {
			return path, nil
		}
		return "", nil
	}
	if len(cocoFiles(path)) > 0 {
		return path, nil
	}
	var inner []string
	for _, folder := range subfolders(path) {
		if len(cocoFiles(folder)) > 0 {
			inner = append(inner, folder)
		}
	}
	return oneOf(path, inner)
}

// subfolders are the folders in a folder, but those whose names start with a dot.
func subfolders(path string) (folders []string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if folder := filepath.Join(path, entry.Name()); !strings.HasPrefix(entry.Name(), ".") && isFolder(folder) {
			folders = append(folders, folder)
		}
	}
	return folders
}

// oneOf is the one data set below a folder; "" for none. Of several an error says how to choose.
func oneOf(path string, inner []string) (string, error) {
	switch len(inner) {
	case 0:
		return "", nil
	case 1:
		return inner[0], nil
	}
	return "", fmt.Errorf("DATASET.PATH: %s holds %d data sets: name one of them, as %s", path, len(inner), inner[0])
}

// cocoFiles are the annotation files of a set, in its folder, in annotations and in the folders of splits.
func cocoFiles(root string) (files []string) {
	const most = 50 // files that are looked into
	looked := 0
	folders := []string{root}
	for _, folder := range subfolders(root) {
		if name := strings.ToLower(filepath.Base(folder)); name == "annotations" || splitOf(name) != "" {
			folders = append(folders, folder)
		}
	}
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if strings.EqualFold(filepath.Ext(entry.Name()), ".json") && looked < most {
				looked++
				if file := filepath.Join(folder, entry.Name()); formatOf(file) == cocoSniffed {
					files = append(files, file)
				}
			}
		}
	}
	return files
}

// splitOf is the split that a name tells of by one of its words, as instances_val2017; "" where it does not.
func splitOf(name string) string {
	for _, word := range strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return !unicode.IsLetter(c) }) {
		switch word {
		case "train", "training":
			return "train"
		case "val", "valid", "validation":
			return "valid"
		case "test", "testing", "testdev":
			return "test"
		}
	}
	return ""
}

// cocoSplit is a split with the files that make it up.
type cocoSplit struct {
	name  string
	files []string
}

// cocoTasks are the kinds of files that tools write for one split, the one that tells most of objects first.
var cocoTasks = []string{"instances", "person_keypoints", "stuff", "labels", "image_info", "captions", "panoptic"}

// cocoSplits sorts files into splits. Of several for one split that tell of different tasks the best is taken.
func cocoSplits(root string, files []string) (splits []cocoSplit, passed []string) {
	task := func(file string) int {
		name := strings.ToLower(filepath.Base(file))
		at := slices.IndexFunc(cocoTasks, func(t string) bool { return strings.HasPrefix(name, t) })
		return max(at, -1)
	}
	for _, file := range files {
		stem := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		split := splitOf(stem)
		if within, ok := within(root, file); split == "" && ok {
			split = splitOf(filepath.ToSlash(filepath.Dir(within)))
		}
		split = cmp.Or(split, trainSplit)
		at := slices.IndexFunc(splits, func(s cocoSplit) bool { return s.name == split })
		if at < 0 {
			at = len(splits)
			splits = append(splits, cocoSplit{name: split})
		}
		splits[at].files = append(splits[at].files, file)
	}
	for i := range splits {
		s := &splits[i]
		slices.SortStableFunc(s.files, func(a, b string) int { return task(a) - task(b) })
		best := task(s.files[0])
		n := 1
		for n < len(s.files) && task(s.files[n]) == best {
			n++
		}
		passed = append(passed, s.files[n:]...)
		s.files = s.files[:n]
	}
	return splits, passed
}

func (coco) list(ctx context.Context, at string, ask request) (*listing, error) {
	root, files := at, []string{at}
	if isFile(at) {
		root = filepath.Dir(at)
		if strings.EqualFold(filepath.Base(root), "annotations") {
			root = filepath.Dir(root)
		}
	} else if files = cocoFiles(at); len(files) == 0 {
		return nil, fmt.Errorf("DATASET.PATH: %s holds no annotation file of COCO any more", readable(at))
	}
	splits, passed := cocoSplits(root, files)
	var present []string
	for _, split := range splits {
		present = append(present, split.name)
	}
	wanted, err := ask.splits(present)
	if err != nil {
		return nil, err
	}
	b := &cocoListing{root: root, media: ask.media, listing: &listing{root: root}, classAt: map[string]int{},
		ids: map[string]bool{}, pictures: pictures{bases: []string{root}}}
	if ask.media != "" {
		b.pictures.bases = append(b.pictures.bases, ask.media)
	}
	for _, file := range passed {
		b.findings = append(b.findings, newFinding(OtherAnnotations, b.short(file), 0,
			"is passed over: another file of this split tells more of its objects"))
	}
	if len(files) == 1 && splitOf(strings.TrimPrefix(files[0], root)) == "" {
		b.findings = append(b.findings, newFinding(NoSplits, b.short(files[0]), 0,
			"the pictures are not sorted into splits").
			as(level.Warn, "write a file for each split, as train.json and valid.json; all are taken for train"))
	}
	for n, split := range splits {
		if !wanted(split.name) {
			continue
		}
		b.splits = append(b.splits, split.name)
		for _, file := range split.files {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if ask.report != nil {
				ask.report(n, len(splits), "reading annotations")
			}
			if err := b.add(split.name, file); err != nil {
				return nil, err
			}
		}
	}
	return b.finish(), nil
}
