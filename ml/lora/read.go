package lora

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/ml/safetensors"
)

// The files of an adapter.
const (
	ConfigFile  = "adapter_config.json"
	WeightsFile = "adapter_model.safetensors"
)

// Read reads the adapter in a folder. Settings that change the mathematics and that this program does not follow are
// errors that name them; other unknown keys are ignored. The adapters come sorted by module. They are those that the
// file of weights holds: where target_modules is an expression that only Python can read, it is not checked against them.
func Read(dir string) (*Config, []Adapter, error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, nil, err
	}
	adapters, err := readWeights(filepath.Join(dir, WeightsFile), c)
	if errors.Is(err, os.ErrNotExist) {
		if _, statErr := os.Stat(filepath.Join(dir, "adapter_model.bin")); statErr == nil {
			err = fmt.Errorf("%s holds adapter_model.bin, a pickle, which can run code when read: save it with PEFT as safetensors", dir)
		}
	}
	return c, adapters, err
}

// ReadConfig reads what an adapter's folder says about it, without its weights.
func ReadConfig(dir string) (*Config, error) {
	path := filepath.Join(dir, ConfigFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the adapter: %w", err)
	}
	c, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// configJSON are the keys of adapter_config.json that are followed.
type configJSON struct {
	PeftType      string          `json:"peft_type"`
	TaskType      string          `json:"task_type"`
	Base          string          `json:"base_model_name_or_path"`
	R             int             `json:"r"`
	Alpha         float64         `json:"lora_alpha"`
	Dropout       float64         `json:"lora_dropout"`
	RSLoRA        bool            `json:"use_rslora"`
	TargetModules json.RawMessage `json:"target_modules"`
	RankPattern   overrides       `json:"rank_pattern"`
	AlphaPattern  overrides       `json:"alpha_pattern"`
}

func parseConfig(text []byte) (*Config, error) {
	j := configJSON{R: 8, Alpha: 8} // PEFT's defaults for absent keys
	var all map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(text, &all), json.Unmarshal(text, &j)); err != nil {
		return nil, err
	}
	if !strings.EqualFold(j.PeftType, "LORA") {
		return nil, fmt.Errorf("peft_type is %q: only LORA adapters can be read", j.PeftType)
	}
	if err := refuse(all); err != nil {
		return nil, err
	}
	c := &Config{Base: j.Base, TaskType: j.TaskType, R: j.R, Alpha: j.Alpha, Dropout: j.Dropout, RSLoRA: j.RSLoRA,
		RankPattern: j.RankPattern, AlphaPattern: j.AlphaPattern}
	if len(j.TargetModules) > 0 && json.Unmarshal(j.TargetModules, &c.Targets) != nil && json.Unmarshal(j.TargetModules, &c.Pattern) != nil {
		return nil, errors.New("target_modules is neither a list of names nor one expression")
	}
	return c, c.Check()
}

// refused are the keys that change the mathematics when they are set, and what they would do.
var refused = []struct{ key, does string }{
	{"use_dora", "splits weights into magnitude and direction"},
	{"lora_bias", "adds a bias to the adapters"},
	{"modules_to_save", "replaces whole modules"},
	{"fan_in_fan_out", "is for weights stored the other way round"},
	{"layer_replication", "repeats layers"},
	{"trainable_token_indices", "trains rows of the embedding"},
	{"target_parameters", "adapts parameters that are no linear modules"},
	{"alora_invocation_tokens", "switches the adapter on within a sequence"},
	{"use_qalora", "pools the inputs of the adapters"},
	{"use_bdlora", "makes the matrices block-diagonal"},
	{"arrow_config", "mixes several adapters"},
	{"kasa_config", "changes the base weights"},
	{"monteclora_config", "samples the adapters"},
	{"velora_config", "compresses the activations"},
}

// refuse names the first key that would make the adapter mean something else than it does here.
func refuse(all map[string]json.RawMessage) error {
	for _, r := range refused {
		if isSet(all[r.key]) {
			return fmt.Errorf("%s is %s: it %s, which is not supported", r.key, all[r.key], r.does)
		}
	}
	if text := all["bias"]; isSet(text) && string(text) != `"none"` {
		return fmt.Errorf("bias is %s: trained biases are not supported, only \"none\"", text)
	}
	var way string // of initialisation, where it is not true or false
	if json.Unmarshal(all["init_lora_weights"], &way) == nil {
		switch way {
		case "", "gaussian", "eva", "orthogonal":
		default:
			return fmt.Errorf("init_lora_weights is %q: it changes the base weights, so the adapter does not fit the base as it is; convert it with PEFT to a plain adapter", way)
		}
	}
	return nil
}

// isSet says whether a value is neither absent nor one of the empty ones.
func isSet(text json.RawMessage) bool {
	switch string(text) {
	case "", "null", "false", "{}", "[]", "0", `""`:
		return false
	}
	return true
}

// readWeights reads the matrices and holds them against the configuration.
func readWeights(path string, c *Config) (adapters []Adapter, err error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	byModule := map[string]*Adapter{}
	for _, key := range file.Names() {
		name, matrix, ok := splitKey(key)
		if !ok {
			return nil, fmt.Errorf("%s: tensor %q is no matrix of a LoRA adapter (%s…%s or …%s)", path, key, keyPrefix, keyA, keyB)
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
		if c.checkable() && !c.Matches(module) {
			return nil, fmt.Errorf("%s: %s is not among the target_modules of %s", path, module, ConfigFile)
		}
		adapters = append(adapters, *a)
	}
	if len(adapters) == 0 {
		return nil, fmt.Errorf("%s holds no adapter", path)
	}
	return adapters, nil
}

// checkable says whether the targets can be held against names: they were given, and in a way that Go can read.
func (c *Config) checkable() bool {
	if c.Pattern == "" {
		return len(c.Targets) > 0
	}
	_, err := compile(c.Pattern)
	return err == nil
}

// take copies one matrix from the file.
func (a *Adapter) take(file *safetensors.File, key string, matrix byte) error {
	_, shape, _ := file.Info(key)
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return fmt.Errorf("tensor %q has shape %v: a matrix is needed", key, shape)
	}
	into, rank, size := &a.B, shape[1], shape[0]
	if matrix == 'A' {
		into, rank, size = &a.A, shape[0], shape[1]
	}
	if *into != nil {
		return fmt.Errorf("tensor %q comes twice, in two spellings", key)
	}
	if rank != a.R {
		return fmt.Errorf("tensor %q has shape %v, but %s gives %s the rank %d", key, shape, ConfigFile, a.Module, a.R)
	}
	values, err := file.Float32(key)
	*into = slices.Clone(values) // the file's memory goes with the file
	if matrix == 'A' {
		a.In = size
	} else {
		a.Out = size
	}
	return err
}
