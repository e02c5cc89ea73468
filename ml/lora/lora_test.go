package lora

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"finetui/ml/blas"
	"finetui/ml/goldentest"
	"finetui/ml/safetensors"
)

// The rank, alpha and targets are those that the reference's generator has for every tree.
func TestGoldenAdaptersComeBackByteForByte(t *testing.T) {
	for name, want := range map[string]struct {
		base   string
		scale  float64
		naming Naming
	}{
		"qwen2/lora/attn":             {"qwen2/untied", 2, Classic},
		"qwen2/lora/all-rslora":       {"qwen2/untied", 4, Classic},
		"qwen2vl/lora/attn":           {"qwen2vl/model", 2, Nested},
		"qwen2vl/lora/attn-old-names": {"qwen2vl/model", 2, Classic},
	} {
		t.Run(name, func(t *testing.T) {
			dir := goldentest.Dir(t, filepath.FromSlash(name))
			c, adapters, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if c.Naming != want.naming || c.Base != want.base {
				t.Errorf("base %q, naming %v; want %+v", c.Base, c.Naming, want)
			}
			base, err := safetensors.OpenFolder(goldentest.Dir(t, filepath.FromSlash(want.base)))
			if err != nil {
				t.Fatal(err)
			}
			defer base.Close()
			for _, a := range adapters {
				_, shape, ok := base.Info(a.Module + ".weight")
				if !ok || !slices.Equal(shape, []int{a.Out, a.In}) || len(a.A) != a.R*a.In || len(a.B) != a.Out*a.R ||
					a.R != c.R || a.Scale != want.scale {
					t.Errorf("adapter %s: in %d, out %d, r %d, scale %v; the base has %v", a.Module, a.In, a.Out, a.R,
						a.Scale, shape)
				}
			}
			layers := 0
			for _, tensor := range base.Names() {
				if strings.HasSuffix(tensor, "self_attn.q_proj.weight") {
					layers++
				}
			}
			if len(adapters) != layers*len(c.Targets) {
				t.Errorf("%d adapters for %d targets in %d layers", len(adapters), len(c.Targets), layers)
			}
			out := filepath.Join(t.TempDir(), "adapter")
			if err := Write(out, c, adapters); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{ConfigFile, WeightsFile} {
				got, errGot := os.ReadFile(filepath.Join(out, file))
				want, errWant := os.ReadFile(filepath.Join(dir, file))
				if errGot != nil || errWant != nil || !bytes.Equal(got, want) {
					t.Errorf("%s differs from the golden file (%v, %v)", file, errGot, errWant)
				}
			}
		})
	}
}

func TestGoldenOldNamesAreTheSameAdapter(t *testing.T) {
	c, adapters, err := Read(goldentest.Dir(t, "qwen2vl", "lora", "attn"))
	if err != nil {
		t.Fatal(err)
	}
	_, old, err := Read(goldentest.Dir(t, "qwen2vl", "lora", "attn-old-names"))
	if err != nil || fmt.Sprint(old) != fmt.Sprint(adapters) {
		t.Errorf("old names give other adapters (%v)", err)
	}
	c.Naming = Classic
	out := t.TempDir()
	if err := Write(out, c, adapters); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(filepath.Join(out, WeightsFile))
	want, _ := os.ReadFile(filepath.Join(goldentest.Dir(t, "qwen2vl", "lora", "attn-old-names"), WeightsFile))
	if !bytes.Equal(got, want) {
		t.Error("written with old names it differs from the golden file")
	}
}

func TestGoldenMergedWeights(t *testing.T) {
	_, adapters, err := Read(goldentest.Dir(t, "qwen2vl", "lora", "attn"))
	if err != nil {
		t.Fatal(err)
	}
	base, err := safetensors.OpenFolder(goldentest.Dir(t, "qwen2vl", "model"))
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	goldentest.Dir(t, "qwen2vl", "lora", "attn.merged-weights.safetensors")
	merged := goldentest.Open(t, goldentest.LoadTolerances(t), "qwen2vl/lora/attn.merged-weights.safetensors")
	for _, a := range adapters {
		frozen, err := base.Float32(a.Module + ".weight")
		if err != nil {
			t.Fatal(err)
		}
		w := slices.Clone(frozen)
		a.Merge(blas.NewTeam(1), w)
		merged.Check(a.Module+".weight", w)
	}
	merged.Complete()
}

