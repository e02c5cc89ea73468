package stats

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"finetui/core/dataset"
	"finetui/core/printable"
)

// Text is the analysis as plain lines, without the findings.
func (a *Analysis) Text() string {
	var b strings.Builder
	w := &a.Whole
	if note := a.Incomplete(); note != "" {
		fmt.Fprintf(&b, "! %s\n", note)
	}
	clips := w.Clips != nil
	if clips {
		fmt.Fprintf(&b, "%s in %s\n", dataset.Counted(w.Images, "clip", "clips"),
			dataset.Counted(len(a.Classes), "class", "classes"))
	} else {
		fmt.Fprintf(&b, "%s, %d with objects, %s in %s\n", dataset.Counted(w.Images, "image", "images"),
			w.ImagesWithObjects, dataset.Counted(w.Objects, "object", "objects"),
			dataset.Counted(len(a.Classes), "class", "classes"))
	}
	if w.Imbalance.Most >= 0 {
		fmt.Fprintf(&b, "imbalance %.2f× %s: %s %d : %d %s\n", w.Imbalance.Ratio, w.Imbalance.Level,
			printable.Line(a.Classes[w.Imbalance.Most].Name), w.ClassCounts[w.Imbalance.Most],
			w.ClassCounts[w.Imbalance.Least], printable.Line(a.Classes[w.Imbalance.Least].Name))
	}
	if clips {
		b.WriteString(strings.Join(w.Clips.lines(), "\n") + "\n")
	} else {
		w.objectLines(&b)
	}
	size := "of unknown size"
	if w.Resolution.N > 0 {
		size = fmt.Sprintf("%.0f×%.0f on average", w.Resolution.MeanWidth, w.Resolution.MeanHeight)
	}
	if clips {
		fmt.Fprintf(&b, "%-12s  %s\n\n", "frames are", size)
	} else {
		fmt.Fprintf(&b, "pairs of objects in one image: %d; pictures %s\n\n", w.Pairs, size)
	}
	a.setTable(&b)
	a.classTable(&b)
	if !clips || len(w.Conditions) > 1 {
		b.WriteByte('\n')
		a.conditionTable(&b)
	}
	if len(w.Cooccurrence) > 0 {
		b.WriteByte('\n')
		a.pairTable(&b)
	}
	return b.String()
}

// setTable says what came from where, if sets joined that of DATASET.PATH.
func (a *Analysis) setTable(b *strings.Builder) {
	if len(a.Sets) == 0 {
		return
	}
	own := dataset.Joined{Name: "DATASET.PATH", Share: 1, Items: a.Whole.Images, Samples: a.Whole.Objects}
	for _, s := range a.Splits {
		if s.Split == "train" {
			own.Train = s.Objects
		}
	}
	for _, s := range a.Sets {
		own.Items, own.Samples, own.Train = own.Items-s.Items, own.Samples-s.Samples, own.Train-s.Train
	}
	own.Of = own.Train
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "set\tfiles\tsamples\ttrain\tof\tshare\t")
	for _, s := range append([]dataset.Joined{own}, a.Sets...) {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%g\t\n", printable.Line(s.Name), s.Items, s.Samples, s.Train, s.Of, s.Share)
	}
	t.Flush()
	b.WriteByte('\n')
}

// objectLines are how many objects an image holds.
func (p *Part) objectLines(b *strings.Builder) {
	for _, s := range []struct {
		name string
		Summary
	}{{"with objects", p.PerImageWithObjects}, {"all images", p.PerImage}} {
		if s.N == 0 {
			fmt.Fprintf(b, "objects per image, %-12s  –\n", s.name)
			continue
		}
		fmt.Fprintf(b, "objects per image, %-12s  %.4f ± %.4f, %d … %d\n", s.name, s.Mean, s.SD, s.Min, s.Max)
	}
}

// Incomplete says that the statistics are of a part of what is labelled; "" where they are of all.
func (a *Analysis) Incomplete() string {
	missing := 0
	for _, cause := range a.Causes {
		if cause.Code == dataset.MissingImage {
			missing += cause.Count
		}
	}
	var words []string
	if a.Lost > 0 {
		words = append(words, fmt.Sprintf("%d of %s in the label files do not count (%s)", a.Lost,
			dataset.Counted(a.Rows, "row", "rows"), percent(a.Lost, a.Rows)))
	}
	if missing > 0 {
		words = append(words, dataset.Counted(missing, "picture is missing", "pictures are missing"))
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, ", ") + ": these statistics are of the rest; the findings say why"
}

// Of more classes than readable, a table lists the most and the least frequent ones.
const (
	readable     = 40
	mostFrequent = 20
	leastShown   = 8
)

