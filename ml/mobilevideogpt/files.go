package mobilevideogpt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/ml/safetensors"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
)

// The files of a run in which the projectors lie. The original writes a pickle; here it is read, and safetensors are
// written.
const (
	ProjectorsFile   = "non_lora_trainables.safetensors"
	ProjectorsPickle = "non_lora_trainables.bin"
)

// runPrefix is what the names of tensors begin with in those files.
const runPrefix = "base_model.model."

// Loaded is the name of a tensor here for that in a run's file: without "base_model.", and without one leading "model."
// where two are left.
func Loaded(stored string) string {
	name := strings.TrimPrefix(stored, "base_model.")
	if strings.HasPrefix(name, "model.model.") {
		name = strings.TrimPrefix(name, "model.")
	}
	return name
}

// projectorOf is the projector that a tensor belongs to, and the tensor's name here, whatever stands before it in the
// file: a run's prefix, or none, as where a projector was trained before.
func projectorOf(stored string) (projector, name string, ok bool) {
	for _, p := range []string{ImageProjector, VideoProjector} { // the second is a part of the first
		if at := strings.LastIndex(stored, p+"."); at >= 0 && (at == 0 || stored[at-1] == '.') {
			return p, "model." + stored[at:], true
		}
	}
	return "", "", false
}

// ReadProjectors reads the projectors' tensors from a file of either format, or from the one in a run's folder, under
// their names here. A folder without one is fs.ErrNotExist.
func ReadProjectors(path string) (out []weights.Tensor, err error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		dir := path
		for _, name := range []string{ProjectorsFile, ProjectorsPickle} {
			path = filepath.Join(dir, name)
			if _, err = os.Stat(path); err == nil {
				break
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s holds neither %s nor %s: %w", dir, ProjectorsFile, ProjectorsPickle, err)
		}
		if err != nil {
			return nil, err
		}
	}
	store, err := weights.Open(path, videomamba.Containers...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for _, stored := range store.Names() {
		_, name, ok := projectorOf(stored)
		if !ok {
			continue
		}
		values, err := store.Float32(stored)
		if err != nil {
			return nil, err
		}
		_, shape, _ := store.Info(stored)
		out = append(out, weights.Tensor{Name: name, Shape: slices.Clone(shape), Value: slices.Clone(values)})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s holds no projector: its tensors are none of %s and %s", path, VideoProjector,
			ImageProjector)
	}
	return out, nil
}

// SetProjectors gives the trained projectors the values of tensors. A projector that is not wholly there is an error;
// one of which nothing is there keeps its values. only, unless it is empty, is the projector that is set.
func (m *Model) SetProjectors(tensors []weights.Tensor, only string) error {
	values := map[string]weights.Tensor{}
	there := map[string]bool{}
	for _, x := range tensors {
		p, name, ok := projectorOf(x.Name)
		if ok && (only == "" || p == only) {
			values[name], there[p] = x, true
		}
	}
	if only != "" && !there[only] {
		return fmt.Errorf("the file holds no %s", only)
	}
	var set []func()
	for _, p := range m.params {
		projector, _, _ := projectorOf(p.Name)
		if !there[projector] {
			continue
		}
		x, ok := values[p.Name]
		if !ok {
			return fmt.Errorf("tensor %s is missing beside the others of its projector", p.Name)
		}
		if !slices.Equal(x.Shape, p.Shape) {
			return fmt.Errorf("tensor %s is %v, and this model's is %v: it is another model's", p.Name, x.Shape,
				p.Shape)
		}
		set = append(set, func() { copy(p.Value, x.Value) })
	}
	if len(set) == 0 && len(there) > 0 {
		return errors.New("the projectors are frozen here: their values come with the base")
	}
	for _, f := range set {
		f()
	}
	return nil
}

// WriteProjectors writes the projectors of a run into its folder, under the original's names.
func (m *Model) WriteProjectors(dir string) error {
	var out []safetensors.Tensor
	for _, x := range m.projectors.tensors() {
		out = append(out, safetensors.FromFloat32(runPrefix+x.Name, x.Shape, x.Value))
	}
	return safetensors.Write(filepath.Join(dir, ProjectorsFile), out, map[string]string{"format": "pt"})
}

// Beginning says where a projector's first values come from: path, or where it is empty the base.
func Beginning(projector, path string) string {
	what := map[string]string{VideoProjector: "video", ImageProjector: "image"}[projector]
	if path == "" {
		return fmt.Sprintf("Using %s projector from base model checkpoint", what)
	}
	return fmt.Sprintf("Initializing %s projector from %s", what, path)
}

// Over is a base whose projectors are those of a run: tensors as ReadProjectors gives them.
func Over(base weights.Source, tensors []weights.Tensor) weights.Source {
	o := over{Source: base, tensors: map[string]weights.Tensor{}}
	for _, x := range tensors {
		o.tensors[x.Name] = x
	}
	return o
}
