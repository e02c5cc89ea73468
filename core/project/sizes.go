package project

import (
	"fmt"

	"finetui/core/dataset"
	"finetui/core/recipe"
)

// LintSizes finds what the model would refuse to look at for its shape: whole pictures, each once, and what is cut out of
// them, by RECIPE.CONTEXT.
func (p *Project) LintSizes(samples []recipe.Sample) (found []dataset.Finding) {
	whole := map[*dataset.Item]bool{}
	for _, s := range samples {
		if s.Item.Width == 0 || s.Item.Height == 0 {
			continue // a finding of the data set
		}
		for _, size := range p.sizes(s) {
			isWhole := size == [2]int{s.Item.Width, s.Item.Height}
			if isWhole && whole[s.Item] {
				continue
			}
			file, line, what := p.Data.Short(s.Item.Labels), s.Line(), fmt.Sprintf("the cut-out of %s", s.ID)
			if isWhole {
				whole[s.Item] = true
				file, line, what = p.Data.Short(s.Item.Media), 0, "the picture"
			}
			if f, tooLong := dataset.TooLongFinding(file, line, what, size[0], size[1]); tooLong {
				found = append(found, f)
			}
		}
	}
	return found
}
