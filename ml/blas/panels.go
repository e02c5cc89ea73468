package blas

import "fmt"

// panelWidth is the number of columns of one panel: two vectors of eight.
const panelWidth = 16

// Panels is a frozen right-hand side op(B) [k, n], laid out once for the kernels and kept in float32 or in bfloat16.
// It is read-only after packing and may be used by any number of goroutines.
type Panels struct {
	n, k   int
	stride int       // rows of a panel, k or more
	f      []float32 // exactly one of f and h: [panel, stride, panelWidth]; what lies beyond column n is not used
	h      []uint16  // a row keeps columns j and j+8 side by side: the halves of one word
	keep   *mapping  // where f or h lies, unless on Go's heap: to live as long as they do
}

// Pack lays op(B) [k, n] out in float32. With tb, B is stored as [n, k]; ldb is the distance between stored rows.
func Pack(tb bool, n, k int, b []float32, ldb int) *Panels {
	checkStored(tb, n, k, len(b), ldb)
	p := newPanels(n, k)
	p.f, p.keep = memory[float32](p.panels() * p.k * panelWidth)
	packPanels(p, p.f, tb, b, ldb)
	return p
}

// PackBF16 lays op(B) [k, n] out from raw bfloat16 words and keeps them as such: half the memory, and products are
// those of the widened float32 values exactly.
func PackBF16(tb bool, n, k int, b []uint16, ldb int) *Panels {
	checkStored(tb, n, k, len(b), ldb)
	p := newPanels(n, k)
	p.h, p.keep = memory[uint16](p.panels() * p.k * panelWidth)
	packPanels(p, p.h, tb, b, ldb)
	return p
}

func newPanels(n, k int) *Panels { return &Panels{n: max(n, 0), k: max(k, 0), stride: max(k, 0)} }

// Set lays op(B) [k, n] out in float32 as Pack does, but in the room that p has already and on the calling goroutine:
// for an operand of a few products. What p held before is gone.
func (p *Panels) Set(tb bool, n, k int, b []float32, ldb int) {
	checkStored(tb, n, k, len(b), ldb)
	size := (n + panelWidth - 1) / panelWidth * k * panelWidth
	if cap(p.f) < size {
		p.f = make([]float32, size+size/4)
	}
	*p = Panels{n: n, k: k, stride: k, f: p.f[:size]}
	if size > 0 {
		s := slab{product: &product{tb: tb, b: b, ldb: ldb}, set: kernels, kc: k}
		s.packB(p.f, 0, n)
	}
}

// Part is the first k rows and n columns of p, without a copy.
func (p *Panels) Part(k, n int) Panels {
	if k > p.k || n > p.n {
		panic(fmt.Sprintf("blas: part [%d, %d] of panels [%d, %d]", k, n, p.k, p.n))
	}
	part := *p
	part.k, part.n = k, n
	return part
}

// Columns is columns from to end of p, without a copy; from begins a panel: it is a multiple of 16.
func (p *Panels) Columns(from, end int) Panels {
	if from < 0 || from%panelWidth != 0 || from > end || end > p.n {
		panic(fmt.Sprintf("blas: columns %d to %d of panels [%d, %d]", from, end, p.k, p.n))
	}
	part, skip := *p, from*p.stride
	part.n = end - from
	if p.f != nil {
		part.f = p.f[skip:]
	} else {
		part.h = p.h[skip:]
	}
	return part
}

func checkStored(tb bool, n, k, size, ldb int) {
	if tb {
		checkMatrix("B", n, k, size, ldb)
	} else {
		checkMatrix("B", k, n, size, ldb)
	}
}

// packPanels fills dst, a few panels at a time, on all cores. It reads the rows of b as they lie.
func packPanels[T float32 | uint16](p *Panels, dst []T, tb bool, b []T, ldb int) {
	size := p.k * panelWidth
	if size == 0 {
		return
	}
	var places [panelWidth]int
	for j := range places {
		places[j] = p.place(j)
	}
	NewTeam(0).For(p.panels(), 8, func(lo, hi int) {
		first, last := lo*panelWidth, min(hi*panelWidth, p.n)
		if tb {
			for j := first; j < last; j++ {
				column := dst[j/panelWidth*size+places[j%panelWidth]:]
				for q, v := range b[j*ldb : j*ldb+p.k] {
					column[q*panelWidth] = v
				}
			}
			return
		}
		for q := range p.k {
			row, to := b[q*ldb+first:q*ldb+last], dst[lo*size+q*panelWidth:]
			for ; len(row) >= panelWidth; row = row[panelWidth:] {
				for j, v := range row[:panelWidth] {
					to[places[j]%panelWidth] = v
				}
				to = to[min(size, len(to)):]
			}
			for j, v := range row {
				to[places[j]] = v
			}
		}
	})
}

// place is where column j of a panel stands in its rows.
func (p *Panels) place(j int) int {
	if p.h != nil {
		return j%8*2 + j/8
	}
	return j
}

func (p *Panels) panels() int { return (p.n + panelWidth - 1) / panelWidth }

// Dims are the sizes of op(B): k rows, n columns.
func (p *Panels) Dims() (k, n int) { return p.k, p.n }

// Bytes is the memory the panels hold.
func (p *Panels) Bytes() int { return 4*len(p.f) + 2*len(p.h) }

// Mul computes C = A op(B), or C += A op(B) if acc: A is [m, k],
// C is [m, n], lda and ldc the distances between their rows.
func (t Team) Mul(m int, a []float32, lda int, p *Panels, acc bool, c []float32, ldc int) {
	if acc {
		t.MulFrom(m, a, lda, p, c, ldc, c, ldc)
	} else {
		t.MulFrom(m, a, lda, p, nil, 0, c, ldc)
	}
}

// MulFrom computes C = From + A op(B). From is [m, n] with distance ldf between its rows; with ldf = 0 it is one row
// that is added to every row of C. It may be C itself, or nil for nothing.
func (t Team) MulFrom(m int, a []float32, lda int, p *Panels, from []float32, ldf int, c []float32, ldc int) {
	if m <= 0 || p.n == 0 {
		return
	}
	checkMatrix("A", m, p.k, len(a), lda)
	checkMatrix("C", m, p.n, len(c), ldc)
	switch {
	case from == nil:
	case ldf == 0:
		checkMatrix("From", 1, p.n, len(from), p.n)
	default:
		checkMatrix("From", m, p.n, len(from), ldf)
	}
	t.product(&product{m: m, n: p.n, k: p.k, a: a, lda: lda, panels: p, from: from, ldf: ldf, c: c, ldc: ldc})
}
