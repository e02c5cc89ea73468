package chain

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/disk"
	"finetui/core/eval"
	"finetui/core/level"
	"finetui/core/page"
	"finetui/core/printable"
	"finetui/core/run"
	"finetui/ml/wholefile"
)

// report is everything that report.md and report.html say.
type report struct {
	file    *config.Snapshot
	modes   []*findings
	seconds float64
	version string
}

const reportTitle = "The demo chain"

// write stores the report in a folder and returns its files.
func (r report) write(dir string) ([]string, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	return writePage(dir, p)
}

// writePage stores a page as Markdown and as HTML, and returns the files.
func writePage(dir string, p *page.Page) ([]string, error) {
	files := []struct{ path, begins, text string }{
		{filepath.Join(dir, "report.md"), page.Heading(p.Title) + "\n", p.Markdown()},
		{filepath.Join(dir, "report.html"), page.Doctype, p.HTML()},
	}
	var paths []string
	for _, f := range files {
		if err := disk.OwnText(f.path, f.begins); err != nil {
			return paths, err
		}
		if err := wholefile.Write(f.path, []byte(f.text)); err != nil {
			return paths, err
		}
		paths = append(paths, f.path)
	}
	return paths, nil
}

// page says all that the demo has come to.
func (r report) page() (*page.Page, error) {
	p := &page.Page{Title: reportTitle}
	first := r.modes[0]
	p.Say("finetui %s, %d cores, %.0f s for this call; pictures drawn from seed %d, runs of seeds %s. Pictures and "+
		"labels are drawn; the base `%s` has seen neither them nor the %d names. Two train sets, from one generator: the "+
		"published numbers, and the same pictures with most labels of the rare classes taken away. Both are scored on one "+
		"balanced test set of %d objects, as many of each class, which nothing but scoring sees.", r.version,
		runtime.NumCPU(), r.seconds, r.file.Config.Project.Seed, seedText(r.modes), r.file.Config.Model.Base,
		len(first.recipes[0].results[balancedSplit][0].ClosedList), first.zero[balancedSplit].N)
	rows := [][]string{{"subject", "what it is"}, {zeroShot, "the base as it is, with the names listed in its prompt"}}
	for _, s := range subjects {
		rows = append(rows, []string{s.name, s.about})
	}
	p.Table(rows)
	r.plannedTest(p)
	for _, m := range r.modes {
		if err := m.chapter(p); err != nil {
			return nil, err
		}
	}
	p.Section("Reading this")
	p.Say("Macro-F1 is the mean of the classes' F1, in points of 100 where it is a difference. %s: so an interval "+
		"holds for other runs and other objects of the same kind, not for other pictures than the generator's. p is "+
		"two-sided and adjusted for all recipes of a table (Holm). Intervals are of 95 %%: Wilson's for shares, a "+
		"bootstrap's for macro-F1. McNemar's exact test compares two runs, not two recipes: with this many objects it "+
		"tells seeds of one recipe apart.", sentence(first.compared[balancedSplit].Method))
	if by := r.file.Config.Train.BestBy; by == config.BestByLast {
		p.Say("Each run is scored at its last step (`TRAIN.BEST_BY = last`), the same in all.")
	} else {
		p.Say("Each run's checkpoint is the best on valid (`TRAIN.BEST_BY = %s`).", by)
	}
	return p, nil
}

// seedText names the seeds of all runs.
func seedText(modes []*findings) string {
	most := modes[0].sweep.Plan.Seeds
	for _, m := range modes {
		if now := m.sweep.Plan.Seeds; len(now) > len(most) {
			most = now
		}
	}
	return strings.Trim(fmt.Sprint(most), "[]")
}

// sentence is a text with a capital.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// plannedTest is what was planned before it was run, and what came of it.
func (r report) plannedTest(p *page.Page) {
	p.Section("The planned test")
	p.Say("%s", planned)
	for _, m := range r.modes {
		if m.planned == nil {
			continue
		}
		if other := r.otherThanPlanned(); len(other) > 0 {
			p.Say("What follows is not that test: this project has other constants (%s).", strings.Join(other, "; "))
		}
		rows := [][]string{{"from → to", "macro-F1 points (95 %)", "p", "p (Holm, of 2)", fmt.Sprintf("below %g", alpha)}}
		var better, open []string
		for _, d := range m.planned.Differences {
			verdict := "no"
			if d.PHolm < alpha {
				verdict = "yes"
			}
			if d.PHolm < alpha && d.MacroF1.Difference > 0 {
				better = append(better, d.Name)
			} else {
				open = append(open, d.Name)
			}
			rows = append(rows, []string{subjects[basic].name + " → " + d.Name, gain(d.MacroF1), pValue(d.MacroF1.P),
				pValue(d.PHolm), verdict})
		}
		p.Table(rows)
		outcome := "Outcome, in the long tail:"
		if len(better) > 0 {
			outcome += fmt.Sprintf(" better than %s: %s.", subjects[basic].name, strings.Join(better, ", "))
		}
		if len(open) > 0 {
			outcome += fmt.Sprintf(" Not shown to be better than %s: %s.", subjects[basic].name, strings.Join(open, ", "))
		}
		p.Say("%s", outcome)
	}
}

