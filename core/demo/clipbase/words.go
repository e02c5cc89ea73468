package clipbase

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"finetui/core/demo/exercise"
	"finetui/core/demo/generic"
)

// facet is one thing that can be asked, and answered from where the joints are.
type facet struct {
	questions []string
	answer    func(s *scene) string
}

// postures are asked of clips and of pictures.
var postures = []facet{
	{[]string{"How does the body stand?", "What holds the body up?"}, func(s *scene) string {
		return [...]string{"upright on both feet", "face down on hands and feet",
			"on the back with bent legs"}[s.stance]
	}},
	{[]string{"Where do the hands go?", "What do the arms do?"}, (*scene).hands},
	{[]string{"How far do the elbows bend?", "Are the elbows bent?"}, func(s *scene) string {
		return "the elbows are " + level(s.most(func(p exercise.Pose) float64 {
			return math.Max(math.Abs(p.Fore[0]-p.Upper[0]), math.Abs(p.Fore[1]-p.Upper[1]))
		}), 25, 75, 115)
	}},
	{[]string{"How far do the knees bend?", "Are the knees bent?"}, func(s *scene) string {
		return "the knees are " + level(s.most(func(p exercise.Pose) float64 {
			return math.Max(math.Abs(p.Thigh[0]-p.Shin[0]), math.Abs(p.Thigh[1]-p.Shin[1]))
		}), 20, 60, 100)
	}},
	{[]string{"What does the torso do?", "Where does the back go?"}, (*scene).torso},
	{[]string{"What do the legs do?", "Where are the feet?"}, (*scene).legs},
	{[]string{"Where are the hips?", "How high do the hips come?"}, (*scene).hips},
	{[]string{"From where is it seen?", "Where is the camera?"}, func(s *scene) string {
		if s.motion.Front {
			return "seen from the front"
		}
		return "seen from the side"
	}},
}

// movements are asked of clips alone.
var movements = []facet{
	{[]string{"Do both sides move together?", "What is the rhythm?"}, func(s *scene) string {
		switch {
		case s.still:
			return "nothing moves"
		case s.turns:
			return "left and right move in turn"
		}
		return "both sides move together"
	}},
	{[]string{"Does the movement go on?", "How does it end?"}, func(s *scene) string {
		if s.still || s.motion.Stop > 0 {
			return "it rests before the end"
		}
		return "it goes on until the end"
	}},
}

// most is the greatest value in any of the poses.
func (s *scene) most(of func(p exercise.Pose) float64) (top float64) {
	for _, p := range s.motion.Poses {
		top = max(top, of(p))
	}
	return top
}

// level says how much a joint is bent.
func level(angle, little, half, much float64) string {
	switch {
	case angle < little:
		return "straight"
	case angle < half:
		return "slightly bent"
	case angle < much:
		return "half bent"
	}
	return "deeply bent"
}

// extremes are the least and the most of a measure over the whole film, in body heights.
func (s *scene) extremes(k int) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for i := range s.film.Frames {
		j := s.film.Joints[i]
		scale := math.Hypot(j[exercise.Neck].X-j[exercise.Hip].X, j[exercise.Neck].Y-j[exercise.Hip].Y) / .3
		v := s.measure(i)[k] / scale
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi
}

func (s *scene) hands() string {
	lo, hi := s.extremes(handsY)
	place := func(y float64) string {
		switch {
		case y < -.12:
			return "low"
		case y < .10:
			return "at the hips"
		case y < .26:
			return "at the chest"
		case y < .42:
			return "at the head"
		}
		return "overhead"
	}
	from, to := place(lo), place(hi)
	if from == to {
		return "the hands stay " + from
	}
	return "the hands go from " + from + " to " + to
}

func (s *scene) torso() string {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range s.motion.Poses {
		lo, hi = min(lo, p.Torso), max(hi, p.Torso)
	}
	far := max(hi, -lo)
	if s.motion.Front {
		switch {
		case far < 10:
			return "the torso stays upright"
		case lo < -8 && hi > 8:
			return "the torso leans to both sides"
		}
		return "the torso leans to one side"
	}
	switch s.stance {
	case prone:
		return "the torso is level"
	case supine:
		switch {
		case hi-lo < 20:
			return "the torso stays down"
		case hi > -25:
			return "the torso comes up fully"
		}
		return "the torso comes halfway up"
	}
	switch {
	case lo < -12:
		return "the torso leans back"
	case hi < 14:
		return "the torso stays upright"
	case hi < 42:
		return "the torso leans slightly forward"
	case hi < 90:
		return "the torso leans far forward"
	}
	return "the torso folds down"
}

func (s *scene) legs() string {
	_, apart := s.extremes(feetApartX)
	_, raised := s.extremes(feetApartY)
	_, knee := s.extremes(kneesApartY)
	switch {
	case s.motion.Front && apart > .28:
		return "the feet go wide apart"
	case s.motion.Front:
		return "the feet stay close"
	case knee > .12 || raised > .15:
		return "one knee is raised high"
	case raised > .05 || knee > .05:
		return "one foot is lifted"
	case apart > .2:
		return "one foot is in front"
	}
	return "the feet stay side by side"
}

func (s *scene) hips() string {
	lo, hi := s.extremes(hipUp)
	height := func(v float64) string {
		switch {
		case v < .1:
			return "on the floor"
		case v < .2:
			return "low"
		case v < .32:
			return "at knee height"
		case v < .43:
			return "a bit lower than in standing"
		}
		return "high"
	}
	if from, to := height(lo), height(hi); from != to {
		return "the hips go from " + from + " to " + to
	}
	return "the hips stay " + height(hi)
}

// qa is one turn.
type qa struct{ question, answer string }

// facets are those that can be asked of the scene.
func (s *scene) facets() []facet {
	if len(s.film.Frames) == 1 {
		return postures
	}
	return append(slices.Clone(postures), movements...)
}

// long is the answer that says everything.
func (s *scene) long() string {
	var all []string
	for _, f := range s.facets() {
		all = append(all, f.answer(s))
	}
	return strings.Join(all, ", ")
}

// talk draws a conversation: single things, everything at once, and a text to be copied.
func (s *scene) talk(rng *rand.Rand) (out []qa) {
	of := s.facets()
	for _, i := range rng.Perm(len(of)) {
		out = append(out, qa{of[i].questions[rng.IntN(len(of[i].questions))], of[i].answer(s)})
	}
	whole := []string{"Describe the movement.", "What happens in this clip?", "What is done here?"}
	if len(s.film.Frames) == 1 {
		whole = []string{"Describe the pose.", "What does this picture show?", "What is done here?"}
	}
	out = append(out, qa{whole[rng.IntN(len(whole))], s.long()})
	last := len(out) - 1
	out[0], out[last] = out[last], out[0]
	if rng.IntN(2) == 0 { // a single thing first
		out[0], out[1] = out[1], out[0]
	}
	for _, c := range generic.Copy(rng)[:1] {
		out = append(out, qa{c.Question, c.Answer})
	}
	return out
}

// corpus are texts for the tokenizer.
func corpus(rng *rand.Rand, n int) []string {
	texts := generic.Corpus(rng, n/3)
	for range n / 20 {
		for _, s := range []scene{newScene(rng, 16, 8), newPicture(rng, 8)} {
			for _, t := range s.talk(rng) {
				texts = append(texts, t.question, t.answer)
			}
		}
	}
	return texts
}
