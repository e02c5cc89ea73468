package weights

import (
	"finetui/ml/blas"
	"finetui/ml/nn"
)

// Builder puts the weights of one block together: it fetches tensors, fuses products that share an input, and lays out
// what is trained. The first error stays in it. It serves every model of the family, the vision tower too.
type Builder struct {
	Layout nn.Layout

	src    Source
	tune   Tuning
	prefix string
	use    uint64
	values map[string][]float32
	bound  []func(flat []float32)
	err    error
}

// NewBuilder returns a builder of the block whose tensors start with prefix. use numbers its dropout streams.
func NewBuilder(src Source, tune Tuning, prefix string, use uint64) *Builder {
	return &Builder{src: src, tune: tune, prefix: prefix, use: use, values: map[string][]float32{}}
}

// Part names rows of a fused product: the module and how many rows it has.
type Part struct {
	Module string
	Out    int
}

// Norm fetches a normalisation's weight, and its bias where shift is set.
func (b *Builder) Norm(module string, width int, eps float64, shift bool) *nn.Norm {
	n := &nn.Norm{Eps: float32(eps)}
	n.W, n.WSpan = b.vector(module+".weight", width)
	if shift {
		n.B, n.BSpan = b.vector(module+".bias", width)
	}
	b.bound = append(b.bound, func(flat []float32) {
		if w := n.WSpan.Of(flat); w != nil {
			n.W, n.B = w, n.BSpan.Of(flat)
		}
	})
	return n
}

func (b *Builder) vector(name string, n int) ([]float32, nn.Span) {
	v, err := b.src.Vector(b.prefix+name, n)
	if err != nil {
		b.fail(err)
		return nil, nn.Span{}
	}
	if !b.tune.All {
		return v, nn.Span{}
	}
	return v, b.Add(b.prefix+name, v, n)
}

// Add lays out a tensor of the block that is trained, under its whole name, and keeps its value for Finish.
func (b *Builder) Add(name string, value []float32, shape ...int) nn.Span {
	b.values[name] = value
	return b.Layout.Add(name, shape...)
}

func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Linear fetches the products of the parts, one above the other, each [out, in], with biases where bias is set, and
// puts adapters on those that are to have one. Frozen parts keep bfloat16 where all come in it.
func (b *Builder) Linear(in int, bias bool, parts ...Part) *nn.Linear {
	l := &nn.Linear{}
	var each []nn.Matrix
	out := 0
	for _, p := range parts {
		m, err := b.src.Matrix(b.prefix+p.Module+".weight", p.Out, in)
		if err != nil {
			b.fail(err)
			return l // no memory of a size that only a configuration asks for
		}
		each = append(each, m)
		out += p.Out
	}
	l.W = fuse(each, b.tune.All, out, in)
	if bias {
		for _, p := range parts {
			v, err := b.src.Vector(b.prefix+p.Module+".bias", p.Out)
			if err != nil {
				b.fail(err)
				return l
			}
			l.B = append(l.B, v...)
		}
	}
	name := b.prefix + Fused(parts)
	if b.tune.All {
		l.WSpan = b.Add(name+".weight", l.W.F32, out, in)
		if bias {
			l.BSpan = b.Add(name+".bias", l.B, out)
		}
		b.bound = append(b.bound, func(flat []float32) { l.W.F32, l.B = l.WSpan.Of(flat), l.BSpan.Of(flat) })
	}
	off := 0
	for _, p := range parts {
		if b.tune.Adapt != nil {
			if spec, ok := b.tune.Adapt(b.prefix + p.Module); ok {
				b.use++
				l.Adapters = append(l.Adapters, &nn.Adapter{
					Off: off, Out: p.Out, R: spec.R, Scale: float32(spec.Scale), Dropout: float32(spec.Dropout),
					Use: b.use,
					A:   b.Layout.Add(b.prefix+p.Module+".lora_A.weight", spec.R, in),
					B:   b.Layout.Add(b.prefix+p.Module+".lora_B.weight", p.Out, spec.R),
				})
			}
		}
		off += p.Out
	}
	return l
}

// Finish makes the flat vector of what is trained, filled, and the weights views of it; it returns it with its tensors.
func (b *Builder) Finish() (value []float32, params []Parameter, err error) {
	if b.err != nil {
		return nil, nil, b.err
	}
	value = make([]float32, b.Layout.Size)
	for _, s := range b.Layout.Spans {
		copy(s.Of(value), b.values[s.Name])
		params = append(params, Parameter{Name: s.Name, Shape: s.Shape, Value: s.Of(value)})
	}
	for _, bind := range b.bound {
		bind(value)
	}
	return value, params, nil
}

// Fused is the name of a product of several parts: "self_attn.q_proj+k_proj+v_proj".
func Fused(parts []Part) string {
	name := parts[0].Module
	for _, p := range parts[1:] {
		dot := 0
		for i, r := range p.Module {
			if r == '.' {
				dot = i + 1
			}
		}
		name += "+" + p.Module[dot:]
	}
	return name
}

// fuse puts matrices one above the other: frozen ones of one format stay where they are, mapped from a file perhaps.
func fuse(each []nn.Matrix, trained bool, rows, cols int) nn.Matrix {
	same := true
	for _, e := range each {
		same = same && (e.F32 != nil) == (each[0].F32 != nil)
	}
	switch {
	case len(each) == 1 && (!trained || each[0].F32 != nil):
		return each[0]
	case same && !trained:
		return nn.Matrix{Rows: rows, Cols: cols, Parts: each}
	}
	return nn.Matrix{Rows: rows, Cols: cols, F32: Floats(nn.Matrix{Parts: each})}
}

// Floats are a matrix's values as float32, its own where it holds them so.
func Floats(m nn.Matrix) []float32 {
	if m.F32 != nil {
		return m.F32
	}
	if m.Parts != nil {
		var v []float32
		for _, p := range m.Parts {
			v = append(v, Floats(p)...)
		}
		return v
	}
	v := make([]float32, m.Rows*m.Cols)
	blas.WidenBF16(v, m.BF16)
	return v
}
