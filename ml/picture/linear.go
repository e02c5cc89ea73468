package picture

import "math"

// linearBits is the number of fractional bits of OpenCV's fixed-point weights for 8-bit pictures.
const linearBits = 11

// linearTap is where an output position of ResizeLinear reads, and the weights of the two pixels there.
type linearTap struct {
	first  int // −1 and beyond: the border pixel
	w0, w1 int32
}

// linearTaps are those for bringing n positions to m: half-pixel centres, no antialias.
func linearTaps(n, m int) []linearTap {
	scale := float64(n) / float64(m)
	list := make([]linearTap, m)
	for i := range list {
		f := float32(float64((float64(i)+0.5)*scale) - 0.5)
		first := int(math.Floor(float64(f)))
		f -= float32(first)
		list[i] = linearTap{first, roundTap(1 - f), roundTap(f)}
	}
	return list
}

// roundTap is a weight in fixed point, half to even.
func roundTap(f float32) int32 { return int32(math.RoundToEven(float64(f * (1 << linearBits)))) }

// ResizeLinear brings the picture to w×h pixels to the same bytes as OpenCV's resize (INTER_LINEAR): two pixels a
// direction whatever the scale, weights of 11 fractional bits, the border repeated; exactly half in both directions is
// a mean of four. Both sizes must be positive.
func ResizeLinear(img *RGB, w, h int) *RGB {
	out := NewRGB(w, h)
	switch {
	case w == img.W && h == img.H:
		copy(out.Pix, img.Pix)
		return out
	case 2*w == img.W && 2*h == img.H:
		halve(img, out)
		return out
	}
	xs := linearTaps(img.W, w)
	for x := range xs { // outside the picture the border pixel has all the weight
		if t := &xs[x]; t.first < 0 || t.first >= img.W-1 {
			*t = linearTap{min(max(t.first, 0), img.W-1), 1 << linearBits, 0}
		}
	}
	var above, below []int32
	row, next := -1, -1 // what above and below hold
	line := func(y int) []int32 {
		y = min(max(y, 0), img.H-1)
		switch y {
		case row:
			return above
		case next:
			above, below, row, next = below, above, next, row
			return above
		}
		above, below, row, next = below, above, y, row
		above = linearRow(above, img, xs, y)
		return above
	}
	for y, t := range linearTaps(img.H, h) {
		a := line(t.first)
		b := line(t.first + 1)
		target := out.Pix[3*y*w : 3*(y+1)*w]
		for i := range target {
			v := (t.w0*(a[i]>>4))>>16 + (t.w1*(b[i]>>4))>>16 + 2
			target[i] = uint8(min(max(v>>2, 0), 255))
		}
	}
	return out
}

// linearRow is row y of the picture brought to its new width, in fixed point.
func linearRow(dst []int32, img *RGB, xs []linearTap, y int) []int32 {
	if len(dst) != 3*len(xs) {
		dst = make([]int32, 3*len(xs))
	}
	source := img.Pix[3*y*img.W : 3*(y+1)*img.W]
	for x, t := range xs {
		a := source[3*t.first:]
		b := a
		if t.w1 != 0 {
			b = a[3:]
		}
		for c := range 3 {
			dst[3*x+c] = int32(a[c])*t.w0 + int32(b[c])*t.w1
		}
	}
	return dst
}

// halve means each four pixels.
func halve(img, out *RGB) {
	for y := range out.H {
		top, bottom := img.Pix[6*y*img.W:], img.Pix[(6*y+3)*img.W:]
		for x := range out.W {
			for c := range 3 {
				sum := int(top[6*x+c]) + int(top[6*x+3+c]) + int(bottom[6*x+c]) + int(bottom[6*x+3+c])
				out.Pix[3*(y*out.W+x)+c] = uint8((sum + 2) >> 2)
			}
		}
	}
}

// Normal says how the levels of a channel become what a model reads: (level/255 − Mean)/SD, of red, green and blue.
type Normal struct{ Mean, SD [3]float64 }

// Patches cuts a picture into squares of size pixels, a row of 3·size² values each: squares in reading order, of each
// its channels, of each its pixels in reading order. The sides must be multiples of size. It appends them to dst.
func (n Normal) Patches(dst []float32, img *RGB, size int) []float32 {
	var levels [3][256]float32
	for c := range levels {
		for v := range levels[c] {
			levels[c][v] = float32((float64(v)/255 - n.Mean[c]) / n.SD[c])
		}
	}
	for y := 0; y+size <= img.H; y += size {
		for x := 0; x+size <= img.W; x += size {
			for c := range 3 {
				for i := range size {
					at := 3 * ((y+i)*img.W + x)
					for j := range size {
						dst = append(dst, levels[c][img.Pix[at+3*j+c]])
					}
				}
			}
		}
	}
	return dst
}
