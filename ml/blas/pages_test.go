//go:build linux

package blas

import (
	"runtime"
	"slices"
	"testing"
	"weak"
)

func TestPanelsOutsideTheHeapLiveAsLongAsTheyAreUsed(t *testing.T) {
	const n, k, m = 512, 300, 3
	w, x := filled(n*k), filled(m*k)
	want, got := make([]float32, m*n), make([]float32, m*n)
	NewTeam(0).Gemm(false, true, m, n, k, x, k, w, k, false, want, n)

	p := Pack(true, n, k, w, k)
	if p.keep == nil {
		t.Skip("the system gave no memory")
	}
	home := weak.Make(p.keep)
	part := p.Part(k, n/2)
	p = nil
	for range 3 {
		runtime.GC()
	}
	NewTeam(0).Mul(m, x, k, &part, false, got, n)
	for i := range m {
		if !slices.Equal(got[i*n:i*n+n/2], want[i*n:i*n+n/2]) {
			t.Fatalf("row %d of the product differs", i)
		}
	}
	// Other tests' panels may share the mapping; those of a mapping of their own are given back.
	big, keep := memory[float32](mappingSize / 2)
	big[len(big)-1] = 1
	gone := weak.Make(keep)
	runtime.KeepAlive(keep)
	for range 3 {
		runtime.GC()
	}
	if gone.Value() != nil {
		t.Error("memory that nobody refers to is kept")
	}
	runtime.KeepAlive(&part)
	if home.Value() == nil {
		t.Error("memory in use is given back")
	}
}

func TestMemoryIsZeroAndNotShared(t *testing.T) {
	for _, n := range []int{0, 1, leastMapped, leastMapped + 3, mappingSize / 4, mappingSize} {
		a, keepA := memory[uint16](n)
		b, keepB := memory[uint16](n)
		if len(a) != n || len(b) != n {
			t.Fatalf("%d and %d of %d elements", len(a), len(b), n)
		}
		for i := range a {
			a[i] = 1
		}
		if slices.Contains(b, 1) {
			t.Errorf("two pieces of %d elements overlap", n)
		}
		runtime.KeepAlive(keepA)
		runtime.KeepAlive(keepB)
	}
}

func filled(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%17)/8 - 1
	}
	return x
}
