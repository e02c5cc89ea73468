package sweep

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"finetui/core/printable"
)

// Usage is how a new sweep is asked for.
const Usage = "NAME [each] [SEEDS=3] [TOGETHER=1] SECTION.KEY=value,value …"

// Parse reads what a sweep is planned with, as a person writes it (Usage): words, and constants. Constants with one
// value, which hold for all variants, come back; so do the words that follow the name and plan nothing.
func Parse(words, constants []string) (p Plan, rest, common []string, err error) {
	p.Axes, common = Axes(constants)
	p.Seeds = []int{1, 2, 3}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch {
		case key == "SEEDS" && w != key:
			if p.Seeds, err = seeds(value); err != nil {
				return p, nil, nil, err
			}
		case key == "TOGETHER" && w != key:
			if p.Together, err = strconv.Atoi(value); err != nil || p.Together < 1 {
				return p, nil, nil, fmt.Errorf("TOGETHER=%s is no number of runs at once, 1 or more",
					printable.Line(value))
			}
		case w == "each" && p.Name != "":
			p.Each = true
		case p.Name == "":
			p.Name = w
		default:
			rest = append(rest, w)
		}
	}
	return p, rest, common, nil
}

// Plans says whether words and constants plan a new sweep, and are not about one that is there.
func Plans(words, constants []string) bool {
	axes, _ := Axes(constants)
	return len(axes) > 0 || slices.ContainsFunc(words, func(w string) bool {
		return strings.HasPrefix(w, "SEEDS=") || strings.HasPrefix(w, "TOGETHER=")
	})
}

// seeds are those of SEEDS: how many, 1, 2, 3 …, or which.
func seeds(text string) (list []int, err error) {
	for _, part := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 0 {
			return nil, fmt.Errorf("SEEDS=%s is neither a number of seeds nor a list of them: SEEDS=3, or SEEDS=1,2,3",
				printable.Line(text))
		}
		if slices.Contains(list, n) {
			return nil, fmt.Errorf("SEEDS=%s has %d twice", printable.Line(text), n)
		}
		list = append(list, n)
	}
	if strings.Contains(text, ",") {
		return list, nil
	}
	n := list[0]
	if n < 1 || n > 1000 {
		return nil, fmt.Errorf("SEEDS=%s: from 1 to 1000 seeds", printable.Line(text))
	}
	list = nil
	for seed := 1; seed <= n; seed++ {
		list = append(list, seed)
	}
	return list, nil
}
