package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"finetui/core/filehash"
)

// yoloListing collects the pictures of all splits and the label files that belong to them.
type yoloListing struct {
	plan         *yoloPlan
	items        []Item
	findings     []Finding
	survey       survey
	labelRoots   map[string]<-chan labelTree // folder of a split's labels → its text files, listed meanwhile
	seen         []identity                  // of the items, what the walks saw
	labelFolders map[string]string           // folder of pictures → folder of its labels
	used         map[string]int              // label file → the first item that it belongs to
	shared       [][2]int                    // items that have one label file: the later and the first
	beside       []string                    // text files among pictures whose labels should lie elsewhere
	pictures     pictures
	textLinks    map[string]string // file → the folder that it names in place of a link; "" for other files
	behind       map[string]string // path of a picture → where it lies behind such a file
}

func newYOLOListing(plan *yoloPlan) *yoloListing {
	return &yoloListing{plan: plan, labelRoots: map[string]<-chan labelTree{}, labelFolders: map[string]string{},
		used:      map[string]int{},
		pictures:  pictures{bases: plan.bases()},
		textLinks: map[string]string{}, behind: map[string]string{}}
}

// list adds the pictures of one split.
func (l *yoloListing) list(ctx context.Context, split yoloSplit) {
	s := &splitListing{yoloListing: l, split: split.name, ids: map[string]bool{}, paths: map[string]bool{}}
	for _, folder := range split.folders {
		root := pictureRoot(folder)
		pictures, isNew := l.survey.add(ctx, folder)
		if !isNew { // two splits read it
			pictures = newCensus(ctx, folder)
		}
		if labels := l.plan.labelFolder(root); l.labelRoots[labels] == nil {
			c, isNew := l.survey.add(ctx, labels)
			if !isNew {
				c = newCensus(ctx, labels)
			}
			texts := make(chan labelTree, 1)
			go func() { texts <- labelFiles(labels, c) }()
			l.labelRoots[labels] = texts
		}
		w, visited := walker{census: pictures, failed: l.failed}, 0
		w.visit = func(path string, inner bool, stat filehash.Stat) bool {
			if len(l.items) == cap(l.items) { // room for all that this folder may have
				more := max(1, pictures.files-visited)
				l.items, l.seen = slices.Grow(l.items, more), slices.Grow(l.seen, more)
			}
			if !inner {
				visited++
			}
			switch {
			case inner:
			case isPicture(path):
				if s.add(folder, path) && l.items[len(l.items)-1].Media == path {
					l.seen[len(l.seen)-1].picture = stat
				}
			case isText(path):
				l.beside = append(l.beside, path)
			}
			return pictureFiles(path, inner, stat)
		}
		w.run(folder)
	}
	for _, file := range split.listings {
		s.readList(file)
	}
}

// pictureRoot is the folder of a split's pictures, of which its labels' one follows: a folder images within, or itself.
func pictureRoot(folder string) string {
	if inner := filepath.Join(folder, "images"); isFolder(inner) {
		return inner
	}
	return folder
}

// pictureFiles and textFiles say which folders are entered for pictures, and for labels.
func pictureFiles(string, bool, filehash.Stat) bool       { return true }
func textFiles(path string, _ bool, _ filehash.Stat) bool { return !isText(path) }

// failed notes a folder that cannot be read.
func (l *yoloListing) failed(path string, err error) {
	l.findings = append(l.findings, newFinding(UnreadableFolder, l.plan.short(path), 0,
		"the folder cannot be read: %v", bare(err)))
}

// splitListing adds the pictures of one split.
type splitListing struct {
	*yoloListing
	split      string
	ids, paths map[string]bool // that are taken
}

