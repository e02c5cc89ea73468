//go:build amd64

package blas

import (
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// The tiles for AVX-512 come from the generator that also writes those for AVX2, but few machines can run them. Here
// the assembly text itself is interpreted: the instructions that tiles use, with the meaning Intel's manual gives them.

// program is one assembly file: its functions as lists of instructions and its constants.
type program struct {
	functions map[string][]instruction
	labels    map[string]map[string]int
	data      map[string][]byte
	ran       map[string]bool
}

type instruction struct {
	op   string
	args []operand
}

// operand is a register, a constant, a label, a parameter or a memory address.
type operand struct {
	kind  byte // 'r'egister of 64 bits, 'v'ector, 'k' mask, '$' constant, 'l'abel, 'p'arameter, 'm'emory, 's'tatic data
	name  string
	n     int // vector number, constant or displacement
	wide  bool
	index string
	scale int
	base  string
}

var (
	vectorName = regexp.MustCompile(`^([YZ])(\d+)$`)
	memoryName = regexp.MustCompile(`^(-?\d*)\((\w+)\)(?:\((\w+)\*(\d)\))?$`)
	paramName  = regexp.MustCompile(`^(\w+)\+\d+\(FP\)$`)
	staticName = regexp.MustCompile(`^(\w+)<>\+(\d+)\(SB\)$`)
	dataLine   = regexp.MustCompile(`^DATA (\w+)<>\+(\d+)\(SB\)/4, \$(\w+)$`)
)

func parseOperand(s string) operand {
	if m := vectorName.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[2])
		return operand{kind: 'v', n: n, wide: m[1] == "Z"}
	}
	if m := paramName.FindStringSubmatch(s); m != nil {
		return operand{kind: 'p', name: m[1]}
	}
	if m := staticName.FindStringSubmatch(s); m != nil {
		return operand{kind: 's', name: m[1]}
	}
	if m := memoryName.FindStringSubmatch(s); m != nil {
		o := operand{kind: 'm', base: m[2], index: m[3]}
		o.n, _ = strconv.Atoi(m[1])
		o.scale, _ = strconv.Atoi(m[4])
		return o
	}
	switch {
	case strings.HasPrefix(s, "$"):
		n, _ := strconv.ParseInt(s[1:], 0, 64)
		return operand{kind: '$', n: int(n)}
	case s == "K1":
		return operand{kind: 'k'}
	case s == strings.ToUpper(s):
		return operand{kind: 'r', name: s}
	default:
		return operand{kind: 'l', name: s}
	}
}

func parseProgram(t *testing.T, file string) program {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := program{map[string][]instruction{}, map[string]map[string]int{}, map[string][]byte{}, map[string]bool{}}
	name := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '/' || line[0] == '#' || strings.HasPrefix(line, "GLOBL"):
		case strings.HasPrefix(line, "DATA"):
			m := dataLine.FindStringSubmatch(line)
			v, _ := strconv.ParseUint(m[3], 0, 32)
			p.data[m[1]] = append(p.data[m[1]], byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
		case strings.HasPrefix(line, "TEXT"):
			name = strings.TrimPrefix(strings.SplitN(line, "(", 2)[0], "TEXT ·")
			p.labels[name] = map[string]int{}
		case strings.HasSuffix(line, ":"):
			p.labels[name][strings.TrimSuffix(line, ":")] = len(p.functions[name])
		default:
			op, rest, _ := strings.Cut(line, " ")
			in := instruction{op: op}
			if rest != "" {
				for arg := range strings.SplitSeq(rest, ",") {
					in.args = append(in.args, parseOperand(strings.TrimSpace(arg)))
				}
			}
			p.functions[name] = append(p.functions[name], in)
		}
	}
	return p
}

// word64 is a register: a number, or a place in memory.
type word64 struct {
	base unsafe.Pointer
	n    int
}

// machine is the processor's state.
type machine struct {
	t      *testing.T
	p      program
	gp     map[string]word64
	params map[string]*word64
	vec    [32][16]uint32
	mask   uint16
	zero   bool
}

func (m *machine) value(o operand) word64 {
	switch o.kind {
	case 'r':
		return m.gp[o.name]
	case '$':
		return word64{n: o.n}
	case 'p':
		return *m.params[o.name]
	case 's':
		return word64{base: unsafe.Pointer(&m.p.data[o.name][0])}
	}
	m.t.Fatalf("operand %+v has no value", o)
	return word64{}
}

func (m *machine) address(o operand) word64 {
	a := m.gp[o.base]
	a.n += o.n
	if o.index != "" {
		a.n += m.gp[o.index].n * o.scale
	}
	return a
}

func (m *machine) set(o operand, w word64) {
	if o.kind == 'p' {
		*m.params[o.name] = w
	} else {
		m.gp[o.name] = w
	}
}

func (m *machine) word(o operand, lane int) *uint32 {
	a := m.address(o)
	return (*uint32)(unsafe.Add(a.base, a.n+4*lane))
}

