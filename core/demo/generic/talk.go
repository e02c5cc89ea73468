package generic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"finetui/core/demo/draw"
)

// QA is one question and its answer.
type QA struct{ Question, Answer string }

// weighted is a question that may be asked, and how often it is compared with the others.
type weighted struct {
	weight float64
	QA
}

// Talk draws up to turns different questions about one thing. The full report, which names all that can be seen, is the
// likeliest of them: it is what teaches a small model most.
func Talk(t *Thing, rng *rand.Rand, turns int) []QA { return draws(rng, aboutThing(t, rng), turns) }

// TalkScene draws up to turns questions about thing j of a scene, some of them about the whole scene.
func TalkScene(s *Scene, j int, rng *rand.Rand, turns int) []QA {
	return draws(rng, aboutScene(s.Things, j, rng), turns)
}

// draws takes n questions without replacement.
func draws(rng *rand.Rand, q []weighted, n int) []QA {
	var out []QA
	for len(out) < n && len(q) > 0 {
		w := make([]float64, len(q))
		for i := range q {
			w[i] = q[i].weight
		}
		i := draw.Weighted(rng, w...)
		out = append(out, q[i].QA)
		q = slices.Delete(q, i, i+1)
	}
	return out
}

// state is all that has happened to the thing, "cracked and covered with leaves"; "whole" where nothing has.
func (t *Thing) state() string {
	var s []string
	if t.Cracked {
		s = append(s, "cracked")
	}
	if t.Broken {
		s = append(s, "broken")
	}
	if t.Cover != "nothing" {
		s = append(s, "covered with "+t.Cover)
	}
	if len(s) == 0 {
		return "whole"
	}
	return strings.Join(s, " and ")
}

var states = []string{"whole", "cracked", "broken", "covered"}

// oneWord is the state in one of four words, the most conspicuous first.
func (t *Thing) oneWord() string {
	switch {
	case t.Cover != "nothing":
		return "covered"
	case t.Broken:
		return "broken"
	case t.Cracked:
		return "cracked"
	}
	return "whole"
}

