package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// split is what one split holds.
type split struct {
	name   string
	images int
	empty  int // of them, without an object
	counts [classCount]int
}

func (s split) objects() int {
	n := 0
	for _, k := range s.counts {
		n += k
	}
	return n
}

// blueprint is the numbers that a set must have.
type blueprint struct {
	splits  []split
	squares int    // Σn² over the images, n objects in an image; 0: as it falls
	pairs   int    // Σ (rock toe damaged)·(slope drain) over the images; 0: as it falls
	most    int    // objects in one image
	stream  uint64 // added to the seed, so that two sets share no picture

	labelled *[classCount]int // of the first split's objects, that have a label; nil: all have
	without  string           // a split that is planned and not written
}

// photo is one image to be drawn.
type photo struct {
	split   string
	classes []int
	objects []object // filled by arrange
	out     bool     // it is not written
}

// imagesFor is how many images n objects are dealt out to, about as many to an image as b has.
func (b blueprint) imagesFor(n int) int {
	objects, images := 0, 0
	for _, s := range b.splits {
		images += s.images - s.empty
		objects += s.objects()
	}
	return max(1, (n*images+objects/2)/objects)
}

// extra is n objects in the published shares (largest remainders), about as many to an image as in the published set.
func extra(n int) blueprint {
	var total [classCount]int
	sum := 0
	for _, s := range published.splits {
		for c, k := range s.counts {
			total[c] += k
			sum += k
		}
	}
	s := split{name: "test", images: published.imagesFor(n)}
	left := n
	for c, k := range total {
		s.counts[c] = n * k / sum
		left -= s.counts[c]
	}
	order := make([]int, classCount)
	for c := range order {
		order[c] = c
	}
	slices.SortStableFunc(order, func(a, b int) int { return n*total[b]%sum - n*total[a]%sum })
	for _, c := range order[:left] {
		s.counts[c]++
	}
	return blueprint{splits: []split{s}, most: published.most, stream: 0x5eed << 32}
}

// plan deals the objects out to images so that all sums come out exactly. It draws at random and repairs by small
// exchanges, so the same seed gives the same plan.
func (b blueprint) plan(seed uint64) ([]photo, error) {
	rng := rand.New(rand.NewPCG(seed+b.stream, 1))
	counts := b.crowds(rng)
	if b.squares > 0 && !b.fitSquares(counts, rng) {
		return nil, fmt.Errorf("demo seed %d: no plan with Σn² = %d was found: choose another seed", seed, b.squares)
	}
	var images []photo
	for i, s := range b.splits {
		images = append(images, s.deal(counts[i], rng)...)
	}
	if b.pairs > 0 && !fitPairs(images, b.pairs, rng) {
		return nil, fmt.Errorf("demo seed %d: no plan with %d pairs was found: choose another seed", seed, b.pairs)
	}
	return images, nil
}

