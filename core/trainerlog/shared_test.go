package trainerlog

import (
	"os"
	"path/filepath"
	"testing"
)

// TestOthersLogs holds the readers against logs that others have published; the figures were taken from the files by
// other means (TensorBoard's own reader for event files).
func TestOthersLogs(t *testing.T) {
	const shared = "../../../shared/data"
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the shared data is not here:", err)
	}
	type check struct {
		name        string
		n           int
		first, last float64
	}
	for _, c := range []struct {
		dir, tool   string
		step, total int
		over        bool
		checks      []check
	}{
		{"logs/alpaca-2023", Transformers, 1218, 1218, true, []check{{Loss, 1218, 1.5021, 0.4774},
			{Rate, 1218, 5.405405405405406e-07, 0}, {Norm, 0, 0, 0}}},
		{"logs/grouped-eval", Transformers, 12030, 12030, true, []check{{Loss, 30, 1.1074, 0.0549},
			{"eval_g0_loss", 31, 5.741583347320557, 2.7486727237701416},
			{"eval_g5_loss", 31, 3.7603373527526855, 4.835134983062744}}},
		{"logs/llamafactory-long", LLaMAFactory, 2178, 2178, true, []check{{Loss, 435, 2.3475, 1.9787},
			{Norm, 435, 6.8820600509643555, 0.10451847314834595}}},
		{"logs/llamafactory-qwen25-7b", LLaMAFactory, 6750, 6750, true, []check{{Loss, 675, 2.219, 1.5999},
			{CheckLoss, 13, 1.6410622596740723, 1.577560544013977}}},
		{"tfevents/duplicate_steps/run_1", TensorBoard, 199, 0, false, []check{
			{"dup_steps/foo", 200, 1.4962565898895264, 1.5478503704071045},
			{"dup_steps/bar", 200, 1.7682218551635742, 1.9624147415161133}}},
		{"tfevents/lax/run_2", TensorBoard, 119, 0, false, []check{{"lax/foo", 120, 2.8140063285827637, 2.4575743675231934},
			{"lax/bar_3", 120, 2.65810227394104, 2.7924323081970215}}},
		{"tfevents/strict/run_3", TensorBoard, 495, 0, false, []check{{"strict/foo", 100, 3.521034002304077,
			3.3318731784820557}}},
	} {
		t.Run(c.dir, func(t *testing.T) {
			l, r := open(t, filepath.Join(shared, c.dir))
			r.read(t)
			if g := l.Glance(); l.Tool != c.tool || g.Step != c.step || g.Total != c.total || (g.Over != "") != c.over {
				t.Errorf("%s %+v", l.Tool, g)
			}
			if r.bad > 0 {
				t.Errorf("%d bad places", r.bad)
			}
			for _, k := range c.checks {
				s := r.series[k.name]
				if len(s) != k.n || k.n > 0 && (s[0].V != k.first || s[k.n-1].V != k.last) {
					t.Errorf("%s has %d values: %.60s", k.name, len(s), r.text(k.name))
				}
			}
		})
	}
}
