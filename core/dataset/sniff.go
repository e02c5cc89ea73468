package dataset

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/ml/wholefile"
)

// otherFormat names the format of another program that lies in a folder, with the file that shows it; "" where there is
// none that is known.
func otherFormat(root string) string {
	for _, folder := range []string{".", "annotations", "Annotations", "labels", "train", "train/annotations"} {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil {
			continue
		}
		const most = 50 // files that are looked into
		looked := 0
		for _, entry := range entries {
			name := filepath.Join(folder, entry.Name())
			ending := strings.ToLower(filepath.Ext(name))
			if looked == most || ending != ".json" && ending != ".xml" && ending != ".jsonl" {
				continue
			}
			looked++
			if format := formatOf(filepath.Join(root, name)); format != "" {
				return fmt.Sprintf("%s (%s)", format, readable(filepath.ToSlash(name)))
			}
		}
	}
	return classFolders(root)
}

// formatOf knows annotation files by their beginnings.
func formatOf(path string) string {
	if !isFile(path) || filepath.Base(path) == datasetInfo {
		return ""
	}
	file, err := wholefile.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	const enough = 64 << 10 // bytes
	head, err := io.ReadAll(io.LimitReader(file, enough))
	if err != nil {
		return ""
	}
	has := func(words ...string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !bytes.Contains(head, []byte(w)) })
	}
	switch {
	case (has(`"video_path"`) || has(`"long_range_video_file"`)) && !has(`"conversations"`), has(`.mp4": {`),
		has(`.mp4":{`), has(`.mp4": "`),
		has(`.mp4":"`):
		return qvedSniffed
	case has(`"images"`, `"file_name"`), has(`"annotations"`, `"category_id"`), has(`"annotations"`, `"categories"`):
		return "COCO JSON"
	case has(`"shapes"`, `"imagePath"`):
		return "labelme JSON"
	case has(`"annotations"`, `"coordinates"`):
		return "CreateML JSON"
	case has(`"conversations"`), has(`"messages"`, `"role"`), has(`"prompt"`, `"completion"`),
		has(`"conversation"`), has(`"instruction"`, `"output"`), has(`"query"`, `"response"`, `"images"`),
		has(`"query"`, `"response"`, `"videos"`):
		return conversationsSniffed
	case has("<annotations>", "<image "):
		return "CVAT XML"
	case has("<annotation", "<object>"), has("<annotation", "<filename>"):
		return "Pascal VOC XML"
	}
	return ""
}

// classFolders knows a set for classification: folders, each with pictures of one class.
func classFolders(root string) string {
	for _, top := range []string{root, filepath.Join(root, "train")} {
		entries, err := os.ReadDir(top)
		if err != nil {
			continue
		}
		var named []string
		for _, entry := range entries {
			inner := filepath.Join(top, entry.Name())
			if !isFolder(inner) || slices.Contains([]string{"images", "labels", "train", "valid", "val", "test"},
				strings.ToLower(entry.Name())) {
				continue
			}
			files, err := os.ReadDir(inner)
			if err == nil && slices.ContainsFunc(files, func(f os.DirEntry) bool { return isPicture(f.Name()) }) &&
				!holdsLabels(inner) {
				named = append(named, readable(entry.Name()))
			}
		}
		if len(named) > 1 {
			return fmt.Sprintf("one folder of pictures for each class (%s)", someOf(named, 3))
		}
	}
	return ""
}
