package pickle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/safetensors"
)

// script writes pickles as torch.save does.
type script struct{ bytes.Buffer }

func (s *script) text(v string) *script {
	s.WriteByte('X')
	binary.Write(s, binary.LittleEndian, uint32(len(v)))
	s.WriteString(v)
	return s
}

func (s *script) global(module, name string) *script {
	s.WriteString("c" + module + "\n" + name + "\n")
	return s
}

func (s *script) ints(list ...int) *script {
	s.WriteByte('(')
	for _, v := range list {
		s.WriteByte('J')
		binary.Write(s, binary.LittleEndian, int32(v))
	}
	s.WriteByte('t')
	return s
}

// tensor is a call of _rebuild_tensor_v2 on a storage of n values.
func (s *script) tensor(class, key string, n, offset int, shape, strides []int) *script {
	s.global("torch._utils", "_rebuild_tensor_v2").WriteByte('(')
	s.WriteByte('(')
	s.text("storage").global("torch", class).text(key).text("cpu").WriteByte('J')
	binary.Write(s, binary.LittleEndian, int32(n))
	s.WriteString("tQJ")
	binary.Write(s, binary.LittleEndian, int32(offset))
	s.ints(shape...).ints(strides...).WriteString("\x89")
	s.global("collections", "OrderedDict").WriteString(")RtR")
	return s
}

func begin() *script {
	s := &script{}
	s.WriteString("\x80\x02")
	return s
}

