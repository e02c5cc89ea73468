package blas

import (
	"fmt"
	"runtime"
)

// parallelFlops is the cost from which a product is worth waking a second goroutine: some 40 microseconds.
const parallelFlops = 4 << 20

// Gemm computes C = op(A) op(B), or C += op(A) op(B) if acc, on row-major matrices: op(A) is [m, k], op(B) is [k, n],
// C is [m, n]. With ta, A is stored as [k, m]; with tb, B is stored as [n, k]. lda, ldb and ldc are the distances
// between stored rows. With k = 0 the product is zero. C must not overlap A or B.
func (t Team) Gemm(ta, tb bool, m, n, k int, a []float32, lda int, b []float32, ldb int, acc bool,
	c []float32, ldc int) {
	if m <= 0 || n <= 0 {
		return
	}
	if ta {
		checkMatrix("A", k, m, len(a), lda)
	} else {
		checkMatrix("A", m, k, len(a), lda)
	}
	if tb {
		checkMatrix("B", n, k, len(b), ldb)
	} else {
		checkMatrix("B", k, n, len(b), ldb)
	}
	checkMatrix("C", m, n, len(c), ldc)
	p := product{ta: ta, tb: tb, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc}
	if acc {
		p.from, p.ldf = c, ldc
	}
	t.product(&p)
}

// checkMatrix panics unless rows x cols elements with distance ld between rows lie within size elements.
func checkMatrix(name string, rows, cols, size, ld int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	if ld < cols || (rows-1)*ld+cols > size {
		panic(fmt.Sprintf("blas: matrix %s [%d, %d] with row distance %d does not fit in %d elements", name, rows,
			cols, ld, size))
	}
}

// product is one call of Gemm or Mul and the grid of blocks it is cut into.
type product struct {
	ta, tb  bool
	m, n, k int
	a       []float32
	lda     int
	b       []float32
	ldb     int
	panels  *Panels   // in place of b
	from    []float32 // what is added to the product; nil: nothing
	ldf     int
	c       []float32
	ldc     int

	rows, cols int // of a block
	across     int // blocks side by side
}

// product computes p, cut into blocks for the team's goroutines if it is large enough.
func (t Team) product(p *product) {
	defer runtime.KeepAlive(p.panels) // their memory may be the system's
	p.rows, p.cols, p.across = p.m, p.n, 1
	if t.size <= 1 || p.cost() < parallelFlops {
		p.block(0)
		return
	}
	switch tiles := kernels.tiles(p); {
	case p.m < len(tiles.wide): // memory sets the pace: many small blocks keep all goroutines at it to the end
		p.cols = share(p.n, t.size, tiles.wideColumns[p.m], 16)
	case p.panels != nil && p.m >= min(p.n, t.size*rowBlock):
		p.rows = share(p.m, t.size, kernels.rows, 2)
	case p.panels == nil && p.m >= p.n: // every block lays all of B out
		p.rows = share(p.m, t.size, kernels.rows, 1)
	default:
		p.cols = share(p.n, t.size, 2*kernels.lanes, 2)
	}
	p.across = (p.n + p.cols - 1) / p.cols
	down := (p.m + p.rows - 1) / p.rows
	j := newJob()
	j.p = *p
	j.run(t.size, p.across*down)
}

// tiles are those for the product's right-hand side.
func (s *kernelSet) tiles(p *product) *tileSet {
	if p.panels != nil && p.panels.h != nil {
		return &s.bfloat16
	}
	return &s.float32
}

// cost is the number of operations; a product of few rows takes as long as one of eight, as B has to come from memory.
func (p *product) cost() int { return 2 * max(p.m, 8) * p.n * p.k }

// share is the length of blocks that n is cut into, a multiple of step. Each of size goroutines gets several blocks, at
// least so many as given if there are enough, and the number is chosen so that none gets much more than another.
func share(n, size, step, blocks int) (length int) {
	least := n + 1
	for each := blocks; each <= 2*blocks; each++ {
		l := roundUp((n+each*size-1)/(each*size), step)
		count := (n + l - 1) / l
		if most := min(n, (count+size-1)/size*l); most < least {
			length, least = l, most
		}
	}
	return length
}

func roundUp(x, step int) int { return (x + step - 1) / step * step }

// block computes one block of the grid.
func (p *product) block(i int) {
	r0, c0 := i/p.across*p.rows, i%p.across*p.cols
	r1, c1 := min(r0+p.rows, p.m), min(c0+p.cols, p.n)
	p.tiled(kernels, r0, r1, c0, c1)
}
