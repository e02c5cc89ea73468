package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// peak writes a loop of nothing but multiply-adds: the yardstick of the benchmarks.
func peak() {
	TEXT("peakAVX2", NOSPLIT, "func(rounds int)")
	Doc("peakAVX2 performs rounds times twelve independent multiply-adds of eight lanes.")
	rounds := Load(Param("rounds"), GP64())
	y := avx2.vec
	for _, r := range y {
		VXORPS(r, r, r)
	}
	Label("round")
	for i := range 12 {
		VFMADD231PS(y[12], y[13], y[i])
	}
	SUBQ(Imm(1), rounds)
	JNZ(LabelRef("round"))
	VZEROUPPER()
	RET()
}
