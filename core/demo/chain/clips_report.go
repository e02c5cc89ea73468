package chain

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"finetui/core/demo/clipbase"
	"finetui/core/eval"
	"finetui/core/page"
	"finetui/core/session"
)

// clipReport is everything that report.md and report.html of the chain of clips say.
type clipReport struct {
	*findings
	texts   [][]*eval.FreeTextResult // of each subject's runs: zero-shot, then the recipes
	times   [][]*eval.TimedResult    // the same; empty where the clips have no feedback with its time
	timed   []*eval.TimedComparison  // of the first runs: zero-shot and enhanced, control and enhanced
	seconds float64
	version string
}

const clipTitle = "The demo chain of clips"

// names are the subjects of the report.
func (r *clipReport) names() []string {
	names := []string{zeroShot}
	for _, of := range r.recipes {
		names = append(names, of.name)
	}
	return names
}

// read takes what the subjects said in words.
func (r *clipReport) read(ctx context.Context) error {
	s, err := session.Open(ctx, r.file, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	base, err := s.Result(session.Base, r.split)
	if err != nil {
		return err
	}
	groups := [][]session.Kept{{base}}
	for _, of := range r.recipes {
		groups = append(groups, of.kept[r.split])
	}
	all := true
	for i, group := range groups {
		var texts []*eval.FreeTextResult
		var times []*eval.TimedResult
		for _, k := range group {
			text, err := k.FreeText()
			if err != nil {
				return err
			}
			if text == nil {
				return fmt.Errorf("the evaluation of %s on %s left no answers in words", r.names()[i], r.split)
			}
			timed, err := k.Timed()
			if err != nil {
				return err
			}
			all = all && timed != nil
			texts, times = append(texts, text), append(times, timed)
		}
		r.texts, r.times = append(r.texts, texts), append(r.times, times)
	}
	if !all {
		r.times = nil
		return nil
	}
	for _, first := range []int{0, 1 + clipControl} {
		pair, err := session.CompareTexts([]session.Kept{groups[first][0], groups[1+clipEnhanced][0]},
			uint64(r.file.Config.Project.Seed))
		if err != nil {
			return err
		}
		r.timed = append(r.timed, pair.Pairs[0].Timed)
	}
	return nil
}

// page says all that the demo has come to.
func (r *clipReport) page() (*page.Page, error) {
	p := &page.Page{Title: clipTitle}
	project := r.file.Config
	base := ""
	if project.Model.Base == clipbase.Folder {
		base = " The base has seen figures of the same kind that move at random, but none of these clips, no exercise's " +
			"name and none of the advice."
	}
	p.Say("finetui %s, %d cores, %.0f s for this call; clips drawn from seed %d, runs of seeds %s. Clips and labels are "+
		"drawn.%s Who is in %s is in no other split.", r.version, runtime.NumCPU(), r.seconds, project.Project.Seed,
		strings.Trim(fmt.Sprint(r.sweep.Plan.Seeds), "[]"), base, r.split)
	rows := [][]string{{"subject", "what it is"}, {zeroShot, "the base as it is: it has never heard an exercise's name " +
		"nor this advice"}}
	for _, of := range r.recipes {
		rows = append(rows, []string{of.name, of.about})
	}
	p.Table(rows)
	p.Section(fmt.Sprintf("What was learnt: %s, %d clips", r.split, r.texts[0][0].N))
	r.words(p)
	r.feedback(p)
	p.Section("What sampling adds")
	c := r.compared[r.split]
	p.Draw(r.wordsForest(c))
	p.Say("By the exercise alone, as one of a closed list:")
	p.List(c.Sentences...)
	if constants := c.Differences[0].Constants; len(constants) > 0 {
		p.Say("%s differs from %s in %s.", sentence(c.Differences[0].Name), c.Variants[0].Name,
			strings.Join(constants, "; "))
	}
	p.Draw(r.forest(c))
	r.scores(p, r.split)
	r.paired(p)
	p.Section("Recall of each exercise")
	r.recall(p)
	p.Part("What is taken for what")
	p.Draw(r.confusion(clipControl))
	p.Draw(r.confusion(clipEnhanced))
	p.Part("Curves")
	if err := r.curves(p); err != nil {
		return nil, err
	}
	r.answers(p)
	r.runs(p)
	p.Section("Data set")
	p.Plain(r.analysis.Text())
	for _, of := range r.recipes {
		p.Say("Loss mass, %s:", of.name)
		p.Plain(of.mass.Text())
	}
	p.Section("Reading this")
	p.Say("An answer is right when it is the expected one, word for word; it identifies the exercise when what stands "+
		"before its first dash is that name. Intervals are of 95 %%: Wilson's and a bootstrap's for single runs; for "+
		"recipes %s, in two levels, clips and seeds. The base is not trained, so that only its clips are chance. "+
		"Participants of a split are few, and clips of one participant are alike: the intervals, which count clips, are "+
		"narrower than new people would make them. The control differs in RECIPE.SAMPLING alone, which is what the recipe "+
		"sets against the skew of the classes; where p is large, the sampling is not shown to matter.", c.Method)
	return p, nil
}

// words are the figures of the answers in words: each subject's over its seeds, and what the recipes have over the base.
func (r *clipReport) words(p *page.Page) {
	figures := r.overBase.Words
	head := []string{"subject"}
	for i := range figures {
		head = append(head, figures[i].Name)
	}
	rows := [][]string{append(head, "s an answer")}
	for v, name := range r.names() {
		row := []string{name}
		for i := range figures {
			text := figures[i].MeanText(v)
			if v == 0 {
				text += r.ofBase(figures[i].Name)
			}
			row = append(row, text)
		}
		var seconds float64
		for _, t := range r.texts[v] {
			seconds += t.SecondsPerAnswer / float64(len(r.texts[v]))
		}
		rows = append(rows, append(row, fmt.Sprintf("%.2f", seconds)))
	}
	p.Table(rows)
	p.Say("Means over the seeds ± their standard deviation; %s has one run, with its interval. Over %[1]s, with clips and "+
		"seeds counted as chance:", zeroShot)
	rows = [][]string{{"gain over " + zeroShot}}
	for i := range figures {
		rows[0] = append(rows[0], figures[i].Name+" (95 %)")
	}
	for v, name := range r.names()[1:] {
		row := []string{name}
		for i := range figures {
			row = append(row, figures[i].GainText(figures[i].Differences[v]))
		}
		rows = append(rows, row)
	}
	p.Table(rows)
	rows = [][]string{{"subject", "seed"}}
	for i := range figures {
		rows[0] = append(rows[0], figures[i].Name)
	}
	for v, of := range r.recipes {
		for k, seed := range r.sweep.Plan.Seeds[:len(of.runs)] {
			row := []string{of.name, fmt.Sprint(seed)}
			for i := range figures {
				row = append(row, figures[i].Value(figures[i].Variants[1+v].Values[k]))
			}
			rows = append(rows, row)
		}
	}
	p.Table(rows)
}

// ofBase is the interval of a figure of the base.
func (r *clipReport) ofBase(figure string) string {
	t := r.texts[0][0]
	switch figure {
	case "METEOR":
		return fractions(t.METEORInterval)
	case "ROUGE-L":
		return fractions(t.ROUGELInterval)
	case "exercise identified":
		return span(t.IdentifiedInterval, 100)
	}
	n, of := right(t)
	return span(eval.Wilson(n, of, eval.Confidence), 100)
}

// right are the answers that are the expected ones, word for word.
func right(t *eval.FreeTextResult) (n, of int) {
	for i := range t.Items {
		if t.Items[i].Status == eval.Answered {
			of++
		}
		if t.Items[i].RightInWords() {
			n++
		}
	}
	return n, of
}

// wordsForest shows what enhanced has over the control in each figure of its words.
func (r *clipReport) wordsForest(c *eval.RecipeComparison) page.Forest {
	f := page.Forest{Reference: c.Variants[0].Name, Unit: "points of 100", Words: page.Words{
		Title: fmt.Sprintf("What %s has over %s", c.Variants[1].Name, c.Variants[0].Name),
		Caption: fmt.Sprintf("Differences on %d clips, means over %d seeds, with intervals of 95 %% in which both clips and "+
			"seeds are counted as chance. One that holds 0 is within chance.", c.N, len(c.Variants[0].Runs))}}
	var lines []string
	for i := range c.Words {
		w := &c.Words[i]
		d := w.Differences[0]
		note := w.GainText(d) + ", p " + pValue(d.P)
		row := page.Difference{Name: w.Name, Value: 100 * d.Difference, Low: 100 * d.Interval[0],
			High: 100 * d.Interval[1], Note: gain(d) + ", p " + pValue(d.P)}
		f.Rows = append(f.Rows, row)
		lines = append(lines, w.Name+": "+note)
	}
	f.Text = strings.Join(lines, "\n")
	return f
}

// feedback is the table of feedback that has its time, and what sets the first runs apart by it; nothing where the clips
// have none.
func (r *clipReport) feedback(p *page.Page) {
	if len(r.times) == 0 {
		return
	}
	p.Part("Feedback in time")
	rows := [][]string{{"subject", "expected", "given", "matched", "T-F", "precision", "recall"}}
	for i, runs := range r.times {
		t := runs[0]
		share := func(of int, v float64, interval *eval.Interval) string {
			if of == 0 {
				return "–"
			}
			return fraction(v, interval)
		}
		rows = append(rows, []string{r.names()[i], fmt.Sprint(t.Expected), fmt.Sprint(t.Given), fmt.Sprint(t.Matched),
			share(t.Expected+t.Given, t.TF, t.TFInterval), share(t.Given, t.Precision, t.PrecisionInterval),
			share(t.Expected, t.Recall, t.RecallInterval)})
	}
	p.Table(rows)
	for i, first := range []string{zeroShot, r.names()[1+clipControl]} {
		if i < len(r.timed) && r.timed[i] != nil {
			names := [2]string{first, r.names()[1+clipEnhanced]}
			p.List(r.timed[i].Sentences(names)...)
		}
	}
	p.Say("Of each subject's first run. Given feedback counts where it is nearer than %g s to an expected one; T-F is "+
		"2PR/(P+R), pooled over the clips, its intervals a bootstrap's over clips.", eval.FeedbackWithin)
}

// answers are some of what was said, beside the truth.
func (r *clipReport) answers(p *page.Page) {
	const shown = 10
	first := r.texts[0][0]
	n := min(shown, len(first.Items))
	p.Section("Answers")
	p.Say("The first %d clips of %s, answered by the first run of each subject:", n, r.split)
	rows := [][]string{append([]string{"clip", "expected"}, r.names()...)}
	cell := strings.NewReplacer("\n", " ")
	for _, item := range first.Items[:n] {
		row := []string{item.Video, cell.Replace(item.Truth)}
		for _, runs := range r.texts {
			row = append(row, cell.Replace(answerTo(runs[0], item.ID)))
		}
		rows = append(rows, row)
	}
	p.Table(rows)
}

// answerTo is what was answered about an item.
func answerTo(t *eval.FreeTextResult, id string) string {
	for i := range t.Items {
		if t.Items[i].ID == id {
			return t.Items[i].Answer
		}
	}
	return "–"
}
