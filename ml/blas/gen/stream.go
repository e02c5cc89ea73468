package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// stream is a loop over vectors of eight elements, with a masked round for what is left.
type stream struct {
	n        reg.Register   // elements left, consumed
	pointers []reg.Register // advance together, four bytes an element
	unroll   int            // vectors in a round of the main loop
}

// lane is the access to one vector of a stream: displaced within a round, or masked in the last one.
type lane struct {
	index int // of the vector in its round: chooses among independent sums
	mask  reg.Register
}

// each writes the loop with body for one vector.
func (s stream) each(body func(v lane)) {
	s.together(func(vs []lane) {
		for _, v := range vs {
			body(v)
		}
	})
}

// together writes the loop with body for all vectors of a round, so that it can interleave them: a long chain of
// dependent instructions fills the processor's window before the next vector's come into sight.
func (s stream) together(body func(vs []lane)) {
	if s.unroll > 1 {
		s.rounds("rounds", s.unroll, body)
	}
	s.rounds("vectors", 1, body)
	CMPQ(s.n, Imm(0))
	JE(LabelRef("done"))
	mask, table, skip := YMM(), GP64(), GP64()
	LEAQ(tailMasks(), table)
	MOVQ(U32(8), skip)
	SUBQ(s.n, skip)
	VMOVUPS(Mem{Base: table, Index: skip, Scale: 4}, mask)
	body([]lane{{0, mask}})
	Label("done")
}

func (s stream) rounds(name string, vectors int, body func(vs []lane)) {
	SUBQ(Imm(uint64(8*vectors)), s.n)
	JLT(LabelRef(name + "Done"))
	align()
	Label(name)
	var vs []lane
	for i := range vectors {
		vs = append(vs, lane{i, nil})
	}
	body(vs)
	for _, p := range s.pointers {
		ADDQ(U32(32*vectors), p)
	}
	SUBQ(Imm(uint64(8*vectors)), s.n)
	JGE(LabelRef(name))
	Label(name + "Done")
	ADDQ(Imm(uint64(8*vectors)), s.n)
}

func (v lane) at(p reg.Register) Mem { return Mem{Base: p, Disp: 32 * v.index} }

// load reads a vector; lanes beyond the end are zero.
func (v lane) load(p reg.Register) reg.VecVirtual {
	y := YMM()
	if v.mask != nil {
		VMASKMOVPS(v.at(p), v.mask, y)
	} else {
		VMOVUPS(v.at(p), y)
	}
	return y
}

func (v lane) store(y, p reg.Register) {
	if v.mask != nil {
		VMASKMOVPS(y, v.mask, v.at(p))
	} else {
		VMOVUPS(y, v.at(p))
	}
}

// function begins a function of the given signature, whose slices are equally long, and loads all its parameters:
// pointers as they are, scalars into every lane.
func function(name, doc, signature string, pointers, scalars []string) (s stream, p map[string]reg.Register,
	x map[string]reg.VecVirtual) {
	TEXT(name+"AVX2", NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + "AVX2 " + doc)
	p, x = map[string]reg.Register{}, map[string]reg.VecVirtual{}
	s.unroll = 1
	for _, param := range pointers {
		p[param] = Load(Param(param), GP64())
		s.pointers = append(s.pointers, p[param])
	}
	s.n = Load(Param("n"), GP64())
	for _, param := range scalars {
		x[param] = YMM()
		VBROADCASTSS(paramAddr(param), x[param])
	}
	return s, p, x
}

func finish() {
	VZEROUPPER()
	RET()
}

var constants = map[uint32]Mem{}

// constant is a float32 in eight lanes of read-only memory.
func constant(v float64) Mem { return word(math.Float32bits(float32(v))) }

func word(bits uint32) Mem {
	m, known := constants[bits]
	if !known {
		m = GLOBL(fmt.Sprintf("lanes_%08x", bits), RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, U32(bits))
		}
		constants[bits] = m
	}
	return m
}

var masks Mem

// tailMasks is eight words of ones and eight of zeros.
func tailMasks() Mem {
	if masks.Base == nil {
		masks = GLOBL("tailMasks", RODATA|NOPTR)
		for i := range 16 {
			bits := U32(0xffffffff)
			if i >= 8 {
				bits = 0
			}
			DATA(4*i, bits)
		}
	}
	return masks
}

// loadAll reads the vectors of a round.
func loadAll(vs []lane, p reg.Register) []reg.VecVirtual {
	var ys []reg.VecVirtual
	for _, v := range vs {
		ys = append(ys, v.load(p))
	}
	return ys
}

func set(m Mem) reg.VecVirtual {
	y := YMM()
	VMOVUPS(m, y)
	return y
}

func zero() reg.VecVirtual {
	y := YMM()
	VXORPS(y, y, y)
	return y
}

// combine folds eight lanes into the lowest by an operation such as VADDPS.
func combine(y reg.VecVirtual, op func(a, b, c Op)) {
	t := YMM()
	VEXTRACTF128(Imm(1), y, t.AsX())
	op(t.AsX(), y.AsX(), y.AsX())
	VPERMILPS(Imm(0x4e), y.AsX(), t.AsX())
	op(t.AsX(), y.AsX(), y.AsX())
	VPERMILPS(Imm(0xb1), y.AsX(), t.AsX())
	op(t.AsX(), y.AsX(), y.AsX())
}
