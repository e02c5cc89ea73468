package eval

import (
	"fmt"
	"strconv"
	"strings"

	"finetui/core/dataset"
	"finetui/core/printable"
)

// Text is the result as plain lines.
func (r *Result) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s: %s\n", r.Subject, r.Split, items(r.N))
	fmt.Fprintf(&b, "accuracy           %s\n", withInterval(percent(r.Accuracy), r.AccuracyInterval))
	fmt.Fprintf(&b, "balanced accuracy  %s\n", withInterval(percent(r.BalancedAccuracy), r.BalancedAccuracyInterval))
	fmt.Fprintf(&b, "macro-F1           %.3f (95 %%: %s) over the %d classes with a true item; %.3f over all %d\n",
		r.MacroF1, fraction(r.MacroF1Interval), r.MacroF1Classes, r.MacroF1AllClasses, len(r.ClosedList))
	fmt.Fprintf(&b, "MCC %.3f · kappa %.3f · unparsed %d · %.3f s an answer · perfect answers would score %s\n\n",
		r.MCC, r.Kappa, r.Unparsed, r.SecondsPerAnswer, percent(r.SelfTest))
	conditions, objects := r.Grouped()
	for _, g := range []struct {
		title  string
		groups Ordered[Group]
	}{{"class", r.Classes}, {"condition", conditions}, {"object", objects}} {
		if len(g.groups) == 0 {
			continue
		}
		b.WriteString(groupTable(g.title, g.groups))
		b.WriteByte('\n')
	}
	b.WriteString(r.Confusion.text())
	b.WriteByte('\n')
	if closed := r.closedText(); closed != "" {
		b.WriteString(closed + "\n")
	}
	b.WriteString(r.Success.text())
	return b.String()
}

// Grouped are the groups of classes that say more than the classes do: the conditions where there are several, the
// objects where one has several classes. Else they are nil.
func (r *Result) Grouped() (conditions, objects Ordered[Group]) {
	return grouped(r.Classes, r.Conditions, r.Objects)
}

// Grouped are the groups of a comparison that say more than its classes do, as those of a Result.
func (c *Comparison) Grouped() (conditions, objects Ordered[Pair]) {
	return grouped(c.Classes, c.Conditions, c.Objects)
}

func grouped[T any](classes, byCondition, byObject Ordered[T]) (conditions, objects Ordered[T]) {
	if len(byCondition) > 1 {
		conditions = byCondition
	}
	if len(byObject) < len(classes) {
		objects = byObject
	}
	return conditions, objects
}

func groupTable(title string, groups Ordered[Group]) string {
	rows := [][]string{{title, "n", "right", "recall", "95 %", "precision", "95 %", "F1", "95 %", "exact class"}}
	for _, g := range groups {
		v := g.Value
		recall, exact := percent(v.Recall), percent(v.Exact)
		if v.Support == 0 {
			recall, exact = "–", "–"
		}
		precision := percent(v.Precision)
		if v.Predicted == 0 {
			precision = "–"
		}
		rows = append(rows, []string{printable.Line(g.Name), strconv.Itoa(v.Support), strconv.Itoa(v.Right), recall,
			span(v.Interval),
			precision, span(v.PrecisionInterval), fmt.Sprintf("%.3f", v.F1), fraction(v.F1Interval), exact})
	}
	return printable.Table(rows)
}

// text writes the matrix with the columns numbered as the rows are.
func (c Confusion) text() string {
	if len(c.Rows) == 0 {
		return ""
	}
	head := []string{"truth ↓ answer →"}
	for i := range c.Rows {
		head = append(head, strconv.Itoa(i))
	}
	rows := [][]string{append(head, UnparsedLabel)}
	for i, counts := range c.Rows {
		row := []string{fmt.Sprintf("%d %s", i, printable.Line(c.Labels[i]))}
		for _, n := range counts {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, row)
	}
	return printable.Table(rows)
}

func (s Success) text() string {
	rows := [][]string{{"target", "at least", "reached", "95 %", ""}}
	add := func(name string, t Target) {
		verdict := "not met"
		if t.Met {
			verdict = "met, but the interval reaches below"
			if t.Certain {
				verdict = "met"
			}
		}
		rows = append(rows, []string{name, percent(t.AtLeast), percent(t.Accuracy), span(t.Interval), verdict})
	}
	add("overall", s.Overall)
	for _, c := range s.Conditions {
		add(c.Name, c.Value)
	}
	return printable.Table(rows)
}

