package dataset

import (
	"errors"
	"fmt"
	"io/fs"
)

// ReadPredictions reads what a YOLO detector wrote for one image (its save_txt files): rows as in a label file, with a
// confidence behind the coordinates, or without one, which counts as 1. classes are those of the set. File names
// the path in findings. An error means that the file cannot be read at all.
func ReadPredictions(path string, classes []Class) ([]Object, []Finding, error) {
	text, err := readText(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the predictions of %s cannot be read: %w", path, bare(err))
	}
	rules := rowRules{classes: len(classes), confidence: true}
	for _, class := range classes {
		rules.names = append(rules.names, class.Name)
	}
	objects, findings := parseRows(text, path, rules)
	return objects, findings, nil
}
