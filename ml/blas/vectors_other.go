//go:build !amd64

package blas

// Where no assembly is, the vector functions are those of vectors_go.go.

func dot(a, b []float32) float32 { return dotGo(a, b) }

func axpy(dst, a []float32, s float32) { axpyGo(dst, a, s) }

func scale(x []float32, s float32) { scaleGo(x, s) }

func addTo(dst, a []float32) { addGo(dst, a) }

func mulScaled(dst, a, b []float32, s float32) { mulScaledGo(dst, a, b, s) }

func mulAdd(dst, a, b []float32) { mulAddGo(dst, a, b) }

func largest(x []float32) float32 { return maxGo(x) }

func total(x []float32) float32 { return sumGo(x) }

func expSum(dst, src []float32, scale, shift float32) float32 {
	return expSumGo(dst, src, scale, shift)
}

func softmaxBackward(dst, p, dp []float32, d, scale float32) { softmaxBackwardGo(dst, p, dp, d, scale) }

func siluMul(dst, gate, up []float32) { siluMulGo(dst, gate, up) }

func siluMulBackward(dGate, dUp, dOut, gate, up []float32) {
	siluMulBackwardGo(dGate, dUp, dOut, gate, up)
}

func quickGELU(dst, x []float32) { quickGELUGo(dst, x) }

func quickGELUBackward(dx, dy, x []float32) { quickGELUBackwardGo(dx, dy, x) }

func gelu(dst, x []float32) { geluGo(dst, x) }

func geluBackward(dx, dy, x []float32) { geluBackwardGo(dx, dy, x) }

func rope(x, cos, sin []float32) { ropeGo(x, cos, sin) }

func widenBF16(dst []float32, src []uint16) { widenBF16Go(dst, src) }

func narrowBF16(dst []uint16, src []float32) { narrowBF16Go(dst, src) }

func updateAdamW(w, g, m, v []float32, c *adamW) { adamWGo(w, g, m, v, c) }

func (m Mask) apply(dst, src []float32, first uint32) { m.applyGo(dst, src, first) }

func (m Mask) add(dst, src []float32, first uint32) { m.addGo(dst, src, first) }
