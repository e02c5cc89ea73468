package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectors writes the functions over vectors.
func vectors() {
	dot()
	total("sum", "returns the sum of x.", func(v lane, x, acc reg.Register) {
		if v.mask != nil {
			VADDPS(v.load(x), acc, acc)
		} else {
			VADDPS(v.at(x), acc, acc)
		}
	})
	largest()
	mapping("axpy", "adds s*a to dst.", []string{"dst", "a"}, []string{"s"}, func(v lane, p map[string]reg.Register,
		x map[string]reg.VecVirtual) {
		y := v.load(p["dst"])
		VFMADD231PS(v.load(p["a"]), x["s"], y)
		v.store(y, p["dst"])
	})
	mapping("scale", "multiplies x by s.", []string{"x"}, []string{"s"}, func(v lane, p map[string]reg.Register,
		x map[string]reg.VecVirtual) {
		y := v.load(p["x"])
		VMULPS(x["s"], y, y)
		v.store(y, p["x"])
	})
	mapping("add", "adds a to dst.", []string{"dst", "a"}, nil, func(v lane, p map[string]reg.Register,
		x map[string]reg.VecVirtual) {
		y := v.load(p["dst"])
		VADDPS(v.load(p["a"]), y, y)
		v.store(y, p["dst"])
	})
	mapping("mulScaled", "sets dst = a*b*s.", []string{"dst", "a", "b"}, []string{"s"},
		func(v lane, p map[string]reg.Register, x map[string]reg.VecVirtual) {
			y := v.load(p["a"])
			VMULPS(v.load(p["b"]), y, y)
			VMULPS(x["s"], y, y)
			v.store(y, p["dst"])
		})
	mapping("mulAdd", "adds a*b to dst.", []string{"dst", "a", "b"}, nil, func(v lane, p map[string]reg.Register,
		x map[string]reg.VecVirtual) {
		y := v.load(p["dst"])
		VFMADD231PS(v.load(p["a"]), v.load(p["b"]), y)
		v.store(y, p["dst"])
	})
	mapping("softmaxBackward", "sets dst = p*(dp - d)*s.", []string{"dst", "p", "dp"}, []string{"d", "s"},
		func(v lane, p map[string]reg.Register, x map[string]reg.VecVirtual) {
			y := v.load(p["dp"])
			VSUBPS(x["d"], y, y)
			VMULPS(v.load(p["p"]), y, y)
			VMULPS(x["s"], y, y)
			v.store(y, p["dst"])
		})
	rope()
	widen()
	narrow()
	adamW()
	expSum()
	activations()
	dropout("dropout", "sets dst = src*keep for the numbers of the stream above limit, else 0.", false)
	dropout("dropoutAdd", "adds src*keep to dst for the numbers of the stream above limit.", true)
}

// mapping writes a function that treats each element for itself. Every operand is read before anything is written.
func mapping(name, doc string, pointers, scalars []string, body func(v lane, p map[string]reg.Register,
	x map[string]reg.VecVirtual)) {
	signature := "func("
	for _, p := range pointers {
		signature += p + " *float32, "
	}
	signature += "n int"
	for _, s := range scalars {
		signature += ", " + s + " float32"
	}
	s, p, x := function(name, doc, signature+")", pointers, scalars)
	s.unroll = 4
	s.each(func(v lane) { body(v, p, x) })
	finish()
}

// sums are independent registers, so that additions need not wait for each other.
func sums(n int) []reg.VecVirtual {
	var r []reg.VecVirtual
	for range n {
		r = append(r, zero())
	}
	return r
}

func join(r []reg.VecVirtual, op func(a, b, c Op)) reg.VecVirtual {
	op(r[1], r[0], r[0])
	op(r[3], r[2], r[2])
	op(r[2], r[0], r[0])
	combine(r[0], op)
	return r[0]
}

func dot() {
	s, p, _ := function("dot", "returns the sum of a*b.", "func(a, b *float32, n int) float32", []string{"a", "b"}, nil)
	s.unroll = 4
	acc := sums(4)
	s.each(func(v lane) {
		a := v.load(p["a"])
		if v.mask != nil {
			VFMADD231PS(v.load(p["b"]), a, acc[v.index])
		} else {
			VFMADD231PS(v.at(p["b"]), a, acc[v.index])
		}
	})
	Store(join(acc, VADDPS3).AsX(), ReturnIndex(0))
	finish()
}

// VADDPS3 and VMAXPS3 are the operations with three operands.
func VADDPS3(a, b, c Op) { VADDPS(a, b, c) }
func VMAXPS3(a, b, c Op) { VMAXPS(a, b, c) }

func total(name, doc string, step func(v lane, x, acc reg.Register)) {
	s, p, _ := function(name, doc, "func(x *float32, n int) float32", []string{"x"}, nil)
	s.unroll = 4
	acc := sums(4)
	s.each(func(v lane) { step(v, p["x"], acc[v.index]) })
	Store(join(acc, VADDPS3).AsX(), ReturnIndex(0))
	finish()
}

