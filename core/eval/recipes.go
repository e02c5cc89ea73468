package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"finetui/core/printable"
)

// Variant is one recipe with the evaluations of its runs, which differ by their seeds alone.
type Variant struct {
	Name    string
	Results []*Result
	Texts   []*FreeTextResult // of the same runs, where they answer in free words
	Fixed   bool              // it was not trained: there is no chance of seeds in it
}

// RecipeComparison says what recipes gain over the first of them, on items that all their runs answered. A claim about
// a recipe must hold for runs and items that were not drawn, so both are counted as chance.
type RecipeComparison struct {
	Schema      int                `json:"schema"`
	Kind        string             `json:"kind"` // RecipeComparisonKind
	Split       string             `json:"split"`
	N           int                `json:"n"`               // items that every run answered, all expecting the same
	LeftOut     int                `json:"left_out"`        // items that some run lacks or that expect something else
	Variants    []VariantSummary   `json:"variants"`        // the first is the reference
	Differences []RecipeDifference `json:"differences"`     // of each other one from the reference
	SeedSD      *float64           `json:"seed_sd"`         // of macro-F1 between seeds, pooled; null: one seed each
	SeedDF      int                `json:"seed_sd_df"`      // degrees of freedom of SeedSD
	Words       []WordsFigure      `json:"words,omitempty"` // of answers in free words; none: some run has none
	Method      string             `json:"method"`          // of interval and p
	Sentences   []string           `json:"sentences"`       // what may be said, plainly
}

// RecipeComparisonKind is RecipeComparison.Kind.
const RecipeComparisonKind = "recipe_comparison"

// VariantSummary is a recipe over its seeds.
type VariantSummary struct {
	Name     string    `json:"name"`
	Runs     []string  `json:"runs"`
	MacroF1  []float64 `json:"macro_f1"` // of each run
	Accuracy []float64 `json:"accuracy"`
	Mean     float64   `json:"macro_f1_mean"`
	SD       *float64  `json:"macro_f1_sd"` // null for one run
	Right    float64   `json:"accuracy_mean"`
	RightSD  *float64  `json:"accuracy_sd"`
}

// RecipeDifference is a recipe against the reference, in macro-F1 and in accuracy.
type RecipeDifference struct {
	Name     string         `json:"name"`
	MacroF1  SeedDifference `json:"macro_f1"`
	Accuracy SeedDifference `json:"accuracy"`
	// PHolm is the p of macro-F1, adjusted for all recipes that were looked at.
	PHolm float64 `json:"p_holm"`
	// Permutation is the exact p of macro-F1 under exchange of whole runs, PermutationLeast the least that so few runs
	// can give; both 1 where each recipe has one run.
	Permutation      float64 `json:"permutation_p"`
	PermutationLeast float64 `json:"permutation_least_p"`
	// SeedsNeeded and ItemsNeeded would tell a difference as large as the one seen in four of five experiments, the
	// other being as it is; 0: no number would.
	SeedsNeeded int      `json:"seeds_needed"`
	ItemsNeeded int      `json:"items_needed"`
	Constants   []string `json:"constants"` // in which the two differ
}

// SeedDifference is a difference of means over seeds, second minus first, with what chance in seeds and items allows.
type SeedDifference struct {
	Difference float64   `json:"difference"`
	Interval   *Interval `json:"interval"`
	P          float64   `json:"p"`
	// ItemSD and SeedSD are the standard errors that items and seeds contribute.
	ItemSD float64 `json:"item_sd"`
	SeedSD float64 `json:"seed_sd"`
}

// Power is the chance of telling a true difference that SeedsNeeded and ItemsNeeded aim at.
const Power = 0.8

// CompareRecipes compares recipes over their runs. The first variant is the reference. constants names in what a
// variant differs from it; it may be nil. seed is that of the bootstrap.
//
// Interval and p come from a bootstrap in two levels. Items are drawn with replacement, the same ones for all runs. The
// chance of seeds is added as Student's t with the standard deviation between seeds, pooled over all recipes: to draw
// seeds with replacement would need many of them (three seeds have ten distinct draws, whose spread is a third too
// small). What items contribute to the spread of seeds (seed × item) is counted once.
func CompareRecipes(variants []Variant, constants func(variant int) []string, seed uint64) (*RecipeComparison, error) {
	return compareRecipes(variants, constants, DefaultResamples, seed)
}

