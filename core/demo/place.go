package demo

import (
	"math"
	"math/rand/v2"
	"slices"

	"finetui/core/demo/draw"
)

// studySide is the side of a picture in drawing units: all sizes here are pixels of a picture of that side.
const studySide = 336

// object is one thing to be drawn, all in units. Its outline follows the same rule in every condition, so that a box or
// a polygon tells nothing of the state.
type object struct {
	class      int
	x, y       float64 // middle of the body
	w, h       float64 // of the body
	tilt, bend float64 // drains: sideways lean of the whole length; bow in widths
	stone      float64 // rock toes: mean radius of a stone
	apron      float64 // rock toes: ground below the stones that belongs to the outline
	rim        []draw.Point
	unlabelled bool // it is drawn, and no label says so
}

// shape is the kind of thing a class is.
type shape int

const (
	trough shape = iota // toe drain: flat, with wide joints
	chute               // slope drain: upright, stepped
	rocks
	plants
)

func shapeOf(class int) shape {
	switch class {
	case toeDrain, toeDrainBlocked, toeDrainDamaged:
		return trough
	case slopeDrain, slopeDrainBlocked, slopeDrainDamaged:
		return chute
	case rockToe, rockToeDamaged:
		return rocks
	}
	return plants
}

func damaged(class int) bool {
	return class == toeDrainDamaged || class == rockToeDamaged || class == slopeDrainDamaged
}

func blocked(class int) bool { return class == toeDrainBlocked || class == slopeDrainBlocked }

// crowding scales objects so that full pictures do not overflow; n is how many there are.
func crowding(n int) float64 {
	switch {
	case n <= 3:
		return 1.25
	case n <= 7:
		return 1
	case n <= 12:
		return .8
	}
	return .66
}

// newObject draws a shape and size; the place is still the origin.
func newObject(rng *rand.Rand, class int, scale float64) object {
	u := func(lo, hi float64) float64 { return draw.Uniform(rng, lo, hi) * scale }
	o := object{class: class}
	switch shapeOf(class) {
	case chute:
		o.w, o.h = u(20, 34), u(80, 150)
		o.tilt, o.bend = draw.Normal(rng, 0, .1)*o.h, draw.Normal(rng, 0, .12)
	case trough:
		o.w, o.h = u(95, 180), u(20, 32)
		o.tilt, o.bend = draw.Normal(rng, 0, .05)*o.w, draw.Normal(rng, 0, .12)
	case rocks:
		o.w, o.h = u(60, 120), u(26, 46)
		o.stone = draw.Uniform(rng, 5.5, 8.5) * max(scale, .75)
		o.apron = rng.Float64() * o.stone
	default:
		o.w, o.h = u(42, 90), u(36, 70)
		o.rim = draw.Blob(rng, 0, 0, o.w/2, o.h/2, 12, .06, 0)
	}
	return o
}

// band is a drain's axis.
func (o object) band() draw.Band {
	if shapeOf(o.class) == chute {
		return draw.NewBand(draw.Point{X: o.x - o.tilt/2, Y: o.y - o.h/2}, draw.Point{X: o.x + o.tilt/2, Y: o.y +
			o.h/2}, o.w, o.bend)
	}
	return draw.NewBand(draw.Point{X: o.x - o.w/2, Y: o.y - o.tilt/2}, draw.Point{X: o.x + o.w/2, Y: o.y + o.tilt/2},
		o.h, o.bend)
}

// outline is the polygon of the label.
func (o object) outline() []draw.Point {
	switch shapeOf(o.class) {
	case chute, trough:
		return o.band().Outline()
	case rocks:
		e := o.stone * .9
		left, right := o.x-o.w/2-e*.6, o.x+o.w/2+e*.6
		top, bottom := o.y-o.h/2-e*.5, o.y+o.h/2+e+o.apron
		return []draw.Point{{X: left, Y: top}, {X: o.x, Y: top - e*.2}, {X: right, Y: top}, {X: right, Y: bottom},
			{X: o.x, Y: bottom}, {X: left, Y: bottom}}
	}
	return draw.Moved(o.rim, o.x, o.y)
}