func TestMergeOfManyRowsEqualsTheFormula(t *testing.T) {
	c := &Config{R: 3, Alpha: 5, Targets: []string{"x"}}
	a := New("x", 7, 2*mergeRows+9, c, 1)
	for i := range a.B {
		a.B[i] = float32(i%11) - 5
	}
	w := make([]float32, a.Out*a.In)
	a.Merge(blas.NewTeam(2), w)
	for o := range a.Out {
		for i := range a.In {
			var want float64
			for r := range a.R {
				want += 5. / 3 * float64(a.B[o*3+r]) * float64(a.A[r*7+i])
			}
			if math.Abs(float64(w[o*7+i])-want) > 1e-5 {
				t.Fatalf("[%d,%d] %v, want %v", o, i, w[o*7+i], want)
			}
		}
	}
}

func TestNewAdapterIsKaimingUniformAndChangesNothing(t *testing.T) {
	c := &Config{R: 8, Alpha: 16}
	a := New("model.layers.0.self_attn.q_proj", 400, 30, c, 7)
	bound, top, square := 1/math.Sqrt(400), 0.0, 0.0
	for _, v := range a.A {
		top = max(top, math.Abs(float64(v)))
		square += float64(v) * float64(v)
	}
	std := math.Sqrt(square / float64(len(a.A)))
	if top > bound*1.0001 || top < 0.99*bound || math.Abs(std-bound/math.Sqrt(3)) > 0.03*bound {
		t.Errorf("A reaches %v and has std %v; the bound is %v", top, std, bound)
	}
	for _, v := range a.B {
		if v != 0 {
			t.Fatal("B is not zero")
		}
	}
	same, other := New(a.Module, 400, 30, c, 7), New("model.layers.1.self_attn.q_proj", 400, 30, c, 7)
	if fmt.Sprint(same) != fmt.Sprint(a) || fmt.Sprint(other.A) == fmt.Sprint(a.A) ||
		fmt.Sprint(New(a.Module, 400, 30, c, 8).A) == fmt.Sprint(a.A) {
		t.Error("A must depend on seed and module")
	}
}

func TestTargetsMatchAsInPEFT(t *testing.T) {
	const q0, q10 = "model.layers.0.self_attn.q_proj", "model.layers.10.self_attn.q_proj"
	for _, c := range []struct {
		targets string
		module  string
		want    bool
	}{
		{`["q_proj"]`, q0, true},
		{`["q_proj"]`, "model.layers.0.self_attn.xq_proj", false},
		{`["proj"]`, q0, false},
		{`["proj"]`, "visual.blocks.0.attn.proj", true},
		{`["0.self_attn.q_proj"]`, q10, false},
		{`["model.language_model.layers.0.self_attn.q_proj"]`, q0, true},
		{`["model.layers.0.self_attn.q_proj"]`, q10, false},
		{`"model\\.layers\\.(0|1)\\..*q_proj"`, q0, true},
		{`"model\\.layers\\.(0|1)\\..*q_proj"`, q10, false},
		{`"model\\.language_model.*\\.q_proj"`, q0, true},
		{`"q_proj"`, q0, false}, // an expression is for the whole name
		{`"all-linear"`, q0, true},
		{`"all-linear"`, "lm_head", false},
	} {
		config, err := parseConfig([]byte(`{"peft_type":"LORA","target_modules":` + c.targets + `}`))
		if err != nil {
			t.Error(err)
		} else if got := config.Matches(c.module); got != c.want {
			t.Errorf("%s and %s: %v", c.targets, c.module, got)
		}
	}
}

