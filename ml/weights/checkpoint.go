package weights

import (
	"fmt"
	"path/filepath"
	"strings"

	"finetui/ml/nn"
	"finetui/ml/safetensors"
	"finetui/ml/wholefile"
)

// Checkpoint is a folder in Hugging Face format as a Source, of safetensors
// or of pickles. It takes both spellings of Qwen2-VL's names.
type Checkpoint struct {
	*safetensors.File
	newNames bool
}

// OpenCheckpoint maps the weights of a folder. Close it only after the last use of a model made from it.
func OpenCheckpoint(dir string) (*Checkpoint, error) {
	f, err := Open(dir)
	if err != nil {
		return nil, err
	}
	_, _, ok := f.Info("model.language_model.embed_tokens.weight")
	return &Checkpoint{File: f, newNames: ok}, nil
}

// ReadConfig returns the folder's config.json.
func ReadConfig(dir string) ([]byte, error) {
	data, err := wholefile.Read(filepath.Join(dir, "config.json"), wholefile.Text)
	if err != nil {
		return nil, fmt.Errorf("%s holds no readable config.json, so it is no model folder: %w", dir, err)
	}
	return data, nil
}

// stored is the tensor's name in this file, for its classic name.
func (c *Checkpoint) stored(name string) string {
	if !c.newNames {
		return name
	}
	if strings.HasPrefix(name, "visual.") {
		return "model." + name
	}
	if rest, ok := strings.CutPrefix(name, "model."); ok {
		return "model.language_model." + rest
	}
	return name
}

// Classic is the classic name of a tensor, whichever way it is stored.
func Classic(stored string) string {
	if rest, ok := strings.CutPrefix(stored, "model.language_model."); ok {
		return "model." + rest
	}
	if rest, ok := strings.CutPrefix(stored, "model.visual."); ok {
		return "visual." + rest
	}
	return stored
}

// WeightBytes is the size of a matrix's value in working order: 2 where they are stored as bfloat16, else 4.
func (c *Checkpoint) WeightBytes() int {
	if dtype, _, _ := c.Info(c.stored("model.embed_tokens.weight")); dtype == safetensors.BF16 {
		return 2
	}
	return 4
}

// find is a tensor's stored name, type and shape.
func (c *Checkpoint) find(name string) (stored string, dtype safetensors.DType, shape []int, err error) {
	stored = c.stored(name)
	dtype, shape, ok := c.Info(stored)
	if !ok {
		err = fmt.Errorf("%s: tensor %s is missing, which config.json asks for: one of the two is another model's",
			c.Path(), stored)
	}
	return stored, dtype, shape, err
}

// sizeError says that a tensor has another size than the configuration asks for.
func (c *Checkpoint) sizeError(stored string, shape []int, want ...int) error {
	return fmt.Errorf("%s: tensor %s is %v, config.json asks for %v: one of the two is another model's", c.Path(),
		stored, shape, want)
}

// Matrix returns the tensor as [rows, cols], mapped from the file where it can be.
func (c *Checkpoint) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	stored, dtype, shape, err := c.find(name)
	if err != nil {
		return nn.Matrix{}, err
	}
	n := 1
	for _, d := range shape {
		n *= d
	}
	if len(shape) < 2 || shape[0] != rows || n != rows*cols {
		return nn.Matrix{}, c.sizeError(stored, shape, rows, cols)
	}
	m := nn.Matrix{Rows: rows, Cols: cols, Release: func() { c.Release(stored) }}
	if dtype == safetensors.BF16 {
		m.BF16, err = c.BF16(stored)
	} else {
		m.F32, err = c.Float32(stored)
	}
	return m, err
}

// Vector returns the tensor as [n].
func (c *Checkpoint) Vector(name string, n int) ([]float32, error) {
	stored, _, shape, err := c.find(name)
	if err != nil {
		return nil, err
	}
	if len(shape) != 1 || shape[0] != n {
		return nil, c.sizeError(stored, shape, n)
	}
	return c.Float32(stored)
}
