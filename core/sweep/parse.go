package sweep

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"finetui/core/config"
	"finetui/core/printable"
)

// mostSeeds is how many are asked for at once at most.
const mostSeeds = 1000

// Usage is how a new sweep is asked for.
const Usage = "[NAME] [each|zip] [SEEDS=3] [TOGETHER=1] SECTION.KEY=value,value …"

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
		case w == "each":
			p.Each = true
		case w == "zip":
			p.Zip = true
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

// Words takes a line apart as a command line is: at blanks, but not between double quotes.
func Words(line string) []string {
	const blank = '\uE000' // of no alphabet: a blank that belongs to its word
	quoted := false
	fields := strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			quoted = !quoted
			return -1
		case r == ' ' && quoted:
			return blank
		}
		return r
	}, line))
	for i := range fields {
		fields[i] = strings.ReplaceAll(fields[i], string(blank), " ")
	}
	return fields
}

// Line writes words so that Words reads them.
func Line(words []string) string {
	var line []string
	for _, w := range words {
		if strings.Contains(w, " ") {
			w = `"` + w + `"`
		}
		line = append(line, w)
	}
	return strings.Join(line, " ")
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
	if n < 1 || n > mostSeeds {
		return nil, fmt.Errorf("SEEDS=%s: from 1 to %d seeds", printable.Line(text), mostSeeds)
	}
	list = nil
	for seed := 1; seed <= n; seed++ {
		list = append(list, seed)
	}
	return list, nil
}

// Read reads a plan that is written in one line, and the constants with one value that hold for all its variants: file
// with them.
func Read(file *config.Snapshot, line string) (Plan, *config.Snapshot, error) {
	var words, constants []string
	for _, w := range Words(line) {
		if key, _, is := strings.Cut(w, "="); is && strings.Contains(key, ".") {
			if _, err := config.Lookup(key); err != nil {
				return Plan{}, nil, err
			}
			constants = append(constants, w)
		} else {
			words = append(words, w)
		}
	}
	p, rest, common, err := Parse(words, constants)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%q is no part of a plan: write it as %s", printable.Line(rest[0]), Usage)
	}
	if err == nil {
		file, err = Vary(file, common...)
	}
	return p, file, err
}

// MoreSeeds reads how many seeds are to be added.
func MoreSeeds(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 || n > mostSeeds {
		return 0, fmt.Errorf("%q is no number of seeds from 1 to %d", printable.Line(text), mostSeeds)
	}
	return n, nil
}
