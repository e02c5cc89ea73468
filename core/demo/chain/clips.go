package chain

import (
	"context"
	"os"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/demo/exercise"
	"finetui/core/stats"
	"finetui/ml/wholefile"
)

// ClipData draws the exercise clips where the configuration expects them, unless they are there.
func ClipData(ctx context.Context, file *config.Snapshot, o Options) error {
	dir := file.Abs(file.Config.Dataset.Path)
	wholefile.Clear(dir)
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := exercise.Make(ctx, dir, exercise.Options{Seed: uint64(file.Config.Project.Seed)}, o.Report); err != nil {
		return err
	}
	o.Log("%s", dir)
	return nil
}

// RunClips draws the exercise clips and writes their statistics; it returns the file of those.
func RunClips(ctx context.Context, file *config.Snapshot, o Options) (string, error) {
	if err := ClipData(ctx, file, o); err != nil {
		return "", err
	}
	data, err := dataset.Read(ctx, file.Config.Dataset, file.Root, o.Report)
	if err != nil {
		return "", err
	}
	analysis, path := stats.Analyze(data, file.Config.Dataset), file.Abs(file.Config.Dataset.Analysis)
	if err := analysis.WriteJSON(path); err != nil {
		return "", err
	}
	o.Log("%s", analysis.Text())
	return path, nil
}
