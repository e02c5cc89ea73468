package videomamba

import (
	"fmt"
	"strings"

	"finetui/ml/nn"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// Containers are the keys of a checkpoint's dictionary in which the tensors may lie.
var Containers = []string{"model", "module", "state_dict"}

// Classic is the name of a tensor here for that in a file: with "vision_encoder." or what may stand before it ("model."
// or "module." of a checkpoint that was laid flat), or without. What belongs to no encoder (a decoder for CLIP's
// features, a text encoder) has none.
func Classic(stored string) (name string, ok bool) {
	name = stored
	if _, rest, found := strings.Cut(stored, "vision_encoder."); found {
		name = rest
	} else {
		for _, c := range Containers {
			name = strings.TrimPrefix(name, c+".")
		}
	}
	for _, part := range []string{"patch_embed.", "cls_token", "pos_embed", "temporal_pos_embedding", "layers.",
		"norm.weight"} {
		if strings.HasPrefix(name, part) {
			return name, true
		}
	}
	return "", false
}

// Model is the encoder's weights, shared by all replicas.
type Model struct {
	Config Config
	Patch  *nn.PatchWeights
	Place  *nn.PlaceWeights
	Blocks []*nn.MambaWeights
	Norm   *nn.NormWeights
}

// New builds the encoder from the tensors of src, whose names begin with prefix. Nothing of it is trained.
func New(c Config, src weights.Source, prefix string) (*Model, error) {
	return build(c, src, prefix, weights.Tuning{})
}

// NewTrained is New for an encoder of which everything is trained.
func NewTrained(c Config, src weights.Source, prefix string) (*Model, error) {
	return build(c, src, prefix, weights.Tuning{All: true})
}

func build(c Config, src weights.Source, prefix string, tune weights.Tuning) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	m := &Model{Config: c, Patch: &nn.PatchWeights{}, Norm: &nn.NormWeights{Called: "norm"}, Place: &nn.PlaceWeights{}}
	b := weights.NewBuilder(src, tune, prefix, 0)
	m.Patch.Proj = b.Linear(c.PatchWidth(), true, part("patch_embed.proj", c.Hidden))
	var err error
	if m.Patch.Value, _, err = b.Finish(); err != nil {
		return nil, err
	}
	m.Patch.Layout = b.Layout
	b = weights.NewBuilder(src, tune, prefix, 0)
	m.Norm.Norm = b.Norm("norm", c.Hidden, eps, false)
	if m.Norm.Value, _, err = b.Finish(); err != nil {
		return nil, err
	}
	m.Norm.Layout = b.Layout
	for _, table := range []struct {
		name string
		rows int
		to   *[]float32
	}{{"cls_token", 1, &m.Place.Class}, {"pos_embed", 1 + c.Patches(), &m.Place.Position}, {"temporal_pos_embedding",
		c.Frames, &m.Place.Time}} {
		t, err := src.Matrix(prefix+table.name, 1, table.rows*c.Hidden)
		if err != nil {
			return nil, err
		}
		*table.to = weights.Floats(t)
	}
	if tune.All {
		m.Place.Train()
	}
	for i := range c.Layers {
		w, err := layer(c, i, src, fmt.Sprintf("%slayers.%d.", prefix, i), tune)
		if err != nil {
			return nil, err
		}
		m.Blocks = append(m.Blocks, w)
	}
	return m, nil
}

func part(name string, out int) weights.Part { return weights.Part{Module: name, Out: out} }

