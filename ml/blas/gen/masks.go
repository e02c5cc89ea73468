package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// loadMask puts the lanes that exist into the last vector register (AVX-512: into K1).
func (t tile) loadMask() {
	p := Load(Param("mask"), GP64())
	if t.width == 16 {
		KMOVW(Mem{Base: p}, reg.K1)
	} else {
		VMOVUPS(Mem{Base: p}, t.last(0))
	}
}

func (t tile) maskedLoad(m Mem, r reg.VecPhysical) {
	if t.width == 16 {
		VMOVUPS_Z(m, reg.K1, r)
	} else {
		VMASKMOVPS(m, t.last(0), r)
	}
}

func (t tile) maskedStore(r reg.VecPhysical, m Mem) {
	if t.width == 16 {
		VMOVUPS(r, reg.K1, m)
	} else {
		VMASKMOVPS(r, t.last(0), m)
	}
}

// halfMask puts what splits a row of bfloat16 into the last registers: the high halves' mask and, for AVX-512, the
// shifts that bring columns 0…7 up and leave columns 8…15.
func (t tile) halfMask() {
	p := GP64()
	LEAQ(highHalves(), p)
	VBROADCASTSS(Mem{Base: p}, t.last(0))
	if t.width == 16 {
		VMOVUPS(Mem{Base: p, Disp: 4}, t.last(1))
	}
}

var halves Mem

// highHalves is the constant 0xffff0000, followed by eight shifts of 16 and eight of 0.
func highHalves() Mem {
	if halves.Base == nil {
		halves = GLOBL("highHalves", RODATA|NOPTR)
		DATA(0, U32(0xffff0000))
		for i := range 16 {
			shift := U32(16)
			if i >= 8 {
				shift = 0
			}
			DATA(4+4*i, shift)
		}
	}
	return halves
}

// loadHalves widens vectors v, v+1, … of this step: a word of a panel's row holds column j in its low and column j+8 in
// its high half.
func (t tile) loadHalves(bases []reg.Register, bPanel reg.Register, v int, into []reg.VecPhysical) {
	if t.width == 16 {
		for i, r := range into {
			VBROADCASTI64X4(t.bAddr(bases, bPanel, v+i), r)
			VPSLLVD(t.last(1), r, r)
			VPANDD(t.last(0), r, r)
		}
		return
	}
	low := into[0]
	if len(into) == 1 {
		VMOVUPS(t.bAddr(bases, bPanel, v), low)
		VPSLLD(Imm(16), low, low)
		return
	}
	high := into[1]
	VMOVUPS(t.bAddr(bases, bPanel, v), high)
	VPSLLD(Imm(16), high, low)
	VANDPS(t.last(0), high, high)
}
