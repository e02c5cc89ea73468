package blas

import "math"

// The plain-Go twins of the vector kernels: what runs where no assembly does, and what the assembly is tested against.

func dotGo(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func axpyGo(dst, a []float32, s float32) {
	for i, x := range a {
		dst[i] += s * x
	}
}

func scaleGo(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

func addGo(dst, a []float32) {
	for i, x := range a {
		dst[i] += x
	}
}

func mulScaledGo(dst, a, b []float32, s float32) {
	for i := range dst {
		dst[i] = a[i] * b[i] * s
	}
}

func mulAddGo(dst, a, b []float32) {
	for i := range dst {
		dst[i] += a[i] * b[i]
	}
}

func maxGo(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

func sumGo(x []float32) float32 {
	var s float32
	for _, v := range x {
		s += v
	}
	return s
}

func exp32(x float32) float32 { return float32(math.Exp(float64(x))) }

func expSumGo(dst, src []float32, scale, shift float32) float32 {
	var sum float32
	for i, x := range src {
		e := exp32(x*scale - shift)
		dst[i] = e
		sum += e
	}
	return sum
}

func softmaxBackwardGo(dst, p, dp []float32, d, scale float32) {
	for i := range dst {
		dst[i] = p[i] * (dp[i] - d) * scale
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func siluMulGo(dst, gate, up []float32) {
	for i, g := range gate {
		dst[i] = float32(float64(g) * sigmoid(float64(g)) * float64(up[i]))
	}
}

func siluMulBackwardGo(dGate, dUp, dOut, gate, up []float32) {
	for i, x := range gate {
		g, d := float64(x), float64(dOut[i])
		s := sigmoid(g)
		slope := s * (1 + g*(1-s))
		dGate[i], dUp[i] = float32(d*float64(up[i])*slope), float32(d*g*s)
	}
}

func quickGELUGo(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(float64(v) * sigmoid(float64(1.702*v)))
	}
}

func quickGELUBackwardGo(dx, dy, x []float32) {
	for i, v := range x {
		z := float64(1.702 * v)
		s := sigmoid(z)
		dx[i] = float32(float64(dy[i]) * s * (1 + z*(1-s)))
	}
}

func geluGo(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(float64(v) * normalCDF(float64(v)))
	}
}

func geluBackwardGo(dx, dy, x []float32) {
	for i, v := range x {
		z := float64(v)
		density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
		dx[i] = float32(float64(dy[i]) * (normalCDF(z) + z*density))
	}
}

func normalCDF(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

func ropeGo(x, cos, sin []float32) {
	lo, hi := x[:len(cos)], x[len(cos):]
	for i, c := range cos {
		a, b := lo[i], hi[i]
		lo[i] = a*c - b*sin[i]
		hi[i] = b*c + a*sin[i]
	}
}

func widenBF16Go(dst []float32, src []uint16) {
	for i, h := range src {
		dst[i] = math.Float32frombits(uint32(h) << 16)
	}
}

func narrowBF16Go(dst []uint16, src []float32) {
	for i, x := range src {
		dst[i] = narrow(x)
	}
}

// narrow rounds to the nearest bfloat16, ties to even; a NaN stays one.
func narrow(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func adamWGo(w, g, m, v []float32, c *adamW) {
	for i, x := range g {
		m[i] += (x - m[i]) * c.complement1
		v[i] = v[i]*c.b2 + x*x*c.complement2
		denominator := float32(math.Sqrt(float64(v[i])))*c.invSqrtCorrection2 + c.eps
		w[i] = w[i]*c.decayFactor - c.stepSize*m[i]/denominator
	}
}
