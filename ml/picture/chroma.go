package picture

import "image"

// planes is a picture of one brightness and two colour planes, of which the latter may be smaller.
type planes struct {
	*image.YCbCr
	studio bool // brightness runs from 16 to 235 (WebP), not from 0 to 255 (JPEG)
}

// rgb brings the colour planes to full size and converts, as libjpeg does (and, but for the last bit, libwebp): a
// triangle filter between the samples, where Go's own conversion repeats them, which shows at every coloured edge.
func (p planes) rgb() *RGB {
	bounds := p.Bounds()
	out := NewRGB(bounds.Dx(), bounds.Dy())
	columns, rows := subsampling(p.SubsampleRatio)
	cbOrigin := p.COffset(bounds.Min.X, bounds.Min.Y)
	chroma := plane{
		stride: p.CStride,
		w:      (out.W + columns - 1) / columns, h: (out.H + rows - 1) / rows,
		columns: columns, rows: rows,
	}
	cb, cr := chroma, chroma
	cb.samples, cr.samples = p.Cb[cbOrigin:], p.Cr[cbOrigin:]
	padded := chroma.w * columns
	rowCb, rowCr := make([]uint8, padded), make([]uint8, padded)
	sums := make([]int, chroma.w)
	for y := range out.H {
		cb.row(rowCb, sums, y)
		cr.row(rowCr, sums, y)
		bright := p.Y[p.YOffset(bounds.Min.X, bounds.Min.Y+y):][:out.W]
		target := out.Pix[3*y*out.W:][:3*out.W]
		if p.studio {
			studioRGB(target, bright, rowCb, rowCr)
		} else {
			fullRGB(target, bright, rowCb, rowCr)
		}
	}
	return out
}

// subsampling is how many columns and rows of pixels share one colour sample.
func subsampling(ratio image.YCbCrSubsampleRatio) (columns, rows int) {
	switch ratio {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// plane is one colour plane of w×h samples, each for columns×rows pixels.
type plane struct {
	samples       []uint8
	stride, w, h  int
	columns, rows int
}

// row fills out, of w·columns values, with the colour of row y of the picture. sums is memory for w numbers.
func (p plane) row(out []uint8, sums []int, y int) {
	line := func(i int) []uint8 { return p.samples[min(max(i, 0), p.h-1)*p.stride:][:p.w] }
	at := y / p.rows
	near := at - 1 // the other line that counts, by a quarter
	if y%p.rows == 1 {
		near = at + 1
	}
	switch {
	case p.columns == 1 && p.rows == 1:
		copy(out, line(at))
	case p.columns == 2 && p.rows == 1 && p.w > 2:
		widen(out, line(at))
	case p.columns == 2 && p.rows == 2 && p.w > 2:
		widenBoth(out, sums, line(at), line(near))
	case p.columns == 1 && p.rows == 2:
		bias := 1 + y%2
		other := line(near)
		for i, v := range line(at) {
			out[i] = uint8((3*int(v) + int(other[i]) + bias) >> 2)
		}
	default: // libjpeg filters neither very narrow pictures nor other ratios
		for i, v := range line(at) {
			for c := range p.columns {
				out[i*p.columns+c] = v
			}
		}
	}
}

// widen doubles a line: each value is three quarters of the nearer sample and one of the other, rounded up and down in
// turn.
func widen(out, line []uint8) {
	last := len(line) - 1
	for i, sample := range line {
		v := 3 * int(sample)
		out[2*i] = uint8((v + int(line[max(i-1, 0)]) + 1) >> 2)
		out[2*i+1] = uint8((v + int(line[min(i+1, last)]) + 2) >> 2)
	}
}

// widenBoth doubles a line after mixing it, three to one, with the line on the other side of the pixels.
func widenBoth(out []uint8, sums []int, line, near []uint8) {
	for i, v := range line {
		sums[i] = 3*int(v) + int(near[i])
	}
	last := len(line) - 1
	for i, sum := range sums {
		out[2*i] = uint8((3*sum + sums[max(i-1, 0)] + 8) >> 4)
		out[2*i+1] = uint8((3*sum + sums[min(i+1, last)] + 7) >> 4)
	}
}

// clamp8 limits v to 8 bits.
func clamp8(v int) uint8 { return uint8(min(max(v, 0), 255)) }

// fullRGB converts one row by the formula of JFIF (ITU-R BT.601, full range) with libjpeg's 16 fractional bits.
func fullRGB(out, bright, cb, cr []uint8) {
	const (
		half = 1 << 15
		crR  = 91881  // 1.40200
		cbB  = 116130 // 1.77200
		crG  = 46802  // 0.71414
		cbG  = 22554  // 0.34414
	)
	for x, b := range bright {
		y, u, v := int(b), int(cb[x])-128, int(cr[x])-128
		out[3*x] = clamp8(y + (crR*v+half)>>16)
		out[3*x+1] = clamp8(y + (half-cbG*u-crG*v)>>16)
		out[3*x+2] = clamp8(y + (cbB*u+half)>>16)
	}
}

// studioRGB converts one row by ITU-R BT.601 with brightness from 16 to 235 and libwebp's fixed-point numbers: 14
// fractional bits, of which the first step drops 8.
func studioRGB(out, bright, cb, cr []uint8) {
	for x, b := range bright {
		y, u, v := 19077*int(b)>>8, int(cb[x]), int(cr[x])
		out[3*x] = clamp8((y + 26149*v>>8 - 14234) >> 6)
		out[3*x+1] = clamp8((y - 6419*u>>8 - 13320*v>>8 + 8708) >> 6)
		out[3*x+2] = clamp8((y + 33050*u>>8 - 17685) >> 6)
	}
}
