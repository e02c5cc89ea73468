package blas

import "runtime"

// What benchmarks hold the other functions against. Both work on the calling goroutine.

// Multiply does nothing but rounds of independent multiply-adds with the kernel set in use, and returns how many
// operations that was.
func Multiply(rounds int) (flops int) {
	kernels.multiply(rounds)
	return rounds * kernels.multiplyFlops
}

// Read does nothing but load data, with the kernel set in use.
func Read(data []byte) { kernels.read(data) }

// multiplyGo keeps eight sums, which is what scalar code can make use of.
func multiplyGo(rounds int) {
	var a, b, c, d, e, f, g, h float32
	x, y := float32(rounds), float32(1)/float32(rounds+1)
	for range rounds {
		a, b, c, d = a+x*y, b+x*y, c+x*y, d+x*y
		e, f, g, h = e+x*y, f+x*y, g+x*y, h+x*y
		x, y = y, x
	}
	runtime.KeepAlive(a + b + c + d + e + f + g + h)
}

func readGo(data []byte) {
	var sum byte
	for i := 0; i < len(data); i += 64 {
		sum += data[i]
	}
	runtime.KeepAlive(sum)
}
