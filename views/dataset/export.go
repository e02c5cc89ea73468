package dataset

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
)

// saved is what was exported, and where to.
type saved struct{ what, path string }

// export writes dataset_analysis.json: the counts, positions, pairs and findings of the whole set and of each split.
func (p *shared) export() tea.Cmd {
	path, analysis := p.file.Abs(p.loaded.cfg.Analysis), p.analysis
	if path == "" {
		return views.Warn("DATASET.ANALYSIS is empty: set it to the file that is to be written")
	}
	write := p.control.WriteAnalysis
	return views.Ask(&p.saving, func(context.Context) (saved, error) {
		return saved{"every number and finding", path}, write(path, analysis)
	})
}

func (p *shared) saved(msg views.Answer[saved]) tea.Cmd {
	if !p.saving.Takes(msg.Ticket) {
		return nil
	}
	p.saving.Close()
	if msg.Err != nil {
		return views.Fail(msg.Err)
	}
	return views.Say("wrote %s to %s", msg.Value.what, p.relative(msg.Value.path))
}

// relative is a path as the project's folder sees it.
func (p *shared) relative(path string) string {
	if rest, below := strings.CutPrefix(path, p.file.Root+"/"); below {
		return rest
	}
	return path
}
