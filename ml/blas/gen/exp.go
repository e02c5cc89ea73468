package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// exp replaces each x by its exponential, within about one unit in the last place over the whole range, denormal
// results included; infinities and NaN behave as in the mathematics.
//
// x = n·ln 2 + r with |r| <= ln 2 / 2; exp r = 1 + r + r²·p(r) with the polynomial of Cephes (S. Moshier, expf); 2ⁿ is
// multiplied in two steps, because n reaches beyond the exponents of float32 at both ends.
func exp(xs ...reg.VecVirtual) {
	ts, ns := many(xs), many(xs)
	for i, x := range xs {
		VMOVUPS(constant(-105), ts[i])
		VMAXPS(x, ts[i], x) // returns x if that is NaN
	}
	for i, x := range xs {
		VMOVUPS(constant(89), ts[i])
		VMINPS(x, ts[i], x)
	}
	for i, x := range xs {
		VMULPS(constant(math.Log2E), x, ns[i])
	}
	for _, n := range ns {
		VROUNDPS(Imm(8), n, n)
	}
	ln2 := float64(float32(math.Ln2))
	for _, part := range []float64{ln2, math.Ln2 - ln2} {
		for i, x := range xs {
			VFNMADD231PS(constant(part), ns[i], x)
		}
	}
	for i := range xs {
		VMOVUPS(constant(1.9875691500e-4), ts[i])
	}
	for _, c := range []float64{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		for i, x := range xs {
			VFMADD213PS(constant(c), x, ts[i])
		}
	}
	squares := many(xs)
	for i, x := range xs {
		VMULPS(x, x, squares[i])
		VFMADD213PS(x, squares[i], ts[i])
		VADDPS(constant(1), ts[i], x)
	}

	halves := many(xs)
	for i, n := range ns {
		VCVTPS2DQ(n, n)
		VPSRAD(Imm(1), n, halves[i])
		VPSUBD(halves[i], n, n)
	}
	for _, exponents := range [][]reg.VecVirtual{halves, ns} {
		for i, e := range exponents {
			VPADDD(word(127), e, e)
			VPSLLD(Imm(23), e, e)
			VMULPS(e, xs[i], xs[i])
		}
	}
}

// many is a new register for each of xs.
func many(xs []reg.VecVirtual) (ys []reg.VecVirtual) {
	for range xs {
		ys = append(ys, YMM())
	}
	return ys
}

// powers are the coefficients of f, f², … in 2^f - 1 for |f| <= 1/2: a fit of the relative error, to 2e-9.
var powers = []float64{0.6931472028551477, 0.2402264791361676, 0.05550332470995899, 0.009618437358499893,
	0.0013398874455229186, 0.0001535336178433485}

// expSum is for softmax, whose exponents are 0 at most: with scale and shift in units of ln 2, exp x = 2ⁿ·2^f needs a
// rounding, a polynomial and n added to the exponent. What would be denormal is 0.
func expSum() {
	s, p, x := function("expSum", "sets dst = 2^(src*scale - shift), 0 below 2^-126, and returns the sum of dst.",
		"func(dst, src *float32, n int, scale, shift float32) float32", []string{"dst", "src"},
		[]string{"scale", "shift"})
	s.unroll = 2
	sum, smallest, one := zero(), set(constant(-126)), set(constant(1))
	s.together(func(vs []lane) {
		ys := loadAll(vs, p["src"])
		ns, keep, sums := many(ys), many(ys), many(ys)
		for _, y := range ys {
			VFMSUB213PS(x["shift"], x["scale"], y)
		}
		for i, y := range ys {
			VCMPPS(Imm(5), smallest, y, keep[i]) // not less, which NaN is not either
			VMAXPS(y, smallest, y)               // y if that is NaN
			VROUNDPS(Imm(8), y, ns[i])
		}
		last := len(powers) - 1
		for i, y := range ys {
			VSUBPS(ns[i], y, y)
			VMOVUPS(constant(powers[last]), sums[i])
		}
		for k := last - 1; k >= 0; k-- {
			for i, y := range ys {
				VFMADD213PS(constant(powers[k]), y, sums[i])
			}
		}
		for i, y := range ys {
			VFMADD213PS(one, sums[i], y)
			VCVTPS2DQ(ns[i], ns[i])
			VPSLLD(Imm(23), ns[i], ns[i])
			VPADDD(ns[i], y, y)
			VANDPS(keep[i], y, y)
		}
		for i, v := range vs {
			if v.mask != nil {
				VANDPS(v.mask, ys[i], ys[i])
			}
			VADDPS(ys[i], sum, sum)
			v.store(ys[i], p["dst"])
		}
	})
	combine(sum, VADDPS3)
	Store(sum.AsX(), ReturnIndex(0))
	finish()
}

