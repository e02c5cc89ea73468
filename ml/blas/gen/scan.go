package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// scans writes what a selective state space needs: its recurrence and the activation of its step sizes.
func scans() {
	for _, v := range []vector{{"AVX2", 8}, {"AVX512", 16}} {
		v.scan()
		v.softplus()
		v.convolve()
		v.gate()
	}
}

// vector is one width of vectors.
type vector struct {
	name  string
	lanes int
}

// new is a register.
func (v vector) new() reg.VecVirtual {
	if v.lanes == 16 {
		return ZMM()
	}
	return YMM()
}

// all is a register with a constant in every lane.
func (v vector) all(c float64) reg.VecVirtual {
	y := v.new()
	VBROADCASTSS(constant(c), y)
	return y
}

// load reads a vector.
func (v vector) load(m Mem) reg.VecVirtual {
	y := v.new()
	VMOVUPS(m, y)
	return y
}

// exponential is 2^x for x from -126 to 0, of which it destroys x.
type exponential struct {
	vector
	one    reg.VecVirtual
	powers []reg.VecVirtual // in registers, where there are enough of them
}

func (v vector) exponential() exponential {
	e := exponential{vector: v, one: v.all(1)}
	if v.lanes == 16 {
		for _, c := range powers {
			e.powers = append(e.powers, v.all(c))
		}
	}
	return e
}

func (e exponential) of(x reg.VecVirtual) reg.VecVirtual {
	whole, y := e.new(), e.new()
	last := len(powers) - 1
	if e.lanes == 16 {
		VRNDSCALEPS(Imm(8), x, whole)
		VSUBPS(whole, x, x)
		VMOVAPS(e.powers[last], y)
		for k := last - 1; k >= 0; k-- {
			VFMADD213PS(e.powers[k], x, y)
		}
		VFMADD213PS(e.one, x, y)
		VSCALEFPS(whole, y, y)
		return y
	}
	VROUNDPS(Imm(8), x, whole)
	VSUBPS(whole, x, x)
	VMOVUPS(constant(powers[last]), y)
	for k := last - 1; k >= 0; k-- {
		VFMADD213PS(constant(powers[k]), x, y)
	}
	VFMADD213PS(e.one, x, y)
	VCVTPS2DQ(whole, whole)
	VPSLLD(Imm(23), whole, whole)
	VPADDD(whole, y, y)
	return y
}

// scan runs one vector of channels through the recurrence, state by state. An exponent dt·a of base 2 is 0 at most;
// below -100 it counts as -100, which is nothing beside any state and keeps states from becoming denormal.
func (v vector) scan() {
	TEXT("scan"+v.name, NOSPLIT, "func(y, u, dt, b, c, a, d, h *float32, steps, states, ldy, ldu, lddt, ldbc, lda, "+
		"ldh int)")
	Pragma("noescape")
	Doc("scan"+v.name+" takes steps of the recurrence that Scan describes, of one vector of channels.",
		"The distances between rows are in bytes and may be negative.")
	y, u, dt := Load(Param("y"), GP64()), Load(Param("u"), GP64()), Load(Param("dt"), GP64())
	b, c := Load(Param("b"), GP64()), Load(Param("c"), GP64())
	p := Load(Param("d"), GP64())
	d := v.load(Mem{Base: p})
	exp, smallest := v.exponential(), v.all(-100)
	a, h, lda, ldh := GP64(), GP64(), Load(Param("lda"), GP64()), Load(Param("ldh"), GP64())
	n, at := GP64(), GP64()
	Label("step")
	step, input, sum := v.load(Mem{Base: dt}), v.load(Mem{Base: u}), v.new()
	VMULPS(d, input, sum)
	VMULPS(step, input, input)
	Load(Param("states"), n)
	Load(Param("a"), a)
	Load(Param("h"), h)
	XORQ(at, at)
	align()
	Label("state")
	x := v.new()
	VMULPS(Mem{Base: a}, step, x)
	VMAXPS(x, smallest, x)
	state := exp.of(x)
	VMULPS(Mem{Base: h}, state, state)
	if v.lanes == 16 {
		VFMADD231PS_BCST(Mem{Base: b, Index: at, Scale: 4}, input, state)
		VMOVUPS(state, Mem{Base: h})
		VFMADD231PS_BCST(Mem{Base: c, Index: at, Scale: 4}, state, sum)
	} else {
		VBROADCASTSS(Mem{Base: b, Index: at, Scale: 4}, x)
		VFMADD231PS(x, input, state)
		VMOVUPS(state, Mem{Base: h})
		VBROADCASTSS(Mem{Base: c, Index: at, Scale: 4}, x)
		VFMADD231PS(x, state, sum)
	}
	ADDQ(lda, a)
	ADDQ(ldh, h)
	INCQ(at)
	CMPQ(at, n)
	JNE(LabelRef("state"))
	VMOVUPS(sum, Mem{Base: y})
	for _, move := range []struct {
		distance string
		pointers []reg.Register
	}{{"ldy", []reg.Register{y}}, {"ldu", []reg.Register{u}}, {"lddt", []reg.Register{dt}},
		{"ldbc", []reg.Register{b, c}}} {
		Load(Param(move.distance), n)
		for _, p := range move.pointers {
			ADDQ(n, p)
		}
	}
	DECQ(paramAddr("steps"))
	JNZ(LabelRef("step"))
	finish()
}

