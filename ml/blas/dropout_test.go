package blas

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMasksAreTheSameInPartsAndForEveryKernelSet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	sets(t, func(t *testing.T) {
		for _, n := range lengths {
			m := NewMask(0.3, r.Uint64())
			first := r.IntN(1 << 20)
			src, before := normals(r, n), normals(r, n)
			want := make([]float32, n)
			for i, v := range src {
				if m.kept(uint32(first + i)) {
					want[i] = v * m.keep
				}
			}
			dst, intact := guarded(before)
			cut := n / 3
			m.Apply(dst[:cut], src[:cut], first)
			m.Apply(dst[cut:], src[cut:], first+cut)
			sum, sumIntact := guarded(before)
			m.Add(sum, src, first)
			for i := range want {
				if dst[i] != want[i] || sum[i] != before[i]+want[i] {
					t.Fatalf("%d of %d values: applied %g, want %g; added %g, want %g", i, n, dst[i], want[i], sum[i],
						before[i]+want[i])
				}
			}
			if !intact() || !sumIntact() {
				t.Fatalf("%d values: wrote beyond the end", n)
			}
		}
	})
}

func TestAMaskOfNextToNothingDropsNextToNothing(t *testing.T) {
	ones, dst := make([]float32, 1<<16), make([]float32, 1<<16)
	for i := range ones {
		ones[i] = 1
	}
	for _, p := range []float32{0, 1e-30, 1e-10, 1e-9} {
		sets(t, func(t *testing.T) {
			NewMask(p, 11).Apply(dst, ones, 0)
			if !slices.Equal(dst, ones) {
				t.Errorf("p = %g drops some of 65,536 values", p)
			}
		})
	}
}

// Shares, and correlations with neighbours, the next row and other streams, lie within four standard deviations.
func TestMasksLookRandom(t *testing.T) {
	const n = 1 << 18
	decisions := func(p float32, key uint64) []float64 {
		m := NewMask(p, key)
		d := make([]float64, n)
		for i := range d {
			if m.kept(uint32(i)) {
				d[i] = 1
			}
		}
		return d
	}
	for _, p := range []float64{0.01, 0.05, 0.5, 0.9} {
		one := decisions(float32(p), 0x0123456789abcdef)
		others := [][]float64{decisions(float32(p), 0x0123456789abcdee), decisions(float32(p), 0x8123456789abcdef),
			decisions(float32(p), 0)}
		mean := func(d []float64) (sum float64) {
			for _, v := range d {
				sum += v / n
			}
			return sum
		}
		sd := math.Sqrt(p * (1 - p) / n)
		if got := mean(one); math.Abs(got-(1-p)) > 4*sd {
			t.Errorf("p %g: a share of %g stays", p, got)
		}
		for what, other := range map[string][]float64{"next": one[1:], "eighth": one[8:], "row of 128": one[128:],
			"row of 896": one[896:],
			"key + 1":    others[0], "upper half of the key": others[1], "key 0": others[2]} {
			var sum float64
			for i, v := range other {
				sum += (v - (1 - p)) * (one[i] - (1 - p))
			}
			if c := sum / float64(len(other)) / (p * (1 - p)); math.Abs(c)*math.Sqrt(n) > 4 {
				t.Errorf("p %g: correlation with %s is %.4f", p, what, c)
			}
		}
	}
}
