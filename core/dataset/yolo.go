package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
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
	return "", fmt.Errorf("DATASET.PATH: %s holds %d data sets: name one of them, as %s", path, len(inner), filepath.Dir(inner[0]))
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
	listing := &yoloListing{plan: plan, labelFolders: map[string]string{}, used: map[string]int{}}
	for _, split := range plan.splits {
		if !wanted(split.name) {
			continue
		}
		set.Splits = append(set.Splits, split.name)
		if err := listing.list(split); err != nil {
			return nil, err
		}
	}
	set.Items = listing.items
	set.Findings = append(set.Findings, listing.findings...)
	set.Findings = append(set.Findings, listing.orphans()...)

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
	glances, err := readItems(ctx, set, plan, rules, report)
	if err != nil {
		return nil, err
	}
	set.Classes = yoloClasses(plan.names, rules.classes, set.Items)
	leaked, err := leaks(ctx, set.Items, glances, plan.short, report)
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

// yoloListing collects the pictures of all splits and the label files that belong to them.
type yoloListing struct {
	plan         *yoloPlan
	items        []Item
	findings     []Finding
	labelRoots   []string
	labelFolders map[string]string // folder of pictures → folder of its labels
	used         map[string]int    // label file → the first item that it belongs to; -1: it has been said that there is none
}

// list adds the pictures of one split.
func (l *yoloListing) list(split yoloSplit) error {
	taken := map[string]bool{}
	for _, folder := range split.folders {
		if inner := filepath.Join(folder, "images"); isFolder(inner) {
			l.labelRoots = append(l.labelRoots, l.plan.labelFolder(inner))
		} else {
			l.labelRoots = append(l.labelRoots, l.plan.labelFolder(folder))
		}
		err := walk(folder, 0, func(path string, inner bool) bool {
			if !inner && isPicture(path) {
				l.add(split.name, folder, path, taken)
			}
			return true
		})
		if err != nil {
			return fmt.Errorf("%w: make the folder readable", err)
		}
	}
	for _, file := range split.listings {
		text, err := readText(file)
		if err != nil {
			return fmt.Errorf("%w: a list of pictures in data.yaml must be a text file", err)
		}
		number := 0
		for line := range strings.Lines(text) {
			number++
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			path := below(filepath.Dir(file), filepath.FromSlash(line))
			if !exists(path) {
				path = below(l.plan.root, filepath.FromSlash(line))
			}
			if !exists(path) {
				l.findings = append(l.findings, newFinding(MissingImage, l.plan.short(file), number, "no picture %s", quote(line)))
				continue
			}
			l.add(split.name, l.plan.root, path, taken)
		}
	}
	return nil
}

// add makes an item of a picture. Its id is its path within the split's folder without the ending, or with it where
// another picture has that id.
func (l *yoloListing) add(split, folder, path string, taken map[string]bool) {
	name, err := filepath.Rel(folder, path)
	if err != nil {
		name = filepath.Base(path)
	}
	name = filepath.ToSlash(name)
	id := strings.TrimSuffix(name, filepath.Ext(name))
	for n := 2; taken[id]; n++ {
		if id = name; n > 2 {
			id = fmt.Sprintf("%s#%d", name, n)
		}
	}
	taken[id] = true

	pictures := filepath.Dir(path)
	labels, known := l.labelFolders[pictures]
	if !known {
		labels = l.plan.labelFolder(pictures)
		l.labelFolders[pictures] = labels
	}
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	label := filepath.Join(labels, stem+".txt")
	if other, shared := l.used[label]; !shared {
		l.used[label] = len(l.items)
	} else if owner := &l.items[other]; owner.Split == split && owner.Media != path {
		l.findings = append(l.findings, newFinding(SharedLabel, l.plan.short(path), 0, "shares its label file with %s", l.plan.short(owner.Media)))
	}
	l.items = append(l.items, Item{ID: split + "/" + id, Split: split, Media: path, Labels: label})
}

// orphans notes the label files of the splits' folders that belong to no picture.
func (l *yoloListing) orphans() (found []Finding) {
	slices.Sort(l.labelRoots)
	for _, root := range slices.Compact(l.labelRoots) {
		// A folder that cannot be read has been said of every one of its pictures.
		_ = walk(root, 0, func(path string, inner bool) bool {
			isText := strings.EqualFold(filepath.Ext(path), ".txt")
			if !inner && isText && !notLabels(filepath.Base(path)) {
				if _, used := l.used[path]; !used {
					l.used[path] = -1
					found = append(found, newFinding(MissingImage, l.plan.short(path), 0, "a label file without a picture"))
				}
			}
			return !isText
		})
	}
	return found
}

// notLabels knows the text files that lie among labels and are none.
func notLabels(name string) bool {
	name = strings.ToLower(name)
	known := []string{"classes.txt", "labels.txt", "names.txt", "train.txt", "valid.txt", "val.txt", "test.txt", "requirements.txt"}
	return slices.Contains(known, name) || strings.HasPrefix(name, "readme")
}
