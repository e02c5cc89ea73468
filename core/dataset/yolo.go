package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"finetui/core/config"
	"finetui/core/filehash"
)

// yolo reads the folders of Ultralytics and Roboflow: data.yaml, {train,valid,test}/images and labels.
type yolo struct{}

func (yolo) name() string { return "yolo" }

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
		files, err := filepath.Glob(filepath.Join(escapeGlob(path), filepath.FromSlash(pattern)))
		if err != nil {
			return "", fmt.Errorf("DATASET.PATH: %s: %w", path, err)
		}
		if inner = append(inner, files...); len(inner) > 0 || level == 1 {
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

// escapeGlob keeps signs in a folder's own name from being read as a pattern.
func escapeGlob(path string) string {
	if os.PathSeparator == '\\' {
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func (yolo) read(ctx context.Context, at string, cfg config.Dataset, root string, report Progress) (*Dataset, error) {
	media := ""
	if cfg.Media != "" {
		media = below(root, cfg.Media)
	}
	plan, err := planYOLO(at, media)
	if err != nil {
		return nil, err
	}
	var present []string
	for _, split := range plan.splits {
		present = append(present, split.name)
	}
	wanted, err := wantedSplits(cfg.Sets, present)
	if err != nil {
		return nil, err
	}
	set := &Dataset{Root: plan.root, Findings: plan.findings}
	listing := newYOLOListing(plan)
	for _, split := range plan.splits {
		if !wanted(split.name) {
			continue
		}
		set.Splits = append(set.Splits, split.name)
		listing.list(split)
	}
	listing.spares()
	set.Items = listing.items
	set.Findings = append(set.Findings, listing.findings...)

	rules := rowRules{classes: len(plan.names)}
	if plan.yaml != nil {
		rules.keypoints = plan.yaml.keypoints
	}
	if plan.names == nil {
		rules.classes = -1
		if plan.yaml != nil {
			rules.classes = plan.yaml.count
		}
	}
	sights, err := readItems(ctx, set, plan, rules, newKeeper(root, at, plan, rules), report)
	if err != nil {
		return nil, err
	}
	set.Classes = yoloClasses(plan.names, rules.classes, set.Items)
	set.knownDamage(root, sights)
	leaked, err := leaks(ctx, set.Items, sights, filehash.In(root), plan.short, report)
	if err != nil {
		return nil, err
	}
	set.Findings = append(set.Findings, leaked...)
	return set, nil
}

// yoloClasses is the list of names; without names, the numbers up to the given count or the largest id that occurs.
func yoloClasses(names []string, count int, items []Item) []Class {
	if names == nil {
		for _, item := range items {
			for _, object := range item.Objects {
				count = max(count, object.Class+1)
			}
		}
		for id := range max(count, 0) {
			names = append(names, fmt.Sprintf("class %d", id))
		}
	}
	classes := make([]Class, len(names))
	for i, name := range names {
		classes[i].Name = name
	}
	return classes
}
