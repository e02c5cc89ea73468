package nn

import (
	"sync"

	"finetui/ml/blas"
)

// Matrix is a weight as Hugging Face stores it, [Rows = out, Cols = in], row-major, in exactly one of three forms.
type Matrix struct {
	Rows, Cols int
	F32        []float32
	BF16       []uint16
	// one above the other, all in the same format; they are put together only to be laid out for the kernels
	Parts []Matrix

	// Release is called when a frozen matrix has been laid out: what it
	// was laid out from will hardly be read again. It may be nil.
	Release func()
}

// Row writes row i to dst [Cols].
func (m Matrix) Row(i int, dst []float32) {
	for _, p := range m.Parts {
		if i < p.Rows {
			p.Row(i, dst)
			return
		}
		i -= p.Rows
	}
	if m.F32 != nil {
		copy(dst, m.F32[i*m.Cols:(i+1)*m.Cols])
		return
	}
	blas.WidenBF16(dst[:m.Cols], m.BF16[i*m.Cols:(i+1)*m.Cols])
}

// Room for parts that are put together, used again and again: it would be
// the most of what a model leaves behind when it is laid out.
var joinedF32, joinedBF16 = sync.Pool{New: func() any { return new([]float32) }},
	sync.Pool{New: func() any { return new([]uint16) }}

// joined is the matrix in one piece, until done is called.
func (m Matrix) joined() (whole Matrix, done func()) {
	if m.Parts == nil {
		return m, m.release
	}
	whole = Matrix{Rows: m.Rows, Cols: m.Cols}
	if m.Parts[0].F32 != nil {
		room := joinedF32.Get().(*[]float32)
		*room = (*room)[:0]
		for _, p := range m.Parts {
			*room = append(*room, p.F32...)
		}
		whole.F32 = *room
		return whole, func() { m.release(); joinedF32.Put(room) }
	}
	room := joinedBF16.Get().(*[]uint16)
	*room = (*room)[:0]
	for _, p := range m.Parts {
		*room = append(*room, p.BF16...)
	}
	whole.BF16 = *room
	return whole, func() { m.release(); joinedBF16.Put(room) }
}

func (m Matrix) release() {
	for _, p := range m.Parts {
		p.release()
	}
	if m.Release != nil {
		m.Release()
	}
}