// floatBytes are values as a file holds them.
func floatBytes(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// archiveOf writes a zip archive as torch.save does.
func archiveOf(t testing.TB, pickled []byte, storages map[string][]byte) string {
	t.Helper()
	return write(t, archiveBytes(t, pickled, storages))
}

func archiveBytes(t testing.TB, pickled []byte, storages map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	put := func(name string, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("x/data.pkl", pickled)
	put("x/byteorder", []byte("little"))
	for key, data := range storages {
		put("x/data/"+key, data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func write(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weights.bin")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// streamOf writes a stream as torch.save did before 2020.
func streamOf(pickled []byte, keys []string, storages map[string][]byte, size int) []byte {
	var out bytes.Buffer
	out.WriteString("\x80\x02")
	out.Write(streamMagic)
	out.WriteString("\x80\x02M\xe9\x03.\x80\x02}.")
	out.Write(pickled)
	s := begin()
	s.WriteString("](")
	for _, k := range keys {
		s.text(k)
	}
	s.WriteString("e.")
	out.Write(s.Bytes())
	for _, k := range keys {
		binary.Write(&out, binary.LittleEndian, uint64(len(storages[k])/size))
		out.Write(storages[k])
	}
	return out.Bytes()
}

// two is a dictionary of a tensor, a transposed view of the same memory, and things that are none.
func two() []byte {
	s := begin()
	s.WriteString("}(")
	s.text("w").tensor("FloatStorage", "0", 6, 0, []int{2, 3}, []int{3, 1})
	s.text("t").tensor("FloatStorage", "0", 6, 1, []int{2, 2}, []int{1, 3})
	s.text("epoch").WriteString("K\x07")
	s.WriteString("u.")
	return s.Bytes()
}

func TestTensorsOfBothFormats(t *testing.T) {
	storages := map[string][]byte{"0": floatBytes(1, 2, 3, 4, 5, 6)}
	for name, path := range map[string]string{"archive": archiveOf(t, two(), storages),
		"stream": write(t, streamOf(two(), []string{"0"}, storages, 4))} {
		t.Run(name, func(t *testing.T) {
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if !slices.Equal(f.Names(), []string{"t", "w"}) {
				t.Errorf("its tensors are %q", f.Names())
			}
			if dtype, shape, ok := f.Info("w"); dtype != safetensors.F32 || !slices.Equal(shape, []int{2, 3}) || !ok {
				t.Errorf("w is %s%v", dtype, shape)
			}
			for tensor, want := range map[string][]float32{"w": {1, 2, 3, 4, 5, 6}, "t": {2, 5, 3, 6}} {
				if got, err := f.Float32(tensor); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s is %v, %v; want %v", tensor, got, err, want)
				}
			}
		})
	}
}

// TestHalfWidthsAreWidened reads the types of numbers that weights come in.
func TestHalfWidthsAreWidened(t *testing.T) {
	s := begin()
	s.WriteString("}(")
	s.text("h").tensor("HalfStorage", "0", 2, 0, []int{2}, []int{1})
	s.text("b").tensor("BFloat16Storage", "1", 2, 0, []int{2}, []int{1})
	s.text("d").tensor("DoubleStorage", "2", 1, 0, []int{}, []int{})
	s.text("i").tensor("LongStorage", "3", 1, 0, []int{1}, []int{1})
	s.WriteString("u.")
	f, err := Open(archiveOf(t, s.Bytes(), map[string][]byte{"0": {0, 0x3c, 0, 0xc0}, "1": {0x80, 0x3f, 0, 0xc0},
		"2": binary.LittleEndian.AppendUint64(nil, math.Float64bits(2.5)), "3": make([]byte, 8)}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for tensor, want := range map[string][]float32{"h": {1, -2}, "b": {1, -2}, "d": {2.5}} {
		if got, err := f.Float32(tensor); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s is %v, %v; want %v", tensor, got, err, want)
		}
	}
	if _, err := f.Float32("i"); err == nil || !strings.Contains(err.Error(), "I64") {
		t.Errorf("whole numbers were read as float32: %v", err)
	}
}

func TestContainersAreOpened(t *testing.T) {
	s := begin()
	s.text("") // something below on the stack
	s.WriteString("}")
	s.text("module").WriteString("}")
	s.text("w").tensor("FloatStorage", "0", 1, 0, []int{1}, []int{1})
	s.WriteString("ss.")
	path := archiveOf(t, s.Bytes(), map[string][]byte{"0": floatBytes(3)})
	f, err := Open(path, "model", "module")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !slices.Equal(f.Names(), []string{"w"}) {
		t.Errorf("its tensors are %q", f.Names())
	}
}

// TestNothingIsRun names what a pickle would have had Python do.
func TestNothingIsRun(t *testing.T) {
	for _, c := range []struct{ name, pickled, want string }{
		{"a command", "\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.", "posix.system"},
		{"by names on the stack", "\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", "builtins.eval"},
		{"within a dictionary", "\x80\x02}X\x01\x00\x00\x00acargparse\nNamespace\n)\x81s.", "argparse.Namespace"},
		{"an instance of old", "\x80\x02(iposix\nsystem\n.", "0x69"},
		{"an extension", "\x80\x02\x82\x01.", "0x82"},
		{"a name that would colour the terminal", "\x80\x02c\x1b[31mx\ny\n.", "?[31mx.y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(archiveOf(t, []byte(c.pickled), nil))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("error %v, want one that names %s", err, c.want)
			}
		})
	}
}

func TestDamageIsAnError(t *testing.T) {
	one := func(class string, n, offset int, shape, strides []int) []byte {
		s := begin()
		s.WriteString("}")
		s.text("w").tensor(class, "0", n, offset, shape, strides).WriteString("s.")
		return s.Bytes()
	}
	four := map[string][]byte{"0": floatBytes(1, 2, 3, 4)}
	whole := one("FloatStorage", 4, 0, []int{4}, []int{1})
	for name, path := range map[string]string{
		"values beyond the memory": archiveOf(t, one("FloatStorage", 4, 1, []int{4}, []int{1}), four),
		"spread out":               archiveOf(t, one("FloatStorage", 4, 0, []int{1 << 30, 1 << 30}, []int{0, 0}), four),
		"negative stride":          archiveOf(t, one("FloatStorage", 4, 3, []int{4}, []int{-1}), four),
		"more values than stored":  archiveOf(t, one("FloatStorage", 5, 0, []int{4}, []int{1}), four),
		"values missing":           archiveOf(t, whole, nil),
		"pickle cut off":           archiveOf(t, whole[:len(whole)-9], four),
		"no dictionary":            archiveOf(t, []byte("\x80\x02K\x01."), nil),
		"empty pickle":             archiveOf(t, nil, nil),
		"empty file":               write(t, nil),
		"text":                     write(t, []byte("version https://git-lfs.github.com/spec/v1\n")),
		"stream cut off":           write(t, streamOf(whole, []string{"0"}, four, 4)[:150]),
		"a folder":                 t.TempDir(),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Open(path)
			if err == nil {
				f.Close()
				t.Fatal("it was read")
			}
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
		})
	}
}

// TestAChangedValueIsNoticed turns a bit of an archive's values, which its checksum covers.
func TestAChangedValueIsNoticed(t *testing.T) {
	path := archiveOf(t, two(), map[string][]byte{"0": floatBytes(1, 2, 3, 4, 5, 6)})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, floatBytes(1, 2, 3, 4, 5, 6))
	data[at] ^= 1
	f, err := Open(write(t, data))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Float32("w"); err == nil {
		t.Error("a changed value was read")
	}
}

func TestGoldenPicklesHoldWhatSafetensorsHold(t *testing.T) {
	for pickled, plain := range map[string]string{"videomamba/videomamba_tiny.pth": "videomamba/videomamba_tiny",
		"model/videomamba.pth":               "model/videomamba",
		"model/init/non_lora_trainables.bin": "model/init/non_lora_trainables",
		"model/run/non_lora_trainables.bin":  "model/run/non_lora_trainables"} {
		t.Run(pickled, func(t *testing.T) {
			f, err := Open(goldentest.Dir(t, "mobile-videogpt", pickled), "model", "module")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			want, err := safetensors.Open(goldentest.Dir(t, "mobile-videogpt", plain+".safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			defer want.Close()
			if !slices.Equal(f.Names(), want.Names()) {
				t.Fatalf("its tensors are %q, want %q", f.Names(), want.Names())
			}
			for _, name := range want.Names() {
				a, err := f.Float32(name)
				if err != nil {
					t.Fatal(err)
				}
				b, _ := want.Float32(name)
				_, shape, _ := f.Info(name)
				_, wantShape, _ := want.Info(name)
				if !slices.Equal(a, b) || !slices.Equal(shape, wantShape) {
					t.Errorf("%s %v differs from %v", name, shape, wantShape)
				}
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	storages := map[string][]byte{"0": floatBytes(1, 2, 3, 4, 5, 6)}
	f.Add(streamOf(two(), []string{"0"}, storages, 4), false)
	f.Add(two(), true)
	f.Add(archiveBytes(f, two(), storages), false)
	f.Add([]byte("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94]\x94(K\x01\x8a\x01\xffe\x86\x940."),
		true)
	f.Fuzz(func(t *testing.T, data []byte, pickled bool) {
		if pickled {
			data = archiveBytes(t, data, storages)
		}
		check(t, data)
	})
}

// check reads all that a file gives.
func check(t *testing.T, data []byte) {
	tensors, err := open(data, []string{"model", "module"})
	if err != nil {
		return
	}
	file := safetensors.FromForeign("fuzzed", tensors, func() error { return nil })
	for _, name := range file.Names() {
		_, shape, _ := file.Info(name)
		n := 1
		for _, d := range shape {
			n *= d
		}
		if v, err := file.Float32(name); err == nil && len(v) != n {
			t.Errorf("%q of shape %v has %d values", name, shape, len(v))
		}
	}
}
