package pixels

import (
	"fmt"
	"math"
)

// maxAspect is the largest ratio of the sides that the model's authors allow.
const maxAspect = 200

// TooLong tells whether the sides of a picture of w×h pixels differ by more than the model takes: processor and
// trainers of Qwen2-VL refuse such a picture. Aspect is by how much.
func TooLong(w, h int) (aspect float64, tooLong bool) {
	if w <= 0 || h <= 0 {
		return 0, false
	}
	aspect = float64(max(h, w)) / float64(min(h, w))
	return aspect, aspect > maxAspect
}

// SmartResize is the size to which a picture of h×w pixels is brought: both sides multiples of factor, at least
// minPixels and at most maxPixels in all, the aspect kept as well as that allows (smart_resize of the Qwen2-VL
// processor). Sides are rounded half to even, and an aspect above 200 is an error.
func SmartResize(h, w, factor, minPixels, maxPixels int) (newH, newW int, err error) {
	if h <= 0 || w <= 0 || factor <= 0 {
		return 0, 0, fmt.Errorf("a picture of %dx%d pixels cannot be resized to multiples of %d", w, h, factor)
	}
	if aspect, tooLong := TooLong(w, h); tooLong {
		return 0, 0, fmt.Errorf("the sides of %dx%d pixels differ by a factor of %.1f, the model takes up to %d: "+
			"crop the picture", w, h, aspect, maxAspect)
	}
	height, width, unit := float64(h), float64(w), float64(factor)
	newH = int(math.RoundToEven(height/unit)) * factor
	newW = int(math.RoundToEven(width/unit)) * factor
	switch area := newH * newW; {
	case area > maxPixels:
		shrink := math.Sqrt(height * width / float64(maxPixels))
		newH = max(factor, int(math.Floor(height/shrink/unit))*factor)
		newW = max(factor, int(math.Floor(width/shrink/unit))*factor)
	case area < minPixels: // also a side that was rounded to nothing
		grow := math.Sqrt(float64(minPixels) / (height * width))
		newH = int(math.Ceil(float64(height*grow)/unit)) * factor
		newW = int(math.Ceil(float64(width*grow)/unit)) * factor
	}
	return newH, newW, nil
}
