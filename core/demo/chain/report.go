package chain

import (
	"fmt"
	"runtime"
	"strings"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/core/eval"
	"finetui/core/level"
	"finetui/core/printable"
	"finetui/core/run"
	"finetui/core/stats"
	"finetui/ml/wholefile"
)

// report is everything that report.md says.
type report struct {
	file     *config.Snapshot
	analysis *stats.Analysis
	outcomes []outcome
	splits   []string
	boards   map[string]*eval.Board
	seconds  float64
	version  string
}

// write stores the report.
func (r report) write(path string) error {
	if err := disk.OwnText(path, reportTitle); err != nil {
		return err
	}
	return wholefile.Write(path, []byte(r.text()))
}

const reportTitle = "# The demo chain\n"

func (r report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, reportTitle+"\nfinetui %s, %d cores, seed %d, %.0f s in all. Pictures and labels are drawn; the "+
		"base %q has seen neither them nor the nine names.\n",
		r.version, runtime.NumCPU(), r.file.Config.Project.Seed, r.seconds, r.file.Config.Model.Base)
	fmt.Fprintf(&b, "\n## Data set\n\n```\n%s```\n", r.analysis.Text())
	r.recipes(&b)
	for _, split := range r.splits {
		r.scores(&b, split)
	}
	b.WriteString("\n## Reading this\n\n")
	b.WriteString("Intervals are 95 % (Wilson for shares, bootstrap for macro-F1), p is McNemar's exact test on the " +
		"same items, Holm-adjusted for all pairs of a table. ")
	b.WriteString("Constants were chosen on valid; ")
	if by := r.file.Config.Train.BestBy; by == config.BestByLast {
		b.WriteString("each run is scored at its last step (TRAIN.BEST_BY = last), the same in all. ")
	} else {
		fmt.Fprintf(&b, "each checkpoint is the best on valid (TRAIN.BEST_BY = %s). ", by)
	}
	for _, split := range r.splits {
		answer, n := commonest(r.outcomes[0].results[split])
		fmt.Fprintf(&b, "Zero-shot has never seen the names and only copies from the list: on %s its commonest "+
			"answer is %q, %d of %d times. ", split, answer, n, r.outcomes[0].results[split].N)
	}
	b.WriteString("enhanced is told the object's type, as a first stage would tell it, basic is not; the control " +
		"takes that away and keeps the rest, so compare it before crediting the sampling.\n")
	return b.String()
}

