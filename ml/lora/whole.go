package lora

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"finetui/ml/safetensors"
)

// Beside its low-rank updates an adapter's file may hold tensors as a whole: those of modules_to_save, which stand in
// the place of the base's in that module alone, and embeddings that PEFT saves with the adapter, which are the base's
// own. Where the output product and the embeddings are one matrix in the base (tie_word_embeddings), the first unties
// them, and so does a low-rank update of one of the two: PEFT then adds it there and leaves the other as it was.

// The modules that can be tied, and their tensors.
const (
	EmbedModule = "model.embed_tokens"
	HeadModule  = "lm_head"
)

// Saved is a tensor that an adapter's file holds as a whole.
type Saved struct {
	Name   string // in the classic spelling: "lm_head.weight"
	Shape  []int
	Values []float32
	Base   bool // it is the base's own, tied as that is; else the module's alone
}

// The parts of keys that only such tensors have.
const (
	keyEmbedA = ".lora_embedding_A"
	keyEmbedB = ".lora_embedding_B"
	baseLayer = ".base_layer"
)

// splitSaved takes the key of a whole tensor apart: the tensor's name as spelled, and whether it is the base's own.
func (c *Config) splitSaved(key string) (name string, base, ok bool) {
	name, ok = strings.CutPrefix(key, keyPrefix)
	if !ok {
		return "", false, false
	}
	name = strings.Replace(name, ".modules_to_save.default.", ".", 1)
	name = strings.Replace(name, ".modules_to_save.", ".", 1)
	module, last, ok := cutLast(name)
	if !ok || last != "weight" && last != "bias" {
		return "", false, false
	}
	if of, found := strings.CutSuffix(module, baseLayer); found {
		return of + "." + last, true, true
	}
	if c.saves(module) {
		return name, false, true
	}
	spelled := Classic.respell(module)
	return name, true, spelled == EmbedModule || spelled == HeadModule
}

func cutLast(name string) (before, last string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}

// saves says whether a module, or one that it belongs to, is one of modules_to_save: PEFT asks how its name ends.
func (c *Config) saves(module string) bool {
	for name := module; name != ""; name, _, _ = cutLast(name) {
		if slices.ContainsFunc(c.ModulesToSave, func(end string) bool { return strings.HasSuffix(name, end) }) {
			return true
		}
	}
	return false
}

// takeSaved reads a whole tensor.
func (c *Config) takeSaved(file *safetensors.File, key, name string, base bool) error {
	_, shape, _ := file.Info(key)
	values, err := file.Float32(key)
	if err != nil {
		return err
	}
	name = Classic.respell(name)
	for _, s := range c.Saved {
		if s.Name == name && s.Base == base {
			return fmt.Errorf("tensor %q comes twice, in two spellings", key)
		}
	}
	c.Saved = append(c.Saved, Saved{Name: name, Shape: slices.Clone(shape), Values: slices.Clone(values), Base: base})
	return nil
}

// ties says whether PEFT gave both of the tied modules what was asked for one of them.
func (c *Config) ties(module string) bool {
	return string(c.kept["ensure_weight_tying"]) == "true" && (module == EmbedModule || module == HeadModule)
}

// transpose gives m [rows, cols] as [cols, rows].
func transpose(m []float32, rows, cols int) []float32 {
	out := make([]float32, len(m))
	for i := range rows {
		for j := range cols {
			out[j*rows+i] = m[i*cols+j]
		}
	}
	return out
}

// Change is what an adapter makes of one tensor of its base.
type Change struct {
	From   string // the base's tensor from which it starts, where Values is nil
	Shape  []int  // of Values
	Values []float32
	Add    *Adapter // whose update is added; nil: none
}

// Changes is what an adapter makes of the base's tensors, beside the low-rank updates of products.
type Changes struct {
	Tensors map[string]Change // by classic name
	Untied  bool              // the base's one matrix for embeddings and output becomes two
	Sight   bool              // something of the vision tower or its merger is replaced
}

// Changes tells what becomes of whole tensors, and returns the adapters that are left: updates of linear products
// within the model. tied says whether the base's output product is its embedding matrix.
func (c *Config) Changes(adapters []Adapter, tied bool) (ch Changes, products []Adapter, err error) {
	embed, head := EmbedModule+".weight", HeadModule+".weight"
	ch.Tensors = map[string]Change{}
	own := map[string]Saved{} // by modules_to_save
	for _, s := range c.Saved {
		ch.Sight = ch.Sight || strings.HasPrefix(s.Name, "visual.")
		switch {
		case !s.Base:
			own[s.Name] = s
		case tied && s.Name == head:
			s.Name = embed
			fallthrough
		default:
			if before, ok := ch.Tensors[s.Name]; ok && !slices.Equal(before.Values, s.Values) {
				return ch, nil, fmt.Errorf("it holds two different matrices for embeddings and output, which are "+
					"one in the base (tie_word_embeddings): train it with these in modules_to_save, or %s", merge)
			}
			ch.Tensors[s.Name] = Change{Shape: s.Shape, Values: s.Values}
		}
	}
	common := ch.Tensors[embed] // what both start from, where they are tied
	for _, name := range slices.Sorted(maps.Keys(own)) {
		ch.Tensors[name] = Change{Shape: own[name].Shape, Values: own[name].Values}
	}
	updates := map[string]*Adapter{}
	for i := range adapters {
		switch a := &adapters[i]; a.Module {
		case EmbedModule, HeadModule:
			updates[a.Module+".weight"] = a
		default:
			products = append(products, *a)
		}
	}
	if tied {
		_, e := own[embed]
		_, h := own[head]
		ch.Untied = e || h || len(updates) > 0
	}
	for _, name := range []string{embed, head} {
		change, is := ch.Tensors[name]
		if ch.Untied && name == head && !is {
			change = Change{From: embed, Shape: common.Shape, Values: common.Values}
		}
		if a := updates[name]; a != nil {
			if change.Add = a; change.Values == nil && change.From == "" {
				change.From = name
			}
		}
		if change.Values != nil || change.From != "" {
			ch.Tensors[name] = change
		}
	}
	return ch, products, nil
}
