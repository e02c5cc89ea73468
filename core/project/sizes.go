package project

import (
	"fmt"

	"finetui/core/dataset"
	"finetui/core/recipe"
	"finetui/ml/qwen2vl/pixels"
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
	for _, size := range l.p.sizes(s) {
		isWhole := size == [2]int{s.Item.Width, s.Item.Height}
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
		if _, tooLong := pixels.TooLong(size[0], size[1]); tooLong {
			f, _ := dataset.TooLongFinding(l.p.Data.Short(file), line, what(), size[0], size[1])
			l.found = append(l.found, f)
		}
	}
}
