// Package demo makes the demo project's data sets: drawn pictures of slopes with YOLO labels, in the numbers of a
// published set (classes, splits, objects per image, pairs, heights), in a long tail of it, and in a balanced set for
// scoring. It trains nothing and never looks at a model.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"finetui/ml/cores"
	"finetui/ml/wholefile"
)

// Classes are the names in the order of their ids, spelled as the published set spells them.
var Classes = []string{"Toe drain", "Toe drain- Blocked", "Toe drain- Damaged", "rock toe", "rock toe damaged",
	"slope drain", "slope drain blocked", "slope drain damaged", "vegetation"}

// Ids of the classes.
const (
	toeDrain = iota
	toeDrainBlocked
	toeDrainDamaged
	rockToe
	rockToeDamaged
	slopeDrain
	slopeDrainBlocked
	slopeDrainDamaged
	vegetation
	classCount
)

// meanY is the published mean height of the box centre of each class, as a share of the picture's height.
var meanY = [classCount]float64{.66, .79, .77, .53, .69, .44, .51, .52, .57}

// The published set. The squares follow from the standard deviation 3.3525 over the 288 images with objects, and give
// 4,612 pairs.
var published = blueprint{
	splits: []split{
		{name: "train", images: 218, empty: 1, counts: [classCount]int{44, 57, 58, 119, 282, 202, 75, 118, 174}},
		{name: "valid", images: 47, empty: 1, counts: [classCount]int{4, 13, 11, 23, 49, 41, 10, 17, 40}},
		{name: "test", images: 25, counts: [classCount]int{4, 8, 7, 11, 35, 14, 12, 13, 24}},
	},
	squares: 10689,
	pairs:   444,
	most:    18,
}

// longTail is the published set's pictures with most labels of the rare classes taken out of train: 94×, where the
// published train split is 6.4× (all its splits together 7.04×). It has no test split, as it is scored on Balanced.
var longTail = func() blueprint {
	b := published
	b.labelled = &[classCount]int{3, 5, 5, 33, 282, 122, 10, 32, 84}
	b.without = "test"
	return b
}()

// balanced has as many objects of each class, about as many to an image as the published set.
func balanced(each int) blueprint {
	s := split{name: "test", images: published.imagesFor(each * classCount)}
	for c := range s.counts {
		s.counts[c] = each
	}
	return blueprint{splits: []split{s}, most: published.most, stream: 0xba1a << 32}
}

// Options say how a set is made. The zero value is the demo's own.
type Options struct {
	Seed    uint64
	Canvas  int // side of the pictures in pixels; 0: 336
	Workers int // pictures drawn at once; 0: one for each core. The files do not depend on it

	from string // a set of the same options whose pictures are taken; "": they are drawn
}

// smallestCanvas is where cracks of two units are still a pixel wide.
const smallestCanvas = 168

func (o Options) settled() (Options, error) {
	if o.Canvas == 0 {
		o.Canvas = studySide
	}
	if o.Canvas < smallestCanvas || o.Canvas > 4096 {
		return o, fmt.Errorf("demo pictures of %d pixels: choose a side from %d to 4096", o.Canvas, smallestCanvas)
	}
	if o.Workers <= 0 {
		o.Workers = cores.Count()
	}
	return o, nil
}

// Make writes the demo set to dir: {train,valid,test}/{images,labels} and data.yaml, 290 pictures with 1,465 objects.
// The same options give the same bytes. dir must not exist or be empty; it appears only when all is written. progress
// counts pictures and may be nil; when ctx ends, Make returns its error and leaves nothing.
func Make(ctx context.Context, dir string, opts Options, progress func(done, total int, what string)) error {
	return build(ctx, dir, published, opts, progress)
}

// MakeExtra writes a set of its own with the one split test: n objects in the published shares of the classes, in
// pictures that Make never draws. It behaves like Make.
func MakeExtra(ctx context.Context, dir string, n int, opts Options, progress func(done, total int,
	what string)) error {
	if n < classCount || n > 100_000 {
		return fmt.Errorf("an extra demo set of %d objects: choose a number from %d to 100000", n, classCount)
	}
	return build(ctx, dir, extra(n), opts, progress)
}

// MakeLongTail writes the train and valid splits of Make's set, the same pictures, with fewer labels in train: 94 of
// the commonest class for one of the rarest (3 5 5 33 282 122 10 32 84 objects in the order of Classes). Pictures that
// have no label left are left out. It behaves like Make.
func MakeLongTail(ctx context.Context, dir string, opts Options, progress func(done, total int, what string)) error {
	return build(ctx, dir, longTail, opts, progress)
}

// Each is how many objects of each class the demo's balanced test set has, and TestSeed what it is drawn from: one that
// nothing of a recipe was chosen on, and that no other set depends on.
const (
	Each     = 200
	TestSeed = 20261129
)

// MakeBalanced writes a set of its own with the one split test, with so many objects of each class. It behaves like
// Make.
func MakeBalanced(ctx context.Context, dir string, each int, opts Options, progress func(done, total int,
	what string)) error {
	if each < 1 || each > 10_000 {
		return fmt.Errorf("a balanced demo set of %d objects a class: choose a number from 1 to 10000", each)
	}
	return build(ctx, dir, balanced(each), opts, progress)
}

// Sets are the folders of the demo's data sets; an empty one is not drawn.
type Sets struct {
	Published, LongTail, Balanced string
	Each                          int // objects of each class of Balanced; 0: Each
}

// Draw draws the sets, each unless it is there. made is told each folder that was drawn.
func (s Sets) Draw(ctx context.Context, opts Options, made func(dir string), progress func(done, total int,
	what string)) error {
	forTest := opts
	forTest.Seed = TestSeed
	same := opts
	for _, set := range []struct {
		dir  string
		make func() error
	}{
		{s.Published, func() error { return Make(ctx, s.Published, opts, progress) }},
		{s.LongTail, func() error { return MakeLongTail(ctx, s.LongTail, same, progress) }},
		{s.Balanced, func() error {
			return MakeBalanced(ctx, s.Balanced, cmp.Or(s.Each, Each), forTest, progress)
		}},
	} {
		if set.dir == "" {
			continue
		}
		wholefile.Clear(set.dir)
		if _, err := os.Stat(set.dir); err == nil {
			continue
		}
		if err := set.make(); err != nil {
			return err
		}
		if made(set.dir); set.dir == s.Published { // just now: nobody has changed it
			same.from = set.dir
		}
	}
	return nil
}

func build(ctx context.Context, dir string, b blueprint, opts Options, progress func(done, total int,
	what string)) error {
	opts, err := opts.settled()
	if err != nil {
		return err
	}
	if err := vacant(dir); err != nil {
		return err
	}
	images, err := b.plan(opts.Seed)
	if err != nil {
		return err
	}
	arrange(images, opts.Seed+b.stream)
	b.thin(images, opts.Seed)
	err = wholefile.Folder(dir, func(draft string) error { return write(ctx, draft, b, images, opts, progress) })
	if err != nil {
		return fmt.Errorf("demo data set: %w", err)
	}
	return nil
}

// vacant checks that dir can be filled: it does not exist or is an empty folder.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("demo data set: %w: choose a folder that does not exist yet", err)
	case len(entries) > 0:
		return fmt.Errorf("demo data set: %s is not empty: choose another folder or remove it first", dir)
	}
	return nil
}
