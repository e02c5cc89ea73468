package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// shape is one product of a test.
type shape struct {
	ta, tb, acc             bool
	m, n, k                 int
	padA, padB, padC, shift int // row distances beyond the least, and where the matrices begin in their slices
}

func (s shape) String() string {
	return fmt.Sprintf("ta=%t tb=%t acc=%t m=%d n=%d k=%d pad=%d,%d,%d shift=%d", s.ta, s.tb, s.acc, s.m, s.n, s.k,
		s.padA, s.padB, s.padC, s.shift)
}

// operands of a shape, C between guards.
type operands struct {
	a, b, c       []float32
	lda, ldb, ldc int
}

func (s shape) operands(r *rand.Rand) operands {
	matrix := func(transposed bool, rows, cols, pad int) ([]float32, int) {
		if transposed {
			rows, cols = cols, rows
		}
		ld := cols + pad
		if rows == 0 {
			return nil, ld
		}
		return normals(r, s.shift+(rows-1)*ld+cols)[s.shift:], ld
	}
	var o operands
	o.a, o.lda = matrix(s.ta, s.m, s.k, s.padA)
	o.b, o.ldb = matrix(s.tb, s.k, s.n, s.padB)
	o.ldc = s.n + s.padC
	o.c = normals(r, s.m*o.ldc+16)
	return o
}

// check compares C with a float64 product and sees that nothing else was written.
func (s shape) check(t *testing.T, o operands, got []float32) {
	t.Helper()
	for at, before := range o.c {
		i, j := at/max(o.ldc, 1), at%max(o.ldc, 1)
		if i >= s.m || j >= s.n {
			if got[at] != before {
				t.Fatalf("%v: wrote outside of C at %d", s, at)
			}
			continue
		}
		want, size := 0.0, 0.0
		if s.acc {
			want = float64(before)
			size = math.Abs(want)
		}
		for q := range s.k {
			x, y := i*o.lda+q, q*o.ldb+j
			if s.ta {
				x = q*o.lda + i
			}
			if s.tb {
				y = j*o.ldb + q
			}
			term := float64(o.a[x]) * float64(o.b[y])
			want += term
			size += math.Abs(term)
		}
		if math.Abs(float64(got[at])-want) > 1e-6*size {
			t.Fatalf("%v: C[%d, %d] is %g, want %g", s, i, j, got[at], want)
		}
	}
}

// shapes are all small edges, the shapes of the models, and random ones.
func shapes(r *rand.Rand) []shape {
	var all []shape
	for _, ta := range []bool{false, true} {
		for _, tb := range []bool{false, true} {
			for m := range 15 {
				for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 33, 64, 65, 130} {
					all = append(all, shape{ta, tb, r.IntN(2) == 0, m, n, r.IntN(40), r.IntN(3), r.IntN(3), r.IntN(3),
						r.IntN(4)})
				}
			}
			for range 25 {
				all = append(all, shape{ta, tb, r.IntN(2) == 0, r.IntN(120), r.IntN(120), r.IntN(120), r.IntN(9),
					r.IntN(9), r.IntN(9), r.IntN(9)})
			}
			all = append(all,
				shape{ta: ta, tb: tb, m: 3, n: 5, k: 0, padC: 2},
				shape{ta: ta, tb: tb, acc: true, m: 3, n: 5, k: 0},
				shape{ta: ta, tb: tb, m: 64, n: 16, k: 32},
				shape{ta: ta, tb: tb, m: 50, n: 128, k: 384, padA: 1},
				shape{ta: ta, tb: tb, m: 260, n: 300, k: 70, acc: true}, // more than one block of rows
				shape{ta: ta, tb: tb, m: 9, n: 530, k: 400},             // of columns and of k
				shape{ta: ta, tb: tb, m: 130, n: 131, k: 129},           // enough for two goroutines
				shape{ta: ta, tb: tb, m: 1, n: 530, k: 900},             // one row, streamed in several blocks
				shape{ta: ta, tb: tb, m: 20, n: 70, k: 3500, acc: true}, // too much of A to stream B
			)
		}
	}
	return all
}

func TestGemmAgreesWithFloat64(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 1))
		for _, s := range shapes(r) {
			o := s.operands(r)
			got := slices.Clone(o.c)
			NewTeam(2).Gemm(s.ta, s.tb, s.m, s.n, s.k, o.a, o.lda, o.b, o.ldb, s.acc, got, o.ldc)
			s.check(t, o, got)
		}
	})
}

