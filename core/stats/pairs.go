package stats

import (
	"math"
	"slices"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/eval"
)

// onLimit is how near to a limit a difference counts as on it. Boxes of whole pixels do fall on 0.05 and 0.1 of the
// picture, and bare float64 would decide by rounding.
const onLimit = 1e-9

// Directions counts pairs by how the first lies to the second.
type Directions struct {
	Above, Below, Level  int // by y
	Left, Right, Aligned int // by x
}

func (d *Directions) add(other Directions) {
	d.Above += other.Above
	d.Below += other.Below
	d.Level += other.Level
	d.Left += other.Left
	d.Right += other.Right
	d.Aligned += other.Aligned
}

// Relation counts how the objects of class A lie to those of class B in the same image; A stands before B in name
// order. Within one class the order is that of the label file, so that only Above + Below and Left + Right say
// something.
type Relation struct {
	A, B int // classes
	Directions
}

// Cooccurrence counts two classes being in one image. A stands before B in name order; a class with itself is a pair of
// two objects.
type Cooccurrence struct {
	A, B   int
	Pairs  int     // unordered pairs of objects
	Images int     // images that hold such a pair
	Share  float64 // the same as a share of all images
	Lift   float64 // Images · all images / (images with A · images with B): above 1, more often than by chance
	Lifted bool    // false for a class with itself, which has no lift
}

// limits are how near two centres are for being level and aligned.
type limits struct{ level, aligned float64 }

func limitsOf(cfg *config.Dataset) limits {
	return limits{cfg.LevelWithin + onLimit, max(cfg.AlignedWithin-onLimit, 0)}
}

// Vertical says how a lies to b by height: negative above, positive below, 0 level.
func Vertical(a, b dataset.Point, cfg config.Dataset) int {
	return side(a.Y-b.Y, limitsOf(&cfg).level)
}

// Horizontal says how a lies to b by width: negative left, positive right, 0 aligned. On the limit is not aligned.
func Horizontal(a, b dataset.Point, cfg config.Dataset) int {
	return side(a.X-b.X, limitsOf(&cfg).aligned)
}

func side(difference, within float64) int {
	switch {
	case math.Abs(difference) <= within:
		return 0
	case difference < 0:
		return -1
	}
	return 1
}

// pairTable counts the pairs of two classes while images are gone through. A pair of classes is looked up without
// hashing as long as there are not too many classes.
type pairTable struct {
	limits  limits
	order   []int // place of each class by name
	classes int
	dense   []*pairCounts // by class · classes + class; nil where there are too many classes
	sparse  map[[2]int]*pairCounts
	used    [][2]int // pairs of classes that occur, A before B in name order
	image   int      // number of the image that is gone through, from 1
	crowd   crowd
}

// pairCounts is what is counted for two classes.
type pairCounts struct {
	Directions
	pairs, images int
	lastSeen      int // image, from 1
}

// mostDense is how many classes have a table of all pairs; more have a map of those that occur.
const mostDense = 512

func newPairTable(order []int, cfg config.Dataset) *pairTable {
	t := &pairTable{limits: limitsOf(&cfg), order: order, classes: len(order)}
	if t.classes <= mostDense {
		t.dense = make([]*pairCounts, t.classes*t.classes)
	} else {
		t.sparse = map[[2]int]*pairCounts{}
	}
	return t
}

// of returns the counts of two classes, the first before the second in name order.
func (t *pairTable) of(a, b int) *pairCounts {
	if t.dense != nil {
		if c := t.dense[a*t.classes+b]; c != nil {
			return c
		}
	} else if c := t.sparse[[2]int{a, b}]; c != nil {
		return c
	}
	c := &pairCounts{}
	t.used = append(t.used, [2]int{a, b})
	if t.dense != nil {
		t.dense[a*t.classes+b] = c
	} else {
		t.sparse[[2]int{a, b}] = c
	}
	return c
}

// placed is an object as far as pairs ask about it.
type placed struct {
	class  int
	center dataset.Point
}

// add counts the pairs of one image.
func (t *pairTable) add(objects []dataset.Object) {
	t.image++
	here := t.crowd.placed[:0]
	for i := range objects {
		if objects[i].Text != nil {
			continue // said of the whole picture or clip: it lies nowhere
		}
		here = append(here, placed{objects[i].Class, objects[i].Box.Center()})
	}
	t.crowd.placed = here
	if len(here) > crowdFrom {
		t.addCrowd()
		return
	}
	for j, first := range here {
		for _, second := range here[j+1:] {
			a, b := first, second
			if t.order[a.class] > t.order[b.class] {
				a, b = b, a
			}
			c := t.of(a.class, b.class)
			t.seen(c, 1)
			c.count(a.center, b.center, t.limits)
		}
	}
}

// seen notes so many pairs of objects in the image that is gone through.
func (t *pairTable) seen(c *pairCounts, pairs int) {
	c.pairs += pairs
	if c.lastSeen != t.image {
		c.lastSeen = t.image
		c.images++
	}
}

// merge adds what another table has counted in other images.
func (t *pairTable) merge(other *pairTable) {
	for _, key := range other.used {
		from, to := other.of(key[0], key[1]), t.of(key[0], key[1])
		to.Directions.add(from.Directions)
		to.pairs += from.pairs
		to.images += from.images
	}
}

// results lists relations and co-occurrence of the part that was counted.
func (t *pairTable) results(p Part) ([]Relation, []Cooccurrence) {
	keys := slices.Clone(t.used)
	slices.SortFunc(keys, func(x, y [2]int) int {
		if d := t.order[x[0]] - t.order[y[0]]; d != 0 {
			return d
		}
		return t.order[x[1]] - t.order[y[1]]
	})
	relations := make([]Relation, len(keys))
	together := make([]Cooccurrence, len(keys))
	for i, key := range keys {
		a, b := key[0], key[1]
		c := t.of(a, b)
		relations[i] = Relation{A: a, B: b, Directions: c.Directions}
		together[i] = Cooccurrence{A: a, B: b, Pairs: c.pairs, Images: c.images,
			Share: float64(c.images) / float64(p.Images)}
		if a != b {
			together[i].Lifted = true
			together[i].Lift = float64(c.images) * float64(p.Images) / (float64(p.ImagesWithClass[a]) *
				float64(p.ImagesWithClass[b]))
		}
	}
	return relations, together
}

func (c *pairCounts) count(a, b dataset.Point, within limits) {
	switch side(a.Y-b.Y, within.level) {
	case -1:
		c.Above++
	case 1:
		c.Below++
	default:
		c.Level++
	}
	switch side(a.X-b.X, within.aligned) {
	case -1:
		c.Left++
	case 1:
		c.Right++
	default:
		c.Aligned++
	}
}

// Usually says whether so many of all pairs lie one way that this may be told as the usual one: more than half of them,
// by the lower end of their 95 % interval (Wilson, 1927).
func Usually(n, pairs int) bool {
	interval := eval.Wilson(n, pairs, eval.Confidence)
	return interval != nil && interval[0] > 0.5
}
