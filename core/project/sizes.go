package project

import (
	"fmt"

	"finetui/core/dataset"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/core/sample"
)

// sizeLint finds what the model would refuse to look at for its shape: whole pictures, each once, and what is cut out
// of them, by RECIPE.CONTEXT. Samples come picture by picture.
type sizeLint struct {
	p     *Project
	whole *dataset.Item // the picture that was looked at as a whole last
	found []dataset.Finding
}

// see takes a sample with what it shows.
func (l *sizeLint) see(s recipe.Sample, shown []sample.Measured) {
	if s.Item.Width == 0 || s.Item.Height == 0 {
		return // a finding of the data set
	}
	for _, m := range shown {
		isWhole := m.Size == model.Size{W: int(s.Item.Width), H: int(s.Item.Height)}
		if isWhole && l.whole == s.Item {
			continue
		}
		if isWhole {
			l.whole = s.Item
		}
		if m.Refusal == nil {
			continue
		}
		file, line, what := s.Item.Labels, s.Line(), fmt.Sprintf("the cut-out of %s#%d", s.Item.ID, s.Object)
		if isWhole {
			file, line, what = s.Item.Media, 0, "the "+s.Item.Word()
		}
		l.found = append(l.found, dataset.TooLongFinding(l.p.Data.Short(file), line, what, m.Size.W, m.Size.H,
			m.Refusal.Why))
	}
}
