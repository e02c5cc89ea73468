// Package stats counts what a data set holds: classes, conditions, positions, and how objects lie to one another.
// It never judges what to do about it and never reads a picture.
package stats

import (
	"math"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
)

// Analysis is every statistic of a data set, of the whole and of each split. Slices "by class" are in the order of
// Classes.
type Analysis struct {
	Classes  []dataset.Class
	Whole    Part
	Splits   []Part // in the set's order
	Findings []dataset.Finding
	Causes   []dataset.Cause  // of the findings, each once
	Rows     int              // of the label files
	Lost     int              // of them, that do not count: all statistics are of the others
	Sets     []dataset.Joined // that joined DATASET.PATH's
}

// Part is the statistics of a set of images.
type Part struct {
	Split               string // "" for the whole
	Images              int
	ImagesWithObjects   int
	Objects             int
	ClassCounts         []int   // objects, by class
	ImagesWithClass     []int   // images that hold at least one, by class
	Conditions          []Count // objects, default condition first, then as CONDITIONS lists them
	ObjectTypes         []Count // objects, most first
	Imbalance           Imbalance
	PerImage            Summary // objects per image, over all images
	PerImageWithObjects Summary // the same, without the empty images
	Resolution          Resolution
	Positions           []Position     // of the centres' y, by class
	Pairs               int            // unordered pairs of objects within an image
	Relations           []Relation     // in name order of A, then B; only pairs that occur
	RelationTotals      Directions     // over all pairs, each seen in name order
	Cooccurrence        []Cooccurrence // in the same order
	Clips               *Clips         // nil where there are none
}

// Count is how often something with a name occurs.
type Count struct {
	Name string
	N    int
}

// Imbalance compares the most with the least frequent class. Ratio is over the classes that have an object; where some
// have none, the ratio over all classes is not defined.
type Imbalance struct {
	Ratio       float64 // 0 where nothing is labelled
	Most, Least int     // classes; -1 where nothing is labelled
	Level       string  // Balanced, Moderate or Severe
	Absent      []int   // classes without an object
}

// Levels of Imbalance.
const (
	Balanced = "balanced"
	Moderate = "moderate"
	Severe   = "severe"
)

// OverAll is the ratio over all classes; defined is false where a class has no object.
func (b Imbalance) OverAll() (ratio float64, defined bool) {
	if len(b.Absent) > 0 || b.Most < 0 {
		return 0, false
	}
	return b.Ratio, true
}

// Summary is the usual description of a list of whole numbers. SD is that of a population.
type Summary struct {
	N        int
	Mean, SD float64
	Min, Max int
}

// Resolution is the size of the pictures, over those whose size is known.
type Resolution struct {
	N                     int
	MeanWidth, MeanHeight float64 // pixels
	Distinct              []Size  // most frequent first, then narrowest, then lowest
}

// Size is a picture size in pixels, and how many have it.
type Size struct{ Width, Height, N int }

// Analyze computes the whole analysis. It takes the classes, splits and items as they are, so that it can also be given
// a part of a set.
func Analyze(d *dataset.Dataset, cfg config.Dataset) *Analysis {
	a := &Analysis{Classes: d.Classes, Findings: d.Findings, Causes: d.Causes(), Sets: d.Sets}
	a.Rows, a.Lost = d.RowCount()
	bySplit := map[string]pieces{}
	for from, to := 0, 0; from < len(d.Items); from = to { // a split mostly stands in one piece
		split := d.Items[from].Split
		for to < len(d.Items) && d.Items[to].Split == split {
			to++
		}
		bySplit[split] = append(bySplit[split], d.Items[from:to])
	}
	order := nameOrder(d.Classes)
	count := func(items pieces) counted {
		c := counted{pairs: newPairTable(order, cfg), heights: []classHeights{heights(items, len(d.Classes))}}
		for item := range items.all {
			c.pairs.add(item.Objects)
		}
		return c
	}
	bySplitCounted, whole := map[string]counted{}, counted{pairs: newPairTable(order, cfg)}
	for split, items := range bySplit {
		c := count(items)
		bySplitCounted[split] = c
		whole.pairs.merge(c.pairs)
		whole.heights = append(whole.heights, c.heights...)
	}
	if whole.heights == nil {
		whole = count(nil)
	}
	ways := newVariationTable(d.Classes)
	a.Whole = analyzePart("", pieces{d.Items}, d.Classes, whole, ways, cfg)
	for _, split := range d.Splits {
		c, there := bySplitCounted[split]
		if !there {
			c = count(nil)
		}
		a.Splits = append(a.Splits, analyzePart(split, bySplit[split], d.Classes, c, ways, cfg))
	}
	return a
}

