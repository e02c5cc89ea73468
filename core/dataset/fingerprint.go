package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"sync"
)

// Fingerprint is a short name for what the set says: its classes, its items and their objects. It is the same wherever
// the set lies, and another one once a label, a split or a name changes. The pixels of the pictures are not part of it.
//
// What nothing but scoring sees (Append) is no part of it either. Of a set that was read it is worked out once.
func (d *Dataset) Fingerprint() string {
	known := d.fingerprint
	if known == nil {
		known = &fingerprint{}
	}
	known.once.Do(func() { known.text = d.Own().FingerprintOfAll() })
	return known.text
}

// fingerprint is that of a set once somebody has asked for it.
type fingerprint struct {
	once sync.Once
	text string
}

// FingerprintOfAll is Fingerprint with what was appended for scoring, as it was counted once.
func (d *Dataset) FingerprintOfAll() string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s %d\n", d.Format, len(d.Classes))
	for _, class := range d.Classes {
		fmt.Fprintf(hash, "%q %q\n", class.Name, class.Condition)
	}
	for _, set := range d.Sets {
		if set.Items == 0 { // it adds nothing, as what convert wrote of this set
			continue
		}
		fmt.Fprintf(hash, "set %q %v %s\n", set.Name, set.Share, set.Sum)
	}
	var text []byte // memory that is used again
	for i := range d.Items {
		item := &d.Items[i]
		text = strconv.AppendQuote(text[:0], item.ID)
		for _, n := range []int{int(item.Width), int(item.Height), len(item.Objects)} {
			text = strconv.AppendInt(append(text, ' '), int64(n), 10)
		}
		if item.Clip != nil || item.Group != (Group{}) {
			text = appendClip(text, item)
		}
		text = append(text, '\n')
		for o := range item.Objects {
			text = appendObject(text, &item.Objects[o])
		}
		hash.Write(text)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// appendClip appends what is said of a clip, and whose it is.
func appendClip(text []byte, item *Item) []byte {
	if c := item.Clip; c != nil {
		text = strconv.AppendInt(append(text, " clip "...), int64(c.Frames), 10)
		for _, v := range [...]float64{c.FPS, c.Seconds} {
			text = strconv.AppendUint(append(text, ' '), math.Float64bits(v), 16)
		}
	}
	return strconv.AppendQuote(append(text, ' '), item.Group.String())
}

// appendObject appends an object as a line: its class, how many corners it has, its numbers bit by bit; and where it
// has more than one ring, a mask or a text, these.
func appendObject(text []byte, object *Object) []byte {
	text = strconv.AppendInt(text, int64(object.Class), 10)
	text = strconv.AppendInt(append(text, ' '), int64(object.corners()), 10)
	for _, v := range [...]float64{object.Box.X0, object.Box.Y0, object.Box.X1, object.Box.Y1, object.Confidence} {
		text = strconv.AppendUint(append(text, ' '), math.Float64bits(v), 16)
	}
	for i, ring := range object.Rings() {
		if i > 0 {
			text = append(text, " ring"...)
		}
		for _, point := range ring {
			text = strconv.AppendUint(append(text, ' '), math.Float64bits(point.X), 16)
			text = strconv.AppendUint(append(text, ' '), math.Float64bits(point.Y), 16)
		}
	}
	if object.Shape != nil && object.Shape.Mask != nil {
		m := object.Shape.Mask
		text = append(text, " mask"...)
		for _, n := range append([]uint32{uint32(m.Width), uint32(m.Height)}, m.Runs...) {
			text = strconv.AppendUint(append(text, ' '), uint64(n), 10)
		}
	}
	if t := object.Text; t != nil {
		text = strconv.AppendQuote(append(text, ' '), t.Question)
		text = strconv.AppendQuote(append(text, ' '), t.Answer)
	}
	return append(text, '\n')
}
