package clipbase

import (
	"math"
	"math/rand/v2"
	"sync"

	"finetui/core/demo/draw"
	"finetui/core/demo/exercise"
)

// stance is how a body holds itself up.
type stance int

const (
	standing stance = iota
	prone           // on hands and feet, face down
	supine          // on the back
	stances
)

// scene is a clip of somebody who moves at random: no exercise of the demo's, but what any is made of.
type scene struct {
	stance stance
	motion exercise.Motion
	turns  bool // left and right in turn
	film   exercise.Film
	still  bool
}

// newScene draws one of n frames.
func newScene(rng *rand.Rand, n, side int) scene {
	s := scene{stance: stance(draw.Weighted(rng, .66, .17, .17))}
	a := newPose(rng, s.stance)
	s.motion.Front = s.stance == standing && rng.IntN(5) < 2
	if s.motion.Front {
		a = faceFront(rng, a)
	}
	switch draw.Weighted(rng, .7, .2, .1) {
	case 0:
		b := newPose(rng, s.stance)
		if s.motion.Front {
			b = faceFront(rng, b)
		}
		s.motion.Poses = []exercise.Pose{a, part(rng, a, b)}
	case 1:
		s.turns = true
		if s.motion.Front && rng.IntN(2) == 0 { // the torso from side to side
			b := a
			b.Torso = -a.Torso
			s.motion.Poses = []exercise.Pose{a, b}
			break
		}
		b := newPose(rng, s.stance)
		a.Thigh[0], a.Shin[0] = b.Thigh[0], b.Shin[0]
		s.motion.Poses = []exercise.Pose{a, a.Mirrored()}
	default:
		s.still = true
		s.motion.Poses = []exercise.Pose{a}
	}
	if !s.still && rng.IntN(5) == 0 {
		s.motion.Stop = draw.Uniform(rng, .3, .55)
	}
	s.film = exercise.NewPerson(rng).Shoot(rng, s.motion, n, side)
	return s
}

// newPicture draws somebody who holds still, in one frame.
func newPicture(rng *rand.Rand, side int) scene {
	s := scene{stance: stance(draw.Weighted(rng, .66, .17, .17)), still: true}
	a := newPose(rng, s.stance)
	if s.motion.Front = s.stance == standing && rng.IntN(5) < 2; s.motion.Front {
		a = faceFront(rng, a)
	}
	s.motion.Poses = []exercise.Pose{a}
	s.film = exercise.NewPerson(rng).Shoot(rng, s.motion, 1, side)
	return s
}

// newPose draws a pose, seen from the side.
func newPose(rng *rand.Rand, s stance) (p exercise.Pose) {
	u := func(lo, hi float64) float64 { return draw.Uniform(rng, lo, hi) }
	arms := func(lo, hi, fold float64) {
		upper := u(lo, hi)
		fore := upper + u(0, fold)*float64(rng.IntN(2))
		for i := range 2 {
			p.Upper[i], p.Fore[i] = upper, fore
		}
		if rng.IntN(5) == 0 {
			p.Upper[1] = u(lo, hi)
			p.Fore[1] = p.Upper[1] + u(0, fold)
		}
	}
	legs := func(thigh, shin float64) {
		for i := range 2 {
			p.Thigh[i], p.Shin[i] = thigh, shin
		}
	}
	switch s {
	case standing:
		arms(-35, 178, 150)
		switch draw.Weighted(rng, .4, .3, .3) {
		case 0:
			p.Torso = u(-25, 25)
			legs(u(-4, 6), u(-6, 4))
		case 1: // bent knees
			bend := u(10, 100)
			legs(bend, -bend*u(.2, .5))
			p.Torso = u(0, 85)
		default: // one leg in front, or raised
			p.Torso = u(-28, 60)
			p.Thigh, p.Shin = [2]float64{u(10, 100), u(-25, 5)}, [2]float64{u(-20, 10), u(-90, 0)}
			if rng.IntN(2) == 0 {
				p.Shin[0] = p.Thigh[0] - u(0, 110)
			}
		}
		if rng.IntN(6) == 0 { // a bow with straight legs
			p.Torso = u(40, 130)
			legs(u(-3, 50), u(-40, 3))
		}
	case prone:
		fall, hip := u(4, 30), u(-18, 34)*float64(rng.IntN(3)/2+rng.IntN(2))/2
		p.Torso = 90 - fall + hip
		legs(-90+fall+hip, -90+fall+hip)
		arms(-110, 20, 100)
		if rng.IntN(3) == 0 {
			arms(-8, 10, 3)
			for i := range 2 {
				p.Fore[i] = u(80, 95)
			}
		}
		if rng.IntN(5) == 0 {
			p.Thigh[0], p.Shin[0] = u(-60, 40), u(-95, -40)
		}
	default:
		p.Torso = u(-128, 15)
		bend := u(80, 132)
		legs(bend, max(0, bend-u(70, 90)))
		arms(60, 178, 20)
	}
	return p
}

