package blas

// packA lays the rows of a transposed A from row i on out tile by tile: [tile, kc, rows of the tile].
func (s *slab) packA(dst []float32, i int, runs [3]run) {
	for _, r := range runs {
		if r.count == 0 {
			return
		}
		src := s.a[s.k0*s.lda+i:]
		if r.rows == s.set.rows {
			s.set.packTiles(s.kc, r.count, &src[0], 4*s.lda, &dst[0], 4*r.rows*s.kc)
		} else {
			for tile := range r.count {
				to := dst[tile*r.rows*s.kc:]
				for q := range s.kc {
					copy(to[q*r.rows:(q+1)*r.rows], src[q*s.lda+tile*r.rows:])
				}
			}
		}
		dst = dst[r.count*r.rows*s.kc:]
		i += r.count * r.rows
	}
}

// packB lays n columns of op(B) from column j on out in panels: [panel, kc, panelWidth]. What lies beyond column n is left as it was.
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
