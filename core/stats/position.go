package stats

import (
	"math"
	"slices"

	"finetui/core/config"
	"finetui/core/eval"
)

// Position describes where in the height of their images the objects of a class lie: y of the box's centre, 0 at the
// top and 1 at the bottom. Of a class without an object only N is set.
type Position struct {
	N         int
	Mean, SD  float64 // SD is that of a population
	Min, Max  float64
	Q25       float64 // quartiles by linear interpolation (type 7 of Hyndman and Fan)
	Q50       float64
	Q75       float64
	Histogram []int // objects in equal parts of the height, from the top
	Band      string
}

// Bands of the height.
const (
	Top    = "Top"
	Middle = "Middle"
	Bottom = "Bottom"
)

// Band is the word for a height y. On a limit is Middle: centres of whole-pixel boxes do fall there.
func Band(y float64, cfg config.Dataset) string {
	switch {
	case y > cfg.BottomAbove+onLimit:
		return Bottom
	case y < cfg.TopBelow-onLimit:
		return Top
	}
	return Middle
}

// BandWords are the words of a prompt for each band.
var BandWords = map[string]string{Top: "at the top", Middle: "in the middle", Bottom: "at the bottom"}

// classHeights are the y of centres, by class, sorted.
type classHeights [][]float64

// heights are those of all objects of items.
func heights(items pieces, classes int) classHeights {
	counts := make([]int, classes)
	for item := range items.all {
		for o := range item.Objects {
			counts[item.Objects[o].Class]++
		}
	}
	all := make(classHeights, classes)
	for class, n := range counts {
		all[class] = make([]float64, 0, n)
	}
	for item := range items.all {
		for o := range item.Objects {
			object := &item.Objects[o]
			all[object.Class] = append(all[object.Class], object.Box.Center().Y)
		}
	}
	for _, list := range all {
		slices.Sort(list)
	}
	return all
}

// merge puts two sorted lists together, in the memory of into.
func merge(into, x, y []float64) []float64 {
	for len(x) > 0 && len(y) > 0 {
		if x[0] <= y[0] {
			into, x = append(into, x[0]), x[1:]
		} else {
			into, y = append(into, y[0]), y[1:]
		}
	}
	return append(append(into, x...), y...)
}

// positions are those of the pieces together. One class is put together after the other, and none is kept.
func positions(pieces []classHeights, cfg config.Dataset) []Position {
	all := make([]Position, len(pieces[0]))
	var room, other []float64
	for class := range all {
		together := pieces[0][class]
		for _, piece := range pieces[1:] {
			together = merge(room[:0], together, piece[class])
			room, other = other, together
		}
		all[class] = position(together, cfg)
	}
	return all
}

// position describes a sorted list of heights.
func position(heights []float64, cfg config.Dataset) Position {
	p := Position{N: len(heights)}
	if p.N == 0 {
		return p
	}
	p.Min, p.Max = heights[0], heights[p.N-1]
	for _, y := range heights {
		p.Mean += y
	}
	p.Mean /= float64(p.N)
	for _, y := range heights {
		p.SD += (y - p.Mean) * (y - p.Mean)
	}
	p.SD = math.Sqrt(p.SD / float64(p.N))
	p.Q25, p.Q50, p.Q75 = eval.Quantile(heights, 0.25), eval.Quantile(heights, 0.5), eval.Quantile(heights, 0.75)
	bins := max(cfg.PositionBins, 1)
	p.Histogram = make([]int, bins)
	for _, y := range heights {
		p.Histogram[min(max(int(y*float64(bins)), 0), bins-1)]++
	}
	p.Band = Band(p.Mean, cfg)
	return p
}