func compareRecipes(variants []Variant, constants func(variant int) []string, resamples int, seed uint64) (
	*RecipeComparison, error) {
	if len(variants) < 2 {
		return nil, fmt.Errorf("a comparison needs two recipes, got %d", len(variants))
	}
	table, err := newAnswerTable(variants)
	if err != nil {
		return nil, err
	}
	c := &RecipeComparison{
		Schema: Schema, Kind: RecipeComparisonKind, Split: variants[0].Results[0].Split,
		N: len(table.truth), LeftOut: table.leftOut,
		Method: fmt.Sprintf("%d bootstrap resamples of the items, shared by all runs, and Student's t for the pooled "+
			"spread of the seeds", resamples),
	}
	macro, right := table.bootstrap(resamples, seed)
	for v := range variants {
		macro.fixed, right.fixed = append(macro.fixed, variants[v].Fixed), append(right.fixed, variants[v].Fixed)
	}
	for v := range variants {
		c.Variants = append(c.Variants, summarize(&variants[v], macro.seen[v], right.seen[v]))
	}
	macroSeeds, rightSeeds := macro.seedSpread(), right.seedSpread()
	if c.SeedDF = macroSeeds.df; c.SeedDF > 0 {
		c.SeedSD = &macroSeeds.between
	}
	var p []float64
	for v := 1; v < len(variants); v++ {
		d := RecipeDifference{
			Name:     variants[v].Name,
			MacroF1:  macro.difference(0, v, macroSeeds),
			Accuracy: right.difference(0, v, rightSeeds),
		}
		if constants != nil {
			d.Constants = constants(v)
		}
		d.Permutation, d.PermutationLeast = permuteRuns(macro.seen[0], macro.seen[v])
		d.SeedsNeeded, d.ItemsNeeded = needed(d.MacroF1, macroSeeds, len(table.truth), len(macro.seen[0]),
			len(macro.seen[v]))
		c.Differences = append(c.Differences, d)
		p = append(p, d.MacroF1.P)
	}
	for i, adjusted := range holm(p) {
		c.Differences[i].PHolm = adjusted
	}
	c.Words = compareWords(variants, resamples, seed)
	c.Sentences = c.say()
	return c, nil
}

func summarize(v *Variant, macro, right []float64) VariantSummary {
	s := VariantSummary{Name: v.Name, MacroF1: slices.Clone(macro), Accuracy: slices.Clone(right)}
	for _, r := range v.Results {
		s.Runs = append(s.Runs, r.Subject)
	}
	s.Mean, s.SD = meanSD(macro)
	s.Right, s.RightSD = meanSD(right)
	return s
}

// meanSD is a mean and the sample's standard deviation, nil for less than two values.
func meanSD(values []float64) (mean float64, sd *float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	if len(values) < 2 {
		return mean, nil
	}
	var squares float64
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	s := math.Sqrt(squares / float64(len(values)-1))
	return mean, &s
}

// answerTable is what every run answered to the items that they all have.
type answerTable struct {
	classes int
	truth   []int
	said    [][][]int // [variant][run][item]
	leftOut int
}

// newAnswerTable joins the runs' items by ID.
func newAnswerTable(variants []Variant) (*answerTable, error) {
	var first *Result
	runs := 0
	for _, v := range variants {
		if len(v.Results) == 0 {
			return nil, fmt.Errorf("%s has no evaluated run: evaluate one of its runs first", v.Name)
		}
		for _, r := range v.Results {
			if first == nil {
				first = r
			}
			if !slices.Equal(first.ClosedList, r.ClosedList) {
				return nil, fmt.Errorf("%s and %s were asked with different closed lists: evaluate both on the same "+
					"data set", first.Subject, r.Subject)
			}
			runs++
		}
	}
	classOf := map[string]int{UnparsedLabel: Unparsed}
	for i, l := range first.ClosedList {
		classOf[l.Name] = i
	}
	type joined struct {
		truth string
		said  []int
	}
	items := map[string]*joined{}
	seen := 0
	for _, v := range variants {
		for _, r := range v.Results {
			for i := range r.Items {
				a := &r.Items[i]
				said, ok := classOf[a.Parsed]
				truth, known := classOf[a.Expected]
				if !ok || !known || truth == Unparsed {
					return nil, fmt.Errorf("item %s of %s names a class that is not in its own closed list: evaluate "+
						"again", a.ID, r.Subject)
				}
				j := items[a.ID]
				if j == nil {
					j = &joined{truth: a.Expected}
					items[a.ID] = j
				}
				if j.truth == a.Expected && len(j.said) == seen {
					j.said = append(j.said, said)
				}
			}
			seen++
		}
	}
	t := &answerTable{classes: len(first.ClosedList)}
	var common []*joined
	for i := range first.Items { // in the first run's order, so that the draw does not hang on a map's
		if j := items[first.Items[i].ID]; len(j.said) == runs {
			common = append(common, j)
			t.truth = append(t.truth, classOf[j.truth])
		}
	}
	t.leftOut = len(items) - len(common)
	if len(common) == 0 {
		return nil, fmt.Errorf("these runs have no item in common: evaluate all of them on the same split")
	}
	run := 0
	for _, v := range variants {
		said := make([][]int, len(v.Results))
		for r := range said {
			said[r] = make([]int, len(common))
			for i, j := range common {
				said[r][i] = j.said[run]
			}
			run++
		}
		t.said = append(t.said, said)
	}
	return t, nil
}