// largest starts from -Inf in every lane; lanes beyond the end are set to it.
func largest() {
	s, p, _ := function("max", "returns the largest element of x, -Inf without one.", "func(x *float32, n int) float32",
		[]string{"x"}, nil)
	s.unroll = 4
	const negativeInfinity = 0xff800000
	var acc []reg.VecVirtual
	for range 4 {
		acc = append(acc, set(word(negativeInfinity)))
	}
	s.each(func(v lane) {
		if v.mask == nil {
			VMAXPS(v.at(p["x"]), acc[v.index], acc[v.index])
			return
		}
		y := set(word(negativeInfinity))
		VBLENDVPS(v.mask, v.load(p["x"]), y, y)
		VMAXPS(y, acc[v.index], acc[v.index])
	})
	Store(join(acc, VMAXPS3).AsX(), ReturnIndex(0))
	finish()
}

// rope rotates pairs half a vector apart.
func rope() {
	s, p, _ := function("rope", "rotates the pairs (lo[i], hi[i]) by angles of the given cosines and sines.",
		"func(lo, hi, cos, sin *float32, n int)", []string{"lo", "hi", "cos", "sin"}, nil)
	s.each(func(v lane) {
		a, b, c, sin := v.load(p["lo"]), v.load(p["hi"]), v.load(p["cos"]), v.load(p["sin"])
		x, y := YMM(), YMM()
		VMULPS(sin, b, x)
		VFMSUB231PS(c, a, x) // a*cos - b*sin
		VMULPS(sin, a, y)
		VFMADD231PS(c, b, y) // b*cos + a*sin
		v.store(x, p["lo"])
		v.store(y, p["hi"])
	})
	finish()
}

// widen leaves what is no whole vector to the caller.
func widen() {
	TEXT("widenAVX2", NOSPLIT, "func(dst *float32, src *uint16, vectors int)")
	Pragma("noescape")
	Doc("widenAVX2 turns vectors of eight bfloat16 into float32.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n := Load(Param("vectors"), GP64())
	y := YMM()
	Label("vector")
	VPMOVZXWD(Mem{Base: src}, y)
	VPSLLD(Imm(16), y, y)
	VMOVUPS(y, Mem{Base: dst})
	ADDQ(Imm(16), src)
	ADDQ(Imm(32), dst)
	DECQ(n)
	JNZ(LabelRef("vector"))
	finish()
}

// narrow adds half of the last place kept, less one unless that place is odd, and drops the lower half of the word. A
// NaN keeps its upper half with the quiet bit set.
func narrow() {
	TEXT("narrowAVX2", NOSPLIT, "func(dst *uint16, src *float32, vectors int)")
	Pragma("noescape")
	Doc("narrowAVX2 rounds pairs of vectors of eight float32 to bfloat16.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n := Load(Param("vectors"), GP64())
	half := func(disp int) reg.VecVirtual {
		x, odd, nan, quiet := YMM(), YMM(), YMM(), YMM()
		VMOVUPS(Mem{Base: src, Disp: disp}, x)
		VCMPPS(Imm(3), x, x, nan) // unordered
		VPOR(word(0x00400000), x, quiet)
		VPSRLD(Imm(16), x, odd)
		VPAND(word(1), odd, odd)
		VPADDD(word(0x7fff), x, x)
		VPADDD(odd, x, x)
		VBLENDVPS(nan, quiet, x, x)
		VPSRLD(Imm(16), x, x)
		return x
	}
	Label("pair")
	a, b := half(0), half(32)
	VPACKUSDW(b, a, a) // a's and b's lower halves, then the upper ones
	VPERMQ(Imm(0xd8), a, a)
	VMOVUPS(a, Mem{Base: dst})
	ADDQ(Imm(64), src)
	ADDQ(Imm(32), dst)
	DECQ(n)
	JNZ(LabelRef("pair"))
	finish()
}

func adamW() {
	s, p, x := function("adamW", "performs the update that AdamW describes.",
		"func(w, grad, m, v *float32, n int, complement1, b2, complement2, stepSize, decayFactor, "+
			"invSqrtCorrection2, eps float32)",
		[]string{"w", "grad", "m", "v"},
		[]string{"complement1", "b2", "complement2", "stepSize", "decayFactor", "invSqrtCorrection2", "eps"})
	s.each(func(l lane) {
		g, m, v := l.load(p["grad"]), l.load(p["m"]), l.load(p["v"])
		t := YMM()
		VSUBPS(m, g, t)
		VFMADD231PS(t, x["complement1"], m)
		l.store(m, p["m"])
		VMULPS(g, g, g)
		VMULPS(x["complement2"], g, g)
		VFMADD231PS(x["b2"], v, g)
		l.store(g, p["v"])
		VSQRTPS(g, t)
		VFMADD213PS(x["eps"], x["invSqrtCorrection2"], t)
		VDIVPS(t, m, m)
		w := l.load(p["w"])
		VMULPS(x["decayFactor"], w, w)
		VFNMADD231PS(x["stepSize"], m, w)
		l.store(w, p["w"])
	})
	finish()
}
