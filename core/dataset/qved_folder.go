package dataset

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/level"
)

var clipEndings = []string{".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv"}

func isClip(name string) bool {
	return slices.Contains(clipEndings, strings.ToLower(filepath.Ext(name)))
}

// holdsClips tells whether clips lie in a folder, or in one of its folders.
func holdsClips(folder string) (found bool) {
	walk(folder, func(path string, inner bool) bool {
		found = found || !inner && isClip(path)
		return !found && filepath.Dir(path) == folder
	}, nil)
	return found
}

// readFolder makes records of the clips of a folder that has no label file. The exercise is the folder that a clip lies
// in where there are several such folders, and else the name of its file.
func (s *clipSet) readFolder() {
	var paths []string
	folders := map[string]bool{}
	walk(s.root, func(file string, inner bool) bool {
		if !inner && isClip(file) {
			if rel, ok := within(s.root, file); ok {
				paths = append(paths, filepath.ToSlash(rel))
				folders[filepath.Dir(rel)] = true
			}
		}
		return true
	}, func(folder string, err error) {
		s.findings = append(s.findings, newFinding(UnreadableFolder, s.short(folder), 0,
			"the folder cannot be read: %v", bare(err)))
	})
	delete(folders, ".")
	what := "the name of its file"
	if len(folders) > 1 {
		what = "its folder"
	}
	for _, rel := range paths {
		exercise := strings.TrimSuffix(path.Base(rel), path.Ext(rel))
		if len(folders) > 1 && strings.Contains(rel, "/") {
			exercise = path.Base(path.Dir(rel))
		}
		s.take.reset()
		s.take.path, s.take.exercise = append(s.take.path, rel...), append(s.take.exercise, exercise...)
		s.take.label = append(s.take.label, exercise...)
		s.add(&s.take)
	}
	s.findings = append(s.findings,
		newFinding(NoLabelFile, "", 0, "there is no label file: the class of a clip is %s", what),
		newFinding(NoSplits, "", 0, "the clips are not sorted into splits").
			as(level.Warn, "write a label file with a split for each clip; all are taken for train"))
}
