package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// peak writes what benchmarks hold the other functions against: a loop of nothing but multiply-adds, and one of nothing
// but loads.
func peak() {
	multiply(avx2, 12)
	multiply(avx512, 24)
	read()
}

// multiply keeps as many sums as hide the latency of a multiply-add.
func multiply(is instructions, sums int) {
	TEXT("peak"+is.name, NOSPLIT, "func(rounds int)")
	Doc("peak" + is.name + " performs rounds times " + map[int]string{12: "twelve", 24: "twenty-four"}[sums] + " independent multiply-adds of a vector.")
	rounds := Load(Param("rounds"), GP64())
	for _, r := range is.vec[:sums+2] {
		tile{instructions: is}.zero(r)
	}
	Label("round")
	for i := range sums {
		VFMADD231PS(is.vec[sums], is.vec[sums+1], is.vec[i])
	}
	SUBQ(Imm(1), rounds)
	JNZ(LabelRef("round"))
	VZEROUPPER()
	RET()
}

// read loads 256 bytes a round and asks for those of a page ahead, as the processor's own prefetching stops at a page.
func read() {
	TEXT("readAVX2", NOSPLIT, "func(p *byte, rounds int)")
	Pragma("noescape")
	Doc("readAVX2 loads rounds times 256 bytes, one after the other.")
	p := Load(Param("p"), GP64())
	rounds := Load(Param("rounds"), GP64())
	Label("round")
	for i := range 8 {
		VMOVUPS(Mem{Base: p, Disp: 32 * i}, avx2.vec[i])
	}
	for i := range 4 {
		PREFETCHT0(Mem{Base: p, Disp: 4096 + 64*i})
	}
	ADDQ(U32(256), p)
	SUBQ(Imm(1), rounds)
	JNZ(LabelRef("round"))
	VZEROUPPER()
	RET()
}
