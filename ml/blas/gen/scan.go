package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// scans writes what a selective state space needs: its recurrence and the activation of its step sizes.
func scans() {
	for _, v := range []vector{{"AVX2", 8}, {"AVX512", 16}} {
		v.scan("scan"+v.name, 1)
		v.scan("scanPair"+v.name, 2)
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

// of works on all vectors in turn, so that none waits for what it has just begun, and reads what they share once.
func (e exponential) of(xs ...reg.VecVirtual) []reg.VecVirtual {
	wholes, ys := e.many(xs), e.many(xs)
	for i, x := range xs {
		if e.lanes == 16 {
			VRNDSCALEPS(Imm(8), x, wholes[i])
		} else {
			VROUNDPS(Imm(8), x, wholes[i])
		}
	}
	last := len(powers) - 1
	c := e.power(last, len(xs))
	for i, x := range xs {
		VSUBPS(wholes[i], x, x)
		VMOVUPS(c, ys[i])
	}
	for k := last - 1; k >= 0; k-- {
		c := e.power(k, len(xs))
		for i, x := range xs {
			VFMADD213PS(c, x, ys[i])
		}
	}
	for i, y := range ys {
		VFMADD213PS(e.one, xs[i], y)
		if e.lanes == 16 {
			VSCALEFPS(wholes[i], y, y)
			continue
		}
		VCVTPS2DQ(wholes[i], wholes[i])
		VPSLLD(Imm(23), wholes[i], wholes[i])
		VPADDD(wholes[i], y, y)
	}
	return ys
}

// power is a coefficient for so many vectors.
func (e exponential) power(k, vectors int) Op {
	switch {
	case len(e.powers) > 0:
		return e.powers[k]
	case vectors == 1:
		return constant(powers[k])
	}
	return e.load(constant(powers[k]))
}

// many is a new register for each of xs.
func (v vector) many(xs []reg.VecVirtual) (ys []reg.VecVirtual) {
	for range xs {
		ys = append(ys, v.new())
	}
	return ys
}

// scan runs some vectors of channels through the recurrence, state by state. An exponent dt·a of base 2 is 0 at most;
// below -100 it counts as -100, which is nothing beside any state and keeps states from becoming denormal.
func (v vector) scan(name string, vectors int) {
	TEXT(name, NOSPLIT, "func(y, u, dt, b, c, a, d, h *float32, steps, states, ldy, ldu, lddt, ldbc, lda, ldh int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s takes steps of the recurrence that Scan describes, of %d channels.", name, vectors*v.lanes),
		"The distances between rows are in bytes and may be negative.")
	y, u, dt := Load(Param("y"), GP64()), Load(Param("u"), GP64()), Load(Param("dt"), GP64())
	b, c, d := Load(Param("b"), GP64()), Load(Param("c"), GP64()), Load(Param("d"), GP64())
	exp, smallest := v.exponential(), v.all(-100)
	a, h, lda, ldh := GP64(), GP64(), Load(Param("lda"), GP64()), Load(Param("ldh"), GP64())
	n, at := GP64(), GP64()
	of := func(p reg.Register, i int) Mem { return Mem{Base: p, Disp: 4 * v.lanes * i} }
	Label("step")
	var steps, inputs, sums []reg.VecVirtual
	for i := range vectors {
		step, input, sum := v.load(of(dt, i)), v.load(of(u, i)), v.new()
		VMULPS(of(d, i), input, sum)
		VMULPS(step, input, input)
		steps, inputs, sums = append(steps, step), append(inputs, input), append(sums, sum)
	}
	Load(Param("states"), n)
	Load(Param("a"), a)
	Load(Param("h"), h)
	XORQ(at, at)
	align()
	Label("state")
	xs := v.many(steps)
	for i, step := range steps {
		VMULPS(of(a, i), step, xs[i])
		VMAXPS(xs[i], smallest, xs[i])
	}
	states := exp.of(xs...)
	for i, state := range states {
		VMULPS(of(h, i), state, state)
	}
	in := v.each(Mem{Base: b, Index: at, Scale: 4})
	for i, state := range states {
		in(inputs[i], state)
		VMOVUPS(state, of(h, i))
	}
	out := v.each(Mem{Base: c, Index: at, Scale: 4})
	for i, state := range states {
		out(state, sums[i])
	}
	ADDQ(lda, a)
	ADDQ(ldh, h)
	INCQ(at)
	CMPQ(at, n)
	JNE(LabelRef("state"))
	for i, sum := range sums {
		VMOVUPS(sum, of(y, i))
	}
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

// each returns what adds x times a number in memory, for all lanes, to sum.
func (v vector) each(number Mem) func(x, sum reg.VecVirtual) {
	if v.lanes == 16 {
		return func(x, sum reg.VecVirtual) { VFMADD231PS_BCST(number, x, sum) }
	}
	y := v.new()
	VBROADCASTSS(number, y)
	return func(x, sum reg.VecVirtual) { VFMADD231PS(y, x, sum) }
}

// rounds writes a loop over so many vectors, of which each round takes two as long as there are as many. The pointers go
// from vector to vector.
func (v vector) rounds(n reg.Register, pointers []reg.Register, body func(at func(p reg.Register, i int) Mem,
	vectors int)) {
	at := func(p reg.Register, i int) Mem { return Mem{Base: p, Disp: 4 * v.lanes * i} }
	for _, round := range []struct {
		name    string
		vectors int
	}{{"pair", 2}, {"single", 1}} {
		SUBQ(Imm(uint64(round.vectors)), n)
		JLT(LabelRef(round.name + "Done"))
		align()
		Label(round.name)
		body(at, round.vectors)
		for _, p := range pointers {
			ADDQ(U32(4*v.lanes*round.vectors), p)
		}
		SUBQ(Imm(uint64(round.vectors)), n)
		JGE(LabelRef(round.name))
		Label(round.name + "Done")
		ADDQ(Imm(uint64(round.vectors)), n)
	}
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
	v.rounds(n, []reg.Register{from, dst}, func(at func(p reg.Register, i int) Mem, vectors int) {
		var zs []reg.VecVirtual
		for i := range vectors {
			x, z := v.load(at(from, i)), v.new()
			VMAXPS(x, zero, z) // x if that is NaN
			VADDPS(z, z, z)
			VSUBPS(x, z, z) // |x|
			VMULPS(perLn2, z, z)
			VMAXPS(z, smallest, z)
			zs = append(zs, z)
		}
		zs = exp.of(zs...)
		squares, sums := v.many(zs), v.many(zs)
		for i, z := range zs {
			t := squares[i]
			VADDPS(two, z, t)
			VDIVPS(t, z, z)
			VMULPS(z, z, t)
			VMOVUPS(odd[0], sums[i])
		}
		for _, c := range odd[1:] {
			for i, sum := range sums {
				VFMADD213PS(c, squares[i], sum)
			}
		}
		for i, z := range zs {
			top := squares[i]
			VMAXPS(at(from, i), zero, top)
			VADDPS(z, z, z)
			VFMADD213PS(top, sums[i], z)
			VMOVUPS(z, at(dst, i))
		}
	})
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

func (s silus) of(xs ...reg.VecVirtual) []reg.VecVirtual {
	highs, ts := s.many(xs), s.many(xs)
	for i, x := range xs {
		VMAXPS(x, s.zero, highs[i])
		VMINPS(x, s.zero, x)
		VSUBPS(highs[i], x, ts[i]) // -|x|
		VMULPS(s.perLn2, ts[i], ts[i])
		VMAXPS(ts[i], s.smallest, ts[i])
	}
	for i, t := range s.exponential.of(ts...) {
		VFMADD231PS(t, xs[i], highs[i])
		VADDPS(s.one, t, t)
		VDIVPS(t, highs[i], highs[i])
	}
	return highs
}

func (v vector) convolve() {
	TEXT("convSiLU"+v.name, NOSPLIT, "func(y, b, x, w *float32, vectors, taps, ldx, ldw int)")
	Pragma("noescape")
	Doc("convSiLU"+v.name+" sets y = silu(b + the sum of x*w over the taps), whose rows are ldx and ldw bytes",
		"apart.")
	y, b, x, w := Load(Param("y"), GP64()), Load(Param("b"), GP64()), Load(Param("x"), GP64()), Load(Param("w"), GP64())
	n, ldx, ldw := Load(Param("vectors"), GP64()), Load(Param("ldx"), GP64()), Load(Param("ldw"), GP64())
	silu, k, row, tap := v.silus(), GP64(), GP64(), GP64()
	v.rounds(n, []reg.Register{y, b, x, w}, func(at func(p reg.Register, i int) Mem, vectors int) {
		var sums []reg.VecVirtual
		for i := range vectors {
			sums = append(sums, v.load(at(b, i)))
		}
		Load(Param("taps"), k)
		MOVQ(x, row)
		MOVQ(w, tap)
		next := fmt.Sprintf("tap%d", vectors)
		Label(next)
		for i, sum := range sums {
			VFMADD231PS(at(tap, i), v.load(at(row, i)), sum)
		}
		ADDQ(ldx, row)
		ADDQ(ldw, tap)
		DECQ(k)
		JNZ(LabelRef(next))
		for i, s := range silu.of(sums...) {
			VMOVUPS(s, at(y, i))
		}
	})
}

func (v vector) gate() {
	TEXT("siluMulSum"+v.name, NOSPLIT, "func(y, z, a, b *float32, vectors int)")
	Pragma("noescape")
	Doc("siluMulSum" + v.name + " sets y = silu(z)*(a + b).")
	y, z, a, b := Load(Param("y"), GP64()), Load(Param("z"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n := Load(Param("vectors"), GP64())
	silu := v.silus()
	v.rounds(n, []reg.Register{y, z, a, b}, func(at func(p reg.Register, i int) Mem, vectors int) {
		var gates []reg.VecVirtual
		for i := range vectors {
			gates = append(gates, v.load(at(z, i)))
		}
		for i, gate := range silu.of(gates...) {
			sum := v.load(at(a, i))
			VADDPS(at(b, i), sum, sum)
			VMULPS(gate, sum, sum)
			VMOVUPS(sum, at(y, i))
		}
	})
}
