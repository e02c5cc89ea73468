package nn

import (
	"fmt"

	"finetui/ml/blas"
)

// Patches says how the rows of a vision tower hang together: pictures, or temporal slices of clips, laid end to end.
type Patches struct {
	Starts []int    // [slices+1] attention stays within a slice
	Keys   []uint64 // [slices] dropout stream of each slice in this pass; nil: no dropout
	Rotary Rotary

	rows, tokens Batch // the slices as dropout sees them
}

// drops are the slices for dropout on rows, of which each holds so many patches.
func (p *Patches) drops(b *Batch, each int) *Batch {
	if p.Keys == nil {
		return nil
	}
	b.Keys, b.Starts = p.Keys, b.Starts[:0]
	for _, s := range p.Starts {
		b.Starts = append(b.Starts, s/each)
	}
	return b
}

// P is the number of patches.
func (p *Patches) P() int {
	if len(p.Starts) == 0 {
		return 0
	}
	return p.Starts[len(p.Starts)-1]
}

// PatchWeights map patch rows [P, channels·temporal·patch²] to [P, embed]: a convolution whose kernel is its stride.
type PatchWeights struct {
	Proj   *Linear
	Layout Layout
	Value  []float32
}

// PatchEmbed is a replica of PatchWeights.
type PatchEmbed struct {
	e       *Exec
	patches *Patches
	params  Params
	proj    product
	out     []float32
	dx      []float32
}

// NewPatchEmbed returns a replica of w.
func NewPatchEmbed(w *PatchWeights, e *Exec, patches *Patches) *PatchEmbed {
	p := Params{Value: w.Value, Grad: make([]float32, len(w.Value))}
	return &PatchEmbed{e: e, patches: patches, params: p, proj: newProduct(w.Proj, p)}
}

// Name is "patch_embed".
func (m *PatchEmbed) Name() string { return "patch_embed" }

// Params are the kernel where it is trained.
func (m *PatchEmbed) Params() Params { return m.params }

// Forward maps pixel rows [P, in] to [P, embed].
func (m *PatchEmbed) Forward(x []float32, train bool) []float32 {
	m.out = grow(m.out, m.patches.P()*m.proj.W.Rows)
	m.proj.run(m.e, m.patches.P(), x, nil, m.out, nil, train)
	return m.out
}

// Backward returns the gradient of the pixels.
func (m *PatchEmbed) Backward(x, dy []float32, needDX bool) []float32 {
	var dx []float32
	if needDX {
		m.dx = grow(m.dx, m.patches.P()*m.proj.W.Cols)
		dx = m.dx
	}
	m.proj.back(m.e, m.patches.P(), x, dy, dx, nil)
	return dx
}

// VisionWeights are one block of Qwen2-VL's vision tower.
type VisionWeights struct {
	Index          int
	Heads, HeadDim int
	Norm1, Norm2   *Norm // with shift
	QKV, Proj      *Linear
	FC1, FC2       *Linear
	Layout         Layout
	Value          []float32
}

// VisionBlock is one replica's block:
//
//	y = x + Proj·attention(rope(QKV·norm1(x)));  out = y + FC2·quick_gelu(FC1·norm2(y))
type VisionBlock struct {
	w       *VisionWeights
	e       *Exec
	patches *Patches
	params  Params
	att     attention

	norm1, norm2        norm
	qkv, proj, fc1, fc2 product

	*visionKept
	out []float32 // [P, embed]
}

// visionKept is what a block keeps for its pass back, beside its result: of its own, or of several in turn.
type visionKept struct {
	of       *VisionBlock // whose; nil: nobody's
	xn       []float32    // [P, embed] norm1(x)
	qkvRows  []float32    // [P, 3·embed] q | k | v, of which q and k are rotated
	attended []float32    // [P, embed]
	y        []float32    // [P, embed] x + Proj·attended
	yn       []float32    // [P, embed] norm2(y)
	pre      []float32    // [P, inner] FC1·yn
	hidden   []float32    // [P, inner] quick_gelu(pre)
	dx       []float32    // [P, embed]
}

// NewVisionBlock returns a replica of w.
func NewVisionBlock(w *VisionWeights, e *Exec, patches *Patches) *VisionBlock {
	p := Params{Value: w.Value, Grad: make([]float32, len(w.Value))}
	return &VisionBlock{
		w: w, e: e, patches: patches, params: p,
		att:   attention{heads: w.Heads, kvHeads: w.Heads, headDim: w.HeadDim, lse: &kept{}},
		norm1: newNorm(w.Norm1, p), norm2: newNorm(w.Norm2, p),
		qkv: newProduct(w.QKV, p), proj: newProduct(w.Proj, p), fc1: newProduct(w.FC1, p), fc2: newProduct(w.FC2, p),
		visionKept: &visionKept{},
	}
}

