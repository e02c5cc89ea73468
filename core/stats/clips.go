package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/dataset"
	"finetui/core/eval"
)

// Clips describes the clips of a part: what their labels say, and what their files hold. Lengths, rates, frames and
// codecs are of the clips that were looked into.
type Clips struct {
	N          int
	Known      int         // clips that were looked into
	Seconds    Measure     // length
	FPS        Measure     // frames a second, on average over a clip
	Frames     Measure     // of a clip
	Codecs     []Count     // most first; FFmpeg's names
	Variations []Variation // most first, then in the order of the classes
	People     []Person    // most clips first, then by name
	Unnamed    int         // clips of which the participant is not known
}

// Variation is how an exercise was done, by what is to be answered about it.
type Variation struct {
	Class int
	Name  string // the answer without the exercise before it; "" where the class is the answer
	N     int    // clips
}

// Person is a participant.
type Person struct {
	Name    string
	Clips   int
	Classes int      // different ones
	Splits  []string // in the order in which they come up
}

// Measure describes a list of measurements. SD is that of a population. Without a value only N is set.
type Measure struct {
	N                          int
	Mean, SD, Min, Median, Max float64
	Histogram                  []int // values in equal parts from From to To; To counts in the last
	From, To                   float64
}

// measureBins is how many parts a histogram has; a screen joins them.
const measureBins = 60

// measure describes values, which it sorts.
func measure(values []float64) Measure {
	m := Measure{N: len(values)}
	if m.N == 0 {
		return m
	}
	slices.Sort(values)
	m.Min, m.Median, m.Max = values[0], eval.Quantile(values, 0.5), values[m.N-1]
	for _, v := range values {
		m.Mean += v / float64(m.N)
	}
	for _, v := range values {
		m.SD += (v - m.Mean) * (v - m.Mean) / float64(m.N)
	}
	m.SD = math.Sqrt(m.SD)
	if m.Min == m.Max { // exactly, where a sum of fractions is nearly
		m.Mean, m.SD = m.Min, 0
	}
	m.From, m.To = m.axis()
	m.Histogram = make([]int, measureBins)
	for _, v := range values {
		m.Histogram[min(int((v-m.From)/(m.To-m.From)*measureBins), measureBins-1)]++
	}
	return m
}

// axis is the least stretch of round ends that holds all values, from nothing where they come near it.
func (m *Measure) axis() (from, to float64) {
	reach := m.Max - m.Min
	if reach <= 0 {
		reach = math.Abs(m.Max)
	}
	if reach == 0 {
		return 0, 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(reach)))
	for _, part := range []float64{0.1, 0.2, 0.5} {
		if reach/(unit*part) <= 12 {
			unit *= part
			break
		}
	}
	if from, to = math.Floor(m.Min/unit)*unit, math.Ceil(m.Max/unit)*unit; from > 0 && from < (to-from)/2 {
		from = 0
	}
	if to <= from {
		to = from + unit
	}
	return from, to
}

// clipsOf describes the clips among items; nil where there is none.
func clipsOf(items pieces, ways *variationTable) *Clips {
	c := &Clips{}
	tally := newClipTally(ways)
	var seconds, rates, frames []float64
	codecs := map[string]int{}
	for item := range items.all {
		if item.Clip == nil {
			continue
		}
		c.N++
		tally.add(item)
		if item.Clip.Frames == 0 {
			continue
		}
		c.Known++
		seconds, rates = append(seconds, item.Clip.Seconds), append(rates, item.Clip.FPS)
		frames = append(frames, float64(item.Clip.Frames))
		codecs[item.Clip.Codec]++
	}
	if c.N == 0 {
		return nil
	}
	c.Seconds, c.FPS, c.Frames = measure(seconds), measure(rates), measure(frames)
	for name, n := range codecs {
		c.Codecs = append(c.Codecs, Count{name, n})
	}
	slices.SortFunc(c.Codecs, func(a, b Count) int { return cmp.Or(b.N-a.N, strings.Compare(a.Name, b.Name)) })
	c.Variations, c.People, c.Unnamed = tally.variations(), tally.persons(), tally.unnamed
	return c
}

// clipTally counts variations and participants.
type clipTally struct {
	ways    *variationTable
	counts  []int // by their places in the table
	people  map[dataset.Group]*Person
	seen    map[doneBy]bool
	unnamed int
}

// variationTable holds the variations of a set, each once, for all of its parts.
type variationTable struct {
	classes []dataset.Class
	list    []wayOf
	of      map[told]int32 // what was made of a text before
	at      map[wayOf]int32
}

type told struct {
	class int
	text  *dataset.Text
}

type wayOf struct {
	class int
	name  string
}

func newVariationTable(classes []dataset.Class) *variationTable {
	return &variationTable{classes: classes, of: map[told]int32{}, at: map[wayOf]int32{}}
}

// place is that of an object's variation in the list.
func (t *variationTable) place(object *dataset.Object) int32 {
	as := told{object.Class, object.Text}
	place, known := t.of[as]
	if known {
		return place
	}
	way := wayOf{object.Class, VariationOf(t.classes[object.Class].Name, object.Text)}
	if place, known = t.at[way]; !known {
		place = int32(len(t.list))
		t.list = append(t.list, way)
		t.at[way] = place
	}
	t.of[as] = place
	return place
}

type doneBy struct {
	class  int
	person dataset.Group
}

func newClipTally(ways *variationTable) *clipTally {
	return &clipTally{ways: ways, people: map[dataset.Group]*Person{}, seen: map[doneBy]bool{}}
}

