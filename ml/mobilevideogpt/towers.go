package mobilevideogpt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"finetui/ml/clip"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// The names that the encoders' tensors begin with here.
const (
	imagePrefix = "image_tower."
	videoPrefix = "video_tower."
)

// Towers are the tensors of both encoders. Close them only after the last use of a model made from them.
type Towers struct {
	weights.Stored
	config string // the image encoder's config.json; empty: there is none
}

// Files are the paths of all that the encoders were read from.
func (t *Towers) Files() []string {
	files := t.Stored.Files()
	if t.config != "" {
		files = append(files, t.config)
	}
	return files
}

// OpenTowers finds the encoders that a base in a folder names, opens their files and reads their sizes into c. Each is
// looked for among the base's own weights, then where config.json says, taken as a path from the base's folder or from
// the folder around it, with all of its parts or with the last one only; then as folders called clip and videomamba
// there. What is not found is an error that lists the places.
func (c Config) OpenTowers(dir string) (*Towers, Config, error) {
	t := &Towers{}
	out, err := c.openTowers(t, dir)
	if err != nil {
		return nil, c, errors.Join(err, t.Close())
	}
	return t, out, nil
}

func (c Config) openTowers(t *Towers, dir string) (Config, error) {
	if err := t.addOwn(dir); err != nil {
		return c, err
	}
	layer := c.Image.Layer
	own := len(t.Names(imagePrefix)) > 0
	path, err := find(dir, "image encoder", c.ImageTower, "clip")
	if !own && err == nil {
		err = t.addFile(path, imagePrefix, clip.Classic)
	}
	if err != nil && !own {
		return c, err
	}
	if c.Image, err = imageConfig(t, dir, path); err != nil {
		return c, err
	}
	if len(t.Names(videoPrefix)) == 0 {
		path, err := find(dir, "video encoder", c.VideoTower, "videomamba")
		if err != nil {
			return c, err
		}
		if err := t.addFile(path, videoPrefix, videomamba.Classic); err != nil {
			return c, err
		}
	}
	c.Image.Layer = layer
	if c.Video, err = videomamba.ConfigOf(t, videoPrefix); err != nil {
		return c, err
	}
	return c, c.Check()
}

// imageConfig are the sizes of the image encoder: of config.json beside its file or in its folder at path, or else of
// its tensors. What lies in the base's folder or around it is not about the encoder.
func imageConfig(t *Towers, dir, path string) (clip.Config, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	if dir = filepath.Clean(dir); path != "" && path != dir && path != filepath.Dir(dir) {
		data, err := weights.ReadConfig(path)
		if err == nil {
			c, err := clip.ParseConfig(data)
			if err != nil {
				err = fmt.Errorf("%s: %w", path, err)
			}
			t.config = filepath.Join(path, "config.json")
			return c, err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return clip.Config{}, err
		}
	}
	return clip.ConfigOf(t, imagePrefix)
}

// addOwn takes the encoders that lie among the base's own weights.
func (t *Towers) addOwn(dir string) error {
	f, err := weights.Open(dir, videomamba.Containers...)
	if err != nil {
		return err
	}
	return t.Add(f, func(stored string) (string, bool) {
		switch {
		case strings.Contains(stored, "vision_model."):
			name, ok := clip.Classic(stored)
			return imagePrefix + name, ok
		case strings.Contains(stored, "vision_encoder."):
			name, ok := videomamba.Classic(stored)
			return videoPrefix + name, ok
		}
		return "", false
	})
}

// addFile takes one encoder's tensors from a file, or from the weights in a folder.
func (t *Towers) addFile(path, prefix string, classic func(string) (string, bool)) error {
	store, err := weights.Open(path, videomamba.Containers...)
	if err != nil {
		return err
	}
	err = t.Add(store, func(stored string) (string, bool) {
		name, ok := classic(stored)
		return prefix + name, ok
	})
	if err == nil && len(t.Names(prefix)) == 0 {
		err = fmt.Errorf("%s: none of its tensors belongs to this encoder: it is another model's", path)
	}
	return err
}

// find is the path of an encoder that config.json calls name, usual being what its folder is called otherwise.
func find(dir, what, name, usual string) (string, error) {
	var places []string
	add := func(path string) {
		ext := filepath.Ext(path)
		places = append(places, path)
		if ext == ".pth" || ext == ".bin" || ext == ".pt" { // converted, perhaps
			places = append(places, strings.TrimSuffix(path, ext)+".safetensors")
		}
	}
	around := filepath.Dir(filepath.Clean(dir))
	if name != "" {
		if filepath.IsAbs(name) {
			add(name)
		}
		for _, root := range []string{dir, around} {
			add(filepath.Join(root, filepath.FromSlash(name)))
			add(filepath.Join(root, filepath.Base(filepath.FromSlash(name))))
		}
	}
	for _, root := range []string{dir, around} {
		for _, ending := range []string{"", ".safetensors", ".pth", ".pt", ".bin"} {
			places = append(places, filepath.Join(root, usual+ending))
		}
	}
	for _, path := range places {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if info.IsDir() {
			if inner := within(path); inner != "" {
				return inner, nil
			}
			continue
		}
		return path, nil
	}
	called := ""
	if name != "" {
		called = fmt.Sprintf(", which config.json calls %q,", name)
	}
	return "", fmt.Errorf("the %s%s is not there: put its folder or file beside the base as %s, or to one of %s", what,
		called, filepath.Join(dir, usual), strings.Join(places, ", "))
}

// within is a folder that holds weights, or the one file of weights in it.
func within(dir string) string {
	if weights.InFolder(func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}) != "" {
		return dir
	}
	for _, pattern := range []string{"*.safetensors", "*.pth", "*.pt", "*.bin"} {
		if found := wholefile.Glob(dir, pattern); len(found) == 1 {
			return found[0]
		}
	}
	return ""
}
