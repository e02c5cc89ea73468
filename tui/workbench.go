package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"finetui/core/config"
	"finetui/core/media"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/ml/cores"
	"finetui/ml/wholefile"
	"finetui/views"
	configpane "finetui/views/config"
	datapane "finetui/views/dataset"
	inferpane "finetui/views/infer"
	trainpane "finetui/views/train"
)

// openWorkbench opens the workbench on ./config.toml, and is the exit code.
func openWorkbench(overrides []string) int {
	file, err := config.Load(configFile)
	if err == nil {
		if err = applyOverrides(file, overrides); err == nil {
			err = file.KeepApart() // for this session: s does not save it
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "finetui:", printable.Error(err))
			return exitCall
		}
	}
	clearLeftovers(file)
	cores.Answer()
	r := newWorkbench(file, err)
	code := show(r)
	if root := r.current.folder(); root != "" {
		r.keep(root)
	}
	return code
}

// clearLeftovers removes the files that a killed program was at when it ended; nil: there is no project.
func clearLeftovers(file *config.File) {
	if file == nil {
		return
	}
	wholefile.SweepFiles(file.Root, configFile)
	analysis := file.Abs(file.Config.Dataset.Analysis)
	wholefile.SweepFiles(filepath.Dir(analysis), filepath.Base(analysis))
	wholefile.SweepFiles(filepath.Join(file.Root, ".finetui"))
	runs := file.Abs(file.Config.Project.Runs)
	wholefile.SweepFiles(runs)
	folders := wholefile.Glob(config.Exports(file.Root), "*")
	for _, pattern := range []string{"*/eval", "*/integrate/*", ".finetui", "sweeps/*"} {
		folders = append(folders, wholefile.Glob(runs, pattern)...)
	}
	for _, folder := range folders {
		wholefile.SweepFiles(folder)
	}
}

// newWorkbench is the root with its panes on a configuration, or on the error that kept it from being read.
func newWorkbench(file *config.File, fault error) *root {
	if fault != nil {
		file = nil
	}
	r := newRoot("")
	r.data.Read, r.file = project.ReadShared, file
	pictures, frames := media.NewCache(cacheBytes), &project.Frames{}
	pictures.Middle = func(path string) (*media.Picture, error) {
		return frames.Middle(context.Background(), r.current.snapshot.Load(), path)
	}
	r.panes = []views.Pane{
		datapane.New(file, dataControl(pictures, frames)),
		configpane.New(configpane.Options{Path: configFile, File: file, Err: fault,
			Control: configControl(file, r.actionNames)}),
		trainpane.New(runControl(file, &r.current)),
		inferpane.New(file, inferControl(pictures)),
	}
	if file == nil {
		r.open = 1
		return r
	}
	r.current.keep(file)
	r.adopt(file.Config)
	r.recall(file.Root)
	return r
}

// adopt takes what is the root's own from the constants.
func (r *root) adopt(c *config.Config) {
	r.project, r.keys, r.colours = c.Project.Name, views.Keys(c.Keys), c.View.Colors
	r.choice, r.redraw.perSecond = views.ThemeChoice(c.View.Theme), max(c.View.Redraws, 1)
	r.retheme()
}

// actionNames are the names that [KEYS] may hold.
func (r *root) actionNames() []string {
	var names []string
	for _, a := range r.everyAction() {
		names = append(names, a.Name)
	}
	return names
}
