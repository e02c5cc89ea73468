package clipbase

import (
	"math"
	"math/rand/v2"
	"testing"

	"finetui/core/demo/exercise"
)

// lifting is somebody whose arms go from one angle to another and back for 16 frames.
func lifting(from, to, stop float64) scene {
	pose := func(arms float64) exercise.Pose {
		return exercise.Pose{Upper: [2]float64{arms, arms}, Fore: [2]float64{arms, arms}}
	}
	s := scene{motion: exercise.Motion{Front: true, Poses: []exercise.Pose{pose(from), pose(to)}, Stop: stop}}
	rng := rand.New(rand.NewPCG(7, 8))
	s.film = exercise.NewPerson(rng).Shoot(rng, s.motion, 16, 8)
	return s
}

// The phase of a hand begins at its upper end, whichever pose has it there, and nothing has a phase that does not move.
func TestPhaseOfMotion(t *testing.T) {
	const side = 7
	frames := []int{0, 2, 3, 6, 9, 10, 13, 14}
	for _, s := range []scene{lifting(20, 120, 0), lifting(120, 20, 0), lifting(20, 120, .5)} {
		told := s.clipTarget(frames, side)
		phase := func(f, joint int) (cos, sin float64) {
			j := s.film.Joints[frames[f]][joint]
			v := told.phase[2*(f*side*side+int(j.Y*side)*side+int(j.X*side)):]
			return float64(v[0]), float64(v[1])
		}
		hand := func(at int) float64 { return s.film.Joints[at][exercise.Hand0].Y }
		a, b := s.film.Poses[0][exercise.Hand0].Y, s.film.Poses[1][exercise.Hand0].Y
		middle, half := (a+b)/2, math.Abs(a-b)/2
		for f, at := range frames {
			if cos, _ := phase(f, exercise.Foot0); cos == cos {
				t.Errorf("frame %d: a foot that stands has a phase", at)
			}
			cos, sin := phase(f, exercise.Hand0)
			if rests := s.motion.Stop > 0 && at >= 8; rests != (cos != cos) {
				t.Errorf("frame %d: phase %.2f, at rest %v", at, cos, rests)
			} else if rests {
				continue
			}
			if height := (middle - hand(at)) / half; math.Abs(height-cos) > .3 || math.Abs(math.Hypot(cos, sin)-1) > 1e-6 {
				t.Errorf("frame %d: the hand is at %.2f of its way, its phase is %.2f, %.2f", at, height, cos, sin)
			}
			if moving := s.motion.Stop == 0 || at < 7; moving && math.Abs(sin) > .6 && (hand(at+1) > hand(at)) != (sin > 0) {
				t.Errorf("frame %d: the sine is %.2f, the hand goes from %.2f to %.2f", at, sin, hand(at), hand(at+1))
			}
		}
	}
	still := lifting(20, 120, 0)
	still.film.Poses = still.film.Poses[:1]
	for _, v := range still.clipTarget(frames, side).phase {
		if v == v {
			t.Fatal("who holds still has a phase")
		}
	}
}

func TestNear(t *testing.T) {
	for _, c := range []struct {
		told, want float64 // in cycles
		near       bool
	}{{0, .12, true}, {.12, 0, true}, {.95, .05, true}, {0, .13, false}, {.5, 0, false}, {.3, .7, false}} {
		v := func(cycles, length float64) []float32 {
			sin, cos := math.Sincos(2 * math.Pi * cycles)
			return []float32{float32(length * cos), float32(length * sin)}
		}
		if got := near(v(c.told, .3), v(c.want, 1)); got != c.near {
			t.Errorf("%g and %g cycles: %v", c.told, c.want, got)
		}
	}
}

// Of each frame is said where the parts are and how they go on to the next one that is shown, in what is usual; of
// pictures that have nothing to do with each other only where they are.
func TestPlacesAndMovement(t *testing.T) {
	const side = 7
	frames := []int{0, 1, 3, 6, 7, 10, 12, 15}
	s := lifting(20, 120, 0)
	place, change := usual()
	told := s.clipTarget(frames, side)
	for f, at := range frames {
		now, from, to := s.measure(at), at, at
		if f+1 < len(frames) {
			to = frames[f+1]
		} else {
			from = frames[f-1]
		}
		for k := range measures {
			row := told.frame[f*2*measures:]
			if got := float64(row[k])*place.deviation[k] + place.mean[k]; math.Abs(got-now[k]) > 1e-6 {
				t.Errorf("frame %d: measure %d is said to be %g and is %g", at, k, got, now[k])
			}
			want := s.measure(to)[k] - s.measure(from)[k]
			if got := float64(row[measures+k]) * change.deviation[k]; math.Abs(got-want) > 1e-6 {
				t.Errorf("frame %d: measure %d is said to change by %g and does by %g", at, k, got, want)
			}
		}
	}
	still := stillTarget([]scene{s, s}, side)
	for i, v := range still.frame {
		if moves := i%(2*measures) >= measures; moves != (v != v) {
			t.Fatalf("number %d of two pictures: %g", i, v)
		}
	}
	for _, numbers := range [][]float32{still.vector, still.phase, still.whole} {
		for _, v := range numbers {
			if v == v {
				t.Fatalf("of pictures %g is said about movement", v)
			}
		}
	}
}

// Measures in what is usual have a mean near 0 and a deviation near 1 in scenes of another seed, too.
func TestUsual(t *testing.T) {
	const scenes = 1000
	place, change := usual()
	var sum, squared, changed [measures]float64
	rng := rand.New(rand.NewPCG(8, 9))
	for range scenes {
		s := newScene(rng, 2, 4)
		a, b := s.measure(0), s.measure(1)
		for k := range measures {
			v, c := (a[k]-place.mean[k])/place.deviation[k], (b[k]-a[k])/change.deviation[k]
			sum[k], squared[k], changed[k] = sum[k]+v/scenes, squared[k]+v*v/scenes, changed[k]+c*c/scenes
		}
	}
	for k := range measures {
		if math.Abs(sum[k]) > .2 || math.Abs(squared[k]-1) > .3 || math.Abs(changed[k]-1) > .4 {
			t.Errorf("measure %d: mean %.2f, squares %.2f, of changes %.2f", k, sum[k], squared[k], changed[k])
		}
	}
}
