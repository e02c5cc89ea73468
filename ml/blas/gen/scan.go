package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// scans writes what a selective state space needs: its recurrence and the activation of its step sizes.
func scans() {
	scan()
	softplus()
}

// scan runs eight channels, a lane each, through the recurrence, state by state. An exponent dt·a of base 2 is 0 at
// most; below -100 it counts as -100, which is nothing beside any state and keeps states from becoming denormal.
func scan() {
	TEXT("scanAVX2", NOSPLIT, "func(y, u, dt, b, c, a, d, h *float32, steps, states, ldy, ldu, lddt, ldbc int)")
	Pragma("noescape")
	Doc("scanAVX2 takes steps of the recurrence that Scan describes, of eight channels. a and h are [states, 8];",
		"the distances between rows are in bytes and may be negative.")
	y, u, dt := Load(Param("y"), GP64()), Load(Param("u"), GP64()), Load(Param("dt"), GP64())
	b, c := Load(Param("b"), GP64()), Load(Param("c"), GP64())
	a, h := Load(Param("a"), GP64()), Load(Param("h"), GP64())
	d := YMM()
	p := Load(Param("d"), GP64())
	VMOVUPS(Mem{Base: p}, d)
	steps, n, at, row := Load(Param("steps"), GP64()), GP64(), GP64(), GP64()
	smallest, one := set(constant(-100)), set(constant(1))
	Label("step")
	step, input, sum := YMM(), YMM(), YMM()
	VMOVUPS(Mem{Base: dt}, step)
	VMOVUPS(Mem{Base: u}, input)
	VMULPS(d, input, sum)
	VMULPS(step, input, input)
	Load(Param("states"), n)
	XORQ(at, at) // four bytes a state
	align()
	Label("state")
	x, whole, power, state := YMM(), YMM(), YMM(), YMM()
	VMULPS(Mem{Base: a, Index: at, Scale: 8}, step, x)
	VMAXPS(x, smallest, x)
	VROUNDPS(Imm(8), x, whole)
	VSUBPS(whole, x, x)
	last := len(powers) - 1
	VMOVUPS(constant(powers[last]), power)
	for k := last - 1; k >= 0; k-- {
		VFMADD213PS(constant(powers[k]), x, power)
	}
	VFMADD213PS(one, power, x)
	VCVTPS2DQ(whole, whole)
	VPSLLD(Imm(23), whole, whole)
	VPADDD(whole, x, x)
	VMULPS(Mem{Base: h, Index: at, Scale: 8}, x, state)
	VBROADCASTSS(Mem{Base: b, Index: at, Scale: 1}, whole)
	VFMADD231PS(whole, input, state)
	VMOVUPS(state, Mem{Base: h, Index: at, Scale: 8})
	VBROADCASTSS(Mem{Base: c, Index: at, Scale: 1}, power)
	VFMADD231PS(power, state, sum)
	ADDQ(Imm(4), at)
	DECQ(n)
	JNZ(LabelRef("state"))
	VMOVUPS(sum, Mem{Base: y})
	for _, move := range []struct {
		distance string
		pointers []reg.Register
	}{{"ldy", []reg.Register{y}}, {"ldu", []reg.Register{u}}, {"lddt", []reg.Register{dt}},
		{"ldbc", []reg.Register{b, c}}} {
		Load(Param(move.distance), row)
		for _, p := range move.pointers {
			ADDQ(row, p)
		}
	}
	DECQ(steps)
	JNZ(LabelRef("step"))
	finish()
}

// softplus is max(x, 0) + ln(1 + z) with z = exp(-|x|); with s = z/(2 + z), which is a third at most,
// ln(1 + z) = 2s·(1 + s²/3 + s⁴/5 + …), of which what follows s¹⁴ is less than float32 tells apart.
func softplus() {
	s, p, _ := function("softplus", "sets dst = ln(1 + exp x).", "func(dst, x *float32, n int)", []string{"dst", "x"},
		nil)
	s.each(func(v lane) {
		x := v.load(p["x"])
		z, t, top := YMM(), YMM(), YMM()
		VORPS(word(0x80000000), x, z)
		exp(z)
		VADDPS(constant(2), z, t)
		VDIVPS(t, z, z)
		VMULPS(z, z, t)
		sum := set(constant(1. / 15))
		for k := 13.; k >= 1; k -= 2 {
			VFMADD213PS(constant(1/k), t, sum)
		}
		VADDPS(z, z, z)
		VXORPS(top, top, top)
		VMAXPS(x, top, top) // x if that is NaN
		VFMADD213PS(top, sum, z)
		v.store(z, p["dst"])
	})
	finish()
}
