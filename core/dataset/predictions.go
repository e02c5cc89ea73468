package dataset

import "fmt"

// ReadPredictions reads what a YOLO detector wrote for one image (its save_txt files): rows as in a label file, with a
// confidence behind the coordinates, or without one, which counts as 1. classes is the number of classes. File names
// the path in findings. An error means that the file cannot be read at all.
func ReadPredictions(path string, classes int) ([]Object, []Finding, error) {
	text, err := readText(path)
	if err != nil {
		return nil, nil, fmt.Errorf("detections: %w", err)
	}
	objects, findings := parseRows(text, path, rowRules{classes: classes, confidence: true})
	return objects, findings, nil
}
