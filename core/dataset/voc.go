package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/level"
)

// voc reads the files of Pascal VOC: an XML file for each picture, with boxes in pixels, and lists of the splits.
type voc struct{}

func (voc) name() string { return "voc" }

func (voc) holds() string {
	return "a VOC set has an XML file for each picture, in Annotations or beside it"
}

const vocSniffed = "Pascal VOC XML" // as formatOf calls it

// detect finds annotations in the folder, or in one folder below or in one of these, as VOCdevkit/VOC2012.
func (voc) detect(path string) (string, error) {
	if isFile(path) {
		return "", nil
	}
	for level, folders := 0, []string{path}; level < 3 && len(folders) > 0; level++ {
		var found, next []string
		for _, folder := range folders {
			if len(vocFolders(folder)) > 0 {
				found = append(found, folder)
			}
			next = append(next, subfolders(folder)...)
		}
		if len(found) > 0 {
			return oneOf(path, found)
		}
		const most = 100 // folders that are looked into
		folders = next[:min(len(next), most)]
	}
	return "", nil
}

// vocFolders are the folders of a set that hold annotations: Annotations, or else those of the splits, or else the
// set's own.
func vocFolders(root string) []string {
	for _, folder := range subfolders(root) {
		if strings.EqualFold(filepath.Base(folder), "annotations") && holdsVOC(folder) {
			return []string{folder}
		}
	}
	var folders []string
	for _, folder := range subfolders(root) {
		if splitOf(filepath.Base(folder)) == "" {
			continue
		}
		for _, inner := range []string{folder, filepath.Join(folder, "Annotations"),
			filepath.Join(folder, "annotations")} {
			if holdsVOC(inner) {
				folders = append(folders, inner)
				break
			}
		}
	}
	if len(folders) == 0 && holdsVOC(root) {
		folders = []string{root}
	}
	return folders
}

// holdsVOC tells whether one of the first XML files of a folder is an annotation.
func holdsVOC(folder string) bool {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	looked := 0
	for _, entry := range entries {
		if isXML(entry.Name()) {
			if formatOf(filepath.Join(folder, entry.Name())) == vocSniffed {
				return true
			}
			if looked++; looked == 3 {
				break
			}
		}
	}
	return false
}

func isXML(name string) bool { return strings.EqualFold(filepath.Ext(name), ".xml") }

// vocListing puts the annotations of a set together.
type vocListing struct {
	*listing
	media  string
	ids    map[string]bool
	places pictures
	files  []vocFile // of each item
	names  []string
}

func (v voc) list(ctx context.Context, at string, ask request) (*listing, error) {
	b := &vocListing{listing: &listing{root: at}, media: ask.media, ids: map[string]bool{},
		places: pictures{bases: []string{at}}}
	if ask.media != "" {
		b.places.bases = append(b.places.bases, ask.media)
	}
	folders := vocFolders(at)
	stems := map[string]string{} // "split/stem" → XML file
	var order []string
	lists := b.lists()
	var present []string
	add := func(split, stem, file string) {
		if key := split + "/" + stem; stems[key] == "" {
			stems[key] = file
			order = append(order, key)
		}
		if !slices.Contains(present, split) {
			present = append(present, split)
		}
	}
	unlisted := tally{}
	for _, folder := range folders {
		walk(folder, func(path string, inner bool) bool {
			if inner || !isXML(path) {
				return true
			}
			rel, _ := within(folder, path)
			stem := strings.TrimSuffix(filepath.ToSlash(rel), filepath.Ext(rel))
			splits := lists.of[stem]
			switch split := splitOf(strings.TrimPrefix(folder, at)); {
			case split != "":
				splits = []string{split}
			case lists.of == nil:
				splits = []string{trainSplit}
			case len(splits) == 0:
				unlisted.add(0, stem)
			}
			for _, split := range splits {
				add(split, stem, path)
			}
			return true
		}, nil)
	}
	b.sayLists(lists, unlisted, stems, len(folders) == 1 && splitOf(strings.TrimPrefix(folders[0], at)) == "")
	wanted, err := ask.splits(present)
	if err != nil {
		return nil, err
	}
	for _, split := range present {
		if wanted(split) {
			b.splits = append(b.splits, split)
		}
	}
	for _, key := range order {
		if split, stem, _ := strings.Cut(key, "/"); wanted(split) {
			b.items = append(b.items, Item{ID: uniqueID(b.ids, split, stem+".xml"), Split: split, Labels: stems[key]})
		}
	}
	return b.listing, b.readAll(ctx, ask.report)
}