// report names everything: "flat grey wall cracked and broken on grass".
func (t *Thing) report() string {
	var w []string
	if t.IsBand() {
		w = append(w, t.Direction)
	}
	w = append(w, t.Colour, t.Kind, t.state())
	if t.Scattered {
		w = append(w, "scattered")
	}
	return strings.Join(append(w, "on", t.Ground), " ")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func aboutThing(t *Thing, rng *rand.Rand) []weighted {
	q := []weighted{
		{5, QA{pick(rng, []string{"Report.", "Describe it.", "Say all you see."}), t.report()}},
		{1.5, QA{pick(rng, []string{"What is shown?", "Name the thing.", "What is it?"}), t.Kind}},
		{2.5, QA{pick(rng, []string{"In what state is it?", "State?"}), t.state()}},
		{1.2, QA{pick(rng, []string{"What lies on it?", "What covers it?"}), t.Cover}},
		{.5, QA{"Colour?", t.Colour}},
		{.4, QA{"On what ground?", t.Ground}},
	}
	if t.IsBand() || t.IsHeap() {
		name := t.Kind + " " + t.oneWord()
		q = append(q,
			weighted{1.2, QA{"Is a piece missing?", yes(t.Broken)}},
			weighted{1.5, QA{pick(rng, []string{"Name and state?", "What is it, and in what state?"}), name}},
			weighted{.6, choice(name, rng)})
	}
	if t.IsBand() {
		q = append(q,
			weighted{1.2, QA{"Is it cracked?", yes(t.Cracked)}},
			weighted{1, QA{"Which way does it run?", t.Direction}},
			weighted{.8, QA{"Direction, name and state?", t.Direction + " " + t.Kind + " " + t.oneWord()}})
	}
	if t.Amount > 0 {
		amount := "half"
		switch {
		case t.Amount < .4:
			amount = "little"
		case t.Amount >= .65:
			amount = "most"
		}
		q = append(q, weighted{.5, QA{"How much is covered?", amount}})
	}
	if t.IsHeap() {
		q = append(q, weighted{.8, QA{"Are pieces scattered?", yes(t.Scattered)}})
	}
	return q
}

// choice is a closed list of two to four names, the right one among them.
func choice(right string, rng *rand.Rand) QA {
	list := []string{right}
	for range 1 + rng.IntN(3) {
		other := pick(rng, Kinds[:len(Kinds)-1]) + " " + pick(rng, states)
		if !slices.Contains(list, other) {
			list = append(list, other)
		}
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return QA{"Choose: " + strings.Join(list, "; ") + ".", right}
}

var numbers = strings.Fields("zero one two three four five six seven eight nine")

func aboutScene(things []Thing, j int, rng *rand.Rand) []weighted {
	t := &things[j]
	q := append(aboutThing(t, rng),
		weighted{1.2, QA{pick(rng, []string{"Where is it?", "Place?"}), place(t.Box)}},
		weighted{.7, QA{"How many things?", numbers[min(len(things), len(numbers)-1)]}})
	if len(things) > 1 {
		k := rng.IntN(len(things) - 1)
		if k >= j {
			k++
		}
		q = append(q, weighted{.6, QA{"Is a " + things[k].Kind + " in the picture?", "yes"}})
	}
	absent := pick(rng, Kinds[:len(Kinds)-1])
	if !slices.ContainsFunc(things, func(o Thing) bool { return o.Kind == absent }) {
		q = append(q, weighted{.6, QA{"Is a " + absent + " in the picture?", "no"}})
	}
	return q
}

// place is where the middle of a box lies in a scene: "bottom left".
func place(b [4]float64) string {
	word := func(v float64, low, mid, high string) string {
		switch {
		case v < .4:
			return low
		case v > .6:
			return high
		}
		return mid
	}
	x, y := (b[0]+b[2])/2/SceneSize, (b[1]+b[3])/2/SceneSize
	return word(y, "top", "middle", "bottom") + " " + word(x, "left", "centre", "right")
}

// Coordinates writes a box, in pixels of a width×height picture, as Qwen2-VL does: thousandths between box tokens.
func Coordinates(box [4]float64, width, height float64) string {
	k := func(v, size float64) int { return int(v*1000/size + .5) }
	return fmt.Sprintf("<|box_start|>(%d,%d),(%d,%d)<|box_end|>", k(box[0], width), k(box[1], height), k(box[2], width),
		k(box[3], height))
}

var ordinals = []string{"first", "second", "third", "fourth", "fifth"}

// Copy is two to four turns in which the answer stands in the question: names to repeat, and names to pick from lists.
func Copy(rng *rand.Rand) []QA {
	out := make([]QA, 2+rng.IntN(3))
	for i := range out {
		out[i] = copyTask(rng)
	}
	return out
}

func copyTask(rng *rand.Rand) QA {
	for {
		if q := draftCopy(rng); clean(q.Question) {
			return q
		}
	}
}

func draftCopy(rng *rand.Rand) QA {
	if rng.Float64() < .55 {
		n := name(rng)
		return QA{pick(rng, []string{"Say: ", "Repeat: ", "Write ", "Copy: "}) + n + ".", n}
	}
	var list []string
	for n := 2 + rng.IntN(4); len(list) < n; {
		if next := name(rng); !slices.Contains(list, next) {
			list = append(list, next)
		}
	}
	i := rng.IntN(len(list))
	all := strings.Join(list, "; ") + "."
	switch u := rng.Float64(); {
	case u < .45:
		return QA{"List: " + all + " Say the " + ordinals[i] + ".", list[i]}
	case u < .6:
		return QA{"List: " + all + " Say the last.", list[len(list)-1]}
	case u < .8 && i > 0:
		return QA{"List: " + all + " What comes after " + list[i-1] + "?", list[i]}
	}
	begin, _, _ := strings.Cut(list[i], " ")
	for k, other := range list { // the beginning must tell the names apart
		if first, _, _ := strings.Cut(other, " "); k != i && first == begin {
			return QA{"List: " + all + " Say the " + ordinals[i] + ".", list[i]}
		}
	}
	return QA{"List: " + all + " Say the one that begins with " + begin + ".", list[i]}
}

// system is the turn that Qwen2-VL's chat template puts first.
const system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"

// Corpus is n rounds of texts of all kinds, in chat form, for training a tokenizer.
func Corpus(rng *rand.Rand, n int) []string {
	var out []string
	for range n {
		t := randomThing(rng)
		qa := draws(rng, aboutScene([]Thing{t, randomThing(rng)}, 0, rng), 6)
		qa = append(qa, copyTask(rng), copyTask(rng))
		for _, q := range qa {
			out = append(out, "<|im_start|>user\n"+q.Question+"<|im_end|>\n<|im_start|>assistant\n"+q.Answer+"<|im_end|>\n")
		}
		out = append(out, system, Coordinates(t.Box, SceneSize, SceneSize), someWords(rng, 8))
	}
	return out
}

func someWords(rng *rand.Rand, n int) string {
	words := make([]string, n)
	for {
		for i := range words {
			words[i] = pick(rng, everyday)
		}
		if s := strings.Join(words, " "); clean(s) {
			return s
		}
	}
}

// randomThing is a description without a picture; its fields need not go together.
func randomThing(rng *rand.Rand) Thing {
	x, y := draw.Uniform(rng, 0, SceneSize-90), draw.Uniform(rng, 0, SceneSize-90)
	return Thing{Kind: pick(rng, Kinds), Direction: pick(rng, Directions[:3]), Ground: pick(rng, Grounds),
		Colour: pick(rng, Colours),
		Cover:  pick(rng, Covers), Amount: rng.Float64(), Cracked: rng.IntN(2) == 0, Broken: rng.IntN(2) == 0,
		Scattered: rng.IntN(4) == 0,
		Box:       [4]float64{x, y, x + draw.Uniform(rng, 20, 90), y + draw.Uniform(rng, 20, 90)}}
}
