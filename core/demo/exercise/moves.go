package exercise

// variation is one way to do an exercise: the right one, or a fault that a coach would speak of.
type variation struct {
	label  string // behind the exercise's name in "labels"
	advice string // in "labels_descriptive"
	motion Motion
}

// exercise is one class of the set.
type exercise struct {
	name       string
	variations []variation // the first is the right form
}

// both has the same angle on both sides.
func both(v float64) [2]float64 { return [2]float64{v, v} }

// stand is upright with hanging arms.
var stand = Pose{Upper: both(4), Fore: both(6)}

// with is a pose with a change.
func (p Pose) with(change func(*Pose)) Pose {
	change(&p)
	return p
}

func side(poses ...Pose) Motion  { return Motion{Poses: poses} }
func front(poses ...Pose) Motion { return Motion{Front: true, Poses: poses} }

// stopped ends a motion in the middle of a clip.
func (m Motion) stopped() Motion {
	m.Stop = .4
	return m
}

// squat is bent knees, arms forward.
func squat(thigh, shin, torso float64) Pose {
	return Pose{Torso: torso, Upper: both(85), Fore: both(88), Thigh: both(thigh), Shin: both(shin)}
}

func jack(arms, legs float64) Motion {
	return front(Pose{Upper: both(8), Fore: both(8), Thigh: both(2), Shin: both(2)},
		Pose{Upper: both(arms), Fore: both(arms + 8), Thigh: both(legs), Shin: both(legs), Lift: .05})
}

// lunge has one leg in front.
func lunge(front, shin, rear, rearShin, torso float64) Motion {
	p := Pose{Torso: torso, Upper: both(5), Fore: both(60), Thigh: [2]float64{front, rear},
		Shin: [2]float64{shin, rearShin}}
	return side(Pose{Upper: both(5), Fore: both(60), Thigh: [2]float64{22, -18}, Shin: [2]float64{12, -25}}, p)
}

// plank is a body on its toes with its face down: the line of torso and legs falls by so many degrees, and the hip
// bends by so many from it, upwards if positive.
func plank(fall, hip, upper, fore float64) Pose {
	return Pose{Torso: 90 - fall + hip, Upper: both(upper), Fore: both(fore), Thigh: both(-90 + fall + hip),
		Shin: both(-90 + fall + hip)}
}

func press(upper, fore, lean float64) Motion {
	return front(Pose{Torso: lean / 3, Upper: both(58), Fore: both(172)},
		Pose{Torso: lean, Upper: both(upper), Fore: both(fore)})
}

func knees(thigh, torso float64) Motion {
	up := Pose{Torso: torso, Upper: [2]float64{-30, 40}, Fore: [2]float64{60, 120},
		Thigh: [2]float64{thigh, 0}, Shin: [2]float64{thigh - 95, 0}, Lift: .02}
	return side(up, up.Mirrored())
}

func curl(upper, fore float64) Motion {
	return side(stand, Pose{Upper: both(upper), Fore: both(fore)})
}

// sitUp goes from lying on the back to a torso at so many degrees; hips and feet stay where they are.
func sitUp(torso, arms float64) Motion {
	lying := Pose{Torso: -88, Upper: both(92), Fore: both(92), Thigh: both(126), Shin: both(48)}
	return side(lying, lying.with(func(p *Pose) { p.Torso, p.Upper, p.Fore = torso, both(arms), both(arms) }))
}

func touch(torso, thigh, shin float64) Motion {
	down := Pose{Torso: torso, Upper: both(8), Fore: both(4), Thigh: both(thigh), Shin: both(shin)}
	return side(Pose{Upper: both(160), Fore: both(165)}, down)
}

func bend(right, left float64) Motion {
	p := func(torso float64) Pose {
		return Pose{Torso: torso, Upper: both(10), Fore: both(8), Thigh: both(8), Shin: both(8)}
	}
	return front(p(right), p(left))
}

func bridge(torso, thigh, shin float64) Motion {
	lying := Pose{Torso: -88, Upper: both(86), Fore: both(90), Thigh: both(126), Shin: both(48)}
	return side(lying, Pose{Torso: torso, Upper: both(84), Fore: both(90), Thigh: both(thigh), Shin: both(shin)})
}