// add makes an item of a picture; one that is there already stays one. Its id is its path within the split's folder
// without the ending, or with it where another picture has that id.
func (l *splitListing) add(folder, path string) (isNew bool) {
	if l.paths[path] {
		return false
	}
	l.paths[path] = true
	name, is := within(folder, path)
	if !is {
		var err error
		if name, err = filepath.Rel(folder, path); err != nil {
			name = filepath.Base(path)
		}
	}
	name = readable(filepath.ToSlash(name))
	if !utf8.ValidString(path) {
		l.findings = append(l.findings, newFinding(NameNotUTF8, l.plan.short(path), 0,
			"the picture's name is not UTF-8 text"))
	}
	id := strings.TrimSuffix(name, filepath.Ext(name))
	for n := 2; l.ids[id]; n++ {
		if id = name; n > 2 {
			id = fmt.Sprintf("%s#%d", name, n)
		}
	}
	l.ids[id] = true

	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	label := l.labelsOf(filepath.Dir(path)) + string(filepath.Separator) + stem + ".txt"
	if other, shared := l.used[label]; !shared {
		l.used[label] = len(l.items)
	} else if owner := &l.items[other]; owner.Split == l.split && owner.Media != path {
		l.shared = append(l.shared, [2]int{len(l.items), other})
	}
	media := path
	if target, there := l.behind[path]; there {
		media = target
	}
	l.seen = append(l.seen, identity{})
	l.items = append(l.items, Item{ID: l.split + "/" + id, Split: l.split, Media: media, Labels: label})
	return true
}

// labelsOf is the folder of the labels of the pictures in a folder.
func (l *yoloListing) labelsOf(pictures string) string {
	labels, known := l.labelFolders[pictures]
	if known {
		return labels
	}
	labels = l.plan.labelFolder(pictures)
	l.labelFolders[pictures] = labels
	if labels == pictures && underImages(pictures) {
		l.findings = append(l.findings, newFinding(LabelsBeside, l.plan.short(pictures), 0,
			"the label files lie beside the pictures"))
	}
	return labels
}

// readList adds the pictures that a text file names, one a line. Lines of another machine are followed as far as it is
// certain which picture is meant.
func (l *splitListing) readList(file string) {
	short := l.plan.short(file)
	text, note, err := readTextAnyhow(file, short)
	if err != nil {
		l.findings = append(l.findings, newFinding(UnreadableFolder, short, 0,
			"the list of pictures cannot be read: %v", bare(err)))
		return
	}
	if note.Code != "" {
		l.findings = append(l.findings, note)
	}
	var moved, repeated tally
	folders := map[string]bool{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = rawBytes(strings.TrimSpace(line))
		if line == "" {
			continue
		}
		path, otherwise := l.findPicture(line, filepath.Dir(file))
		switch {
		case path == "":
			missing := newFinding(MissingImage, short, number, "no picture %s", quote(readable(line)))
			missing.Do = "add the picture, or correct or take out the line; its labels do not count"
			l.findings = append(l.findings, missing)
			continue
		case otherwise:
			moved.add(number, line)
		}
		if folder := filepath.Dir(path); !folders[folder] {
			folders[folder] = true
			l.textsOf(folder)
		}
		if !l.add(l.plan.root, path) {
			repeated.add(number, line)
		}
	}
	if moved.n > 0 {
		l.findings = append(l.findings, moved.finding(MovedList, short,
			"%s of another machine, as %s; the pictures were found by the ends of their paths", "path", "paths"))
	}
	if repeated.n > 0 {
		l.findings = append(l.findings, repeated.finding(RepeatedPicture, short,
			"%s a picture that was listed before, as %s", "line names", "lines name"))
	}
}

// textsOf notes the text files of a folder of pictures that no walk has seen.
func (l *yoloListing) textsOf(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return // its pictures will tell
	}
	for _, entry := range entries {
		if path := filepath.Join(folder, entry.Name()); isText(path) && !entry.IsDir() {
			l.beside = append(l.beside, path)
		}
	}
}

