package recipe

import (
	"fmt"
	"regexp"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/level"
)

// Learning rates of adapters that fit a base: small ones take large steps. The demo's own base learns at 4e-3; models
// of billions are adapted at 1e-5 to 5e-4 (Hu et al. 2022, appendix D; QLoRA, Dettmers et al. 2023, appendix B).
const (
	tinyLeast = 5e-4
	largeMost = 2e-3
)

// ofBillions finds a size in a model's name: Qwen2-VL-7B-Instruct, 0.5B.
var ofBillions = regexp.MustCompile(`(?:^|[-_/])\d+(?:\.\d+)?[bB](?:[-_/]|$)`)

// lintRate notes a learning rate that fits another size of base. Of a base whose name tells no size nothing is said.
func lintRate(c *config.Config) []dataset.Finding {
	note := func(text, do string) []dataset.Finding {
		return []dataset.Finding{{Code: "rate_of_another_base", Level: level.Info, Text: text, Do: do}}
	}
	rate := c.Train.LearningRate
	switch {
	case c.Model.Base == "tiny" && rate > 0 && rate < tinyLeast:
		return note(fmt.Sprintf("TRAIN.LEARNING_RATE = %g is one for models of billions; the base tiny hardly "+
			"learns at it", rate), "set it to about 4e-3 for tiny")
	case ofBillions.MatchString(c.Model.Base) && rate > largeMost:
		return note(fmt.Sprintf("TRAIN.LEARNING_RATE = %g is one for the base tiny; %s is likely to come apart at it",
			rate, c.Model.Base), "set it to about 1e-4 to 2e-4")
	}
	return nil
}
