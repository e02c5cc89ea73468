package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packs writes the functions that lay a matrix out in panels.
func packs() {
	packRows()
	packColumns()
	packTiles(6)
	packTiles(12)
}

// packRows copies rows of 16 columns one after the other.
func packRows() {
	TEXT("packRowsAVX2", NOSPLIT, "func(k int, src *float32, srcRow int, dst *float32)")
	Pragma("noescape")
	Doc("packRowsAVX2 copies k rows of 16 float32, srcRow bytes apart, to consecutive places.")
	k := Load(Param("k"), GP64())
	src := Load(Param("src"), GP64())
	srcRow := Load(Param("srcRow"), GP64())
	dst := Load(Param("dst"), GP64())
	Label("row")
	VMOVUPS(Mem{Base: src}, reg.Y0)
	VMOVUPS(Mem{Base: src, Disp: 32}, reg.Y1)
	VMOVUPS(reg.Y0, Mem{Base: dst})
	VMOVUPS(reg.Y1, Mem{Base: dst, Disp: 32})
	ADDQ(srcRow, src)
	ADDQ(Imm(64), dst)
	DECQ(k)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// packColumns transposes blocks of 8x8: rows of the source become columns of the panel.
func packColumns() {
	TEXT("packColumnsAVX2", NOSPLIT, "func(blocks int, src *float32, srcRow int, dst *float32, dstRow int)")
	Pragma("noescape")
	Doc("packColumnsAVX2 transposes blocks of 8x8 float32: eight rows, srcRow bytes apart, become eight columns of " +
		"rows dstRow bytes apart.")
	blocks := Load(Param("blocks"), GP64())
	src := Load(Param("src"), GP64())
	srcRow := Load(Param("srcRow"), GP64())
	dst := Load(Param("dst"), GP64())
	dstRow := Load(Param("dstRow"), GP64())
	src3, src6, dst3, dst6 := GP64(), GP64(), GP64(), GP64()
	LEAQ(Mem{Base: src, Index: srcRow, Scale: 2}, src3)
	ADDQ(srcRow, src3)
	LEAQ(Mem{Base: src3, Index: srcRow, Scale: 2}, src6)
	ADDQ(srcRow, src6)
	row := func(bases []reg.GPVirtual, step reg.Register, i int) Mem {
		m := Mem{Base: bases[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = step, uint8(i%3)
		}
		return m
	}
	from := []reg.GPVirtual{src.(reg.GPVirtual), src3, src6}
	to := []reg.GPVirtual{dst.(reg.GPVirtual), dst3, dst6}

	Label("block")
	// Halves of rows i and i+4 share a register, so that only steps within 128 bits remain.
	y := avx2.vec
	for i := range 4 {
		low := row(from, srcRow, i)
		VMOVUPS(low, y[i].AsX())
		VINSERTF128(Imm(1), row(from, srcRow, i+4), y[i], y[i])
		low.Disp = 16
		high := row(from, srcRow, i+4)
		high.Disp = 16
		VMOVUPS(low, y[4+i].AsX())
		VINSERTF128(Imm(1), high, y[4+i], y[4+i])
	}
	LEAQ(Mem{Base: dst, Index: dstRow, Scale: 2}, dst3)
	ADDQ(dstRow, dst3)
	LEAQ(Mem{Base: dst3, Index: dstRow, Scale: 2}, dst6)
	ADDQ(dstRow, dst6)
	for half := range 2 {
		r := y[4*half : 4*half+4]
		t := y[8:12]
		VUNPCKLPS(r[1], r[0], t[0])
		VUNPCKHPS(r[1], r[0], t[1])
		VUNPCKLPS(r[3], r[2], t[2])
		VUNPCKHPS(r[3], r[2], t[3])
		VUNPCKLPD(t[2], t[0], y[12])
		VUNPCKHPD(t[2], t[0], y[13])
		VUNPCKLPD(t[3], t[1], y[14])
		VUNPCKHPD(t[3], t[1], y[15])
		for i := range 4 {
			VMOVUPS(y[12+i], row(to, dstRow, 4*half+i))
		}
	}
	for _, p := range from {
		ADDQ(Imm(32), p)
	}
	LEAQ(Mem{Base: dst, Index: dstRow, Scale: 8}, dst)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// packTiles walks along the stored rows, as those of a large matrix lie in different pages and often in the same few
// places of the cache.
func packTiles(rows int) {
	name := fmt.Sprintf("packTiles%dAVX2", rows)
	TEXT(name, NOSPLIT, "func(k, tiles int, src *float32, srcRow int, dst *float32, dstTile int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s cuts k rows of %d*tiles float32, srcRow bytes apart, into tiles of %d columns, dstTile "+
		"bytes apart, whose rows follow each other.", name, rows, rows))
	k := Load(Param("k"), GP64())
	src := Load(Param("src"), GP64())
	srcRow := Load(Param("srcRow"), GP64())
	dst := Load(Param("dst"), GP64())
	dstTile := Load(Param("dstTile"), GP64())
	from, to, left := GP64(), GP64(), GP64()
	Label("row")
	MOVQ(src, from)
	MOVQ(dst, to)
	MOVQ(paramAddr("tiles"), left)
	Label("tile")
	for at := 0; at < rows; at += 4 {
		x := XMM()
		if rows-at >= 4 {
			VMOVUPS(Mem{Base: from, Disp: 4 * at}, x)
			VMOVUPS(x, Mem{Base: to, Disp: 4 * at})
		} else {
			VMOVSD(Mem{Base: from, Disp: 4 * at}, x)
			VMOVSD(x, Mem{Base: to, Disp: 4 * at})
		}
	}
	ADDQ(Imm(uint64(4*rows)), from)
	ADDQ(dstTile, to)
	DECQ(left)
	JNZ(LabelRef("tile"))
	ADDQ(srcRow, src)
	ADDQ(Imm(uint64(4*rows)), dst)
	DECQ(k)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}