// otherThanPlanned are the constants that matter and are not the demo's own, and whatever else was not planned.
func (r report) otherThanPlanned() (list []string) {
	own, err := config.Preset("demo")
	if err != nil {
		return []string{err.Error()}
	}
	for _, d := range config.Diff(own.Config, r.file.Config) {
		section, _, _ := strings.Cut(d.Key, ".")
		if slices.Contains([]string{"DATASET", "RECIPE", "MODEL", "LORA", "TRAIN", "EVAL"}, section) &&
			!slices.Contains([]string{"TRAIN.THREADS", "TRAIN.FOLLOW", "MODEL.CACHE", "EVAL.DATA", "EVAL.SPLIT",
				"RECIPE.PRESET", "DATASET.ANALYSIS"}, d.Key) || d.Key == "PROJECT.SEED" {
			list = append(list, fmt.Sprintf("%s = %s", d.Key, d.New))
		}
	}
	for _, m := range r.modes {
		if now := m.sweep.Plan.Seeds; m.planned != nil && !slices.Equal(now, slices.Concat(seeds, moreSeeds)) {
			list = append(list, fmt.Sprintf("seeds %v", now))
		}
	}
	return list
}

// things are what a mode asks about.
func (m mode) things() string {
	if m.listed {
		return "objects"
	}
	return "clips"
}

// chapter is all that is known of a mode.
func (m *findings) chapter(p *page.Page) error {
	mass := m.recipes[basic].mass
	p.Section(fmt.Sprintf("%s: %.3g× in train", m.title, mass.ImbalanceBefore))
	c := m.compared[m.split]
	p.List(c.Sentences...)
	p.Draw(m.forest(c))
	m.scores(p, m.split)
	m.paired(p)
	m.knowledge(p)
	m.headAndTail(p)
	p.Part("Recall of each class")
	m.recall(p)
	p.Part("What is taken for what")
	for _, i := range []int{basic, enhanced} {
		p.Draw(m.confusion(i))
	}
	p.Part("Curves")
	if err := m.curves(p); err != nil {
		return err
	}
	for _, split := range m.further {
		p.Part(fmt.Sprintf("The %s split, %d objects", split, m.zero[split].N))
		p.List(m.compared[split].Sentences...)
		m.scores(p, split)
	}
	m.runs(p)
	p.Part("Data set")
	p.Plain(m.analysis.Text())
	for _, i := range []int{basic, samplingOnly} {
		p.Say("Loss mass, %s:", m.recipes[i].name)
		p.Plain(m.recipes[i].mass.Text())
	}
	return nil
}

// scores are the figures of a split: macro-F1 first, with its interval.
func (m *findings) scores(p *page.Page, split string) {
	c, zero := m.compared[split], m.zero[split]
	head := []string{"subject", "macro-F1, mean ± sd", "points over " + m.recipes[basic].name + " (95 %)", "p (Holm)"}
	for _, seed := range m.sweep.Plan.Seeds {
		head = append(head, fmt.Sprintf("seed %d", seed))
	}
	rows := [][]string{head}
	row := []string{zeroShot, fraction(zero.MacroF1, zero.MacroF1Interval)}
	rows = append(rows, pad(row, len(rows[0])))
	for i, v := range c.Variants {
		row := []string{v.Name, fmt.Sprintf("%.3f", v.Mean)}
		if v.SD != nil {
			row[1] += fmt.Sprintf(" ± %.3f", *v.SD)
		}
		if i > 0 {
			d := c.Differences[i-1]
			row = append(row, gain(d.MacroF1), pValue(d.PHolm))
		}
		row = pad(row, 4)
		for _, of := range m.recipes[i].results[split] {
			row = append(row, fraction(of.MacroF1, of.MacroF1Interval))
		}
		rows = append(rows, pad(row, len(head)))
	}
	p.Table(rows)
	m.accuracies(p, split)
}