// faceFront keeps what can be seen from the front.
func faceFront(rng *rand.Rand, p exercise.Pose) exercise.Pose {
	p.Torso = draw.Uniform(rng, -36, 36) * float64(rng.IntN(2))
	for i := range 2 {
		p.Thigh[i] = draw.Uniform(rng, 1, 34)
		if i == 1 {
			p.Thigh[i] = p.Thigh[0]
		}
		p.Shin[i] = p.Thigh[i]
		p.Upper[i] = math.Abs(p.Upper[i])
	}
	return p
}

// part is a with what one or several parts do in b.
func part(rng *rand.Rand, a, b exercise.Pose) exercise.Pose {
	which := 1 + rng.IntN(7)
	if which&1 != 0 {
		a.Upper, a.Fore = b.Upper, b.Fore
	}
	if which&2 != 0 {
		a.Thigh, a.Shin, a.Lift = b.Thigh, b.Shin, b.Lift
	}
	if which&4 != 0 {
		a.Torso = b.Torso
	}
	return a
}

// The measures of a body in one frame, in picture heights upwards from its hip and to where it faces.
const (
	headX = iota
	headY
	handsX // of both in the mean
	handsY
	handsApartX
	handsApartY
	elbowsX
	elbowsY
	kneesX
	kneesY
	kneesApartX
	kneesApartY
	feetX
	feetY
	feetApartX
	feetApartY
	hipUp // above the lowest joint
	measures
)

// measure is what can be measured in frame i.
func (s scene) measure(i int) (m [measures]float64) {
	j := s.film.Joints[i]
	facing := 1.
	if !s.motion.Front && s.film.Facing < 0 {
		facing = -1
	}
	hip := j[exercise.Hip]
	rel := func(at int) (x, y float64) { return facing * (j[at].X - hip.X), hip.Y - j[at].Y }
	m[headX], m[headY] = rel(exercise.Head)
	pair := func(at, first int) (apartX, apartY float64) {
		x0, y0 := rel(first)
		x1, y1 := rel(first + 1)
		m[at], m[at+1] = (x0+x1)/2, (y0+y1)/2
		return math.Abs(x0 - x1), math.Abs(y0 - y1)
	}
	m[handsApartX], m[handsApartY] = pair(handsX, exercise.Hand0)
	pair(elbowsX, exercise.Elbow0)
	m[kneesApartX], m[kneesApartY] = pair(kneesX, exercise.Knee0)
	m[feetApartX], m[feetApartY] = pair(feetX, exercise.Foot0)
	lowest := 0.
	for _, q := range j {
		lowest = max(lowest, q.Y)
	}
	m[hipUp] = lowest - hip.Y
	return m
}

// spread is the mean of some numbers and how far they are from it.
type spread struct{ mean, deviation [measures]float64 }

// usual are the spreads of the measures, and of their changes from one frame to the next, in scenes drawn at random.
var usual = sync.OnceValues(func() (place, change spread) {
	const scenes = 2000
	rng := rand.New(rand.NewPCG(1, 99))
	for range scenes {
		s := newScene(rng, 2, 4)
		a, b := s.measure(0), s.measure(1)
		for k := range measures {
			place.mean[k] += a[k] / scenes
			place.deviation[k] += a[k] * a[k] / scenes
			change.deviation[k] += (b[k] - a[k]) * (b[k] - a[k]) / scenes // to and fro: 0 in the mean
		}
	}
	for k := range measures {
		place.deviation[k] = math.Sqrt(place.deviation[k] - place.mean[k]*place.mean[k])
		change.deviation[k] = math.Sqrt(change.deviation[k])
	}
	return place, change
})

// ranges are the least and the most of every measure over some frames, and how much moves between each two.
func (s scene) ranges(frames []int) (out []float64) {
	var all [][measures]float64
	for _, i := range frames {
		all = append(all, s.measure(i))
	}
	for k := range measures {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, m := range all {
			lo, hi = min(lo, m[k]), max(hi, m[k])
		}
		out = append(out, lo, hi)
	}
	for i := range len(all) - 1 {
		moved := 0.
		for k := range measures {
			moved = max(moved, math.Abs(all[i+1][k]-all[i][k]))
		}
		out = append(out, moved)
	}
	return out
}

// cycle is how a joint goes from one pose to the other and back.
type cycle struct {
	start    float64 // the film's phase at which the joint is at the upper end, or at the right one of two level ends
	distance float64 // between the ends, in picture heights
}

// leastCycle is the distance below which a joint is not seen to move: trembling goes as far.
const leastCycle = .04

// cycles are those of the joints. One that goes left as it goes up begins at the upper end if it is steep enough: every
// end is the beginning of one direction alone.
func (s scene) cycles() (out [exercise.JointCount]cycle) {
	if len(s.film.Poses) != 2 {
		return out
	}
	a, b := s.film.Poses[0], s.film.Poses[1]
	for k := range out {
		right, up := b[k].X-a[k].X, a[k].Y-b[k].Y
		out[k].distance = math.Hypot(right, up)
		if up+right/2 > 0 {
			out[k].start = .5
		}
	}
	return out
}

// moves says whether the body is on its way in frame i.
func (s scene) moves(i int) bool {
	phase := s.film.Phase
	return i > 0 && phase[i] != phase[i-1] || i+1 < len(phase) && phase[i+1] != phase[i]
}
