package weights

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"finetui/ml/nn"
	"finetui/ml/safetensors"
)

// Stored is a Source of the tensors of several files, under names that the model gives them. The zero value has none.
type Stored struct {
	stores []*safetensors.File
	places map[string]place
}

// place is where a tensor lies.
type place struct {
	store *safetensors.File
	name  string // in the store
}

// Add takes those tensors of a store that classic gives a name to. Where two have the same name, that is an error: the
// file holds two models. Close closes the store.
func (s *Stored) Add(store *safetensors.File, classic func(stored string) (name string, ok bool)) error {
	s.stores = append(s.stores, store)
	if s.places == nil {
		s.places = map[string]place{}
	}
	for _, stored := range store.Names() {
		name, ok := classic(stored)
		if !ok {
			continue
		}
		if other, twice := s.places[name]; twice {
			return fmt.Errorf("%s: the tensors %q of %s and %q are both %s: keep one", store.Path(), other.name,
				other.store.Path(), stored, name)
		}
		s.places[name] = place{store, stored}
	}
	return nil
}

// Shape is that of a tensor; ok tells whether there is such a tensor.
func (s *Stored) Shape(name string) (shape []int, ok bool) {
	p, ok := s.places[name]
	if !ok {
		return nil, false
	}
	_, shape, ok = p.store.Info(p.name)
	return shape, ok
}

// Names are those of all tensors that begin with prefix, sorted.
func (s *Stored) Names(prefix string) (names []string) {
	for name := range s.places {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Close closes the stores. Values that were mapped from them must not be touched afterwards.
func (s *Stored) Close() error {
	var errs []error
	for _, store := range s.stores {
		errs = append(errs, store.Close())
	}
	s.stores, s.places = nil, nil
	return errors.Join(errs...)
}

// find is where a tensor lies, its type and its shape.
func (s *Stored) find(name string) (p place, dtype safetensors.DType, shape []int, err error) {
	p, ok := s.places[name]
	if ok {
		dtype, shape, ok = p.store.Info(p.name)
	}
	if !ok {
		var paths []string
		for _, store := range s.stores {
			paths = append(paths, store.Path())
		}
		return p, "", nil, fmt.Errorf("%s: tensor %s is missing, which the model asks for", strings.Join(paths, ", "),
			name)
	}
	return p, dtype, shape, nil
}

func (p place) sizeError(shape []int, want ...int) error {
	return fmt.Errorf("%s: tensor %s is %v, the model asks for %v: the file is another model's", p.store.Path(), p.name,
		shape, want)
}

// Matrix returns the tensor as [rows, cols], mapped from the file where it can be.
func (s *Stored) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	p, dtype, shape, err := s.find(name)
	if err != nil {
		return nn.Matrix{}, err
	}
	n := 1
	for _, d := range shape {
		n *= d
	}
	if len(shape) < 2 || shape[0] != rows || n != rows*cols {
		return nn.Matrix{}, p.sizeError(shape, rows, cols)
	}
	m := nn.Matrix{Rows: rows, Cols: cols, Release: func() { p.store.Release(p.name) }}
	if dtype == safetensors.BF16 {
		m.BF16, err = p.store.BF16(p.name)
	} else {
		m.F32, err = p.store.Float32(p.name)
	}
	return m, err
}

// Vector returns the tensor as [n].
func (s *Stored) Vector(name string, n int) ([]float32, error) {
	p, _, shape, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if len(shape) != 1 || shape[0] != n {
		return nil, p.sizeError(shape, n)
	}
	return p.store.Float32(p.name)
}

// Files are the paths of the stores that tensors are taken of.
func (s *Stored) Files() (paths []string) {
	used := map[*safetensors.File]bool{}
	for _, p := range s.places {
		used[p.store] = true
	}
	for _, store := range s.stores {
		if used[store] {
			paths = append(paths, store.Files()...)
		}
	}
	return paths
}
