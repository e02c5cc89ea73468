package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
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
	classes  []dataset.Class
	question string
	cfg      config.Dataset
}

// ask is the recipe's prompt, or the template with its placeholders filled in.
func (a *asker) ask(s recipe.Sample) string {
	if a.template == "" {
		return s.Prompt
	}
	center := s.Box().Center()
	return braced.ReplaceAllStringFunc(a.template, func(name string) string {
		switch name[1 : len(name)-1] {
		case "prompt":
			return s.Prompt
		case "question":
			return a.question
		case "object":
			return a.classes[s.Class].Object
		case "exercise":
			return a.classes[s.Class].Name
		case "position":
			return stats.BandWords[stats.Band(center.Y, a.cfg)]
		case "x":
			return strconv.FormatFloat(center.X, 'f', 2, 64)
		case "y":
			return strconv.FormatFloat(center.Y, 'f', 2, 64)
		default: // classes; CheckTemplate has refused others
			names := make([]string, len(a.classes))
			for i, c := range a.classes {
				names[i] = c.Name
			}
			return strings.Join(names, "; ")
		}
	})
}

// holds says whether the user turn holds one of the placeholders; without a template it is {prompt}.
func (a *asker) holds(names ...string) bool {
	if a.template == "" {
		return slices.Contains(names, "prompt")
	}
	for _, m := range braced.FindAllStringSubmatch(a.template, -1) {
		if slices.Contains(names, m[1]) {
			return true
		}
	}
	return false
}
