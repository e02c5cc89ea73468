package lora

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"finetui/ml/pickle"
	"finetui/ml/safetensors"
	"finetui/ml/wholefile"
)

// The files of an adapter.
const (
	ConfigFile  = "adapter_config.json"
	WeightsFile = "adapter_model.safetensors"
	PickleFile  = "adapter_model.bin" // of older programs: it is read, and never written
)

// Read reads the adapter in a folder. Settings that change the mathematics and that this program does not follow
// are errors that name them and say what to do; the others are kept, and Write gives them back. The adapters
// come sorted by module. They are those that the file of weights holds: where target_modules is an expression
// that only Python can read, it is not checked against them.
func Read(dir string) (*Config, []Adapter, error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, nil, err
	}
	path, open := filepath.Join(dir, WeightsFile), safetensors.Open
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		pickled := filepath.Join(dir, PickleFile)
		if _, err := os.Stat(pickled); err == nil {
			path, open = pickled, func(path string) (*safetensors.File, error) { return pickle.Open(path) }
		}
	}
	file, err := open(path)
	if err != nil {
		return c, nil, err
	}
	adapters, err := readWeights(file, c)
	return c, adapters, errors.Join(err, file.Close())
}

// ReadConfig reads what an adapter's folder says about it, without its weights.
func ReadConfig(dir string) (*Config, error) {
	path := filepath.Join(dir, ConfigFile)
	text, err := wholefile.Read(path, wholefile.Text)
	if err != nil {
		return nil, fmt.Errorf("reading the adapter: %w", err)
	}
	c, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// readWeights reads the matrices and holds them against the configuration.
func readWeights(file *safetensors.File, c *Config) (adapters []Adapter, err error) {
	path := file.Path()
	byModule := map[string]*Adapter{}
	for _, key := range file.Names() {
		name, matrix, ok := splitKey(key)
		if !ok {
			if name, base, ok := c.splitSaved(key); ok {
				if Classic.respell(name) != name {
					c.Naming = Nested
				}
				if err := c.takeSaved(file, key, name, base); err != nil {
					return nil, fmt.Errorf("%s: %w", path, err)
				}
				continue
			}
			return nil, fmt.Errorf("%s: tensor %q is no matrix of a LoRA adapter (%s…%s or …%s)", path, key, keyPrefix,
				keyA, keyB)
		}
		module := Classic.respell(name)
		if module != name {
			c.Naming = Nested
		}
		a := byModule[module]
		if a == nil {
			a = &Adapter{Module: module, R: c.rankAs(name), Scale: c.scaleAs(name)}
			byModule[module] = a
		}
		if err := a.take(file, key, matrix); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	for _, module := range slices.Sorted(maps.Keys(byModule)) {
		a := byModule[module]
		if a.A == nil || a.B == nil {
			return nil, fmt.Errorf("%s: %s has only one of its two matrices", path, module)
		}
		if name := c.Naming.respell(module); c.checkable() && !c.matchesAs(name) && !c.ties(module) {
			return nil, fmt.Errorf("%s: %s has an adapter, but %s does not choose it (target_modules, "+
				"exclude_modules, layers_to_transform): PEFT would leave it out; mend the file", path, name, ConfigFile)
		}
		adapters = append(adapters, *a)
	}
	if len(adapters) == 0 && len(c.Saved) == 0 {
		return nil, fmt.Errorf("%s holds no adapter", path)
	}
	return adapters, nil
}

// take copies one matrix from the file.
func (a *Adapter) take(file *safetensors.File, key string, matrix byte) error {
	_, shape, _ := file.Info(key)
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return fmt.Errorf("tensor %q has shape %v: a matrix is needed", key, shape)
	}
	into, rank, size := &a.B, shape[1], shape[0]
	if matrix == 'A' || matrix == 'b' { // of embeddings the two change places
		into = &a.A
	}
	if matrix == 'A' || matrix == 'a' {
		rank, size = shape[0], shape[1]
	}
	if a.Embedding = matrix == 'a' || matrix == 'b'; a.Embedding != (a.Module == EmbedModule) {
		return fmt.Errorf("tensor %q: only embeddings have lora_embedding_A and lora_embedding_B, and they have "+
			"no others", key)
	}
	if *into != nil {
		return fmt.Errorf("tensor %q comes twice, in two spellings", key)
	}
	if rank != a.R {
		return fmt.Errorf("tensor %q has shape %v, but %s gives %s the rank %d", key, shape, ConfigFile, a.Module, a.R)
	}
	values, err := file.Float32(key)
	if err != nil {
		return err
	}
	*into = slices.Clone(values) // the file's memory goes with the file
	if a.Embedding {
		*into = transpose(values, shape[0], shape[1])
	}
	if into == &a.A {
		a.In = size
	} else {
		a.Out = size
	}
	return nil
}
