package eval

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"finetui/core/disk"
	"finetui/ml/wholefile"
)

// DamagedError says that a file is no result as it was written: cut off, changed, or another program's.
type DamagedError struct{ Path, Text string }

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged: %s; evaluate again", e.Path, e.Text)
}

// WriteJSON writes eval/SPLIT.json, all of it or nothing.
func (r *FreeTextResult) WriteJSON(path string) error { return writeJSON(path, r) }

// WriteCSV writes the batch rows: one for each item, failed ones too.
func (r *FreeTextResult) WriteCSV(path string) error {
	var text strings.Builder
	w := csv.NewWriter(&text)
	rows := [][]string{{"video_path", "prompt", "ground_truth", "prediction", "generated_tokens", "generation_time",
		"tokens_per_second", "status", "error"}}
	for _, a := range r.Items {
		rows = append(rows, []string{a.Video, a.Prompt, a.Truth, a.Answer, strconv.Itoa(a.Tokens), number(a.Seconds),
			number(a.TokensPerSecond), a.Status, a.Error})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return wholefile.Write(path, []byte(text.String()))
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// ReadFreeText reads a result that WriteJSON wrote. What does not agree with itself is a *DamagedError: the figures are
// counted again from the items.
func ReadFreeText(path string) (*FreeTextResult, error) {
	data, err := wholefile.Read(path, wholefile.Text)
	if err != nil {
		return nil, fmt.Errorf("no evaluation to read: %w", err)
	}
	return decodeFreeText(path, data)
}

func decodeFreeText(path string, data []byte) (*FreeTextResult, error) {
	var r FreeTextResult
	if err := decodeWhole(path, data, FreeTextKind, &r); err != nil {
		return nil, err
	}
	if text := r.fault(); text != "" {
		return nil, &DamagedError{path, text}
	}
	r.countTold()
	return &r, intact(path, data)
}

// intact is the error for a result that is not the one which was written.
func intact(path string, data []byte) error {
	if _, _, broken := disk.Unseal(data); broken != nil {
		return &DamagedError{path, broken.Error()}
	}
	return nil
}

// decodeWhole decodes one JSON object of a kind, with no field that is unknown and nothing behind it.
func decodeWhole(path string, data []byte, kind string, into any) error {
	var head struct {
		Schema int
		Kind   string
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return &DamagedError{path, "it is no whole JSON object"}
	}
	if head.Kind != kind {
		return otherKind(path, head.Kind, kind)
	}
	if head.Schema < 1 || head.Schema > Schema {
		return fmt.Errorf("%s has schema %d, this program reads up to %d: evaluate again", path, head.Schema, Schema)
	}
	object, _, _ := disk.Unseal(data) // intact holds it against its checksum, once its figures had their say
	d := json.NewDecoder(bytes.NewReader(object))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return &DamagedError{path, fieldText(err)}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &DamagedError{path, "something follows the result"}
	}
	return nil
}

// kindOf is the kind that a result says it is of; "" for one of a closed list, and for what is no result.
func kindOf(data []byte) string {
	var head struct{ Kind string }
	if json.Unmarshal(data, &head) != nil {
		return ""
	}
	return head.Kind
}

func otherKind(path, found, wanted string) error {
	return fmt.Errorf("%s holds another kind of evaluation (%s, not %s): evaluate again", path, kindText(found),
		kindText(wanted))
}

func kindText(kind string) string {
	switch kind {
	case FreeTextKind:
		return "free text"
	case TimedKind:
		return "timed feedback"
	case "":
		return "a closed list"
	}
	return strconv.Quote(kind)
}

// fieldText says in which field the decoder stopped.
func fieldText(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("the field %q holds a %s", wrong.Field, wrong.Value)
	}
	return "it has fields that no result has"
}

