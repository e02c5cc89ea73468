// Package export writes what a run has learned for other programs: its adapter alone, or merged into the base as a
// whole checkpoint. It trains nothing, and changes neither the run nor the base.
package export

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/printable"
	"finetui/core/run"
	"finetui/core/trainerlog"
	"finetui/ml/lora"
	"finetui/ml/wholefile"
)

// Progress is told how far long work is; it may be nil.
type Progress = func(done, total int, what string)

// Source is an adapter that can be exported, and the base that it belongs to.
type Source struct {
	Title   string // "0003-enhanced step 426 (best)"
	Adapter string // its folder
	Base    string // as MODEL.BASE gives it
	Root    string // from where a relative Base starts
	Note    string // what to bear in mind: a better checkpoint is damaged

	label, fingerprint string // of the run, and of the base that it was trained on; empty: an adapter's folder
}

// Find is the adapter of a name: a run's number, name or path, whose best checkpoint it is,
// or a folder in PEFT's format, which belongs to MODEL.BASE.
func Find(file *config.Snapshot, name string) (Source, error) {
	if dir := adapterOf(name); dir != "" {
		return Source{Title: "adapter " + dir, Adapter: dir, Base: file.Config.Model.Base, Root: file.Root}, nil
	}
	r, err := run.Find(file.Abs(file.Config.Project.Runs), name)
	if err == nil && r.Tool() != "" {
		err = printable.Missing("%s, a run of %s, has saved no adapter in PEFT's format", r.Label(), r.Tool())
	}
	if err != nil {
		return Source{}, fmt.Errorf("%w; a folder that holds %s can be named too", err, lora.ConfigFile)
	}
	saved, note, err := r.Answering()
	if err != nil {
		return Source{}, err
	}
	own, err := r.Config()
	if err != nil {
		return Source{}, fmt.Errorf("run %s: its own config.toml: %w", r.Label(), err)
	}
	which := "newest"
	if saved.Best {
		which = "best"
	}
	base, root := model.Moved(own, file)
	return Source{Title: fmt.Sprintf("%s step %d (%s)", r.Label(), saved.Step, which), Adapter: saved.Path,
			Base: base, Root: root, Note: note, label: r.Label(),
			fingerprint: r.Info.BaseFingerprint},
		nil
}

// adapterOf is the folder of the adapter that a folder holds: itself, or what the run of another trainer in it has come
// to; "" where there is none.
func adapterOf(folder string) string {
	if _, err := os.Stat(filepath.Join(folder, lora.ConfigFile)); err == nil {
		return folder
	}
	if log, ok := trainerlog.Find(folder); ok {
		return log.Adapter()
	}
	return ""
}

// Check says whether an opened base is the one that the adapter was trained on, as far as that is known. The note is
// something to bear in mind.
func (s Source) Check(ctx context.Context, b *model.Base, report Progress) (note string, err error) {
	return b.Check(ctx, s.fingerprint, s.label, report)
}

// Adapter writes the adapter of a folder to another one, with the module names of naming,
// as PEFT would. Nothing that is there is overwritten.
func Adapter(adapter, folder string, naming lora.Naming) error {
	c, adapters, err := lora.Read(adapter)
	if err != nil {
		return err
	}
	c.Naming = naming
	return beside(folder, func(dir string) error { return lora.Write(dir, c, adapters) })
}

// beside lets fill make a folder and gives it its name when it is complete.
func beside(folder string, fill func(dir string) error) error {
	return wholefile.Folder(folder, fill)
}
