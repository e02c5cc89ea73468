package stats

import (
	"fmt"
	"math"

	"finetui/core/dataset"
)

// Extreme is the item of a set in which something is most or least: what deserves a look even where nothing is wrong,
// since slips of a labeller that no rule forbids end there.
type Extreme struct {
	What   string // "smallest object"
	Much   string // how much: "0.03 % of the picture"
	Item   int
	Object int // of the item; -1 where it is the item as a whole
}

// extreme finds one Extreme among objects or items.
type extreme struct {
	what   string
	object func(item *dataset.Item, o *dataset.Object) float64 // the largest is meant; NaN: does not count
	item   func(item *dataset.Item) float64
	much   func(item *dataset.Item, o *dataset.Object) string
}

// Extremes are the outermost items of those that are given by their places, the rarest class's first. What is the same
// in all of them is left out.
func (a *Analysis) Extremes(set *dataset.Dataset, items []int) (list []Extreme) {
	for _, e := range a.extremes(set) {
		best, least, most := Extreme{What: e.what, Item: -1, Object: -1}, math.Inf(1), math.Inf(-1)
		look := func(i, o int, v float64) {
			if math.IsNaN(v) {
				return
			}
			least = min(least, v)
			if v > most {
				most, best.Item, best.Object = v, i, o
			}
		}
		for _, i := range items {
			item := &set.Items[i]
			if e.item != nil {
				look(i, -1, e.item(item))
				continue
			}
			for o := range item.Objects {
				look(i, o, e.object(item, &item.Objects[o]))
			}
		}
		if best.Item < 0 || least == most {
			continue
		}
		var object *dataset.Object
		if best.Object >= 0 {
			object = &set.Items[best.Item].Objects[best.Object]
		}
		best.Much = e.much(&set.Items[best.Item], object)
		list = append(list, best)
	}
	return list
}

func (a *Analysis) extremes(set *dataset.Dataset) []extreme {
	counts := a.Whole.ClassCounts
	rarest := extreme{what: "rarest class",
		object: func(_ *dataset.Item, o *dataset.Object) float64 { return -float64(counts[o.Class]) },
		much: func(_ *dataset.Item, o *dataset.Object) string {
			return fmt.Sprintf("%s, %d in all", set.Classes[o.Class].Name, counts[o.Class])
		}}
	if a.Whole.Clips != nil {
		return append([]extreme{rarest}, ofClips...)
	}
	return append([]extreme{rarest}, ofPictures...)
}

// negative turns a measure around: the least is meant.
func negative[T any](of func(T) float64) func(T) float64 {
	return func(v T) float64 { return -of(v) }
}

func area(o *dataset.Object) float64 { return (o.Box.X1 - o.Box.X0) * (o.Box.Y1 - o.Box.Y0) }

// slender is how many times longer a box is than wide, in pixels; NaN where the picture's size is not known.
func slender(item *dataset.Item, o *dataset.Object) float64 {
	w, h := (o.Box.X1-o.Box.X0)*float64(item.Width), (o.Box.Y1-o.Box.Y0)*float64(item.Height)
	if w <= 0 || h <= 0 {
		return math.NaN()
	}
	return max(w/h, h/w)
}

func pixels(item *dataset.Item) float64 {
	if item.Width <= 0 || item.Height <= 0 {
		return math.NaN()
	}
	return float64(item.Width) * float64(item.Height)
}

func sizeWords(item *dataset.Item, _ *dataset.Object) string {
	return fmt.Sprintf("%d×%d pixels", item.Width, item.Height)
}

func partWords(_ *dataset.Item, o *dataset.Object) string {
	return fmt.Sprintf("%.2g %% of picture", 100*area(o))
}

var ofPictures = []extreme{
	{what: "smallest object", object: func(_ *dataset.Item, o *dataset.Object) float64 { return -area(o) },
		much: partWords},
	{what: "largest object", object: func(_ *dataset.Item, o *dataset.Object) float64 { return area(o) },
		much: partWords},
	{what: "most slender object", object: slender, much: func(item *dataset.Item, o *dataset.Object) string {
		return fmt.Sprintf("%.3g× as long as wide", slender(item, o))
	}},
	{what: "most objects", item: func(item *dataset.Item) float64 { return float64(len(item.Objects)) },
		much: func(item *dataset.Item, _ *dataset.Object) string {
			return fmt.Sprintf("%d objects", len(item.Objects))
		}},
	{what: "smallest picture", item: negative(pixels), much: sizeWords},
	{what: "largest picture", item: pixels, much: sizeWords},
}

// clipMeasure is a measure of clips that were looked into.
func clipMeasure(of func(c *dataset.Clip) float64) func(item *dataset.Item) float64 {
	return func(item *dataset.Item) float64 {
		if item.Clip == nil || item.Clip.Frames == 0 {
			return math.NaN()
		}
		return of(item.Clip)
	}
}

var (
	clipSeconds = clipMeasure(func(c *dataset.Clip) float64 { return c.Seconds })
	clipFrames  = clipMeasure(func(c *dataset.Clip) float64 { return float64(c.Frames) })
	clipRate    = clipMeasure(func(c *dataset.Clip) float64 { return c.FPS })

	ofClips = []extreme{
		{what: "shortest clip", item: negative(clipSeconds), much: secondsWords},
		{what: "longest clip", item: clipSeconds, much: secondsWords},
		{what: "fewest frames", item: negative(clipFrames), much: frameWords},
		{what: "lowest rate", item: negative(clipRate), much: rateWords},
		{what: "highest rate", item: clipRate, much: rateWords},
		{what: "smallest frame", item: negative(pixels), much: sizeWords},
		{what: "largest frame", item: pixels, much: sizeWords},
	}
)

func secondsWords(item *dataset.Item, _ *dataset.Object) string {
	return fmt.Sprintf("%.3g s", item.Clip.Seconds)
}

func frameWords(item *dataset.Item, _ *dataset.Object) string {
	return fmt.Sprintf("%d frames", item.Clip.Frames)
}

func rateWords(item *dataset.Item, _ *dataset.Object) string {
	return fmt.Sprintf("%.4g frames a second", item.Clip.FPS)
}