// bounds is a box in units.
type bounds struct{ x0, y0, x1, y1 float64 }

func (o object) bounds() bounds {
	b := bounds{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range o.outline() {
		b = bounds{min(b.x0, p.X), min(b.y0, p.Y), max(b.x1, p.X), max(b.y1, p.Y)}
	}
	return b
}

func (b bounds) moved(dx, dy float64) bounds {
	return bounds{b.x0 + dx, b.y0 + dy, b.x1 + dx, b.y1 + dy}
}

func (b bounds) area() float64 { return (b.x1 - b.x0) * (b.y1 - b.y0) }

// overlap is the shared area as a share of the smaller box.
func (b bounds) overlap(o bounds) float64 {
	w, h := min(b.x1, o.x1)-max(b.x0, o.x0), min(b.y1, o.y1)-max(b.y0, o.y0)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / min(b.area(), o.area())
}

// margin keeps objects, in units, off the edge of the picture.
const margin = 8

// arrange shapes and places the objects of all images such that each class has its mean
// height. Heights are normal around an aim; what crowding and the edges shift, the next
// round's aim takes back, and the rest is a last small shift.
func arrange(images []photo, seed uint64) {
	aim := meanY
	for range 5 {
		for i := range images {
			images[i].place(rand.New(rand.NewPCG(seed, 1000+uint64(i))), aim)
		}
		for c, m := range heights(images) {
			aim[c] += meanY[c] - m
		}
	}
	for range 8 {
		have := heights(images)
		for i := range images {
			for k := range images[i].objects {
				o := &images[i].objects[k]
				b := o.bounds()
				d := (meanY[o.class] - have[o.class]) * studySide
				o.y += min(max(d, margin-b.y0), studySide-margin-b.y1)
			}
		}
	}
}

// heights is the mean height of the box centre per class, as a share of the picture.
func heights(images []photo) [classCount]float64 {
	var sum, n [classCount]float64
	for _, p := range images {
		for _, o := range p.objects {
			b := o.bounds()
			sum[o.class] += (b.y0 + b.y1) / 2 / studySide
			n[o.class]++
		}
	}
	for c := range sum {
		if n[c] > 0 {
			sum[c] /= n[c]
		} else {
			sum[c] = meanY[c]
		}
	}
	return sum
}

// place gives each object of the image a spot where it overlaps others least.
func (p *photo) place(rng *rand.Rand, aim [classCount]float64) {
	classes := slices.Clone(p.classes)
	// plants are drawn first: what stands before them hides a little of them, not the other way round
	slices.SortStableFunc(classes, func(a, b int) int {
		return int(shapeOf(b)/plants) - int(shapeOf(a)/plants)
	})
	scale := crowding(len(classes))
	p.objects = p.objects[:0]
	var taken []bounds
	for _, c := range classes {
		o := newObject(rng, c, scale)
		x, y, b := spot(rng, o.bounds(), aim[c], taken)
		o.x, o.y = x, y
		taken = append(taken, b)
		p.objects = append(p.objects, o)
	}
}

const (
	tries       = 120
	goodOverlap = .04 // of the smaller box: good enough to stop looking
)

// spot looks for a free place for a body whose box around the origin is b, near the height aim.
func spot(rng *rand.Rand, b bounds, aim float64, taken []bounds) (x, y float64, at bounds) {
	mid := (b.y0 + b.y1) / 2
	least := math.Inf(1)
	for t := range tries {
		spread := .17
		if t > tries/2 {
			spread = .24
		}
		dy := draw.Normal(rng, aim, spread)*studySide - mid
		dy = min(max(dy, margin-b.y0), studySide-margin-b.y1)
		dx := draw.Uniform(rng, margin-b.x0, studySide-margin-b.x1)
		box, worst := b.moved(dx, dy), 0.
		for _, o := range taken {
			worst = max(worst, box.overlap(o))
		}
		if worst < least {
			least, x, y, at = worst, dx, dy, box
		}
		if least < goodOverlap {
			break
		}
	}
	return x, y, at
}
