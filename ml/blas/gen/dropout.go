package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dropout writes the masks that Dropout and DropoutAdd describe: number i of a stream is the hash
//
//	h = i·golden + k0;  h ^= h>>16;  h *= a;  h ^= k1;  h ^= h>>15;  h *= b;  h ^= h>>15
//
// so that any part of a mask can be made by itself, in vectors.
func dropout(name, doc string, add bool) {
	s, p, x := function(name, doc, "func(dst, src *float32, n int, keep float32, limit int32, first, k0, k1 uint32)",
		[]string{"dst", "src"}, []string{"keep", "limit", "k0", "k1", "first"})
	const golden, a, b = 0x9e3779b9, 0x21f0aaad, 0xd35a2d97
	s.unroll = 2
	number, step := YMM(), set(word(8*golden&0xffffffff))
	VPADDD(ascending(), x["first"], number)
	VPMULLD(word(golden), number, number)
	VPADDD(x["k0"], number, number)
	s.together(func(vs []lane) {
		hs, ts := make([]reg.VecVirtual, len(vs)), make([]reg.VecVirtual, len(vs))
		for i := range vs {
			hs[i], ts[i] = YMM(), YMM()
			VMOVAPS(number, hs[i])
			VPADDD(step, number, number)
		}
		fold := func(shift uint64) {
			for i, h := range hs {
				VPSRLD(Imm(shift), h, ts[i])
				VPXOR(ts[i], h, h)
			}
		}
		fold(16)
		for _, h := range hs {
			VPMULLD(word(a), h, h)
		}
		for _, h := range hs {
			VPXOR(x["k1"], h, h)
		}
		fold(15)
		for _, h := range hs {
			VPMULLD(word(b), h, h)
		}
		fold(15)
		for i, v := range vs {
			VPCMPGTD(x["limit"], hs[i], hs[i])
			y := v.load(p["src"])
			VMULPS(x["keep"], y, y)
			VANDPS(hs[i], y, y)
			if add {
				VADDPS(v.load(p["dst"]), y, y)
			}
			v.store(y, p["dst"])
		}
	})
	finish()
}

var numbers Mem

// ascending is the numbers 0 to 7.
func ascending() Mem {
	if numbers.Base == nil {
		numbers = GLOBL("ascending", RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, U32(i))
		}
	}
	return numbers
}
