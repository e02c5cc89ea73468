package dataset

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"finetui/ml/wholefile"
)

// yolo reads the folders of Ultralytics and Roboflow: data.yaml, {train,valid,test}/images and labels.
type yolo struct{}

func (yolo) name() string { return "yolo" }

func (yolo) holds() string { return "a YOLO set has data.yaml, and images and labels folders" }

// detect finds data.yaml in the folder or up to two folders below, or else the usual folders.
func (yolo) detect(path string) (string, error) {
	if isFile(path) {
		if ending := strings.ToLower(filepath.Ext(path)); ending == ".yaml" || ending == ".yml" {
			return path, nil
		}
		return "", nil
	}
	for _, name := range []string{"data.yaml", "data.yml", "dataset.yaml", "dataset.yml"} {
		if file := filepath.Join(path, name); isFile(file) {
			return file, nil
		}
	}
	if hasYOLOFolders(path) {
		return path, nil
	}
	var inner []string
	for level, pattern := range []string{"*/data.yaml", "*/*/data.yaml"} {
		if inner = append(inner, wholefile.Glob(path, pattern)...); len(inner) > 0 || level == 1 {
			break
		}
	}
	switch len(inner) {
	case 0:
		return "", nil
	case 1:
		return inner[0], nil
	}
	return "", fmt.Errorf("DATASET.PATH: %s holds %d data sets: name one of them, as %s", path, len(inner),
		filepath.Dir(inner[0]))
}

func hasYOLOFolders(path string) bool {
	if isFolder(filepath.Join(path, "images")) && isFolder(filepath.Join(path, "labels")) {
		return true
	}
	for _, split := range []string{"train", "valid", "val", "test"} {
		if isFolder(filepath.Join(path, split, "images")) && isFolder(filepath.Join(path, split, "labels")) {
			return true
		}
	}
	return false
}

func (yolo) list(ctx context.Context, at string, ask request) (*listing, error) {
	plan, err := planYOLO(at, ask.media)
	if err != nil {
		return nil, err
	}
	splits, err := plan.wanted(ask)
	if err != nil {
		return nil, err
	}
	l, files := &listing{root: plan.root}, newYOLOListing(plan)
	for _, split := range splits {
		l.splits = append(l.splits, split.name)
		files.list(ctx, split)
	}
	files.spares()
	survey := files.survey // alone: of the rest nothing is needed any more
	l.tell = func(to hash.Hash) bool { return survey.tell(ctx, plan, splits, to) }
	l.seen, l.items, l.findings = files.seen, files.items, slices.Concat(plan.findings, files.findings)

	rules := plan.rules()
	l.rules = fmt.Sprintf("%#v", rules)
	l.labels = func(d *desk) func(i int) []Finding {
		r := &rows{}
		return func(i int) []Finding { return readYOLO(d, r, &l.items[i], plan, rules) }
	}
	l.classes = func(items []Item) []string { return yoloClasses(plan.names, rules.classes, items) }
	return l, nil
}

// wanted is the splits that are asked for.
func (p *yoloPlan) wanted(ask request) (splits []yoloSplit, err error) {
	var present []string
	for _, split := range p.splits {
		present = append(present, split.name)
	}
	wanted, err := ask.splits(present)
	if err != nil {
		return nil, err
	}
	for _, split := range p.splits {
		if wanted(split.name) {
			splits = append(splits, split)
		}
	}
	return splits, nil
}

// rules is how rows are read.
func (p *yoloPlan) rules() rowRules {
	rules := rowRules{classes: len(p.names), names: p.names}
	if p.yaml != nil {
		rules.keypoints = p.yaml.keypoints
	}
	if p.names == nil {
		rules.classes = -1
		if p.yaml != nil {
			rules.classes = p.yaml.count
		}
	}
	return rules
}

// readYOLO reads the label file of an item.
func readYOLO(d *desk, r *rows, item *Item, plan *yoloPlan, rules rowRules) []Finding {
	label := plan.short(item.Labels)
	text, buffer, err := readSmall(place{item.Labels, &d.labels, d.seen.label}, d.text)
	d.text = buffer
	if err == nil {
		r.parse(string(text), label, rules)
		item.Objects, item.Rows = d.keep(r.objects), r.counts()
		return r.findings
	}
	item.Labels = ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{newFinding(MissingLabel, plan.short(item.Media), 0, "no label file %s", label)}
	case errors.Is(err, errFolder):
		return []Finding{newFinding(LabelIsAFolder, label, 0, "a folder stands where the label file belongs")}
	}
	return []Finding{newFinding(UnreadableLabel, label, 0, "%v", bare(err))}
}

// yoloClasses is the list of names; without names, the numbers up to the given count or the largest id that occurs.
func yoloClasses(names []string, count int, items []Item) []string {
	if names != nil {
		return names
	}
	for _, item := range items {
		for _, object := range item.Objects {
			count = max(count, object.Class+1)
		}
	}
	for id := range max(count, 0) {
		names = append(names, fmt.Sprintf("class %d", id))
	}
	return names
}