// resampled is one figure of every run, as seen and over resampled items.
type resampled struct {
	seen  [][]float64   // [variant][run]
	drawn [][][]float64 // [variant][run][resample]
	fixed []bool        // the variant was not trained
}

// chance is what of the variance between seeds stays in a variant's mean.
func (x *resampled) chance(v int) float64 {
	if x.fixed[v] {
		return 0
	}
	return 1 / float64(len(x.seen[v]))
}

// bootstrap measures macro-F1 and accuracy of every run on the same resampled items.
func (t *answerTable) bootstrap(resamples int, seed uint64) (macro, right resampled) {
	draw := newResampler(len(t.truth), seed)
	all := make([]int, len(t.truth))
	for i := range all {
		all[i] = i
	}
	count := newCounts(t.classes)
	measure := func(said []int, at []int) (float64, float64) {
		count.clear()
		for _, i := range at {
			count.add(t.truth[i], said[i])
		}
		f, _ := count.macroF1()
		return f, share(count.allRight(), count.total)
	}
	for _, runs := range t.said {
		f, a := make([]float64, len(runs)), make([]float64, len(runs))
		fs, as := make([][]float64, len(runs)), make([][]float64, len(runs))
		for r, said := range runs {
			f[r], a[r] = measure(said, all)
			fs[r], as[r] = make([]float64, resamples), make([]float64, resamples)
		}
		macro.seen, right.seen = append(macro.seen, f), append(right.seen, a)
		macro.drawn, right.drawn = append(macro.drawn, fs), append(right.drawn, as)
	}
	for b := range resamples {
		at := draw.next()
		for v, runs := range t.said {
			for r, said := range runs {
				macro.drawn[v][r][b], right.drawn[v][r][b] = measure(said, at)
			}
		}
	}
	return macro, right
}

// seedSpread is how far runs of one recipe lie apart, pooled over recipes.
type seedSpread struct {
	between float64 // standard deviation of a figure between seeds, on these items
	crossed float64 // the part of it that falls with the items: other items, other seeds ahead
	df      int
}

func (x *resampled) seedSpread() seedSpread {
	var s seedSpread
	var between, crossed float64
	for v, values := range x.seen {
		n := len(values)
		if n < 2 {
			continue
		}
		mean, _ := meanSD(values)
		for _, value := range values {
			between += (value - mean) * (value - mean)
		}
		s.df += n - 1
		for r := range values {
			crossed += variance(len(x.drawn[v][r]), func(b int) float64 { return x.drawn[v][r][b] - x.mean(v, b) })
		}
	}
	if s.df == 0 {
		return s
	}
	s.between = math.Sqrt(between / float64(s.df))
	s.crossed = math.Sqrt(crossed / float64(s.df))
	return s
}

// mean is a recipe's mean over its runs in one resample.
func (x *resampled) mean(v, b int) (m float64) {
	for _, run := range x.drawn[v] {
		m += run[b]
	}
	return m / float64(len(x.drawn[v]))
}

func variance(n int, value func(int) float64) float64 {
	var sum, squares float64
	for i := range n {
		sum += value(i)
	}
	mean := sum / float64(n)
	for i := range n {
		d := value(i) - mean
		squares += d * d
	}
	return squares / float64(n-1)
}

