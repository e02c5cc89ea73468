//go:build amd64 && linux

package blas

import (
	"fmt"
	"math"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// peak is the multiply-add rate of one core at this moment, in GFLOP/s.
func peak() float64 {
	if !avx2.available {
		return 0
	}
	const rounds, flops = 100000, 12 * 16
	best := time.Hour
	for range 8 {
		start := time.Now()
		peakAVX2(rounds)
		best = min(best, time.Since(start))
	}
	return rounds * flops / best.Seconds() / 1e9
}

// fastest is the shortest time of one call among the batches of a benchmark. The machine is shared: means measure the
// neighbours, and what runs on one core is measured in processor time.
func fastest(b *testing.B, cores int, call func()) (seconds float64) {
	clock := int32(unix.CLOCK_MONOTONIC)
	if cores == 1 {
		clock = unix.CLOCK_PROCESS_CPUTIME_ID
	}
	now := func() float64 {
		var t unix.Timespec
		if err := unix.ClockGettime(clock, &t); err != nil {
			b.Fatal(err)
		}
		return float64(t.Sec) + float64(t.Nsec)*1e-9
	}
	const batch = 5e-4
	start := now()
	call()
	calls := max(1, int(batch/max(now()-start, 1e-7)))
	seconds = math.Inf(1)
	for b.Loop() {
		start := now()
		for range calls {
			call()
		}
		seconds = min(seconds, (now()-start)/float64(calls))
	}
	b.ReportMetric(0, "ns/op")
	return seconds
}

// report gives the rate and its share of what so many cores could do with AVX2.
func report(b *testing.B, cores int, flops, seconds float64) {
	rate := flops / seconds / 1e9
	b.ReportMetric(rate, "GFLOP/s")
	if p := peak(); p > 0 {
		b.ReportMetric(100*rate/p/float64(cores), "%peak")
	}
}

var gemmSizes = []struct{ m, n, k, cores int }{
	{512, 512, 512, 1}, {512, 512, 512, 2}, {1024, 1024, 1024, 1}, {1024, 1024, 1024, 2},
	{100, 128, 128, 1}, {100, 384, 128, 1}, {100, 128, 384, 1}, {128, 128, 100, 1}, {128, 384, 100, 1}, // d = 128
	{64, 16, 32, 1}, {64, 64, 32, 1}, {64, 32, 64, 1}, {100, 100, 32, 1}, {100, 32, 100, 1}, // attention
	{100, 16, 128, 1}, {100, 128, 16, 1}, {128, 16, 100, 1}, {100, 8, 128, 1}, // low rank
	{1, 128, 128, 1},
}

func BenchmarkGemm(b *testing.B) {
	for _, form := range []string{"NN", "NT", "TN"} {
		for _, s := range gemmSizes {
			b.Run(fmt.Sprintf("%s/%dx%dx%d/cores=%d", form, s.m, s.n, s.k, s.cores), func(b *testing.B) {
				ta, tb := form[0] == 'T', form[1] == 'T'
				lda, ldb := s.k, s.n
				if ta {
					lda = s.m
				}
				if tb {
					ldb = s.k
				}
				x, y, z := filled(s.m*s.k), filled(s.k*s.n), filled(s.m*s.n)
				team := NewTeam(s.cores)
				seconds := fastest(b, s.cores, func() {
					team.Gemm(ta, tb, s.m, s.n, s.k, x, lda, y, ldb,
						false, z, s.n)
				})
				report(b, s.cores, 2*float64(s.m)*float64(s.n)*float64(s.k), seconds)
			})
		}
	}
}

func BenchmarkPanels(b *testing.B) {
	for _, s := range []struct{ n, k int }{{896, 896}, {4864, 896}, {896, 4864}} {
		w := filled(s.n * s.k)
		words := make([]uint16, len(w))
		NarrowBF16(words, w)
		for kind, p := range map[string]*Panels{"f32": Pack(true, s.n, s.k, w, s.k), "bf16": PackBF16(true, s.n, s.k,
			words, s.k)} {
			for _, m := range []int{1, 2, 8, 64, 256} {
				for _, cores := range []int{1, 2} {
					b.Run(fmt.Sprintf("%s/N=%d/K=%d/M=%d/cores=%d", kind, s.n, s.k, m, cores), func(b *testing.B) {
						x, z := filled(m*s.k), filled(m*s.n)
						team := NewTeam(cores)
						seconds := fastest(b, cores, func() { team.Mul(m, x, s.k, p, false, z, s.n) })
						b.ReportMetric(float64(p.Bytes())/seconds/1e9, "GB/s")
						report(b, cores, 2*float64(m)*float64(s.n)*float64(s.k), seconds)
					})
				}
			}
		}
	}
}

func BenchmarkVectors(b *testing.B) {
	const n = 4096
	x, y, z, u, v := filled(n), filled(n), filled(n), filled(n), filled(n)
	words := make([]uint16, n)
	for _, f := range []struct {
		name string
		call func()
	}{
		{"Dot", func() { Dot(x, y) }},
		{"Sum", func() { Sum(x) }},
		{"Max", func() { Max(x) }},
		{"Axpy", func() { Axpy(z, x, 1e-9) }},
		{"Scale", func() { Scale(z, 1) }},
		{"Add", func() { Add(z, v) }},
		{"MulScaled", func() { MulScaled(z, x, y, 0.5) }},
		{"MulAdd", func() { MulAdd(z, x, v) }},
		{"ExpSum", func() { ExpSum(z, x, 1, 0) }},
		{"SoftmaxBackward", func() { SoftmaxBackward(z, x, y, 0.5, 0.5) }},
		{"SiLUMul", func() { SiLUMul(z, x, y) }},
		{"SiLUMulBackward", func() { SiLUMulBackward(z, u, x, x, y) }},
		{"QuickGELU", func() { QuickGELU(z, x) }},
		{"QuickGELUBackward", func() { QuickGELUBackward(z, y, x) }},
		{"GELU", func() { GELU(z, x) }},
		{"GELUBackward", func() { GELUBackward(z, y, x) }},
		{"Rope", func() { Rope(z, x[:n/2], y[:n/2]) }},
		{"WidenBF16", func() { WidenBF16(z, words) }},
		{"NarrowBF16", func() { NarrowBF16(words, x) }},
		{"AdamW", func() { AdamW(z, x, u, v, 0.9, 0.999, 1e-9, 1, 1, 1e-8) }},
	} {
		for _, set := range []string{"avx2", "go"} {
			b.Run(f.name+"/"+set, func(b *testing.B) {
				if err := Use(set); err != nil {
					b.Skip(err)
				}
				defer Use("")
				clear(v)
				clear(u)
				b.ReportMetric(fastest(b, 1, f.call)*1e9/n, "ns/element")
			})
		}
	}
}
