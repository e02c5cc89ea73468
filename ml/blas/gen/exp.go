package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// exp replaces x by its exponential, within about one unit in the last place over the whole range, denormal results
// included; infinities and NaN behave as in the mathematics.
//
// x = n·ln 2 + r with |r| <= ln 2 / 2; exp r = 1 + r + r²·p(r) with the polynomial of Cephes (S. Moshier, expf); 2ⁿ is
// multiplied in two steps, because n reaches beyond the exponents of float32 at both ends.
func exp(x reg.VecVirtual) {
	t, n := YMM(), YMM()
	VMOVUPS(constant(-105), t)
	VMAXPS(x, t, x) // returns x if that is NaN
	VMOVUPS(constant(89), t)
	VMINPS(x, t, x)
	VMULPS(constant(math.Log2E), x, n)
	VROUNDPS(Imm(8), n, n)
	ln2 := float64(float32(math.Ln2))
	VFNMADD231PS(constant(ln2), n, x)
	VFNMADD231PS(constant(math.Ln2-ln2), n, x)
	VMOVUPS(constant(1.9875691500e-4), t)
	for _, c := range []float64{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		VFMADD213PS(constant(c), x, t)
	}
	square := YMM()
	VMULPS(x, x, square)
	VFMADD213PS(x, square, t)
	VADDPS(constant(1), t, x)

	half := YMM()
	VCVTPS2DQ(n, n)
	VPSRAD(Imm(1), n, half)
	VPSUBD(half, n, n)
	for _, e := range []reg.VecVirtual{half, n} {
		VPADDD(word(127), e, e)
		VPSLLD(Imm(23), e, e)
		VMULPS(e, x, x)
	}
}

func expSum() {
	s, p, x := function("expSum", "sets dst = exp(src*scale - shift) and returns the sum of dst.",
		"func(dst, src *float32, n int, scale, shift float32) float32", []string{"dst", "src"}, []string{"scale", "shift"})
	sum := zero()
	s.each(func(v lane) {
		y := v.load(p["src"])
		VFMSUB213PS(x["shift"], x["scale"], y)
		exp(y)
		if v.mask != nil {
			VANDPS(v.mask, y, y)
		}
		VADDPS(y, sum, sum)
		v.store(y, p["dst"])
	})
	combine(sum, VADDPS3)
	Store(sum.AsX(), ReturnIndex(0))
	finish()
}

// sigmoid is 1/(1 + exp(-x)).
func sigmoid(x reg.VecVirtual) reg.VecVirtual {
	y, one := YMM(), YMM()
	VXORPS(word(0x80000000), x, y)
	exp(y)
	VMOVUPS(constant(1), one)
	VADDPS(one, y, y)
	VDIVPS(y, one, y)
	return y
}

// slope of x·σ(x): σ·(1 + x·(1-σ)).
func siluSlope(x, s reg.VecVirtual) reg.VecVirtual {
	y, one := YMM(), YMM()
	VMOVUPS(constant(1), one)
	VSUBPS(s, one, y)
	VFMADD213PS(one, x, y)
	VMULPS(s, y, y)
	return y
}

