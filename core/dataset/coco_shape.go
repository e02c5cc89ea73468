package dataset

import (
	"fmt"
	"math"
)

// readSegmentation reads an outline as COCO has it: rings of x, y, x, y, … in pixels, or runs of a mask.
func readSegmentation(r *jsonReader) (rings [][]Point, mask *Mask, err error) {
	switch r.peek() {
	case '{':
		mask, err = readMask(r)
		return nil, mask, err
	case '[':
	default:
		return nil, nil, r.skip()
	}
	var flat ringReader // a ring that stands without a list around it
	err = r.array(func() error {
		if r.peek() != '[' {
			return flat.take(r)
		}
		var ring ringReader
		err := r.array(func() error { return ring.take(r) })
		if len(ring.points) > 0 {
			rings = append(rings, ring.points)
		}
		return err
	})
	if len(flat.points) > 0 {
		rings = append(rings, flat.points)
	}
	return rings, nil, err
}

// ringReader makes points of numbers; of an odd one, y is not a number.
type ringReader struct {
	points []Point
	half   bool
}

func (g *ringReader) take(r *jsonReader) error {
	v, err := r.number()
	if g.half = !g.half; g.half {
		g.points = append(g.points, Point{v, math.NaN()})
	} else {
		g.points[len(g.points)-1].Y = v
	}
	return err
}

// readMask reads counts, as a list or packed into a text, and size.
func readMask(r *jsonReader) (*Mask, error) {
	m := &Mask{}
	err := r.object(func(key []byte) error {
		switch string(key) {
		case "counts":
			if r.peek() == '"' {
				packed, err := r.text()
				m.Runs = unpackRuns(packed)
				return err
			}
			if r.peek() != '[' {
				return r.skip()
			}
			return r.array(func() error {
				v, err := r.number()
				if !(v >= 0 && v <= math.MaxUint32) {
					v = math.MaxUint32 // the sum tells
				}
				m.Runs = append(m.Runs, uint32(v))
				return err
			})
		case "size":
			if r.peek() != '[' {
				return r.skip()
			}
			n := 0
			return r.array(func() error {
				v, err := r.size()
				if n++; n == 1 {
					m.Height = v
				} else {
					m.Width = v
				}
				return err
			})
		}
		return r.skip()
	})
	return m, err
}

// unpackRuns reads pycocotools' packed counts: five bits a sign from the lowest on, and from the third run on the
// difference to the run two before.
func unpackRuns(packed []byte) (runs []uint32) {
	for at := 0; at < len(packed); {
		var v int64
		for shift, more := 0, true; more && at < len(packed) && shift < 60; shift += 5 {
			c := int64(packed[at]) - 48
			at++
			v |= (c & 0x1f) << shift
			if more = c&0x20 != 0; !more && c&0x10 != 0 {
				v |= -1 << (shift + 5)
			}
		}
		if len(runs) > 2 {
			v += int64(runs[len(runs)-2])
		}
		if v < 0 || v > math.MaxUint32 {
			v = math.MaxUint32
		}
		runs = append(runs, uint32(v))
	}
	return runs
}

// bounds is the box around a mask, in pixels; ok is false where it is empty, or its runs do not fill its size.
func (m *Mask) bounds() (b Box, ok bool) {
	total := uint64(m.Width) * uint64(m.Height)
	x0, y0, x1, y1 := m.Width, m.Height, -1, -1
	var at uint64
	for i, n := range m.Runs {
		first := at
		if at += uint64(n); at > total {
			return b, false
		}
		if i%2 == 0 || n == 0 {
			continue
		}
		left, right := int(first)/m.Height, int(at-1)/m.Height
		top, bottom := int(first)%m.Height, int(at-1)%m.Height
		if left != right {
			top, bottom = 0, m.Height-1 // it goes from the foot of one column on at the head of the next
		}
		x0, y0, x1, y1 = min(x0, left), min(y0, top), max(x1, right), max(y1, bottom)
	}
	if at != total || x1 < 0 {
		return b, false
	}
	return Box{float64(x0), float64(y0), float64(x1 + 1), float64(y1 + 1)}, true
}

func annotationName(id int) string {
	if id < 0 {
		return fmt.Sprintf("annotation number %d", -id)
	}
	return fmt.Sprintf("annotation %d", id)
}
