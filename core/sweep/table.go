package sweep

import (
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"finetui/core/dataset"
	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/core/session"
)

// Compare compares the variants over the seeds that are scored, the first variant being the reference. nil where fewer
// than two have one, or the reference has none.
func (s *Sweep) Compare(ctx context.Context, st Status) (*eval.RecipeComparison, error) {
	var recipes []session.Recipe
	for _, v := range s.Plan.Variants() {
		r := session.Recipe{Name: v.Name}
		for _, c := range st.Cells {
			if c.Variant == v.Name && c.State == Scored {
				r.Runs = append(r.Runs, c.Run.Label())
			}
		}
		switch {
		case len(r.Runs) > 0:
			recipes = append(recipes, r)
		case len(recipes) == 0:
			return nil, nil
		}
	}
	if len(recipes) < 2 {
		return nil, nil
	}
	file, err := s.Constants()
	if err != nil {
		return nil, err
	}
	of, err := session.Open(ctx, file, nil)
	if err != nil {
		return nil, err
	}
	defer of.Close()
	return of.CompareRecipes(recipes, s.Plan.Split)
}

// Says is an experiment's state in a word or two.
func (c Cell) Says() string {
	switch {
	case c.State == Scored || c.Run == nil:
		return c.State
	case c.Run.Info.Steps > 0 && c.Step > 0:
		return fmt.Sprintf("%s %d/%d", c.State, c.Step, c.Run.Info.Steps)
	}
	return c.State
}

// Table has a row for each variant and a column for each seed: macro-F1 of what is scored, and the state of what is
// not. The last column is mean ± standard deviation.
func (s *Sweep) Table(st Status, c *eval.RecipeComparison) [][]string {
	head := []string{"macro-F1 on " + s.Plan.Split}
	for _, seed := range s.Plan.Seeds {
		head = append(head, fmt.Sprintf("seed %d", seed))
	}
	rows := [][]string{append(head, "mean ± sd")}
	for _, v := range s.Plan.Variants() {
		row := []string{v.Name}
		for _, cell := range st.Cells {
			if cell.Variant != v.Name {
				continue
			}
			text := cell.Says()
			if r := cell.Result; r != nil {
				text = fmt.Sprintf("%.3f", r.MacroF1)
			}
			row = append(row, text)
		}
		mean := ""
		if c != nil {
			for _, sum := range c.Variants {
				if sum.Name == v.Name {
					if mean = fmt.Sprintf("%.3f", sum.Mean); sum.SD != nil {
						mean += fmt.Sprintf(" ± %.3f", *sum.SD)
					}
				}
			}
		}
		rows = append(rows, append(row, mean))
	}
	return rows
}

// Title is what a sweep is and how far it has come, in a line.
func (s *Sweep) Title(st Status) string {
	done, of := st.Done()
	state := "at work"
	switch {
	case done == of:
		state = "done"
	case !st.Live && st.Paused:
		state = "paused"
	case !st.Live:
		state = "not at work: finetui sweep " + s.Plan.Name + " go"
	case st.Paused:
		state = "paused: what is under way goes on"
	}
	return fmt.Sprintf("%s: %d variants, seeds %s, scored on %s · %d of %d done · %s", s.Plan.Name,
		len(s.Plan.Variants()), strings.Trim(fmt.Sprint(s.Plan.Seeds), "[]"), s.Plan.Split, done, of, state)
}

// Underway is how the machine is divided, what is being made and what comes next; "" where nothing is at work.
func (s *Sweep) Underway(st Status) string {
	if !st.Live {
		return ""
	}
	var now, next []string
	left := 0
	for _, seed := range s.Plan.Seeds {
		for _, c := range st.Cells {
			if c.Seed != seed {
				continue
			}
			name := fmt.Sprintf("%s, seed %d", c.Variant, c.Seed)
			switch {
			case c.State == Waiting:
				if left++; len(next) < 2 {
					next = append(next, name)
				}
			case c.State != Scored && c.State != Skipped && c.State != GivenUp:
				name += " (" + c.Says()
				if c.GPU != "" {
					name += ", GPU " + c.GPU
				}
				now = append(now, name+")")
			}
		}
	}
	text := st.Share.String()
	if len(now) > 0 {
		text += " Under way: " + strings.Join(now, "; ") + "."
	}
	switch more := left - len(next); {
	case st.Paused && left > 0:
		text += fmt.Sprintf(" Paused: %s.", dataset.Counted(left, "waits", "wait"))
	case more > 0:
		text += fmt.Sprintf(" Next: %s; and %d more.", strings.Join(next, "; "), more)
	case left > 0:
		text += fmt.Sprintf(" Next: %s.", strings.Join(next, "; "))
	}
	return text
}