// Name is "blocks.N".
func (w *VisionWeights) Name() string { return fmt.Sprintf("blocks.%d", w.Index) }

// Name is "blocks.N".
func (v *VisionBlock) Name() string { return v.w.Name() }

// Params are the block's trained parameters.
func (v *VisionBlock) Params() Params { return v.params }

// Forward maps x [P, embed] to [P, embed].
func (v *VisionBlock) Forward(x []float32, train bool) []float32 {
	rows, b := v.patches.P(), v.patches.drops(&v.patches.rows, 1)
	v.inner(rows, x, b, train)
	if v.of = nil; train {
		v.of = v
	}
	v.out = grow(v.out, rows*v.w.FC2.W.Rows)
	v.fc2.run(v.e, rows, v.hidden, v.y, v.out, b, train)
	return v.out
}

// Share makes the block keep what its pass back needs in the room of another.
func (v *VisionBlock) Share(with Block) bool {
	o, ok := with.(*VisionBlock)
	if !ok || o.e != v.e {
		return false
	}
	v.visionKept, v.att.lse, v.norm1.normKept, v.norm2.normKept = o.visionKept, o.att.lse, o.norm1.normKept,
		o.norm2.normKept
	v.qkv.low, v.proj.low, v.fc1.low, v.fc2.low = o.qkv.low, o.proj.low, o.fc1.low, o.fc2.low
	return true
}

// Again makes what the pass back needs once more, unless it is still there.
func (v *VisionBlock) Again(x []float32) {
	if v.of == v {
		return
	}
	rows, b := v.patches.P(), v.patches.drops(&v.patches.rows, 1)
	v.inner(rows, x, b, true)
	v.fc2.lower(v.e, rows, v.hidden, b, true)
	v.of = v
}

// inner is all but the last product.
func (v *VisionBlock) inner(rows int, x []float32, b *Batch, train bool) {
	e, d := v.e, len(v.w.Norm1.W)
	v.xn = grow(v.xn, rows*d)
	v.norm1.run(e, rows, x, v.xn)
	v.qkvRows = grow(v.qkvRows, rows*v.att.width())
	v.qkv.run(e, rows, v.xn, nil, v.qkvRows, b, train)
	v.att.rotate(e, rows, v.qkvRows, v.patches.Rotary.Cos, v.patches.Rotary.Sin)
	v.attended = grow(v.attended, rows*v.w.Heads*v.w.HeadDim)
	v.att.run(e, asking{starts: v.patches.Starts}, v.qkvRows, v.attended, train)
	v.y = grow(v.y, rows*d)
	v.proj.run(e, rows, v.attended, x, v.y, b, train)

	v.yn = grow(v.yn, rows*d)
	v.norm2.run(e, rows, v.y, v.yn)
	inner := v.w.FC1.W.Rows
	v.pre, v.hidden = grow(v.pre, rows*inner), grow(v.hidden, rows*inner)
	v.fc1.run(e, rows, v.yn, nil, v.pre, b, train)
	e.Team.For(rows, 4, func(lo, hi int) { blas.QuickGELU(v.hidden[lo*inner:hi*inner], v.pre[lo*inner:hi*inner]) })
}

// Backward adds the gradients of the trained parameters and returns dx [P, embed].
func (v *VisionBlock) Backward(x, dout []float32, needDX bool) []float32 {
	e, rows, d, inner := v.e, v.patches.P(), len(v.w.Norm1.W), v.w.FC1.W.Rows
	b := v.patches.drops(&v.patches.rows, 1)
	dh := e.take(scratchA, rows*inner)
	v.fc2.back(e, rows, v.hidden, dout, dh, b)
	e.Team.For(rows, 4, func(lo, hi int) {
		blas.QuickGELUBackward(dh[lo*inner:hi*inner], dh[lo*inner:hi*inner], v.pre[lo*inner:hi*inner])
	})
	dn := e.take(scratchC, rows*d)
	v.fc1.back(e, rows, v.yn, dh, dn, b)
	dy := e.take(scratchD, rows*d)
	v.norm2.back(e, rows, v.y, dn, dout, dy)

	da := e.take(scratchE, rows*v.w.Heads*v.w.HeadDim)
	v.proj.back(e, rows, v.attended, dy, da, b)
	dqkv := e.take(scratchA, rows*v.att.width())
	v.att.back(e, asking{starts: v.patches.Starts}, v.qkvRows, v.attended, da, dqkv, v.patches.Rotary.Cos,
		v.patches.Rotary.Sin)
	v.qkv.back(e, rows, v.xn, dqkv, dn, b)
	if !needDX {
		v.norm1.back(e, rows, x, dn, nil, nil)
		return nil
	}
	v.dx = grow(v.dx, rows*d)
	v.norm1.back(e, rows, x, dn, dy, v.dx)
	return v.dx
}