func TestPanelsMultiplyAsTheMatrixTheyWerePackedFrom(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 1))
		for _, s := range shapes(r) {
			if s.ta {
				continue
			}
			o := s.operands(r)
			words := make([]uint16, len(o.b))
			NarrowBF16(words, o.b)
			WidenBF16(o.b, words)
			want, full, half := slices.Clone(o.c), slices.Clone(o.c), slices.Clone(o.c)
			team := NewTeam(2)
			team.Mul(s.m, o.a, o.lda, Pack(s.tb, s.n, s.k, o.b, o.ldb), s.acc, full, o.ldc)
			team.Mul(s.m, o.a, o.lda, PackBF16(s.tb, s.n, s.k, words, o.ldb), s.acc, half, o.ldc)
			s.check(t, o, full)
			if !slices.Equal(full, half) {
				t.Fatalf("%v: bfloat16 panels differ from the same values in float32", s)
			}
			if kernels.lanes > 0 {
				team.Gemm(s.ta, s.tb, s.m, s.n, s.k, o.a, o.lda, o.b, o.ldb, s.acc, want, o.ldc)
				if !slices.Equal(full, want) {
					t.Fatalf("%v: panels differ from Gemm", s)
				}
			}
		}
	})
}

func TestElementsDoNotDependOnGoroutinesOrCuts(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 1))
		for _, form := range []shape{{}, {ta: true}, {tb: true}, {ta: true, tb: true}} {
			s := form
			s.m, s.n, s.k = 301, 290, 410
			o := s.operands(r)
			whole := make([]float32, s.m*s.n)
			Team{}.Gemm(s.ta, s.tb, s.m, s.n, s.k, o.a, o.lda, o.b, o.ldb, false, whole, s.n)
			for _, size := range []int{2, 3, 7} {
				got := make([]float32, s.m*s.n)
				NewTeam(size).Gemm(s.ta, s.tb, s.m, s.n, s.k, o.a, o.lda, o.b, o.ldb, false, got, s.n)
				if !slices.Equal(got, whole) {
					t.Fatalf("%v: %d goroutines change the result", s, size)
				}
			}
			got := make([]float32, s.m*s.n)
			for i := 0; i < s.m; {
				rows := min(1+r.IntN(40), s.m-i)
				for j := 0; j < s.n; {
					cols := min(1+r.IntN(90), s.n-j)
					a, b := i*o.lda, j
					if s.ta {
						a = i
					}
					if s.tb {
						b = j * o.ldb
					}
					Team{}.Gemm(s.ta, s.tb, rows, cols, s.k, o.a[a:], o.lda, o.b[b:], o.ldb, false, got[i*s.n+j:], s.n)
					j += cols
				}
				i += rows
			}
			if !slices.Equal(got, whole) {
				t.Fatalf("%v: cutting the product changes the result", s)
			}
		}
	})
}

func TestPanelProductsDoNotDependOnGoroutines(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 2))
		for _, m := range []int{1, 2, 8, 70, 500} {
			s := shape{tb: true, m: m, n: 2*300 - 7, k: 410}
			o := s.operands(r)
			p := Pack(true, s.n, s.k, o.b, o.ldb)
			whole := make([]float32, s.m*s.n)
			Team{}.Mul(s.m, o.a, o.lda, p, false, whole, s.n)
			for _, size := range []int{2, 3, 7} {
				got := make([]float32, s.m*s.n)
				NewTeam(size).Mul(s.m, o.a, o.lda, p, false, got, s.n)
				if !slices.Equal(got, whole) {
					t.Fatalf("%v: %d goroutines change the result", s, size)
				}
			}
		}
	})
}

func TestProductsBeginWithWhatIsAddedToThem(t *testing.T) {
	sets(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 3))
		for _, c := range [][3]int{{1, 70, 30}, {2, 33, 800}, {13, 41, 0}, {70, 300, 500}} {
			s := shape{tb: true, m: c[0], n: c[1], k: c[2]}
			o := s.operands(r)
			p := Pack(true, s.n, s.k, o.b, o.ldb)
			for _, ldf := range []int{0, s.n, s.n + 3} {
				from := normals(r, (s.m-1)*ldf+s.n)
				want, got := make([]float32, s.m*s.n), make([]float32, s.m*s.n)
				for i := range s.m {
					copy(want[i*s.n:(i+1)*s.n], from[i*ldf:])
				}
				NewTeam(2).Mul(s.m, o.a, o.lda, p, true, want, s.n)
				NewTeam(2).MulFrom(s.m, o.a, o.lda, p, from, ldf, got, s.n)
				if !slices.Equal(got, want) {
					t.Fatalf("%v, rows %d apart: the product does not begin with them", s, ldf)
				}
			}
		}
	})
}

