package recipe

import (
	"strings"
	"testing"

	"finetui/core/config"
)

func TestALearningRateOfAnotherBaseIsNoted(t *testing.T) {
	for _, c := range []struct {
		base string
		rate float64
		says string
	}{
		{"tiny", 4e-3, ""}, {"tiny", 2e-4, "the base tiny hardly learns"}, {"tiny", 0, ""},
		{"Qwen/Qwen2-VL-7B-Instruct", 2e-4, ""}, {"Qwen/Qwen2-VL-7B-Instruct", 4e-3, "likely to come apart"},
		{"someone/vl-0.5B", 1e-2, "likely to come apart"},
		{"./merged", 4e-3, ""}, {"someone/b2b-model", 4e-3, ""},
	} {
		cfg := *config.Default()
		cfg.Model.Base, cfg.Train.LearningRate = c.base, c.rate
		found := lintRate(&cfg)
		if (len(found) == 0) != (c.says == "") || len(found) > 0 && !strings.Contains(found[0].Text, c.says) {
			t.Errorf("%s at %g: %+v", c.base, c.rate, found)
		}
	}
}