// layer is one block; those of its tensors that belong to the way back have a b in their names.
func layer(c Config, i int, src weights.Source, prefix string, tune weights.Tuning) (*nn.MambaWeights, error) {
	b := weights.NewBuilder(src, tune, prefix, 0)
	w := &nn.MambaWeights{Index: i, Norm: b.Norm("norm", c.Hidden, eps, false)}
	w.In = b.Linear(c.Hidden, false, part("mixer.in_proj", 2*c.Inner))
	w.Out = b.Linear(c.Inner, false, part("mixer.out_proj", c.Hidden))
	for k, suffix := range suffixes {
		s := &w.Ways[k]
		s.Conv = b.Linear(c.Taps, true, part("mixer.conv1d"+suffix, c.Inner))
		s.X = b.Linear(c.Inner, false, part("mixer.x_proj"+suffix, c.Rank+2*c.States))
		s.DT = b.Linear(c.Rank, true, part("mixer.dt_proj"+suffix, c.Inner))
		aLog, err := src.Matrix(prefix+"mixer.A"+suffix+"_log", c.Inner, c.States)
		if err != nil {
			return nil, err
		}
		s.ALog = weights.Floats(aLog)
		if s.D, err = src.Vector(prefix+"mixer.D"+suffix, c.Inner); err != nil {
			return nil, err
		}
		if tune.All {
			s.ALogSpan = b.Add(prefix+"mixer.A"+suffix+"_log", s.ALog, c.Inner, c.States)
			s.DSpan = b.Add(prefix+"mixer.D"+suffix, s.D, c.Inner)
		}
	}
	var err error
	if w.Value, _, err = b.Finish(); err != nil {
		return nil, err
	}
	w.Layout = b.Layout
	for k := range w.Ways {
		if s := &w.Ways[k]; tune.All {
			s.ALog, s.D = s.ALogSpan.Of(w.Value), s.DSpan.Of(w.Value)
		}
	}
	return w, nil
}

// suffixes are what the names of both directions' tensors have behind them, or before "_log".
var suffixes = [2]string{"", "_b"}

// Parameters are the trained flat vectors in the order of Stack.
func (m *Model) Parameters() (out []train.Parameters) {
	add := func(name string, value []float32, l nn.Layout) {
		if len(value) > 0 {
			out = append(out, train.Parameters{Name: name, Value: value, Layout: l})
		}
	}
	add("patch_embed", m.Patch.Value, m.Patch.Layout)
	add("place", m.Place.Value, m.Place.Layout)
	for i, b := range m.Blocks {
		add(fmt.Sprintf("mamba.%d", i), b.Value, b.Layout)
	}
	add(m.Norm.Called, m.Norm.Value, m.Norm.Layout)
	return out
}

// Tensors are the encoder's weights as a checkpoint of its own holds them, in a fixed order.
func (m *Model) Tensors() (out []weights.Tensor) {
	const prefix = "vision_encoder."
	c := m.Config
	one := func(name string, value []float32, shape ...int) {
		out = append(out, weights.Tensor{Name: prefix + name, Shape: shape, Value: value})
	}
	one("patch_embed.proj.weight", weights.Floats(m.Patch.Proj.W), c.Hidden, 3, 1, c.Patch, c.Patch)
	one("patch_embed.proj.bias", m.Patch.Proj.B, c.Hidden)
	one("cls_token", m.Place.Class, 1, 1, c.Hidden)
	one("pos_embed", m.Place.Position, 1, 1+c.Patches(), c.Hidden)
	one("temporal_pos_embedding", m.Place.Time, 1, c.Frames, c.Hidden)
	for i, w := range m.Blocks {
		at := fmt.Sprintf("layers.%d.", i)
		product := func(name string, l *nn.Linear) {
			out = append(out, weights.Split(prefix+at, l, part("mixer."+name, l.W.Rows))...)
		}
		one(at+"norm.weight", w.Norm.W, c.Hidden)
		product("in_proj", w.In)
		product("out_proj", w.Out)
		for k, suffix := range suffixes {
			s := &w.Ways[k]
			one(at+"mixer.conv1d"+suffix+".weight", weights.Floats(s.Conv.W), c.Inner, 1, c.Taps)
			one(at+"mixer.conv1d"+suffix+".bias", s.Conv.B, c.Inner)
			product("x_proj"+suffix, s.X)
			product("dt_proj"+suffix, s.DT)
			one(at+"mixer.A"+suffix+"_log", s.ALog, c.Inner, c.States)
			one(at+"mixer.D"+suffix, s.D, c.Inner)
		}
	}
	one("norm.weight", m.Norm.Norm.W, c.Hidden)
	return out
}