func TestColumnsOfPanelsMultiplyAsThoseOfAllOfThem(t *testing.T) {
	sets(t, func(t *testing.T) {
		const m, n, k = 8, 100, 36
		r := rand.New(rand.NewPCG(9, 4))
		a, b := normals(r, m*k), normals(r, n*k)
		words := make([]uint16, n*k)
		NarrowBF16(words, b)
		for name, p := range map[string]*Panels{"float32": Pack(true, n, k, b, k), "bfloat16": PackBF16(true, n, k,
			words, k)} {
			all := make([]float32, m*n)
			Team{}.Mul(m, a, k, p, false, all, n)
			for _, c := range [][2]int{{0, n}, {16, 48}, {64, n}, {32, 32}} {
				part, width := p.Columns(c[0], c[1]), c[1]-c[0]
				got := make([]float32, m*width)
				Team{}.Mul(m, a, k, &part, false, got, width)
				for i, v := range got {
					if want := all[i/width*n+c[0]+i%width]; v != want {
						t.Fatalf("%s, columns %v: value %d is %g, and %g in all of them", name, c, i, v, want)
					}
				}
			}
		}
		defer func() {
			if recover() == nil {
				t.Error("columns within a panel were begun with")
			}
		}()
		Pack(true, n, k, b, k).Columns(8, 24)
	})
}

func TestBlocksAreSharedEvenly(t *testing.T) {
	for _, c := range []struct{ n, size, step, blocks int }{
		{896, 2, 16, 2}, {1152, 2, 16, 2}, {9728, 2, 16, 2}, {256, 2, 6, 2}, {2116, 2, 6, 2}, {896, 2, 64, 16},
		{151936, 2, 64, 16}, {896, 8, 16, 2}, {5, 4, 16, 2},
	} {
		l := share(c.n, c.size, c.step, c.blocks)
		count := (c.n + l - 1) / l
		most := min(c.n, (count+c.size-1)/c.size*l)
		if l%c.step != 0 || c.n > c.size*c.step && most*c.size*100 > c.n*115 {
			t.Errorf("%+v: blocks of %d, one goroutine takes %d", c, l, most)
		}
	}
}

func TestGemmRefusesMatricesThatDoNotFit(t *testing.T) {
	x := make([]float32, 12)
	for name, call := range map[string]func(){
		"A too short":              func() { Team{}.Gemm(false, false, 4, 2, 4, x, 4, x, 2, false, x, 2) },
		"row distance below width": func() { Team{}.Gemm(false, false, 2, 2, 4, x, 3, x, 2, false, x, 2) },
		"C too short":              func() { Team{}.Gemm(false, false, 4, 4, 2, x, 2, x, 4, false, x, 4) },
		"panels' A too short": func() {
			Team{}.Mul(7, x, 2, Pack(false, 2, 2, x, 2), false,
				make([]float32, 14), 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("no panic")
				}
			}()
			call()
		})
	}
}

func TestProductsDoNotAllocateOnceWarm(t *testing.T) {
	x, c := make([]float32, 128*128), make([]float32, 128*128)
	p := Pack(true, 128, 128, x, 128)
	var team Team
	for name, call := range map[string]func(){
		"NT":     func() { team.Gemm(false, true, 128, 128, 128, x, 128, x, 128, false, c, 128) },
		"TN":     func() { team.Gemm(true, false, 128, 128, 128, x, 128, x, 128, true, c, 128) },
		"panels": func() { team.Mul(128, x, 128, p, false, c, 128) },
		"vector": func() { ExpSum(c, x, 1, 0) },
	} {
		if n := testing.AllocsPerRun(50, call); n > 0 {
			t.Errorf("%s allocates %.1f times a call", name, n)
		}
	}
}

func TestUseRefusesUnknownSets(t *testing.T) {
	if err := Use("quantum"); err == nil {
		t.Fatal("no error")
	}
}
