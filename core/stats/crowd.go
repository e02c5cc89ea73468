package stats

import "slices"

// crowdFrom is how many objects an image holds before its pairs are counted by sorting instead of one by one: their
// number grows with the square of the objects.
const crowdFrom = 128

// crowd is what counting the pairs of a crowded image needs; it is kept from image to image.
type crowd struct {
	placed  []placed
	present []int // classes in the image
	slot    []int // by class: its place in present, from 1; 0 where it is not in the image
	sorted  []int32
	before  []int // by slot: objects that lie before the one that is looked at, by more than the limit
	tree    []int
}

// addCrowd counts the pairs of t.crowd.placed in O(n · (classes in the image + log n)), as add does one by one.
func (t *pairTable) addCrowd() {
	c := &t.crowd
	if len(c.slot) < t.classes {
		c.slot = make([]int, t.classes)
	}
	c.present = c.present[:0]
	counts := make([]int, 0, 64)
	for _, p := range c.placed {
		if c.slot[p.class] == 0 {
			c.present = append(c.present, p.class)
			c.slot[p.class] = len(c.present)
			counts = append(counts, 0)
		}
		counts[c.slot[p.class]-1]++
	}
	defer func() {
		for _, class := range c.present {
			c.slot[class] = 0
		}
	}()
	k := len(c.present)
	above := c.ahead(k, func(p placed) float64 { return p.center.Y }, t.limits.level)
	left := c.ahead(k, func(p placed) float64 { return p.center.X }, t.limits.aligned)
	for i, a := range c.present {
		for j, b := range c.present {
			switch {
			case a == b && counts[i] > 1:
				pairs := counts[i] * (counts[i] - 1) / 2
				up := c.earlierAhead(a, func(p placed) float64 { return p.center.Y }, t.limits.level)
				leftward := c.earlierAhead(a, func(p placed) float64 { return p.center.X }, t.limits.aligned)
				t.note(a, b, pairs, up, above[i*k+i]-up, leftward, left[i*k+i]-leftward)
			case a != b && t.order[a] < t.order[b]:
				t.note(a, b, counts[i]*counts[j], above[i*k+j], above[j*k+i], left[i*k+j], left[j*k+i])
			}
		}
	}
}

// note adds so many pairs of two classes of one image.
func (t *pairTable) note(a, b, pairs, above, below, left, right int) {
	c := t.of(a, b)
	t.seen(c, pairs)
	c.Directions.add(Directions{
		Above: above, Below: below, Level: pairs - above - below,
		Left: left, Right: right, Aligned: pairs - left - right,
	})
}

// ahead returns, for each pair of slots i·k+j, how many pairs of an object of i and one of j there are in which that of
// i has the smaller value, by more than within.
func (c *crowd) ahead(k int, value func(placed) float64, within float64) []int {
	c.sort(value, func(placed) bool { return true })
	table := make([]int, k*k)
	c.before = append(c.before[:0], make([]int, k)...)
	passed := 0
	for _, at := range c.sorted {
		v := value(c.placed[at])
		for v-value(c.placed[c.sorted[passed]]) > within {
			c.before[c.slot[c.placed[c.sorted[passed]].class]-1]++
			passed++
		}
		j := c.slot[c.placed[at].class] - 1
		for i, n := range c.before {
			table[i*k+j] += n
		}
	}
	return table
}

// earlierAhead returns in how many pairs of objects of one class the one that stands first
// in the file has the smaller value, by more than within. A tree of partial sums over the
// sorted values counts those that came before (Fenwick 1994).
func (c *crowd) earlierAhead(class int, value func(placed) float64, within float64) (n int) {
	c.sort(value, func(p placed) bool { return p.class == class })
	c.tree = append(c.tree[:0], make([]int, len(c.sorted)+1)...)
	rank := func(v float64) int { // how many values lie below v by more than within
		at, _ := slices.BinarySearchFunc(c.sorted, v, func(i int32, v float64) int {
			if v-value(c.placed[i]) > within {
				return -1
			}
			return 1
		})
		return at
	}
	place := make(map[int32]int, len(c.sorted))
	for r, at := range c.sorted {
		place[at] = r + 1
	}
	for at := range c.placed {
		if c.placed[at].class != class {
			continue
		}
		for r := rank(value(c.placed[at])); r > 0; r &= r - 1 {
			n += c.tree[r]
		}
		for r := place[int32(at)]; r < len(c.tree); r += r & -r {
			c.tree[r]++
		}
	}
	return n
}

// sort puts the places of the wanted objects into c.sorted, by value.
func (c *crowd) sort(value func(placed) float64, wanted func(placed) bool) {
	c.sorted = c.sorted[:0]
	for i, p := range c.placed {
		if wanted(p) {
			c.sorted = append(c.sorted, int32(i))
		}
	}
	slices.SortFunc(c.sorted, func(a, b int32) int {
		switch va, vb := value(c.placed[a]), value(c.placed[b]); {
		case va < vb:
			return -1
		case va > vb:
			return 1
		}
		return 0
	})
}