// Encoder is one worker's encoder. It needs the room of one layer.
type Encoder struct {
	// Check is asked before each layer, so that the encoder can be stopped; its error ends the call. It may be nil.
	Check func() error

	model  *Model
	e      *nn.Exec
	patch  *nn.PatchEmbed
	place  *nn.Place
	block  *nn.Mamba // in turn each layer's
	norm   *nn.NormBlock
	raw    *nn.Patches
	tokens *nn.Patches
}

// NewEncoder returns an encoder that works on e.
func (m *Model) NewEncoder(e *nn.Exec) *Encoder {
	v := &Encoder{model: m, e: e, raw: &nn.Patches{}, tokens: &nn.Patches{}}
	v.patch, v.place = nn.NewPatchEmbed(m.Patch, e, v.raw), nn.NewPlace(m.Place, e)
	v.block, v.norm = nn.NewMamba(m.Blocks[0], e, v.tokens), nn.NewNormBlock(m.Norm, e)
	return v
}

// Features are what the encoder makes of clips, rows [clips·Frames·Patches, PatchWidth] → [clips·Frames·Patches,
// Hidden], in memory of their own.
func (v *Encoder) Features(rows []float32) ([]float32, error) {
	x, err := v.run(rows, nil)
	if err != nil {
		return nil, err
	}
	c := v.model.Config
	each := (1 + c.Frames*c.Patches()) * c.Hidden
	out := make([]float32, 0, len(x))
	for ; len(x) > 0; x = x[each:] {
		out = append(out, x[c.Hidden:each]...)
	}
	return out, nil
}

// Load says how many clips the next pass is about.
func (v *Encoder) Load(clips int) {
	tokens := v.model.Config.Frames * v.model.Config.Patches()
	v.raw.Starts, v.tokens.Starts = v.raw.Starts[:0], v.tokens.Starts[:0]
	for i := range clips + 1 {
		v.raw.Starts, v.tokens.Starts = append(v.raw.Starts, i*tokens), append(v.tokens.Starts, i*(1+tokens))
	}
}

// Stack are the encoder's blocks for training, with memory of their own each: patch rows [clips·Frames·Patches,
// PatchWidth] → [clips·(1 + Frames·Patches), Hidden], the class tokens among them.
func (v *Encoder) Stack() []nn.Block {
	stack := []nn.Block{v.patch, v.place}
	for _, w := range v.model.Blocks {
		stack = append(stack, nn.NewMamba(w, v.e, v.tokens))
	}
	return append(stack, v.norm)
}

// run is Features with the class token. heard, which may be nil, is told what each stage gives.
func (v *Encoder) run(rows []float32, heard func(stage string, x []float32)) ([]float32, error) {
	c := v.model.Config
	tokens := c.Frames * c.Patches()
	if len(rows)%(tokens*c.PatchWidth()) != 0 {
		return nil, fmt.Errorf("%d values are no clips of %d frames of %d patches of %d values", len(rows), c.Frames,
			c.Patches(), c.PatchWidth())
	}
	v.Load(len(rows) / (tokens * c.PatchWidth()))
	if heard == nil {
		heard = func(string, []float32) {}
	}
	x := v.place.Forward(v.patch.Forward(rows, false), false)
	heard("embedded", x)
	for i, w := range v.model.Blocks {
		if v.Check != nil {
			if err := v.Check(); err != nil {
				return nil, err
			}
		}
		heard(fmt.Sprintf("block%d", i), x)
		v.block.Turn(w)
		x = v.block.Forward(x, false)
	}
	heard("stream", x)
	x = v.norm.Forward(x, false)
	heard("final", x)
	return x, nil
}
