package goldentest

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"finetui/ml/safetensors"
)

// storages are PyTorch's names for the memory of element types.
var storages = map[safetensors.DType]string{safetensors.F32: "FloatStorage", safetensors.BF16: "BFloat16Storage",
	safetensors.F16: "HalfStorage", safetensors.F64: "DoubleStorage", safetensors.I64: "LongStorage"}

// Pickle turns the safetensors of a folder into what torch.save writes, under names that rename gives: one file, or the
// shards and the index of as many as are asked for.
func Pickle(t testing.TB, dir string, shards int, rename func(name string) string) {
	t.Helper()
	path := filepath.Join(dir, safetensors.SingleName)
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	lists := make([][]safetensors.Tensor, shards)
	index := map[string]string{}
	called := func(shard int) string {
		if shards == 1 {
			return "pytorch_model.bin"
		}
		return "pytorch_model-0000" + strconv.Itoa(shard+1) + "-of-0000" + strconv.Itoa(shards) + ".bin"
	}
	for i, name := range f.Names() {
		dtype, shape, _ := f.Info(name)
		raw, err := f.Raw(name)
		if err != nil {
			t.Fatal(err)
		}
		x := safetensors.Tensor{Name: rename(name), DType: dtype, Shape: shape, Data: raw}
		lists[i%shards], index[x.Name] = append(lists[i%shards], x), called(i%shards)
	}
	for i, list := range lists {
		TorchSave(t, filepath.Join(dir, called(i)), list)
	}
	if shards > 1 {
		text, err := json.Marshal(map[string]any{"metadata": map[string]any{}, "weight_map": index})
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "pytorch_model.bin.index.json"), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TorchSave writes a dictionary of tensors as torch.save does: an archive whose values begin at multiples of 64 bytes.
func TorchSave(t testing.TB, path string, tensors []safetensors.Tensor) {
	t.Helper()
	var p bytes.Buffer
	number := func(v int) {
		p.WriteByte('J')
		_ = binary.Write(&p, binary.LittleEndian, int32(v)) // a Buffer never fails
	}
	text := func(s string) {
		p.WriteByte('X')
		_ = binary.Write(&p, binary.LittleEndian, uint32(len(s)))
		p.WriteString(s)
	}
	tuple := func(list []int) {
		p.WriteByte('(')
		for _, v := range list {
			number(v)
		}
		p.WriteByte('t')
	}
	p.WriteString("\x80\x02}(")
	for i, x := range tensors {
		strides, n := make([]int, len(x.Shape)), 1
		for k := len(x.Shape) - 1; k >= 0; k-- {
			strides[k], n = n, n*x.Shape[k]
		}
		text(x.Name)
		p.WriteString("ctorch._utils\n_rebuild_tensor_v2\n((")
		text("storage")
		p.WriteString("ctorch\n" + storages[x.DType] + "\n")
		text(strconv.Itoa(i))
		text("cpu")
		number(n)
		p.WriteString("tQ")
		number(0)
		tuple(x.Shape)
		tuple(strides)
		p.WriteString("\x89ccollections\nOrderedDict\n)RtR")
	}
	p.WriteString("u.")
	TorchArchive(t, path, p.Bytes(), tensors)
}

// TorchArchive writes a pickle with the values of its tensors beside it.
func TorchArchive(t testing.TB, path string, pickled []byte, tensors []safetensors.Tensor) {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	put := func(name string, data []byte) error {
		if err := z.Flush(); err != nil {
			return err
		}
		head := &zip.FileHeader{Name: name, Method: zip.Store}
		const local = 30 // bytes of an entry's head before its name
		head.Extra = make([]byte, 4+(128-(out.Len()+local+len(name)+4)%64)%64)
		copy(head.Extra, "FB")
		binary.LittleEndian.PutUint16(head.Extra[2:], uint16(len(head.Extra)-4))
		w, err := z.CreateHeader(head)
		if err == nil {
			_, err = io.Copy(w, bytes.NewReader(data))
		}
		return err
	}
	err := put("archive/data.pkl", pickled)
	for i, x := range tensors {
		if err == nil {
			err = put("archive/data/"+strconv.Itoa(i), x.Data)
		}
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.WriteFile(path, out.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
