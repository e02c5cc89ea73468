package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// instructions is a vector instruction set.
type instructions struct {
	name  string
	width int // float32 per vector
	vec   []reg.VecPhysical
	rows  int // of the largest tile of two vectors
}

var (
	avx2 = instructions{"AVX2", 8, []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}, 6}
	avx512 = instructions{"AVX512", 16, []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
		reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
		reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}, 12}
)

// tiles writes every register tile: of two vectors of columns and of one, each also with the last vector masked, and
// wide ones for products of one or two rows, whose few sums would otherwise wait for each other. Each exists for a
// float32 and for a bfloat16 right-hand side.
func tiles(is instructions) {
	for _, half := range []bool{false, true} {
		for rows := 1; rows <= is.rows; rows++ {
			tile{is, rows, 2, false, half}.write()
			tile{is, rows, 2, true, half}.write()
		}
		for rows := 1; rows <= narrowRows; rows++ {
			tile{is, rows, 1, false, half}.write()
			tile{is, rows, 1, true, half}.write()
		}
		tile{is, 1, 8, false, half}.write()
		tile{is, 2, 4, false, half}.write()
	}
}

// narrowRows is the height of the largest tile of one vector: twelve sums keep the multipliers busy.
const narrowRows = 12

// tile is one register tile: rows x vecs sums that stay in registers over the whole of k.
type tile struct {
	instructions
	rows, vecs int
	masked     bool // the last vector holds fewer columns than lanes
	half       bool // B is bfloat16
}

func (t tile) function() string {
	name := fmt.Sprintf("tile%s_%dx%d", t.name, t.rows, t.vecs)
	if t.masked {
		name += "m"
	}
	if t.half {
		name += "h"
	}
	return name
}

// Registers: the sums, then what one step of k needs.
func (t tile) sum(row, v int) reg.VecPhysical { return t.vec[row*t.vecs+v] }
func (t tile) temp(i int) reg.VecPhysical     { return t.vec[t.rows*t.vecs+i] }
func (t tile) last(i int) reg.VecPhysical     { return t.vec[len(t.vec)-1-i] }

// prefetches is whether the tile fetches ahead: one panel of what comes from memory.
func (t tile) prefetches() bool { return t.half && t.panels() == 1 }

// fetchesResult is whether the tile fetches the rows that it will add to and write: the tile of large products, whose
// results lie outside the first levels of the cache.
func (t tile) fetchesResult() bool { return t.vecs == 2 && t.rows == t.instructions.rows }

// shared is whether the mask of columns and that of high halves take turns in one register.
func (t tile) shared() bool { return t.half && t.masked && t.width == 8 }

// write emits the function. Distances are in bytes:
//
//	for each of count tiles, one below the other:
//	  C[i, j] = from[i*fromRow + j] + sum over q < k of a[i*aRow + q*aStep] * b[q*bStep + j]
//
// where from, which may be C, is left out if it is nil. The next tile's rows of A begin aTile after this one's. b is a
// stack of panels of 16 columns, bPanel apart: inside a matrix that is 64 bytes. Tiles of one bfloat16 panel fetch what
// the caller will need next, which has to come from memory: a line at each step, from the place that is ahead of b, and
// aheadStep further on each time, from tile to tile. The largest tiles fetch their rows of C before they begin. mask
// points at one int32 a lane, all ones for a column that exists (AVX-512: at a bit a lane).
func (t tile) write() {
	TEXT(t.function(), NOSPLIT,
		"func(count, k int, a *float32, aRow, aStep, aTile int, b *byte, bStep, bPanel, ahead, aheadStep int, c "+
			"*float32, cRow int, from *float32, fromRow int, mask *byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s multiplies tiles of %d rows and %d vectors of columns.", t.function(), t.rows, t.vecs))
	a := Load(Param("a"), GP64())
	aRow := Load(Param("aRow"), GP64())
	aStep := Load(Param("aStep"), GP64())
	bStep := Load(Param("bStep"), GP64())
	c := Load(Param("c"), GP64())
	cRow := Load(Param("cRow"), GP64())
	var bPanel, ahead, aheadStep reg.Register
	if t.panels() > 1 {
		bPanel = Load(Param("bPanel"), GP64())
	}
	if t.prefetches() {
		ahead = Load(Param("ahead"), GP64())
		ADDQ(paramAddr("b"), ahead)
		aheadStep = Load(Param("aheadStep"), GP64())
	}
	if t.half {
		t.halfMask()
	}
	if t.masked && !t.shared() {
		t.loadMask()
	}

	Label("tile")
	for row := range t.rows {
		for v := range t.vecs {
			t.zero(t.sum(row, v))
		}
	}
	if t.fetchesResult() {
		t.fetchResult(c, cRow)
	}
	as := t.rowBases(a, aRow)
	bs := t.panelBases(bPanel)
	left := Load(Param("k"), GP64())

	align()
	Label("step")
	if t.prefetches() {
		PREFETCHT1(Mem{Base: ahead})
		ADDQ(aheadStep, ahead)
	}
	if t.vecs <= 2 {
		t.stepByRow(as, aRow, bs, bPanel)
	} else {
		t.stepByVector(as, aRow, bs, bPanel)
	}
	for _, p := range as {
		ADDQ(aStep, p)
	}
	for _, p := range bs {
		ADDQ(bStep, p)
	}
	DECQ(left)
	JNZ(LabelRef("step"))

	if t.shared() {
		t.loadMask()
	}
	t.store(c, cRow)
	if t.shared() {
		t.halfMask()
	}

	// The next tile lies below; c has moved there already.
	ADDQ(paramAddr("aTile"), a)
	count := paramAddr("count")
	DECQ(count)
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// align starts the next instruction at a multiple of 32 bytes; avo has no word for the assembler's directive.
func align() {
	Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{U8(32)}})
}

