package chain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"finetui/core/config"
	"finetui/core/convert"
	"finetui/core/demo/clipbase"
	"finetui/core/demo/exercise"
	"finetui/core/finetune"
	"finetui/core/level"
	"finetui/core/project"
	"finetui/core/session"
	"finetui/core/stats"
	"finetui/ml/wholefile"
)

// clipSubjects are what the demo with clips compares: the base, the recipe, and a control without one ingredient.
var clipSubjects = []subject{
	{"zero-shot", "", nil, "the base as it is: it has never heard an exercise's name nor this advice"},
	{"enhanced", "enhanced", nil, "adapters and both projectors; square-root class sampling"},
	{"control", "control", []config.Change{{Key: "RECIPE.SAMPLING", New: string(config.SampleInstance)}},
		"enhanced without its sampling: every clip once an epoch"},
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

// RunClips runs the chain of clips and writes report.md beside the data; it returns its path.
func RunClips(ctx context.Context, file *config.Snapshot, o Options) (string, error) {
	began := time.Now()
	if err := ClipData(ctx, file, o); err != nil {
		return "", err
	}
	data, err := project.ReadSet(ctx, file.Config.Dataset, file.Root, o.Report)
	if err != nil {
		return "", err
	}
	analysis := stats.Analyze(data, file.Config.Dataset)
	if err := analysis.WriteJSON(file.Abs(file.Config.Dataset.Analysis)); err != nil {
		return "", err
	}
	o.Log("%s", analysis.Text())
	findings, err := finetune.Lint(ctx, file, o.Report)
	if err != nil {
		return "", err
	}
	for _, f := range findings {
		if f.Level != level.Info {
			o.Log("lint: %s: %s", f.Level, f.Text)
		}
	}
	if err := convertClips(ctx, file, o); err != nil {
		return "", err
	}
	split := file.Config.Eval.Split
	r := clipReport{file: file, analysis: analysis, splits: []string{split}, version: o.Version}
	for _, s := range clipSubjects {
		out, err := follow(ctx, file, s, data, r.splits, o)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.title, err)
		}
		timed, err := out.kept[split].Timed()
		if err != nil {
			return "", err
		}
		r.outcomes, r.texts, r.times = append(r.outcomes, out), append(r.texts, out.texts[split]), append(r.times, timed)
	}
	for _, pair := range [][2]int{{0, 1}, {2, 1}} {
		first, second := pair[0], pair[1]
		c, err := session.CompareTexts([]session.Kept{r.outcomes[first].kept[split], r.outcomes[second].kept[split]},
			uint64(file.Config.Project.Seed))
		if err != nil {
			return "", err
		}
		r.pairs = append(r.pairs, clipPair{c.Pairs[0], [2]string{clipSubjects[first].title, clipSubjects[second].title},
			r.texts[first], r.texts[second]})
	}
	r.seconds = time.Since(began).Seconds()
	path := filepath.Join(filepath.Dir(file.Abs(file.Config.Dataset.Path)), "report.md")
	return path, r.write(path)
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