// vocLists are the lists in ImageSets/Main: of each name the splits, nil where there are no lists.
type vocLists struct {
	of     map[string][]string
	folder string
	twice  tally
}

// lists reads train.txt, val.txt and test.txt, or else trainval.txt alone.
func (b *vocListing) lists() (l vocLists) {
	for _, folder := range []string{"ImageSets/Main", "ImageSets/Segmentation", "ImageSets"} {
		l.folder = filepath.Join(b.root, filepath.FromSlash(folder))
		for _, name := range []string{"train.txt", "val.txt", "valid.txt", "test.txt"} {
			l.read(filepath.Join(l.folder, name), splitOf(name))
		}
		if l.of == nil {
			l.read(filepath.Join(l.folder, "trainval.txt"), trainSplit)
		}
		if l.of != nil {
			return l
		}
	}
	return l
}

func (l *vocLists) read(file, split string) {
	text, _, err := readTextAnyhow(file, "")
	if err != nil {
		return
	}
	if l.of == nil {
		l.of = map[string][]string{}
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") || len(fields) > 1 && fields[len(fields)-1] == "-1" {
			continue
		}
		name := rawBytes(fields[0])
		splits := l.of[name]
		if slices.Contains(splits, split) {
			continue
		}
		if len(splits) > 0 {
			l.twice.add(number, name)
		}
		l.of[name] = append(splits, split)
	}
}

// sayLists notes what the lists and the files do not agree about.
func (b *vocListing) sayLists(l vocLists, unlisted tally, stems map[string]string, together bool) {
	if l.of == nil {
		if together {
			b.findings = append(b.findings, newFinding(NoSplits, "", 0, "the pictures are not sorted into splits").
				as(level.Warn, "list their names in ImageSets/Main/train.txt and val.txt; all are taken for train"))
		}
		return
	}
	folder := b.short(l.folder)
	if unlisted.n > 0 {
		b.findings = append(b.findings, unlisted.finding(UnlistedFolder, folder, "%s in no list, as %s",
			"annotation is",
			"annotations are").as(level.Info, "nothing if they do not belong to a split; else list them"))
	}
	if l.twice.n > 0 {
		b.findings = append(b.findings, l.twice.finding(SameFolder, folder, "%s in several lists, as %s", "picture is",
			"pictures are"))
	}
	absent := tally{}
	names := make([]string, 0, len(l.of))
	for name := range l.of {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if stems[l.of[name][0]+"/"+name] == "" {
			absent.add(0, name)
		}
	}
	if absent.n > 0 {
		b.findings = append(b.findings, absent.finding(MissingLabel, folder,
			"%s an annotation, as %s; it is left out", "name of a list lacks", "names of the lists lack").
			as(level.Warn, "add the XML file, or take the name out of the list"))
	}
}

func (b *vocListing) short(path string) string { return shortPath(b.root, path) }

// readAll reads the XML files of all items.
func (b *vocListing) readAll(ctx context.Context, report Progress) error {
	b.files = make([]vocFile, len(b.items))
	err := share(ctx, len(b.items), "reading annotations", report, func() func(i int) {
		return func(i int) { b.files[i] = readVOC(b.items[i].Labels, b.short(b.items[i].Labels)) }
	})
	if err != nil {
		return err
	}
	b.complete()
	return nil
}

// complete finds the pictures and classes of the files that have been read.
func (b *vocListing) complete() {
	b.takeClasses()
	for i := range b.items {
		item, file := &b.items[i], &b.files[i]
		b.findings = append(b.findings, file.findings...)
		item.setSize(file.size.width, file.size.height)
		item.Objects = file.objects
		var said []Finding
		item.Media, said = b.locate(item, file)
		b.findings = append(b.findings, said...)
	}
	b.rules = fmt.Sprintf("%q", b.names)
	b.classes = func([]Item) []string { return b.names }
	b.labels = func(d *desk) func(i int) []Finding {
		return func(i int) []Finding {
			item := &b.items[i]
			p := placing{item: item, file: b.short(item.Labels), classes: len(b.names), lines: true}
			p.pixels(b.files[i].size)
			p.all(d, func(line int) string { return fmt.Sprintf("the object of line %d", line) })
			if b.files[i].empty() {
				p.note(EmptyLabelFile, "no objects: the picture counts as showing none of the classes")
			}
			return p.findings
		}
	}
}