func paramAddr(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// rowBases are pointers to rows 0, 3, 6, … of A; the two rows after each are reached by an index.
func (t tile) rowBases(a, aRow reg.Register) []reg.Register {
	var bases []reg.Register
	for row := 0; row < t.rows; row += 3 {
		p := GP64()
		if row == 0 {
			MOVQ(a, p)
		} else {
			prev := bases[len(bases)-1]
			LEAQ(Mem{Base: prev, Index: aRow, Scale: 2}, p)
			ADDQ(aRow, p)
		}
		bases = append(bases, p)
	}
	return bases
}

func (t tile) aAddr(bases []reg.Register, aRow reg.Register, row int) Mem {
	m := Mem{Base: bases[row/3]}
	if row%3 > 0 {
		m.Index, m.Scale = aRow, uint8(row%3)
	}
	return m
}

// panels is the number of panels of 16 columns that the tile spans.
func (t tile) panels() int { return (t.vecs*t.width + 15) / 16 }

// panelBases are pointers to panels 0, 3 and 6 of B.
func (t tile) panelBases(bPanel reg.Register) []reg.Register {
	var bases []reg.Register
	for panel := 0; panel < t.panels(); panel += 3 {
		p := GP64()
		if panel == 0 {
			MOVQ(paramAddr("b"), p)
		} else {
			LEAQ(Mem{Base: bases[len(bases)-1], Index: bPanel, Scale: 2}, p)
			ADDQ(bPanel, p)
		}
		bases = append(bases, p)
	}
	return bases
}

// bAddr is the address of vector v of B in this step.
func (t tile) bAddr(bases []reg.Register, bPanel reg.Register, v int) Mem {
	column := v * t.width
	m := Mem{Base: bases[column/16/3]}
	if p := column / 16 % 3; p > 0 {
		m.Index, m.Scale = bPanel, uint8(p)
	}
	if !t.half { // a bfloat16 row keeps columns j and j+8 in one word, so both vectors of a panel load the same bytes
		m.Disp = column % 16 * 4
	}
	return m
}

// stepByRow keeps the vectors of B and broadcasts A row by row.
func (t tile) stepByRow(as []reg.Register, aRow reg.Register, bs []reg.Register, bPanel reg.Register) {
	var b []reg.VecPhysical
	for v := range t.vecs {
		b = append(b, t.temp(v))
	}
	t.loadB(bs, bPanel, 0, b)
	x := t.temp(t.vecs)
	for row := range t.rows {
		VBROADCASTSS(t.aAddr(as, aRow, row), x)
		for v := range t.vecs {
			VFMADD231PS(b[v], x, t.sum(row, v))
		}
	}
}

// stepByVector keeps the elements of A and walks over the vectors of B.
func (t tile) stepByVector(as []reg.Register, aRow reg.Register, bs []reg.Register, bPanel reg.Register) {
	for row := range t.rows {
		VBROADCASTSS(t.aAddr(as, aRow, row), t.temp(row))
	}
	for v := 0; v < t.vecs; v += 2 {
		b := []reg.VecPhysical{t.temp(t.rows), t.temp(t.rows + 1)}
		t.loadB(bs, bPanel, v, b)
		for i := range b {
			for row := range t.rows {
				VFMADD231PS(b[i], t.temp(row), t.sum(row, v+i))
			}
		}
	}
}

// loadB loads vectors v, v+1, … of this step as float32.
func (t tile) loadB(bases []reg.Register, bPanel reg.Register, v int, into []reg.VecPhysical) {
	if t.half {
		t.loadHalves(bases, bPanel, v, into)
		return
	}
	for i, r := range into {
		m := t.bAddr(bases, bPanel, v+i)
		if t.masked && v+i == t.vecs-1 {
			t.maskedLoad(m, r)
		} else {
			VMOVUPS(m, r)
		}
	}
}

// fetchResult brings the tile's rows of C into the cache while its sums are made.
func (t tile) fetchResult(c, cRow reg.Register) {
	p := GP64()
	MOVQ(c, p)
	for row := range t.rows {
		for line := 0; line < t.vecs*t.width*4; line += 64 {
			PREFETCHT0(Mem{Base: p, Disp: line})
		}
		if row < t.rows-1 {
			ADDQ(cRow, p)
		}
	}
}

// zero clears a register.
func (t tile) zero(r reg.VecPhysical) {
	if t.width == 16 {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// store adds the rows of from to the sums, writes them, and leaves c and from at the row below.
func (t tile) store(c, cRow reg.Register) {
	CMPQ(paramAddr("from"), Imm(0))
	JE(LabelRef("store"))
	from, fromRow := GP64(), GP64()
	MOVQ(paramAddr("from"), from)
	MOVQ(paramAddr("fromRow"), fromRow)
	for row := range t.rows {
		for v := range t.vecs {
			m := Mem{Base: from, Disp: v * t.width * 4}
			if t.masked && v == t.vecs-1 {
				x := t.temp(1)
				t.maskedLoad(m, x)
				VADDPS(x, t.sum(row, v), t.sum(row, v))
			} else {
				VADDPS(m, t.sum(row, v), t.sum(row, v))
			}
		}
		ADDQ(fromRow, from)
	}
	MOVQ(from, paramAddr("from"))
	Label("store")
	for row := range t.rows {
		for v := range t.vecs {
			m := Mem{Base: c, Disp: v * t.width * 4}
			if t.masked && v == t.vecs-1 {
				t.maskedStore(t.sum(row, v), m)
			} else {
				VMOVUPS(t.sum(row, v), m)
			}
		}
		ADDQ(cRow, c)
	}
}
