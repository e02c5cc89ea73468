package session

import (
	"fmt"
	"strings"

	"finetui/core/eval"
)

// Recipe is one recipe's runs, by name, number or path, which may differ by PROJECT.SEED alone.
type Recipe struct {
	Name string // empty: what the names of its runs have in common
	Runs []string
}

// CompareRecipes compares recipes over their runs. The first is the one that the others are compared with.
func (s *Session) CompareRecipes(recipes []Recipe, split string) (*eval.RecipeComparison, error) {
	var variants []eval.Variant
	var first []Kept // of each recipe
	for _, r := range recipes {
		runs, err := s.seeds(r.Runs, split)
		if err != nil {
			return nil, err
		}
		v := eval.Variant{Name: r.Name, Fixed: runs[0].Name == Base}
		if v.Name == "" {
			v.Name = recipeName(runs)
		}
		for _, k := range runs {
			text, err := k.FreeText()
			if err != nil {
				return nil, err
			}
			v.Results, v.Texts = append(v.Results, k.Result), append(v.Texts, text)
		}
		variants, first = append(variants, v), append(first, runs[0])
	}
	distinguish(variants)
	return eval.CompareRecipes(variants, func(v int) []string { return Differences(first[0], first[v]) },
		uint64(s.Project.Config.Project.Seed))
}

// WrongGroups is the error for runs that are grouped as no recipe's seeds can be: who asks has to ask otherwise.
type WrongGroups string

func (w WrongGroups) Error() string { return string(w) }

func wrongGroups(text string, args ...any) error { return WrongGroups(fmt.Sprintf(text, args...)) }

// seeds are the evaluations of one recipe's runs.
func (s *Session) seeds(names []string, split string) ([]Kept, error) {
	if len(names) == 0 {
		return nil, wrongGroups("a comma without runs on both sides names no recipe: finetui compare 1,2,3 4,5,6")
	}
	var runs []Kept
	for _, name := range names {
		k, err := s.Result(name, split)
		if err != nil {
			return nil, err
		}
		for _, other := range runs {
			switch differ := Differences(other, k); {
			case other.Path == k.Path:
				return nil, wrongGroups("%s stands twice in one group", k.Name)
			case len(differ) > 0:
				return nil, wrongGroups("%s and %s are not two seeds of one recipe: they differ in %s. Give them as "+
					"two groups: %s %s", other.Name, k.Name, strings.Join(differ, "; "), other.Name, k.Name)
			}
			if seed, known := k.seed(); known {
				if same, known := other.seed(); known && same == seed {
					return nil, wrongGroups("%s and %s have the same PROJECT.SEED (%d), so the second tells nothing new: "+
						"train one with another seed, e.g. finetui train PROJECT.SEED=%d", other.Name, k.Name,
						seed, seed+1)
				}
			}
		}
		runs = append(runs, k)
	}
	return runs, nil
}

// seed is PROJECT.SEED that a run was trained with.
func (k Kept) seed() (seed int, known bool) {
	if k.Run == nil {
		return 0, false
	}
	constants, err := k.Run.Config()
	if err != nil {
		return 0, false
	}
	return constants.Config.Project.Seed, true
}

// recipeName is what the names of a recipe's runs have in common, without their numbers: "enhanced" of 0003-enhanced
// and 0004-enhanced; the first run's where they have nothing.
func recipeName(runs []Kept) string {
	common := ""
	for i, k := range runs {
		name := k.Name
		if _, after, ok := strings.Cut(name, "-"); ok && k.Run != nil {
			name = after
		}
		if i == 0 {
			common = name
		}
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	if common = strings.TrimRight(strings.ToValidUTF8(common, ""), "-_. "); common == "" {
		return runs[0].Name
	}
	return common
}

// distinguish numbers the recipes whose names are the same.
func distinguish(variants []eval.Variant) {
	count := map[string]int{}
	for _, v := range variants {
		count[v.Name]++
	}
	for i := range variants {
		if v := &variants[i]; count[v.Name] > 1 {
			v.Name = fmt.Sprintf("%s (%s)", v.Name, v.Results[0].Subject)
		}
	}
}
