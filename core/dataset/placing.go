package dataset

import (
	"math"
	"slices"

	"finetui/core/level"
)

// placing turns the objects of one item, whose coordinates are pixels, into shares of its picture, and drops those that
// have no place in it.
type placing struct {
	item          *Item
	file          string // of the labels, as findings name it
	classes       int
	width, height float64 // pixels that the coordinates count
	turn          int     // EXIF orientation that the coordinates are still to be turned by; 0 or 1 for none
	lines         bool    // the objects have lines in the file; else ids
	findings      []Finding
	lost          int
}

// pixels decides which picture the coordinates are meant for, by its size as the labels state it; zeros where they do
// not.
func (p *placing) pixels(stated pixelSize) {
	it := p.item
	p.width, p.height = float64(stated.width), float64(stated.height)
	seen := it.Media != "" && it.Width > 0 && it.Height > 0
	switch {
	case stated.width == 0 || stated.height == 0:
		p.width, p.height = float64(it.Width), float64(it.Height)
	case !seen:
		it.setSize(stated.width, stated.height)
	case stated.width == int(it.Width) && stated.height == int(it.Height):
	case stated.width == int(it.Height) && stated.height == int(it.Width) && it.Orientation > 4:
		p.turn = int(it.Orientation)
		p.note(TurnedLabels, "%s is turned by EXIF, and its labels are for the picture before that", it.ID)
	default:
		p.note(SizeDiffers, "%s has %d×%d pixels by its labels, and %d×%d in truth", it.ID, stated.width, stated.height,
			it.Width, it.Height)
	}
}

func (p *placing) note(code, text string, args ...any) {
	p.findings = append(p.findings, newFinding(code, p.file, 0, text, args...))
}

// drop notes an object that does not count, and what to do about it.
func (p *placing) drop(code, do, text string, args ...any) bool {
	if p.lost++; p.lost > mostFaults {
		return false
	}
	f := newFinding(code, p.file, 0, text, args...)
	p.findings = append(p.findings, f.as(level.Error, do+"; it does not count"))
	return false
}

// all places the objects; name says which one is meant, by its Line, in findings.
func (p *placing) all(d *desk, name func(line int) string) {
	objects, same := d.objects[:0], twins{}
	for i := range p.item.Objects {
		o := p.item.Objects[i]
		what := name(o.Line) + " of " + p.item.ID
		if !p.place(&o, what) {
			continue
		}
		if twice := same.of(objects, &o); twice >= 0 {
			p.note(DuplicateRow, "%s repeats %s", what, name(objects[twice].Line))
			p.lost++
			continue
		}
		objects = append(objects, o)
	}
	if more := p.lost - mostFaults; more > 0 {
		f := newFinding(MoreFaults, p.file, 0, "%d more annotations of %s that do not count", more, p.item.ID)
		f.Count = more
		p.findings = append(p.findings, f)
	}
	p.item.Rows = countRows(len(p.item.Objects), p.lost, -1)
	for i := range objects {
		if !p.lines {
			objects[i].Line = 0 // it was an id
		}
	}
	d.objects = objects
	p.item.Objects = d.keep(objects)
}

// place turns one object's pixels into shares.
func (p *placing) place(o *Object, what string) bool {
	if o.Class < 0 || o.Class >= p.classes {
		return p.drop(ClassOutOfRange, "list the category, or correct it", "%s has a category that is not listed", what)
	}
	if p.width <= 0 || p.height <= 0 {
		return p.drop(UnknownSize, "write width and height of the picture, or add it",
			"%s lies in a picture whose size is unknown", what)
	}
	rings, ok := p.rings(o, what)
	if !ok {
		return false
	}
	mask, outlined := p.mask(o, what), o.Shape != nil
	o.Shape = nil
	if rings != nil || mask != nil {
		o.Shape = &Shape{Rings: rings, Mask: mask}
	}
	switch {
	case o.Box == oddBox:
		return p.drop(TooFewFields, "write bbox as [x, y, width, height]", "%s has no four numbers of a box", what)
	case o.Box == noBox && rings != nil:
		if o.Box = around(rings); o.Box.X1 <= o.Box.X0 || o.Box.Y1 <= o.Box.Y0 {
			return p.drop(ZeroSize, "draw it again or delete it", "%s has an outline without an area", what)
		}
		return true
	case o.Box == noBox && mask != nil:
		o.Box, _ = mask.bounds()
		o.Box = p.shares(o.Box)
		return true
	case o.Box == noBox && outlined:
		return p.drop(ZeroSize, "draw it again or delete it", "%s has no box, and an outline that cannot be read", what)
	case o.Box == noBox:
		p.note(NoBox, "%s has neither a box nor an outline", what)
		o.Box = Whole
		return true
	}
	return p.box(o, what)
}

