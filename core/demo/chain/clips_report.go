package chain

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/demo/clipbase"
	"finetui/core/disk"
	"finetui/core/eval"
	"finetui/core/stats"
	"finetui/ml/wholefile"
)

// clipReport is everything that report.md of the chain of clips says.
type clipReport struct {
	file     *config.Snapshot
	analysis *stats.Analysis
	outcomes []outcome
	splits   []string
	seconds  float64
	version  string
	texts    []*eval.FreeTextResult // of each outcome
	times    []*eval.TimedResult    // of each outcome; nil where the clips have no feedback with its time
	pairs    []clipPair
}

// clipPair are two subjects that are compared.
type clipPair struct {
	*eval.FreeTextComparison
	titles        [2]string
	first, second *eval.FreeTextResult
}

const clipTitle = "# The demo chain of clips\n"

// write stores the report.
func (r clipReport) write(path string) error {
	if err := disk.OwnText(path, clipTitle); err != nil {
		return err
	}
	return wholefile.Write(path, []byte(r.text()))
}

func (r clipReport) text() string {
	var b strings.Builder
	project := r.file.Config
	fmt.Fprintf(&b, clipTitle+"\nfinetui %s, %d cores, seed %d, %.0f s in all. Clips and labels are drawn.", r.version,
		runtime.NumCPU(), project.Project.Seed, r.seconds)
	if project.Model.Base == clipbase.Folder {
		b.WriteString(" The base has seen figures of the same kind that move at random, but none of these clips, no " +
			"exercise's name and none of the advice.")
	}
	fmt.Fprintf(&b, " Who is in %s is in no other split.\n", r.splits[0])
	fmt.Fprintf(&b, "\n## Data set\n\n```\n%s```\n", r.analysis.Text())
	r.recipes(&b)
	r.figures(&b)
	r.answers(&b)
	b.WriteString("\n## Reading this\n\nIntervals are of 95 %: Wilson's for shares, a bootstrap's for METEOR and " +
		"ROUGE-L; differences are paired, on the same clips, and p is McNemar's exact test. An answer is right when it " +
		"is the expected one, word for word. Participants of a split are few, and clips of one participant are alike: " +
		"the intervals, which count clips, are narrower than new people would make them. The control differs in " +
		"RECIPE.SAMPLING alone, which is what the recipe sets against the skew of the classes; where p is large, the " +
		"sampling is not shown to matter.\n")
	return b.String()
}

// right are the answers that are the expected ones, word for word.
func right(t *eval.FreeTextResult) (n, of int) {
	for _, i := range t.Items {
		if i.Status == eval.Answered {
			of++
		}
		if isRight(i) {
			n++
		}
	}
	return n, of
}

func isRight(i eval.FreeTextAnswer) bool {
	return i.Status == eval.Answered && strings.TrimSpace(i.Answer) == strings.TrimSpace(i.Truth)
}

// apart counts the clips that only one of two subjects answers rightly.
func apart(a, b *eval.FreeTextResult) (first, second int) {
	other := map[string]bool{}
	for _, i := range b.Items {
		other[i.ID] = isRight(i)
	}
	for _, i := range a.Items {
		switch theirs, both := other[i.ID]; {
		case !both || isRight(i) == theirs:
		case theirs:
			second++
		default:
			first++
		}
	}
	return first, second
}

// figures is the table of the subjects, and what sets them apart.
func (r clipReport) figures(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s, %d clips\n\n| subject | answer right | exercise identified | METEOR | ROUGE-L | s an answer "+
		"|\n|---|---|---|---|---|---|\n", r.splits[0], r.texts[0].N)
	for i, t := range r.texts {
		n, of := right(t)
		fmt.Fprintf(b, "| %s | %.1f %%%s | %.1f %%%s | %.3f%s | %.3f%s | %.2f |\n", r.outcomes[i].title,
			100*float64(n)/float64(max(1, of)), span(eval.Wilson(n, of, .95), 100), 100*t.IdentifiedShare,
			span(t.IdentifiedInterval, 100), t.METEOR, fractions(t.METEORInterval), t.ROUGEL,
			fractions(t.ROUGELInterval), t.SecondsPerAnswer)
	}
	b.WriteString("\n| first | second | only first right | only second | p | only first identifies | only second | p | " +
		"METEOR difference | ROUGE-L difference | constants that differ |\n|" + strings.Repeat("---|", 11) + "\n")
	for _, p := range r.pairs {
		first, second := apart(p.first, p.second)
		fmt.Fprintf(b, "| %s | %s | %d | %d | %s | %d | %d | %s | %+.3f%s | %+.3f%s | %s |\n", p.titles[0], p.titles[1],
			first, second, pValue(eval.McNemar(first, second)), p.OnlyFirst, p.OnlySecond, pValue(p.P),
			p.METEOR.Difference, fractions(p.METEOR.Interval), p.ROUGEL.Difference, fractions(p.ROUGEL.Interval),
			strings.Join(p.Constants, "; "))
	}
	r.timed(b)
	fmt.Fprintf(b, "\n%s in full:\n\n```\n%s```\n", r.outcomes[1].title, r.texts[1].Text())
}

