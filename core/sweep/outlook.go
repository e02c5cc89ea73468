package sweep

import (
	"context"
	"fmt"
	"strings"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/gpu"
	"finetui/core/project"
	"finetui/ml/cores"
)

// Outlook is what a plan comes to before anything of it is started.
type Outlook struct {
	Plan     Plan // with what it did not say
	Variants []Variant
	Runs     int           // that the plan asks for; those that were made before are used again
	Steps    int           // of all of them
	Time     time.Duration // of all of them on this machine; 0: not known
	Share    Share
	Notes    []string // what should be known of them, once each

	more bool // seeds are added to a sweep that is there
}

// Foresee checks a plan for a configuration, and says what it comes to.
func Foresee(ctx context.Context, e *project.Estimator, file *config.Snapshot, p Plan) (*Outlook, error) {
	if err := p.complete(file); err != nil {
		return nil, err
	}
	return p.foresee(ctx, e, file)
}

// ForeseeSeeds says what n seeds more come to.
func (s *Sweep) ForeseeSeeds(ctx context.Context, e *project.Estimator, n int) (*Outlook, error) {
	now, err := Open(s.Dir)
	if err != nil {
		return nil, err
	}
	file, err := now.Constants()
	if err != nil {
		return nil, err
	}
	p := now.Plan
	p.Seeds = p.further(n)
	o, err := p.foresee(ctx, e, file)
	if err == nil {
		o.more = true
	}
	return o, err
}

// foresee says what a plan without faults comes to.
func (p Plan) foresee(ctx context.Context, e *project.Estimator, file *config.Snapshot) (*Outlook, error) {
	o := &Outlook{Plan: p, Variants: p.Variants()}
	said, known := map[string]bool{}, true
	for _, v := range o.Variants {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		seeds := 0
		for _, seed := range p.Seeds {
			if !p.Skips(v.Name, seed) {
				seeds++
			}
		}
		s, err := Vary(file, v.Words...)
		if err != nil {
			return nil, err
		}
		x, err := e.Estimate(ctx, s.Config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Name, err)
		}
		o.Runs += seeds
		o.Steps += x.Plan.Total * seeds
		o.Time += x.Cost.Time * time.Duration(seeds)
		known = known && x.Cost.Time > 0
		for _, note := range x.Notes {
			if !said[note] {
				said[note] = true
				o.Notes = append(o.Notes, note)
			}
		}
	}
	if o.Share = p.share(file.Config, p.small(file), cores.Count(), gpu.Visible); !known {
		o.Time = 0
	} else if n := min(len(o.Share.GPUs)/max(1, o.Share.Each), o.Share.Together); n > 1 {
		o.Time /= time.Duration(n)
	}
	return o, nil
}

// Lines are an outlook in sentences.
func (o *Outlook) Lines() []string {
	takes := "how long they take is not known"
	if o.Time > 0 {
		takes = "about " + project.Roughly(o.Time) + " on this machine"
	}
	first := fmt.Sprintf("%s: %s × %s = %s, %s in all, %s.", o.Plan.Name,
		dataset.Counted(len(o.Variants), "variant", "variants"), dataset.Counted(len(o.Plan.Seeds), "seed", "seeds"),
		dataset.Counted(o.Runs, "run", "runs"), dataset.Counted(o.Steps, "step", "steps"), takes)
	if o.more {
		first = fmt.Sprintf("%s: %s more (%s) of %s = %s, %s in all, %s.", o.Plan.Name,
			dataset.Counted(len(o.Plan.Seeds), "seed", "seeds"), between(o.Plan.Seeds),
			dataset.Counted(len(o.Variants), "variant", "variants"), dataset.Counted(o.Runs, "run", "runs"),
			dataset.Counted(o.Steps, "step", "steps"), takes)
		lines := []string{first, o.Share.String() + " They are scored on " + o.Plan.Split + " and compared with what is there."}
		return append(lines, o.notes()...)
	}
	const most = 8
	names := []string{o.Variants[0].Name + " (what the others are compared with)"}
	for _, v := range o.Variants[1:min(most, len(o.Variants))] {
		names = append(names, v.Name)
	}
	if more := len(o.Variants) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	lines := []string{first, "Variants: " + strings.Join(names, "; ") + ".", o.Share.String() + " Scored on " +
		o.Plan.Split + ". The sweep lives in a process of its own: it goes on when finetui is left or the terminal is " +
		"gone. A run that was already made under the same constants is used, not repeated."}
	return append(lines, o.notes()...)
}

func (o *Outlook) notes() (lines []string) {
	for _, note := range o.Notes {
		lines = append(lines, "! "+note)
	}
	return lines
}

// between names seeds that follow each other: "4", "4 to 6".
func between(seeds []int) string {
	first, last := seeds[0], seeds[len(seeds)-1]
	if first == last {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d to %d", first, last)
}