// MergerWeights bring four neighbouring patches into one token of the language model's width.
type MergerWeights struct {
	Norm     *Norm // with shift, over one patch
	FC1, FC2 *Linear
	Layout   Layout
	Value    []float32
}

// Merger is a replica of MergerWeights: [P, embed] → norm → [P/merge², merge²·embed] → FC2·gelu(FC1·), erf form.
type Merger struct {
	w       *MergerWeights
	e       *Exec
	patches *Patches
	params  Params

	norm     norm
	fc1, fc2 product

	xn          []float32 // [P, embed] norm(x), which is also [P/merge², merge²·embed]
	pre, hidden []float32 // [P/merge², merge²·embed] FC1·xn, gelu(pre)
	out         []float32 // [P/merge², hidden]
	dx          []float32 // [P, embed]
}

// NewMerger returns a replica of w.
func NewMerger(w *MergerWeights, e *Exec, patches *Patches) *Merger {
	p := Params{Value: w.Value, Grad: make([]float32, len(w.Value))}
	return &Merger{w: w, e: e, patches: patches, params: p, norm: newNorm(w.Norm, p), fc1: newProduct(w.FC1, p),
		fc2: newProduct(w.FC2, p)}
}

// Name is "merger".
func (m *Merger) Name() string { return "merger" }

// Params are the merger's trained parameters.
func (m *Merger) Params() Params { return m.params }

// tokens is the number of merged rows.
func (m *Merger) tokens() int { return m.patches.P() * len(m.w.Norm.W) / m.w.FC1.W.Cols }

// drops are the slices of merged rows.
func (m *Merger) drops() *Batch {
	return m.patches.drops(&m.patches.tokens, m.w.FC1.W.Cols/len(m.w.Norm.W))
}

// Forward maps x [P, embed] to [P/merge², hidden].
func (m *Merger) Forward(x []float32, train bool) []float32 {
	rows, tokens, wide := m.patches.P(), m.tokens(), m.w.FC1.W.Cols
	m.xn = grow(m.xn, rows*len(m.w.Norm.W))
	m.norm.run(m.e, rows, x, m.xn)
	m.pre, m.hidden = grow(m.pre, tokens*wide), grow(m.hidden, tokens*wide)
	m.fc1.run(m.e, tokens, m.xn, nil, m.pre, m.drops(), train)
	m.e.Team.For(tokens, 2, func(lo, hi int) { blas.GELU(m.hidden[lo*wide:hi*wide], m.pre[lo*wide:hi*wide]) })
	m.out = grow(m.out, tokens*m.w.FC2.W.Rows)
	m.fc2.run(m.e, tokens, m.hidden, nil, m.out, m.drops(), train)
	return m.out
}

// Backward adds the gradients of the trained parameters and returns dx [P, embed].
func (m *Merger) Backward(x, dout []float32, needDX bool) []float32 {
	rows, tokens, wide := m.patches.P(), m.tokens(), m.w.FC1.W.Cols
	dh := m.e.take(scratchA, tokens*wide)
	m.fc2.back(m.e, tokens, m.hidden, dout, dh, m.drops())
	m.e.Team.For(tokens, 2, func(lo, hi int) {
		blas.GELUBackward(dh[lo*wide:hi*wide], dh[lo*wide:hi*wide], m.pre[lo*wide:hi*wide])
	})
	dn := m.e.take(scratchC, tokens*wide)
	m.fc1.back(m.e, tokens, m.xn, dh, dn, m.drops())
	if !needDX {
		m.norm.back(m.e, rows, x, dn, nil, nil)
		return nil
	}
	m.dx = grow(m.dx, rows*len(m.w.Norm.W))
	m.norm.back(m.e, rows, x, dn, nil, m.dx)
	return m.dx
}
