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
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/model"
	"finetui/ml/blas"
	"finetui/ml/lora"
	"finetui/ml/mapped"
	"finetui/ml/safetensors"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// Merged adds the adapter of a folder to the weights of the base in another, W + scale · B A, and writes the
// sum as a checkpoint in Hugging Face format: the base's shards and element types, under the classic tensor
// names, with all that trainers read beside them, see Base. Modules that the adapter holds as a whole take the
// place of the base's; where that unties embeddings and output (see lora.Changes), both are written. Tensor
// after tensor goes through memory, a few rows at a time. Sums are made in float32 and rounded to nearest,
// ties to even. Nothing that is there is overwritten.
func Merged(ctx context.Context, base, adapter, folder string, report Progress) error {
	settings, adapters, err := lora.Read(adapter)
	if err != nil {
		return err
	}
	kind, err := model.Inspect(base)
	if err != nil {
		return err
	}
	stored, err := weights.Open(base)
	if err != nil {
		return err
	}
	defer stored.Close()
	changes, products, err := settings.Changes(adapters, kind.Sizes().Tied)
	if err != nil {
		return fmt.Errorf("adapter %s on base %s: %w", adapter, base, err)
	}
	for i := range products {
		a := &products[i]
		name := a.Module + ".weight"
		change, replaced := changes.Tensors[name]
		if change.Add = a; !replaced {
			change.From = name
		}
		changes.Tensors[name] = change
	}
	m := &merger{ctx: ctx, weights: stored, changes: changes, report: report, team: blas.NewTeam(0)}
	shards, err := m.plan()
	if err != nil {
		return fmt.Errorf("adapter %s on base %s: %w", adapter, base, err)
	}
	return beside(folder, func(dir string) error {
		if err := companions(base, dir, changes.Untied); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(shards)) {
			err := mapped.Guard(func() error {
				return safetensors.Write(filepath.Join(dir, name), shards[name],
					m.metadata())
			})
			if err != nil {
				return mapped.Written(err, stored.Path())
			}
		}
		return writeIndex(base, dir, shards, m.total)
	})
}

// merger makes the tensors of the new checkpoint.
type merger struct {
	ctx     context.Context
	weights *safetensors.File
	changes lora.Changes
	team    blas.Team
	report  Progress

	done, total int64 // bytes
}

// plan lays out the new shards and finds each change's place.
func (m *merger) plan() (shards map[string][]safetensors.Tensor, err error) {
	shards = map[string][]safetensors.Tensor{}
	stored := map[string]string{} // by classic name
	for _, name := range m.weights.Names() {
		classic := weights.Classic(name)
		if stored[classic] != "" {
			return nil, fmt.Errorf("the base has %s twice, in both spellings", classic)
		}
		stored[classic] = name
	}
	lay := func(classic, like string) error {
		dtype, shape, _ := m.weights.Info(like)
		raw, err := m.weights.Raw(like)
		if err != nil {
			return err
		}
		m.total += int64(len(raw))
		t := safetensors.Tensor{Name: classic, DType: dtype, Shape: shape}
		fill := func(w io.Writer) error { return m.write(w, raw) }
		if c, ok := m.changes.Tensors[classic]; ok {
			if err := fits(c, t); err != nil {
				return err
			}
			fill = func(w io.Writer) error { return m.change(w, c, stored[c.From], t) }
		}
		t.Fill = func(w io.Writer) error {
			defer m.weights.Release(like)
			return fill(w)
		}
		shard := shardName(m.weights.Shard(like))
		shards[shard] = append(shards[shard], t)
		return nil
	}
	for _, name := range m.weights.Names() {
		if err := lay(weights.Classic(name), name); err != nil {
			return nil, err
		}
	}
	const head, embed = lora.HeadModule + ".weight", lora.EmbedModule + ".weight"
	if m.changes.Untied && stored[head] == "" && stored[embed] != "" {
		if err := lay(head, stored[embed]); err != nil {
			return nil, err
		}
		stored[head] = stored[embed]
	}
	for _, name := range slices.Sorted(maps.Keys(m.changes.Tensors)) {
		if stored[name] == "" {
			return nil, fmt.Errorf("the base has no tensor %s to merge into", name)
		}
	}
	return shards, nil
}

// shardName is what a shard is called as safetensors: as the hub does where it converts pickles.
func shardName(stored string) string {
	if rest, ok := strings.CutSuffix(stored, ".bin"); ok {
		return strings.Replace(rest, "pytorch_model", "model", 1) + ".safetensors"
	}
	return stored
}

// fits says whether a change can be made to a tensor.
func fits(c lora.Change, t safetensors.Tensor) error {
	if c.Values != nil && !slices.Equal(c.Shape, t.Shape) {
		return fmt.Errorf("the adapter's %s is %v, the base's is %v", t.Name, c.Shape, t.Shape)
	}
	if a := c.Add; a != nil && !slices.Equal(t.Shape, []int{a.Out, a.In}) {
		return fmt.Errorf("the adapter of %s is made for [%d, %d], the base's %s is %v", a.Module, a.Out, a.In,
			t.Name, t.Shape)
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

// change writes a tensor with what the adapter makes of it. from is the stored tensor from which
// the change starts where it brings no values of its own.
func (m *merger) change(w io.Writer, c lora.Change, from string, t safetensors.Tensor) error {
	rows, cols := 1, 1
	if len(t.Shape) > 0 {
		rows = t.Shape[0]
		for _, n := range t.Shape[1:] {
			cols *= n
		}
	}
	buffer := make([]float32, min(rowsAtOnce, rows)*cols)
	var out []byte
	for first := 0; first < rows; first += rowsAtOnce {
		part := buffer[:min(rowsAtOnce, rows-first)*cols]
		if c.Values != nil {
			copy(part, c.Values[first*cols:])
		} else if err := m.weights.Float32At(from, first*cols, part); err != nil {
			return err
		}
		if c.Add != nil {
			c.Add.MergeRows(m.team, first, part)
		}
		var finite bool
		if out, finite = encode(out[:0], t.DType, part); !finite {
			return fmt.Errorf("a sum of weight and adapter is no number, or too large for %s: the adapter is "+
				"broken, or made for another base", t.DType)
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

// writeIndex writes the index of a base that has one, with the new names. size is that of all tensors, in bytes.
func writeIndex(base, dir string, shards map[string][]safetensors.Tensor, size int64) error {
	var text []byte
	err := fs.ErrNotExist
	for _, name := range weights.IndexNames {
		if errors.Is(err, fs.ErrNotExist) {
			text, err = wholefile.Read(filepath.Join(base, name), wholefile.Text)
		}
	}
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
		Metadata  map[string]any    `json:"metadata,omitempty"`
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
	if index.Metadata["total_size"] != nil {
		index.Metadata["total_size"] = size
	}
	out, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, safetensors.IndexName), append(out, '\n'))
}
