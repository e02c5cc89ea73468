// Package layout computes where panels stand: a tree of rows and columns and a size in cells give rectangles. It is
// arithmetic only and draws nothing.
package layout

import "slices"

// Node is a panel, or a row or column of nodes.
type Node struct {
	Name     string // of a panel; empty for a row or column
	MinW     int    // cells, its frame included; 0: as 8
	MinH     int    // lines, its frame included; 0: as 3
	MaxH     int    // lines it has a use for when it stands in a column; 0: any number
	MaxW     int    // cells it has a use for when it stands in a row; 0: any number
	Weight   int    // share of the cells that are left over; 0: as 1
	Priority int    // the lower, the sooner it shares a box as a tab where space is short

	Children []Node
	across   bool
	extra    bool
}

// Row sets nodes beside each other; they come to stand below each other, or share boxes, where it is too narrow.
func Row(nodes ...Node) Node { return Node{Children: nodes, across: true} }

// Column sets nodes below each other; they share boxes where it is too low.
func Column(nodes ...Node) Node { return Node{Children: nodes} }

// Panel is a panel that needs at least minW×minH cells.
func Panel(name string, minW, minH int) Node { return Node{Name: name, MinW: minW, MinH: minH} }

// Weighted is the node with another share of what is left over.
func (n Node) Weighted(weight int) Node { n.Weight = weight; return n }

// AtMost is the node that has no use for more than w×h cells (0: any number).
func (n Node) AtMost(w, h int) Node { n.MaxW, n.MaxH = w, h; return n }

// Prior is the node with a priority; higher ones keep a box of their own longer.
func (n Node) Prior(priority int) Node { n.Priority = priority; return n }

// Extra is the node that is left out unless every panel of the tree can
// have a box of its own: what a wide terminal shows besides.
func (n Node) Extra() Node { n.extra = true; return n }

// Box is a rectangle of the screen and the panels that share it, in the order of their tabs.
type Box struct {
	X, Y, W, H int
	Names      []string
}

// Contains says whether the cell x, y lies in the box.
func (b Box) Contains(x, y int) bool { return x >= b.X && x < b.X+b.W && y >= b.Y && y < b.Y+b.H }

// Arrange fills w×h cells with the panels of the tree. Boxes do not overlap, cover everything, and
// every panel but those of Extra nodes is in exactly one; which ones share a box depends on the size
// alone. Nothing is smaller than its minimum unless w×h is.
func Arrange(n Node, w, h int) []Box {
	if w <= 0 || h <= 0 {
		return nil
	}
	if needW, needH := whole(n); needW > w || needH > h {
		n = n.plain()
	}
	return arrange(n, 0, 0, w, h)
}

// plain is the tree without its Extra nodes.
func (n Node) plain() Node {
	children := n.Children
	n.Children = nil
	for _, child := range children {
		if !child.extra {
			n.Children = append(n.Children, child.plain())
		}
	}
	return n
}

// Names are the panels of the tree from left to right and top to bottom.
func Names(n Node) []string {
	if len(n.Children) == 0 {
		return []string{n.Name}
	}
	var names []string
	for _, child := range n.Children {
		names = append(names, Names(child)...)
	}
	return names
}

func arrange(n Node, x, y, w, h int) []Box {
	switch len(n.Children) {
	case 0:
		return []Box{{x, y, w, h, []string{n.Name}}}
	case 1:
		return arrange(n.Children[0], x, y, w, h)
	}
	children, across := fit(n, w, h)
	if len(children) == 1 {
		return []Box{{x, y, w, h, Names(children[0])}}
	}
	var boxes []Box
	for i, length := range split(children, across, w, h) {
		if across {
			boxes = append(boxes, place(children[i], x, y, length, h)...)
			x += length
		} else {
			boxes = append(boxes, place(children[i], x, y, w, length)...)
			y += length
		}
	}
	return boxes
}

// place is arrange for a child, which may be a fold: a node whose panels share one box.
func place(n Node, x, y, w, h int) []Box {
	if n.folded() {
		return []Box{{x, y, w, h, Names(n)}}
	}
	return arrange(n, x, y, w, h)
}

// fit decides how the children stand in w×h: as the node says, else below each other, else with as few folded
// together as necessary; the fold takes the children of lowest priority, later ones first.
func fit(n Node, w, h int) (children []Node, across bool) {
	for keep := len(n.Children); keep >= 2; keep-- {
		children := foldTo(n.Children, keep)
		for _, size := range []func(Node) (int, int){whole, least} {
			if n.across && fits(children, true, w, h, size) {
				return children, true
			}
			if fits(children, false, w, h, size) {
				return children, false
			}
		}
	}
	return []Node{n}, false
}

