package eval

import "math"

// McNemar is the exact two-sided p of two subjects on the same items: firstOnly are right in the first alone,
// secondOnly in the second alone. p = min(1, 2·P(X ≤ min)), X binomial with ½; 1 where nothing differs.
func McNemar(firstOnly, secondOnly int) float64 {
	n, few := firstOnly+secondOnly, min(firstOnly, secondOnly)
	if n == 0 {
		return 1
	}
	// Logarithms of factorials: the powers of ½ alone would vanish beyond some thousand items.
	logN, _ := math.Lgamma(float64(n + 1))
	var sum float64
	for k := 0; k <= few; k++ {
		a, _ := math.Lgamma(float64(k + 1))
		b, _ := math.Lgamma(float64(n - k + 1))
		sum += math.Exp(logN - a - b - float64(n)*math.Ln2)
	}
	return min(1, 2*sum)
}

// ItemsNeeded is how many items would tell two subjects apart with Power at Told (McNemar's test), if they truly differ
// as on these n: firstOnly are right in the first alone, secondOnly in the second alone (Connor, Biometrics 43, 1987,
// 207–211). 0 where nothing differs.
func ItemsNeeded(firstOnly, secondOnly, n int) int {
	if firstOnly == secondOnly || n == 0 {
		return 0
	}
	differ, gain := share(firstOnly+secondOnly, n), share(secondOnly-firstOnly, n)
	root := normalQuantile(1-Told/2)*math.Sqrt(differ) + normalQuantile(Power)*math.Sqrt(differ-gain*gain)
	return int(math.Ceil(root * root / (gain * gain)))
}

// NewcombeDifference is the interval of the difference of two proportions on the same items, second minus first:
// the square-and-add of two Wilson intervals with the corrected correlation (Newcombe, Stat. Med. 17, 1998,
// 2635–2650, method 10). nil without items.
func NewcombeDifference(both, firstOnly, secondOnly, neither int, confidence float64) *Interval {
	n := both + firstOnly + secondOnly + neither
	if n == 0 {
		return nil
	}
	first, second := both+firstOnly, both+secondOnly
	p1, p2 := float64(first)/float64(n), float64(second)/float64(n)
	w1, w2 := Wilson(first, n, confidence), Wilson(second, n, confidence)
	phi := correlation(both, firstOnly, secondOnly, neither)
	low := squareAndAdd(p2-w2[0], w1[1]-p1, phi)
	high := squareAndAdd(w2[1]-p2, p1-w1[0], phi)
	return &Interval{p2 - p1 - low, p2 - p1 + high}
}

func squareAndAdd(a, b, phi float64) float64 { return math.Sqrt(max(0, a*a-2*phi*a*b+b*b)) }

// correlation is φ of the paired answers, with a positive one corrected towards 0 by n/2 and 0 where a margin is empty.
func correlation(both, firstOnly, secondOnly, neither int) float64 {
	a, b, c, d := float64(both), float64(firstOnly), float64(secondOnly), float64(neither)
	margins := (a + b) * (c + d) * (a + c) * (b + d)
	if margins == 0 {
		return 0
	}
	cross := a*d - b*c
	if cross > 0 {
		cross = max(0, cross-(a+b+c+d)/2)
	}
	return cross / math.Sqrt(margins)
}

// holm adjusts p values for having been looked at together (Holm, 1979); each keeps its place.
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	// A stable order by p; there are few.
	for i := range order {
		for j := i; j > 0 && p[order[j]] < p[order[j-1]]; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	adjusted := make([]float64, len(p))
	var least float64
	for rank, i := range order {
		least = max(least, min(1, float64(len(p)-rank)*p[i]))
		adjusted[i] = least
	}
	return adjusted
}
