// Package project opens what one configuration names together: the data set, the recipe seen through it and the base
// model; it makes the questions of the recipe into what the model is shown and asked, and scores what it answers. It
// trains nothing and keeps no runs.
package project

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/model"
	"finetui/core/printable"
	"finetui/core/recipe"
	"finetui/core/sample"
	"finetui/core/video"
)

// Progress is told how far long work is; it may be nil.
type Progress = func(done, total int, what string)

// Project is a data set and a recipe, and from the first use of it the base.
type Project struct {
	File   *config.Snapshot
	Config *config.Config
	Data   *dataset.Dataset
	Recipe *recipe.Recipe
	Base   *model.Base // nil before OpenBase

	clips        *video.Store // keeps frames, where the set has clips
	furtherFault error        // why EVAL.DATA is no split
	linted       *Verdict     // Lint's; nil: there is none yet
}

// Open reads the data set, with EVAL.DATA as a split of its own where there is one, and builds the recipe. An EVAL.DATA
// that is not there or cannot be used is a finding: nothing but scoring on it needs it, and that says what is wrong.
func Open(ctx context.Context, file *config.Snapshot, report Progress) (*Project, error) {
	data, fault, err := Read(ctx, file, report)
	if err != nil {
		return nil, err
	}
	p := &Project{File: file, Config: file.Config, Data: data, furtherFault: fault}
	p.keepFrames()
	p.Recipe, err = recipe.Build(p.Data, p.Config)
	return p, err
}

// keepFrames opens what keeps frames, where the set has clips and MODEL.CACHE allows it.
func (p *Project) keepFrames() {
	isClip := func(i dataset.Item) bool { return i.Clip != nil }
	if p.Config.Model.Cache > 0 && slices.ContainsFunc(p.Data.Items, isClip) {
		p.clips = video.Open(p.File.Root, int64(p.Config.Model.Cache)<<20)
	}
}

// Over is the project seen through other constants. It is closed with the project that it is made of, but for its base.
func (p *Project) Over(c *config.Config, r *recipe.Recipe) *Project {
	return &Project{File: p.File, Config: c, Data: p.Data, Recipe: r, clips: p.clips, furtherFault: p.furtherFault}
}

// Read reads the data set of a configuration, with EVAL.DATA as a split of its own where there
// is one; fault says why it is none, where one is named.
func Read(ctx context.Context, file *config.Snapshot, report Progress) (data *dataset.Dataset, fault, err error) {
	if data, err = ReadSet(ctx, file.Config.Dataset, file.Root, report); err != nil {
		return nil, nil, err
	}
	fault, err = readFurther(ctx, data, file, report)
	return data, fault, err
}

// readFurther appends EVAL.DATA where it is named, or else the finding why not. err is that of ctx.
func readFurther(ctx context.Context, data *dataset.Dataset, file *config.Snapshot, report Progress) (fault,
	err error) {
	if file.Config.Eval.Data == "" {
		return nil, nil
	}
	if fault = addData(ctx, data, file, report); fault != nil {
		data.Append("", &dataset.Dataset{Findings: []dataset.Finding{furtherFinding(fault)}})
	}
	return fault, ctx.Err()
}

// furtherFinding says why EVAL.DATA is no split.
func furtherFinding(fault error) dataset.Finding {
	return dataset.Finding{Code: "eval_data", Level: level.Info, Text: fault.Error(),
		Do: "nothing but scoring on it needs it; the demo's is drawn by m in the workbench, or by finetui new demo"}
}

// addData appends the items of EVAL.DATA as one split with the name of its folder.
func addData(ctx context.Context, data *dataset.Dataset, file *config.Snapshot, report Progress) error {
	more := file.Config.Dataset
	more.Path, more.Splits, more.Sets = file.Config.Eval.Data, nil, []string{config.NoSets}
	unusable := func(format string, args ...any) error {
		return &config.Unusable{Key: "EVAL.DATA", Text: fmt.Sprintf(format, args...)}
	}
	if _, err := os.Stat(file.Abs(more.Path)); errors.Is(err, fs.ErrNotExist) {
		hint := cmp.Or(config.PathHint(file.Root, more.Path), "; set it to the folder of a data set, or to nothing")
		return unusable("there is no folder %s%s", file.Abs(more.Path), hint)
	}
	d, err := ReadSet(ctx, more, file.Root, report)
	if err != nil {
		return unusable("%s", strings.TrimPrefix(printable.Error(err), "DATASET.PATH: "))
	}
	same := func(a, b dataset.Class) bool { return a.Name == b.Name }
	if !slices.EqualFunc(d.Classes, data.Classes, same) {
		return unusable("%s has other classes than %s", more.Path, file.Config.Dataset.Path)
	}
	split := filepath.Base(more.Path)
	if slices.Contains(data.Splits, split) {
		return unusable("its folder is called %q like a split of DATASET.PATH; rename it", split)
	}
	data.Append(split, d)
	return nil
}

// OpenBase opens MODEL.BASE unless it is open; a model on the hub is fetched.
func (p *Project) OpenBase(ctx context.Context, report Progress) error {
	if p.Base != nil {
		return nil
	}
	b, err := model.OpenBase(ctx, p.Config.Model.Base, p.File.Root, report)
	if err != nil {
		return err
	}
	p.Base = b
	Remember(b, p.File.Root, p.Config)
	return nil
}

// Remember lets a base keep features in the project's folder, by MODEL.CACHE.
func Remember(b *model.Base, root string, c *config.Config) {
	if c.Model.Cache > 0 {
		b.Remember(filepath.Join(root, ".finetui", "features"), int64(c.Model.Cache)<<20)
	}
}

// Close closes the base, and what keeps frames.
func (p *Project) Close() error {
	err := p.clips.Close()
	if p.Base != nil {
		err = errors.Join(err, p.Base.Close())
	}
	return err
}

// Encoder makes the project's samples into what its model reads. Before OpenBase it measures as for a usual model.
func (p *Project) Encoder() sample.Encoder {
	return sample.Encoder{Base: p.Base, Recipe: p.Config.Recipe, Model: p.Config.Model, Root: p.File.Root,
		Clips: p.clips}
}

// Hides says that a sample cannot be shown: see sample.Encoder.Hides.
func (p *Project) Hides(s recipe.Sample) bool { return p.Encoder().Hides(s) }
