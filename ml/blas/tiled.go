package blas

import (
	"sync"
	"unsafe"
)

// How a product is cut so that its parts stay in the caches of one core.
const (
	kBlock      = 384  // of k: a strip of B (24 KiB) and the rows it meets in the first level
	rowBlock    = 264  // of rows of A in the second level
	columnBlock = 2048 // of columns of B packed at once
)

// streamedA bounds the part of A that is read anew for each strip of B, in elements: it is to stay in the second level.
const streamedA = 64 << 10

// When laying an operand out anew pays.
var (
	packBRows    = 48  // rows that meet a strip of a plain B
	packAColumns = 192 // columns that meet the rows of A
	packARows    = 48
)

// kStep is the length of the pieces of k: it depends on k alone, as it decides the order of the sums.
func kStep(k int) int {
	pieces := (k + kBlock - 1) / kBlock
	return roundUp((k+pieces-1)/pieces, 8)
}

// scratch is one goroutine's room for packed operands.
type scratch struct{ a, b []float32 }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// room returns at least n floats that begin at a cache line, growing buf if it must.
func room(buf *[]float32, n int) []float32 {
	const line = 16
	if cap(*buf) < n+line {
		*buf = make([]float32, n+n/4+line)
	}
	b := (*buf)[:cap(*buf)]
	skip := -int(uintptr(unsafe.Pointer(&b[0]))/4) & (line - 1)
	return b[skip:]
}

// slab is a range of k of a block of the product: what is summed in registers.
type slab struct {
	*product
	set    *kernelSet
	tiles  *tileSet
	k0, kc int
	stream bool // what comes after a strip of this piece of k is its next piece, not the next strip
}

// tiled computes rows [r0, r1) and columns [c0, c1) of the product with the set's register tiles.
func (p *product) tiled(set *kernelSet, r0, r1, c0, c1 int) {
	if p.k == 0 {
		p.none(r0, r1, c0, c1)
		return
	}
	s := slab{product: p, set: set, tiles: set.tiles(p)}
	packs := packing{
		a: c1-c0 >= packAColumns && r1-r0 >= packARows,
		b: p.panels == nil && (p.tb || r1-r0 >= packBRows),
	}
	if packs.a || packs.b {
		packs.room = scratches.Get().(*scratch)
		defer scratches.Put(packs.room)
	}
	if p.panels != nil && !packs.a && (r1-r0)*p.k <= streamedA {
		s.streamed(r0, r1, c0, c1)
		return
	}
	width := columnBlock
	if p.panels != nil { // laid out already: no room to bound
		width = c1 - c0
	}
	step := kStep(p.k)
	for s.k0 = 0; s.k0 < p.k; s.k0 += step {
		s.kc = min(step, p.k-s.k0)
		for j := c0; j < c1; j += width {
			s.columns(packs, r0, r1, j, min(j+width, c1))
		}
	}
}

// streamed multiplies few rows by panels. Those come from memory, which takes most of the time, so each strip is read
// from its beginning to its end.
func (s *slab) streamed(r0, r1, c0, c1 int) {
	rows, step := r1-r0, kStep(s.k)
	runs := cut(rows, s.set.rows)
	wide := c1 + 1 // columns of a wide tile; too many where there is none
	if rows < len(s.tiles.wide) {
		wide = s.tiles.wideColumns[rows]
	}
	s.stream = true
	for j, n := c0, 0; j < c1; j += n {
		n = min(2*s.set.lanes, c1-j)
		if c1-j >= wide {
			n = wide
		}
		for s.k0 = 0; s.k0 < s.k; s.k0 += step {
			s.kc = min(step, s.k-s.k0)
			if n == wide {
				s.run(s.tiles.wide[rows], 1, rows, nil, r0, j, s.strip(j), fetch{}, nil)
			} else {
				s.tile(runs, nil, r0, j, n, s.strip(j))
			}
		}
	}
}

// packing says which operands are laid out anew, and where.
type packing struct {
	a, b bool
	room *scratch
}

// none is the product over an empty k.
func (p *product) none(r0, r1, c0, c1 int) {
	for i := r0; i < r1; i++ {
		row := p.c[i*p.ldc+c0 : i*p.ldc+c1]
		if p.from == nil {
			clear(row)
		} else {
			copy(row, p.from[i*p.ldf+c0:])
		}
	}
}

// columns walks over the rows block by block and, within one, over the strips of B. Strips are laid out for the first
// block of rows and kept for the others.
func (s *slab) columns(packs packing, r0, r1, c0, c1 int) {
	var b, a []float32
	blocks := (r1 - r0 + rowBlock - 1) / rowBlock
	block := roundUp((r1-r0+blocks-1)/blocks, s.set.rows)
	keep := blocks > 1
	if packs.b {
		width := s.tiles.widest()
		if keep {
			width = roundUp(c1-c0, 2*s.set.lanes)
		}
		b = room(&packs.room.b, width*s.kc)
	}
	if packs.a {
		a = room(&packs.room.a, block*s.kc+2*s.set.rows)
	}
	for i := r0; i < r1; i += block {
		rows := min(block, r1-i)
		runs := cut(rows, s.set.rows)
		if packs.a {
			s.packA(a, i, runs)
		}
		width := 2 * s.set.lanes
		for j := c0; j < c1; {
			n := min(width, c1-j)
			f := s.tiles
			wide := rows < len(f.wide) && c1-j >= f.wideColumns[rows]
			if wide {
				n = f.wideColumns[rows]
			}
			strip := s.strip(j)
			if packs.b && (s.tb || n%panelWidth == 0) {
				at := b
				if keep {
					at = b[(j-c0)*s.kc:]
				}
				if i == r0 {
					s.packB(at, j, n)
				}
				strip = stripOf{(*byte)(unsafe.Pointer(&at[0])), 64, 64 * s.kc}
			}
			if wide {
				s.run(f.wide[rows], 1, rows, a, i, j, strip, fetch{}, nil)
			} else {
				s.tile(runs, a, i, j, n, strip)
			}
			j += n
		}
	}
}

