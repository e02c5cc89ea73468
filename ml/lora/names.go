package lora

import "strings"

// Naming is how the modules of a model are spelled in an adapter's files.
type Naming int

const (
	// Classic is the spelling of checkpoints on disk and of transformers 4: "model.layers.0…",
	// "visual.blocks.0…". Plain Qwen2 has no other.
	Classic Naming = iota
	// Nested is that of Qwen2-VL in transformers 5: "model.language_model.layers.0…", "model.visual.blocks.0…". PEFT on
	// top of it ignores adapters in the classic spelling.
	Nested
)

// prefixes are the beginnings of names that differ, classic and nested.
var prefixes = [...][2]string{
	{"model.layers.", "model.language_model.layers."},
	{"model.embed_tokens", "model.language_model.embed_tokens"},
	{"model.norm", "model.language_model.norm"},
	{"visual.", "model.visual."},
}

// respell gives name, whichever way it is spelled, in the spelling n.
func (n Naming) respell(name string) string {
	for _, p := range prefixes {
		for _, from := range p {
			if rest, ok := strings.CutPrefix(name, from); ok {
				return p[n] + rest
			}
		}
	}
	return name
}

// The parts of a tensor's key around the module's name.
const (
	keyPrefix = "base_model.model."
	keyA      = ".lora_A.weight"
	keyB      = ".lora_B.weight"
)

// splitKey takes a tensor's key apart: the module as spelled, and 'A' or 'B', or of embeddings 'a' or 'b'. The
// adapter's name, which old versions of PEFT left in the key, is ignored.
func splitKey(key string) (module string, matrix byte, ok bool) {
	name, ok := strings.CutPrefix(key, keyPrefix)
	if !ok {
		return "", 0, false
	}
	name = strings.Replace(name, ".default.weight", ".weight", 1)
	plain := strings.TrimSuffix(name, ".default")
	if module, ok = strings.CutSuffix(plain, keyEmbedA); ok {
		return module, 'a', module != ""
	}
	if module, ok = strings.CutSuffix(plain, keyEmbedB); ok {
		return module, 'b', module != ""
	}
	if module, ok = strings.CutSuffix(name, keyA); ok {
		return module, 'A', module != ""
	}
	module, ok = strings.CutSuffix(name, keyB)
	return module, 'B', ok && module != ""
}
