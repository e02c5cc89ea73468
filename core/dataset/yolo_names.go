package dataset

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"finetui/core/level"
	"finetui/ml/wholefile"
)

// readNames reads a list of names, or a map from ids to names in any order; and what people write instead, where it is
// certain what is meant.
func (d *dataYAML) readNames(node *yaml.Node) {
	byID := map[int]*yaml.Node{}
	length := 0
	node = d.pairs(node)
	switch node.Kind {
	case yaml.SequenceNode:
		for i, entry := range node.Content {
			byID[i] = resolve(entry)
		}
		length = len(node.Content)
	case yaml.MappingNode:
		node = d.swapped(node)
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			id, err := strconv.Atoi(strings.TrimSpace(key.Value))
			switch {
			case err != nil || id < 0 || id >= mostClasses:
				d.note(BadClassID, key.Line, "%s is no class id", quote(readable(key.Value)))
				continue
			case byID[id] != nil:
				d.note(BadClassID, key.Line, "id %d is named twice, here as %s", id,
					quote(readable(node.Content[i+1].Value)))
				continue
			}
			byID[id] = resolve(node.Content[i+1])
			length = max(length, id+1)
		}
	case yaml.ScalarNode:
		byID, length = d.namesInText(node)
	}
	if length == 0 {
		return
	}
	d.names = make([]string, length)
	var missing, otherwise []string
	for id := range d.names {
		entry := byID[id]
		switch {
		case entry != nil && d.needsQuotes(id, entry):
			d.names[id] = fmt.Sprintf("class %d", id)
		case entry == nil || entry.Kind != yaml.ScalarNode || strings.TrimSpace(entry.Value) == "":
			missing = append(missing, strconv.Itoa(id))
			d.names[id] = fmt.Sprintf("class %d", id)
		default:
			d.names[id] = d.name(id, entry)
			if readsOtherwise(entry) {
				otherwise = append(otherwise, d.names[id])
			}
		}
	}
	if missing != nil {
		d.note(ClassIDGap, node.Line, "no name for id %s", strings.Join(missing, ", "))
	}
	if otherwise != nil {
		d.note(NameNotText, node.Line, "YAML reads %s as a number, as yes or no, or as nothing",
			strings.Join(otherwise, ", "))
	}
	d.makeUnique(node.Line)
}

// pairs returns a list of single pairs, "- 0: crack", as a map, and so a map of keys like "0:crack" without a value.
func (d *dataYAML) pairs(node *yaml.Node) *yaml.Node {
	joined := &yaml.Node{Kind: yaml.MappingNode, Line: node.Line}
	fault := ""
	switch node.Kind {
	case yaml.SequenceNode:
		for _, entry := range node.Content {
			entry = resolve(entry)
			if entry.Kind != yaml.MappingNode || len(entry.Content) != 2 {
				return node
			}
			if _, err := strconv.Atoi(entry.Content[0].Value); err != nil {
				return node
			}
			joined.Content = append(joined.Content, entry.Content...)
		}
		fault = "names is a list of pairs"
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], resolve(node.Content[i+1])
			id, name, cut := strings.Cut(key.Value, ":")
			if _, err := strconv.Atoi(id); err != nil || !cut || value.Tag != "!!null" || value.Value != "" {
				return node
			}
			first := &yaml.Node{Kind: yaml.ScalarNode, Value: id, Line: key.Line}
			joined.Content = append(joined.Content, first, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name,
				Line: key.Line})
		}
		fault = "no space after the colons under names"
	}
	if len(joined.Content) == 0 {
		return node
	}
	d.note(NamesOneText, node.Line, "%s; read as ids and names", fault)
	last := &d.findings[len(d.findings)-1]
	last.Do = "write one id and name a line, as 0: crack; it was read so here"
	return joined
}

// name is the name that an entry gives to an id; bytes that are no UTF-8 show as \xA4.
func (d *dataYAML) name(id int, entry *yaml.Node) string {
	name := strings.TrimSpace(entry.Value)
	if hasHidden(name) {
		name = readable(name)
		d.note(NotUTF8, entry.Line, "the name of id %d is not UTF-8 text: %s", id, name)
		last := &d.findings[len(d.findings)-1]
		last.Do = namesDo
	}
	return name
}

