package dataset

import (
	"context"
	"fmt"
	"hash"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/filehash"
)

// format is one way in which a data set can be written. The package comment says how to add one.
type format interface {
	// name is the word for it in DATASET.FORMAT.
	name() string
	// holds says in a few words by what such a set is known, for who named a folder that has none.
	holds() string
	// detect returns where within path (a folder or a file) such a set begins, or "" where there is none. An error says
	// that there are several and how to choose.
	detect(path string) (at string, err error)
	// list finds out what the set at that place consists of. An error means that it cannot be read at all.
	list(ctx context.Context, at string, ask request) (*listing, error)
}

var formats = []format{yolo{}, coco{}, voc{}, conversations{}, qved{}}

// request is what a configuration asks of a set.
type request struct {
	more   []string // folders that files may lie in where the others do not have them; the project's is the last
	media  string   // the folder of DATASET.MEDIA; "" where none is named
	only   []string // DATASET.SPLITS
	report Progress // may be nil

	byGroup bool // DATASET.SPLIT_BY = participant
}

// splits returns a filter for DATASET.SPLITS, or an error where it names a split that is not among present.
func (r request) splits(present []string) (wanted func(split string) bool, err error) {
	if len(r.only) == 0 {
		return func(string) bool { return true }, nil
	}
	var names []string
	for _, name := range r.only {
		split := config.SplitName(name)
		if !slices.Contains(present, split) {
			return nil, &config.Unusable{Key: "DATASET.SPLITS",
				Text: fmt.Sprintf("there is no split %q: this set has %s",
					name, strings.Join(present, ", "))}
		}
		names = append(names, split)
	}
	return func(split string) bool { return slices.Contains(names, split) }, nil
}

// listing is a set as its format lists it: the items without what their pictures tell, and how their labels are read.
type listing struct {
	root   string   // the folder that findings name files from
	splits []string // that are read, in any order
	// in any order, with ID, Split, Media and Labels; and with Objects where the format has them by now
	items    []Item
	findings []Finding
	// seen is, of each item, what its files were like before they were read; nil, and zero, where nobody looked.
	seen []identity
	// tell writes what the state of the set is; nil where it has none.
	tell func(to hash.Hash) (ok bool)
	// rules is everything that labels depends on beside the files of an item, so that a kept look is not taken for
	// another one.
	rules string
	// labels returns what reads the labels of items[i], one after another; each worker asks for one of its own. The
	// sizes are filled in by then, and the item's Objects may be replaced, by objects that d.keep keeps. Nil where the
	// items are complete.
	labels func(d *desk) func(i int) []Finding
	// clips says that all items are clips: there are no headers of pictures to be read, kept and compared.
	clips bool
	// classes is the names of the classes, once all items are read.
	classes func(items []Item) []string
}

// finish does what is the same for all formats: it reads the headers of the pictures and the labels, on all cores and
// those that have changed alone, and compares the pictures of the splits.
func (l *listing) finish(ctx context.Context, project, at string, report Progress) (*Dataset, error) {
	set := &Dataset{Root: l.root, Splits: l.splits, Items: l.items, Findings: l.findings}
	if l.clips {
		set.name(l)
		return set, probeClips(ctx, set, report)
	}
	sights, err := readItems(ctx, set, l, newKeeper(project, at, l), report)
	if err != nil {
		return nil, err
	}
	set.name(l)
	set.knownDamage(project, sights)
	leaked, err := leaks(ctx, set.Items, sights, filehash.In(project), set.Short, report)
	if err != nil {
		return nil, err
	}
	set.Findings = append(set.Findings, leaked...)
	return set, probeClips(ctx, set, report)
}

// name fills in the classes.
func (d *Dataset) name(l *listing) {
	for _, name := range l.classes(d.Items) {
		d.Classes = append(d.Classes, Class{Name: name})
	}
}
