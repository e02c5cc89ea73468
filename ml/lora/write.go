package lora

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"finetui/ml/safetensors"
	"finetui/ml/wholefile"
)

// peftVersion is the version of PEFT whose adapter_config.json is written.
const peftVersion = "0.21.2"

// Write stores the adapters in a folder, which is made where it is missing, as PEFT would, in the spelling c.Naming.
// Each file is written beside its place and renamed. The adapters must be what c describes.
func Write(dir string, c *Config, adapters []Adapter) error {
	written, err := c.respelled()
	if err != nil {
		return fmt.Errorf("writing the adapter %s: %w", dir, err)
	}
	var tensors []safetensors.Tensor
	for i := range adapters {
		a := &adapters[i]
		name := c.Naming.respell(a.Module)
		if err := a.check(written, name); err != nil {
			return fmt.Errorf("writing the adapter %s: %s: %w", dir, a.Module, err)
		}
		tensors = append(tensors,
			safetensors.FromFloat32(keyPrefix+name+keyA, []int{a.R, a.In}, a.A),
			safetensors.FromFloat32(keyPrefix+name+keyB, []int{a.Out, a.R}, a.B))
	}
	text, err := written.marshal()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := safetensors.Write(filepath.Join(dir, WeightsFile), tensors, map[string]string{"format": "pt"}); err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, ConfigFile), text)
}

// respelled is the configuration with its names in its spelling. Expressions are left as they are.
func (c *Config) respelled() (*Config, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	w := *c
	w.Targets = nil
	for _, t := range c.Targets {
		w.Targets = append(w.Targets, c.Naming.respell(t))
	}
	slices.Sort(w.Targets)
	w.Targets = slices.Compact(w.Targets)
	respell := func(entries []Override) (out []Override) {
		for _, e := range entries {
			out = append(out, Override{c.Naming.respell(e.Pattern), e.Value})
		}
		return out
	}
	w.RankPattern, w.AlphaPattern = respell(c.RankPattern), respell(c.AlphaPattern)
	return &w, nil
}

// check holds an adapter against the configuration that will stand beside it, under the name that it will have.
func (a *Adapter) check(c *Config, name string) error {
	switch {
	case len(a.A) != a.R*a.In || len(a.B) != a.Out*a.R:
		return fmt.Errorf("%d and %d values do not make A [%d, %d] and B [%d, %d]", len(a.A), len(a.B), a.R, a.In, a.Out, a.R)
	case a.R != c.rankAs(name):
		return fmt.Errorf("its rank is %d, but the configuration says %d", a.R, c.rankAs(name))
	case a.Scale != c.scaleAs(name):
		return fmt.Errorf("its scale is %v, but the configuration says %v", a.Scale, c.scaleAs(name))
	case c.checkable() && !c.matchesAs(name):
		return fmt.Errorf("no target module matches %s: PEFT would ignore it", name)
	}
	return nil
}

// marshal gives the file as PEFT writes it: every key of its version, sorted, two spaces, no newline at the end.
func (c *Config) marshal() ([]byte, error) {
	var targets any = c.Targets
	if c.Pattern != "" {
		targets = c.Pattern
	}
	taskType := c.TaskType
	if taskType == "" {
		taskType = "CAUSAL_LM"
	}
	none := struct{}{}
	keys := map[string]any{
		"alora_invocation_tokens": nil, "alpha_pattern": overrides(c.AlphaPattern), "arrow_config": nil, "auto_mapping": nil,
		"base_model_name_or_path": c.Base, "bias": "none", "corda_config": nil, "ensure_weight_tying": false,
		"eva_config": nil, "exclude_modules": nil, "fan_in_fan_out": false, "inference_mode": true,
		"init_lora_weights": true, "kasa_config": nil, "layer_replication": nil, "layers_pattern": nil,
		"layers_to_transform": nil, "loftq_config": none, "lora_alpha": number(c.Alpha), "lora_bias": false,
		"lora_dropout": fraction(c.Dropout), "lora_ga_config": nil, "megatron_config": nil, "megatron_core": "megatron.core",
		"modules_to_save": nil, "monteclora_config": nil, "peft_type": "LORA", "peft_version": peftVersion,
		"qalora_group_size": 16, "r": c.R, "rank_pattern": overrides(c.RankPattern), "revision": nil,
		"target_modules": targets, "target_parameters": nil, "task_type": taskType, "trainable_token_indices": nil,
		"use_bdlora": nil, "use_dora": false, "use_qalora": false, "use_rslora": c.RSLoRA, "velora_config": nil,
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(keys) // sorts them
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// number is a value as Python writes it where it may be an int.
func number(v float64) json.Number { return json.Number(strconv.FormatFloat(v, 'f', -1, 64)) }

// fraction is a value as Python writes a float.
func fraction(v float64) json.Number {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return json.Number(s)
}