// accuracies are shares of right answers, over all seeds, and whether the goal is met.
func (m *findings) accuracies(p *page.Page, split string) {
	zero := m.zero[split]
	head := []string{"subject", "accuracy", "balanced"}
	grouped, _ := zero.Grouped()
	for _, c := range grouped {
		head = append(head, fmt.Sprintf("%s (n %d)", c.Name, c.Value.Support))
	}
	rows := [][]string{append(head, "unparsed", "goal")}
	line := func(name string, results []*eval.Result) {
		var accuracy, balanced float64
		unparsed, met := 0, 0
		conditions := make([]float64, len(grouped))
		each := 1 / float64(len(results))
		for _, r := range results {
			accuracy, balanced = accuracy+each*r.Accuracy, balanced+each*r.BalancedAccuracy
			for i := range grouped {
				conditions[i] += each * r.Conditions[i].Value.Exact
			}
			if unparsed += r.Unparsed; r.Success.Met {
				met++
			}
		}
		row := []string{name, percent(accuracy), percent(balanced)}
		for i, c := range grouped {
			if c.Value.Support == 0 {
				row = append(row, "–")
				continue
			}
			row = append(row, percent(conditions[i]))
		}
		rows = append(rows, append(row, fmt.Sprintf("%d of %d", unparsed, len(results)*zero.N),
			fmt.Sprintf("met by %d of %d", met, len(results))))
	}
	line(zeroShot, []*eval.Result{zero})
	for _, r := range m.recipes {
		line(r.name, r.results[split])
	}
	p.Table(rows)
	goal := fmt.Sprintf("Means over the seeds. The goal is %.0f %% overall", 100*m.file.Config.Eval.SuccessOverall)
	if len(grouped) > 0 {
		goal += fmt.Sprintf(" and %.0f %% in each condition", 100*m.file.Config.Eval.SuccessCondition)
	}
	if !m.listed {
		p.Say("%s; all ask for the exercise that an answer in words names.", goal)
		return
	}
	answer, n := commonest(zero)
	p.Say("%s; accuracy and conditions ask for the exact class. Zero-shot has never seen the names and only copies from "+
		"the list: its commonest answer is “%s”, %d of %d times.", goal, answer, n, zero.N)
}

// paired is McNemar's test, seed by seed.
func (m *findings) paired(p *page.Page) {
	p.Part("Run against run")
	p.Say("McNemar's exact test on the same %d %s, seed by seed: what it tells apart are two models. It is shown "+
		"beside the comparison above, which counts the chance of seeds.", m.zero[m.split].N, m.things())
	first := m.recipes[basic]
	rows := [][]string{{first.name + " against", "seed", "only " + first.name + " right", "only the other right", "p"}}
	for _, other := range m.recipes[1:] {
		for i := range min(len(first.runs), len(other.runs)) {
			a, b := first.results[m.split][i], other.results[m.split][i]
			only, others := apartClosed(a, b)
			rows = append(rows, []string{other.name, fmt.Sprint(m.sweep.Plan.Seeds[i]), fmt.Sprint(only),
				fmt.Sprint(others), pValue(eval.McNemar(only, others))})
		}
	}
	p.Table(rows)
}

// apartClosed counts the items that only one of two runs has right; both answered the same ones.
func apartClosed(a, b *eval.Result) (first, second int) {
	other := map[string]bool{}
	for _, i := range b.Items {
		other[i.ID] = i.Right
	}
	for _, i := range a.Items {
		theirs, both := other[i.ID]
		switch {
		case !both || i.Right == theirs:
		case theirs:
			second++
		default:
			first++
		}
	}
	return first, second
}

// knowledge says what the prompt of enhanced tells, and what is left without it.
func (m *findings) knowledge(p *page.Page) {
	p.Part("What the prompt tells")
	c := m.compared[m.split]
	p.Say("“%s” and “%s” are told the object's type in their prompts, as a first stage (a detector) would tell it; "+
		"here it is the label's. What they have ahead by that is the first stage's knowledge. Without it sampling is "+
		"left: %s points over %s. The type, its place and the position word add %s points to that, and %s to %s.",
		subjects[toldOnly].name, subjects[enhanced].name, gain(c.Differences[samplingOnly-1].MacroF1),
		subjects[basic].name, gain(m.added.Differences[0].MacroF1), gain(c.Differences[toldOnly-1].MacroF1),
		subjects[basic].name)
	rows := [][]string{{"told", "different texts", "a guess by it alone is right, of train"}}
	for _, k := range m.told {
		rows = append(rows, []string{k.What, fmt.Sprint(k.Texts), fmt.Sprintf("%d of %d, %s", k.Right, k.N,
			percent(k.Share))})
	}
	p.Table(rows)
	object, place := m.told[1], m.told[2]
	if place.Texts == object.Texts && place.Right == object.Right {
		p.Say("The usual place (`RECIPE.PROMPT_FACTS = place`) is chosen by the type: there are as many texts as types, "+
			"and a guess by both is right for the same %d objects. It adds nothing beyond the type.", place.Right)
	}
}