// Text is the comparison as plain lines: what it says, then class by class.
func (c *Comparison) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s → %s on %s\n", c.Subjects[0], c.Subjects[1], c.Split)
	for _, s := range c.Sentences {
		b.WriteString(s + "\n")
	}
	b.WriteByte('\n')
	conditions, objects := c.Grouped()
	for _, g := range []struct {
		title string
		pairs Ordered[Pair]
	}{{"class", c.Classes}, {"condition", conditions}, {"object", objects}} {
		if len(g.pairs) == 0 {
			continue
		}
		rows := [][]string{{g.title, "n", c.Subjects[0], c.Subjects[1], "points"}}
		for _, p := range g.pairs {
			v := p.Value
			if v.Support == 0 {
				rows = append(rows, []string{printable.Line(p.Name), "0", "–", "–", "–"})
				continue
			}
			rows = append(rows, []string{printable.Line(p.Name), strconv.Itoa(v.Support), percent(v.Recall[0]),
				percent(v.Recall[1]), signed(100 * (v.Recall[1] - v.Recall[0]))})
		}
		b.WriteString(printable.Table(rows) + "\n")
	}
	for _, list := range []struct {
		what string
		ids  []string
	}{{"only in " + c.Subjects[0], c.OnlyInFirst}, {"only in " + c.Subjects[1], c.OnlyInSecond},
		{"another truth", c.TruthDiffers}} {
		if len(list.ids) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", list.what, strings.Join(list.ids, ", "))
		}
	}
	return b.String()
}

// Text is the board as plain lines: a column for each subject, then the pairs.
func (b *Board) Text() string {
	if len(b.Subjects) == 0 {
		return ""
	}
	rows := [][]string{{""}, {"items"}, {"accuracy"}, {"95 %"}, {"macro-F1"}, {"95 %"}, {"balanced accuracy"},
		{"unparsed"}, {"seconds an answer"}, {"targets"}}
	for _, s := range b.Subjects {
		met := "not met"
		if s.Met {
			met = "met"
		}
		for i, cell := range []string{s.Subject, strconv.Itoa(s.N), percent(s.Accuracy), span(s.AccuracyInterval),
			fmt.Sprintf("%.3f", s.MacroF1), fraction(s.MacroF1Interval),
			percent(s.BalancedAccuracy), strconv.Itoa(s.Unparsed), fmt.Sprintf("%.3f", s.SecondsPerAnswer), met} {
			rows[i] = append(rows[i], cell)
		}
	}
	for _, kind := range []func(Summary) Ordered[Group]{func(s Summary) Ordered[Group] { return s.Conditions },
		func(s Summary) Ordered[Group] { return s.Classes }} {
		for _, g := range kind(b.Subjects[0]) {
			row := []string{fmt.Sprintf("%s (%d)", printable.Line(g.Name), g.Value.Support)}
			for _, s := range b.Subjects {
				cell := "–"
				if v, ok := kind(s).Get(g.Name); ok && v.Support > 0 {
					cell = percent(v.Exact)
				}
				row = append(row, cell)
			}
			rows = append(rows, row)
		}
	}
	var out strings.Builder
	out.WriteString(printable.Table(rows))
	for i := range b.Pairs {
		c := &b.Pairs[i]
		fmt.Fprintf(&out, "\n%s → %s\n", c.Subjects[0], c.Subjects[1])
		for _, s := range c.Sentences {
			out.WriteString(s + "\n")
		}
	}
	return out.String()
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// span writes an interval of shares in percent.
func span(i *Interval) string {
	if i == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f–%.1f", 100*i[0], 100*i[1])
}

// fraction writes an interval of scores that are not spoken of in percent.
func fraction(i *Interval) string {
	if i == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f–%.3f", i[0], i[1])
}

func withInterval(value string, i *Interval) string {
	if i == nil {
		return value
	}
	return value + " (95 %: " + span(i) + ")"
}

// signed writes points with their sign; a true minus, as beside a dash a hyphen is lost.
func signed(points float64) string {
	s := fmt.Sprintf("%+.1f", points)
	if s == "-0.0" || s == "+0.0" {
		return "0.0"
	}
	return strings.Replace(s, "-", "−", 1)
}

func points(i *Interval) string {
	if i == nil {
		return "–"
	}
	return signed(100*i[0]) + " to " + signed(100*i[1])
}

func pText(p float64) string {
	if p < 0.001 {
		return "< 0.001"
	}
	text := strconv.FormatFloat(p, 'f', 3, 64)
	if shown, err := strconv.ParseFloat(text, 64); err == nil && (shown < Told) != (p < Told) {
		return strconv.FormatFloat(p, 'g', 6, 64) // rounded it would contradict what is said of it
	}
	return text
}

func items(n int) string { return dataset.Counted(n, "item", "items") }
