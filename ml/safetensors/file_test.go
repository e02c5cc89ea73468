package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fromInt64 is an I64 tensor of the values.
func fromInt64(name string, shape []int, values []int64) Tensor {
	data := make([]byte, 8*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint64(data[8*i:], uint64(v))
	}
	return Tensor{Name: name, DType: I64, Shape: shape, Data: data}
}

// write stores the tensors in a fresh folder and opens them again.
func write(t *testing.T, metadata map[string]string, tensors ...Tensor) *File {
	t.Helper()
	path := filepath.Join(t.TempDir(), SingleName)
	if err := Write(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	values := []float32{0, -1.5, 3.25, float32(math.Inf(1)), 1e-30, 7}
	f := write(t, map[string]string{"format": "pt", "a<b": "Ünï&"},
		fromInt64("ids", []int{2}, []int64{-5, 1 << 40}),
		FromFloat32("w", []int{2, 3}, values),
		FromFloat32AsBF16("half", []int{6}, values),
		FromFloat32("none", []int{0, 4}, nil),
		FromFloat32("scalar", nil, values[1:2]),
		Tensor{Name: "odd", DType: U8, Shape: []int{3}, Data: []byte{1, 2, 255}})
	if want := []string{"half", "ids", "none", "odd", "scalar", "w"}; !slices.Equal(f.Names(), want) {
		t.Errorf("names %v, want %v", f.Names(), want)
	}
	if got := f.Metadata()["a<b"]; got != "Ünï&" {
		t.Errorf("metadata %q", got)
	}
	if got, err := f.Float32("w"); err != nil || !slices.Equal(got, values) {
		t.Errorf("w = %v, %v", got, err)
	}
	if got, err := f.Float32("none"); err != nil || len(got) != 0 {
		t.Errorf("none = %v, %v", got, err)
	}
	if got, err := f.Int64("ids"); err != nil || !slices.Equal(got, []int64{-5, 1 << 40}) {
		t.Errorf("ids = %v, %v", got, err)
	}
	if got, err := f.Int64("odd"); err != nil || !slices.Equal(got, []int64{1, 2, 255}) {
		t.Errorf("odd = %v, %v", got, err)
	}
	bits, err := f.BF16("half")
	if err != nil || bits[1] != 0xbfc0 {
		t.Errorf("half = %x, %v", bits, err)
	}
	if dtype, shape, ok := f.Info("scalar"); !ok || dtype != F32 || len(shape) != 0 {
		t.Errorf("scalar is %v%v, %v", dtype, shape, ok)
	}
}

func TestTensorsMadeWhenTheirTurnComes(t *testing.T) {
	late := func(n int) Tensor {
		return Tensor{Name: "late", DType: BF16, Shape: []int{2, 2}, Fill: func(w io.Writer) error {
			_, err := w.Write(make([]byte, n))
			return err
		}}
	}
	f := write(t, nil, late(8), fromInt64("ids", []int{1}, []int64{9}))
	if raw, err := f.Raw("late"); err != nil || len(raw) != 8 {
		t.Errorf("late = %v, %v", raw, err)
	}
	if got, err := f.Int64("ids"); err != nil || got[0] != 9 || f.Shard("ids") != SingleName || f.Shard("other") != "" {
		t.Errorf("ids = %v in %q, %v", got, f.Shard("ids"), err)
	}
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, SingleName), []Tensor{late(6)}, nil); err == nil ||
		!strings.Contains(err.Error(), `"late"`) {
		t.Errorf("too few bytes: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("a failed writer left %v, %v", left, err)
	}
}

func TestReleasedTensorsCanBeReadAgain(t *testing.T) {
	values := make([]float32, 5000)
	for i := range values {
		values[i] = float32(i)
	}
	f := write(t, nil, FromFloat32("w", []int{5000}, values), FromFloat32("small", []int{1}, values[:1]),
		FromFloat32("none", []int{0}, nil))
	got, err := f.Float32("w")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"w", "small", "none", "other"} {
		f.Release(name)
	}
	if !slices.Equal(got, values) {
		t.Error("the values changed")
	}
}