// sigmoid is 1/(1 + exp(-x)) for each x.
func sigmoid(xs []reg.VecVirtual) []reg.VecVirtual {
	ys := many(xs)
	for i, x := range xs {
		VXORPS(word(0x80000000), x, ys[i])
	}
	exp(ys...)
	one := set(constant(1))
	for _, y := range ys {
		VADDPS(one, y, y)
		VDIVPS(y, one, y)
	}
	return ys
}

// siluSlope is the derivative of x·σ(x): σ·(1 + x·(1-σ)).
func siluSlope(x, s reg.VecVirtual) reg.VecVirtual {
	y, one := YMM(), set(constant(1))
	VSUBPS(s, one, y)
	VFMADD213PS(one, x, y)
	VMULPS(s, y, y)
	return y
}

func activations() {
	s, p, _ := function("siluMul", "sets dst = gate*sigmoid(gate)*up.",
		"func(dst, gate, up *float32, n int)", []string{"dst", "gate", "up"}, nil)
	s.unroll = 2
	s.together(func(vs []lane) {
		gates := loadAll(vs, p["gate"])
		ys := sigmoid(gates)
		for i, v := range vs {
			VMULPS(gates[i], ys[i], ys[i])
			VMULPS(v.load(p["up"]), ys[i], ys[i])
		}
		for i, v := range vs {
			v.store(ys[i], p["dst"])
		}
	})
	finish()

	s, p, _ = function("siluMulBackward", "sets the gradients of siluMul.",
		"func(dGate, dUp, dOut, gate, up *float32, n int)", []string{"dGate", "dUp", "dOut", "gate", "up"}, nil)
	s.unroll = 2
	s.together(func(vs []lane) {
		gates := loadAll(vs, p["gate"])
		sigmas := sigmoid(gates)
		for i, v := range vs {
			g, sigma := gates[i], sigmas[i]
			slope := siluSlope(g, sigma)
			d, up := v.load(p["dOut"]), v.load(p["up"])
			VMULPS(d, slope, slope)
			VMULPS(up, slope, slope)
			VMULPS(g, sigma, sigma)
			VMULPS(d, sigma, sigma)
			v.store(slope, p["dGate"])
			v.store(sigma, p["dUp"])
		}
	})
	finish()

	const quick = 1.702
	s, p, _ = function("quickGELU", "sets dst = x*sigmoid(1.702x).", "func(dst, x *float32, n int)",
		[]string{"dst", "x"}, nil)
	s.unroll = 2
	s.together(func(vs []lane) {
		xs := loadAll(vs, p["x"])
		zs := many(xs)
		for i, x := range xs {
			VMULPS(constant(quick), x, zs[i])
		}
		ys := sigmoid(zs)
		for i, v := range vs {
			VMULPS(xs[i], ys[i], ys[i])
			v.store(ys[i], p["dst"])
		}
	})
	finish()

	s, p, _ = function("quickGELUBackward", "sets the gradient of quickGELU.", "func(dx, dy, x *float32, n int)",
		[]string{"dx", "dy", "x"}, nil)
	s.unroll = 2
	s.together(func(vs []lane) {
		zs := loadAll(vs, p["x"])
		for _, z := range zs {
			VMULPS(constant(quick), z, z)
		}
		sigmas := sigmoid(zs)
		for i, v := range vs {
			y := siluSlope(zs[i], sigmas[i])
			VMULPS(v.load(p["dy"]), y, y)
			v.store(y, p["dx"])
		}
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

	s, p, _ = function("geluBackward", "sets the gradient of gelu.", "func(dx, dy, x *float32, n int)",
		[]string{"dx", "dy", "x"}, nil)
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
var mills = []float64{-0.020914359728848045, 0.11404027207372556, -0.23203848293578213, 0.19694067701667836,
	-0.083742549016206199, 0.098480740183451183, 0.077589064377351617, 0.11040517984663449, 0.11955176322872277,
	0.11968769314517996}

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
