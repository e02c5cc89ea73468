package stats

import (
	"math"
	"slices"

	"finetui/core/config"
	"finetui/core/dataset"
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

// heights are the y of the centres, by class, sorted.
func heights(items []*dataset.Item, classes int) [][]float64 {
	counts := make([]int, classes)
	for _, item := range items {
		for o := range item.Objects {
			counts[item.Objects[o].Class]++
		}
	}
	all := make([][]float64, classes)
	for class, n := range counts {
		all[class] = make([]float64, 0, n)
	}
	for _, item := range items {
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

// mergeHeights puts those of two parts together.
func mergeHeights(a, b [][]float64) [][]float64 {
	if a == nil {
		return b
	}
	all := make([][]float64, len(a))
	for class := range a {
		x, y := a[class], b[class]
		list := make([]float64, 0, len(x)+len(y))
		for len(x) > 0 && len(y) > 0 {
			if x[0] <= y[0] {
				list, x = append(list, x[0]), x[1:]
			} else {
				list, y = append(list, y[0]), y[1:]
			}
		}
		all[class] = append(append(list, x...), y...)
	}
	return all
}

func positions(heights [][]float64, cfg config.Dataset) []Position {
	all := make([]Position, len(heights))
	for class := range all {
		all[class] = position(heights[class], cfg)
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