// foldTo leaves keep nodes: the lowest in priority become one, which stands where the first of them stood.
func foldTo(nodes []Node, keep int) []Node {
	if keep == len(nodes) {
		return nodes
	}
	order := make([]int, len(nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if nodes[a].Priority != nodes[b].Priority {
			return nodes[b].Priority - nodes[a].Priority
		}
		return a - b
	})
	lost := order[keep-1:]
	fold := Node{Weight: -1}
	var kept []Node
	at := -1
	for i, node := range nodes {
		if !slices.Contains(lost, i) {
			kept = append(kept, node)
			continue
		}
		if at < 0 {
			at = len(kept)
			kept = append(kept, Node{})
		}
		fold.Children = append(fold.Children, node)
		fold.Weight = max(fold.Weight, node.weight())
	}
	fold.Name = foldName
	kept[at] = fold
	return kept
}

// foldName marks a node whose panels share one box; no panel is called so.
const foldName = "\x00fold"

func (n Node) folded() bool { return n.Name == foldName }

func (n Node) weight() int { return max(n.Weight, 1) }

func (n Node) minimum() (w, h int) {
	w, h = n.MinW, n.MinH
	if w == 0 {
		w = 8
	}
	if h == 0 {
		h = 3
	}
	return w, h
}

// whole is the least size at which every panel under the node has a box of its own.
func whole(n Node) (w, h int) {
	if len(n.Children) == 0 || n.folded() {
		return least(n)
	}
	for _, child := range n.Children {
		cw, ch := whole(child)
		if n.across {
			w, h = w+cw, max(h, ch)
		} else {
			w, h = max(w, cw), h+ch
		}
	}
	return w, h
}

// least is the least size when all panels under the node share one box.
func least(n Node) (w, h int) {
	if len(n.Children) == 0 {
		return n.minimum()
	}
	for _, child := range n.Children {
		cw, ch := least(child)
		w, h = max(w, cw), max(h, ch)
	}
	return w, h
}

func fits(children []Node, across bool, w, h int, size func(Node) (int, int)) bool {
	needW, needH := 0, 0
	for _, child := range children {
		cw, ch := size(child)
		if across {
			needW, needH = needW+cw, max(needH, ch)
		} else {
			needW, needH = max(needW, cw), needH+ch
		}
	}
	return needW <= w && needH <= h
}

// split divides w or h among children that fit: each its minimum, the whole one if all can have it, then the rest by
// weight up to the maxima; what nobody has a use for goes by weight all the same.
func split(children []Node, across bool, w, h int) []int {
	total, size := h, whole
	if across {
		total = w
	}
	if !fits(children, across, w, h, whole) {
		size = least
	}
	lengths, limits := make([]int, len(children)), make([]int, len(children))
	for i, child := range children {
		cw, ch := size(child)
		if lengths[i], limits[i] = ch, limit(child, false); across {
			lengths[i], limits[i] = cw, limit(child, true)
		}
		total -= lengths[i]
	}
	total = pour(children, lengths, total, func(i int) bool { return limits[i] == 0 || lengths[i] < limits[i] })
	pour(children, lengths, total, func(int) bool { return true })
	return lengths
}

// limit is the most cells a node has a use for along an axis; 0: any number.
func limit(n Node, across bool) int {
	own := n.MaxH
	if across {
		own = n.MaxW
	}
	if own > 0 || len(n.Children) == 0 {
		return own
	}
	sum, most := 0, 0
	for _, child := range n.Children {
		l := limit(child, across)
		if l == 0 {
			return 0
		}
		sum, most = sum+l, max(most, l)
	}
	if n.across == across && !n.folded() {
		return sum
	}
	return most
}

// pour hands out rest one cell at a time to the child that is furthest below its share, among those that want more.
// It returns what nobody wanted.
func pour(children []Node, lengths []int, rest int, wants func(i int) bool) int {
	given := make([]int, len(children))
	for ; rest > 0; rest-- {
		best := -1
		for i, child := range children {
			if !wants(i) {
				continue
			}
			if best < 0 || (given[i]+1)*children[best].weight() < (given[best]+1)*child.weight() {
				best = i
			}
		}
		if best < 0 {
			return rest
		}
		given[best]++
		lengths[best]++
	}
	return 0
}
