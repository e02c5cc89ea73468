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
		if a.Embedding {
			tensors = append(tensors,
				safetensors.FromFloat32(keyPrefix+name+keyEmbedA, []int{a.R, a.Out}, transpose(a.B, a.Out, a.R)),
				safetensors.FromFloat32(keyPrefix+name+keyEmbedB, []int{a.In, a.R}, transpose(a.A, a.R, a.In)))
			continue
		}
		tensors = append(tensors,
			safetensors.FromFloat32(keyPrefix+name+keyA, []int{a.R, a.In}, a.A),
			safetensors.FromFloat32(keyPrefix+name+keyB, []int{a.Out, a.R}, a.B))
	}
	for _, s := range c.Saved {
		name := c.Naming.respell(s.Name)
		if s.Base && c.adapts(s.Name, adapters) {
			module, last, _ := cutLast(name)
			name = module + baseLayer + "." + last
		}
		tensors = append(tensors, safetensors.FromFloat32(keyPrefix+name, s.Shape, s.Values))
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := safetensors.Write(filepath.Join(dir, WeightsFile), tensors,
		map[string]string{"format": "pt"}); err != nil {
		return err
	}
	return WriteConfig(dir, c)
}

// WriteConfig writes adapter_config.json alone, in the spelling c.Naming, into a folder that exists.
func WriteConfig(dir string, c *Config) error {
	written, err := c.respelled()
	if err != nil {
		return fmt.Errorf("writing the adapter %s: %w", dir, err)
	}
	text, err := written.marshal()
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, ConfigFile), text)
}

// adapts says whether the module of a tensor has an update.
func (c *Config) adapts(tensor string, adapters []Adapter) bool {
	module, _, _ := cutLast(tensor)
	return slices.ContainsFunc(adapters, func(a Adapter) bool { return a.Module == module })
}

// respelled is the configuration with its names in its spelling. Expressions are left as they are.
func (c *Config) respelled() (*Config, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	w := *c
	names := func(list []string) (out []string) {
		for _, name := range list {
			out = append(out, c.Naming.respell(name))
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	w.Targets, w.Exclude = names(c.Targets), names(c.Exclude)
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
		return fmt.Errorf("%d and %d values do not make A [%d, %d] and B [%d, %d]", len(a.A), len(a.B), a.R, a.In,
			a.Out, a.R)
	case a.R != c.rankAs(name):
		return fmt.Errorf("its rank is %d, but the configuration says %d", a.R, c.rankAs(name))
	case a.Scale != c.scaleAs(name):
		return fmt.Errorf("its scale is %v, but the configuration says %v", a.Scale, c.scaleAs(name))
	case c.checkable() && !c.matchesAs(name) && !c.ties(a.Module):
		return fmt.Errorf("no target module matches %s, or it is excluded: PEFT would ignore it", name)
	}
	return nil
}

// marshal gives the file as PEFT writes it: every key of its version, sorted, two spaces, no newline at the end.
func (c *Config) marshal() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(c.keys()) // sorts them
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