// box places a box of pixels. One whose middle lies outside of the picture has no place to speak of.
func (p *placing) box(o *Object, what string) bool {
	b := o.Box
	if sum := b.X0 + b.Y0 + b.X1 + b.Y1; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return p.drop(NotFinite, "write the numbers again", "%s has a box that is not finite", what)
	}
	w, h := b.X1-b.X0, b.Y1-b.Y0
	if w <= 0 || h <= 0 {
		return p.drop(ZeroSize, "draw it again or delete it", "%s has a box of %s × %s pixels", what,
			number(w), number(h))
	}
	past := max((b.X1-p.width)/w, -b.X0/w, (b.Y1-p.height)/h, -b.Y0/h)
	pixels := max(b.X1-p.width, -b.X0, b.Y1-p.height, -b.Y0)
	switch {
	case past > .5+edgeTolerance:
		return p.drop(ValueOutOfRange, "draw it again: more than half of it lies outside the picture",
			"%s ends %s pixels past an edge of the picture", what, number(pixels))
	case pixels > edgeTolerance*max(p.width, p.height):
		p.note(BoxPastEdge, "%s ends %s pixels past an edge of the picture", what, number(pixels))
	}
	o.Box = p.shares(b)
	return true
}

// shares turns a box of pixels into shares of the picture as it is meant to be seen.
func (p *placing) shares(b Box) Box {
	from, to := p.point(Point{b.X0, b.Y0}), p.point(Point{b.X1, b.Y1})
	return Box{min(from.X, to.X), min(from.Y, to.Y), max(from.X, to.X), max(from.Y, to.Y)}
}

func (p *placing) point(at Point) Point {
	x, y := at.X/p.width, at.Y/p.height
	switch p.turn { // of EXIF, those that change width and height
	case 5:
		return Point{y, x}
	case 6:
		return Point{1 - y, x}
	case 7:
		return Point{1 - y, 1 - x}
	case 8:
		return Point{y, 1 - x}
	}
	return Point{x, y}
}

// rings places the outline. What is no ring is said and left out; ok is false where nothing of the object remains.
func (p *placing) rings(o *Object, what string) (placed [][]Point, ok bool) {
	farthest := 0.0
	for _, ring := range o.Rings() {
		if last := ring[len(ring)-1]; len(ring) < 3 || math.IsNaN(last.Y) {
			f := newFinding(OddPolygon, p.file, 0, "%s has an outline that is not made of three pairs x, y or more",
				what)
			p.findings = append(p.findings, f.as(level.Warn, "write it again; its box counts"))
			continue
		}
		turned := make([]Point, len(ring))
		for i, corner := range ring {
			at := p.point(corner)
			if sum := at.X + at.Y; math.IsNaN(sum) || math.IsInf(sum, 0) {
				return nil, p.drop(NotFinite, "write the outline again", "%s has a corner that is not finite", what)
			}
			farthest = max(farthest, at.X-1, -at.X, at.Y-1, -at.Y)
			turned[i] = Point{min(max(at.X, 0), 1), min(max(at.Y, 0), 1)}
		}
		placed = append(placed, turned)
	}
	if farthest > outlineMargin {
		p.note(OutlinePastEdge, "%s has a corner %s of the picture past its edge", what, number(farthest))
	}
	return placed, true
}

// mask returns the mask where it is sound and fits the picture.
func (p *placing) mask(o *Object, what string) *Mask {
	if o.Shape == nil || o.Shape.Mask == nil {
		return nil
	}
	m := o.Shape.Mask
	if _, ok := m.bounds(); !ok || p.turn > 1 || float64(m.Width) != p.width || float64(m.Height) != p.height {
		p.note(BadMask, "%s has a mask that is empty, broken or not of the picture's size", what)
		return nil
	}
	return m
}

// around is the box around rings.
func around(rings [][]Point) Box {
	b := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, ring := range rings {
		for _, at := range ring {
			b = Box{min(b.X0, at.X), min(b.Y0, at.Y), max(b.X1, at.X), max(b.Y1, at.Y)}
		}
	}
	return b
}

var (
	noBox  = Box{X0: math.Inf(-1)}            // none was written
	oddBox = Box{X0: math.Inf(-1), X1: 1e300} // not of four numbers
)

// twins finds objects that say the same.
type twins struct{ seen map[rowKey][]int }

// of is the first of the objects that says the same as o, which becomes the next one; -1 for none.
func (t *twins) of(objects []Object, o *Object) int {
	key := keyOf(o)
	for _, i := range t.seen[key] {
		if other := &objects[i]; sameRing(o.Rings(), other.Rings()) && sameMask(o.Shape, other.Shape) {
			return i
		}
	}
	if t.seen == nil {
		t.seen = map[rowKey][]int{}
	}
	t.seen[key] = append(t.seen[key], len(objects))
	return -1
}

func sameMask(a, b *Shape) bool {
	if a == nil || b == nil || a.Mask == nil || b.Mask == nil {
		return (a == nil || a.Mask == nil) == (b == nil || b.Mask == nil)
	}
	return a.Mask.Width == b.Mask.Width && a.Mask.Height == b.Mask.Height && slices.Equal(a.Mask.Runs, b.Mask.Runs)
}