// pieces are the items of a part, where they lie in the set.
type pieces [][]dataset.Item

func (p pieces) all(yield func(*dataset.Item) bool) {
	for _, piece := range p {
		for i := range piece {
			if !yield(&piece[i]) {
				return
			}
		}
	}
}

// counted is what takes long to find out of a part. That of the whole is put together from the splits: every object and
// every pair is looked at once.
type counted struct {
	pairs   *pairTable
	heights []classHeights // of the pieces that the part is put together from
}

// Split returns the statistics of a split, or nil.
func (a *Analysis) Split(name string) *Part {
	for i := range a.Splits {
		if a.Splits[i].Split == name {
			return &a.Splits[i]
		}
	}
	return nil
}

// nameOrder is the place of each class when they are sorted by name, by code point.
func nameOrder(classes []dataset.Class) []int {
	sorted := make([]int, len(classes))
	for i := range sorted {
		sorted[i] = i
	}
	slices.SortStableFunc(sorted, func(a, b int) int { return strings.Compare(classes[a].Name, classes[b].Name) })
	order := make([]int, len(classes))
	for place, class := range sorted {
		order[class] = place
	}
	return order
}

func analyzePart(split string, items pieces, classes []dataset.Class, c counted, ways *variationTable,
	cfg config.Dataset) Part {
	p := Part{
		Split:           split,
		ClassCounts:     make([]int, len(classes)),
		ImagesWithClass: make([]int, len(classes)),
	}
	lastSeen := make([]int, len(classes)) // item, from 1, in which a class was seen last
	for item := range items.all {
		p.Images++
		p.Objects += len(item.Objects)
		p.Pairs += len(item.Objects) * (len(item.Objects) - 1) / 2
		for o := range item.Objects {
			class := item.Objects[o].Class
			p.ClassCounts[class]++
			if lastSeen[class] != p.Images {
				lastSeen[class] = p.Images
				p.ImagesWithClass[class]++
			}
		}
	}
	p.PerImage = summarize(items, 0)
	p.PerImageWithObjects = summarize(items, 1)
	p.ImagesWithObjects = p.PerImageWithObjects.N
	p.Conditions = conditions(p.ClassCounts, classes, cfg)
	p.ObjectTypes = objectTypes(p.ClassCounts, classes)
	p.Imbalance = imbalance(p.ClassCounts, cfg)
	p.Resolution = resolution(items)
	p.Clips = clipsOf(items, ways)
	p.Positions = positions(c.heights, cfg)
	p.Relations, p.Cooccurrence = c.pairs.results(p)
	for _, r := range p.Relations {
		p.RelationTotals.add(r.Directions)
	}
	return p
}

// ByCount lists the classes, most objects first, then in the set's order.
func (p *Part) ByCount() []int {
	classes := make([]int, len(p.ClassCounts))
	for i := range classes {
		classes[i] = i
	}
	slices.SortStableFunc(classes, func(a, b int) int { return p.ClassCounts[b] - p.ClassCounts[a] })
	return classes
}

// Reaching is how many of the most frequent classes hold that share of all objects, and how many objects these are.
func (p *Part) Reaching(share float64) (classes, objects int) {
	for _, class := range p.ByCount() {
		if float64(objects) >= share*float64(p.Objects) {
			break
		}
		classes, objects = classes+1, objects+p.ClassCounts[class]
	}
	return classes, objects
}