// exercises are the classes, from the most frequent to the rarest.
var exercises = []exercise{
	{"squats", []variation{
		{"good form", "Good depth with a steady back, keep it up", side(stand, squat(88, -28, 32))},
		{"not deep enough", "Go lower until your thighs are level with the floor", side(stand, squat(42, -16, 14))},
		{"leaning forward", "Keep your chest up, your back leans too far forward", side(stand, squat(80, -30, 78))},
		{"stopping early", "Do not stop early, keep moving until the end", side(stand, squat(88, -28, 32)).stopped()},
	}},
	{"jumping jacks", []variation{
		{"good form", "Arms and legs open fully, very nice", jack(160, 28)},
		{"arms too low", "Raise your arms all the way above your head", jack(88, 28)},
		{"legs closed", "Open your legs wider with each jump", jack(160, 4)},
		{"stopping early", "Do not stop early, keep moving until the end", jack(160, 28).stopped()},
	}},
	{"lunges", []variation{
		{"good form", "Well done, the front knee bends to a right angle", lunge(84, -4, -12, -82, 4)},
		{"not deep enough", "Bend your front knee more and sink lower", lunge(46, -4, -16, -52, 4)},
		{"leaning forward", "Straighten your back, your torso tips over", lunge(84, -4, -12, -82, 52)},
	}},
	{"push ups", []variation{
		{"good form", "Strong and straight, your chest comes close to the floor", side(plank(25, 0, 0, 0),
			plank(9, 0, -100, 0))},
		{"not deep enough", "Lower your chest further towards the floor", side(plank(25, 0, 0, 0),
			plank(20, 0, -40, 28))},
		{"hips high", "Bring your hips down, your body should form one line", side(plank(25, 28, 8, 8),
			plank(12, 28, -90, 10))},
	}},
	{"high knees", []variation{
		{"good form", "Great pace, your knees reach hip height", knees(92, 3)},
		{"knees too low", "Lift your knees higher, up to your hips", knees(45, 3)},
		{"leaning back", "Do not lean back, stay upright over your feet", knees(88, -24)},
	}},
	{"biceps curls", []variation{
		{"good form", "Elbows stay still and the arms close fully", curl(2, 150)},
		{"half range", "Curl higher, your arms stop halfway", curl(2, 82)},
		{"swinging elbows", "Keep your elbows at your side, they swing forward", curl(58, 165)},
	}},
	{"sit ups", []variation{
		{"good form", "Your torso comes up completely, well controlled", sitUp(-5, 100)},
		{"half range", "Sit up further, you only reach halfway", sitUp(-52, 85)},
		{"pulling the arms", "Do not throw your arms over your head", sitUp(-8, 178)},
	}},
	{"elbow plank", []variation{
		{"good form", "Head, hips and heels form a straight line", side(plank(13, 0, 0, 88), plank(13, 2, 2, 90))},
		{"hips high", "Lower your hips to the height of your shoulders", side(plank(13, 28, 4, 88),
			plank(13, 30, 6, 90))},
		{"hips sagging", "Tighten your belly, your hips sink to the floor", side(plank(13, -14, -4, 88),
			plank(13, -16, -4, 88))},
	}},
	{"overhead press", []variation{
		{"good form", "Both arms stretch out above your head", press(172, 178, 0)},
		{"half range", "Press until your arms are straight", press(100, 170, 0)},
		{"leaning sideways", "Stay in the middle, you tip to one side", press(172, 178, 20)},
	}},
	{"toe touches", []variation{
		{"good form", "You reach your toes with straight legs", touch(122, 0, 0)},
		{"knees bent", "Keep your knees straight while you reach down", touch(118, 48, -38)},
		{"half range", "Reach further down towards your toes", touch(62, 0, 0)},
	}},
	{"side bends", []variation{
		{"good form", "You bend evenly to both sides", bend(32, -32)},
		{"one side only", "Bend to the other side as well", bend(34, 0)},
	}},
	{"glute bridge", []variation{
		{"good form", "Your hips rise to a line from shoulder to knee", bridge(-124, 88, 4)},
		{"hips too low", "Push your hips up higher", bridge(-98, 116, 34)},
	}},
}