// classTable has a row for each class: counts, splits and where it lies; of clips how they add up instead. Of many
// classes it lists those with most and with fewest objects.
func (a *Analysis) classTable(b *strings.Builder) {
	w := &a.Whole
	order, sums := make([]int, len(a.Classes)), make([]int, len(a.Classes))
	sum := 0
	for place, c := range w.ByCount() {
		order[place] = c
		sum += w.ClassCounts[c]
		sums[c] = sum
	}
	many := len(order) > readable
	if !many {
		slices.Sort(order) // as the set has them
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	a.classHead(t, many)
	for place, c := range order {
		if left := len(order) - mostFrequent - leastShown; many && place >= mostFrequent && place < mostFrequent+left {
			if place == mostFrequent {
				last := order[mostFrequent+left-1]
				columns := 2 + len(a.Splits) // behind the counts
				if w.Clips == nil {
					columns += 4
				}
				fmt.Fprintf(t, "… and %d more\t\t%d … %d\t%s\n", left, w.ClassCounts[c], w.ClassCounts[last],
					strings.Repeat("\t", columns)) // without them the lines below stand apart
			}
			continue
		}
		a.classRow(t, c, many, sums[c])
	}
	t.Flush()
	if many {
		most, _ := w.Reaching(0.5)
		nearly, _ := w.Reaching(0.9)
		fmt.Fprintf(b, "half of all lies in %s, 90 %% in %d\n", dataset.Counted(most, "class", "classes"), nearly)
	}
}

func (a *Analysis) classHead(t *tabwriter.Writer, many bool) {
	fmt.Fprint(t, "class\tcondition\tn\tshare\t")
	if many {
		fmt.Fprint(t, "up to here\t")
	}
	for _, s := range a.Splits {
		fmt.Fprintf(t, "%s\t", printable.Line(s.Split))
	}
	if a.Whole.Clips == nil {
		fmt.Fprint(t, "mean y\tsd\tmiddle half\tband\t")
	}
	fmt.Fprintln(t)
}

func (a *Analysis) classRow(t *tabwriter.Writer, c int, many bool, sum int) {
	class, p := a.Classes[c], a.Whole.Positions[c]
	fmt.Fprintf(t, "%s\t%s\t%d\t%s\t", printable.Line(class.Name), printable.Line(class.Condition),
		a.Whole.ClassCounts[c], percent(a.Whole.ClassCounts[c], a.Whole.Objects))
	if many {
		fmt.Fprintf(t, "%s\t", percent(sum, a.Whole.Objects))
	}
	for _, s := range a.Splits {
		fmt.Fprintf(t, "%d\t", s.ClassCounts[c])
	}
	switch {
	case a.Whole.Clips != nil:
		fmt.Fprintln(t)
	case p.N == 0:
		fmt.Fprintln(t, "–\t–\t–\t–\t")
	default:
		fmt.Fprintf(t, "%.2f\t%.2f\t%.2f–%.2f\t%s\t\n", p.Mean, p.SD, p.Q25, p.Q75, p.Band)
	}
}

// conditionTable lists the conditions, and the kinds of object where they are not the classes again.
func (a *Analysis) conditionTable(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, list := range []struct {
		title  string
		counts []Count
	}{{"condition", a.Whole.Conditions}, {"object", a.Whole.ObjectTypes}} {
		again := len(list.counts) == len(a.Classes) && (len(a.Classes) > readable || a.Whole.Clips != nil)
		if list.title == "object" && again {
			continue
		}
		fmt.Fprintf(t, "%s\tn\tshare\t\n", list.title)
		for i, c := range list.counts {
			if len(list.counts) > readable && i == mostFrequent {
				fmt.Fprintf(t, "… and %d more\t\t\t\n", len(list.counts)-i)
				break
			}
			fmt.Fprintf(t, "%s\t%d\t%s\t\n", printable.Line(c.Name), c.N, percent(c.N, a.Whole.Objects))
		}
	}
	t.Flush()
}

// pairTable lists the ten commonest pairs of two classes.
func (a *Analysis) pairTable(b *strings.Builder) {
	const most = 10
	relations := map[[2]int]Directions{}
	for _, r := range a.Whole.Relations {
		relations[[2]int{r.A, r.B}] = r.Directions
	}
	pairs := append([]Cooccurrence(nil), a.Whole.Cooccurrence...)
	sortPairs(pairs)
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "A\tB\tpairs\timages\tlift\tA above B\tbelow\tlevel\tA left of B\tright\taligned\t")
	for _, p := range pairs[:min(most, len(pairs))] {
		d, lift := relations[[2]int{p.A, p.B}], "–"
		if p.Lifted {
			lift = fmt.Sprintf("%.2f×", p.Lift)
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", printable.Line(a.Classes[p.A].Name),
			printable.Line(a.Classes[p.B].Name), p.Pairs, p.Images, lift,
			d.Above, d.Below, d.Level, d.Left, d.Right, d.Aligned)
	}
	t.Flush()
}

func percent(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// sortPairs puts the commonest pair first.
func sortPairs(pairs []Cooccurrence) {
	slices.SortStableFunc(pairs, func(p, q Cooccurrence) int { return q.Pairs - p.Pairs })
}
