package session

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/printable"
	"finetui/core/video"
)

// pictureEndings are those of files that can be shown to a model.
var pictureEndings = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}

// pictureNamed says whether a file's name is that of a picture.
func pictureNamed(path string) bool {
	return slices.Contains(pictureEndings, strings.ToLower(filepath.Ext(path)))
}

// Media finds the file of a picture or a clip: as it is given, or from the project's folder; "~" is the home folder.
func (s *Session) Media(path string) (string, error) {
	path = ExpandHome(path)
	for _, p := range []string{path, s.file.Abs(path)} {
		if info, err := os.Stat(p); err == nil && !info.IsDir() {
			return p, nil
		}
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "", printable.Missing("%s is a folder: name a picture or a clip in it", path)
	}
	what := "picture or clip"
	switch {
	case video.Named(path):
		what = "clip"
	case pictureNamed(path):
		what = "picture"
	}
	return "", printable.Missing("there is no %s %s", what, path)
}

// mostCompletions are more than anybody looks through.
const mostCompletions = 200

// Complete lists what a path could go on as: folders, with a slash, pictures and
// clips, each spelled so that it begins with what is written.
func (s *Session) Complete(written string) []string {
	folder, begin := filepath.Split(written)
	look := ExpandHome(folder)
	switch {
	case look == "":
		look = s.file.Root
	case !filepath.IsAbs(look):
		if _, err := os.Stat(look); err != nil {
			look = s.file.Abs(look)
		}
	}
	entries, err := os.ReadDir(look)
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, begin) || begin == "" && strings.HasPrefix(name, ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(look, name)) // what a link leads to
		switch {
		case err != nil:
		case info.IsDir():
			list = append(list, folder+name+"/")
		case pictureNamed(name), video.Named(name):
			list = append(list, folder+name)
		}
		if len(list) == mostCompletions {
			break
		}
	}
	return list
}

// ExpandHome is a path as somebody writes it in a shell: "~/" is the own home.
func ExpandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if home, err := os.UserHomeDir(); ok && err == nil {
		return filepath.Join(home, rest)
	}
	return path
}
