package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"finetui/ml/pickle"
	"finetui/ml/safetensors"
)

// folderFiles are the files that a checkpoint's weights may lie in, in the order in which they
// are looked for: the single file or the index of its shards.
var folderFiles = []string{safetensors.SingleName, safetensors.IndexName, pickle.SingleName, pickle.IndexName}

// IndexNames are how the indexes of sharded weights are called.
var IndexNames = []string{safetensors.IndexName, pickle.IndexName}

// InFolder says which file of a checkpoint's folder says where its weights are; empty: none is there.
func InFolder(has func(name string) bool) string {
	for _, name := range folderFiles {
		if has(name) {
			return name
		}
	}
	return ""
}

// none is a folder without weights: fs.ErrNotExist, in a person's words.
type none string

func (dir none) Error() string {
	return fmt.Sprintf("%s holds no weights (%s or %s, or the shards of either with their index): it is not a model's "+
		"folder, or its weights were not fetched", string(dir), safetensors.SingleName, pickle.SingleName)
}

func (none) Is(target error) bool { return target == fs.ErrNotExist }

// Open opens the weights at a path: a file of safetensors or of torch.save, by its name, or a folder of either, where
// safetensors go first. containers are what a pickle may have around its tensors: see pickle.Open.
func Open(path string, containers ...string) (*safetensors.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if filepath.Ext(path) == ".safetensors" {
			return safetensors.Open(path)
		}
		return pickle.Open(path, containers...)
	}
	f, err := safetensors.OpenFolder(path)
	if errors.Is(err, fs.ErrNotExist) {
		if f, err = pickle.OpenFolder(path, containers...); f == nil && err == nil {
			err = none(path)
		}
	}
	return f, err
}