// headAndTail says how far the rare classes lie behind without any help, which is what sampling could close.
func (m *findings) headAndTail(p *page.Page) {
	order := m.rarestFirst()
	few := order[:max(1, len(order)/3)]
	of := func(recipe int, classes []int) float64 {
		sum := 0.0
		for _, c := range classes {
			for _, r := range m.recipes[recipe].results[m.split] {
				sum += r.Classes[c].Value.Recall / float64(len(classes)*len(m.recipes[recipe].runs))
			}
		}
		return sum
	}
	counts := m.recipes[basic].mass.Classes
	rare, rest := of(basic, few), of(basic, order[len(few):])
	d := m.compared[m.split].Differences[samplingOnly-1]
	told := d.PHolm < eval.Told
	title, text := "Why sampling gains nothing here", "Sampling is not shown to gain anything here"
	switch {
	case told && d.MacroF1.Difference > 0:
		title, text = "Why sampling gains here", "Sampling gains here"
	case told:
		title, text = "What sampling costs here", "Sampling costs here"
	}
	epochs := m.file.Config.Train.Epochs
	p.Part(title)
	behind := "they do not lie behind, so that drawing them more often has nothing to win"
	if rest > rare {
		behind = fmt.Sprintf("%.1f points behind is about what drawing them more often could win them", 100*(rest-rare))
	}
	p.Say("%s: %s points of macro-F1 (p %s). With every object once an epoch, the %d rarest classes (%d to %d objects "+
		"in train, each seen %d times) are recalled at %s, the %d others at %s: %s. With sampling they are recalled at "+
		"%s, and the others at %s.", text, gain(d.MacroF1), pValue(d.PHolm), len(few),
		counts[few[0]].N, counts[few[len(few)-1]].N,
		epochs, percent(rare), len(order)-len(few), percent(rest), behind, percent(of(samplingOnly, few)),
		percent(of(samplingOnly, order[len(few):])))
}

// rarestFirst are the classes in the order of their objects in train.
func (m *findings) rarestFirst() []int {
	counts := m.recipes[basic].mass.Classes
	order := make([]int, len(counts))
	for c := range order {
		order[c] = c
	}
	slices.SortStableFunc(order, func(a, b int) int { return counts[a].N - counts[b].N })
	return order
}

// runs are the runs of a mode, what lint says of the recipes, and what the runs' figures give reason to say.
func (m *findings) runs(p *page.Page) {
	p.Part("Runs, lint and alerts")
	p.Say("The queue is the sweep `%s` (`finetui sweep %[1]s`); in the workbench Train shows it.", m.sweep.Plan.Name)
	rows := [][]string{{"subject", "runs", "steps", "time at work", "lint"}}
	var notes []string
	for _, r := range m.recipes {
		var labels []string
		var seconds float64
		for _, of := range r.runs {
			labels = append(labels, "`"+of.Label()+"`")
			seconds += of.Status().Elapsed.Seconds()
			for _, a := range alerts(of) {
				notes = append(notes, of.Label()+", "+a)
			}
		}
		for _, f := range r.lint {
			notes = append(notes, fmt.Sprintf("%s, %s `%s`: %s – %s", r.name, f.Level, f.Code, f.Text, f.Do))
		}
		rows = append(rows, []string{r.name, strings.Join(labels, " "), fmt.Sprint(r.runs[0].Info.Steps),
			fmt.Sprintf("%.0f s", seconds), lintCounts(r.lint)})
	}
	p.Table(rows)
	p.List(notes...)
}

// alerts are what the figures of a run give reason to say, in the words of follow and of the Train pane.
func alerts(r *run.Run) (list []string) {
	found, err := r.ReadAlerts()
	if err != nil {
		return []string{"its metrics cannot be read: " + printable.Error(err)}
	}
	for _, a := range found {
		text := fmt.Sprintf("%s at step %d: %s", a.Level, a.Step, a.Text)
		if a.Do != "" {
			text += " – " + a.Do
		}
		list = append(list, text)
	}
	return list
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

// lintCounts says how many findings of each level there are.
func lintCounts(findings []dataset.Finding) string {
	n := map[level.Level]int{}
	for _, f := range findings {
		n[f.Level]++
	}
	return fmt.Sprintf("%d errors, %d warnings, %d notes", n[level.Error], n[level.Warn], n[level.Info])
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

// fraction is a figure with its interval.
func fraction(v float64, i *eval.Interval) string { return fmt.Sprintf("%.3f", v) + fractions(i) }

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// gain is a difference in points with its interval.
func gain(d eval.SeedDifference) string {
	text := points(d.Difference)
	if d.Interval != nil {
		text += fmt.Sprintf(" (%s … %s)", points(d.Interval[0]), points(d.Interval[1]))
	}
	return text
}

func points(v float64) string { return strings.Replace(fmt.Sprintf("%+.1f", 100*v), "-", "−", 1) }

// pad fills a row with empty cells.
func pad(row []string, cells int) []string {
	for len(row) < cells {
		row = append(row, "")
	}
	return row
}
