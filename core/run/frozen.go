package run

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"finetui/core/disk"
	"finetui/ml/wholefile"
)

// A frozen file is written once and depended on ever after: the constants, the list of pictures. run.json has its
// SHA-256, so that one which was cut short or edited is never taken for what the run was started with. A run of an
// older program has none of them, and goes on.

// Snapshot freezes config.toml, the constants that the run goes on with.
func (w *Writer) Snapshot(text []byte) error { return w.Freeze(configFile, text) }

// Freeze writes a frozen file of the run. While the old one is replaced run.json knows both: a process that is killed
// in between leaves a run that goes on.
func (w *Writer) Freeze(name string, text []byte) error {
	sum := disk.Sum(text)
	if err := w.allow(name, append(slices.Clone(w.Info().Frozen[name]), sum)); err != nil {
		return err
	}
	if err := wholefile.Write(filepath.Join(w.dir, name), text); err != nil {
		return err
	}
	return w.allow(name, []string{sum})
}

// allow notes what a frozen file may hold.
func (w *Writer) allow(name string, sums []string) error {
	return w.Update(func(info *Info) {
		info.Frozen = maps.Clone(info.Frozen)
		if info.Frozen == nil {
			info.Frozen = map[string][]string{}
		}
		info.Frozen[name] = sums
	})
}

// Thaw says whether the text of a frozen file is the one that was frozen.
func (i *Info) Thaw(name string, text []byte) bool {
	sums, known := i.Frozen[name]
	return !known || slices.Contains(sums, disk.Sum(text))
}

// checkConstants is the error for a config.toml that is not the one of the run.
func (r *Run) checkConstants(path string, text []byte) error {
	if r.Info.Thaw(configFile, text) {
		return nil
	}
	if now, err := readInfo(r.Dir); err == nil && now.Thaw(configFile, text) { // replaced since the run was opened
		return nil
	}
	return fmt.Errorf("%s is not what finetui wrote there, by its checksum in run.json: it was cut short or edited. Undo "+
		"that, or put it back from a copy; finetui resume %d SECTION.KEY=value changes a run's constants", path,
		r.Info.Number)
}
