package exercise

import (
	"math"
	"math/rand/v2"

	"finetui/core/demo/draw"
)

// Person is a participant before a camera: body, clothes, room, and how fast they move.
type Person struct {
	height, girth float64 // in units of the picture's height; of the limbs' usual thickness
	facing        float64 // 1 to the right, −1 to the left
	x, floor      float64 // where they stand, and how high the floor's edge is, as shares of the picture
	tilt          float64 // of the camera: the floor's slope
	tempo         float64 // repetitions a second
	ease          float64 // how far they come of a movement's whole range
	colours       [trousersFar + 1]draw.RGB
	hair          draw.RGB
	wall, ground  draw.RGB
	mat           draw.RGB
	window        [4]float64 // a picture on the wall, in shares of the frame
	windowColour  draw.RGB
}

var (
	skins    = []draw.RGB{{240, 205, 180}, {224, 178, 144}, {190, 138, 100}, {140, 95, 65}, {98, 66, 46}}
	clothes  = []draw.RGB{{200, 50, 50}, {40, 90, 190}, {40, 140, 70}, {230, 190, 40}, {130, 60, 150}, {235, 235, 235}}
	dark     = []draw.RGB{{30, 30, 40}, {50, 55, 75}, {70, 45, 40}, {35, 60, 55}}
	walls    = []draw.RGB{{205, 210, 215}, {190, 180, 165}, {160, 185, 190}, {215, 205, 180}, {150, 155, 165}}
	floors   = []draw.RGB{{150, 115, 80}, {110, 112, 115}, {175, 150, 115}, {95, 80, 70}}
	pictures = []draw.RGB{{90, 130, 170}, {170, 120, 90}, {120, 150, 110}, {225, 225, 220}}
)

// NewPerson draws one.
func NewPerson(rng *rand.Rand) Person {
	one := func(from []draw.RGB) draw.RGB { return from[rng.IntN(len(from))].Jitter(rng, 8) }
	p := Person{height: draw.Uniform(rng, .64, .76), girth: draw.Uniform(rng, .85, 1.3), facing: 1,
		x: draw.Uniform(rng, .46, .54), floor: draw.Uniform(rng, .80, .90), tilt: draw.Uniform(rng, -.03, .03),
		tempo: draw.Uniform(rng, .75, 1.15), ease: draw.Uniform(rng, .93, 1.04)}
	if rng.IntN(2) == 0 {
		p.facing = -1
	}
	body, top, legs := one(skins), one(clothes), one(dark)
	p.colours = [...]draw.RGB{skin: body, skinFar: body.Scale(.8), shirt: top, sleeve: top.Scale(.92),
		sleeveFar: top.Scale(.72), trousers: legs, trousersFar: legs.Scale(.75)}
	p.hair, p.wall, p.ground, p.mat = one(dark), one(walls), one(floors), one(clothes).Mix(draw.RGB{120, 120, 120}, .5)
	p.windowColour = one(pictures)
	w, h := draw.Uniform(rng, .1, .25), draw.Uniform(rng, .1, .25)
	x, y := draw.Uniform(rng, 0, 1-w), draw.Uniform(rng, .03, .3)
	p.window = [4]float64{x, y, x + w, y + h}
	return p
}

// frame paints the person in a pose, shifted to the right by so many body heights, and returns where the joints are, in
// shares of the picture.
func (p Person) frame(side int, pose Pose, front bool, shift float64) (*draw.Canvas, Joints) {
	c := draw.New(side, side, float64(side))
	j := p.place(pose, front, shift)
	box := func(x0, y0, x1, y1, slope float64, colour draw.RGB) {
		lift := func(x float64) float64 { return slope * (x - .5) }
		c.Fill([]draw.Point{{X: x0, Y: y0 + lift(x0)}, {X: x1, Y: y0 + lift(x1)}, {X: x1, Y: y1 + lift(x1)},
			{X: x0, Y: y1 + lift(x0)}}, colour)
	}
	box(-.1, -.1, 1.1, 1.1, 0, p.wall)
	box(p.window[0], p.window[1], p.window[2], p.window[3], 0, p.windowColour)
	box(-.1, p.floor-.06, 1.1, 1.2, p.tilt, p.ground)
	box(.08, p.floor, .92, p.floor+.05, p.tilt, p.mat)

	for _, l := range limbs {
		width := l.width * p.girth * p.height
		c.Line([]draw.Point{j[l.a], j[l.b]}, width, p.colours[l.part])
		c.Ellipse(j[l.b].X, j[l.b].Y, width/2, width/2, p.colours[l.part])
		if l.part == shirt {
			c.Line([]draw.Point{j[Shoulder0], j[Shoulder1]}, width, p.colours[shirt])
			r := headRadius * p.height
			c.Line([]draw.Point{j[Neck], j[Head]}, width/3, p.colours[skin])
			c.Ellipse(j[Head].X, j[Head].Y, r, r*1.1, p.colours[skin])
			c.Ellipse(j[Head].X-p.facing*r*.25, j[Head].Y-r*.45, r*.9, r*.7, p.hair)
		}
	}
	return c, j
}

// place is where the joints of a pose are in the picture, shifted to the right by so many body heights.
func (p Person) place(pose Pose, front bool, shift float64) Joints {
	j := pose.joints(front)
	for i, q := range j {
		x := p.x + p.facing*(q.X+shift)*p.height
		j[i] = draw.Point{X: x, Y: p.floor + .03 + p.tilt*(x-.5) - q.Y*p.height}
	}
	return j
}

// Film is what a camera has seen: frames, and where the joints are in each.
type Film struct {
	Frames []*draw.Canvas
	Joints []Joints
	Phase  []float64 // of each frame, in repetitions
	Poses  []Joints  // where the joints are in each of the motion's poses, as this person takes it
	Facing float64   // 1: to the right, −1: to the left
}

// FPS is the number of frames a second of every film.
const FPS = 8

// Shoot films a person who moves for n frames, of side pixels.
func (p Person) Shoot(rng *rand.Rand, m Motion, n, side int) Film {
	f := Film{Facing: p.facing}
	phase := draw.Uniform(rng, 0, 1)
	tempo := p.tempo * draw.Uniform(rng, .92, 1.08)
	rest := m.mean()
	shake, shift := draw.Uniform(rng, .5, 2), -m.middle()
	for _, pose := range m.Poses {
		f.Poses = append(f.Poses, p.place(rest.towards(pose, p.ease), m.Front, shift))
	}
	for i := range n {
		if m.Stop == 0 || float64(i) < m.Stop*float64(n) {
			phase += tempo / FPS
		}
		pose := rest.towards(m.At(phase), p.ease)
		for _, v := range []*float64{&pose.Torso, &pose.Upper[0], &pose.Upper[1], &pose.Fore[0], &pose.Fore[1]} {
			*v += draw.Normal(rng, 0, shake)
		}
		c, j := p.frame(side, pose, m.Front, shift)
		f.Frames, f.Joints, f.Phase = append(f.Frames, c), append(f.Joints, j), append(f.Phase, phase)
	}
	return f
}

// mean is the pose in the middle of a motion's.
func (m Motion) mean() Pose {
	p := m.Poses[0]
	for i, q := range m.Poses[1:] {
		p = p.towards(q, 1/float64(i+2))
	}
	return p
}

// middle is where the middle of the body is, between its farthest joints in any of the poses.
func (m Motion) middle() float64 {
	left, right := math.Inf(1), math.Inf(-1)
	for _, p := range m.Poses {
		for _, q := range p.joints(m.Front) {
			left, right = min(left, q.X), max(right, q.X)
		}
	}
	return (left + right) / 2
}
