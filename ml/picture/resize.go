package picture

import "math"

// fixedBits is the number of fractional bits of Pillow's fixed-point weights for 8-bit pictures.
const fixedBits = 22

// Resize brings the picture to w×h pixels with the bicubic filter of Pillow (its a is −1/2, its support grows when
// shrinking), to the same bytes: weights of 22 fractional bits, first along x, then along y, rounded to 8 bits after
// each pass; a side that keeps its length is left alone. That is the order of Pillow up to 12 and of torchvision, with
// which the published models were trained; Pillow 13 sometimes begins with y. Both sizes must be positive.
func Resize(img *RGB, w, h int) *RGB {
	out := img
	if w != out.W {
		out = resizeX(out, w)
	}
	if h != out.H {
		out = resizeY(out, h)
	}
	if out == img {
		out = NewRGB(img.W, img.H)
		copy(out.Pix, img.Pix)
	}
	return out
}

// taps are the weights of one output position: those of the source positions from first on, as fixed-point numbers.
type taps struct {
	first   int
	weights []int32
}

// bicubicTaps are the weights for bringing n positions to m.
func bicubicTaps(n, m int) []taps {
	scale := float64(n) / float64(m)
	widen := max(scale, 1)
	support := 2 * widen
	narrow := 1 / widen
	list := make([]taps, m)
	var exact []float64
	for i := range list {
		center := (float64(i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		end := min(int(center+support+0.5), n)
		exact = exact[:0]
		sum := 0.0
		for j := first; j < end; j++ {
			weight := cubic((float64(j) - center + 0.5) * narrow)
			exact = append(exact, weight)
			sum += weight
		}
		weights := make([]int32, len(exact))
		for j, weight := range exact {
			if sum != 0 {
				weight /= sum
			}
			weights[j] = int32(math.Round(float64(weight * (1 << fixedBits))))
		}
		list[i] = taps{first, weights}
	}
	return list
}

// cubic is the convolution kernel of Keys (1981) with a = −1/2. The conversions keep a compiler from fusing products
// and sums, which would round differently.
func cubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64(float64(float64(float64((a+2)*x)-(a+3))*x)*x) + 1
	case x < 2:
		return float64(float64(float64(float64(x-5)*x)+8)*x-4) * a
	}
	return 0
}

// fromFixed rounds a fixed-point sum, which must already hold one half, to 8 bits.
func fromFixed(sum int32) uint8 {
	v := sum >> fixedBits
	if v < 0 {
		return 0
	}
	if v > 255 {
		return 255
	}
	return uint8(v)
}

// resizeX brings the rows to w pixels.
func resizeX(img *RGB, w int) *RGB {
	out := NewRGB(w, img.H)
	list := bicubicTaps(img.W, w)
	for y := range img.H {
		source := img.Pix[3*y*img.W : 3*(y+1)*img.W]
		target := out.Pix[3*y*w : 3*(y+1)*w]
		for x, t := range list {
			r, g, b := int32(1<<(fixedBits-1)), int32(1<<(fixedBits-1)), int32(1<<(fixedBits-1))
			pixels := source[3*t.first:]
			for _, weight := range t.weights {
				pixel := pixels[:3] // one check of the bounds instead of three
				r += weight * int32(pixel[0])
				g += weight * int32(pixel[1])
				b += weight * int32(pixel[2])
				pixels = pixels[3:]
			}
			target[3*x], target[3*x+1], target[3*x+2] = fromFixed(r), fromFixed(g), fromFixed(b)
		}
	}
	return out
}

// resizeY brings the columns to h pixels, a whole row at a time.
func resizeY(img *RGB, h int) *RGB {
	out := NewRGB(img.W, h)
	stride := 3 * img.W
	sums := make([]int32, stride)
	for y, t := range bicubicTaps(img.H, h) {
		for i := range sums {
			sums[i] = 1 << (fixedBits - 1)
		}
		for j, weight := range t.weights {
			row := img.Pix[(t.first+j)*stride:][:len(sums)]
			for i, v := range row {
				sums[i] += weight * int32(v)
			}
		}
		target := out.Pix[y*stride:][:len(sums)]
		for i, sum := range sums {
			target[i] = fromFixed(sum)
		}
	}
	return out
}
