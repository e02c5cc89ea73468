package hub

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"finetui/ml/pickle"
	"finetui/ml/safetensors"
	"finetui/ml/weights"
)

// needed are the files without which no model can be loaded, but for its weights.
var needed = []string{"config.json", "tokenizer.json"}

// missing are the files that a snapshot lacks for loading the model.
func missing(dir string) []string {
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	out := slices.DeleteFunc(slices.Clone(needed), has)
	names, err := weightFiles(dir, has)
	if err != nil {
		return append(out, weights.InFolder(has)) // the index
	}
	if names == nil {
		return append(out, safetensors.SingleName)
	}
	return append(out, slices.DeleteFunc(names, has)...)
}

// weightFiles are those of a repository: a single one, or the shards that the index in dir lists. There is none where
// the repository has neither.
func weightFiles(dir string, has func(name string) bool) ([]string, error) {
	name := weights.InFolder(has)
	switch {
	case name == "":
		return nil, nil
	case slices.Contains(weights.IndexNames, name):
		return shards(filepath.Join(dir, name))
	}
	return []string{name}, nil
}

// shards are the weight files that an index lists.
func shards(index string) ([]string, error) {
	text, err := os.ReadFile(index)
	if err != nil {
		return nil, err
	}
	var listed struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		return nil, fmt.Errorf("%s: %w", index, err)
	}
	files := map[string]bool{}
	for _, shard := range listed.WeightMap {
		if !plainName.MatchString(shard) {
			return nil, fmt.Errorf("%s: shard %q is not the name of a file beside it", index, shard)
		}
		files[shard] = true
	}
	return slices.Sorted(maps.Keys(files)), nil
}

// plainName is how a file beside the weights is called: nothing in it can lead elsewhere or trick a terminal.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_. -]*$`)

// small picks from a repository's files those that lie beside the weights: configuration, tokenizer, processor,
// templates, the index. It says what is wrong where a model cannot be loaded from them.
func small(n Name, all []string) ([]string, error) {
	var out []string
	for _, name := range all {
		switch path.Ext(name) {
		case ".json", ".txt", ".jinja", ".model":
			if plainName.MatchString(name) && !strings.HasPrefix(name, ".") {
				out = append(out, name)
			}
		}
	}
	for _, name := range needed {
		if !slices.Contains(out, name) {
			return nil, fmt.Errorf("%s has no %s on the hub: it is no model that can be loaded here (an adapter, "+
				"perhaps, or weights in another format)", n.ID, name)
		}
	}
	if weights.InFolder(func(name string) bool { return slices.Contains(all, name) }) == "" {
		return nil, fmt.Errorf("%s has neither %s nor %s on the hub, nor the index of their shards: weights in other "+
			"formats cannot be loaded", n.ID, safetensors.SingleName, pickle.SingleName)
	}
	slices.Sort(out)
	return out, nil
}

// WeightBytes is how many bytes of weights the hub lists for a model: its index says so, where the cache holds that
// already. It comes with the small files, before any weights.
func (h Hub) WeightBytes(n Name) (bytes int64, ok bool) {
	for _, name := range weights.IndexNames {
		text, err := h.Part(n, name)
		if err != nil {
			continue
		}
		var index struct {
			Metadata struct {
				Size float64 `json:"total_size"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(text, &index); err == nil && index.Metadata.Size >= 1 && index.Metadata.Size < 1e15 {
			return int64(index.Metadata.Size), true
		}
	}
	return 0, false
}
