package chain

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"finetui/core/config"
	"finetui/core/convert"
	"finetui/core/demo/clipbase"
	"finetui/core/demo/exercise"
	"finetui/core/eval"
	"finetui/core/finetune"
	"finetui/core/level"
	"finetui/core/project"
	"finetui/core/sweep"
	"finetui/ml/wholefile"
)

// clipRecipes are what the demo with clips compares, in the order of its sweep's variants: a control without one
// ingredient, and the recipe.
var clipRecipes = []described{
	{"control", "adapters and both projectors; every clip once an epoch"},
	{"enhanced", "the same with " + sampling + " sampling of the classes"},
}

// The places of clipRecipes.
const (
	clipControl = iota
	clipEnhanced
)

// clipSeeds are those of the runs of each recipe; the set is drawn from PROJECT.SEED.
var clipSeeds = []int{1, 2, 3}

// clipMode is the question of the demo with clips.
func clipMode(file *config.Snapshot) mode {
	split := file.Config.Eval.Split
	return mode{name: "exercises", title: "Exercises", path: file.Config.Dataset.Path, split: split, set: "the " + split +
		" clips", tried: clipRecipes, seeds: clipSeeds, axes: []sweep.Axis{
		{Key: "RECIPE.SAMPLING", Values: []string{string(config.SampleInstance), sampling}}}}
}

// ClipData puts the exercise clips and the base where the configuration expects them, unless they are there.
func ClipData(ctx context.Context, file *config.Snapshot, o Options) error {
	once := func(dir string, fill func() error) error {
		wholefile.Clear(dir)
		if _, err := os.Stat(dir); err == nil {
			return nil
		}
		if err := fill(); err != nil {
			return err
		}
		o.Log("%s", dir)
		return nil
	}
	data := file.Abs(file.Config.Dataset.Path)
	err := once(data, func() error {
		return exercise.Make(ctx, data, exercise.Options{Seed: uint64(file.Config.Project.Seed), Clips: o.Clips},
			o.Report)
	})
	if err != nil || file.Config.Model.Base != clipbase.Folder {
		return err
	}
	base := file.Abs(clipbase.Folder)
	return once(base, func() error { return clipbase.Write(base) })
}

// RunClips runs the chain of clips and writes report.md and report.html beside the data; it returns their paths. What an
// earlier call has come to is used where it is of the same constants, data, base and program.
func RunClips(ctx context.Context, file *config.Snapshot, o Options) ([]string, error) {
	began := time.Now()
	if err := ClipData(ctx, file, o); err != nil {
		return nil, err
	}
	if err := lintClips(ctx, file, o); err != nil {
		return nil, err
	}
	if err := convertClips(ctx, file, o); err != nil {
		return nil, err
	}
	f, err := clipMode(file).findings(ctx, file, map[string]*eval.Result{}, o)
	if err != nil {
		return nil, err
	}
	r := clipReport{findings: f, version: o.Version}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	for _, sentence := range f.compared[f.split].Sentences {
		o.Log("%s", sentence)
	}
	r.seconds = time.Since(began).Seconds()
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	return writePage(filepath.Dir(file.Abs(file.Config.Dataset.Path)), p)
}

// lintClips says what is wrong before anything is trained.
func lintClips(ctx context.Context, file *config.Snapshot, o Options) error {
	findings, err := finetune.Lint(ctx, file, o.Report)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if f.Level != level.Info {
			o.Log("lint: %s: %s", f.Level, f.Text)
		}
	}
	return nil
}

// convertClips writes the conversations as the original's trainer reads them.
func convertClips(ctx context.Context, file *config.Snapshot, o Options) error {
	p, err := project.Open(ctx, file, o.Report)
	if err != nil {
		return err
	}
	defer p.Close()
	result, err := convert.Write(ctx, p, o.Report)
	if err != nil {
		return err
	}
	for _, f := range result.Files {
		if f.Split != "" {
			o.Log("%s  %d records of %s", f.Path, f.Records, f.Split)
		}
	}
	return nil
}
