package project

import (
	"context"
	"runtime"
	"slices"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/stats"
)

// Analyze is the analysis of a data set. That of a large one is kept in the project's folder: as long as nothing that
// it depends on changes, the set is not read again.
func Analyze(ctx context.Context, c config.Dataset, root string, report Progress) (*stats.Analysis, error) {
	memo, kept := dataset.MemoOf(root, "analysis"), &stats.Analysis{}
	if memo.Read(func() (dataset.State, bool) { return dataset.StateOf(ctx, c, root) }, kept) {
		return kept, nil
	}
	data, err := ReadSet(ctx, c, root, report)
	if err != nil {
		return nil, err
	}
	settled := Settle()
	a := stats.Analyze(data, c)
	state, told := stateFor(data, a.Causes)
	settled()
	runtime.GC() // of the set, which nothing holds from here on
	if told {
		memo.Write(state, a)
	}
	return a, nil
}

// stateFor is the state that a set with those causes of findings was in before it was read, where it tells all that
// they depend on: labels that are missing were looked for elsewhere.
func stateFor(data *dataset.Dataset, causes []dataset.Cause) (state dataset.State, told bool) {
	if slices.ContainsFunc(causes, func(c dataset.Cause) bool { return c.Code == dataset.MissingLabel && c.Likely }) {
		return state, false
	}
	return data.State()
}