// spares gives label files that lie or end otherwise than usual to the pictures that lack theirs, and notes those that
// belong to no picture.
func (l *yoloListing) spares() {
	orphans := l.unused()
	spare := map[string]string{} // folder and name without .txt, folded, → file
	for _, path := range append(slices.Clone(orphans), l.beside...) {
		if _, used := l.used[path]; !used && !notLabels(filepath.Base(path)) {
			spare[fold(path[:len(path)-len(".txt")])] = path
		}
	}
	kinds := map[spareKind]*tally{}
	for i := range l.items {
		if len(spare) == 0 {
			break
		}
		item := &l.items[i]
		kind, key := l.spareFor(item, spare)
		if key == "" || exists(item.Labels) {
			continue
		}
		item.Labels = spare[key]
		l.seen[i].label = filehash.Stat{}
		l.used[item.Labels] = i
		kind.folder = filepath.Dir(item.Labels)
		if kinds[kind] == nil {
			kinds[kind] = &tally{}
		}
		kinds[kind].add(0, filepath.Base(item.Labels))
	}
	for kind, t := range kinds {
		l.findings = append(l.findings, t.finding(kind.code, l.plan.short(kind.folder),
			"%s, as %s; they were read all the same", kind.one, kind.more))
	}
	for _, pair := range l.shared {
		if later, first := &l.items[pair[0]], &l.items[pair[1]]; later.Labels == first.Labels {
			l.findings = append(l.findings, newFinding(SharedLabel, l.plan.short(later.Media), 0,
				"shares its label file with %s", l.plan.short(first.Media)))
		}
	}
	for _, path := range orphans {
		if _, used := l.used[path]; !used {
			l.findings = append(l.findings, newFinding(MissingImage, l.plan.short(path), 0,
				"a label file without a picture"))
		}
	}
}

// spareKind is what is unusual about a label file, and where.
type spareKind struct{ code, one, more, folder string }

// spareFor finds a label file for a picture by another ending
// or in the picture's own folder; key "" where there is none.
func (l *yoloListing) spareFor(item *Item, spare map[string]string) (kind spareKind, key string) {
	name := filepath.Base(item.Media)
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	pictures, labels := filepath.Dir(item.Media), filepath.Dir(item.Labels)
	for _, try := range []struct {
		path string
		kind spareKind
	}{
		{filepath.Join(labels, name), spareKind{LabelEnding, "label file carries the picture's ending",
			"label files carry the picture's ending", ""}},
		{filepath.Join(labels, stem+".txt"), spareKind{LabelEnding, "label file has its ending twice",
			"label files have their ending twice", ""}},
		{filepath.Join(labels, stem),
			spareKind{LabelCase, "label file is spelt otherwise than its picture, or not .txt",
				"label files are spelt otherwise than their pictures, or not .txt", ""}},
		{filepath.Join(pictures, stem), spareKind{LabelsBeside, "label file lies beside the picture",
			"label files lie beside the pictures", ""}},
		{filepath.Join(pictures, name), spareKind{LabelsBeside, "label file lies beside the picture",
			"label files lie beside the pictures", ""}},
	} {
		if folded := fold(try.path); spare[folded] != "" {
			return try.kind, folded
		}
	}
	return kind, ""
}

// unused are the label files of the splits' folders that belong to no picture by their name.
func (l *yoloListing) unused() (paths []string) {
	for _, texts := range l.labelRoots {
		tree := <-texts
		for i, path := range tree.paths {
			if item, used := l.used[path]; !used {
				paths = append(paths, path)
			} else if l.items[item].Labels == path {
				l.seen[item].label = tree.stats[i]
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// labelTree is the text files within a folder that may hold labels.
type labelTree struct {
	paths []string
	stats []filehash.Stat
}

// labelFiles lists them. A folder that cannot be read has been said of every one of its pictures.
func labelFiles(folder string, c *census) (t labelTree) {
	c.walk(folder, func(path string, inner bool, stat filehash.Stat) bool {
		if len(t.paths) == cap(t.paths) {
			more := max(1, c.files-len(t.paths))
			t.paths, t.stats = slices.Grow(t.paths, more), slices.Grow(t.stats, more)
		}
		if !inner && isText(path) && !notLabels(filepath.Base(path)) {
			t.paths, t.stats = append(t.paths, path), append(t.stats, stat)
		}
		return textFiles(path, inner, stat)
	})
	return t
}

func isText(path string) bool { return strings.EqualFold(filepath.Ext(path), ".txt") }

// notLabels knows the text files that lie among labels and are none.
func notLabels(name string) bool {
	name = strings.ToLower(name)
	known := []string{"classes.txt", "labels.txt", "names.txt", "train.txt", "valid.txt", "val.txt", "test.txt",
		"requirements.txt"}
	return slices.Contains(known, name) || strings.HasPrefix(name, "readme")
}
