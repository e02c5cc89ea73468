package dataset

import (
	"fmt"
	"path/filepath"
	"strings"

	"finetui/core/level"
)

// cocoListing puts the annotation files of a set together.
type cocoListing struct {
	*listing
	root, media string
	names       []string        // of the classes
	supers      []string        // their supercategories
	used        []bool          // classes that have an annotation
	classAt     map[string]int  // name → class
	ids         map[string]bool // of items, taken
	stated      []pixelSize     // of each item, as the file says
	pictures    pictures
}

type pixelSize struct{ width, height int }

func (b *cocoListing) short(path string) string { return shortPath(b.root, path) }

// add takes one file into a split.
func (b *cocoListing) add(split, path string) error {
	f, err := readCOCO(path, b.short(path))
	if err != nil {
		return fmt.Errorf("DATASET.PATH: %s cannot be read: %w: make it readable, or name another folder",
			readable(path), bare(err))
	}
	b.take(split, f)
	return nil
}

// take adds a file that has been read.
func (b *cocoListing) take(split string, f *cocoFile) {
	b.findings = append(b.findings, f.findings...)
	classes := b.takeClasses(f)
	first := len(b.items)
	items := b.takeImages(f, split)

	// the annotations of each picture, side by side
	counts := make([]int, len(f.images)+1)
	for i := range f.objects {
		owner := f.owners[i]
		if owner < 0 || items[owner] < 0 {
			b.findings = append(b.findings, newFinding(UnknownImage, f.short, 0,
				"%s belongs to no picture of the list", annotationName(f.objects[i].Line)))
			f.owners[i] = -1
			continue
		}
		counts[owner+1]++
	}
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
	room := make([]Object, counts[len(counts)-1])
	next := append([]int(nil), counts...)
	for i := range f.objects {
		if owner := f.owners[i]; owner >= 0 {
			o := f.objects[i]
			if class := o.Class; class >= 0 {
				o.Class = classes[class]
			}
			if o.Class >= 0 {
				b.used[o.Class] = true
			}
			room[next[owner]] = o
			next[owner]++
		}
	}
	for owner, item := range items {
		if item >= 0 {
			own := room[counts[owner]:counts[owner+1]:counts[owner+1]]
			b.items[first+item].Objects = own
			if len(own) == 0 {
				b.items[first+item].Objects = nil
			}
		}
	}
}

// takeClasses finds the classes of a file's categories by their names; -1 for those that are not listed.
func (b *cocoListing) takeClasses(f *cocoFile) []int {
	classes := make([]int, len(f.categories))
	var names []string
	var at []int
	for i := range classes {
		classes[i] = -1
	}
	for _, i := range f.order {
		category := f.categories[i]
		if name := readable(category.name); name != category.name {
			f := newFinding(NotUTF8, f.short, 0, "the name of a category is not UTF-8 text: %s", name)
			f.Do = namesDo
			b.findings = append(b.findings, f)
		}
		names, at = append(names, readable(category.name)), append(at, int(i))
	}
	for _, twin := range uniqueNames(names) {
		b.findings = append(b.findings, newFinding(DuplicateName, f.short, 0, "two categories are named %q", twin.name).
			as(level.Warn, "give each category its own name; the later one is shown with a number"))
	}
	for k, name := range names {
		class, known := b.classAt[name]
		if !known {
			class = len(b.names)
			b.classAt[name] = class
			b.names = append(b.names, name)
			b.supers = append(b.supers, readable(f.categories[at[k]].super))
			b.used = append(b.used, false)
		}
		classes[at[k]] = class
	}
	return classes
}