const namesDo = "open the file in the encoding that it was written in, and save it as UTF-8 text; the name is shown " +
	"by its bytes until then"

// needsQuotes notes a name of which YAML makes something else than text.
func (d *dataYAML) needsQuotes(id int, entry *yaml.Node) bool {
	what := ""
	switch {
	case entry.Kind == yaml.MappingNode:
		what = "keys and values, because of a : or a ?"
	case entry.Kind == yaml.SequenceNode:
		what = "a list, because of a [ or a -"
	case strings.HasPrefix(entry.Tag, "!") && !strings.HasPrefix(entry.Tag, "!!"):
		what = "the tag " + readable(entry.Tag)
	default:
		return false
	}
	d.note(NameNeedsQuotes, entry.Line, "YAML takes the name of id %d for %s", id, what)
	return true
}

// swapped returns a map from ids to names: where names lead to ids, the other way round.
func (d *dataYAML) swapped(node *yaml.Node) *yaml.Node {
	turned := &yaml.Node{Kind: yaml.MappingNode, Line: node.Line}
	seen := map[string]bool{}
	var shown []string
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], resolve(node.Content[i+1])
		if _, err := strconv.Atoi(key.Value); err == nil {
			return node
		}
		id, err := strconv.Atoi(value.Value)
		if err != nil || id < 0 || id >= mostClasses || seen[value.Value] {
			return node
		}
		seen[value.Value] = true
		turned.Content = append(turned.Content, value, key)
		shown = append(shown, fmt.Sprintf("%d: %s", id, readable(key.Value)))
	}
	if len(shown) == 0 {
		return node
	}
	d.note(NamesSwapped, node.Line, "name and id are swapped under names; read as %s", someOf(shown, 4))
	return turned
}

var idAndName = regexp.MustCompile(`(^|\s)(\d+):`)

// namesInText reads names: that YAML takes for one text: ids without a space after the colon, or names between commas.
func (d *dataYAML) namesInText(node *yaml.Node) (byID map[int]*yaml.Node, length int) {
	text := strings.TrimSpace(node.Value)
	if text == "" || node.Tag == "!!null" {
		return nil, 0
	}
	byID = map[int]*yaml.Node{}
	entry := func(id int, name string, line int) bool {
		name = strings.TrimSpace(name)
		if name == "" || byID[id] != nil || id >= mostClasses {
			return false
		}
		byID[id] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: line}
		length = max(length, id+1)
		return true
	}
	if starts := idAndName.FindAllStringSubmatchIndex(text, -1); len(starts) > 0 && starts[0][0] == 0 {
		for i, s := range starts {
			end := len(text)
			if i+1 < len(starts) {
				end = starts[i+1][0]
			}
			if id, err := strconv.Atoi(text[s[4]:s[5]]); err != nil || !entry(id, text[s[1]:end], node.Line+i) {
				return nil, 0
			}
		}
		d.note(NamesOneText, node.Line, "no space after the colon in %s: YAML takes names for one text",
			quote(readable(text[:starts[0][1]]+byID[idOf(text)].Value)))
		last := &d.findings[len(d.findings)-1]
		last.Do = "write a space after each colon, as 0: crack; it was read so here"
		return byID, length
	}
	if parts := strings.Split(text, ","); len(parts) > 1 || d.count == 1 {
		for i, part := range parts {
			if !entry(i, strings.Trim(strings.TrimSpace(part), `'"`), node.Line) {
				return nil, 0
			}
		}
		d.note(NamesOneText, node.Line, "names is one text and no list: %s; read as %s", quote(readable(text)),
			Counted(len(parts), "class", "classes"))
		return byID, length
	}
	d.note(NamesOneText, node.Line, "names is one text and no list: %s", quote(readable(text)))
	last := &d.findings[len(d.findings)-1]
	*last = last.as(level.Error,
		"write names: [first, second], or one name a line, as - first; classes are numbered until then")
	return nil, 0
}

