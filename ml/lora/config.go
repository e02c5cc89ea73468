package lora

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
)

// Config is what an adapter_config.json says about the mathematics.
type Config struct {
	Base     string // base_model_name_or_path
	TaskType string // empty: CAUSAL_LM

	R       int
	Alpha   float64
	Dropout float64
	RSLoRA  bool // scale by Alpha/√R (Kalajdzievski 2023, arXiv 2312.03732) instead of Alpha/R

	// Which modules have an adapter. A target is a whole name or the end of one after a dot. Pattern, one regular
	// expression for whole names or "all-linear", takes the place of Targets where it is not empty.
	Targets []string
	Pattern string

	// Which of these have none all the same. The names and the expression are like Targets and Pattern. Where Layers is
	// not empty, names that only end in a target count in the layers of these numbers alone; a layer's number follows
	// one of LayersPattern in a module's name, or where that is empty the first number after any name.
	Exclude        []string
	ExcludePattern string
	Layers         []int
	LayersPattern  []string

	// Other ranks and alphas for modules whose name ends in, or matches, a pattern. The first that fits holds.
	RankPattern  []Override
	AlphaPattern []Override

	ModulesToSave []string // modules whose tensors the adapter's file holds as a whole
	Saved         []Saved  // those tensors, and embeddings that were saved with the adapter, by name

	Naming Naming

	kept map[string]json.RawMessage // the keys of the file that was read which have no field here, to be written back
}

// Override is one entry of rank_pattern or alpha_pattern.
type Override struct {
	Pattern string
	Value   float64
}

// Rank is the rank of a module's adapter, in whichever spelling RankPattern is.
func (c *Config) Rank(module string) int {
	return c.rankAs(Classic.respell(module), Nested.respell(module))
}

// Scale is the factor of a module's update, in whichever spelling the patterns are.
func (c *Config) Scale(module string) float64 {
	return c.scaleAs(Classic.respell(module), Nested.respell(module))
}

// rankAs follows PEFT for a module as it is spelled.
func (c *Config) rankAs(names ...string) int {
	if r, ok := override(c.RankPattern, names); ok {
		return int(r)
	}
	return c.R
}

// scaleAs follows PEFT for a module as it is spelled.
func (c *Config) scaleAs(names ...string) float64 {
	alpha, r := c.Alpha, float64(c.rankAs(names...))
	if a, ok := override(c.AlphaPattern, names); ok {
		alpha = a
	}
	if c.RSLoRA {
		return alpha / math.Sqrt(r)
	}
	return alpha / r
}

// override finds the first entry that fits one of a module's names.
func override(entries []Override, names []string) (float64, bool) {
	for _, e := range entries {
		if re, err := e.compile(); err == nil && slices.ContainsFunc(names, re.MatchString) {
			return e.Value, true
		}
	}
	return 0, false
}

// compile follows PEFT, whose get_pattern_key asks of a name that it end with what the pattern matches, after a dot or
// from its start. With ^ in front the pattern must match the whole name.
func (e Override) compile() (*regexp.Regexp, error) {
	return regexp.Compile(`^(?:.*\.)?(?:` + e.Pattern + `)$`)
}

// Check reports a configuration that no adapter can follow, naming the key of adapter_config.json.
func (c *Config) Check() error {
	if c.R < 1 {
		return fmt.Errorf("r is %d: a rank is at least 1", c.R)
	}
	if !(c.Alpha > 0) || math.IsInf(c.Alpha, 0) {
		return fmt.Errorf("lora_alpha is %v: it must be above 0", c.Alpha)
	}
	if !(c.Dropout >= 0 && c.Dropout < 1) {
		return fmt.Errorf("lora_dropout is %v: it lies from 0 to below 1", c.Dropout)
	}
	if err := c.checkLayers(); err != nil {
		return err
	}
	for _, e := range c.RankPattern {
		if err := e.check("rank_pattern"); err != nil {
			return err
		}
		if e.Value != math.Trunc(e.Value) || e.Value < 1 {
			return fmt.Errorf("rank_pattern %q is %v: a rank is a whole number, at least 1", e.Pattern, e.Value)
		}
	}
	for _, e := range c.AlphaPattern {
		if err := e.check("alpha_pattern"); err != nil {
			return err
		}
	}
	return nil
}

func (e Override) check(key string) error {
	if _, err := e.compile(); err != nil {
		return fmt.Errorf("%s %q cannot be read as a regular expression here: %w", key, e.Pattern, err)
	}
	if !(e.Value > 0) || math.IsInf(e.Value, 0) {
		return fmt.Errorf("%s %q is %v: it must be above 0", key, e.Pattern, e.Value)
	}
	return nil
}

// overrides keeps the order of a JSON object, in which PEFT looks for a match.
type overrides []Override

func (o *overrides) UnmarshalJSON(text []byte) error {
	*o = nil
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token == nil {
		return err
	} else if token != json.Delim('{') {
		return fmt.Errorf("%s is no object of patterns and numbers", text)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		e := Override{Pattern: key.(string)} // the decoder lets no other key pass
		if err := d.Decode(&e.Value); err != nil {
			return fmt.Errorf("%q: %w", e.Pattern, err)
		}
		*o = append(*o, e)
	}
	return nil
}

func (o overrides) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(e.Pattern)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s:%s", key, number(e.Value))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
