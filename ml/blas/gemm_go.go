package blas

// gemmGo computes rows [r0, r1) and columns [c0, c1) of the product in plain Go.
func gemmGo(p *product, r0, r1, c0, c1 int) {
	for i := r0; i < r1; i++ {
		row := p.c[i*p.ldc+c0 : i*p.ldc+c1]
		if !p.acc {
			clear(row)
		}
		if p.tb {
			for j := range row {
				b := p.b[(c0+j)*p.ldb:]
				var sum float32
				for q := range p.k {
					sum += p.at(i, q) * b[q]
				}
				row[j] += sum
			}
			continue
		}
		for q := range p.k {
			axpyGo(row, p.b[q*p.ldb+c0:q*p.ldb+c1], p.at(i, q))
		}
	}
}

// at is op(A)[i, q].
func (p *product) at(i, q int) float32 {
	if p.ta {
		return p.a[q*p.lda+i]
	}
	return p.a[i*p.lda+q]
}

// mulGo is gemmGo with a frozen right-hand side.
func mulGo(p *product, r0, r1, c0, c1 int) {
	b := p.panels
	for i := r0; i < r1; i++ {
		for j := c0; j < c1; j++ {
			var sum float32
			for q := range p.k {
				sum += p.a[i*p.lda+q] * b.at(q, j)
			}
			if p.acc {
				sum += p.c[i*p.ldc+j]
			}
			p.c[i*p.ldc+j] = sum
		}
	}
}
