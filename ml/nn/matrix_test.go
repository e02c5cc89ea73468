package nn

import (
	"math/rand/v2"
	"slices"
	"testing"

	"finetui/ml/blas"
)

// TestPartsMakeTheProductOfTheWhole lays a product out of parts, in both formats,
// and expects the bits of one that was put together before.
func TestPartsMakeTheProductOfTheWhole(t *testing.T) {
	const in, rows = 24, 3
	draw := rand.New(rand.NewPCG(1, 1))
	values := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(draw.NormFloat64())
		}
		return v
	}
	for _, half := range []bool{false, true} {
		released := 0
		whole, parted := &Linear{W: Matrix{Cols: in}}, &Linear{W: Matrix{Cols: in}}
		for _, out := range []int{20, 5, 7} {
			p := Matrix{Rows: out, Cols: in, Release: func() { released++ }}
			if v := values(out * in); half {
				for _, x := range v {
					p.BF16 = append(p.BF16, uint16(int32(x*100)&0x7f)|0x3f00)
				}
			} else {
				p.F32 = v
			}
			parted.W.Parts = append(parted.W.Parts, p)
			parted.W.Rows += out
			whole.W.Rows += out
			whole.W.F32, whole.W.BF16 = append(whole.W.F32, p.F32...), append(whole.W.BF16, p.BF16...)
		}
		team, out := blas.NewTeam(1), whole.W.Rows
		x, dy := values(rows*in), values(rows*out)
		var y, dx [2][]float32
		for i, l := range []*Linear{whole, parted} {
			y[i], dx[i] = make([]float32, rows*out), make([]float32, rows*in)
			l.Mul(team, rows, x, y[i])
			l.MulBack(team, rows, dy, dx[i])
		}
		if !slices.Equal(y[0], y[1]) || !slices.Equal(dx[0], dx[1]) {
			t.Errorf("bfloat16 %v: the products differ", half)
		}
		if released != 2*3 {
			t.Errorf("bfloat16 %v: parts were released %d times, not once a layout", half, released)
		}
		a, b := make([]float32, in), make([]float32, in)
		for i := range out {
			whole.W.Row(i, a)
			if parted.W.Row(i, b); !slices.Equal(a, b) {
				t.Errorf("bfloat16 %v: row %d differs", half, i)
			}
		}
	}
}
