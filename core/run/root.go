package run

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"finetui/core/config"
)

const bestBy = "TRAIN.BEST_BY"

// Config returns the snapshot the run was started with. Its relative paths start from the project's folder, wherever
// that lies now: a project that was moved, renamed or copied takes its runs along, and a path of the snapshot that led
// into the folder of then leads into that of now.
func (r *Run) Config() (*config.Snapshot, error) {
	if r.log != nil {
		return nil, fmt.Errorf("%s was trained by %s: it has no constants of config.toml", r.Label(), r.log.Tool)
	}
	path := filepath.Join(r.Dir, configFile)
	file, err := config.Load(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s is not there: put it back from a copy, or start another run", path)
	case err != nil:
		return nil, err
	}
	switch fault := r.checkConstants(path, file.Raw()); {
	case fault != nil:
		return nil, fault
	case r.Info.Base != "" && r.Info.Base != file.Config.Model.Base: // it would be taken for another run
		return nil, fmt.Errorf("%s is damaged: it names the base %q, and run.json %q: put it back from a copy", path,
			file.Config.Model.Base, r.Info.Base)
	}
	s := file.At(file.Path, r.root(file.Snapshot))
	if !file.Has(bestBy) && !r.Info.LatestOfEquals { // what an older program took where nothing was said
		if s, err = s.With(config.Change{Key: bestBy,
			New: string(cmp.Or(r.Info.BestBy, config.BestByLoss))}); err != nil {
			return nil, err
		}
	}
	if r.Info.Root == "" || r.Info.Root == s.Root {
		return s, nil
	}
	var moved []config.Change
	for _, field := range config.Fields() {
		value := config.Plain(s.Config, field.Name())
		if field.Kind != config.Path || !filepath.IsAbs(value) {
			continue
		}
		if below, err := filepath.Rel(r.Info.Root, value); err == nil && filepath.IsLocal(below) {
			moved = append(moved, config.Change{Key: field.Name(), New: below})
		}
	}
	return s.With(moved...)
}

// root is where the project's folder is now: where it lies as seen from the run's, else where it lay, else here. A
// folder counts that has a config.toml or the data set.
func (r *Run) root(f *config.Snapshot) string {
	var places []string
	if r.Info.RootFrom != "" {
		places = append(places, filepath.Join(r.Dir, r.Info.RootFrom))
	} else if above, ok := strings.CutSuffix(filepath.Dir(r.Dir),
		string(filepath.Separator)+filepath.Clean(f.Config.Project.Runs)); ok {
		places = append(places, above) // a run of before RootFrom
	}
	if r.Info.Root != "" {
		places = append(places, r.Info.Root)
	}
	if here, err := os.Getwd(); err == nil {
		places = append(places, here)
	}
	for _, place := range places {
		for _, sign := range []string{configFile, f.Config.Dataset.Path} {
			if sign == "" || filepath.IsAbs(sign) {
				continue
			}
			if _, err := os.Stat(filepath.Join(place, sign)); err == nil {
				return place
			}
		}
	}
	if len(places) == 0 {
		return f.Root
	}
	return places[0]
}

// rootFrom is a project's folder as seen from a run's directory; "" where there is no way.
func rootFrom(dir, root string) string {
	if root == "" {
		return ""
	}
	way, err := filepath.Rel(dir, root)
	if err != nil {
		return ""
	}
	return filepath.ToSlash(way)
}