// thin takes labels away until the first split has those that b wants, and leaves out its pictures without one and the
// split that is not written. The pictures stay as they are.
func (b blueprint) thin(images []photo, seed uint64) {
	if b.labelled == nil {
		return
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	var of [classCount][]*object
	for i := range images {
		images[i].out = images[i].split == b.without
		for k := range images[i].objects {
			if o := &images[i].objects[k]; images[i].split == b.splits[0].name {
				of[o.class] = append(of[o.class], o)
			}
		}
	}
	for c, objects := range of {
		rng.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
		for _, o := range objects[min(b.labelled[c], len(objects)):] {
			o.unlabelled = true
		}
	}
	for i := range images {
		if p := &images[i]; p.split == b.splits[0].name {
			p.out = !slices.ContainsFunc(p.objects, func(o object) bool { return !o.unlabelled })
		}
	}
}

// crowds draws how many objects each image with any has, per split: one and a negative binomial, then moved to the sum.
// The first image of the first split is the fullest, the second has one object.
func (b blueprint) crowds(rng *rand.Rand) [][]int {
	out := make([][]int, len(b.splits))
	for i, s := range b.splits {
		n := make([]int, s.images-s.empty)
		sum := 0
		for k := range n {
			n[k] = min(b.most, 1+negativeBinomial(rng, 1.9, 4.09))
			if pinned(i, k, len(n)) {
				n[k] = [2]int{b.most, 1}[k]
			}
			sum += n[k]
		}
		for want := s.objects(); sum != want; {
			k := rng.IntN(len(n))
			switch {
			case pinned(i, k, len(n)):
			case sum < want && (n[k] < b.most || want > b.most*len(n)):
				n[k]++
				sum++
			case sum > want && n[k] > 1:
				n[k]--
				sum--
			}
		}
		out[i] = n
	}
	return out
}

// pinned are the two images that hold the greatest and the smallest number of objects, in a split large enough.
func pinned(split, image, images int) bool { return split == 0 && image < 2 && images > 8 }

// negativeBinomial draws with shape r and the given mean, by inversion.
func negativeBinomial(rng *rand.Rand, r, mean float64) int {
	p := r / (r + mean)
	term := math.Pow(p, r)
	u := rng.Float64()
	for k := 0; ; k++ {
		if u < term || k > 200 {
			return k
		}
		u -= term
		term *= (r + float64(k)) / float64(k+1) * (1 - p)
	}
}

// patience bounds the exchanges of a search; some hundred are usual.
const patience = 2_000_000

// fitSquares moves single objects between images of a split until Σn² is b.squares.
func (b blueprint) fitSquares(counts [][]int, rng *rand.Rand) bool {
	need := b.squares
	for _, n := range counts {
		for _, k := range n {
			need -= k * k
		}
	}
	for range patience {
		if need == 0 {
			return true
		}
		s := rng.IntN(len(counts))
		n := counts[s]
		i, j := rng.IntN(len(n)), rng.IntN(len(n))
		if i == j || pinned(s, i, len(n)) || pinned(s, j, len(n)) || n[i] >= b.most || n[j] <= 1 {
			continue
		}
		gain := 2*(n[i]-n[j]) + 2
		if abs(need-gain) < abs(need) {
			n[i]++
			n[j]--
			need -= gain
		}
	}
	return false
}

// deal shuffles a split's objects into its images, and the images among themselves.
func (s split) deal(counts []int, rng *rand.Rand) []photo {
	var pool []int
	for c, k := range s.counts {
		for range k {
			pool = append(pool, c)
		}
	}
	rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	images := make([]photo, 0, s.images)
	for _, k := range counts {
		images = append(images, photo{split: s.name, classes: pool[:k:k]})
		pool = pool[k:]
	}
	for range s.empty {
		images = append(images, photo{split: s.name})
	}
	rng.Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
	return images
}

// fitPairs exchanges objects between images of one split until the pairs come out.
func fitPairs(images []photo, want int, rng *rand.Rand) bool {
	need := want
	for _, p := range images {
		need -= p.pairs()
	}
	for range patience {
		if need == 0 {
			return true
		}
		a, b := &images[rng.IntN(len(images))], &images[rng.IntN(len(images))]
		if a == b || a.split != b.split || len(a.classes) == 0 || len(b.classes) == 0 {
			continue
		}
		i, j := rng.IntN(len(a.classes)), rng.IntN(len(b.classes))
		before := a.pairs() + b.pairs()
		a.classes[i], b.classes[j] = b.classes[j], a.classes[i]
		gain := a.pairs() + b.pairs() - before
		if abs(need-gain) < abs(need) {
			need -= gain
		} else {
			a.classes[i], b.classes[j] = b.classes[j], a.classes[i]
		}
	}
	return false
}

// pairs counts the pairs of a damaged rock toe and a slope drain.
func (p photo) pairs() int {
	rocks, drains := 0, 0
	for _, c := range p.classes {
		switch c {
		case rockToeDamaged:
			rocks++
		case slopeDrain:
			drains++
		}
	}
	return rocks * drains
}

func abs(v int) int { return max(v, -v) }