// tile multiplies a block of rows by one strip of n columns.
func (s *slab) tile(runs [3]run, a []float32, i, j, n int, strip stripOf) {
	lanes, last := s.set.lanes, n
	table, masked := s.tiles.narrow, s.tiles.narrowMasked
	switch {
	case n > lanes:
		table, masked, last = s.tiles.full, s.tiles.masked, n-lanes
	case len(a) == 0: // packed rows keep the tiles they were packed for
		rows := 0
		for _, r := range runs {
			rows += r.rows * r.count
		}
		runs = cut(rows, s.set.narrowRows)
	}
	var mask *byte
	if last < lanes {
		table, mask = masked, s.set.mask(last)
	}
	next := s.after(strip, runs)
	for _, r := range runs {
		if r.count == 0 {
			return
		}
		s.run(table[r.rows], r.count, r.rows, a, i, j, strip, next, mask)
		next.ahead += r.count * s.kc * next.step
		i += r.count * r.rows
		if len(a) > 0 {
			a = a[r.count*r.rows*s.kc:]
		}
	}
}

// fetch says what a tile brings into the cache: from so many bytes ahead of its strip, so many further at each step.
type fetch struct{ ahead, step int }

// after spreads what comes after a strip over the tiles that share it: the way from memory
// is narrow, and requests that do not fit hold the tiles up.
func (s *slab) after(strip stripOf, runs [3]run) fetch {
	tiles := 0
	for _, r := range runs {
		tiles += r.count
	}
	f := fetch{strip.panel, (strip.step + tiles - 1) / tiles}
	if s.stream {
		f.ahead = strip.step * s.kc
	}
	return f
}

// run calls a tile function for rows from i and columns from j on; a are the packed rows, if there are such.
func (s *slab) run(f tileFunc, count, rows int, a []float32, i, j int, b stripOf, next fetch, mask *byte) {
	var from *float32
	var row, step, below int // below: from tile to tile
	switch {
	case len(a) > 0:
		from, row, step, below = &a[0], 4, 4*rows, 4*rows*s.kc
	case s.ta:
		from, row, step, below = &s.a[s.k0*s.lda+i], 4, 4*s.lda, 4*rows
	default:
		from, row, step, below = &s.a[i*s.lda+s.k0], 4*s.lda, 4, 4*rows*s.lda
	}
	c := &s.c[i*s.ldc+j]
	begin, beginRow := c, 4*s.ldc // with the sums of the pieces before
	switch {
	case s.k0 > 0:
	case s.from == nil:
		begin = nil
	default:
		begin, beginRow = &s.from[i*s.ldf+j], 4*s.ldf
	}
	f(count, s.kc, from, row, step, below, b.start, b.step, b.panel, next.ahead, next.step, c, 4*s.ldc, begin,
		beginRow, mask)
}

// stripOf says where a strip of B lies: its first element, and
// the distances in bytes of rows and of panels of 16 columns.
type stripOf struct {
	start       *byte
	step, panel int
}

// strip is the strip from column j on, as the caller stored it.
func (s *slab) strip(j int) stripOf {
	p := s.panels
	switch {
	case p == nil && s.tb:
		return stripOf{}
	case p == nil:
		return stripOf{(*byte)(unsafe.Pointer(&s.b[s.k0*s.ldb+j])), 4 * s.ldb, 4 * panelWidth}
	case p.f != nil:
		return stripOf{(*byte)(unsafe.Pointer(&p.f[(j/panelWidth*p.stride+s.k0)*panelWidth])), 4 * panelWidth,
			4 * panelWidth * p.stride}
	default:
		return stripOf{(*byte)(unsafe.Pointer(&p.h[(j/panelWidth*p.stride+s.k0)*panelWidth])), 2 * panelWidth,
			2 * panelWidth * p.stride}
	}
}

// run is a number of tiles of equally many rows, one below the other.
type run struct{ rows, count int }

// cut divides m rows into tiles of at most largest rows. A small remainder is shared by the last two tiles, as tiles of
// few rows cannot keep the multipliers busy.
func cut(m, largest int) (runs [3]run) {
	whole, rest := m/largest, m%largest
	if rest > 0 && rest <= largest/2 && whole > 0 {
		whole--
		rest += largest
	}
	i := 0
	if whole > 0 {
		runs[i] = run{largest, whole}
		i++
	}
	switch {
	case rest == 0:
	case rest <= largest:
		runs[i] = run{rest, 1}
	case rest%2 == 0:
		runs[i] = run{rest / 2, 2}
	default:
		runs[i], runs[i+1] = run{rest/2 + 1, 1}, run{rest / 2, 1}
	}
	return runs
}