func TestAccessorsRefuseByTensorAndType(t *testing.T) {
	f := write(t, nil, fromInt64("ids", []int{1}, []int64{1}))
	_, float := f.Float32("ids")
	_, bf16 := f.BF16("ids")
	_, raw := f.Raw("weights")
	for _, c := range []struct {
		err  error
		want string
	}{{float, `"ids" is I64`}, {bf16, `"ids" is I64`}, {raw, `no tensor "weights"`}} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || !strings.Contains(c.err.Error(), f.Path()) {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
}

func TestPartsOfATensorLieWithinIt(t *testing.T) {
	f := write(t, nil, FromFloat32AsBF16("w", []int{2, 2}, []float32{1, 2, 3, 4}), fromInt64("n", []int{1}, []int64{7}))
	out := make([]float32, 2)
	if err := f.Float32At("w", 2, out); err != nil || !slices.Equal(out, []float32{3, 4}) {
		t.Errorf("values 2 and 3 are %v, %v", out, err)
	}
	for _, first := range []int{-1, 3, math.MaxInt, math.MinInt} {
		if err := f.Float32At("w", first, out); err == nil || !strings.Contains(err.Error(), "has 4 values") {
			t.Errorf("from %d on: %v", first, err)
		}
	}
	if err := f.Float32At("n", 0, out[:1]); err == nil || !strings.Contains(err.Error(), "is I64") {
		t.Errorf("whole numbers: %v", err)
	}
}

func TestHalfPrecisionRoundsToNearestEven(t *testing.T) {
	for bits := range uint32(0x7c00) {
		half := uint16(bits)
		v, next := WidenF16(half), WidenF16(half+1)
		if got := RoundF16(v); got != half {
			t.Fatalf("%04x comes back as %04x", half, got)
		}
		if got := RoundF16(-v); got != half|0x8000 {
			t.Fatalf("-%04x comes back as %04x", half, got)
		}
		if half == 0x7bff {
			next = 65536
		}
		middle, even := v+(next-v)/2, half+half&1
		if got := RoundF16(middle); got != even {
			t.Fatalf("between %04x and the next one: %04x, want the even one", half, got)
		}
		if RoundF16(math.Nextafter32(middle, 0)) != half || RoundF16(math.Nextafter32(middle, 1e9)) != half+1 {
			t.Fatalf("beside the middle above %04x: not the nearer one", half)
		}
	}
	if nan := RoundF16(float32(math.NaN())); nan != 0x7e00 || RoundF16(float32(math.Inf(-1))) != 0xfc00 ||
		RoundF16(1e9) != 0x7c00 {
		t.Errorf("NaN becomes %04x", nan)
	}
}

func TestHalfPrecisionWidensExactly(t *testing.T) {
	for bits, want := range map[uint16]float64{0: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: math.Exp2(-14),
		0x0001: math.Exp2(-24), 0x83ff: -1023 * math.Exp2(-24), 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1)} {
		if got := float64(WidenF16(bits)); got != want {
			t.Errorf("%04x widens to %g, want %g", bits, got, want)
		}
	}
	if got := WidenF16(0x8000); got != 0 || !math.Signbit(float64(got)) {
		t.Errorf("8000 widens to %g, want -0", got)
	}
	if got := WidenF16(0x7e01); got == got {
		t.Errorf("7e01 widens to %g, want NaN", got)
	}
}

func TestBF16RoundsToNearestEven(t *testing.T) {
	for _, c := range []struct{ in, want uint32 }{
		{0x3f800000, 0x3f80}, {0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, {0x3f808001, 0x3f81},
		{0x7f7fffff, 0x7f80}, {0x7f800000, 0x7f80}, {0x7f800001, 0x7fc0}, {0xff812345, 0xffc1}, {0x80000000, 0x8000},
	} {
		if got := RoundBF16(math.Float32frombits(c.in)); uint32(got) != c.want {
			t.Errorf("%08x rounds to %04x, want %04x", c.in, got, c.want)
		}
	}
}

func TestOrderOfTensorsDoesNotChangeTheBytes(t *testing.T) {
	a := FromFloat32("a", []int{1}, []float32{1})
	b := FromFloat32AsBF16("b", []int{1}, []float32{2})
	c := fromInt64("c", []int{1}, []int64{3})
	meta := map[string]string{"x": "1", "y": "2", "z": "3"}
	dir := t.TempDir()
	var want []byte
	for i, order := range [][]Tensor{{a, b, c}, {c, a, b}, {b, c, a}} {
		path := filepath.Join(dir, "x.safetensors")
		if err := Write(path, order, meta); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && !bytes.Equal(got, want) {
			t.Errorf("order %d gives other bytes", i)
		}
		want = got
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("writing left %v, %v", left, err)
	}
}

func TestWriteRefusesWhatNoReaderWouldTake(t *testing.T) {
	one := FromFloat32("w", []int{1}, []float32{1})
	for name, tensors := range map[string][]Tensor{
		"occupied name": {FromFloat32("__metadata__", []int{1}, []float32{1})},
		"twice":         {one, one},
		"wrong size":    {FromFloat32("w", []int{2}, []float32{1})},
		"negative side": {FromFloat32("w", []int{-1}, nil)},
		"unknown type":  {{Name: "w", DType: "F12", Shape: []int{0}}},
	} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := Write(path, tensors, nil); err == nil {
			t.Errorf("%s: no error", name)
		} else if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was left behind", name)
		}
	}
}

func TestShardsActAsOneFile(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, tensors ...Tensor) {
		if err := Write(filepath.Join(dir, name), tensors, map[string]string{"format": "pt"}); err != nil {
			t.Fatal(err)
		}
	}
	index := func(weightMap map[string]string) {
		text, err := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 8}, "weight_map": weightMap})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, IndexName), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(want string) {
		t.Helper()
		if _, err := OpenFolder(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that holds %q", err, want)
		}
	}
	refused("neither")
	put("one.safetensors", FromFloat32("a", []int{1}, []float32{1}))
	index(map[string]string{"a": "one.safetensors", "b": "two.safetensors"})
	refused("1 of 2 shards are missing: two.safetensors")
	put("two.safetensors", FromFloat32("c", []int{1}, []float32{2}))
	refused(`"b" (two.safetensors)`)
	put("two.safetensors", FromFloat32("b", []int{1}, []float32{2}))
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := f.Float32("b"); err != nil || b[0] != 2 || !slices.Equal(f.Names(), []string{"a", "b"}) {
		t.Errorf("b = %v, %v; names %v", b, err, f.Names())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	index(map[string]string{"a": "../one.safetensors"})
	refused("not the name of a file beside the index")
}

func BenchmarkWidenBF16(b *testing.B) {
	path := filepath.Join(b.TempDir(), SingleName)
	values := make([]float32, 1<<20)
	if err := Write(path, []Tensor{FromFloat32AsBF16("w", []int{1 << 20}, values)}, nil); err != nil {
		b.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.SetBytes(2 << 20)
	for b.Loop() {
		if _, err := f.Float32("w"); err != nil {
			b.Fatal(err)
		}
	}
}