func (t *clipTally) add(item *dataset.Item) {
	person := t.people[item.Group]
	switch {
	case item.Group == dataset.Group{}:
		t.unnamed++
	case person == nil:
		person = &Person{Name: item.Group.String()}
		t.people[item.Group] = person
	}
	if person != nil {
		person.Clips++
		if !slices.Contains(person.Splits, item.Split) {
			person.Splits = append(person.Splits, item.Split)
		}
	}
	for o := range item.Objects {
		object := &item.Objects[o]
		place := int(t.ways.place(object))
		if place >= len(t.counts) {
			t.counts = append(t.counts, make([]int, place+1-len(t.counts))...)
		}
		t.counts[place]++
		if by := (doneBy{object.Class, item.Group}); person != nil && !t.seen[by] {
			t.seen[by] = true
			person.Classes++
		}
	}
}

func (t *clipTally) variations() []Variation {
	list := make([]Variation, 0, len(t.counts))
	for place, n := range t.counts {
		if n > 0 {
			list = append(list, Variation{t.ways.list[place].class, t.ways.list[place].name, n})
		}
	}
	slices.SortFunc(list, func(a, b Variation) int {
		return cmp.Or(b.N-a.N, a.Class-b.Class, strings.Compare(a.Name, b.Name))
	})
	return list
}

func (t *clipTally) persons() []Person {
	list := make([]Person, 0, len(t.people))
	for _, p := range t.people {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Person) int {
		return cmp.Or(b.Clips-a.Clips, strings.Compare(a.Name, b.Name))
	})
	return list
}

// VariationOf is how the exercise was done, by the first line of what is to be answered: what stands behind "exercise -
// ", or all of it where it begins otherwise.
func VariationOf(class string, text *dataset.Text) string {
	if text == nil {
		return ""
	}
	line, _, _ := strings.Cut(text.Answer, "\n")
	before, after, parted := strings.Cut(line, " - ")
	if parted && dataset.SameExercise(before, class) {
		line = after
	}
	if dataset.SameExercise(line, class) {
		return ""
	}
	return strings.TrimSpace(line)
}

// Varied is how many ways of doing an exercise there are, the classes by themselves not counted.
func (c *Clips) Varied() (n int) {
	for _, v := range c.Variations {
		if v.Name != "" {
			n++
		}
	}
	return n
}

// lines are the clips in words.
func (c *Clips) lines() (lines []string) {
	if c.Known < c.N {
		lines = append(lines, fmt.Sprintf("%d of %s looked into; the lengths, rates and codecs are of these", c.Known,
			dataset.Counted(c.N, "clip was", "clips were")))
	}
	for _, m := range []struct {
		name, unit string
		digits     int
		Measure
	}{{"length", " s", 2, c.Seconds}, {"rate", " fps", 2, c.FPS}, {"frames", " a clip", 0, c.Frames}} {
		if d := m.digits; m.N > 0 {
			lines = append(lines, fmt.Sprintf("%-12s  %.*f%s ± %.*f, %.*f … %.*f, median %.*f", m.name, d, m.Mean,
				m.unit, d, m.SD, d, m.Min, d, m.Max, d, m.Median))
		}
	}
	if len(c.Codecs) > 0 {
		words := make([]string, len(c.Codecs))
		for i, codec := range c.Codecs {
			words[i] = fmt.Sprintf("%s %d", codec.Name, codec.N)
		}
		lines = append(lines, fmt.Sprintf("%-12s  %s", "codecs", strings.Join(words, ", ")))
	}
	variations := "none: the class is all that is answered"
	if n := c.Varied(); n > 0 {
		variations = fmt.Sprintf("%d, told apart by their answers", n)
	}
	lines = append(lines, fmt.Sprintf("%-12s  %s", "variations", variations))
	switch {
	case len(c.People) == 0:
		return append(lines, fmt.Sprintf("%-12s  not known", "participants"))
	case c.Unnamed > 0:
		return append(lines, fmt.Sprintf("%-12s  %d; not known of %s", "participants", len(c.People),
			dataset.Counted(c.Unnamed, "clip", "clips")))
	}
	return append(lines, fmt.Sprintf("%-12s  %d", "participants", len(c.People)))
}

// object is "clips" in dataset_analysis.json, of the whole and of each split of a set of clips: n and looked_into
// clips; seconds, fps and frames {n, mean, std, min, median, max, histogram: counts in equal parts between from and
// to}, null where none was looked into; codecs name → n; variations [{class, variation, n}]; participants [{name,
// clips, classes, splits}]; without_participant.
func (c *Clips) object(classes []dataset.Class) object {
	variations := make([]object, len(c.Variations))
	for i, v := range c.Variations {
		variations[i] = object{{"class", classes[v.Class].Name}, {"variation", v.Name}, {"n", v.N}}
	}
	people := make([]object, len(c.People))
	for i, p := range c.People {
		people[i] = object{{"name", p.Name}, {"clips", p.Clips}, {"classes", p.Classes}, {"splits", p.Splits}}
	}
	return object{
		{"n", c.N}, {"looked_into", c.Known}, {"seconds", measureOf(c.Seconds)}, {"fps", measureOf(c.FPS)},
		{"frames", measureOf(c.Frames)}, {"codecs", byName(c.Codecs)}, {"variations", variations},
		{"participants", people}, {"without_participant", c.Unnamed},
	}
}

// measureOf is null where nothing was measured.
func measureOf(m Measure) any {
	if m.N == 0 {
		return nil
	}
	return object{{"n", m.N}, {"mean", finite(m.Mean)}, {"std", finite(m.SD)}, {"min", finite(m.Min)},
		{"median", finite(m.Median)}, {"max", finite(m.Max)}, {"from", finite(m.From)}, {"to", finite(m.To)},
		{"histogram", m.Histogram}}
}
