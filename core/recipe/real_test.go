package recipe

import (
	"os"
	"path/filepath"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/level"
)

// sharedFolder is where real data sets lie: FINETUI_SHARED, or the folder beside the repository.
func sharedFolder(t *testing.T) string {
	if folder := os.Getenv("FINETUI_SHARED"); folder != "" {
		return folder
	}
	return filepath.Dir(goldenFolder(t))
}

func TestRealDrainsAreSampledAndClean(t *testing.T) {
	cfg := config.Default()
	cfg.Dataset.Path = filepath.Join(sharedFolder(t), "data", "drains")
	if _, err := os.Stat(cfg.Dataset.Path); err != nil {
		t.Skipf("no real drains (%v); set FINETUI_SHARED", err)
	}
	d, err := dataset.Open(cfg.Dataset, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, preset := range []string{"basic", "enhanced"} {
		if err := apply(cfg, config.RecipePreset(preset)); err != nil {
			t.Fatal(err)
		}
		r := build(t, d, cfg)
		if train, epoch := r.Samples("train"), r.Plan().Epoch(0); len(train) != 231 || len(epoch) != 231 {
			t.Errorf("%s: %d samples, %d an epoch, want 231", preset, len(train), len(epoch))
		}
		for _, f := range Lint(d, cfg, short) {
			if f.Level != level.Info {
				t.Errorf("%s: %+v", preset, f)
			}
		}
	}
	table := Mass(build(t, d, cfg), nil)
	// n 78 96 7 50: square roots flatten 13.7× to its root.
	if !near(table.ImbalanceBefore, 96.0/7) || table.ImbalanceAfter*table.ImbalanceAfter-96.0/7 > 1e-9 {
		t.Errorf("imbalance %v → %v", table.ImbalanceBefore, table.ImbalanceAfter)
	}
}
