package eval

import (
	"fmt"
	"math"
	"strings"

	"finetui/core/dataset"
	"finetui/core/printable"
)

// ClosedSet is a second way to read a subject: what it would say, had it to choose among the names of the closed list.
// The answer is the class with the highest ln p(name) − τ·ln π, where π is the class's share of the training draw: with
// τ 0 the likeliest name, with τ 1 logit adjustment (Menon et al., ICLR 2021, arXiv 2007.07314).
type ClosedSet struct {
	Tau                      float64   `json:"tau"`
	Accuracy                 float64   `json:"accuracy"`
	AccuracyInterval         *Interval `json:"accuracy_interval"`
	BalancedAccuracy         float64   `json:"balanced_accuracy"`
	BalancedAccuracyInterval *Interval `json:"balanced_accuracy_interval"`
	MacroF1                  float64   `json:"macro_f1"`
	MacroF1Interval          *Interval `json:"macro_f1_interval"`
	// items that it alone has right, and that the answers as said alone have right; McNemar's exact p of the two
	Gained int     `json:"gained"`
	Lost   int     `json:"lost"`
	P      float64 `json:"p"`
	// of each item, in the order of Items
	Answers []string `json:"answers"`
	// recall of each class, in the order of the closed list
	Recall Ordered[Proportion] `json:"recall"`
}

// Proportion is a share of items with Wilson's interval.
type Proportion struct {
	Right    int       `json:"right"`
	N        int       `json:"n"`
	Share    float64   `json:"share"`
	Interval *Interval `json:"interval"`
}

// ScoreClosedSet adds to a result what choosing among the closed list comes to. items and o are those that were scored,
// logProbs [items][classes] ln p of each name, prior [classes] each class's share of the training draw.
func (r *Result) ScoreClosedSet(items []Item, classes []dataset.Class, logProbs [][]float64, prior []float64,
	tau float64, o Options) error {
	if tau != 0 {
		for c, p := range prior {
			if !(p > 0) {
				return fmt.Errorf("class %q has the prior %v: it is a share above 0", classes[c].Name, p)
			}
		}
	}
	chosen := make([]Item, len(items))
	for i, it := range items {
		it.Answer = classes[adjusted(logProbs[i], prior, tau)].Name
		chosen[i] = it
	}
	s, err := Score(chosen, classes, o)
	if err != nil {
		return err
	}
	set := ClosedSet{Tau: tau, Accuracy: s.Accuracy, AccuracyInterval: s.AccuracyInterval,
		BalancedAccuracy: s.BalancedAccuracy, BalancedAccuracyInterval: s.BalancedAccuracyInterval,
		MacroF1: s.MacroF1, MacroF1Interval: s.MacroF1Interval}
	for i, a := range s.Items {
		set.Answers = append(set.Answers, a.Parsed)
		switch {
		case a.Right && !r.Items[i].Right:
			set.Gained++
		case !a.Right && r.Items[i].Right:
			set.Lost++
		}
	}
	set.P = McNemar(set.Lost, set.Gained)
	for _, g := range s.Classes {
		set.Recall = append(set.Recall, Named[Proportion]{g.Name,
			Proportion{g.Value.Right, g.Value.Support, g.Value.Recall, g.Value.Interval}})
	}
	r.ClosedSets = append(r.ClosedSets, set)
	return nil
}

// adjusted is the class with the highest ln p − τ·ln π; of equals the first.
func adjusted(logProbs, prior []float64, tau float64) int {
	best, most := 0, math.Inf(-1)
	for c, v := range logProbs {
		if tau != 0 {
			v -= tau * math.Log(prior[c])
		}
		if v > most {
			best, most = c, v
		}
	}
	return best
}

// closedText are the closed sets beside the answers as they were said, as plain lines.
func (r *Result) closedText() string {
	if len(r.ClosedSets) == 0 {
		return ""
	}
	rows := [][]string{{"answer", "accuracy", "95 %", "balanced", "95 %", "macro-F1", "95 %", "gained", "lost", "p"},
		{"as said", percent(r.Accuracy), span(r.AccuracyInterval), percent(r.BalancedAccuracy),
			span(r.BalancedAccuracyInterval), fmt.Sprintf("%.3f", r.MacroF1), fraction(r.MacroF1Interval), "", "", ""}}
	for _, s := range r.ClosedSets {
		rows = append(rows, []string{s.Title(), percent(s.Accuracy), span(s.AccuracyInterval),
			percent(s.BalancedAccuracy), span(s.BalancedAccuracyInterval), fmt.Sprintf("%.3f", s.MacroF1),
			fraction(s.MacroF1Interval), fmt.Sprint(s.Gained), fmt.Sprint(s.Lost), fmt.Sprintf("%.2g", s.P)})
	}
	var b strings.Builder
	b.WriteString(printable.Table(rows))
	head := []string{"recall", "n", "as said"}
	for _, s := range r.ClosedSets {
		head = append(head, s.Title(), "95 %")
	}
	classes := [][]string{head}
	for i, g := range r.Classes {
		if g.Value.Support == 0 {
			continue
		}
		row := []string{printable.Line(g.Name), fmt.Sprint(g.Value.Support), percent(g.Value.Recall)}
		for _, s := range r.ClosedSets {
			v := s.Recall[i].Value
			row = append(row, percent(v.Share), span(v.Interval))
		}
		classes = append(classes, row)
	}
	b.WriteString("\n" + printable.Table(classes))
	return b.String()
}

// Title says how the answers were chosen.
func (s ClosedSet) Title() string {
	if s.Tau == 0 {
		return "likeliest name"
	}
	return fmt.Sprintf("adjusted, τ %g", s.Tau)
}