func TestPatternsOfRankAndAlpha(t *testing.T) {
	c, err := parseConfig([]byte(`{"peft_type":"LORA","r":8,"lora_alpha":16,"use_rslora":false,"target_modules":["q_proj","v_proj"],
		"rank_pattern":{"layers.1.self_attn.q_proj":2,"q_proj":4,"^model\\.layers\\.3\\..*":6,"^model\\.layers\\.4":7,"v_proj":32},
		"alpha_pattern":{"model.language_model.layers.2.self_attn.q_proj":3}}`))
	if err != nil {
		t.Fatal(err)
	}
	for module, want := range map[string]struct {
		r     int
		scale float64
	}{
		"model.layers.0.self_attn.q_proj":  {4, 4},
		"model.layers.1.self_attn.q_proj":  {2, 8}, // the first that fits
		"model.layers.11.self_attn.q_proj": {4, 4},
		"model.layers.2.self_attn.q_proj":  {4, .75},
		"model.layers.3.self_attn.v_proj":  {6, 16. / 6},
		"model.layers.4.self_attn.v_proj":  {32, .5}, // ^model\.layers\.4 is the beginning of its name only
		"model.layers.4.self_attn.o_proj":  {8, 2},
	} {
		if r, s := c.Rank(module), c.Scale(module); r != want.r || s != want.scale {
			t.Errorf("%s: rank %d, scale %v, want %+v", module, r, s, want)
		}
	}
	c.Naming = Nested
	adapters := []Adapter{New("model.layers.1.self_attn.q_proj", 3, 4, c, 1), New("model.layers.2.self_attn.q_proj", 3,
		4, c, 1), New("model.layers.3.self_attn.v_proj", 5, 2, c, 1)}
	dir := t.TempDir()
	if err := Write(dir, c, adapters); err == nil || !strings.Contains(err.Error(), "layers.3") {
		t.Errorf("a pattern from the start that fits the other spelling only: %v", err)
	}
	c.RankPattern[2].Pattern = `^model\.language_model\.layers\.3\..*`
	if err := Write(dir, c, adapters); err != nil {
		t.Fatal(err)
	}
	back, again, err := Read(dir)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(adapters) ||
		fmt.Sprint(back.RankPattern) != fmt.Sprint(c.RankPattern) {
		t.Errorf("came back as %v, %+v (%v)", again, back, err)
	}
}

func TestConfigThatWouldMeanSomethingElseIsRefusedByName(t *testing.T) {
	for _, c := range []struct{ setting, says string }{
		{`"use_dora": true`, "use_dora"},
		{`"bias": "lora_only"`, "bias"},
		{`"fan_in_fan_out": true`, "fan_in_fan_out"},
		{`"lora_bias": true`, "lora_bias"},
		{`"layer_replication": [[0, 2]]`, "layer_replication"},
		{`"trainable_token_indices": [1]`, "trainable_token_indices"},
		{`"init_lora_weights": "pissa_niter_4"`, "pissa"},
		{`"key_of_the_future": {"a": 1}`, "key_of_the_future"},
		{`"use_of_the_future": true`, "use_of_the_future"},
		{`"layers_to_transform": "all"`, "layers_to_transform"},
		{`"layers_to_transform": [1.5]`, "layers_to_transform"},
		{`"layers_pattern": "layers"`, "without layers_to_transform"},
		{`"layers_to_transform": 1, "layers_pattern": ["(?=a)"]`, "layers_pattern"},
		{`"target_modules": ".*q_proj", "layers_to_transform": 1`, "layers_to_transform"},
		{`"exclude_modules": 3`, "exclude_modules"},
		{`"rank_pattern": {"(?=q)": 4}`, "rank_pattern"},
		{`"rank_pattern": {"q_proj": 2.5}`, "whole number"},
		{`"rank_pattern": 3`, "object"},
		{`"alpha_pattern": {"q_proj": -1}`, "alpha_pattern"},
		{`"r": 0`, "r is 0"},
		{`"r": "four"`, "r"},
		{`"lora_alpha": 0`, "lora_alpha"},
		{`"lora_dropout": 1`, "lora_dropout"},
		{`"target_modules": 3`, "target_modules"},
		{`"peft_type": "IA3"`, "IA3"},
	} {
		_, err := parseConfig([]byte(`{"peft_type": "LORA", "target_modules": ["q_proj"], ` + c.setting + `}`))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.setting, err)
		}
	}
	for _, harmless := range []string{`"use_dora": false`, `"bias": "none"`, `"modules_to_save": null`,
		`"init_lora_weights": "gaussian"`, `"init_lora_weights": "mica"`, `"key_of_the_future": 16`,
		`"use_of_the_future": false`, `"rank_pattern": null`, `"layers_to_transform": null`, `"layers_pattern": ""`,
		`"eva_config": {"rho": 2.0}`} {
		if _, err := parseConfig([]byte(`{"peft_type": "LORA", "target_modules": ["q_proj"], ` + harmless +
			`}`)); err != nil {
			t.Errorf("%s: %v", harmless, err)
		}
	}
}

