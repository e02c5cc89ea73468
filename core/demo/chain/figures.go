package chain

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"finetui/core/eval"
	"finetui/core/page"
	"finetui/core/run"
)

// forest shows what the recipes gain over the first.
func (m *findings) forest(c *eval.RecipeComparison) page.Forest {
	f := page.Forest{Reference: c.Variants[0].Name, Unit: "macro-F1 on " + c.Split + ", points", Words: page.Words{
		Title: "What each recipe gains over " + c.Variants[0].Name,
		Caption: fmt.Sprintf("Differences of macro-F1 on %d %s, means over %d seeds, with intervals of 95 %% in which "+
			"both %[2]s and seeds are counted as chance. One that holds 0 is within chance.", c.N, m.things(),
			len(c.Variants[0].Runs)),
		Text: strings.Join(c.Forest(100), "\n"),
	}}
	for _, d := range c.Differences {
		row := page.Difference{Name: d.Name, Value: 100 * d.MacroF1.Difference, Low: math.NaN(), High: math.NaN(),
			Note: gain(d.MacroF1) + ", p " + pValue(d.PHolm)}
		if i := d.MacroF1.Interval; i != nil {
			row.Low, row.High = 100*i[0], 100*i[1]
		}
		f.Rows = append(f.Rows, row)
	}
	return f
}

// recall shows the recall of each class, the rarest first.
func (m *findings) recall(p *page.Page) {
	d := page.Dots{Unit: "recall on " + m.set + ", %", Words: page.Words{
		Title: "Recall of each class, the rarest first",
		Caption: "A mark is the mean over the seeds, the line behind it reaches from the worst seed to the best; n is " +
			"how many " + m.things() + " train has."}}
	head := []string{"class", "n in train"}
	rows := [][]string{}
	counts := m.recipes[basic].mass.Classes
	for _, c := range m.rarestFirst() {
		d.Groups = append(d.Groups, fmt.Sprintf("%s, n %d", counts[c].Class, counts[c].N))
		rows = append(rows, []string{counts[c].Class, fmt.Sprint(counts[c].N)})
	}
	for _, r := range m.recipes {
		head = append(head, r.name+", %")
		s := page.DotSeries{Name: r.name}
		for row, c := range m.rarestFirst() {
			var values []float64
			mean := 0.0
			for _, of := range r.results[m.split] {
				v := 100 * of.Classes[c].Value.Recall
				values, mean = append(values, v), mean+v/float64(len(r.runs))
			}
			s.Values = append(s.Values, values)
			rows[row] = append(rows[row], fmt.Sprintf("%.1f (%.1f–%.1f)", mean, slices.Min(values),
				slices.Max(values)))
		}
		d.Series = append(d.Series, s)
	}
	p.Draw(d)
	p.Table(append([][]string{head}, rows...))
}

// confusion shows what a recipe's runs take for what, added up.
func (m *findings) confusion(recipe int) page.Grid {
	r := m.recipes[recipe]
	first := r.results[m.split][0].Confusion
	g := page.Grid{Across: "answered", Down: "true class", Rows: first.Labels[:len(first.Labels)-1],
		Columns: first.Labels, Words: page.Words{Title: "Confusion of " + r.name,
			Caption: fmt.Sprintf("Answers on %s, all %d seeds added up; columns are numbered as the rows are.", m.set,
				len(r.runs))}}
	g.Counts = make([][]int, len(first.Rows))
	var worst []mistake
	for i, row := range first.Rows {
		g.Counts[i] = make([]int, len(row))
		for k := range row {
			for _, of := range r.results[m.split] {
				g.Counts[i][k] += of.Confusion.Rows[i][k]
			}
			if i != k && g.Counts[i][k] > 0 {
				what := first.Labels[i] + " taken for " + first.Labels[k]
				if first.Labels[k] == eval.UnparsedLabel {
					what = first.Labels[i] + " " + eval.UnparsedLabel
				}
				worst = append(worst, mistake{what, g.Counts[i][k]})
			}
		}
	}
	slices.SortStableFunc(worst, func(a, b mistake) int { return b.n - a.n })
	var said []string
	for _, w := range worst[:min(4, len(worst))] {
		said = append(said, fmt.Sprintf("%s, %d times", w.what, w.n))
	}
	if len(said) > 0 {
		g.Caption += " Most often: " + strings.Join(said, "; ") + "."
	}
	return g
}

type mistake struct {
	what string
	n    int
}

// smoothed is how many rows of the training loss are one point of its curve.
const smoothed = 4

// curves show loss and macro-F1 over the steps.
func (m *findings) curves(p *page.Page) error {
	loss := page.Lines{X: "step", Y: "loss in training", Log: true, Words: page.Words{Title: "Loss in training",
		Caption: fmt.Sprintf("Plain loss of the samples drawn, means of %d rows; a line for each run. Recipes draw other "+
			"samples, so their losses are not of the same ones.", smoothed)}}
	valid := page.Lines{X: "step", Y: "macro-F1 on valid", Words: page.Words{Title: "Macro-F1 on valid",
		Caption: "A line for each run. The valid split is small: it shows that runs have settled, not which recipe is " +
			"better."}}
	rows := [][]string{{"subject", "loss at the end", "macro-F1 on valid at the end"}}
	for _, r := range m.recipes {
		losses, checks := page.LineSeries{Name: r.name}, page.LineSeries{Name: r.name}
		var lastLoss, lastF1 []string
		for _, of := range r.runs {
			reader := of.Reader()
			if _, _, err := reader.Read(time.Time{}); err != nil {
				return fmt.Errorf("%s: %w", of.Label(), err)
			}
			curve := smooth(reader.History.Train)
			losses.Runs = append(losses.Runs, curve)
			if n := len(curve); n > 0 {
				lastLoss = append(lastLoss, fmt.Sprintf("%.3g", curve[n-1].Y))
			}
			var points []page.Point
			for _, c := range reader.History.Checks() {
				if y := float64(c.MacroF1); run.Finite(y) {
					points = append(points, page.Point{X: float64(c.Step), Y: y})
				}
			}
			checks.Runs = append(checks.Runs, points)
			if n := len(points); n > 0 {
				lastF1 = append(lastF1, fmt.Sprintf("%.3f", points[n-1].Y))
			}
		}
		loss.Series, valid.Series = append(loss.Series, losses), append(valid.Series, checks)
		rows = append(rows, []string{r.name, strings.Join(lastLoss, " · "), strings.Join(lastF1, " · ")})
	}
	p.Draw(loss)
	p.Draw(valid)
	p.Table(rows)
	return nil
}

// smooth is the plain loss in means of some rows.
func smooth(rows []*run.Train) (curve []page.Point) {
	for part := range slices.Chunk(rows, smoothed) {
		sum := 0.0
		for _, r := range part {
			sum += float64(r.LossPlain)
		}
		curve = append(curve, page.Point{X: float64(part[len(part)-1].Step), Y: sum / float64(len(part))})
	}
	return curve
}
