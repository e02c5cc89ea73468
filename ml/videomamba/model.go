package videomamba

import (
	"fmt"
	"strings"

	"finetui/ml/nn"
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
	if err := c.Check(); err != nil {
		return nil, err
	}
	m := &Model{Config: c}
	var frozen weights.Tuning
	b := weights.NewBuilder(src, frozen, prefix, 0)
	m.Patch = &nn.PatchWeights{Proj: b.Linear(c.PatchWidth(), true, weights.Part{Module: "patch_embed.proj",
		Out: c.Hidden})}
	m.Norm = &nn.NormWeights{Called: "norm", Norm: b.Norm("norm", c.Hidden, eps, false)}
	if _, _, err := b.Finish(); err != nil {
		return nil, err
	}
	m.Place = &nn.PlaceWeights{}
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
	for i := range c.Layers {
		w, err := layer(c, i, src, fmt.Sprintf("%slayers.%d.", prefix, i))
		if err != nil {
			return nil, err
		}
		m.Blocks = append(m.Blocks, w)
	}
	return m, nil
}

// layer is one block; those of its tensors that belong to the way back have a b in their names.
func layer(c Config, i int, src weights.Source, prefix string) (*nn.MambaWeights, error) {
	b := weights.NewBuilder(src, weights.Tuning{}, prefix, 0)
	part := func(name string, out int) weights.Part { return weights.Part{Module: "mixer." + name, Out: out} }
	w := &nn.MambaWeights{Index: i, Norm: b.Norm("norm", c.Hidden, eps, false)}
	w.In = b.Linear(c.Hidden, false, part("in_proj", 2*c.Inner))
	w.Out = b.Linear(c.Inner, false, part("out_proj", c.Hidden))
	for k, suffix := range []string{"", "_b"} {
		s := &w.Ways[k]
		s.Conv = b.Linear(c.Taps, true, part("conv1d"+suffix, c.Inner))
		s.X = b.Linear(c.Inner, false, part("x_proj"+suffix, c.Rank+2*c.States))
		s.DT = b.Linear(c.Rank, true, part("dt_proj"+suffix, c.Inner))
		aLog, err := src.Matrix(prefix+"mixer.A"+suffix+"_log", c.Inner, c.States)
		if err != nil {
			return nil, err
		}
		s.ALog = weights.Floats(aLog)
		if s.D, err = src.Vector(prefix+"mixer.D"+suffix, c.Inner); err != nil {
			return nil, err
		}
	}
	_, _, err := b.Finish()
	return w, err
}

// Encoder is one worker's encoder. It needs the room of one layer.
type Encoder struct {
	// Check is asked before each layer, so that the encoder can be stopped; its error ends the call. It may be nil.
	Check func() error

	model  *Model
	patch  *nn.PatchEmbed
	place  *nn.Place
	block  *nn.Mamba // in turn each layer's
	norm   *nn.NormBlock
	raw    *nn.Patches
	tokens *nn.Patches
}

// NewEncoder returns an encoder that works on e.
func (m *Model) NewEncoder(e *nn.Exec) *Encoder {
	v := &Encoder{model: m, raw: &nn.Patches{}, tokens: &nn.Patches{}}
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

// run is Features with the class token. heard, which may be nil, is told what each stage gives.
func (v *Encoder) run(rows []float32, heard func(stage string, x []float32)) ([]float32, error) {
	c := v.model.Config
	tokens := c.Frames * c.Patches()
	if len(rows)%(tokens*c.PatchWidth()) != 0 {
		return nil, fmt.Errorf("%d values are no clips of %d frames of %d patches of %d values", len(rows), c.Frames,
			c.Patches(), c.PatchWidth())
	}
	clips := len(rows) / (tokens * c.PatchWidth())
	v.raw.Starts, v.tokens.Starts = v.raw.Starts[:0], v.tokens.Starts[:0]
	for i := range clips + 1 {
		v.raw.Starts, v.tokens.Starts = append(v.raw.Starts, i*tokens), append(v.tokens.Starts, i*(1+tokens))
	}
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