// takeImages makes items of a file's pictures: of each the number among those that are added, -1 where it is none.
func (b *cocoListing) takeImages(f *cocoFile, split string) []int {
	bases := b.bases(f.path, split)
	items := make([]int, len(f.images))
	first := len(b.items)
	elsewhere := tally{}
	for i, image := range f.images {
		items[i] = -1
		if !image.listed {
			continue
		}
		items[i] = len(b.items) - first
		media, moved := b.locate(image.name, bases)
		if moved {
			elsewhere.add(0, image.name)
		}
		name := readable(filepath.ToSlash(filepath.Clean(strings.ReplaceAll(image.name, `\`, "/"))))
		item := Item{ID: uniqueID(b.ids, split, name), Split: split, Media: media, Labels: f.path}
		item.setSize(image.width, image.height)
		if media == "" {
			b.findings = append(b.findings, newFinding(MissingImage, f.short, 0, "there is no picture %s",
				quote(readable(image.name))).as(level.Error,
				"add the picture, or name its folder in DATASET.MEDIA; its "+
					"labels count, but nothing can be trained on it"))
		}
		b.items = append(b.items, item)
		b.stated = append(b.stated, pixelSize{image.width, image.height})
	}
	if elsewhere.n > 0 {
		b.findings = append(b.findings, elsewhere.finding(MovedList, f.short,
			"%s elsewhere than the file says, as %s; the pictures were found by the ends of their paths",
			"picture lies",
			"pictures lie"))
	}
	return items
}

// uniqueID is an id for an item: its split and its name without the ending, or with it where another one has that id.
func uniqueID(taken map[string]bool, split, name string) string {
	id := split + "/" + strings.TrimSuffix(name, filepath.Ext(name))
	for n := 2; taken[id]; n++ {
		if id = split + "/" + name; n > 2 {
			id = fmt.Sprintf("%s/%s#%d", split, name, n)
		}
	}
	taken[id] = true
	return id
}

// bases are the folders that the pictures of a file may lie in, the likeliest first: those named as its split.
func (b *cocoListing) bases(file, split string) (bases []string) {
	roots := []string{b.root}
	if b.media != "" {
		roots = []string{b.media, b.root}
	}
	for _, root := range roots {
		for _, folder := range append(subfolders(filepath.Join(root, "images")), subfolders(root)...) {
			if name := filepath.Base(folder); splitOf(name) == split || strings.EqualFold(name, split) {
				bases = append(bases, folder, filepath.Join(folder, "images"))
			}
		}
	}
	if b.media != "" {
		bases = append(bases, b.media)
	}
	return append(bases, filepath.Dir(file), filepath.Join(b.root, "images"), b.root)
}

// locate finds a picture; moved says that it had to be looked for by the end of its path.
func (b *cocoListing) locate(name string, bases []string) (path string, moved bool) {
	w := parseWritten(filepath.ToSlash(name))
	if w.absolute && !w.foreign && isFile(name) {
		return name, false
	}
	if !w.absolute && filepath.IsLocal(filepath.Join(w.parts...)) {
		for _, base := range bases {
			if path := filepath.Join(base, filepath.Join(w.parts...)); isFile(path) {
				return path, false
			}
		}
	}
	path = b.pictures.byEnd(w)
	return path, path != ""
}

// finish completes the listing once all files are added.
func (b *cocoListing) finish() *listing {
	l := b.listing
	b.dropSupercategory()
	l.rules = fmt.Sprintf("%q", b.names)
	l.classes = func([]Item) []string { return b.names }
	l.labels = func(d *desk) func(i int) []Finding {
		return func(i int) []Finding {
			p := placing{item: &l.items[i], file: b.short(l.items[i].Labels), classes: len(b.names)}
			p.pixels(b.stated[i])
			p.all(d, annotationName)
			return p.findings
		}
	}
	return l
}

// dropSupercategory takes off the class that Roboflow writes for the supercategory of all others.
func (b *cocoListing) dropSupercategory() {
	for c, name := range b.names {
		if b.used[c] || len(b.names) < 2 || b.supers[c] != "none" && b.supers[c] != "" {
			continue
		}
		all := true
		for other, super := range b.supers {
			all = all && (other == c || super == name)
		}
		if !all {
			continue
		}
		b.findings = append(b.findings, newFinding(SuperClass, "", 0,
			"category %q is the supercategory of all others and has no annotation: it is no class", name))
		b.names = append(b.names[:c:c], b.names[c+1:]...)
		for i := range b.items {
			for o := range b.items[i].Objects {
				if class := &b.items[i].Objects[o].Class; *class > c {
					*class--
				}
			}
		}
		return
	}
}
