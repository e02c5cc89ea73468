package dataset

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"finetui/core/config"
	"finetui/core/level"
)

// mostClasses bounds nc, the ids under names: and those of rows without names,
// so that a slip of a digit does not make a list of millions.
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
	text, err := readText(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w: data.yaml must be a readable text file", path, bare(err))
	}
	return parseDataYAML(path, []byte(text))
}

func parseDataYAML(path string, raw []byte) (data *dataYAML, err error) {
	data = &dataYAML{file: path, count: -1}
	text := strings.TrimPrefix(string(raw), "\ufeff")
	if decoded, which, is := fromUTF16(text); is {
		text = decoded
		data.note(UTF16, 0, "is written in %s; it was read all the same", which)
	}
	text = hideBytes(text)
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("%s: %s", path, yamlFault(text, err))
	}
	if document.Kind == 0 {
		return data, nil
	}
	top := resolve(document.Content[0])
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return data, nil
	}
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: line %d: not a list of keys: data.yaml holds names:, train:, val: and so on",
			path, top.Line)
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		data.take(top.Content[i], resolve(top.Content[i+1]))
	}
	if data.names == nil {
		data.namesAstray(top)
	}
	data.sayBytes(text)
	if data.count >= 0 && data.names != nil && data.count != len(data.names) {
		data.note(ClassCountDiffers, 0, "nc is %d, names has %d", data.count, len(data.names))
	}
	return data, nil
}

// yamlFault says what is wrong with a data.yaml that cannot be parsed, where, and what to do.
func yamlFault(text string, err error) string {
	words := strings.TrimPrefix(err.Error(), "yaml: ")
	words = readable(strings.TrimPrefix(words, "unmarshal errors:\n  "))
	line := 1
	if at, rest, numbered := strings.Cut(words, ": "); numbered && strings.HasPrefix(at, "line ") {
		if n, err := strconv.Atoi(at[len("line "):]); err == nil {
			line, words = n, rest
			if strings.HasPrefix(words, "did not find expected") {
				line++ // of these the library counts lines from 0
			}
		}
	}
	if n, name := unquoted(text); n > 0 {
		return fmt.Sprintf("line %d: %s cannot be read (%s): put a name that holds : ? ! # & * %% @ [ or { in "+
			"quotes, as \"crack: deep\"",
			n, quote(readable(name)), words)
	}
	switch {
	case strings.Contains(text, "\t") && strings.Contains(words, "cannot start any token"):
		words += ": indent with spaces; YAML takes no tabs"
	case strings.Contains(words, "control characters"):
		words += ": save the file as UTF-8 text, without control signs"
	default:
		words += ": correct it; a list of names is written names: [first, second]"
	}
	return fmt.Sprintf("line %d: %s", line, words)
}

var entryOfNames = regexp.MustCompile(`^\s*(?:-|\d+\s*:)\s+(.*\S)\s*$`)

// unquoted finds the first entry of a list of names that needs quotes, and its line; 0 where none does.
func unquoted(text string) (line int, name string) {
	for row := range strings.Lines(text) {
		line++
		if start, inner, open := strings.Cut(row, "["); open && strings.TrimSpace(start) == "names:" {
			inner, _, _ = strings.Cut(inner, "]")
			for part := range strings.SplitSeq(inner, ",") {
				if part = strings.TrimSpace(part); needsQuotes(part) {
					return line, part
				}
			}
		}
		if found := entryOfNames.FindStringSubmatch(row); found != nil && needsQuotes(found[1]) {
			return line, found[1]
		}
	}
	return 0, ""
}

// needsQuotes tells whether YAML would read something else than text.
func needsQuotes(name string) bool {
	return name != "" && (strings.ContainsRune("?:&*%@`|>{}[]!", rune(name[0])) || strings.Contains(name, ": ") || strings.HasSuffix(name, ":"))
}

// sayBytes notes bytes that are no UTF-8 outside the names, which have findings of their own.
func (d *dataYAML) sayBytes(text string) {
	at := strings.IndexFunc(text, isHidden)
	if at < 0 || slices.ContainsFunc(d.findings, func(f Finding) bool { return f.Code == NotUTF8 }) {
		return
	}
	line := 1 + strings.Count(text[:at], "\n")
	d.note(NotUTF8, line, "is not UTF-8 text")
	last := &d.findings[len(d.findings)-1]
	*last = last.as(level.Warn, "save the file as UTF-8 text; the names of the classes are not concerned")
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
		d.base = rawBytes(value.Value)
	case "train", "val", "valid", "validation", "test":
		split := yamlSplit{name: config.SplitName(key.Value), key: key.Value, line: key.Line}
		switch value.Kind {
		case yaml.ScalarNode:
			if value.Tag != "!!null" && strings.TrimSpace(value.Value) != "" {
				split.paths = []string{rawBytes(value.Value)}
			}
		case yaml.SequenceNode:
			for _, entry := range value.Content {
				if entry = resolve(entry); entry.Kind == yaml.ScalarNode && entry.Value != "" {
					split.paths = append(split.paths, rawBytes(entry.Value))
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

func (d *dataYAML) note(code string, line int, text string, args ...any) {
	d.findings = append(d.findings, newFinding(code, filepath.Base(d.file), line, text, args...))
}

// resolve follows an alias to what it stands for.
func resolve(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode && node.Alias != nil {
		node = node.Alias
	}
	return node
}
