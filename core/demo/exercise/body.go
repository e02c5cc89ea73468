package exercise

import (
	"math"

	"finetui/core/demo/draw"
)

// Pose is how a body is bent, in degrees and in the plane of the picture. Angles of limbs are measured from hanging
// down: seen from the side 90 points to where the face looks, seen from the front away from the body; 180 points up.
// The torso's is measured from upright, forwards or to the picture's right.
type Pose struct {
	Torso       float64
	Upper, Fore [2]float64 // of each arm
	Thigh, Shin [2]float64 // of each leg
	Lift        float64    // of the feet above the floor, in body heights
}

// Mirrored has the limbs of one side where those of the other were.
func (p Pose) Mirrored() Pose {
	for _, v := range []*[2]float64{&p.Upper, &p.Fore, &p.Thigh, &p.Shin} {
		v[0], v[1] = v[1], v[0]
	}
	return p
}

// towards is the pose a share t of the way to q.
func (p Pose) towards(q Pose, t float64) Pose {
	mix := func(a, b float64) float64 { return a + (b-a)*t }
	out := Pose{Torso: mix(p.Torso, q.Torso), Lift: mix(p.Lift, q.Lift)}
	for i := range 2 {
		out.Upper[i], out.Fore[i] = mix(p.Upper[i], q.Upper[i]), mix(p.Fore[i], q.Fore[i])
		out.Thigh[i], out.Shin[i] = mix(p.Thigh[i], q.Thigh[i]), mix(p.Shin[i], q.Shin[i])
	}
	return out
}

// Motion is a repeated movement through poses, with the speed of a pendulum between any two.
type Motion struct {
	Front bool // seen from the front, else from the side
	Poses []Pose
	Stop  float64 // the share of a clip after which nothing moves any more; 0: it goes on
}

// At is the pose at a phase, counted in repetitions.
func (m Motion) At(phase float64) Pose {
	n := float64(len(m.Poses))
	phase = (phase - math.Floor(phase)) * n
	i := int(phase) % len(m.Poses)
	t := (1 - math.Cos(math.Pi*(phase-float64(i)))) / 2
	return m.Poses[i].towards(m.Poses[(i+1)%len(m.Poses)], t)
}

// Joints of a body.
const (
	Head = iota
	Neck
	Hip
	Elbow0
	Elbow1
	Hand0
	Hand1
	Knee0
	Knee1
	Foot0
	Foot1
	Shoulder0
	Shoulder1
	JointCount
)

// Joints are places in body heights, y upwards from the floor, x from the middle of the feet.
type Joints [JointCount]draw.Point

// The parts of a body of height 1.
const (
	headRadius    = .07
	neckLength    = .10
	torsoLength   = .30
	upperLength   = .17
	foreLength    = .16
	thighLength   = .24
	shinLength    = .24
	shoulderHalf  = .085 // seen from the front
	hipHalf       = .055
	footThickness = .025
)

// joints are where a pose has them.
func (p Pose) joints(front bool) (j Joints) {
	sin, cos := math.Sincos(p.Torso * math.Pi / 180)
	j[Neck] = draw.Point{X: sin * torsoLength, Y: cos * torsoLength}
	j[Head] = draw.Point{X: sin * (torsoLength + neckLength), Y: cos * (torsoLength + neckLength)}
	for i := range 2 {
		side, shoulder, hip := 1., .0, .0
		if front {
			side, shoulder, hip = float64(2*i-1), shoulderHalf, hipHalf
		}
		at := draw.Point{X: j[Neck].X + side*shoulder*cos, Y: j[Neck].Y - side*shoulder*sin}
		j[Shoulder0+i] = at
		j[Elbow0+i] = reach(at, p.Upper[i], side, upperLength)
		j[Hand0+i] = reach(j[Elbow0+i], p.Fore[i], side, foreLength)
		j[Knee0+i] = reach(draw.Point{X: side * hip}, p.Thigh[i], side, thighLength)
		j[Foot0+i] = reach(j[Knee0+i], p.Shin[i], side, shinLength)
	}
	lowest := math.Inf(1)
	for _, q := range j {
		lowest = min(lowest, q.Y)
	}
	middle := (j[Foot0].X + j[Foot1].X) / 2
	for i := range j {
		j[i].X -= middle
		j[i].Y += footThickness + p.Lift - lowest
	}
	return j
}

// reach is the end of a limb.
func reach(from draw.Point, angle, side, length float64) draw.Point {
	sin, cos := math.Sincos(angle * math.Pi / 180)
	return draw.Point{X: from.X + side*sin*length, Y: from.Y - cos*length}
}

// limbs are the pairs of joints that a body's parts lie between, from the farthest from the eye to the nearest.
var limbs = [...]struct {
	a, b  int
	width float64 // in body heights
	part  part
}{
	{Shoulder1, Elbow1, .055, sleeveFar}, {Elbow1, Hand1, .045, skinFar},
	{Hip, Knee1, .08, trousersFar}, {Knee1, Foot1, .06, trousersFar},
	{Hip, Neck, .12, shirt},
	{Hip, Knee0, .08, trousers}, {Knee0, Foot0, .06, trousers},
	{Shoulder0, Elbow0, .055, sleeve}, {Elbow0, Hand0, .045, skin},
}

// part says which colour something has.
type part int

const (
	skin part = iota
	skinFar
	shirt
	sleeve
	sleeveFar
	trousers
	trousersFar
)