// Text is a sweep in plain lines: table, forest plot, verdict, what went wrong.
func (s *Sweep) Text(st Status, c *eval.RecipeComparison) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", s.Title(st))
	b.WriteString(printable.Table(s.Table(st, c)))
	if now := s.Underway(st); now != "" {
		fmt.Fprintf(&b, "\n%s\n", printable.Line(now))
	}
	if c != nil {
		b.WriteString("\n" + strings.Join(c.Forest(90), "\n") + "\n\n")
		for _, sentence := range c.Sentences {
			b.WriteString(sentence + "\n")
		}
		fmt.Fprintf(&b, "(%s)\n", c.Method)
	}
	for _, cell := range st.Cells {
		if cell.State == GivenUp {
			fmt.Fprintf(&b, "%s, seed %d is given up: %s\n", printable.Line(cell.Variant), cell.Seed,
				printable.Line(cell.Reason))
		}
	}
	return b.String()
}

// Endings are those of the files that a sweep is exported to.
var Endings = []string{".md", ".csv", ".png"}

// Export is a sweep as a file of one of the Endings.
func (s *Sweep) Export(ending string, st Status, c *eval.RecipeComparison) ([]byte, error) {
	switch ending {
	case ".md":
		return []byte(s.Markdown(st, c)), nil
	case ".csv":
		text, err := s.CSV(st)
		return []byte(text), err
	case ".png":
		return s.PNG(st, c)
	}
	return nil, fmt.Errorf("a sweep is exported to a file that ends with %s, not with %q",
		strings.Join(Endings, ", "), ending)
}

// Markdown is a sweep as a report.
func (s *Sweep) Markdown(st Status, c *eval.RecipeComparison) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Sweep %s\n\n%s\n\n", s.Plan.Name, s.Title(st))
	for _, a := range s.Plan.Axes {
		fmt.Fprintf(&b, "- `%s`: %s\n", a.Key, strings.Join(a.Values, ", "))
	}
	b.WriteString("\n")
	for i, row := range s.Table(st, c) {
		for k := range row {
			row[k] = strings.ReplaceAll(printable.Line(row[k]), "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	if c != nil {
		fmt.Fprintf(&b, "\n```\n%s\n```\n\n", strings.Join(c.Forest(100), "\n"))
		for _, sentence := range c.Sentences {
			fmt.Fprintf(&b, "%s\n\n", sentence)
		}
		fmt.Fprintf(&b, "Method: %s.\n", c.Method)
	}
	return b.String()
}

// CSV has a line for each experiment.
func (s *Sweep) CSV(st Status) (string, error) {
	head := []string{"variant", "seed", "run", "state", "found", "accuracy", "balanced_accuracy", "macro_f1"}
	for _, a := range s.Plan.Axes {
		head = append(head, a.Key)
	}
	rows := [][]string{head}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, v := range s.Plan.Variants() {
		for _, c := range st.Cells {
			if c.Variant != v.Name {
				continue
			}
			row := []string{v.Name, strconv.Itoa(c.Seed), "", c.State, strconv.FormatBool(c.Found), "", "", ""}
			if c.Run != nil {
				row[2] = c.Run.Label()
			}
			if r := c.Result; r != nil {
				row[5], row[6], row[7] = number(r.Accuracy), number(r.BalancedAccuracy), number(r.MacroF1)
			}
			for _, w := range v.Words {
				_, value, _ := strings.Cut(w, "=")
				row = append(row, value)
			}
			rows = append(rows, row)
		}
	}
	var b strings.Builder
	err := csv.NewWriter(&b).WriteAll(rows)
	return b.String(), err
}
