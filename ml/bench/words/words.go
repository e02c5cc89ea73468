// Package words reads the calls of the bench programs: plain words and NAME=value, as the program itself is called.
package words

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Settings takes NAME=value words out of a call: whole numbers (*int) and texts (*string).
func Settings(arguments []string, known map[string]any) (words []string, err error) {
	for _, argument := range arguments {
		name, value, ok := strings.Cut(argument, "=")
		if !ok {
			words = append(words, argument)
			continue
		}
		switch to := known[name].(type) {
		case *int:
			if *to, err = strconv.Atoi(value); err != nil {
				return nil, fmt.Errorf("%s is to be a whole number, not %q", name, value)
			}
		case *string:
			*to = value
		default:
			return nil, fmt.Errorf("%s is unknown; there are %s", name,
				strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return words, nil
}
