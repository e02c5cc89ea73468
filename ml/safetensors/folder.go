package safetensors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/ml/wholefile"
)

// The names under which Hugging Face saves a model's weights.
const (
	SingleName = "model.safetensors"
	IndexName  = "model.safetensors.index.json"
)

// noWeights is a folder without weights: fs.ErrNotExist, in a person's words.
type noWeights string

func (dir noWeights) Error() string {
	return fmt.Sprintf("%s holds neither %s nor %s: it is not a model's folder, or its weights were not fetched",
		string(dir), SingleName, IndexName)
}

func (noWeights) Is(target error) bool { return target == fs.ErrNotExist }

// OpenFolder opens a checkpoint folder: its model.safetensors, or else the shards that model.safetensors.index.json
// lists, as one File. Missing shards, and tensors that the index lists but no shard holds, are errors that name them.
func OpenFolder(dir string) (*File, error) {
	f, err := OpenNamed(dir, SingleName, IndexName, Open)
	if f == nil && err == nil {
		err = noWeights(dir)
	}
	return f, err
}

// OpenNamed is OpenFolder for weights of another format, whose single file and index are called single and index. open
// opens one file. Where the folder has neither, the File is nil.
func OpenNamed(dir, single, index string, open func(path string) (*File, error)) (*File, error) {
	if _, err := os.Stat(filepath.Join(dir, single)); err == nil {
		return open(filepath.Join(dir, single))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	index = filepath.Join(dir, index)
	text, err := wholefile.Read(index, wholefile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var listed struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		return nil, fmt.Errorf("%s: %w", index, err)
	}
	if len(listed.WeightMap) == 0 {
		return nil, fmt.Errorf("%s: weight_map lists no tensors", index)
	}
	f, err := openShards(dir, listed.WeightMap, open)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", index, err)
	}
	return f, nil
}

// openShards opens every file that the map from tensor to shard names, and takes from each what the map says it holds.
func openShards(dir string, shardOf map[string]string, open func(path string) (*File, error)) (*File, error) {
	shards, err := shardNames(dir, shardOf)
	if err != nil {
		return nil, err
	}
	whole := &File{path: dir, tensors: make(map[string]tensor, len(shardOf))}
	for _, name := range shards {
		shard, err := open(filepath.Join(dir, name))
		if err != nil {
			return nil, errors.Join(err, whole.Close())
		}
		whole.unmaps = append(whole.unmaps, shard.unmaps...)
		if whole.metadata == nil {
			whole.metadata = shard.metadata
		}
		for tensorName, t := range shard.tensors {
			if shardOf[tensorName] == name {
				whole.tensors[tensorName] = t
			}
		}
	}
	var lost []string
	for _, name := range slices.Sorted(maps.Keys(shardOf)) {
		if _, ok := whole.tensors[name]; !ok {
			lost = append(lost, fmt.Sprintf("%q (%s)", name, shardOf[name]))
		}
	}
	if len(lost) > 0 {
		return nil, errors.Join(fmt.Errorf("%d tensors are not in the shard that should hold them: %s", len(lost),
			abridge(lost)), whole.Close())
	}
	whole.sortNames()
	return whole, nil
}

// shardNames lists the shards, sorted, after checking that each is a plain name and exists.
func shardNames(dir string, shardOf map[string]string) ([]string, error) {
	set := map[string]bool{}
	for _, shard := range shardOf {
		set[shard] = true
	}
	shards := slices.Sorted(maps.Keys(set))
	var missing []string
	for _, shard := range shards {
		if shard == "" || shard != filepath.Base(shard) || !filepath.IsLocal(shard) {
			return nil, fmt.Errorf("shard %q is not the name of a file beside the index", shard)
		}
		if _, err := os.Stat(filepath.Join(dir, shard)); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, shard)
		} else if err != nil {
			return nil, err
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%d of %d shards are missing: %s; fetch them into %s", len(missing), len(shards),
			abridge(missing), dir)
	}
	return shards, nil
}

// abridge joins names for an error, at most five of them.
func abridge(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
