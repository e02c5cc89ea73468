package blas

import "math"

// Each function takes the assembly if the kernel set in use has one, and the plain Go of vectors_go.go otherwise.

func dot(a, b []float32) float32 {
	if kernels.vectors && len(a) > 0 {
		return dotAVX2(&a[0], &b[0], len(a))
	}
	return dotGo(a, b)
}

func axpy(dst, a []float32, s float32) {
	if kernels.vectors && len(a) > 0 {
		axpyAVX2(&dst[0], &a[0], len(a), s)
	} else {
		axpyGo(dst, a, s)
	}
}

func scale(x []float32, s float32) {
	if kernels.vectors && len(x) > 0 {
		scaleAVX2(&x[0], len(x), s)
	} else {
		scaleGo(x, s)
	}
}

func addTo(dst, a []float32) {
	if kernels.vectors && len(a) > 0 {
		addAVX2(&dst[0], &a[0], len(a))
	} else {
		addGo(dst, a)
	}
}

func mulScaled(dst, a, b []float32, s float32) {
	if kernels.vectors && len(a) > 0 {
		mulScaledAVX2(&dst[0], &a[0], &b[0], len(a), s)
	} else {
		mulScaledGo(dst, a, b, s)
	}
}

func mulAdd(dst, a, b []float32) {
	if kernels.vectors && len(a) > 0 {
		mulAddAVX2(&dst[0], &a[0], &b[0], len(a))
	} else {
		mulAddGo(dst, a, b)
	}
}

func largest(x []float32) float32 {
	if kernels.vectors && len(x) > 0 {
		return maxAVX2(&x[0], len(x))
	}
	return maxGo(x)
}

func total(x []float32) float32 {
	if kernels.vectors && len(x) > 0 {
		return sumAVX2(&x[0], len(x))
	}
	return sumGo(x)
}

func expSum(dst, src []float32, scale, shift float32) float32 {
	if kernels.vectors && len(dst) > 0 {
		return expSumAVX2(&dst[0], &src[0], len(dst), float32(float64(scale)*math.Log2E),
			float32(float64(shift)*math.Log2E))
	}
	return expSumGo(dst, src, scale, shift)
}

func softmaxBackward(dst, p, dp []float32, d, scale float32) {
	if kernels.vectors && len(p) > 0 {
		softmaxBackwardAVX2(&dst[0], &p[0], &dp[0], len(p), d, scale)
	} else {
		softmaxBackwardGo(dst, p, dp, d, scale)
	}
}

func siluMul(dst, gate, up []float32) {
	if kernels.vectors && len(gate) > 0 {
		siluMulAVX2(&dst[0], &gate[0], &up[0], len(gate))
	} else {
		siluMulGo(dst, gate, up)
	}
}

func siluMulBackward(dGate, dUp, dOut, gate, up []float32) {
	if kernels.vectors && len(gate) > 0 {
		siluMulBackwardAVX2(&dGate[0], &dUp[0], &dOut[0], &gate[0], &up[0], len(gate))
	} else {
		siluMulBackwardGo(dGate, dUp, dOut, gate, up)
	}
}

func quickGELU(dst, x []float32) {
	if kernels.vectors && len(x) > 0 {
		quickGELUAVX2(&dst[0], &x[0], len(x))
	} else {
		quickGELUGo(dst, x)
	}
}

func quickGELUBackward(dx, dy, x []float32) {
	if kernels.vectors && len(x) > 0 {
		quickGELUBackwardAVX2(&dx[0], &dy[0], &x[0], len(x))
	} else {
		quickGELUBackwardGo(dx, dy, x)
	}
}

func gelu(dst, x []float32) {
	if kernels.vectors && len(x) > 0 {
		geluAVX2(&dst[0], &x[0], len(x))
	} else {
		geluGo(dst, x)
	}
}

func geluBackward(dx, dy, x []float32) {
	if kernels.vectors && len(x) > 0 {
		geluBackwardAVX2(&dx[0], &dy[0], &x[0], len(x))
	} else {
		geluBackwardGo(dx, dy, x)
	}
}

func rope(x, cos, sin []float32) {
	if kernels.vectors && len(cos) > 0 {
		ropeAVX2(&x[0], &x[len(cos)], &cos[0], &sin[0], len(cos))
	} else {
		ropeGo(x, cos, sin)
	}
}

func widenBF16(dst []float32, src []uint16) {
	if whole := len(src) &^ 7; kernels.vectors && whole > 0 {
		widenAVX2(&dst[0], &src[0], whole/8)
		dst, src = dst[whole:], src[whole:]
	}
	widenBF16Go(dst, src)
}

func narrowBF16(dst []uint16, src []float32) {
	if whole := len(src) &^ 15; kernels.vectors && whole > 0 {
		narrowAVX2(&dst[0], &src[0], whole/16)
		dst, src = dst[whole:], src[whole:]
	}
	narrowBF16Go(dst, src)
}

func updateAdamW(w, g, m, v []float32, c *adamW) {
	if kernels.vectors && len(g) > 0 {
		adamWAVX2(&w[0], &g[0], &m[0], &v[0], len(g), c.complement1, c.b2, c.complement2, c.stepSize, c.decayFactor,
			c.invSqrtCorrection2, c.eps)
	} else {
		adamWGo(w, g, m, v, c)
	}
}

func (m Mask) apply(dst, src []float32, first uint32) {
	if kernels.vectors && len(src) > 0 {
		dropoutAVX2(&dst[0], &src[0], len(src), m.keep, m.limit, first, m.k0, m.k1)
	} else {
		m.applyGo(dst, src, first)
	}
}

func (m Mask) add(dst, src []float32, first uint32) {
	if kernels.vectors && len(src) > 0 {
		dropoutAddAVX2(&dst[0], &src[0], len(src), m.keep, m.limit, first, m.k0, m.k1)
	} else {
		m.addGo(dst, src, first)
	}
}
