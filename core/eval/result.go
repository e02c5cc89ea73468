package eval

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"finetui/core/dataset"
	"finetui/core/disk"
	"finetui/ml/wholefile"
)

// Schema is the version of eval/SPLIT.json and compare.json.
const Schema = 1

// UnparsedLabel stands where a class name would, for an answer that names none.
const UnparsedLabel = "unparsed"

// Result is what is known of one subject (a run or a base) on one split: the content of eval/SPLIT.json.
// Intervals are of 95 %: Wilson's for proportions, a bootstrap's percentiles for everything else; null where there is
// nothing to estimate from.
type Result struct {
	Schema  int    `json:"schema"`
	Subject string `json:"subject"`
	Split   string `json:"split"`
	N       int    `json:"n"`
	// Data names all that was asked and expected: two results with the same one answer the same items. Empty in results
	// of earlier versions.
	Data string `json:"data_fingerprint,omitempty"`
	// Constants is the SHA-256 of eval/SPLIT.toml, which has the constants that were asked with.
	Constants string `json:"constants,omitempty"`

	Accuracy         float64   `json:"accuracy"`
	AccuracyInterval *Interval `json:"accuracy_interval"`
	MacroF1          float64   `json:"macro_f1"` // over the classes that have a true item
	MacroF1Interval  *Interval `json:"macro_f1_interval"`
	MacroF1Classes   int       `json:"macro_f1_classes"` // how many those are
	// over the whole closed list; a class without support counts 0
	MacroF1AllClasses float64 `json:"macro_f1_all_classes"`
	// mean recall over the classes that have a true item
	BalancedAccuracy         float64   `json:"balanced_accuracy"`
	BalancedAccuracyInterval *Interval `json:"balanced_accuracy_interval"`
	MCC                      float64   `json:"mcc"`   // unparsed is one more label
	Kappa                    float64   `json:"kappa"` // likewise
	Unparsed                 int       `json:"unparsed"`

	Classes    Ordered[Group] `json:"classes"`
	Conditions Ordered[Group] `json:"conditions"`
	Objects    Ordered[Group] `json:"objects"`
	Confusion  Confusion      `json:"confusion"`
	Success    Success        `json:"success"`

	// ClosedSets are other readings of the same subject, never instead of what it said (EVAL.PRIOR_TAU).
	ClosedSets []ClosedSet `json:"closed_sets,omitempty"`

	SecondsPerAnswer float64  `json:"seconds_per_answer"`
	SelfTest         float64  `json:"self_test"` // accuracy of a perfect model
	Resamples        int      `json:"resamples"` // of the bootstrap
	ClosedList       []Label  `json:"closed_list"`
	Items            []Answer `json:"items"`
}

// Group is a class, a condition or an object type. Precision and recall compare the group of the truth with the group
// of the answer: a damaged toe drain called a damaged rock toe is right as a condition.
type Group struct {
	Support           int       `json:"support"`
	Predicted         int       `json:"predicted"`
	Right             int       `json:"right"`
	Precision         float64   `json:"precision"`
	Recall            float64   `json:"recall"`
	F1                float64   `json:"f1"`
	Interval          *Interval `json:"interval"` // of the recall
	PrecisionInterval *Interval `json:"precision_interval"`
	F1Interval        *Interval `json:"f1_interval"` // bootstrap

	// Exact asks for the class itself, among the group's true items.
	ExactRight    int       `json:"exact_class_right"`
	Exact         float64   `json:"exact_class_accuracy"`
	ExactInterval *Interval `json:"exact_class_interval"`
}

// Confusion counts answers: a row for each true class, a column for each answered one and a last one for unparsed.
type Confusion struct {
	Labels []string `json:"labels"` // of the columns; without the last one, of the rows
	Rows   [][]int  `json:"rows"`
}

// Target is an accuracy against what was asked of it.
type Target struct {
	Support  int       `json:"support"`
	Accuracy float64   `json:"accuracy"` // of the exact class
	Interval *Interval `json:"interval"`
	AtLeast  float64   `json:"at_least"`
	Met      bool      `json:"met"`
	Certain  bool      `json:"certain"` // the interval's lower end meets it, too
}

// Success is EVAL.SUCCESS_OVERALL and EVAL.SUCCESS_CONDITION. A
// condition without a true item is not judged and not listed.
type Success struct {
	Overall    Target          `json:"overall"`
	Conditions Ordered[Target] `json:"conditions"`
	Met        bool            `json:"met"` // all of them
}

// Label is an entry of the closed list.
type Label struct {
	Name      string `json:"name"`
	Object    string `json:"object"`
	Condition string `json:"condition"`
}

// Answer is one item as it was scored.
type Answer struct {
	ID       string  `json:"id"`
	Expected string  `json:"expected"`
	Answer   string  `json:"answer"`
	Parsed   string  `json:"parsed"` // a class name, or UnparsedLabel
	Right    bool    `json:"right"`
	Seconds  float64 `json:"seconds"`
}

// WriteJSON writes eval/SPLIT.json, all of it or nothing.
func (r *Result) WriteJSON(path string) error { return writeJSON(path, r) }

// WriteCSV writes one row for each answer.
func (r *Result) WriteCSV(path string) error {
	var text strings.Builder
	w := csv.NewWriter(&text)
	rows := [][]string{{"id", "expected", "answer", "parsed", "right", "seconds"}}
	for _, s := range r.ClosedSets {
		rows[0] = append(rows[0], s.Title())
	}
	for i, a := range r.Items {
		row := []string{a.ID, a.Expected, a.Answer, a.Parsed, strconv.FormatBool(a.Right),
			strconv.FormatFloat(a.Seconds, 'g', -1, 64)}
		for _, s := range r.ClosedSets {
			row = append(row, s.Answers[i])
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return wholefile.Write(path, []byte(text.String()))
}

// Read reads a Result that WriteJSON wrote.
func Read(path string) (*Result, error) {
	data, err := wholefile.Read(path, wholefile.Text)
	if err != nil {
		return nil, fmt.Errorf("no evaluation to read: %w", err)
	}
	if kind := kindOf(data); kind != "" {
		return nil, otherKind(path, kind, "")
	}
	if err := intact(path, data); err != nil {
		return nil, err
	}
	var r Result
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s is no evaluation (%w): evaluate again", path, err)
	}
	if r.Schema < 1 || r.Schema > Schema {
		return nil, fmt.Errorf("%s has schema %d, this program reads up to %d: evaluate again", path, r.Schema, Schema)
	}
	return &r, nil
}

func writeJSON(path string, v any) error {
	data, err := disk.Seal(v, " ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := disk.OwnJSON(path, "schema"); err != nil {
		return err
	}
	return wholefile.Write(path, data)
}

// OfFreeText says that nothing was asked that a closed list answers: its figures say nothing then.
func (r *Result) OfFreeText() bool {
	return len(r.ClosedList) == 1 && r.ClosedList[0].Name == dataset.FreeText
}
