package dataset

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"finetui/core/filehash"
	"finetui/core/level"
)

// yoloPlan is where a YOLO set keeps its pictures and labels.
type yoloPlan struct {
	root     string // folder of data.yaml, which findings name files from
	media    string // folder of the pictures where it is another one; else ""
	yaml     *dataYAML
	stat     filehash.Stat // of data.yaml before it was read; zero where its next change may not be seen
	names    []string
	splits   []yoloSplit
	findings []Finding
}

// yoloSplit is one split: folders that hold its pictures, or pictures listed in text files.
type yoloSplit struct {
	name     string
	folders  []string
	listings []string
}

func (s yoloSplit) empty() bool { return len(s.folders) == 0 && len(s.listings) == 0 }

// planYOLO finds out how the set at that folder or data.yaml is laid out.
func planYOLO(at, media string) (*yoloPlan, error) {
	p := &yoloPlan{root: at, media: media}
	if isFile(at) {
		p.root = filepath.Dir(at)
		if stat, err := filehash.Look(at); err == nil && !filehash.Fresh(stat, time.Now()) {
			p.stat = stat
		}
		data, err := readDataYAML(at)
		if err != nil {
			return nil, err
		}
		p.yaml = data
		p.names = data.names
		p.findings = append(p.findings, data.findings...)
	}
	if p.names == nil {
		p.namesElsewhere()
	}
	listed := p.listedSplits()
	p.conventionalSplits(listed)
	if len(p.splits) == 0 {
		return nil, fmt.Errorf("DATASET.PATH: no folder of pictures under %s: a YOLO set has train/images and "+
			"train/labels, or says in data.yaml where they are", readable(p.root))
	}
	slices.SortFunc(p.splits, func(a, b yoloSplit) int { return compareSplits(a.name, b.name) })
	p.sharedFolders()
	return p, nil
}

// listedSplits takes the splits that data.yaml names, and says which it has folders for.
func (p *yoloPlan) listedSplits() (listed map[string]bool) {
	listed = map[string]bool{}
	if p.yaml == nil {
		return listed
	}
	for _, entry := range p.yaml.splits {
		listed[entry.name] = true
		split := yoloSplit{name: entry.name}
		for _, path := range entry.paths {
			found, moved := p.locate(path)
			switch {
			case found == "":
				bad := level.Warn
				if entry.name == "train" {
					bad = level.Error
				}
				missing := newFinding(MissingFolder, filepath.Base(p.yaml.file), entry.line, "%s: %s does not exist",
					entry.key, readable(path))
				p.findings = append(p.findings, missing.as(bad, missing.Do))
			case isFile(found):
				split.listings = append(split.listings, found)
			case !isFolder(found):
				p.findings = append(p.findings, newFinding(MissingFolder, filepath.Base(p.yaml.file), entry.line,
					"%s: %s is neither a folder nor a list of pictures", entry.key, readable(path)).
					as(level.Error, "name the folder of the pictures, or a text file that lists them"))
			default:
				split.folders = append(split.folders, found)
			}
			if moved {
				p.findings = append(p.findings, newFinding(MovedFolder, filepath.Base(p.yaml.file), entry.line,
					"%s: %s is read from %s", entry.key, readable(path), p.short(found)))
			}
		}
		p.add(split)
	}
	return listed
}

// add keeps a split that has pictures; a second key of the same split adds to it.
func (p *yoloPlan) add(split yoloSplit) {
	if split.empty() {
		return
	}
	for i := range p.splits {
		if p.splits[i].name == split.name {
			p.splits[i].folders = append(p.splits[i].folders, split.folders...)
			p.splits[i].listings = append(p.splits[i].listings, split.listings...)
			return
		}
	}
	p.splits = append(p.splits, split)
}

