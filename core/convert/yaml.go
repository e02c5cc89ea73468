package convert

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"finetui/core/printable"
)

// set adds a line of the configuration. Nested lines have their indent in the key.
func (s *setup) set(key string, value any) { s.explain(key, value, "") }

// explain is set with a comment above the line.
func (s *setup) explain(key string, value any, comment string) {
	s.lines = append(s.lines, settingLine{key, yamlValue(value), comment})
}

// group begins nested lines.
func (s *setup) group(key string) { s.lines = append(s.lines, settingLine{key: key}) }

// plainText is a text that is one in YAML without quotes.
var plainText = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./-]*$`)

// yamlValue writes a value so that YAML 1.1 and 1.2 read the same: numbers without exponents, which the older takes for
// texts, and texts in quotes wherever they might be something else.
func yamlValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool, int:
		return fmt.Sprint(v)
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	case []string:
		texts := make([]string, len(v))
		for i := range v {
			texts[i] = yamlValue(v[i])
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case string:
		switch strings.ToLower(v) {
		case "true", "false", "yes", "no", "on", "off", "null", "y", "n", ".", "~":
		default:
			if plainText.MatchString(v) {
				return v
			}
		}
		quoted, err := json.Marshal(v) // its escapes are YAML's, too
		if err != nil {
			return `""`
		}
		return string(quoted)
	}
	panic(fmt.Sprintf("no YAML of %T", v))
}

// plainWord is a word that no shell changes.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./@%+=:,-]+$`)

// quoted is a word for a shell.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// oneLine is a text for a comment.
func oneLine(text string) string { return printable.Line(text) }
