package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"finetui/core/config"
	"finetui/core/recipe"
	"finetui/core/stats"
)

// placeholders are what CONVERT.USER_PROMPT_TEMPLATE may hold
// in braces. None of them tells the condition of the object.
var placeholders = []string{"prompt", "question", "object", "exercise", "position", "x", "y", "classes"}

var braced = regexp.MustCompile(`\{(\w+)\}`)

// CheckTemplate names the placeholders of CONVERT.USER_PROMPT_TEMPLATE that there are none of.
func CheckTemplate(template string) error {
	var unknown []string
	for _, m := range braced.FindAllStringSubmatch(template, -1) {
		if !slices.Contains(placeholders, m[1]) && !slices.Contains(unknown, m[0]) {
			unknown = append(unknown, m[0])
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return fmt.Errorf("CONVERT.USER_PROMPT_TEMPLATE: there is no placeholder %s; known are {%s}",
		strings.Join(unknown, ", "), strings.Join(placeholders, "}, {"))
}

// asker makes the user turn of a sample.
type asker struct {
	template string
	recipe   *recipe.Recipe
	cfg      config.Dataset
	words    []string // of the template, before, between and behind its placeholders
	names    []string // of those
	text     []byte   // memory that is used again
}

// newAsker takes the template apart: words and placeholders by turns.
func newAsker(template string, r *recipe.Recipe, cfg config.Dataset) asker {
	a := asker{template: template, recipe: r, cfg: cfg}
	at := 0
	for _, m := range braced.FindAllStringSubmatchIndex(template, -1) {
		a.words = append(a.words, template[at:m[0]])
		a.names = append(a.names, template[m[2]:m[3]])
		at = m[1]
	}
	a.words = append(a.words, template[at:])
	return a
}

// ask is the recipe's prompt, or the template with its placeholders filled in.
func (a *asker) ask(s recipe.Sample) string {
	if a.template == "" {
		return s.Prompt
	}
	a.text = append(a.text[:0], a.words[0]...)
	for i, name := range a.names {
		a.text = append(a.text, a.told(name, s)...)
		a.text = append(a.text, a.words[i+1]...)
	}
	return string(a.text)
}

// told is what a placeholder stands for.
func (a *asker) told(name string, s recipe.Sample) string {
	center := s.Box().Center()
	switch name {
	case "prompt":
		return s.Prompt
	case "question":
		return a.recipe.QuestionOf(s.Item)
	case "object":
		return a.recipe.Classes[s.Class].Object
	case "exercise":
		return a.recipe.Classes[s.Class].Name
	case "position":
		return stats.BandWords[stats.Band(center.Y, a.cfg)]
	case "x":
		return strconv.FormatFloat(center.X, 'f', 2, 64)
	case "y":
		return strconv.FormatFloat(center.Y, 'f', 2, 64)
	default: // classes; CheckTemplate has refused others
		names := make([]string, len(a.recipe.Classes))
		for i, c := range a.recipe.Classes {
			names[i] = c.Name
		}
		return strings.Join(names, "; ")
	}
}

// holds says whether the user turn holds one of the placeholders; without a template it is {prompt}.
func (a *asker) holds(names ...string) bool {
	if a.template == "" {
		return slices.Contains(names, "prompt")
	}
	return slices.ContainsFunc(a.names, func(name string) bool { return slices.Contains(names, name) })
}