// recipes shows what each run was trained with, and what lint says of it.
func (r report) recipes(b *strings.Builder) {
	b.WriteString("\n## Subjects\n\n| subject | what | run | steps | time | lint |\n|---|---|---|---|---|---|\n")
	for _, o := range r.outcomes {
		where, steps, took, lint := "–", "–", "–", "–"
		if o.run != nil {
			where, steps, took = "`"+o.run.Dir+"`", fmt.Sprint(o.run.Info.Steps), fmt.Sprintf("%.0f s", o.seconds)
			lint = lintCounts(o)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", o.title, o.about, where, steps, took, lint)
	}
	for _, o := range r.outcomes {
		for _, f := range o.lint {
			fmt.Fprintf(b, "\n- %s, %s `%s`: %s – %s", o.title, f.Level, f.Code, f.Text, f.Do)
		}
	}
	for _, o := range r.outcomes {
		if o.run != nil {
			alerts(b, o.title, o.run)
		}
	}
	b.WriteByte('\n')
	for _, o := range r.outcomes {
		if o.run == nil || o.title == "control" {
			continue
		}
		fmt.Fprintf(b, "\nLoss mass, %s:\n\n```\n%s```\n", o.title, o.mass.Text())
	}
}

// alerts are what the figures of a run give reason to say, in the words of follow and of the Train pane.
func alerts(b *strings.Builder, title string, r *run.Run) {
	found, err := r.ReadAlerts()
	if err != nil {
		fmt.Fprintf(b, "\n- %s: its metrics cannot be read: %s", title, printable.Error(err))
	}
	for _, a := range found {
		fmt.Fprintf(b, "\n- %s, %s at step %d: %s", title, a.Level, a.Step, a.Text)
		if a.Do != "" {
			fmt.Fprintf(b, " – %s", a.Do)
		}
	}
}

func lintCounts(o outcome) string {
	n := map[level.Level]int{}
	for _, f := range o.lint {
		n[f.Level]++
	}
	return fmt.Sprintf("%d errors, %d warnings, %d notes", n[level.Error], n[level.Warn], n[level.Info])
}

// scores is the table of one split, and what the paired tests say.
func (r report) scores(b *strings.Builder, split string) {
	first := r.outcomes[0].results[split]
	fmt.Fprintf(b, "\n## %s, %d objects\n\n| subject | accuracy | macro-F1 | balanced |", split, first.N)
	for _, c := range first.Conditions {
		fmt.Fprintf(b, " %s (n %d) |", c.Name, c.Value.Support)
	}
	b.WriteString(" unparsed | goal |\n|---|---|---|---|" + strings.Repeat("---|", len(first.Conditions)) +
		"---|---|\n")
	for _, o := range r.outcomes {
		x := o.results[split]
		fmt.Fprintf(b, "| %s | %.1f %%%s | %.3f%s | %.1f %% |", o.title, 100*x.Accuracy, span(x.AccuracyInterval, 100),
			x.MacroF1, fractions(x.MacroF1Interval), 100*x.BalancedAccuracy)
		for _, c := range x.Conditions {
			if c.Value.Support == 0 {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(b, " %.1f %%%s |", 100*c.Value.Exact, span(c.Value.ExactInterval, 100))
		}
		goal := "missed"
		if x.Success.Met {
			goal = "met"
		}
		fmt.Fprintf(b, " %d | %s |\n", x.Unparsed, goal)
	}
	fmt.Fprintf(b, "\nThe goal is %.0f %% overall and %.0f %% in each condition. Accuracy and conditions ask for "+
		"the exact class.\n",
		100*r.file.Config.Eval.SuccessOverall, 100*r.file.Config.Eval.SuccessCondition)
	b.WriteString("\n| first | second | only first right | only second right | p | p (Holm) | accuracy difference | " +
		"macro-F1 difference | constants that differ |\n|---|---|---|---|---|---|---|---|---|\n")
	title := map[string]string{}
	for _, o := range r.outcomes {
		title[o.kept[split].Result.Subject] = o.title
	}
	for _, p := range r.boards[split].Pairs {
		fmt.Fprintf(b, "| %s | %s | %d | %d | %s | %s | %+.1f points%s | %+.3f%s | %s |\n", title[p.Subjects[0]],
			title[p.Subjects[1]],
			p.OnlyFirstRight, p.OnlySecondRight, pValue(p.P), pValue(p.PHolm), 100*p.Difference,
			span(p.DifferenceInterval, 100),
			p.MacroF1Difference, fractions(p.MacroF1DifferenceInterval), strings.Join(p.Constants, "; "))
	}
	last := r.outcomes[len(r.outcomes)-2].results[split]
	fmt.Fprintf(b, "\n%s in full:\n\n```\n%s```\n", r.outcomes[len(r.outcomes)-2].title, last.Text())
}

// commonest is the answer that was given most often, and how often.
func commonest(x *eval.Result) (answer string, n int) {
	counts := map[string]int{}
	for _, i := range x.Items {
		counts[i.Answer]++
		if c := counts[i.Answer]; c > n {
			answer, n = i.Answer, c
		}
	}
	return answer, n
}

func span(i *eval.Interval, factor float64) string {
	if i == nil {
		return ""
	}
	return fmt.Sprintf(" (%.1f–%.1f)", factor*i[0], factor*i[1])
}

func fractions(i *eval.Interval) string {
	if i == nil {
		return ""
	}
	return fmt.Sprintf(" (%.3f–%.3f)", i[0], i[1])
}

func pValue(p float64) string {
	if p < .001 {
		return "< 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}
