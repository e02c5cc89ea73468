package lora

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fields are the keys of adapter_config.json that are followed.
type fields struct {
	PeftType       string          `json:"peft_type"`
	TaskType       string          `json:"task_type"`
	Base           string          `json:"base_model_name_or_path"`
	R              int             `json:"r"`
	Alpha          float64         `json:"lora_alpha"`
	Dropout        float64         `json:"lora_dropout"`
	RSLoRA         bool            `json:"use_rslora"`
	TargetModules  json.RawMessage `json:"target_modules"`
	ExcludeModules json.RawMessage `json:"exclude_modules"`
	Layers         json.RawMessage `json:"layers_to_transform"`
	LayersPattern  json.RawMessage `json:"layers_pattern"`
	RankPattern    overrides       `json:"rank_pattern"`
	AlphaPattern   overrides       `json:"alpha_pattern"`
	ModulesToSave  json.RawMessage `json:"modules_to_save"`
}

func parseConfig(text []byte) (*Config, error) {
	j := fields{R: 8, Alpha: 8} // PEFT's defaults for absent keys
	var all map[string]json.RawMessage
	err := json.Unmarshal(text, &all)
	if err == nil {
		err = json.Unmarshal(text, &j)
	}
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(j.PeftType, "LORA") {
		return nil, fmt.Errorf("peft_type is %q: only LORA adapters can be read", j.PeftType)
	}
	if err := refuse(all); err != nil {
		return nil, err
	}
	c := &Config{Base: j.Base, TaskType: j.TaskType, R: j.R, Alpha: j.Alpha, Dropout: j.Dropout, RSLoRA: j.RSLoRA,
		RankPattern: j.RankPattern, AlphaPattern: j.AlphaPattern, kept: rest(all)}
	if c.Targets, c.Pattern, err = names("target_modules", j.TargetModules); err != nil {
		return nil, err
	}
	if c.Targets == nil && c.Pattern == "" {
		c.Targets = []string{"q_proj", "v_proj"} // what PEFT takes for Qwen2 where nothing is said
	}
	if c.Exclude, c.ExcludePattern, err = names("exclude_modules", j.ExcludeModules); err != nil {
		return nil, err
	}
	if c.Layers, err = list[int]("layers_to_transform", "a layer's number", j.Layers); err != nil {
		return nil, err
	}
	if c.ModulesToSave, err = list[string]("modules_to_save", "a name", j.ModulesToSave); err != nil {
		return nil, err
	}
	if slices.Contains(c.ModulesToSave, "") {
		return nil, errors.New("modules_to_save holds an empty name")
	}
	if string(j.LayersPattern) != `""` { // any, as where it is absent
		if c.LayersPattern, err = list[string]("layers_pattern", "a name", j.LayersPattern); err != nil {
			return nil, err
		}
	}
	return c, c.Check()
}

// names reads a key that is a list of names or one expression.
func names(key string, text json.RawMessage) (list []string, pattern string, err error) {
	if json.Unmarshal(orNull(text), &list) == nil {
		return list, "", nil
	}
	if json.Unmarshal(text, &pattern) == nil {
		return nil, pattern, nil
	}
	return nil, "", fmt.Errorf("%s is neither a list of names nor one expression", key)
}

// list reads a key that is a list of things or one of them.
func list[T any](key, what string, text json.RawMessage) (values []T, err error) {
	if json.Unmarshal(orNull(text), &values) == nil {
		return values, nil
	}
	var one T
	if json.Unmarshal(text, &one) == nil {
		return []T{one}, nil
	}
	return nil, fmt.Errorf("%s is %s: it is %s or a list of them", key, text, what)
}

// orNull is a value, or null where the key is absent.
func orNull(text json.RawMessage) json.RawMessage {
	if text == nil {
		return json.RawMessage("null")
	}
	return text
}

// merge is what can be done about most of what is refused.
const merge = "merge the adapter into its base with PEFT (merge_and_unload, then save_pretrained) and use the " +
	"merged checkpoint as the base"

// refused are the keys that change the mathematics when they are set, what they would do, and what to do about it.
var refused = []struct{ key, does, do string }{
	{"use_dora", "splits weights into magnitude and direction", merge},
	{"lora_bias", "adds a bias to the adapters", "train the adapter without it"},
	{"fan_in_fan_out", "is for weights stored the other way round",
		"set it to false, as PEFT does itself for Qwen2's modules"},
	{"layer_replication", "repeats layers", merge},
	{"trainable_token_indices", "trains rows of the embedding", merge},
	{"target_parameters", "adapts parameters that are no linear modules", merge},
	{"alora_invocation_tokens", "switches the adapter on within a sequence", "train a plain adapter"},
	{"use_qalora", "pools the inputs of the adapters", "train a plain adapter"},
	{"use_bdlora", "makes the matrices block-diagonal", merge},
	{"arrow_config", "mixes several adapters", "take one of the adapters"},
	{"kasa_config", "changes the base weights", merge},
	{"monteclora_config", "samples the adapters", "train a plain adapter"},
	{"velora_config", "compresses the activations of training",
		"take it out, and the tensors that belong to it: the adapter itself is plain"},
}

