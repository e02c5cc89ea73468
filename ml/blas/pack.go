package blas

// packA lays the rows of op(A) from row i on out tile by tile: [tile, kc, rows of the tile].
// dst has room for a few more elements, which may be written.
func (s *slab) packA(dst []float32, i int, runs [3]run) {
	for _, r := range runs {
		switch {
		case r.count == 0:
			return
		case s.ta && r.rows == s.set.rows:
			s.set.packTiles(s.kc, r.count, &s.a[s.k0*s.lda+i], 4*s.lda, &dst[0], 4*r.rows*s.kc)
		default:
			for tile := range r.count {
				s.packTile(dst[tile*r.rows*s.kc:], i+tile*r.rows, r.rows)
			}
		}
		dst = dst[r.count*r.rows*s.kc:]
		i += r.count * r.rows
	}
}

// packTile lays one tile out. Rows of A become columns by blocks of 8x8 elements: what they write beyond the tile's
// rows is overwritten by the next row, or by the next eight columns of the tile.
func (s *slab) packTile(dst []float32, i, rows int) {
	if s.ta {
		for q := range s.kc {
			copy(dst[q*rows:(q+1)*rows], s.a[(s.k0+q)*s.lda+i:])
		}
		return
	}
	src := s.a[i*s.lda+s.k0:]
	done := 0
	if i+8 <= s.m && rows >= 6 && s.kc >= 8 {
		done = s.kc &^ 7
		s.set.packColumns(done/8, &src[0], 4*s.lda, &dst[0], 4*rows)
		if rows > 8 {
			s.set.packColumns(done/8, &src[(rows-8)*s.lda], 4*s.lda, &dst[rows-8], 4*rows)
		}
	}
	for r := range rows {
		row := src[r*s.lda:]
		for q := done; q < s.kc; q++ {
			dst[q*rows+r] = row[q]
		}
	}
}

// packB lays n columns of op(B) from column j on out in panels: [panel, kc,
// panelWidth]. What lies beyond column n is left as it was.
func (s *slab) packB(dst []float32, j, n int) {
	for ; n > 0; n -= panelWidth {
		if s.tb {
			s.packColumns(dst, s.b[j*s.ldb+s.k0:], min(n, panelWidth))
		} else {
			s.packRows(dst, s.b[s.k0*s.ldb+j:], min(n, panelWidth))
		}
		j += panelWidth
		if n > panelWidth {
			dst = dst[panelWidth*s.kc:]
		}
	}
}

// packRows copies kc rows of n columns into one panel.
func (s *slab) packRows(dst, src []float32, n int) {
	if n == panelWidth {
		s.set.packRows(s.kc, &src[0], 4*s.ldb, &dst[0])
		return
	}
	for q := range s.kc {
		copy(dst[q*panelWidth:q*panelWidth+n], src[q*s.ldb:])
	}
}

// packColumns turns n rows of kc elements into the columns of one panel.
func (s *slab) packColumns(dst, src []float32, n int) {
	eights := s.kc / 8
	j := 0
	for ; j+8 <= n && eights > 0; j += 8 {
		s.set.packColumns(eights, &src[j*s.ldb], 4*s.ldb, &dst[j], 4*panelWidth)
		for q := 8 * eights; q < s.kc; q++ {
			for x := range 8 {
				dst[q*panelWidth+j+x] = src[(j+x)*s.ldb+q]
			}
		}
	}
	for ; j < n; j++ {
		for q, v := range src[j*s.ldb : j*s.ldb+s.kc] {
			dst[q*panelWidth+j] = v
		}
	}
}

// The distances and sizes that the pack functions of a kernel set take are in bytes, but for counts.
type (
	packRowsFunc    func(k int, src *float32, srcRow int, dst *float32)
	packColumnsFunc func(blocks int, src *float32, srcRow int, dst *float32, dstRow int)
	packTilesFunc   func(k, tiles int, src *float32, srcRow int, dst *float32, dstTile int)
)
