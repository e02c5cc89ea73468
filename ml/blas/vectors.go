package blas

import (
	"fmt"
	"strconv"
)

// check panics unless two slices that belong together are equally long.
func check(function string, n, other int) {
	if n != other {
		panic(fmt.Sprintf("blas: %s: slices of %d and %d elements", function, n, other))
	}
}

// Dot is the sum of a[i]*b[i].
func Dot(a, b []float32) float32 {
	check("Dot", len(a), len(b))
	return dot(a, b)
}

// Axpy adds s*a to dst.
func Axpy(dst, a []float32, s float32) {
	check("Axpy", len(dst), len(a))
	axpy(dst, a, s)
}

// Scale multiplies x by s.
func Scale(x []float32, s float32) { scale(x, s) }

// Add adds a to dst.
func Add(dst, a []float32) {
	check("Add", len(dst), len(a))
	addTo(dst, a)
}

// MulScaled sets dst = a*b*s, element by element. dst may be a or b.
func MulScaled(dst, a, b []float32, s float32) {
	check("MulScaled", len(dst), len(a))
	check("MulScaled", len(dst), len(b))
	mulScaled(dst, a, b, s)
}

// MulAdd adds a*b to dst, element by element.
func MulAdd(dst, a, b []float32) {
	check("MulAdd", len(dst), len(a))
	check("MulAdd", len(dst), len(b))
	mulAdd(dst, a, b)
}

// Max is the largest element of x, -Inf if there is none.
func Max(x []float32) float32 { return largest(x) }

// Sum is the sum of x.
func Sum(x []float32) float32 { return total(x) }

// ExpSum sets dst = exp(src*scale - shift) and returns the sum of dst. It is made for softmax: exponents of more than
// 88 are not allowed for, and what is less than the smallest normal number may be 0. -Inf in src gives 0, which is how
// a softmax is masked. Rounding an exponent x costs the result up to 1.5·|x| units in the last place. dst may be src.
func ExpSum(dst, src []float32, scale, shift float32) float32 {
	check("ExpSum", len(dst), len(src))
	return expSum(dst, src, scale, shift)
}

// SoftmaxBackward sets dst = p*(dp - d)*scale: the gradient of softmax(x*scale) with probabilities p, their gradient dp
// and d = Dot(p, dp). dst may be p or dp.
func SoftmaxBackward(dst, p, dp []float32, d, scale float32) {
	check("SoftmaxBackward", len(dst), len(p))
	check("SoftmaxBackward", len(dst), len(dp))
	softmaxBackward(dst, p, dp, d, scale)
}

// SiLUMul sets dst = gate*sigmoid(gate)*up, the gated activation of a SwiGLU block. dst may be gate or up.
func SiLUMul(dst, gate, up []float32) {
	check("SiLUMul", len(dst), len(gate))
	check("SiLUMul", len(dst), len(up))
	siluMul(dst, gate, up)
}

// SiLUMulBackward sets dGate and dUp to the gradients of SiLUMul for dOut. Either may be dOut, gate or up, if they
// themselves differ.
func SiLUMulBackward(dGate, dUp, dOut, gate, up []float32) {
	n := len(gate)
	check("SiLUMulBackward", n, len(up))
	check("SiLUMulBackward", n, len(dOut))
	check("SiLUMulBackward", n, len(dGate))
	check("SiLUMulBackward", n, len(dUp))
	siluMulBackward(dGate, dUp, dOut, gate, up)
}

// QuickGELU sets dst = x*sigmoid(1.702*x). dst may be x.
func QuickGELU(dst, x []float32) {
	check("QuickGELU", len(dst), len(x))
	quickGELU(dst, x)
}

// QuickGELUBackward sets dx to the gradient of QuickGELU at x for dy. dx may be dy or x.
func QuickGELUBackward(dx, dy, x []float32) {
	check("QuickGELUBackward", len(dx), len(dy))
	check("QuickGELUBackward", len(dx), len(x))
	quickGELUBackward(dx, dy, x)
}

// GELU sets dst = x*Phi(x) with the normal distribution Phi in its exact (erf) form. dst may be x.
func GELU(dst, x []float32) {
	check("GELU", len(dst), len(x))
	gelu(dst, x)
}

// GELUBackward sets dx to the gradient of GELU at x for dy. dx may be dy or x.
func GELUBackward(dx, dy, x []float32) {
	check("GELUBackward", len(dx), len(dy))
	check("GELUBackward", len(dx), len(x))
	geluBackward(dx, dy, x)
}

// Rope rotates the pairs (x[i], x[h+i]), h = len(x)/2, by the angles whose cosines and sines are given, in place
// ("rotate half", RoFormer as in GPT-NeoX and Qwen2). With -sin it is its own gradient.
func Rope(x, cos, sin []float32) {
	check("Rope", len(x), 2*len(cos))
	check("Rope", len(cos), len(sin))
	rope(x, cos, sin)
}

// WidenBF16 sets dst to the float32 values of raw bfloat16 words.
func WidenBF16(dst []float32, src []uint16) {
	check("WidenBF16", len(dst), len(src))
	widenBF16(dst, src)
}

// NarrowBF16 rounds src to bfloat16, to nearest, ties to even; a NaN stays a NaN.
func NarrowBF16(dst []uint16, src []float32) {
	check("NarrowBF16", len(dst), len(src))
	narrowBF16(dst, src)
}

// adamW holds the factors of one AdamW update.
type adamW struct {
	complement1, b2, complement2, stepSize, decayFactor, invSqrtCorrection2, eps float32
}

// AdamW updates the weights w and the moments m and v for the gradient g, as torch.optim.AdamW does (Loshchilov &
// Hutter, Decoupled Weight Decay Regularization):
//
//	m ← m + (1-b1)(g - m)
//	v ← b2·v + (1-b2)·g²
//	w ← decayFactor·w - stepSize·m / (√v·invSqrtCorrection2 + eps)
//
// For step t, stepSize is lr/(1-b1ᵗ), invSqrtCorrection2 is 1/√(1-b2ᵗ) and decayFactor is 1-lr·weightDecay.
// 1-b1 and 1-b2 are taken from the shortest decimals that b1 and b2 stand for, as 1-float32(0.999) is off by 5e-5.
func AdamW(w, g, m, v []float32, b1, b2, stepSize, decayFactor, invSqrtCorrection2, eps float32) {
	check("AdamW", len(w), len(g))
	check("AdamW", len(w), len(m))
	check("AdamW", len(w), len(v))
	c := adamW{complement(b1), b2, complement(b2), stepSize, decayFactor, invSqrtCorrection2, eps}
	updateAdamW(w, g, m, v, &c)
}

// complement is 1-b for the decimal that b is the nearest float32 to.
func complement(b float32) float32 {
	var digits [32]byte
	d, err := strconv.ParseFloat(string(strconv.AppendFloat(digits[:0], float64(b), 'g', -1, 32)), 64)
	if err != nil { // NaN and infinities parse as well, so this is unreachable
		d = float64(b)
	}
	return float32(1 - d)
}
