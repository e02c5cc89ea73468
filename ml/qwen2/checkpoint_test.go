package qwen2

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/safetensors"
	"finetui/ml/weights"
)

// A checkpoint whose tensors come in half precision, bfloat16 and float32 side by side, within one fused product too,
// is computed with as if all were float32; one in whole numbers is refused by the tensor's name.
func TestCheckpointsOfMixedFormatsAreReadExactly(t *testing.T) {
	c := Config{Hidden: 8, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 4, Inner: 12, Vocab: 11, Eps: 1e-6, Theta: 1e4}
	formats := []safetensors.DType{safetensors.F16, safetensors.BF16, safetensors.F32}
	folder := func(format func(i int) safetensors.DType) string {
		src, err := New(c, goldentest.Drawn{}, weights.Tuning{})
		if err != nil {
			t.Fatal(err)
		}
		var tensors []safetensors.Tensor
		for i, x := range src.Tensors() {
			values := make([]float32, len(x.Value))
			for k, v := range x.Value {
				values[k] = float32(math.Round(float64(v)*16)) / 16 // which all formats hold
			}
			out := safetensors.FromFloat32(x.Name, x.Shape, values)
			if format(i) != safetensors.F32 {
				out = safetensors.FromFloat32AsBF16(x.Name, x.Shape, values)
			}
			if format(i) == safetensors.F16 {
				out.DType = safetensors.F16
				for k, v := range values {
					binary.LittleEndian.PutUint16(out.Data[2*k:], safetensors.RoundF16(v))
				}
			}
			if format(i) == safetensors.I16 {
				out.DType = safetensors.I16
			}
			tensors = append(tensors, out)
		}
		dir := t.TempDir()
		if err := safetensors.Write(filepath.Join(dir, safetensors.SingleName), tensors, nil); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	logits := func(dir string) ([]float32, error) {
		ckpt, err := weights.OpenCheckpoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer ckpt.Close()
		m, err := New(c, ckpt, weights.Tuning{})
		if err != nil {
			return nil, err
		}
		return m.NewSession(nn.NewExec(1)).Prompt(textBatch([]int32{3, 1, 4, 1, 5}), nil)
	}
	want, err := logits(folder(func(int) safetensors.DType { return safetensors.F32 }))
	if err != nil {
		t.Fatal(err)
	}
	for shift := range formats {
		got, err := logits(folder(func(i int) safetensors.DType { return formats[(i+shift)%3] }))
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-5*(1+math.Abs(float64(want[i]))) {
				t.Fatalf("mixture %d: logit %d is %v, of float32 weights %v", shift, i, got[i], want[i])
			}
		}
	}
	if _, err := logits(folder(func(int) safetensors.DType { return safetensors.I16 })); err == nil ||
		!strings.Contains(err.Error(), `"model.embed_tokens.weight" is I16`) {
		t.Errorf("whole numbers: %v", err)
	}
}
