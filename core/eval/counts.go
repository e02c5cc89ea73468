package eval

import "math"

// counts is a confusion matrix over labels; the last column is Unparsed. Truth is never unparsed.
type counts struct {
	rows  [][]int // [label][label or unparsed]
	total int
}

func newCounts(labels int) counts {
	c := counts{rows: make([][]int, labels)}
	for i := range c.rows {
		c.rows[i] = make([]int, labels+1)
	}
	return c
}

func (c *counts) clear() {
	for _, row := range c.rows {
		clear(row)
	}
	c.total = 0
}

// add counts one answer; said is Unparsed or a label.
func (c *counts) add(truth, said int) {
	if said == Unparsed {
		said = len(c.rows)
	}
	c.rows[truth][said]++
	c.total++
}

func (c *counts) support(label int) (n int) {
	for _, v := range c.rows[label] {
		n += v
	}
	return n
}

// predicted is how often the label was answered; label len(rows) is unparsed.
func (c *counts) predicted(label int) (n int) {
	for _, row := range c.rows {
		n += row[label]
	}
	return n
}

func (c *counts) right(label int) int { return c.rows[label][label] }

func (c *counts) allRight() (n int) {
	for i := range c.rows {
		n += c.right(i)
	}
	return n
}

// f1 is 2tp / (support + predicted), 0 where both are 0.
func (c *counts) f1(label int) float64 {
	return share(2*c.right(label), c.support(label)+c.predicted(label))
}

// macroF1 averages over the labels that have a true item, and over all of them (one without counts 0).
func (c *counts) macroF1() (supported, all float64) {
	var sumSupported, sumAll float64
	n := 0
	for i := range c.rows {
		f := c.f1(i)
		sumAll += f
		if c.support(i) > 0 {
			sumSupported += f
			n++
		}
	}
	return over(sumSupported, n), over(sumAll, len(c.rows))
}

// balancedAccuracy is the mean recall over the labels that have a true item.
func (c *counts) balancedAccuracy() float64 {
	var sum float64
	n := 0
	for i := range c.rows {
		if s := c.support(i); s > 0 {
			sum += share(c.right(i), s)
			n++
		}
	}
	return over(sum, n)
}

// agreement returns Matthews' correlation for many classes (Gorodkin, 2004) and Cohen's κ, unparsed being one more
// label. Where chance alone gives full agreement: 0 for the former, and κ is 1 if all is right, else 0.
func (c *counts) agreement() (mcc, kappa float64) {
	n := float64(c.total)
	if n == 0 {
		return 0, 0
	}
	var together, truth2, said2 float64
	for i := 0; i <= len(c.rows); i++ {
		var t float64
		if i < len(c.rows) {
			t = float64(c.support(i))
		}
		s := float64(c.predicted(i))
		together += t * s
		truth2 += t * t
		said2 += s * s
	}
	right := float64(c.allRight())
	if d := math.Sqrt(n*n-said2) * math.Sqrt(n*n-truth2); d > 0 {
		mcc = (right*n - together) / d
	}
	chance := together / (n * n)
	switch {
	case chance < 1:
		kappa = (right/n - chance) / (1 - chance)
	case right == n:
		kappa = 1
	}
	return mcc, kappa
}

func share(k, n int) float64 { return over(float64(k), n) }

func over(sum float64, n int) float64 {
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}
