package blas

import (
	"math"
	"unsafe"
)

// plainGo is the kernel set for processors without one of their own: the same cuts and layouts, with tiles of two rows
// by four columns that a compiler can keep in registers.
var plainGo = kernelSet{
	name:        "go",
	available:   true,
	lanes:       8,
	rows:        2,
	narrowRows:  2,
	float32:     goTiles(false),
	bfloat16:    goTiles(true),
	mask:        func(columns int) *byte { return &columnCounts[columns] },
	packRows:    packRowsGo,
	packColumns: packColumnsGo,
	packTiles:   packTilesGo,

	multiply:      multiplyGo,
	multiplyFlops: 16,
	read:          readGo,
}

// columnCounts[n] is n: what a mask is to these tiles.
var columnCounts = [9]byte{0, 1, 2, 3, 4, 5, 6, 7, 8}

func goTiles(half bool) tileSet {
	two := []tileFunc{nil, goTile(1, 16, half), goTile(2, 16, half)}
	one := []tileFunc{nil, goTile(1, 8, half), goTile(2, 8, half)}
	return tileSet{full: two, masked: two, narrow: one, narrowMasked: one}
}

// goTile is the tileFunc for one or two rows and up to so many columns, all of them in one panel.
func goTile(rows, columns int, half bool) tileFunc {
	return func(count, k int, a *float32, aRow, aStep, aTile int, b *byte, bStep, bPanel, ahead, aheadStep int,
		c *float32, cRow int, from *float32, fromRow int, mask *byte) {
		n := columns
		if mask != nil {
			n = columns - 8 + int(*mask)
		}
		var wide [kBlock * panelWidth]float32
		if half {
			widenPanel(wide[:k*panelWidth], unsafe.Pointer(b))
			b, bStep = (*byte)(unsafe.Pointer(&wide[0])), 4*panelWidth
		}
		t := goOperands{k, unsafe.Pointer(a), aRow, aStep, unsafe.Pointer(b), bStep}
		for tile := range count {
			for row := range rows {
				dst := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(c), (tile*rows+row)*cRow)), n)
				if from == nil {
					clear(dst)
				} else if from != c || fromRow != cRow {
					copy(dst, unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(from), (tile*rows+row)*fromRow)), n))
				}
			}
			dst := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(c), tile*rows*cRow)), (rows-1)*cRow/4+n)
			j := 0
			for ; j+4 <= n; j += 4 {
				if rows == 2 {
					t.two(tile*aTile, j, (*[4]float32)(dst[j:]), (*[4]float32)(dst[cRow/4+j:]))
				} else {
					t.one(tile*aTile, j, (*[4]float32)(dst[j:]))
				}
			}
			for ; j < n; j++ {
				for row := range rows {
					dst[row*cRow/4+j] += t.single(tile*aTile+row*aRow, j)
				}
			}
		}
	}
}

// goOperands are the operands of a tile; distances are in bytes.
type goOperands struct {
	k           int
	a           unsafe.Pointer
	aRow, aStep int
	b           unsafe.Pointer
	bStep       int
}

// two adds two rows by four columns to c0 and c1.
func (t *goOperands) two(at, j int, c0, c1 *[4]float32) {
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	below, bAt := at+t.aRow, 4*j
	for range t.k {
		x0, x1 := *(*float32)(unsafe.Add(t.a, at)), *(*float32)(unsafe.Add(t.a, below))
		y := (*[4]float32)(unsafe.Add(t.b, bAt))
		s00 += x0 * y[0]
		s01 += x0 * y[1]
		s02 += x0 * y[2]
		s03 += x0 * y[3]
		s10 += x1 * y[0]
		s11 += x1 * y[1]
		s12 += x1 * y[2]
		s13 += x1 * y[3]
		at += t.aStep
		below += t.aStep
		bAt += t.bStep
	}
	c0[0] += s00
	c0[1] += s01
	c0[2] += s02
	c0[3] += s03
	c1[0] += s10
	c1[1] += s11
	c1[2] += s12
	c1[3] += s13
}

// one adds one row by four columns to c.
func (t *goOperands) one(at, j int, c *[4]float32) {
	var s0, s1, s2, s3 float32
	bAt := 4 * j
	for range t.k {
		x := *(*float32)(unsafe.Add(t.a, at))
		y := (*[4]float32)(unsafe.Add(t.b, bAt))
		s0 += x * y[0]
		s1 += x * y[1]
		s2 += x * y[2]
		s3 += x * y[3]
		at += t.aStep
		bAt += t.bStep
	}
	c[0] += s0
	c[1] += s1
	c[2] += s2
	c[3] += s3
}

// single is one element.
func (t *goOperands) single(at, j int) (sum float32) {
	bAt := 4 * j
	for range t.k {
		sum += *(*float32)(unsafe.Add(t.a, at)) * *(*float32)(unsafe.Add(t.b, bAt))
		at += t.aStep
		bAt += t.bStep
	}
	return sum
}

// widenPanel turns rows of a bfloat16 panel, whose columns j and j+8 lie side by side, into float32.
func widenPanel(dst []float32, src unsafe.Pointer) {
	words := unsafe.Slice((*uint16)(src), len(dst))
	for q := 0; q < len(dst); q += panelWidth {
		for j := range 8 {
			dst[q+j] = math.Float32frombits(uint32(words[q+2*j]) << 16)
			dst[q+j+8] = math.Float32frombits(uint32(words[q+2*j+1]) << 16)
		}
	}
}

func packRowsGo(k int, src *float32, srcRow int, dst *float32) {
	to := unsafe.Slice(dst, k*panelWidth)
	from := unsafe.Slice(src, (k-1)*srcRow/4+panelWidth)
	for q := range k {
		copy(to[q*panelWidth:(q+1)*panelWidth], from[q*srcRow/4:])
	}
}

func packColumnsGo(blocks int, src *float32, srcRow int, dst *float32, dstRow int) {
	to := unsafe.Slice(dst, (8*blocks-1)*dstRow/4+8)
	from := unsafe.Slice(src, 7*srcRow/4+8*blocks)
	for j := range 8 {
		for q, v := range from[j*srcRow/4 : j*srcRow/4+8*blocks] {
			to[q*dstRow/4+j] = v
		}
	}
}

func packTilesGo(k, tiles int, src *float32, srcRow int, dst *float32, dstTile int) {
	const rows = 2
	to := unsafe.Slice(dst, (tiles-1)*dstTile/4+k*rows)
	from := unsafe.Slice(src, (k-1)*srcRow/4+tiles*rows)
	for q := range k {
		for tile := range tiles {
			copy(to[tile*dstTile/4+q*rows:][:rows], from[q*srcRow/4+tile*rows:])
		}
	}
}
