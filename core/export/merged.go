package export

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/ml/blas"
	"finetui/ml/lora"
	"finetui/ml/mapped"
	"finetui/ml/qwen2"
	"finetui/ml/safetensors"
	"finetui/ml/wholefile"
)

// Merged adds the adapter of a folder to the weights of the base in another, W + scale · B A, and writes the sum as a
// checkpoint in Hugging Face format: the base's shards and element types, under the classic tensor names, with the base's
// configuration, tokenizer and processor beside them. Tensor after tensor goes through memory, a few rows at a time.
// Sums are made in float32 and rounded to nearest, ties to even. Nothing that is there is overwritten.
func Merged(ctx context.Context, base, adapter, folder string, report Progress) error {
	_, adapters, err := lora.Read(adapter)
	if err != nil {
		return err
	}
	config, err := readConfig(base)
	if err != nil {
		return err
	}
	weights, err := safetensors.OpenFolder(base)
	if err != nil {
		return err
	}
	defer weights.Close()
	m := &merger{ctx: ctx, weights: weights, adapters: map[string]*lora.Adapter{}, report: report, team: blas.NewTeam(0)}
	for i := range adapters {
		m.adapters[adapters[i].Module] = &adapters[i]
	}
	shards, err := m.plan()
	if config.Tied && m.adapters["lm_head"] != nil {
		err = errors.New("the base's output product is its embedding matrix (tie_word_embeddings): an adapter of lm_head cannot be merged into one without changing the other")
	}
	if err != nil {
		return fmt.Errorf("adapter %s on base %s: %w", adapter, base, err)
	}
	return beside(folder, func(dir string) error {
		if err := copyCompanions(base, dir); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(shards)) {
			err := mapped.Guard(func() error { return safetensors.Write(filepath.Join(dir, name), shards[name], m.metadata()) })
			if err != nil {
				return mapped.Written(err, weights.Path())
			}
		}
		return writeIndex(base, dir, shards)
	})
}

// readConfig is the configuration of the base's language model.
func readConfig(base string) (qwen2.Config, error) {
	data, err := qwen2.ReadConfig(base)
	if err != nil {
		return qwen2.Config{}, err
	}
	c, err := qwen2.ParseConfig(data)
	if err != nil {
		return c, fmt.Errorf("%s: %w", base, err)
	}
	return c, nil
}

// merger makes the tensors of the new checkpoint.
type merger struct {
	ctx      context.Context
	weights  *safetensors.File
	adapters map[string]*lora.Adapter // by module, in the classic spelling
	team     blas.Team
	report   Progress

	done, total int64 // bytes
}

// plan lays out the new shards and finds each adapter's place.
func (m *merger) plan() (shards map[string][]safetensors.Tensor, err error) {
	shards = map[string][]safetensors.Tensor{}
	placed, seen := map[string]bool{}, map[string]bool{}
	for _, stored := range m.weights.Names() {
		dtype, shape, _ := m.weights.Info(stored)
		raw, err := m.weights.Raw(stored)
		if err != nil {
			return nil, err
		}
		m.total += int64(len(raw))
		t := safetensors.Tensor{Name: qwen2.Classic(stored), DType: dtype, Shape: shape}
		module, isWeight := strings.CutSuffix(t.Name, ".weight")
		fill := func(w io.Writer) error { return m.write(w, raw) }
		if a := m.adapters[module]; a != nil && isWeight {
			if err := fits(a, t); err != nil {
				return nil, err
			}
			placed[module] = true
			fill = func(w io.Writer) error { return m.merge(w, stored, a) }
		}
		t.Fill = func(w io.Writer) error {
			defer m.weights.Release(stored)
			return fill(w)
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("the base has %s twice, in both spellings", t.Name)
		}
		seen[t.Name] = true
		shard := m.weights.Shard(stored)
		shards[shard] = append(shards[shard], t)
	}
	for _, module := range slices.Sorted(maps.Keys(m.adapters)) {
		if !placed[module] {
			return nil, fmt.Errorf("the base has no tensor %s.weight to merge into", module)
		}
	}
	return shards, nil
}

// fits says whether an adapter can be added to a tensor.
func fits(a *lora.Adapter, t safetensors.Tensor) error {
	if !slices.Equal(t.Shape, []int{a.Out, a.In}) {
		return fmt.Errorf("the adapter of %s is made for [%d, %d], the base's %s is %v", a.Module, a.Out, a.In, t.Name, t.Shape)
	}
	switch t.DType {
	case safetensors.BF16, safetensors.F16, safetensors.F32:
		return nil
	}
	return fmt.Errorf("the base's %s is %s: an adapter can be merged into BF16, F16 and F32", t.Name, t.DType)
}