// softplus is max(x, 0) + ln(1 + z) with z = exp(-|x|); with s = z/(2 + z), which is a third at most,
// ln(1 + z) = 2s·(1 + s²/3 + s⁴/5 + …), of which what follows s¹⁴ is less than float32 tells apart. Where exp(-|x|)
// would be denormal, and x is negative, it is 2⁻¹²⁶.
func (v vector) softplus() {
	TEXT("softplus"+v.name, NOSPLIT, "func(dst, x *float32, vectors int)")
	Pragma("noescape")
	Doc("softplus" + v.name + " sets dst = ln(1 + exp x).")
	dst, from, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("vectors"), GP64())
	exp, smallest, zero := v.exponential(), v.all(-126), v.all(0)
	two, perLn2 := v.all(2), v.all(-math.Log2E)
	var odd []Op
	for k := 15.; k >= 1; k -= 2 {
		if v.lanes == 16 {
			odd = append(odd, v.all(1/k))
		} else {
			odd = append(odd, constant(1/k))
		}
	}
	align()
	Label("vector")
	x := v.load(Mem{Base: from})
	z, t, top, sum := v.new(), v.new(), v.new(), v.new()
	VMAXPS(x, zero, top) // x if that is NaN
	VADDPS(top, top, z)
	VSUBPS(x, z, z) // |x|
	VMULPS(perLn2, z, z)
	VMAXPS(z, smallest, z)
	z = exp.of(z)
	VADDPS(two, z, t)
	VDIVPS(t, z, z)
	VMULPS(z, z, t)
	VMOVUPS(odd[0], sum)
	for _, c := range odd[1:] {
		VFMADD213PS(c, t, sum)
	}
	VADDPS(z, z, z)
	VFMADD213PS(top, sum, z)
	VMOVUPS(z, Mem{Base: dst})
	ADDQ(U32(4*v.lanes), from)
	ADDQ(U32(4*v.lanes), dst)
	DECQ(n)
	JNZ(LabelRef("vector"))
	finish()
}

// silus is x/(1 + exp(-x)) without overflow: with t = exp(-|x|), which counts as 2⁻¹²⁶ where it is less, it is
// (max(x, 0) + min(x, 0)·t)/(1 + t).
type silus struct {
	exponential
	smallest, zero, perLn2 reg.VecVirtual
}

func (v vector) silus() silus {
	return silus{v.exponential(), v.all(-126), v.all(0), v.all(math.Log2E)}
}

func (s silus) of(x reg.VecVirtual) reg.VecVirtual {
	low, high, t := s.new(), s.new(), s.new()
	VMINPS(x, s.zero, low)
	VMAXPS(x, s.zero, high)
	VSUBPS(high, low, t) // -|x|
	VMULPS(s.perLn2, t, t)
	VMAXPS(t, s.smallest, t)
	t = s.exponential.of(t)
	VFMADD231PS(t, low, high)
	VADDPS(s.one, t, t)
	VDIVPS(t, high, high)
	return high
}

func (v vector) convolve() {
	TEXT("convSiLU"+v.name, NOSPLIT, "func(y, b, x, w *float32, vectors, taps, ldx, ldw int)")
	Pragma("noescape")
	Doc("convSiLU"+v.name+" sets y = silu(b + the sum of x*w over the taps), whose rows are ldx and ldw bytes",
		"apart.")
	y, b, x, w := Load(Param("y"), GP64()), Load(Param("b"), GP64()), Load(Param("x"), GP64()), Load(Param("w"), GP64())
	n, ldx, ldw := Load(Param("vectors"), GP64()), Load(Param("ldx"), GP64()), Load(Param("ldw"), GP64())
	silu, k, row, tap := v.silus(), GP64(), GP64(), GP64()
	Label("vector")
	sum := v.load(Mem{Base: b})
	Load(Param("taps"), k)
	MOVQ(x, row)
	MOVQ(w, tap)
	Label("tap")
	VFMADD231PS(Mem{Base: tap}, v.load(Mem{Base: row}), sum)
	ADDQ(ldx, row)
	ADDQ(ldw, tap)
	DECQ(k)
	JNZ(LabelRef("tap"))
	VMOVUPS(silu.of(sum), Mem{Base: y})
	for _, p := range []reg.Register{y, b, x, w} {
		ADDQ(U32(4*v.lanes), p)
	}
	DECQ(n)
	JNZ(LabelRef("vector"))
	finish()
}

func (v vector) gate() {
	TEXT("siluMulSum"+v.name, NOSPLIT, "func(y, z, a, b *float32, vectors int)")
	Pragma("noescape")
	Doc("siluMulSum" + v.name + " sets y = silu(z)*(a + b).")
	y, z, a, b := Load(Param("y"), GP64()), Load(Param("z"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n := Load(Param("vectors"), GP64())
	silu := v.silus()
	Label("vector")
	gate, sum := silu.of(v.load(Mem{Base: z})), v.load(Mem{Base: a})
	VADDPS(Mem{Base: b}, sum, sum)
	VMULPS(gate, sum, sum)
	VMOVUPS(sum, Mem{Base: y})
	for _, p := range []reg.Register{y, z, a, b} {
		ADDQ(U32(4*v.lanes), p)
	}
	DECQ(n)
	JNZ(LabelRef("vector"))
	finish()
}
