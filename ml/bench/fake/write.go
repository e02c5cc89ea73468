package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"finetui/ml/safetensors"
	"finetui/ml/wholefile"
)

// write makes the folder, which must not be there, and returns the number of bytes of all weights.
func (l *layout) write(folder, tokenizer string) (total int64, err error) {
	if err := os.Mkdir(folder, 0o755); err != nil {
		return 0, err
	}
	for name, data := range l.files {
		if err := wholefile.Write(filepath.Join(folder, name), data); err != nil {
			return 0, err
		}
	}
	for _, name := range []string{"tokenizer.json", "tokenizer_config.json"} {
		data, err := os.ReadFile(filepath.Join(tokenizer, name))
		if errors.Is(err, fs.ErrNotExist) && name != "tokenizer.json" {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("the tokenizer: %w; name a folder that holds one", err)
		}
		if err := wholefile.Write(filepath.Join(folder, name), data); err != nil {
			return 0, err
		}
	}
	shards := l.shards()
	weightMap := map[string]string{}
	for i, shard := range shards {
		name := safetensors.SingleName
		if len(shards) > 1 {
			name = fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
		}
		var tensors []safetensors.Tensor
		for _, t := range shard {
			total += t.bytes()
			weightMap[t.name] = name
			tensors = append(tensors, safetensors.Tensor{Name: t.name, DType: safetensors.BF16, Shape: t.shape,
				Fill: t.draw})
		}
		if err := safetensors.Write(filepath.Join(folder, name), tensors,
			map[string]string{"format": "pt"}); err != nil {
			return 0, err
		}
	}
	if len(shards) == 1 {
		return total, nil
	}
	index, err := json.MarshalIndent(map[string]any{"metadata": map[string]int64{"total_size": total},
		"weight_map": weightMap}, "", "  ")
	if err != nil {
		return 0, err
	}
	return total, wholefile.Write(filepath.Join(folder, safetensors.IndexName), append(index, '\n'))
}

// shards fills one file after the other.
func (l *layout) shards() [][]tensor {
	out := [][]tensor{nil}
	room := l.shard
	for _, t := range l.tensors {
		if t.bytes() > room && len(out[len(out)-1]) > 0 {
			out, room = append(out, nil), l.shard
		}
		out[len(out)-1] = append(out[len(out)-1], t)
		room -= t.bytes()
	}
	return out
}

// deviation is the standard deviation from which such models are trained (initializer_range).
const deviation = 0.02

// draw writes normally distributed values, or the ones of a normalisation's weight. They depend on the tensor's name
// alone. Values come from a table of 65536, since drawing each would take longer than writing it.
func (t tensor) draw(w io.Writer) error {
	name := fnv.New64a()
	name.Write([]byte(t.name))
	random := rand.NewPCG(name.Sum64(), 1)
	isNorm := strings.HasSuffix(t.name, "norm.weight") || strings.Contains(t.name, "norm1.weight") ||
		strings.Contains(t.name, "norm2.weight") || strings.HasSuffix(t.name, "ln_q.weight")
	table := make([]uint16, 1<<16)
	normal := rand.New(random)
	for i := range table {
		if isNorm {
			table[i] = safetensors.RoundBF16(1)
		} else {
			table[i] = safetensors.RoundBF16(float32(normal.NormFloat64() * deviation))
		}
	}
	buffer := make([]byte, 0, 1<<16)
	for left := t.bytes() / 2; left > 0; {
		buffer = buffer[:0]
		for ; left > 0 && len(buffer) < 1<<16; left -= min(left, 4) {
			bits := random.Uint64()
			for range min(left, 4) {
				v := table[uint16(bits)]
				buffer = append(buffer, byte(v), byte(v>>8))
				bits >>= 16
			}
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}