// metadata is the base's, with the word by which transformers knows how to read a file.
func (m *merger) metadata() map[string]string {
	out := maps.Clone(m.weights.Metadata())
	if out == nil {
		out = map[string]string{}
	}
	out["format"] = "pt"
	return out
}

// piece is how many bytes are written between two looks at the context.
const piece = 4 << 20

// write writes bytes and says how far the checkpoint is.
func (m *merger) write(w io.Writer, data []byte) error {
	for len(data) > 0 {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		n := min(piece, len(data))
		if _, err := w.Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
		m.done += int64(n)
		if m.report != nil {
			m.report(int(m.done>>20), int(m.total>>20), "MB of the merged checkpoint")
		}
	}
	return nil
}

// rowsAtOnce bounds what is in memory of a matrix.
const rowsAtOnce = 256

// merge writes the stored matrix with the adapter added.
func (m *merger) merge(w io.Writer, stored string, a *lora.Adapter) error {
	dtype, _, _ := m.weights.Info(stored)
	rows := make([]float32, rowsAtOnce*a.In)
	var out []byte
	for first := 0; first < a.Out; first += rowsAtOnce {
		part := rows[:min(rowsAtOnce, a.Out-first)*a.In]
		if err := m.weights.Float32At(stored, first*a.In, part); err != nil {
			return err
		}
		a.MergeRows(m.team, first, part)
		var finite bool
		if out, finite = encode(out[:0], dtype, part); !finite {
			return fmt.Errorf("a sum of weight and adapter is no number, or too large for %s: the adapter is broken, or made for another base", dtype)
		}
		if err := m.write(w, out); err != nil {
			return err
		}
	}
	return nil
}

// encode appends values as elements of a type, little-endian, and says whether all are finite in it.
func encode(out []byte, dtype safetensors.DType, values []float32) ([]byte, bool) {
	const infinity, infinity16, infinityB16 = 0x7f800000, 0x7c00, 0x7f80 // the exponents that no finite value has
	finite := true
	for _, v := range values {
		switch dtype {
		case safetensors.F32:
			bits := math.Float32bits(v)
			finite = finite && bits&infinity != infinity
			out = binary.LittleEndian.AppendUint32(out, bits)
		case safetensors.F16:
			bits := safetensors.RoundF16(v)
			finite = finite && bits&infinity16 != infinity16
			out = binary.LittleEndian.AppendUint16(out, bits)
		default:
			bits := safetensors.RoundBF16(v)
			finite = finite && bits&infinityB16 != infinityB16
			out = binary.LittleEndian.AppendUint16(out, bits)
		}
	}
	return out, finite
}

// copyCompanions copies what a checkpoint's folder holds beside its weights: configuration, tokenizer, processor, licence.
func copyCompanions(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !isCompanion(e.Name()) {
			continue
		}
		path := filepath.Join(from, e.Name())
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // what a link leads to
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := wholefile.Write(filepath.Join(to, e.Name()), data); err != nil {
			return err
		}
	}
	return nil
}

func isCompanion(name string) bool {
	switch {
	case strings.HasPrefix(name, "."), strings.HasSuffix(name, ".index.json"), strings.HasPrefix(name, "adapter_"):
		return false
	case strings.HasPrefix(name, "LICENSE"), strings.HasPrefix(name, "NOTICE"):
		return true
	}
	return slices.Contains([]string{".json", ".txt", ".jinja", ".model"}, filepath.Ext(name))
}

// writeIndex writes the index of a base that has one, with the new names.
func writeIndex(base, dir string, shards map[string][]safetensors.Tensor) error {
	text, err := os.ReadFile(filepath.Join(base, safetensors.IndexName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, single := shards[safetensors.SingleName]; single && len(shards) == 1 {
		return nil // the index of weights that were not read
	}
	var index struct {
		Metadata  json.RawMessage   `json:"metadata,omitempty"`
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return fmt.Errorf("%s: %w", safetensors.IndexName, err)
	}
	index.WeightMap = map[string]string{}
	for shard, tensors := range shards {
		for _, t := range tensors {
			index.WeightMap[t.Name] = shard
		}
	}
	out, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, safetensors.IndexName), append(out, '\n'))
}
