package project

import (
	"fmt"

	"finetui/core/dataset"
	"finetui/core/model"
	"finetui/core/recipe"
)

// sizeLint finds what the model would refuse to look at for its shape: whole pictures, each once, and what is cut out
// of them, by RECIPE.CONTEXT. Samples come picture by picture.
type sizeLint struct {
	p     *Project
	whole *dataset.Item // the picture that was looked at as a whole last
	found []dataset.Finding
}

func (l *sizeLint) see(s recipe.Sample) {
	if s.Item.Width == 0 || s.Item.Height == 0 {
		return // a finding of the data set
	}
	encoder := l.p.Encoder()
	for _, size := range encoder.Sizes(s) {
		isWhole := size == model.Size{W: s.Item.Width, H: s.Item.Height}
		if isWhole && l.whole == s.Item {
			continue
		}
		file, line, what := s.Item.Labels, s.Line(), func() string {
			return fmt.Sprintf("the cut-out of %s#%d",
				s.Item.ID, s.Object)
		}
		if isWhole {
			l.whole = s.Item
			file, line, what = s.Item.Media, 0, func() string { return "the picture" }
		}
		if r := encoder.Refused(size); r != nil {
			l.found = append(l.found, dataset.TooLongFinding(l.p.Data.Short(file), line, what(), size.W, size.H, r.Why))
		}
	}
}
