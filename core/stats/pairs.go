package stats

import (
	"math"
	"slices"

	"finetui/core/config"
	"finetui/core/dataset"
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

// Vertical says how a lies to b by height: negative above, positive below, 0 level.
func Vertical(a, b dataset.Point, cfg config.Dataset) int {
	return side(a.Y-b.Y, cfg.LevelWithin+onLimit)
}

// Horizontal says how a lies to b by width: negative left, positive right, 0 aligned. On the limit is not aligned.
func Horizontal(a, b dataset.Point, cfg config.Dataset) int {
	return side(a.X-b.X, max(cfg.AlignedWithin-onLimit, 0))
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

// pairCounts is what is counted for two classes while images are gone through.
type pairCounts struct {
	Directions
	pairs, images int
	lastSeen      int // image, from 1
}

// pairs counts relations and co-occurrence of all pairs of objects; order is the place of each class by name.
func pairs(items []*dataset.Item, p Part, order []int, cfg config.Dataset) ([]Relation, []Cooccurrence) {
	counts := map[[2]int]*pairCounts{}
	for i, item := range items {
		for j, first := range item.Objects {
			for _, second := range item.Objects[j+1:] {
				a, b := first, second
				if order[a.Class] > order[b.Class] {
					a, b = b, a
				}
				key := [2]int{a.Class, b.Class}
				c := counts[key]
				if c == nil {
					c = &pairCounts{}
					counts[key] = c
				}
				c.pairs++
				if c.lastSeen != i+1 {
					c.lastSeen = i + 1
					c.images++
				}
				c.count(a.Box.Center(), b.Box.Center(), cfg)
			}
		}
	}
	keys := make([][2]int, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y [2]int) int {
		if d := order[x[0]] - order[y[0]]; d != 0 {
			return d
		}
		return order[x[1]] - order[y[1]]
	})
	relations := make([]Relation, len(keys))
	together := make([]Cooccurrence, len(keys))
	for i, key := range keys {
		c, a, b := counts[key], key[0], key[1]
		relations[i] = Relation{A: a, B: b, Directions: c.Directions}
		together[i] = Cooccurrence{A: a, B: b, Pairs: c.pairs, Images: c.images, Share: float64(c.images) / float64(p.Images)}
		if a != b {
			together[i].Lifted = true
			together[i].Lift = float64(c.images) * float64(p.Images) / (float64(p.ImagesWithClass[a]) * float64(p.ImagesWithClass[b]))
		}
	}
	return relations, together
}

func (c *pairCounts) count(a, b dataset.Point, cfg config.Dataset) {
	switch Vertical(a, b, cfg) {
	case -1:
		c.Above++
	case 1:
		c.Below++
	default:
		c.Level++
	}
	switch Horizontal(a, b, cfg) {
	case -1:
		c.Left++
	case 1:
		c.Right++
	default:
		c.Aligned++
	}
}