func activations() {
	s, p, _ := function("siluMul", "sets dst = gate*sigmoid(gate)*up.",
		"func(dst, gate, up *float32, n int)", []string{"dst", "gate", "up"}, nil)
	s.each(func(v lane) {
		g := v.load(p["gate"])
		y := sigmoid(g)
		VMULPS(g, y, y)
		VMULPS(v.load(p["up"]), y, y)
		v.store(y, p["dst"])
	})
	finish()

	s, p, _ = function("siluMulBackward", "sets the gradients of siluMul.",
		"func(dGate, dUp, dOut, gate, up *float32, n int)", []string{"dGate", "dUp", "dOut", "gate", "up"}, nil)
	s.each(func(v lane) {
		g := v.load(p["gate"])
		sigma := sigmoid(g)
		slope := siluSlope(g, sigma)
		d, up := v.load(p["dOut"]), v.load(p["up"])
		VMULPS(d, slope, slope)
		VMULPS(up, slope, slope)
		VMULPS(g, sigma, sigma)
		VMULPS(d, sigma, sigma)
		v.store(slope, p["dGate"])
		v.store(sigma, p["dUp"])
	})
	finish()

	const quick = 1.702
	s, p, _ = function("quickGELU", "sets dst = x*sigmoid(1.702x).", "func(dst, x *float32, n int)", []string{"dst", "x"}, nil)
	s.each(func(v lane) {
		x, z := v.load(p["x"]), YMM()
		VMULPS(constant(quick), x, z)
		y := sigmoid(z)
		VMULPS(x, y, y)
		v.store(y, p["dst"])
	})
	finish()

	s, p, _ = function("quickGELUBackward", "sets the gradient of quickGELU.", "func(dx, dy, x *float32, n int)", []string{"dx", "dy", "x"}, nil)
	s.each(func(v lane) {
		z := v.load(p["x"])
		VMULPS(constant(quick), z, z)
		y := siluSlope(z, sigmoid(z))
		VMULPS(v.load(p["dy"]), y, y)
		v.store(y, p["dx"])
	})
	finish()

	s, p, _ = function("gelu", "sets dst = x*Phi(x).", "func(dst, x *float32, n int)", []string{"dst", "x"}, nil)
	s.each(func(v lane) {
		x := v.load(p["x"])
		phi, _ := normal(x)
		VMULPS(x, phi, phi)
		v.store(phi, p["dst"])
	})
	finish()

	s, p, _ = function("geluBackward", "sets the gradient of gelu.", "func(dx, dy, x *float32, n int)", []string{"dx", "dy", "x"}, nil)
	s.each(func(v lane) {
		x := v.load(p["x"])
		phi, bell := normal(x)
		VMULPS(constant(1/math.Sqrt(2*math.Pi)), bell, bell)
		VFMADD231PS(x, bell, phi)
		VMULPS(v.load(p["dy"]), phi, phi)
		v.store(phi, p["dx"])
	})
	finish()
}

// mills approximates exp(z²/2)·Phi(-z)/t for t = 1/(1 + 0.3z), z >= 0, to 2e-9: a Chebyshev fit over z <= 14, where
// float32 ends.
var mills = []float64{-0.020914359728848045, 0.11404027207372556, -0.23203848293578213, 0.19694067701667836, -0.083742549016206199, 0.098480740183451183, 0.077589064377351617, 0.11040517984663449, 0.11955176322872277, 0.11968769314517996}

// normal returns the normal distribution Phi(x) and exp(-x²/2). The tail is formed by itself, so that it keeps its
// relative precision for negative x.
func normal(x reg.VecVirtual) (phi, bell reg.VecVirtual) {
	z, square, low, t := YMM(), YMM(), YMM(), YMM()
	VANDPS(word(0x7fffffff), x, z)
	VMOVUPS(constant(20), t)
	VMINPS(z, t, z)
	// exp(-z²/2), with what rounding z² has lost put back: exp(-(s+e)/2) = exp(-s/2)·(1 - e/2).
	VMULPS(z, z, square)
	VMOVAPS(square, low)
	VFMSUB231PS(z, z, low) // z² - s
	bell = YMM()
	VMULPS(constant(-0.5), square, bell)
	exp(bell)
	VMULPS(constant(-0.5), low, low)
	VFMADD231PS(low, bell, bell)

	one := YMM()
	VMOVUPS(constant(1), one)
	VMOVAPS(one, t)
	VFMADD231PS(constant(0.3), z, t)
	VDIVPS(t, one, t)
	tail := set(constant(mills[0]))
	for _, c := range mills[1:] {
		VFMADD213PS(constant(c), t, tail)
	}
	VMULPS(t, tail, tail)
	VMULPS(bell, tail, tail)

	phi = YMM()
	VSUBPS(tail, one, phi)
	VBLENDVPS(x, tail, phi, phi) // by the sign of x
	return phi, bell
}
