package project

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/gpu"
	"finetui/core/recipe"
	"finetui/ml/blas"
	"finetui/ml/cores"
)

// Verdict is what lint has to say of a configuration.
type Verdict struct {
	Findings []dataset.Finding // errors first
	Mass     recipe.Table      // in tokens of the base
	Cost     Cost
	Steps    int    // of the run
	Trouble  string // why features of pictures are not kept; "" where they are
}

// linted is the part of a verdict that stays as long as nothing changes that a run depends on; what is free on the
// machine is looked at each time.
type linted struct {
	Found      []dataset.Finding
	Projectors []dataset.Finding
	Mass       recipe.Table
	Demand     *demand
	Data       string // the fingerprint of the data set; "" where nobody asked for it
}

// Lint says what is wrong with a configuration, and what its run comes to. For a large data set that is kept in the
// project's folder: as long as nothing changes that it depends on, neither data nor pictures are read again. A
// project with EVAL.DATA, which may lie anywhere, keeps nothing.
func Lint(ctx context.Context, file *config.Snapshot, report Progress) (*Verdict, error) {
	memo := dataset.MemoOf(file.Root, "lint")
	p, kept := &Project{File: file, Config: file.Config}, &linted{}
	defer func() { p.Close() }()
	if file.Config.Eval.Data == "" && memo.Read(func() (dataset.State, bool) {
		state, told := dataset.StateOf(ctx, file.Config.Dataset, file.Root)
		if !told || p.OpenBase(ctx, report) != nil { // which is said in its turn
			return state, false
		}
		return p.lintState(state)
	}, kept) && (kept.Data != "" || len(p.probes()) == 0) {
		return p.verdict(kept, func() string { return kept.Data }), nil
	}
	opened, err := Open(ctx, file, report)
	if err != nil {
		return nil, err
	}
	opened.Base, p.Base = p.Base, nil
	p = opened
	l, err := p.lint(ctx, report)
	if err != nil {
		return nil, err
	}
	verdict := p.verdict(l, func() string {
		l.Data = p.Data.Fingerprint()
		return l.Data
	})
	if state, told := stateFor(p.Data, p.Data.Causes()); told && file.Config.Eval.Data == "" {
		if state, told = p.lintState(state); told {
			memo.Write(state, l)
		}
	}
	return verdict, nil
}

// lintState is a name for all that linted depends on: a state of the data set, the base's files, the constants that are
// more than how things look, and the cores and GPUs that a run would have. The base is open.
func (p *Project) lintState(data dataset.State) (state dataset.State, told bool) {
	base, told := p.Base.Stamp()
	if !told {
		return state, false
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%x %x %q\n%d %d %s %q\n", data, base, p.File.Root, cores.Count(),
		blas.NewTeam(p.Config.Train.Threads).Size(), blas.Kernels(), gpu.Visible())
	for _, f := range config.Fields() {
		if f.Section != "VIEW" {
			fmt.Fprintf(sum, "%s=%q\n", f.Name(), config.Get(p.Config, f.Name()))
		}
	}
	return dataset.State(sum.Sum(nil)), true
}

// verdict is what was worked out beside what the machine has now. data is the fingerprint of the data set.
func (p *Project) verdict(l *linted, data func() string) *Verdict {
	v := &Verdict{Mass: l.Mass, Cost: p.cost(context.Background(), l.Demand, data), Steps: l.Demand.AllSteps,
		Trouble: p.Base.Trouble()}
	v.Findings = slices.Concat(l.Found, v.Cost.Findings(p.Config.Model.Base), l.Projectors)
	slices.SortStableFunc(v.Findings, func(a, b dataset.Finding) int {
		return a.Level.Severity() - b.Level.Severity()
	})
	return v
}
