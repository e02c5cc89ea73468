package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
)

// Fingerprint is a short name for what the set says: its classes, its items and their objects. It is the same wherever
// the set lies, and another one once a label, a split or a name changes. The pixels of the pictures are not part of it.
func (d *Dataset) Fingerprint() string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s %d\n", d.Format, len(d.Classes))
	for _, class := range d.Classes {
		fmt.Fprintf(hash, "%q %q\n", class.Name, class.Condition)
	}
	for i := range d.Items {
		item := &d.Items[i]
		fmt.Fprintf(hash, "%q %d %d %d\n", item.ID, item.Width, item.Height, len(item.Objects))
		for _, object := range item.Objects {
			hashObject(hash, object)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

func hashObject(hash io.Writer, object Object) {
	fmt.Fprintf(hash, "%d %d", object.Class, len(object.Polygon))
	for _, v := range []float64{object.Box.X0, object.Box.Y0, object.Box.X1, object.Box.Y1, object.Confidence} {
		fmt.Fprintf(hash, " %x", math.Float64bits(v))
	}
	for _, point := range object.Polygon {
		fmt.Fprintf(hash, " %x %x", math.Float64bits(point.X), math.Float64bits(point.Y))
	}
	fmt.Fprintln(hash)
}