// idOf is the number that a text begins with.
func idOf(text string) int {
	end := strings.IndexByte(text, ':')
	id, _ := strconv.Atoi(text[:end])
	return id
}

// namesAstray looks for the names where names: has none: under ids that are not indented, or under another key.
func (d *dataYAML) namesAstray(top *yaml.Node) {
	astray := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		if _, err := strconv.Atoi(key.Value); err == nil && resolve(value).Kind == yaml.ScalarNode {
			if len(astray.Content) == 0 {
				astray.Line = key.Line
			}
			astray.Content = append(astray.Content, key, value)
		}
	}
	if len(astray.Content) > 0 {
		d.note(NamesAstray, astray.Line, "the ids are not indented below names:")
		d.readNames(astray)
		return
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], resolve(top.Content[i+1])
		known := []string{"names", "name", "classes", "class_names", "labels", "categories"}
		if value.Kind != yaml.ScalarNode && slices.Contains(known, strings.ToLower(strings.TrimSpace(key.Value))) {
			d.readNames(value)
			if d.names != nil {
				d.note(NamesAstray, key.Line, "the names stand under %s:", readable(key.Value))
				return
			}
		}
	}
}

// makeUnique gives a class that shares a name a number, for everything later tells classes apart by their names.
func (d *dataYAML) makeUnique(line int) {
	for _, twin := range uniqueNames(d.names) {
		d.note(DuplicateName, line, "ids %d and %d are both named %q", twin.first, twin.second, twin.name)
	}
}

// readsOtherwise says whether some YAML reader would not take an unquoted name for text.
func readsOtherwise(node *yaml.Node) bool {
	if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return false
	}
	words := []string{"y", "n", "yes", "no", "on", "off", "true", "false"}
	return node.Tag != "!!str" || slices.Contains(words, strings.ToLower(node.Value))
}

// classLists are the files, named from the root, that may hold the names of the classes, one a line.
func (p *yoloPlan) classLists() []string {
	lists := []string{"classes.txt", "obj.names", "labels/classes.txt", "train/labels/classes.txt",
		"labels/train/classes.txt", "names.txt"}
	for _, path := range wholefile.Glob(p.root, "*.names") {
		lists = append(lists, filepath.Base(path))
	}
	return lists
}

// namesElsewhere takes the names from a class list, one name a line, where data.yaml has none.
func (p *yoloPlan) namesElsewhere() {
	file := "data.yaml"
	if p.yaml != nil {
		file = filepath.Base(p.yaml.file)
	}
	for _, list := range p.classLists() {
		text, note, err := readTextAnyhow(filepath.Join(p.root, filepath.FromSlash(list)), list)
		if err != nil {
			continue
		}
		number := 0
		for line := range strings.Lines(text) {
			number++
			name := strings.TrimSpace(line)
			if name == "" {
				continue
			}
			if hasHidden(name) {
				name = readable(name)
				bad := newFinding(NotUTF8, list, number, "the name of id %d is not UTF-8 text: %s", len(p.names), name)
				bad.Do = namesDo
				p.findings = append(p.findings, bad)
			}
			p.names = append(p.names, name)
		}
		if p.names == nil {
			continue
		}
		if note.Code != "" {
			p.findings = append(p.findings, note)
		}
		for _, twin := range uniqueNames(p.names) {
			p.findings = append(p.findings, newFinding(DuplicateName, list, 0, "ids %d and %d are both named %q",
				twin.first, twin.second, twin.name))
		}
		p.findings = append(p.findings, newFinding(NamesMissing, file, 0, "no names: in data.yaml; taken from %s",
			list).
			as(level.Info, "nothing if the list is right"))
		return
	}
	if p.yaml != nil && slices.ContainsFunc(p.yaml.findings, func(f Finding) bool { return f.Code == NamesOneText }) {
		return // that says more
	}
	p.findings = append(p.findings, newFinding(NamesMissing, file, 0, "names is missing"))
}