// difference is variant b against variant a.
func (x *resampled) difference(a, b int, seeds seedSpread) SeedDifference {
	first, _ := meanSD(x.seen[a])
	second, _ := meanSD(x.seen[b])
	resamples := len(x.drawn[a][0])
	values := make([]float64, resamples)
	for i := range values {
		values[i] = x.mean(b, i) - x.mean(a, i)
	}
	d := SeedDifference{Difference: second - first}
	runs := math.Sqrt(x.chance(a) + x.chance(b))
	d.SeedSD = seeds.between * runs
	drawn := math.Sqrt(variance(resamples, func(i int) float64 { return values[i] }))
	d.ItemSD = math.Sqrt(max(0, drawn*drawn-seeds.crossed*seeds.crossed*runs*runs))
	if drawn > 0 {
		for i := range values { // what the spread of seeds holds already is taken out
			values[i] = d.Difference + (values[i]-d.Difference)*d.ItemSD/drawn
		}
	}
	below := newMixture(values, d.SeedSD, seeds.df)
	tail := (1 - Confidence) / 2
	d.Interval = &Interval{below.quantile(tail), below.quantile(1 - tail)}
	d.P = below.twoSided()
	return d
}

// permuteRuns is the two-sided p of a difference of means when runs are exchanged between two recipes, and the
// least p that so many runs can give.
func permuteRuns(a, b []float64) (p, least float64) {
	all := slices.Concat(a, b)
	var total float64
	for _, v := range all {
		total += v
	}
	gap := func(sumOfB float64) float64 {
		return math.Abs(sumOfB/float64(len(b)) - (total-sumOfB)/float64(len(a)))
	}
	var sumOfB float64
	for _, v := range b {
		sumOfB += v
	}
	const tiny = 1e-12 // sums in another order are the same sums
	seen := gap(sumOfB) - tiny
	if len(all) > 20 { // more than 2^20 choices: some are drawn
		return permuteSome(all, len(b), func(sum float64) bool { return gap(sum) >= seen })
	}
	choices, asFar := 0, 0
	var choose func(from, left int, sum float64)
	choose = func(from, left int, sum float64) {
		if left == 0 {
			choices++
			if gap(sum) >= seen {
				asFar++
			}
			return
		}
		for i := from; i+left <= len(all); i++ {
			choose(i+1, left-1, sum+all[i])
		}
	}
	choose(0, len(b), 0)
	extremes := 1
	if len(a) == len(b) {
		extremes = 2 // the choice and its mirror lie equally far
	}
	return share(asFar, choices), share(extremes, choices)
}

// permuteSome estimates the p of permuteRuns from exchanges that are drawn.
func permuteSome(all []float64, ofB int, asFar func(sumOfB float64) bool) (p, least float64) {
	const draws = 100_000
	rng := rand.New(rand.NewPCG(uint64(len(all)), bootstrapStream))
	shuffled := slices.Clone(all)
	hits := 1 // the one that was seen
	for range draws {
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		var sum float64
		for _, v := range shuffled[:ofB] {
			sum += v
		}
		if asFar(sum) {
			hits++
		}
	}
	return share(hits, draws+1), share(1, draws+1)
}

// needed is how many seeds (a recipe) and how many items would tell the difference with Power at Told, by the normal
// approximation; 0: none would, or nothing was measured to say so from.
func needed(d SeedDifference, spread seedSpread, items, seedsA, seedsB int) (seeds, n int) {
	if d.Difference == 0 {
		return 0, 0
	}
	z := normalQuantile(1-Told/2) + normalQuantile(Power)
	allowed := (d.Difference / z) * (d.Difference / z)
	between, crossed := spread.between*spread.between, spread.crossed*spread.crossed
	itemVar := d.ItemSD * d.ItemSD
	if left := allowed - itemVar; left > 0 && between > 0 {
		seeds = max(2, int(math.Ceil(2*between/left)))
	}
	runs := 1/float64(seedsA) + 1/float64(seedsB)
	own := max(0, between-crossed) // what remains between seeds on any number of items
	falling := itemVar + min(between, crossed)*runs
	if left := allowed - own*runs; left > 0 && falling > 0 {
		n = max(1, int(math.Ceil(float64(items)*falling/left)))
	}
	return seeds, n
}