// lanes reads a vector operand; lanes whose bit is clear are zero and not touched.
func (m *machine) lanes(o operand, n int, mask uint16) (v [16]uint32) {
	for i := range n {
		switch {
		case mask>>i&1 == 0:
		case o.kind == 'v':
			v[i] = m.vec[o.n][i]
		default:
			v[i] = *m.word(o, i)
		}
	}
	return v
}

// call runs a function to its end.
func (m *machine) call(name string) {
	code, labels := m.p.functions[name], m.p.labels[name]
	if code == nil {
		m.t.Fatalf("no function %s", name)
	}
	for pc := 0; ; pc++ {
		in := code[pc]
		var last operand
		if len(in.args) > 0 {
			last = in.args[len(in.args)-1]
		}
		switch in.op {
		case "RET":
			return
		case "PCALIGN", "VZEROUPPER", "PREFETCHT0", "PREFETCHT1":
		case "JNZ", "JE":
			if m.zero == (in.op == "JE") {
				pc = labels[last.name] - 1
			}
		case "CMPQ":
			m.zero = m.value(in.args[0]) == m.value(last)
		case "MOVQ":
			m.set(last, m.value(in.args[0]))
		case "LEAQ":
			if in.args[0].kind == 's' {
				m.set(last, m.value(in.args[0]))
			} else {
				m.set(last, m.address(in.args[0]))
			}
		case "ADDQ":
			w := m.value(last)
			w.n += m.value(in.args[0]).n
			m.set(last, w)
		case "DECQ":
			w := m.value(last)
			w.n--
			m.zero = w.n == 0
			m.set(last, w)
		case "KMOVW":
			m.mask = uint16(*m.word(in.args[0], 0))
		default:
			m.vector(in, last)
		}
	}
}

// vector executes an instruction on vectors; operands stand in the assembler's order, the destination last.
func (m *machine) vector(in instruction, to operand) {
	n := 8
	for _, o := range in.args {
		if o.wide {
			n = 16
		}
	}
	all := uint16(1<<n - 1)
	a := in.args[0]
	binary := func(f func(a, b uint32) uint32) (v [16]uint32) {
		x, y := m.lanes(a, n, all), m.lanes(in.args[1], n, all)
		for i := range n {
			v[i] = f(x[i], y[i])
		}
		return v
	}
	float := math.Float32frombits
	var v [16]uint32
	mask := all
	switch in.op {
	case "VXORPS", "VPXORD":
		v = binary(func(a, b uint32) uint32 { return a ^ b })
	case "VANDPS", "VPANDD":
		v = binary(func(a, b uint32) uint32 { return a & b })
	case "VADDPS":
		v = binary(func(a, b uint32) uint32 { return math.Float32bits(float(a) + float(b)) })
	case "VFMADD231PS":
		x, y := m.lanes(a, n, all), m.lanes(in.args[1], n, all)
		for i := range n {
			v[i] = math.Float32bits(float32(math.FMA(float64(float(x[i])), float64(float(y[i])),
				float64(float(m.vec[to.n][i])))))
		}
	case "VPSLLD":
		x := m.lanes(in.args[1], n, all)
		for i := range n {
			v[i] = x[i] << a.n
		}
	case "VPSLLVD": // counts first
		v = binary(func(count, x uint32) uint32 { return x << count })
	case "VBROADCASTSS":
		for i := range n {
			v[i] = *m.word(a, 0)
		}
	case "VBROADCASTI64X4":
		half := m.lanes(a, 8, 0xff)
		copy(v[:8], half[:8])
		copy(v[8:], half[:8])
	case "VMASKMOVPS": // the mask's signs in the second operand
		mask = 0
		for i, w := range m.vec[in.args[1].n][:n] {
			mask |= uint16(w>>31) << i
		}
		v = m.lanes(a, n, mask)
	case "VMOVUPS", "VMOVUPS.Z":
		if len(in.args) == 3 {
			mask = m.mask
		}
		v = m.lanes(a, n, mask)
	default:
		m.t.Fatalf("unknown instruction %s", in.op)
	}
	if to.kind == 'v' {
		m.vec[to.n] = v
		return
	}
	for i := range n {
		if mask>>i&1 == 1 {
			*m.word(to, i) = v[i]
		}
	}
}

