package eval

import "fmt"

// Board is several subjects side by side, and every pair of them compared: the content of compare.json.
type Board struct {
	Schema   int          `json:"schema"`
	Subjects []Summary    `json:"subjects"`
	Pairs    []Comparison `json:"pairs"`
}

// Summary is one subject's own figures, on all its items.
type Summary struct {
	Subject          string         `json:"subject"`
	Split            string         `json:"split"`
	N                int            `json:"n"`
	Accuracy         float64        `json:"accuracy"`
	AccuracyInterval *Interval      `json:"accuracy_interval"`
	MacroF1          float64        `json:"macro_f1"`
	MacroF1Interval  *Interval      `json:"macro_f1_interval"`
	BalancedAccuracy float64        `json:"balanced_accuracy"`
	Unparsed         int            `json:"unparsed"`
	SecondsPerAnswer float64        `json:"seconds_per_answer"`
	Classes          Ordered[Group] `json:"classes"`
	Conditions       Ordered[Group] `json:"conditions"`
	Met              bool           `json:"success_met"`
}

// CompareAll compares every pair. constants names what differs between the results at two indices; it may be nil.
// Where there are several pairs each p is also given adjusted for that (Holm).
func CompareAll(results []*Result, constants func(a, b int) []string, seed uint64) (*Board, error) {
	if len(results) < 2 {
		return nil, fmt.Errorf("a comparison needs two evaluations, got %d", len(results))
	}
	b := &Board{Schema: Schema}
	for _, r := range results {
		b.Subjects = append(b.Subjects, Summary{
			Subject: r.Subject, Split: r.Split, N: r.N,
			Accuracy: r.Accuracy, AccuracyInterval: r.AccuracyInterval,
			MacroF1: r.MacroF1, MacroF1Interval: r.MacroF1Interval,
			BalancedAccuracy: r.BalancedAccuracy, Unparsed: r.Unparsed, SecondsPerAnswer: r.SecondsPerAnswer,
			Classes: r.Classes, Conditions: r.Conditions, Met: r.Success.Met,
		})
	}
	var p []float64
	for i := range results {
		for j := i + 1; j < len(results); j++ {
			var differ []string
			if constants != nil {
				differ = constants(i, j)
			}
			c, err := Compare(results[i], results[j], differ, seed)
			if err != nil {
				return nil, err
			}
			b.Pairs = append(b.Pairs, *c)
			p = append(p, c.P)
		}
	}
	if len(p) > 1 {
		for i, adjusted := range holm(p) {
			pair := &b.Pairs[i]
			pair.PHolm = adjusted
			if pair.Tells() && adjusted >= Told {
				pair.Sentences = append(pair.Sentences,
					fmt.Sprintf("With %d pairs looked at together p is %s (Holm): not enough to tell them apart.",
						len(p), pText(adjusted)))
			}
		}
	}
	return b, nil
}

// WriteJSON writes compare.json, all of it or nothing.
func (b *Board) WriteJSON(path string) error { return writeJSON(path, b) }
