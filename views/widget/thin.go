package widget

// typicalValues are how many of a thinned line's values tell its quartiles.
const typicalValues = 500

// Thinned is the line with about so many points, four for each of its parts: the first, the lowest, the highest and the
// last. With a part or more for each column of dots it is drawn as the whole line is, and no spike is lost. Values that
// are not finite stay, and so does every place where X goes back.
func (l Line) Thinned(points int) Line {
	n := min(len(l.X), len(l.Y))
	if n <= points || points < 8 {
		return l
	}
	size := (4*n + points - 1) / points
	thin := l
	thin.X, thin.Y = make([]float64, 0, points+8), make([]float64, 0, points+8)
	add := func(i int) { thin.X, thin.Y = append(thin.X, l.X[i]), append(thin.Y, l.Y[i]) }
	for from := 0; from < n; {
		if !finite(l.Y[from]) {
			add(from)
			from++
			continue
		}
		least, most, to := from, from, from+1
		for ; to < min(from+size, n) && finite(l.Y[to]) && !(l.X[to] < l.X[to-1]); to++ {
			if l.Y[to] < l.Y[least] {
				least = to
			}
			if l.Y[to] > l.Y[most] {
				most = to
			}
		}
		last := -1
		for _, i := range [...]int{from, min(least, most), max(least, most), to - 1} {
			if i != last {
				add(i)
				last = i
			}
		}
		from = to
	}
	every := max(n/typicalValues, 1)
	for i := every / 2; i < n; i += every {
		thin.typical = append(thin.typical, l.Y[i])
	}
	return thin
}