// say puts into sentences what may be claimed.
func (c *RecipeComparison) say() []string {
	var gains, loses, chance []string
	for _, d := range c.Differences {
		text := fmt.Sprintf("%s %s points (95 %%: %s; p %s)", d.Name, signed(100*d.MacroF1.Difference),
			points(d.MacroF1.Interval), pText(d.PHolm))
		switch {
		case d.PHolm >= Told:
			chance = append(chance, text)
		case d.MacroF1.Difference > 0:
			gains = append(gains, text)
		default:
			loses = append(loses, text)
		}
	}
	reference := c.Variants[0]
	out := []string{fmt.Sprintf("Macro-F1 against %s (%s), on %s.", reference.Name, spread(reference),
		items(c.N))}
	if c.SeedDF == 0 {
		return append(out, "Each recipe has one run: this tells models apart, not recipes. What a recipe gains needs "+
			"several seeds of each.")
	}
	for _, part := range []struct {
		word string
		list []string
	}{{"Gains", gains}, {"Loses", loses}, {"Within chance", chance}} {
		if len(part.list) > 0 {
			out = append(out, part.word+": "+strings.Join(part.list, "; ")+".")
		}
	}
	if len(c.Differences) > 1 {
		out = append(out, fmt.Sprintf("p is adjusted for the %d recipes that were looked at (Holm).",
			len(c.Differences)))
	}
	for _, d := range c.Differences {
		if d.PHolm < Told {
			continue
		}
		out = append(out, d.need(len(reference.Runs), c.N))
	}
	if c.LeftOut > 0 {
		out = append(out, fmt.Sprintf("Left out: %s that some run lacks or that expect something else.",
			items(c.LeftOut)))
	}
	return out
}

// need says what would tell a difference that chance allows.
func (d *RecipeDifference) need(seeds, n int) string {
	var ways []string
	if d.SeedsNeeded > seeds {
		ways = append(ways, fmt.Sprintf("%d seeds each (now %d)", d.SeedsNeeded, seeds))
	}
	if d.ItemsNeeded > n {
		ways = append(ways, fmt.Sprintf("%d items (now %d)", d.ItemsNeeded, n))
	}
	if len(ways) == 0 {
		return fmt.Sprintf("If %s truly differs as much as seen here, neither more seeds nor more items alone would "+
			"tell: it needs both.", d.Name)
	}
	return fmt.Sprintf("If %s truly differs as much as seen here, %s would tell it in four of five experiments.",
		d.Name,
		strings.Join(ways, " or "))
}

// spread is a recipe's mean and standard deviation over seeds.
func spread(v VariantSummary) string {
	if v.SD == nil {
		return fmt.Sprintf("%.1f, one run", 100*v.Mean)
	}
	return fmt.Sprintf("%.1f ± %.1f over %d seeds", 100*v.Mean, 100**v.SD, len(v.Runs))
}

// WriteJSON writes compare.json, all of it or nothing.
func (c *RecipeComparison) WriteJSON(path string) error { return writeJSON(path, c) }

// Text is the comparison as plain lines: the recipes, their differences, and what may be said.
func (c *RecipeComparison) Text() string {
	var b strings.Builder
	rows := [][]string{{"recipe", "seeds", "macro-F1", "sd", "accuracy", "sd", "runs"}}
	for _, v := range c.Variants {
		rows = append(rows, []string{printable.Line(v.Name), strconv.Itoa(len(v.Runs)), fmt.Sprintf("%.1f", 100*v.Mean),
			orNone(v.SD), percent(v.Right), orNone(v.RightSD), strings.Join(printable.Lines(v.Runs), " ")})
	}
	b.WriteString(printable.Table(rows) + "\n")
	rows = [][]string{{"against " + printable.Line(c.Variants[0].Name), "macro-F1 points", "95 %", "p", "Holm",
		"exchange of runs", "accuracy", "95 %"}}
	for _, d := range c.Differences {
		rows = append(rows, []string{printable.Line(d.Name), signed(100 * d.MacroF1.Difference),
			points(d.MacroF1.Interval), pText(d.MacroF1.P), pText(d.PHolm),
			fmt.Sprintf("%s (least %s)", pText(d.Permutation), pText(d.PermutationLeast)),
			signed(100 * d.Accuracy.Difference), points(d.Accuracy.Interval)})
	}
	b.WriteString(printable.Table(rows) + "\n")
	if len(c.Words) > 0 {
		b.WriteString(c.wordsTable() + "\n")
	}
	for _, s := range c.Sentences {
		b.WriteString(printable.Line(s) + "\n")
	}
	for _, d := range c.Differences {
		if len(d.Constants) > 0 {
			fmt.Fprintf(&b, "%s differs in %s.\n", printable.Line(d.Name),
				printable.Line(strings.Join(d.Constants, "; ")))
		}
	}
	fmt.Fprintf(&b, "Interval and p: %s.\n", c.Method)
	return b.String()
}

// orNone writes points of a spread, a dash where one run has none.
func orNone(sd *float64) string {
	if sd == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f", 100**sd)
}