// interpreted is a kernel set whose tiles are those of another, interpreted from their text.
func interpreted(t *testing.T, set kernelSet, file, isa string) (*kernelSet, program) {
	p := parseProgram(t, file)
	function := func(name string) tileFunc {
		return func(count, k int, a *float32, aRow, aStep, aTile int, b *byte, bStep, bPanel, ahead, aheadStep int,
			c *float32, cRow int, from *float32, fromRow int, mask *byte) {
			number := func(n int) *word64 { return &word64{n: n} }
			place := func(p unsafe.Pointer) *word64 { return &word64{base: p} }
			m := machine{t: t, p: p, gp: map[string]word64{}, params: map[string]*word64{
				"count": number(count), "k": number(k), "a": place(unsafe.Pointer(a)), "aRow": number(aRow),
				"aStep": number(aStep),
				"aTile": number(aTile), "b": place(unsafe.Pointer(b)), "bStep": number(bStep), "bPanel": number(bPanel),
				"ahead": number(ahead), "aheadStep": number(aheadStep),
				"c": place(unsafe.Pointer(c)), "cRow": number(cRow), "from": place(unsafe.Pointer(from)),
				"fromRow": number(fromRow),
				"mask":    place(unsafe.Pointer(mask)),
			}}
			m.call(name)
			p.ran[name] = true
		}
	}
	tiles := func(like tileSet, suffix string) tileSet {
		list := func(n int, name string) []tileFunc {
			f := make([]tileFunc, n)
			for rows := 1; rows < n; rows++ {
				f[rows] = function("tile" + isa + "_" + strconv.Itoa(rows) + name + suffix)
			}
			return f
		}
		like.full, like.masked = list(len(like.full), "x2"), list(len(like.masked), "x2m")
		like.narrow, like.narrowMasked = list(len(like.narrow), "x1"), list(len(like.narrowMasked), "x1m")
		like.wide = []tileFunc{nil, function("tile" + isa + "_1x8" + suffix), function("tile" + isa + "_2x4" + suffix)}
		return like
	}
	set.float32, set.bfloat16 = tiles(set.float32, ""), tiles(set.bfloat16, "h")
	return &set, p
}

func TestInterpretedTilesAgreeWithFloat64(t *testing.T) {
	if !avx2.available {
		t.Skip("the operands are packed by AVX2 instructions, which this processor lacks")
	}
	defer Use("")
	for _, from := range []struct {
		set       kernelSet
		file, isa string
	}{{avx2, "tiles_amd64.s", "AVX2"}, {avx512, "tiles512_amd64.s", "AVX512"}} {
		t.Run(from.isa, func(t *testing.T) {
			set, p := interpreted(t, from.set, from.file, from.isa)
			r := rand.New(rand.NewPCG(10, 1))
			var all []shape
			for m := 1; m <= 12; m++ { // every tile
				for _, n := range []int{5, 8, 13, 16, 21, 24, 29, 32} {
					all = append(all, shape{m: m, n: n, k: 1 + r.IntN(9), acc: r.IntN(2) == 0, padC: 1})
				}
			}
			for _, n := range []int{64, 128, 150, 200} {
				all = append(all, shape{m: 1, n: n, k: 9}, shape{m: 2, n: n, k: 9, acc: true},
					shape{tb: true, m: 1, n: n, k: 17})
			}
			for _, s := range shapes(r) {
				if s.m > 12 && s.m*s.n*s.k < 20000 {
					all = append(all, s)
				}
			}
			all = append(all, // with packed rows
				shape{m: 50, n: 260, k: 9}, shape{m: 55, n: 256, k: 17}, shape{m: 58, n: 257, k: 8},
				shape{ta: true, m: 62, n: 256, k: 9}, shape{ta: true, m: 53, n: 270, k: 7})
			for _, s := range all {
				kernels = set
				o := s.operands(r)
				got := slices.Clone(o.c)
				Team{}.Gemm(s.ta, s.tb, s.m, s.n, s.k, o.a, o.lda, o.b, o.ldb, s.acc, got, o.ldc)
				s.check(t, o, got)
				if s.ta {
					continue
				}
				words := make([]uint16, len(o.b))
				NarrowBF16(words, o.b)
				WidenBF16(o.b, words)
				full, half := slices.Clone(o.c), slices.Clone(o.c)
				Team{}.Mul(s.m, o.a, o.lda, Pack(s.tb, s.n, s.k, o.b, o.ldb), s.acc, full, o.ldc)
				Team{}.Mul(s.m, o.a, o.lda, PackBF16(s.tb, s.n, s.k, words, o.ldb), s.acc, half, o.ldc)
				s.check(t, o, full)
				if !slices.Equal(full, half) {
					t.Fatalf("%v: bfloat16 panels differ from the same values in float32", s)
				}
				// What the processor can run gives nearly the same bits: the interpreter rounds a multiply-add twice.
				Use("avx2")
				real := slices.Clone(o.c)
				Team{}.Mul(s.m, o.a, o.lda, Pack(s.tb, s.n, s.k, o.b, o.ldb), s.acc, real, o.ldc)
				differ := 0
				for i := range real {
					if real[i] != full[i] {
						differ++
					}
				}
				if differ > len(real)/100+1 {
					t.Fatalf("%v: %d of %d elements differ from AVX2", s, differ, len(real))
				}
			}
			for name := range p.functions {
				if !p.ran[name] {
					t.Errorf("no product used %s", name)
				}
			}
		})
	}
}
