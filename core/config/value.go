package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// parseValue turns what was typed into a value of the field and its TOML text. Text may come bare or as one TOML
// string, a list as a TOML array or with commas.
func parseValue(f Field, typed string) (value any, source string, err error) {
	switch f.Kind {
	case Text, Path:
		value = typed
		if v, ok := tomlValue(typed); ok {
			if s, ok := v.(string); ok {
				value = s
			}
		}
	case List:
		value, err = parseList(f, typed)
	case Switch:
		switch strings.TrimSpace(typed) {
		case "true":
			value = true
		case "false":
			value = false
		default:
			err = fmt.Errorf("%q is not true or false", typed)
		}
	default:
		value, source, err = parseNumber(f, strings.TrimSpace(typed))
	}
	if err != nil {
		return nil, "", err
	}
	if value, err = checkValue(f, value); err != nil {
		return nil, "", err
	}
	if source == "" {
		source = formatValue(value)
	}
	return value, source, nil
}

// parseNumber keeps the spelling (2e-4, 1_000) where TOML knows it.
func parseNumber(f Field, typed string) (any, string, error) {
	if v, ok := tomlValue(typed); ok {
		switch v.(type) {
		case int64, float64:
			return v, typed, nil
		}
	}
	if v, err := strconv.ParseFloat(typed, 64); err == nil { // .5 and 1. are numbers to people, not to TOML
		if f.Kind == Integer {
			return nil, "", fmt.Errorf("%s is not a whole number", typed)
		}
		return v, "", nil
	}
	return nil, "", fmt.Errorf("%q is not %s", typed, f.Kind)
}

func parseList(f Field, typed string) (any, error) {
	if strings.HasPrefix(strings.TrimSpace(typed), "[") {
		v, ok := tomlValue(typed)
		if !ok {
			return nil, fmt.Errorf("%s is not a list; write [\"a\", \"b\"] or a, b", typed)
		}
		return v, nil
	}
	list := []any{}
	for part := range strings.SplitSeq(typed, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list, nil
}

// tomlValue decodes one TOML value that fills the whole text.
func tomlValue(text string) (any, bool) {
	text = strings.TrimSpace(text)
	if text == "" || scanValue([]byte(text), 0) != len(text) {
		return nil, false
	}
	var m map[string]any
	if _, err := toml.Decode("x = "+text, &m); err != nil || len(m) != 1 {
		return nil, false
	}
	return m["x"], true
}

// checkValue turns a decoded TOML value into the field's Go type and holds it against choices and bounds.
func checkValue(f Field, v any) (any, error) {
	switch f.Kind {
	case Text, Path:
		s, ok := v.(string)
		if !ok {
			return nil, wrongKind(f, v)
		}
		return s, checkText(f, s)
	case Switch:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case List:
		return checkList(f, v)
	case Integer:
		if n, ok := v.(int64); ok {
			return int(n), checkBounds(f, float64(n))
		}
	case Number:
		n, isFloat := v.(float64)
		i, isInt := v.(int64)
		if isInt {
			n = float64(i)
		}
		if isFloat || isInt {
			return n, checkBounds(f, n)
		}
	}
	return nil, wrongKind(f, v)
}

func wrongKind(f Field, v any) error {
	return fmt.Errorf("takes %s, not %s", f.Kind, describe(v))
}

func describe(v any) string {
	switch t := v.(type) {
	case string:
		return "the text " + quote(t)
	case bool, int64, float64:
		return fmt.Sprint(t)
	case []any:
		return "a list"
	case map[string]any, []map[string]any:
		return "a table"
	}
	return "a date"
}

func checkText(f Field, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("the text is not UTF-8")
	}
	if f.Choices == nil || slices.Contains(f.Choices, s) {
		return nil
	}
	return fmt.Errorf("%s is none of %s%s", quote(s), strings.Join(f.Choices, ", "), didYouMean(s, f.Choices))
}

func checkList(f Field, v any) (any, error) {
	items, ok := v.([]any)
	if !ok {
		return nil, wrongKind(f, v)
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("takes %s, and %s is in it", f.Kind, describe(item))
		}
		if err := checkText(f, s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func checkBounds(f Field, v float64) error {
	unit := ""
	if f.Unit != "" {
		unit = " " + f.Unit
	}
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Errorf("%v is not a finite number", v)
	case v < f.Min:
		return fmt.Errorf("%s is too small: at least %s%s", number(v), number(f.Min), unit)
	case v > f.Max:
		return fmt.Errorf("%s is too large: at most %s%s", number(v), number(f.Max), unit)
	}
	return nil
}

// number writes a number without an exponent where that is readable.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// formatValue writes a value as TOML.
func formatValue(v any) string {
	switch t := v.(type) {
	case string:
		return quote(t)
	case bool:
		return strconv.FormatBool(t)
	case int:
		return strconv.Itoa(t)
	case float64:
		s := strconv.FormatFloat(t, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0" // TOML tells 1 from 1.0
		}
		return s
	case []string:
		parts := make([]string, len(t))
		for i, s := range t {
			parts[i] = quote(s)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return ""
}

// quote writes a TOML basic string on one line.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
