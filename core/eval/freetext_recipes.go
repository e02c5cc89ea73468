package eval

import (
	"fmt"
	"slices"
	"strings"

	"finetui/core/printable"
)

// WordsFigure is one figure of answers in free words over the runs of recipes: a mean over the items, so that items and
// seeds are counted as chance as those of macro-F1 are.
type WordsFigure struct {
	Name        string           `json:"name"`
	Share       bool             `json:"share"` // it is said in percent
	Variants    []WordsSummary   `json:"variants"`
	Differences []SeedDifference `json:"differences"` // of each other variant from the first
}

// WordsSummary is a recipe's figure over its seeds.
type WordsSummary struct {
	Values []float64 `json:"values"` // of each run
	Mean   float64   `json:"mean"`
	SD     *float64  `json:"sd"` // null for one run
}

// wordsFigures are those that are compared. The first two are shares.
var wordsFigures = []struct {
	name  string
	share bool
	of    func(a *FreeTextAnswer) float64
}{
	{"answer right", true, func(a *FreeTextAnswer) float64 { return oneIf(a.RightInWords()) }},
	{"exercise identified", true, func(a *FreeTextAnswer) float64 { return oneIf(a.Identified) }},
	{"METEOR", false, func(a *FreeTextAnswer) float64 { return a.METEOR }},
	{"ROUGE-L", false, func(a *FreeTextAnswer) float64 { return a.ROUGEL }},
}

func oneIf(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

// RightInWords says whether an answer is the expected one, word for word.
func (a *FreeTextAnswer) RightInWords() bool {
	return a.Status == Answered && strings.TrimSpace(a.Answer) == strings.TrimSpace(a.Truth)
}

// compareWords compares recipes by their answers in free words, on the items that all runs answered and that expect the
// same of all; nothing where a run has none. METEOR by different synonyms is another measure and left out.
func compareWords(variants []Variant, resamples int, seed uint64) []WordsFigure {
	for _, v := range variants {
		if len(v.Texts) == 0 || len(v.Texts) != len(v.Results) || slices.Contains(v.Texts, nil) {
			return nil
		}
	}
	first := variants[0].Texts[0]
	type joined struct {
		truth   string
		answers []*FreeTextAnswer
	}
	items := map[string]*joined{}
	runs, alike := 0, true
	for _, v := range variants {
		for _, r := range v.Texts {
			alike = alike && r.Synonyms == first.Synonyms
			for i := range r.Items {
				a := &r.Items[i]
				j := items[a.ID]
				if j == nil {
					j = &joined{truth: a.Truth}
					items[a.ID] = j
				}
				if a.Status == Answered && j.truth == a.Truth && len(j.answers) == runs {
					j.answers = append(j.answers, a)
				}
			}
			runs++
		}
	}
	var common []*joined
	for i := range first.Items { // in the first run's order, so that the draw does not hang on a map's
		if j := items[first.Items[i].ID]; len(j.answers) == runs {
			common = append(common, j)
		}
	}
	if len(common) == 0 {
		return nil
	}
	figures := make([]WordsFigure, 0, len(wordsFigures))
	for _, f := range wordsFigures {
		if f.name == "METEOR" && !alike {
			continue
		}
		values := make([][][]float64, len(variants)) // [variant][run][item]
		run := 0
		for v := range variants {
			for range variants[v].Texts {
				of := make([]float64, len(common))
				for i, j := range common {
					of[i] = f.of(j.answers[run])
				}
				values[v] = append(values[v], of)
				run++
			}
		}
		figures = append(figures, wordsFigure(f.name, f.share, variants, resampleMeans(values, resamples, seed)))
	}
	return figures
}

func wordsFigure(name string, share bool, variants []Variant, x resampled) WordsFigure {
	f := WordsFigure{Name: name, Share: share}
	for v := range variants {
		x.fixed = append(x.fixed, variants[v].Fixed)
	}
	seeds := x.seedSpread()
	for v, seen := range x.seen {
		s := WordsSummary{Values: seen}
		s.Mean, s.SD = meanSD(seen)
		f.Variants = append(f.Variants, s)
		if v > 0 {
			f.Differences = append(f.Differences, x.difference(0, v, seeds))
		}
	}
	return f
}

// resampleMeans measures the mean over the items of every run, as seen and on the same resampled items.
func resampleMeans(values [][][]float64, resamples int, seed uint64) (x resampled) {
	draw := newResampler(len(values[0][0]), seed)
	for _, runs := range values {
		seen, drawn := make([]float64, len(runs)), make([][]float64, len(runs))
		for r, of := range runs {
			seen[r], _ = meanSD(of)
			drawn[r] = make([]float64, resamples)
		}
		x.seen, x.drawn = append(x.seen, seen), append(x.drawn, drawn)
	}
	for b := range resamples {
		at := draw.next()
		for v, runs := range values {
			for r, of := range runs {
				for _, i := range at {
					x.drawn[v][r][b] += of[i] / float64(len(at))
				}
			}
		}
	}
	return x
}

// Value writes a value of the figure: "23.8 %", "0.419".
func (f *WordsFigure) Value(v float64) string {
	if f.Share {
		return percent(v)
	}
	return fmt.Sprintf("%.3f", v)
}

// MeanText writes a recipe's mean and standard deviation over its seeds: "23.8 % ± 2.1", "0.419 ± 0.012".
func (f *WordsFigure) MeanText(v int) string {
	s := f.Variants[v]
	switch {
	case s.SD == nil:
		return f.Value(s.Mean)
	case f.Share:
		return fmt.Sprintf("%s ± %.1f", f.Value(s.Mean), 100**s.SD)
	}
	return fmt.Sprintf("%s ± %.3f", f.Value(s.Mean), *s.SD)
}

// GainText writes a difference with its interval: "+3.4 points (−1.0 to +7.9)", "+0.021 (−0.010 to +0.052)".
func (f *WordsFigure) GainText(d SeedDifference) string {
	if f.Share {
		text := signed(100*d.Difference) + " points"
		if d.Interval != nil {
			text += fmt.Sprintf(" (%s to %s)", signed(100*d.Interval[0]), signed(100*d.Interval[1]))
		}
		return text
	}
	text := signedScore(d.Difference)
	if d.Interval != nil {
		text += fmt.Sprintf(" (%s to %s)", signedScore(d.Interval[0]), signedScore(d.Interval[1]))
	}
	return text
}

// wordsTable has a row for each figure in free words, with each recipe's mean and each difference from the first.
func (c *RecipeComparison) wordsTable() string {
	head := []string{"in free words"}
	for _, v := range c.Variants {
		head = append(head, printable.Line(v.Name))
	}
	for _, d := range c.Differences {
		head = append(head, printable.Line(d.Name)+" − "+printable.Line(c.Variants[0].Name)+" (95 %)", "p")
	}
	rows := [][]string{head}
	for i := range c.Words {
		f := &c.Words[i]
		row := []string{f.Name}
		for v := range f.Variants {
			row = append(row, f.MeanText(v))
		}
		for _, d := range f.Differences {
			row = append(row, f.GainText(d), pText(d.P))
		}
		rows = append(rows, row)
	}
	return printable.Table(rows)
}