// timed is the table of feedback that has its time, and what sets the subjects apart by it; nothing where the clips have
// none.
func (r clipReport) timed(b *strings.Builder) {
	if slices.Contains(r.times, nil) || len(r.times) == 0 {
		return
	}
	b.WriteString("\n| subject | expected | given | matched | T-F | precision | recall |\n|" +
		strings.Repeat("---|", 7) + "\n")
	for i, t := range r.times {
		share := func(of int, v float64, interval *eval.Interval) string {
			if of == 0 {
				return "–"
			}
			return fmt.Sprintf("%.3f%s", v, fractions(interval))
		}
		fmt.Fprintf(b, "| %s | %d | %d | %d | %s | %s | %s |\n", r.outcomes[i].title, t.Expected, t.Given, t.Matched,
			share(t.Expected+t.Given, t.TF, t.TFInterval), share(t.Given, t.Precision, t.PrecisionInterval),
			share(t.Expected, t.Recall, t.RecallInterval))
	}
	for _, p := range r.pairs {
		if p.Timed != nil {
			fmt.Fprintf(b, "\n- %s → %s: %s", p.titles[0], p.titles[1], strings.Join(p.Timed.Sentences(p.Subjects), " "))
		}
	}
	b.WriteString("\n\nGiven feedback counts where it is nearer than " + fmt.Sprint(eval.FeedbackWithin) + " s to an " +
		"expected one; T-F is 2PR/(P+R), pooled over the clips, its intervals a bootstrap's over clips.\n")
}

// answers are some of what was said, beside the truth.
func (r clipReport) answers(b *strings.Builder) {
	const shown = 10
	fmt.Fprintf(b, "\n## Answers\n\nThe first %d clips of %s:\n\n| clip | expected |",
		min(shown, len(r.texts[0].Items)),
		r.splits[0])
	for _, o := range r.outcomes {
		fmt.Fprintf(b, " %s |", o.title)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(r.outcomes)) + "\n")
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	for i, item := range r.texts[0].Items[:min(shown, len(r.texts[0].Items))] {
		fmt.Fprintf(b, "| %s | %s |", cell.Replace(item.Video), cell.Replace(item.Truth))
		for _, t := range r.texts {
			fmt.Fprintf(b, " %s |", cell.Replace(t.Items[i].Answer))
		}
		b.WriteByte('\n')
	}
}

// recipes shows what each run was trained with, and what lint says of it.
func (r clipReport) recipes(b *strings.Builder) {
	b.WriteString("\n## Subjects\n\n| subject | what | run | steps | time | lint |\n|---|---|---|---|---|---|\n")
	for _, o := range r.outcomes {
		where, steps, took, lint := "–", "–", "–", "–"
		if o.run != nil {
			where, steps, took = "`"+o.run.Dir+"`", fmt.Sprint(o.run.Info.Steps), fmt.Sprintf("%.0f s", o.seconds)
			lint = lintCounts(o.lint)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", o.title, o.about, where, steps, took, lint)
	}
	for _, o := range r.outcomes {
		for _, f := range o.lint {
			fmt.Fprintf(b, "\n- %s, %s `%s`: %s – %s", o.title, f.Level, f.Code, f.Text, f.Do)
		}
	}
	for _, o := range r.outcomes {
		if o.run == nil {
			continue
		}
		for _, a := range alerts(o.run) {
			fmt.Fprintf(b, "\n- %s, %s", o.title, a)
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