// folder writes an adapter's files as they are given.
func folder(t *testing.T, config string, tensors ...safetensors.Tensor) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, ConfigFile), []byte(config), 0o666),
		safetensors.Write(filepath.Join(dir, WeightsFile), tensors, nil)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWeightsThatDoNotFitAreErrorsThatNameTheTensor(t *testing.T) {
	const config = `{"peft_type":"LORA","r":2,"target_modules":["q_proj"]}`
	matrix := func(name string, rows, cols int) safetensors.Tensor {
		return safetensors.FromFloat32("base_model.model."+name, []int{rows, cols}, make([]float32, rows*cols))
	}
	a, b := matrix("model.layers.0.q_proj.lora_A.weight", 2, 3), matrix("model.layers.0.q_proj.lora_B.weight", 4, 2)
	for _, c := range []struct {
		tensors []safetensors.Tensor
		says    string
	}{
		{[]safetensors.Tensor{a}, "only one"},
		{[]safetensors.Tensor{a, matrix("model.layers.0.q_proj.lora_B.weight", 2, 4)}, "rank 2"},
		{[]safetensors.Tensor{a, b, matrix("model.layers.0.q_proj.lora_magnitude_vector", 1, 1)},
			"lora_magnitude_vector"},
		{[]safetensors.Tensor{a, b, matrix("model.language_model.layers.0.q_proj.lora_A.weight", 2, 3)}, "twice"},
		{[]safetensors.Tensor{matrix("model.layers.0.k_proj.lora_A.weight", 2, 3),
			matrix("model.layers.0.k_proj.lora_B.weight", 4, 2)}, "k_proj"},
		{[]safetensors.Tensor{a, {Name: "base_model.model.x.lora_A.weight", DType: safetensors.F32, Shape: []int{2},
			Data: make([]byte, 8)}}, "shape [2]"},
		{nil, "no adapter"},
	} {
		if _, _, err := Read(folder(t, config, c.tensors...)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want %q: %v", c.says, err)
		}
	}
	old := []safetensors.Tensor{matrix("model.layers.0.q_proj.lora_A.default.weight", 2, 3), b}
	lookahead := `{"peft_type":"LORA","r":2,"target_modules":"^(?!.*visual).*q_proj"}`
	for _, dir := range []string{folder(t, config, old...), folder(t, lookahead, a, b)} {
		if _, adapters, err := Read(dir); err != nil || len(adapters) != 1 {
			t.Errorf("%d adapters, %v", len(adapters), err)
		}
	}
}

func TestFoldersThatAreNoAdapter(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Read(dir); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), ConfigFile) {
		t.Errorf("empty folder: %v", err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(ConfigFile, "{")
	if _, _, err := Read(dir); err == nil || !strings.Contains(err.Error(), ConfigFile) {
		t.Errorf("broken json: %v", err)
	}
	write(ConfigFile, `{"peft_type":"LORA"}`)
	write("adapter_model.bin", "")
	if _, _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "pickle") {
		t.Errorf("pickle: %v", err)
	}
}

// TestModulesAreChosenAsPEFTDoes holds targets, exclusions, layers and patterns against a table that PEFT has made.
func TestModulesAreChosenAsPEFTDoes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "choices.json"))
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Names []string
		Cases []struct {
			Config json.RawMessage
			Chosen map[string][2]float64 // rank, alpha
		}
	}
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	for _, c := range table.Cases {
		config, err := parseConfig(c.Config)
		if err != nil {
			t.Errorf("%s: %v", c.Config, err)
			continue
		}
		config.Naming = Nested
		for _, name := range table.Names {
			want, chosen := c.Chosen[name]
			if got := config.matchesAs(name); got != chosen || got != config.Matches(name) {
				t.Errorf("%s: %s is chosen: %v, and by Matches: %v", c.Config, name, got, config.Matches(name))
			} else if r, scale := config.rankAs(name), config.scaleAs(name); chosen && (float64(r) != want[0] ||
				scale != want[1]/want[0]) {
				t.Errorf("%s: %s has rank %d and scale %v, PEFT gives it rank %v and alpha %v", c.Config, name, r,
					scale, want[0], want[1])
			}
		}
	}
}

