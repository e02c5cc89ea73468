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
	pause()
}

// multiply keeps as many sums as hide the latency of a multiply-add.
func multiply(is instructions, sums int) {
	TEXT("peak"+is.name, NOSPLIT, "func(rounds int)")
	Doc("peak" + is.name + " performs rounds times " + map[int]string{12: "twelve", 24: "twenty-four"}[sums] +
		" independent multiply-adds of a vector.")
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

// read walks through four parts of the data at once, as more requests are then on their way.
func read() {
	TEXT("readAVX2", NOSPLIT, "func(p *byte, part, rounds int)")
	Pragma("noescape")
	Doc("readAVX2 loads rounds times 64 bytes from each of four places, part bytes apart.")
	p := Load(Param("p"), GP64())
	part := Load(Param("part"), GP64())
	rounds := Load(Param("rounds"), GP64())
	third := GP64()
	LEAQ(Mem{Base: part, Index: part, Scale: 2}, third)
	Label("round")
	for i := range 8 {
		m := Mem{Base: p, Disp: 32 * (i % 2), Index: part, Scale: 1}
		switch i / 2 {
		case 0:
			m.Index, m.Scale = nil, 0
		case 2:
			m.Scale = 2
		case 3:
			m.Index = third
		}
		VMOVUPS(m, avx2.vec[i])
	}
	ADDQ(Imm(64), p)
	SUBQ(Imm(1), rounds)
	JNZ(LabelRef("round"))
	VZEROUPPER()
	RET()
}

// pause tells the processor that the thread waits for another one.
func pause() {
	TEXT("pauseAMD64", NOSPLIT, "func(times int)")
	Doc("pauseAMD64 waits for some hundred cycles, so many times: a moment for another thread to make progress.")
	times := Load(Param("times"), GP64())
	Label("again")
	PAUSE()
	SUBQ(Imm(1), times)
	JNZ(LabelRef("again"))
	RET()
}