// conditions sums the counts of the classes of each condition that a class has.
func conditions(counts []int, classes []dataset.Class, cfg config.Dataset) []Count {
	names := []string{cfg.DefaultCondition}
	for _, word := range cfg.Conditions {
		names = append(names, strings.ToLower(strings.TrimSpace(word)))
	}
	sums := sumBy(counts, classes, func(c dataset.Class) string { return c.Condition })
	place := func(name string) int {
		if i := slices.Index(names, name); i >= 0 {
			return i
		}
		return len(names)
	}
	slices.SortStableFunc(sums, func(a, b Count) int { return place(a.Name) - place(b.Name) })
	return sums
}

func objectTypes(counts []int, classes []dataset.Class) []Count {
	sums := sumBy(counts, classes, func(c dataset.Class) string { return c.Object })
	slices.SortStableFunc(sums, func(a, b Count) int { return b.N - a.N })
	return sums
}

// sumBy adds the counts of classes that share a name, in the order in which the names come up.
func sumBy(counts []int, classes []dataset.Class, name func(dataset.Class) string) (sums []Count) {
	at := map[string]int{}
	for i, class := range classes {
		key := name(class)
		place, there := at[key]
		if !there {
			place = len(sums)
			at[key] = place
			sums = append(sums, Count{Name: key})
		}
		sums[place].N += counts[i]
	}
	return sums
}

func imbalance(counts []int, cfg config.Dataset) Imbalance {
	b := Imbalance{Most: -1, Least: -1, Level: Balanced}
	for class, n := range counts {
		if n == 0 {
			b.Absent = append(b.Absent, class)
			continue
		}
		if b.Most < 0 || n > counts[b.Most] {
			b.Most = class
		}
		if b.Least < 0 || n < counts[b.Least] {
			b.Least = class
		}
	}
	if b.Most < 0 {
		return b
	}
	b.Ratio = float64(counts[b.Most]) / float64(counts[b.Least])
	switch {
	case b.Ratio > cfg.SevereAbove:
		b.Level = Severe
	case b.Ratio > cfg.ModerateAbove:
		b.Level = Moderate
	}
	return b
}

// summarize describes how many objects an item has, of those that have at least so many.
func summarize(items pieces, least int) Summary {
	var s Summary
	sum := 0
	for item := range items.all {
		n := len(item.Objects)
		if n < least {
			continue
		}
		if s.N++; s.N == 1 {
			s.Min = n
		}
		s.Min, s.Max, sum = min(s.Min, n), max(s.Max, n), sum+n
	}
	if s.N == 0 {
		return s
	}
	s.Mean = float64(sum) / float64(s.N)
	square := 0.0
	for item := range items.all {
		if n := len(item.Objects); n >= least {
			square += (float64(n) - s.Mean) * (float64(n) - s.Mean)
		}
	}
	s.SD = math.Sqrt(square / float64(s.N))
	return s
}

func resolution(items pieces) Resolution {
	var r Resolution
	counts := map[[2]int]int{}
	for item := range items.all {
		if item.Width == 0 || item.Height == 0 {
			continue
		}
		r.N++
		r.MeanWidth += float64(item.Width)
		r.MeanHeight += float64(item.Height)
		counts[[2]int{int(item.Width), int(item.Height)}]++
	}
	if r.N == 0 {
		return r
	}
	r.MeanWidth /= float64(r.N)
	r.MeanHeight /= float64(r.N)
	for size, n := range counts {
		r.Distinct = append(r.Distinct, Size{size[0], size[1], n})
	}
	slices.SortFunc(r.Distinct, func(a, b Size) int {
		switch {
		case a.N != b.N:
			return b.N - a.N
		case a.Width != b.Width:
			return a.Width - b.Width
		}
		return a.Height - b.Height
	})
	return r
}
