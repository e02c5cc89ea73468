package project

import (
	"context"
	"slices"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/stats"
)

// Analyze is the analysis of a data set. That of a large one is kept in the project's folder: as long as nothing that
// it depends on changes, the set is not read again.
func Analyze(ctx context.Context, c config.Dataset, root string, report Progress) (*stats.Analysis, error) {
	kept := stats.Kept(root, func() (dataset.State, bool) { return dataset.StateOf(ctx, c, root) })
	if kept != nil {
		return kept, nil
	}
	data, err := ReadSet(ctx, c, root, report)
	if err != nil {
		return nil, err
	}
	a := stats.Analyze(data, c)
	looked := func(c dataset.Cause) bool { return c.Code == dataset.MissingLabel && c.Likely }
	state, told := data.State()
	if told && !slices.ContainsFunc(a.Causes, looked) { // such labels were looked for beyond what the state tells
		a.Keep(root, state)
	}
	return a, nil
}
