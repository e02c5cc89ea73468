package lora

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// allLinear is the target that stands for every linear module but the output.
const allLinear = "all-linear"

// Matches says whether a module is to have an adapter. Targets may be in either spelling; exclusions are as in Naming.
func (c *Config) Matches(module string) bool {
	return (c.targets(Classic.respell(module)) || c.targets(Nested.respell(module))) &&
		!c.excludes(c.Naming.respell(module))
}

// matchesAs follows PEFT's check_target_module_exists for a name as it is spelled.
func (c *Config) matchesAs(name string) bool { return c.targets(name) && !c.excludes(name) }

func (c *Config) targets(name string) bool {
	switch {
	case c.Pattern == allLinear:
		return name != "lm_head"
	case c.Pattern != "":
		return matches(c.Pattern, name)
	case slices.Contains(c.Targets, name):
		return true // whatever Layers says
	}
	return endsIn(name, c.Targets) && c.hasLayer(name)
}

func (c *Config) excludes(name string) bool {
	if c.ExcludePattern != "" {
		return matches(c.ExcludePattern, name)
	}
	return slices.Contains(c.Exclude, name) || endsIn(name, c.Exclude)
}

// endsIn says whether one of the endings follows a dot at the end of a name.
func endsIn(name string, endings []string) bool {
	return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(name, "."+e) })
}

// matches says whether an expression fits a whole name. One that cannot be read fits none; see checkable.
func matches(pattern, name string) bool {
	re, err := compile(pattern)
	return err == nil && re.MatchString(name)
}

// compile makes an expression for whole names.
func compile(pattern string) (*regexp.Regexp, error) { return regexp.Compile(`^(?:` + pattern + `)$`) }

// checkable says whether Targets and Exclude can be held against names: expressions may be such that only Python reads
// them (those that look ahead).
func (c *Config) checkable() bool {
	for _, pattern := range []string{c.Pattern, c.ExcludePattern} {
		if _, err := compile(pattern); err != nil {
			return false
		}
	}
	return c.Pattern != "" || len(c.Targets) > 0
}

// anyLayer finds the first number in a name that stands after another part of it.
const anyLayer = `^.*?\.[^.]*\.(?P<index>\d+)\.`

// layerExpressions find a layer's number in a module's name, one for each of LayersPattern.
func (c *Config) layerExpressions() (list []*regexp.Regexp, err error) {
	patterns := []string{anyLayer}
	if len(c.LayersPattern) > 0 {
		patterns = nil
		for _, p := range c.LayersPattern {
			patterns = append(patterns, `^(?:(?:^|.*?\.)`+p+`\.(?P<index>\d+)\.)`)
		}
	}
	for i, p := range patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("layers_pattern %q cannot be read as a regular expression here: %w; give the "+
				"plain name of the list of layers, \"layers\" or \"blocks\"", c.LayersPattern[i], err)
		}
		list = append(list, re)
	}
	return list, nil
}

// hasLayer says whether a module's layer is one of Layers. The first of LayersPattern that fits decides.
func (c *Config) hasLayer(name string) bool {
	if len(c.Layers) == 0 {
		return true
	}
	list, err := c.layerExpressions()
	if err != nil {
		return false // Check has said it
	}
	for _, re := range list {
		if m := re.FindStringSubmatch(name); m != nil {
			n, err := strconv.Atoi(m[re.SubexpIndex("index")])
			return err == nil && slices.Contains(c.Layers, n)
		}
	}
	return false
}

// checkLayers refuses what PEFT refuses.
func (c *Config) checkLayers() error {
	if c.Pattern != "" && (len(c.Layers) > 0 || len(c.LayersPattern) > 0) {
		return errors.New("layers_to_transform and layers_pattern have no meaning where target_modules is one " +
			"expression: name the layers in the expression, or give a list of targets")
	}
	if len(c.LayersPattern) > 0 && len(c.Layers) == 0 {
		return errors.New("layers_pattern is set without layers_to_transform: say which layers, or take it out")
	}
	_, err := c.layerExpressions()
	return err
}
