package mobilevideogpt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"finetui/ml/clip"
	"finetui/ml/pickle"
	"finetui/ml/safetensors"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
)

// The names that the encoders' tensors begin with here.
const (
	imagePrefix = "image_tower."
	videoPrefix = "video_tower."
)

// Towers are the tensors of both encoders. Close them only after the last use of a model made from them.
type Towers struct{ weights.Stored }

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
	if len(t.Names(imagePrefix)) == 0 {
		path, err := find(dir, "image encoder", c.ImageTower, "clip")
		if err != nil {
			return c, err
		}
		if err := t.addFile(path, imagePrefix, clip.Classic); err != nil {
			return c, err
		}
		data, err := weights.ReadConfig(path)
		if err == nil {
			if c.Image, err = clip.ParseConfig(data); err != nil {
				return c, fmt.Errorf("%s: %w", path, err)
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
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
	var err error
	if c.Video, err = videomamba.ConfigOf(t, videoPrefix); err != nil {
		return c, err
	}
	return c, c.Check()
}

// addOwn takes the encoders that lie among the base's own weights.
func (t *Towers) addOwn(dir string) error {
	f, err := openStore(dir)
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
	store, err := openStore(path)
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

// weightFiles are the files that a folder's weights lie in, beside model.safetensors and its shards.
var weightFiles = []string{"pytorch_model.bin"}

// openStore opens a file of tensors, or a folder of them.
func openStore(path string) (weights.Store, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		f, err := safetensors.OpenFolder(path)
		if err == nil {
			return f, nil
		}
		for _, name := range weightFiles {
			if _, statErr := os.Stat(filepath.Join(path, name)); statErr == nil {
				return openStore(filepath.Join(path, name))
			}
		}
		return nil, err
	}
	if filepath.Ext(path) == ".safetensors" {
		return safetensors.Open(path)
	}
	return pickle.Open(path, videomamba.Containers...)
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
		for _, ending := range []string{"", ".safetensors", ".pth", ".bin"} {
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
	for _, name := range append([]string{safetensors.SingleName, safetensors.IndexName}, weightFiles...) {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return dir
		}
	}
	for _, pattern := range []string{"*.safetensors", "*.pth", "*.bin"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) == 1 {
			return found[0]
		}
	}
	return ""
}