// conventionalSplits adds the splits that lie where they usually do and that data.yaml does not lead to.
func (p *yoloPlan) conventionalSplits(listed map[string]bool) {
	usual := map[string][]string{"train": {"train"}, "valid": {"valid", "val", "validation"}, "test": {"test"}}
	for _, name := range []string{"train", "valid", "test"} {
		if slices.ContainsFunc(p.splits, func(s yoloSplit) bool { return s.name == name }) {
			continue
		}
		folder := p.usualFolder(usual[name])
		if folder == "" {
			continue
		}
		p.add(yoloSplit{name: name, folders: []string{folder}})
		if p.yaml != nil && len(listed) > 0 {
			p.findings = append(p.findings, newFinding(UnlistedFolder, p.short(folder), 0,
				"read as %s, though data.yaml does not lead to it", name))
		}
	}
	if len(p.splits) > 0 {
		return
	}
	for _, base := range p.bases() {
		if folder := filepath.Join(base, "images"); isFolder(folder) {
			p.add(yoloSplit{name: "train", folders: []string{folder}})
			p.findings = append(p.findings, newFinding(NoSplits, p.short(folder), 0,
				"the pictures are not sorted into splits"))
			return
		}
	}
}

// usualFolder is the first folder of pictures in one of the usual places of a split.
func (p *yoloPlan) usualFolder(names []string) string {
	for _, base := range p.bases() {
		for _, name := range names {
			for _, folder := range []string{filepath.Join(base, name, "images"), filepath.Join(base, "images", name)} {
				if isFolder(folder) {
					return folder
				}
			}
		}
	}
	if p.media == "" {
		return ""
	}
	for _, name := range names {
		if folder := filepath.Join(p.media, name); isFolder(folder) {
			return folder
		}
	}
	return ""
}

// sharedFolders notes folders that two splits read.
func (p *yoloPlan) sharedFolders() {
	owner := map[string]string{}
	for _, split := range p.splits {
		for _, folder := range append(slices.Clone(split.folders), split.listings...) {
			if other, taken := owner[folder]; taken && other != split.name {
				p.findings = append(p.findings, newFinding(SameFolder, p.short(folder), 0,
					"%s and %s are the same pictures", other, split.name))
				continue
			}
			owner[folder] = split.name
		}
	}
}

func (p *yoloPlan) bases() []string {
	if p.media == "" {
		return []string{p.root}
	}
	return []string{p.root, p.media}
}

func (p *yoloPlan) short(path string) string { return shortPath(p.root, path) }

// labelFolder is where the labels of the pictures in that folder lie: the last "images" of the path within the set
// reads "labels"; without one, a folder "labels" within or beside, or else the folder itself. Where "labels" is not
// there and the pictures have text files beside them, these are the labels; so is a folder "label".
func (p *yoloPlan) labelFolder(folder string) string {
	base, rel := "", folder
	for _, candidate := range p.bases() {
		if within, err := filepath.Rel(candidate, folder); err == nil && filepath.IsLocal(within) {
			base, rel = p.root, within
			break
		}
	}
	parts := strings.Split(rel, string(filepath.Separator))
	for i := len(parts) - 1; i >= 0; i-- {
		if !strings.EqualFold(parts[i], "images") {
			continue
		}
		parts[i] = sibling(join(base, strings.Join(parts[:i], string(filepath.Separator))), "labels")
		labels := join(base, strings.Join(parts, string(filepath.Separator)))
		if isFolder(labels) {
			return labels
		}
		if holdsLabels(folder) {
			return folder
		}
		parts[i] = sibling(join(base, strings.Join(parts[:i], string(filepath.Separator))), "label")
		if label := join(base, strings.Join(parts, string(filepath.Separator))); isFolder(label) {
			return label
		}
		return labels
	}
	same := join(base, rel)
	candidates := []string{filepath.Join(same, "labels"), filepath.Join(p.root, "labels", rel)}
	if rel != "." && !holdsLabels(folder) { // JPEGImages and labels
		above := filepath.Dir(same)
		candidates = append(candidates, filepath.Join(above, sibling(above, "labels")),
			filepath.Join(above, sibling(above, "label")))
	}
	for _, candidate := range candidates {
		if filepath.IsLocal(rel) && isFolder(candidate) {
			return candidate
		}
	}
	return same
}

// sibling is the name as the folder has it: exactly, or else in another case of letters.
func sibling(folder, name string) string {
	if exists(filepath.Join(folder, name)) {
		return name
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return name
	}
	for _, entry := range entries {
		if strings.EqualFold(entry.Name(), name) {
			return entry.Name()
		}
	}
	return name
}

// holdsLabels tells whether a folder has text files that may be labels.
func holdsLabels(folder string) bool {
	entries, err := os.ReadDir(folder)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return isText(e.Name()) &&
			!notLabels(e.Name())
	})
}