// TestEveryKeyComesBack reads and writes a file with every harmless and every followed key set to something of its own.
func TestEveryKeyComesBack(t *testing.T) {
	const set = `{"peft_type": "LORA", "peft_version": "0.21.2", "task_type": null, "base_model_name_or_path": "someone/base", "revision": "v2", "inference_mode": false,
		"auto_mapping": {"base_model_class": "M", "parent_library": "m"}, "r": 4, "lora_alpha": 6.5, "lora_dropout": 0.25, "use_rslora": true,
		"target_modules": ["down_proj", "q_proj"], "exclude_modules": ["0.mlp.down_proj", "model.language_model.layers.2.self_attn.q_proj"],
		"layers_to_transform": [0, 2], "layers_pattern": ["layers"], "rank_pattern": {"z": 3, "a": 2}, "alpha_pattern": {"layers\\.1\\..*": 0.5},
		"init_lora_weights": "eva", "eva_config": {"rho": 2.5, "tau": 0.99}, "corda_config": {"verbose": true}, "lora_ga_config": {"scale": "unit"}, "loftq_config": {"loftq_bits": 4},
		"megatron_config": {"a": 1}, "megatron_core": "other", "qalora_group_size": 32, "ensure_weight_tying": true, "key_of_the_future": 7,
		"bias": "none", "use_dora": false, "lora_bias": false, "modules_to_save": null, "fan_in_fan_out": false}`
	var keys map[string]any
	if err := json.Unmarshal([]byte(set), &keys); err != nil {
		t.Fatal(err)
	}
	tensors := func(module string) []safetensors.Tensor {
		return []safetensors.Tensor{
			safetensors.FromFloat32(keyPrefix+module+keyA, []int{4, 3}, make([]float32, 12)),
			safetensors.FromFloat32(keyPrefix+module+keyB, []int{5, 4}, make([]float32, 20)),
		}
	}
	dir := folder(t, set, slices.Concat(tensors("model.language_model.layers.0.self_attn.q_proj"),
		tensors("model.language_model.layers.2.mlp.down_proj"))...)
	c, adapters, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, c, adapters); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range keys {
		if value, ok := got[key]; !ok || !reflect.DeepEqual(value, want) {
			t.Errorf("%s was %v and came back as %v", key, want, value)
		}
	}
	for _, r := range refused {
		if value, ok := got[r.key]; !ok || value != nil && value != false {
			t.Errorf("%s, a key of PEFT, came back as %v", r.key, value)
		}
	}
	if !strings.Contains(string(text), `"z": 3,
    "a": 2`) {
		t.Errorf("rank_pattern lost its order, in which PEFT looks for a match:\n%s", text)
	}
	for _, left := range []string{"model.language_model.layers.1.self_attn.q_proj",
		"model.language_model.layers.0.mlp.down_proj", "model.language_model.layers.2.self_attn.q_proj"} {
		if _, _, err := Read(folder(t, set, tensors(left)...)); err == nil || !strings.Contains(err.Error(), left) {
			t.Errorf("%s, which PEFT leaves out, was read: %v", left, err)
		}
	}
}

func TestWriteRefusesWhatPEFTWouldNotRead(t *testing.T) {
	c := &Config{R: 2, Alpha: 4, Targets: []string{"q_proj"}}
	good := New("model.layers.0.self_attn.q_proj", 3, 4, c, 1)
	for says, change := range map[string]func(a *Adapter, c *Config){
		"rank":   func(a *Adapter, c *Config) { a.R, a.A, a.B = 3, make([]float32, 9), make([]float32, 12) },
		"scale":  func(a *Adapter, c *Config) { a.Scale = 1 },
		"values": func(a *Adapter, c *Config) { a.A = nil },
		"target": func(a *Adapter, c *Config) { c.Pattern, c.Naming = `model\.layers.*`, Nested },
		"r is 0": func(a *Adapter, c *Config) { c.R = 0 },
	} {
		a, config := good, *c
		change(&a, &config)
		dir := filepath.Join(t.TempDir(), "x")
		if err := Write(dir, &config, []Adapter{a}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a folder was left", says)
		}
	}
}

func TestWrittenConfigHasPythonsNumbers(t *testing.T) {
	c := &Config{R: 8, Alpha: 12.5, Dropout: .05, RSLoRA: true, Pattern: `.*\.q_proj`,
		AlphaPattern: []Override{{"a", 3}}}
	text, err := c.marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"lora_alpha": 12.5`, `"lora_dropout": 0.05`, `"use_rslora": true`,
		`"target_modules": ".*\\.q_proj"`, `"a": 3`, `"task_type": "CAUSAL_LM"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"peft_type":"LORA","r":8,"rank_pattern":{"a":1},"target_modules":"x"}`))
	f.Add([]byte(`{"peft_type":"LORA","target_modules":["q_proj"],"layers_to_transform":[0],"layers_pattern":["layers"],"exclude_modules":".*1.*","eva_config":{"rho":2.0},"key":3}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text)
		if err != nil {
			return
		}
		c.Matches("model.layers.0.self_attn.q_proj")
		if out, err := c.marshal(); err == nil {
			if _, err := parseConfig(out); err != nil {
				t.Errorf("what was written cannot be read: %v", err)
			}
		}
	})
}
