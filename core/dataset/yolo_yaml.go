package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"finetui/core/config"
)

// mostClasses bounds nc, the ids under names: and those of rows without names, so that a slip of a digit does not make a
// list of millions.
const mostClasses = 100_000

// dataYAML is what data.yaml says.
type dataYAML struct {
	file      string   // its path
	names     []string // nil where it has none
	count     int      // nc; -1 where it is not given
	base      string   // path, as written
	splits    []yamlSplit
	keypoints keypoints
	findings  []Finding
}

// yamlSplit is one of the keys train, val, test.
type yamlSplit struct {
	name, key string
	paths     []string // as written
	line      int
}

// readDataYAML reads a data.yaml. An error means that it is no YAML or no mapping; what is merely doubtful about it is
// among the findings.
func readDataYAML(path string) (*dataYAML, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: data.yaml must be a readable text file", err)
	}
	return parseDataYAML(path, text)
}

func parseDataYAML(path string, text []byte) (data *dataYAML, err error) {
	text = []byte(strings.TrimPrefix(string(text), "\ufeff"))
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s: %s: correct it; a list of names is written names: [first, second]", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	data = &dataYAML{file: path, count: -1}
	if document.Kind == 0 {
		return data, nil
	}
	top := resolve(document.Content[0])
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return data, nil
	}
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: line %d: not a list of keys: data.yaml holds names:, train:, val: and so on", path, top.Line)
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		data.take(top.Content[i], resolve(top.Content[i+1]))
	}
	if data.count >= 0 && data.names != nil && data.count != len(data.names) {
		data.note(ClassCountDiffers, 0, "nc is %d, names has %d", data.count, len(data.names))
	}
	return data, nil
}

// take reads one key; those of other programs are passed over.
func (d *dataYAML) take(key, value *yaml.Node) {
	switch key.Value {
	case "names":
		d.readNames(value)
	case "nc":
		if n, err := strconv.Atoi(value.Value); err == nil && n >= 0 && n <= mostClasses {
			d.count = n
		} else {
			d.note(ClassCountDiffers, key.Line, "nc is %s, no number of classes up to %d; it is passed over", quote(value.Value), mostClasses)
		}
	case "kpt_shape":
		d.readKeypoints(key.Line, value)
	case "path":
		d.base = value.Value
	case "train", "val", "valid", "validation", "test":
		split := yamlSplit{name: config.SplitName(key.Value), key: key.Value, line: key.Line}
		switch value.Kind {
		case yaml.ScalarNode:
			if value.Tag != "!!null" && strings.TrimSpace(value.Value) != "" {
				split.paths = []string{value.Value}
			}
		case yaml.SequenceNode:
			for _, entry := range value.Content {
				if entry = resolve(entry); entry.Kind == yaml.ScalarNode && entry.Value != "" {
					split.paths = append(split.paths, entry.Value)
				}
			}
		}
		if len(split.paths) > 0 {
			d.splits = append(d.splits, split)
		}
	}
}

// readKeypoints reads kpt_shape: [points, numbers of a point], which makes the set one of poses.
func (d *dataYAML) readKeypoints(line int, node *yaml.Node) {
	const most = 10_000 // points of an object
	var shape []int
	if err := node.Decode(&shape); err != nil || len(shape) != 2 || shape[0] < 1 || shape[0] > most || shape[1] != 2 && shape[1] != 3 {
		d.note(BadKeypoints, line, "kpt_shape is no number of points and 2 or 3")
		return
	}
	d.keypoints = keypoints{shape[0], shape[1]}
}

// readNames reads a list of names, or a map from ids to names in any order.
func (d *dataYAML) readNames(node *yaml.Node) {
	byID := map[int]*yaml.Node{}
	length := 0
	switch node.Kind {
	case yaml.SequenceNode:
		for i, entry := range node.Content {
			byID[i] = resolve(entry)
		}
		length = len(node.Content)
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			id, err := strconv.Atoi(strings.TrimSpace(key.Value))
			if err != nil || id < 0 || id >= mostClasses {
				d.note(BadClassID, key.Line, "%s is no class id", quote(key.Value))
				continue
			}
			byID[id] = resolve(node.Content[i+1])
			length = max(length, id+1)
		}
	}
	if length == 0 {
		return
	}
	d.names = make([]string, length)
	var missing, asNumbers []string
	for id := range d.names {
		entry := byID[id]
		if entry == nil || entry.Kind != yaml.ScalarNode || strings.TrimSpace(entry.Value) == "" {
			missing = append(missing, strconv.Itoa(id))
			d.names[id] = fmt.Sprintf("class %d", id)
			continue
		}
		d.names[id] = strings.TrimSpace(entry.Value)
		if readsAsNumber(entry) {
			asNumbers = append(asNumbers, d.names[id])
		}
	}
	if missing != nil {
		d.note(ClassIDGap, node.Line, "no name for id %s", strings.Join(missing, ", "))
	}
	if asNumbers != nil {
		d.note(NameNotText, node.Line, "YAML reads %s as a number or a yes or no", strings.Join(asNumbers, ", "))
	}
	d.makeUnique(node.Line)
}

// makeUnique gives a class that shares a name a number, for everything later tells classes apart by their names.
func (d *dataYAML) makeUnique(line int) {
	taken := map[string]bool{}
	for _, name := range d.names {
		taken[name] = true
	}
	first := map[string]int{}
	for id, name := range d.names {
		before, twice := first[name]
		if !twice {
			first[name] = id
			continue
		}
		for n := 2; taken[d.names[id]]; n++ {
			d.names[id] = fmt.Sprintf("%s (%d)", name, n)
		}
		taken[d.names[id]] = true
		d.note(DuplicateName, line, "ids %d and %d are both named %q", before, id, name)
	}
}

func (d *dataYAML) note(code string, line int, text string, args ...any) {
	d.findings = append(d.findings, newFinding(code, filepath.Base(d.file), line, text, args...))
}

// readsAsNumber says whether some YAML reader would not take an unquoted name for text.
func readsAsNumber(node *yaml.Node) bool {
	if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return false
	}
	words := []string{"y", "n", "yes", "no", "on", "off", "true", "false"}
	return node.Tag != "!!str" || slices.Contains(words, strings.ToLower(node.Value))
}

// resolve follows an alias to what it stands for.
func resolve(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode && node.Alias != nil {
		node = node.Alias
	}
	return node
}
