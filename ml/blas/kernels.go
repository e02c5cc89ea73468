package blas

import "fmt"

// tileFunc multiplies count register tiles, one below the other:
//
//	C[i, j] = from[i*fromRow + j] + sum over q < k of a[i*aRow + q*aStep] * b[q*bStep + j]
//
// Distances are in bytes; gen/tiles.go describes them. k and count are at least 1; from may be nil, for nothing, or C.
type tileFunc func(count, k int, a *float32, aRow, aStep, aTile int, b *byte, bStep, bPanel, ahead, aheadStep int,
	c *float32, cRow int, from *float32, fromRow int, mask *byte)

// tileSet holds the tiles for one kind of right-hand side, by their number of rows.
type tileSet struct {
	full, masked         []tileFunc // two vectors of columns; the last one masked
	narrow, narrowMasked []tileFunc // one vector of columns
	wide                 []tileFunc // for one row and for two; none if that would not be faster
	wideColumns          []int
}

// widest is the number of columns of the widest tile.
func (t *tileSet) widest() int {
	if len(t.wide) > 1 {
		return t.wideColumns[1]
	}
	return panelWidth
}

// kernelSet is what one kind of processor offers.
type kernelSet struct {
	name        string
	available   bool
	lanes       int // float32 in a vector
	rows        int // of the largest tile of two vectors
	narrowRows  int // of one vector
	float32     tileSet
	bfloat16    tileSet
	mask        func(columns int) *byte // of the last vector, 1 <= columns <= lanes
	packRows    packRowsFunc
	packColumns packColumnsFunc
	packTiles   packTilesFunc // of `rows` rows
	vectors     bool          // the vector functions run in assembly

	multiply      func(rounds int) // see Multiply
	multiplyFlops int              // of a round
	read          func(data []byte)
}

// kernels is the set in use: the best this processor has.
var kernels = best()

func best() *kernelSet {
	for _, s := range kernelSets() {
		if s.available {
			return s
		}
	}
	return &plainGo
}

// Kernels names the kernel set in use: "avx512", "avx2" or "go".
func Kernels() string { return kernels.name }

// Use forces a kernel set, for tests and comparisons; "" chooses the best again. It returns an error, and changes
// nothing, if this processor lacks the set. It must not be called while a product runs.
func Use(name string) error {
	if name == "" {
		kernels = best()
		return nil
	}
	for _, s := range kernelSets() {
		if s.name != name {
			continue
		}
		if !s.available {
			return fmt.Errorf("blas: this processor has no %s instructions; use %q", name, best().name)
		}
		kernels = s
		return nil
	}
	return fmt.Errorf("blas: unknown kernel set %q on this platform; the best one here is %q", name, best().name)
}
