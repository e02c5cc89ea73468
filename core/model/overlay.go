package model

import (
	"fmt"
	"maps"
	"slices"

	"finetui/ml/blas"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/weights"
)

// overlay is a base's tensors with those that an adapter replaces as a whole.
type overlay struct {
	weights.Source
	tensors map[string]lora.Change
	asked   map[string]bool
}

func (o *overlay) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	c, ok := o.tensors[name]
	if !ok {
		return o.Source.Matrix(name, rows, cols)
	}
	o.asked[name] = true
	values := c.Values
	if values == nil {
		m, err := o.Source.Matrix(c.From, rows, cols)
		if err != nil || c.Add == nil {
			return m, err
		}
		values = weights.Floats(m)
	} else if len(c.Shape) < 2 || c.Shape[0] != rows || len(values) != rows*cols {
		return nn.Matrix{}, sizeOf(name, c.Shape, rows, cols)
	}
	if a := c.Add; a != nil {
		if a.Out != rows || a.In != cols {
			return nn.Matrix{}, sizeOf(name, []int{a.Out, a.In}, rows, cols)
		}
		values = slices.Clone(values) // they may be the file's own, mapped
		a.Merge(blas.NewTeam(0), values)
	}
	return nn.Matrix{Rows: rows, Cols: cols, F32: values}, nil
}

func (o *overlay) Vector(name string, n int) ([]float32, error) {
	c, ok := o.tensors[name]
	if !ok {
		return o.Source.Vector(name, n)
	}
	o.asked[name] = true
	if len(c.Shape) != 1 || len(c.Values) != n {
		return nil, sizeOf(name, c.Shape, n)
	}
	return c.Values, nil
}

func sizeOf(name string, shape []int, want ...int) error {
	return fmt.Errorf("the adapter's %s is %v, the base's %v: it was trained on another base, or on one whose "+
		"vocabulary was changed; use that base as MODEL.BASE", name, shape, want)
}

// newWith builds the base's network with what an adapter makes of whole tensors.
func (b *Base) newWith(adapter string, ch lora.Changes, t Tuning) (n Network, err error) {
	t.Untied = ch.Untied
	var src weights.Source = b.checkpoint
	if k, ok := b.Kind.(interface {
		Over(src weights.Source, adapter string) (weights.Source, error)
	}); ok && adapter != "" {
		if src, err = k.Over(src, adapter); err != nil {
			return nil, err
		}
	}
	over := &overlay{src, ch.Tensors, map[string]bool{}}
	n, err = b.build(over, t)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(ch.Tensors)) {
		if !over.asked[name] {
			return nil, fmt.Errorf("the adapter holds %s as a whole, and the base has no such tensor", name)
		}
	}
	return n, nil
}
