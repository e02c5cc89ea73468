package widget

import "math"

// Contact is how pictures of one shape, as the frames of a clip, stand beside and below each other: columns and rows of a
// page, and the size of a picture in cells. Beside each is an empty cell, below each its caption.
type Contact struct{ Columns, Rows, W, H int }

// Size is how many pictures a page holds.
func (c Contact) Size() int { return c.Columns * c.Rows }

// NewContact chooses the largest pictures of pw×ph pixels with which all n have room among w×h cells; where not even the
// smallest have, a page of as many as these allow. A caption has so many lines, and needs leastW columns.
func NewContact(n, pw, ph, w, h, captions, leastW int) Contact {
	const leastH = 3 // lines in which something can be made out
	best := Contact{1, 1, w - 1, max(h-captions, 1)}
	area := 0
	for columns := 1; columns <= max(min(n, w/leastW), 1); columns++ {
		rows := int(math.Ceil(float64(n) / float64(columns)))
		rows = max(min(rows, h/(leastH+captions)), 1)
		wide := w/columns - 1
		across, tall := PictureSize(pw, ph, wide, max(h/rows-captions, 1))
		c := Contact{columns, rows, wide, tall}
		if more, as := min(c.Size(), n)-min(best.Size(), n), across*tall-area; more > 0 || more == 0 && as > 0 {
			best, area = c, across*tall
		}
	}
	return best
}
