package config

import (
	"math"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Kind is the sort of value a constant takes, and so the editor that fits it.
type Kind int

const (
	Text    Kind = iota // a string; one of Choices where there are any
	Path                // a string that names a file or folder
	Integer             // int
	Number              // float64
	Switch              // bool
	List                // []string; each entry one of Choices where there are any
)

// String returns the kind as an error message names it.
func (k Kind) String() string {
	return [...]string{"text", "a path", "a whole number", "a number", "true or false", "a list of texts"}[k]
}

// Field describes one constant.
type Field struct {
	Section, Key string
	Doc, Unit    string
	Choices      []string
	Min, Max     float64 // -Inf and +Inf where unbounded
	Kind         Kind

	index [2]int // section, then key, in Config
}

// Name returns the full name, "TRAIN.EPOCHS".
func (f Field) Name() string { return f.Section + "." + f.Key }

// Section is a heading of the file.
type Section struct{ Name, Doc string }

const keysSection = "KEYS"

// schema is Config's tags, read once.
var schema = sync.OnceValue(func() (s struct {
	sections []Section
	fields   []Field
	byName   map[string]Field
}) {
	s.byName = map[string]Field{}
	root := reflect.TypeFor[Config]()
	for i := range root.NumField() {
		section := root.Field(i)
		name := section.Tag.Get("section")
		s.sections = append(s.sections, Section{name, section.Tag.Get("doc")})
		if section.Type.Kind() != reflect.Struct {
			continue // KEYS: its names are the program's actions
		}
		for j := range section.Type.NumField() {
			f := fieldOf(name, section.Type.Field(j))
			f.index = [2]int{i, j}
			s.fields = append(s.fields, f)
			s.byName[f.Name()] = f
		}
	}
	return s
})

func fieldOf(section string, sf reflect.StructField) Field {
	tag := sf.Tag
	f := Field{Section: section, Key: tag.Get("key"), Doc: tag.Get("doc"), Unit: tag.Get("unit"),
		Min: bound(tag.Get("min"), math.Inf(-1)), Max: bound(tag.Get("max"), math.Inf(1))}
	if c, ok := reflect.Zero(sf.Type).Interface().(interface{ Choices() []string }); ok {
		f.Choices = c.Choices()
	}
	switch sf.Type.Kind() {
	case reflect.Int:
		f.Kind = Integer
	case reflect.Float64:
		f.Kind = Number
	case reflect.Bool:
		f.Kind = Switch
	case reflect.Slice:
		f.Kind = List
	case reflect.String:
		if tag.Get("is") == "path" {
			f.Kind = Path
		}
	}
	return f
}

func bound(text string, without float64) float64 {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v
	}
	return without
}

// Sections returns the sections in the order of the schema, KEYS last.
func Sections() []Section { return slices.Clone(schema().sections) }

// Fields returns every constant in the order of the schema. [KEYS] is not among them: its names are actions.
func Fields() []Field { return slices.Clone(schema().fields) }

// Lookup returns the constant of that full name ("TRAIN.EPOCHS", "KEYS.quit"). An unknown name is an error that
// names the nearest known one.
func Lookup(name string) (Field, error) {
	if f, ok := schema().byName[name]; ok {
		return f, nil
	}
	section, key, _ := strings.Cut(name, ".")
	if section == keysSection && key != "" {
		return Field{Section: keysSection, Key: key, Doc: "key that runs this action; empty: the built-in one",
			Min: math.Inf(-1), Max: math.Inf(1)}, nil
	}
	return Field{}, unknownName(section, key)
}

// valueOf returns the constant's value as string, int, float64, bool or []string.
func valueOf(c *Config, f Field) any {
	if f.Section == keysSection {
		return c.Keys[f.Key]
	}
	v := reflect.ValueOf(c).Elem().Field(f.index[0]).Field(f.index[1])
	switch v.Kind() { // of a type of its own, perhaps
	case reflect.String:
		return v.String()
	case reflect.Slice:
		return v.Convert(reflect.TypeFor[[]string]()).Interface()
	}
	return v.Interface()
}

// assign stores a value that parseValue or checkValue returned.
func assign(c *Config, f Field, v any) {
	if f.Section == keysSection {
		c.Keys[f.Key] = v.(string)
		return
	}
	to := reflect.ValueOf(c).Elem().Field(f.index[0]).Field(f.index[1])
	to.Set(reflect.ValueOf(v).Convert(to.Type()))
}

// Get returns the value of a constant as it stands in a file:
// `"linear"`, `0.004`, `["q_proj"]`; "" for an unknown name.
func Get(c *Config, name string) string {
	f, err := Lookup(name)
	if err != nil {
		return ""
	}
	return formatValue(valueOf(c, f))
}

// Plain returns the value of a constant as a person types it into an editor, and Set takes it: text without quotes, a
// list with commas. A value for which that would be ambiguous comes as Get writes it.
func Plain(c *Config, name string) string {
	f, err := Lookup(name)
	if err != nil {
		return ""
	}
	v := valueOf(c, f)
	plain := formatValue(v)
	switch t := v.(type) {
	case string:
		plain = t
	case []string:
		plain = strings.Join(t, ", ")
	}
	if back, _, err := parseValue(f, plain); err != nil || !equalValues(back, v) {
		return formatValue(v)
	}
	return plain
}

// Change is one constant whose value differs, both values as Get writes them.
type Change struct{ Key, Old, New string }

// Diff returns the constants in which b differs from a, in the order of the schema, actions of KEYS by name at the end.
func Diff(a, b *Config) []Change {
	var out []Change
	for _, f := range schema().fields {
		x, y := valueOf(a, f), valueOf(b, f)
		if !equalValues(x, y) {
			out = append(out, Change{f.Name(), formatValue(x), formatValue(y)})
		}
	}
	var actions []string
	for k := range a.Keys {
		actions = append(actions, k)
	}
	for k := range b.Keys {
		if _, both := a.Keys[k]; !both {
			actions = append(actions, k)
		}
	}
	sort.Strings(actions)
	for _, k := range actions {
		if a.Keys[k] != b.Keys[k] {
			out = append(out, Change{keysSection + "." + k, formatValue(a.Keys[k]), formatValue(b.Keys[k])})
		}
	}
	return out
}

func equalValues(a, b any) bool {
	if x, ok := a.([]string); ok {
		y, ok := b.([]string)
		return ok && slices.Equal(x, y)
	}
	return a == b
}
