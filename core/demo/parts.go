package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Part is a split of a small set: so many objects, drawn with a seed of its own.
type Part struct {
	Split   string // "train", "valid" or "test"
	Objects int
	Seed    uint64
}

// MakeParts draws a small set of several splits into dir, which holds none yet, and the data.yaml that names them:
// enough to try a whole project on. Of opts the Seed is the parts'.
func MakeParts(ctx context.Context, dir string, opts Options, parts ...Part) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var yaml strings.Builder
	for _, p := range parts {
		opts.Seed = p.Seed
		drawn := filepath.Join(dir, "drawn-"+p.Split)
		if err := MakeExtra(ctx, drawn, p.Objects, opts, nil); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(drawn, "test"), filepath.Join(dir, p.Split)); err != nil {
			return err
		}
		if err := os.RemoveAll(drawn); err != nil {
			return err
		}
		key := p.Split
		if key == "valid" {
			key = "val" // as Ultralytics calls it
		}
		fmt.Fprintf(&yaml, "%s: %s/images\n", key, p.Split)
	}
	fmt.Fprintf(&yaml, "names: [%s]\n", strings.Join(Classes, ", "))
	return os.WriteFile(filepath.Join(dir, "data.yaml"), []byte(yaml.String()), 0o644)
}