// harmless are the keys of PEFT 0.21 that do not change what a trained adapter does in the
// modules that are adapted here, with the values that a new adapter has: how it was initialised,
// for which kinds of modules it is, where it came from.
var harmless = map[string]any{
	"auto_mapping": nil, "bias": "none", "corda_config": nil, "ensure_weight_tying": false, "eva_config": nil,
	"inference_mode": true, "init_lora_weights": true, "loftq_config": struct{}{}, "lora_ga_config": nil,
	"megatron_config": nil,
	"megatron_core":   "megatron.core", "peft_version": peftVersion, "qalora_group_size": 16, "revision": nil,
}

// followed are the keys that are fields of Config.
var followed = []string{"alpha_pattern", "base_model_name_or_path", "exclude_modules", "layers_pattern",
	"layers_to_transform", "lora_alpha", "lora_dropout", "modules_to_save",
	"peft_type", "r", "rank_pattern", "target_modules", "task_type", "use_rslora"}

// refuse names the first key that would make the adapter mean something else than it does here.
func refuse(all map[string]json.RawMessage) error {
	for _, r := range refused {
		if isSet(all[r.key]) {
			return fmt.Errorf("%s is %s: it %s, which is not supported; %s", r.key, short(all[r.key]), r.does, r.do)
		}
	}
	if text := all["bias"]; isSet(text) && string(text) != `"none"` {
		return fmt.Errorf("bias is %s: trained biases are not supported, only \"none\"; %s", text, merge)
	}
	var way string // of initialisation, where it is not true or false
	if json.Unmarshal(orNull(all["init_lora_weights"]), &way) == nil {
		switch strings.ToLower(way) {
		case "", "gaussian", "eva", "orthogonal", "mica":
		default:
			return fmt.Errorf("init_lora_weights is %q: it changes the base weights, so the adapter does not fit "+
				"the base as it is; save it with PEFT's path_initial_model_for_weight_conversion as a plain adapter",
				way)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !known(key) && isOn(all[key]) {
			return fmt.Errorf("%s is %s: PEFT %s has no such key, so what it changes is not known; take it out "+
				"where the trained adapter does not depend on it", key, short(all[key]), peftVersion)
		}
	}
	return nil
}

func known(key string) bool {
	_, ok := harmless[key]
	return ok || slices.Contains(followed, key) ||
		slices.ContainsFunc(refused, func(r struct{ key, does, do string }) bool { return r.key == key })
}

// isSet says whether a value is neither absent nor one of the empty ones.
func isSet(text json.RawMessage) bool {
	switch string(bytes.Join(bytes.Fields(text), nil)) {
	case "", "null", "false", "{}", "[]", "0", `""`:
		return false
	}
	return true
}

// isOn says whether an unknown key switches something on: PEFT's switches are true, or an object or a list with
// something in it, while numbers and texts only say how.
func isOn(text json.RawMessage) bool {
	return isSet(text) && (string(text) == "true" || text[0] == '{' || text[0] == '[')
}

// short is a value on one line, or its beginning.
func short(text json.RawMessage) string {
	const most = 60
	line := strings.Join(strings.Fields(string(text)), " ")
	if len(line) <= most {
		return line
	}
	return strings.ToValidUTF8(line[:most], "") + " …"
}

// rest are the keys that have no field, as they are in the file. Null says something
// in task_type: PEFT then wraps a model without a head.
func rest(all map[string]json.RawMessage) map[string]json.RawMessage {
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(key string, _ json.RawMessage) bool {
		return slices.Contains(followed, key) || key == "peft_version"
	})
	if string(orNull(all["task_type"])) == "null" {
		kept["task_type"] = json.RawMessage("null")
	}
	return kept
}

// keys are all that the file of PEFT's version has.
func (c *Config) keys() map[string]any {
	keys := maps.Clone(harmless)
	for _, r := range refused {
		keys[r.key] = nil
	}
	for _, key := range []string{"use_dora", "lora_bias", "fan_in_fan_out", "use_qalora"} {
		keys[key] = false
	}
	keys["task_type"] = "CAUSAL_LM"
	for key, value := range c.kept {
		keys[key] = value
	}
	if c.TaskType != "" {
		keys["task_type"] = c.TaskType
	}
	maps.Copy(keys, map[string]any{
		"alpha_pattern": overrides(c.AlphaPattern), "base_model_name_or_path": orNil(c.Base),
		"exclude_modules": namesOrNil(c.Exclude, c.ExcludePattern),
		"layers_pattern":  listOrNil(c.LayersPattern), "layers_to_transform": listOrNil(c.Layers),
		"lora_alpha":   number(c.Alpha),
		"lora_dropout": fraction(c.Dropout), "modules_to_save": listOrNil(c.ModulesToSave), "peft_type": "LORA",
		"r": c.R, "rank_pattern": overrides(c.RankPattern),
		"target_modules": namesOrNil(c.Targets, c.Pattern), "use_rslora": c.RSLoRA,
	})
	return keys
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func listOrNil[T any](values []T) any {
	if len(values) == 0 {
		return nil
	}
	return values
}

func namesOrNil(list []string, pattern string) any {
	if pattern != "" {
		return pattern
	}
	return listOrNil(list)
}