// fault says what in a result does not agree with its items; "" where everything does.
func (r *FreeTextResult) fault() string {
	seen := make(map[string]bool, len(r.Items))
	for _, a := range r.Items {
		failed := a.Status == NoAnswer && a.Error != "" && !a.Named && !a.Identified && a.METEOR == 0 && a.ROUGEL == 0
		switch {
		case seen[a.ID]:
			return fmt.Sprintf("item %s is there twice", a.ID)
		case a.Status == Answered && a.Error != "", a.Status != Answered && !failed:
			return fmt.Sprintf("item %s has the status %q, which its other fields deny", a.ID, a.Status)
		case !(a.METEOR >= 0 && a.METEOR <= 1) || !(a.ROUGEL >= 0 && a.ROUGEL <= 1):
			return fmt.Sprintf("item %s has scores outside 0 to 1", a.ID)
		case a.Seconds < 0 || a.Tokens < 0:
			return fmt.Sprintf("item %s took %v seconds for %d tokens", a.ID, a.Seconds, a.Tokens)
		case a.Status == Answered && a.Named != (namedExercise(a.Truth) != ""),
			a.Identified != (a.Named && identifies(a.Answer, namedExercise(a.Truth))):
			return fmt.Sprintf("item %s does not say what its texts say of the exercise", a.ID)
		}
		seen[a.ID] = true
	}
	switch {
	case r.Synonyms == "":
		return "it does not say how METEOR was measured"
	case !r.SelfTest.same(perfectText(r.Items)):
		return "a perfect model's figures are not those of its expected answers"
	case r.Resamples < 0 || (r.METEORInterval == nil) != (r.Resamples == 0 || r.N < 2):
		return fmt.Sprintf("%d resamples do not go with its intervals", r.Resamples)
	}
	again := FreeTextResult{Items: r.Items}
	again.sumUp()
	if r.Failed != again.Failed || r.TruthsWithoutLatin != again.TruthsWithoutLatin ||
		r.AnswersWithoutLatin != again.AnswersWithoutLatin || !same(r.SecondsPerAnswer, again.SecondsPerAnswer) ||
		!same(r.TokensPerSecond, again.TokensPerSecond) {
		return "its counts are not those of its items"
	}
	if text := r.FreeTextFigures.fault(again.FreeTextFigures); text != "" {
		return "overall, " + text
	}
	if len(r.Exercises) != len(again.Exercises) {
		return fmt.Sprintf("it lists %d exercises, its items have %d", len(r.Exercises), len(again.Exercises))
	}
	for i, e := range r.Exercises {
		if e.Name != again.Exercises[i].Name {
			return fmt.Sprintf("the exercise %q stands where %q belongs", e.Name, again.Exercises[i].Name)
		}
		if text := e.Value.fault(again.Exercises[i].Value); text != "" {
			return fmt.Sprintf("for %q %s", e.Name, text)
		}
	}
	return ""
}

// fault compares figures with those that were counted again.
func (f FreeTextFigures) fault(again FreeTextFigures) string {
	switch {
	case f.N != again.N || f.Named != again.Named || f.Identified != again.Identified:
		return fmt.Sprintf("%d of %d identified is not what its items say (%d of %d)", f.Identified, f.Named,
			again.Identified, again.Named)
	case !same(f.METEOR, again.METEOR) || !same(f.ROUGEL, again.ROUGEL) ||
		!same(f.IdentifiedShare, again.IdentifiedShare):
		return "the means are not those of its items"
	case !around(f.METEORInterval) || !around(f.ROUGELInterval) || !around(f.IdentifiedInterval):
		return "an interval is none"
	}
	return ""
}

// same allows for another order of adding up.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) }

// around tells whether an interval of shares is one.
func around(i *Interval) bool { return i == nil || 0 <= i[0] && i[0] <= i[1] && i[1] <= 1 }

func (p PerfectText) same(o PerfectText) bool {
	return same(p.METEOR, o.METEOR) && same(p.ROUGEL, o.ROUGEL) && same(p.Identified, o.Identified)
}
