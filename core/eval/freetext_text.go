package eval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"finetui/core/dataset"
	"finetui/core/eval/textmetric"
	"finetui/core/printable"
)

// Text is the result as plain lines.
func (r *FreeTextResult) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s: %s\n", printable.Line(r.Subject), printable.Line(r.Split), items(r.N))
	line := func(note string) {
		if note != "" {
			b.WriteString(note + "\n")
		}
	}
	line(r.failedText())
	fmt.Fprintf(&b, "exercise identified  %s%s\n", r.identifiedText(), r.toldMark())
	fmt.Fprintf(&b, "METEOR               %s, %s\n", meanOf(r.METEOR, r.METEORInterval), meteorText(r.Synonyms))
	fmt.Fprintf(&b, "ROUGE-L F1           %s\n", meanOf(r.ROUGEL, r.ROUGELInterval))
	fmt.Fprintf(&b, "perfect answers would score METEOR %.3f, ROUGE-L %.3f", r.SelfTest.METEOR, r.SelfTest.ROUGEL)
	if r.SelfTest.Identified > 0 {
		fmt.Fprintf(&b, ", exercise identified %s", percent(r.SelfTest.Identified))
	}
	b.WriteByte('\n')
	fmt.Fprintf(&b, "%.3f s an answer", r.SecondsPerAnswer)
	if r.TokensPerSecond > 0 {
		fmt.Fprintf(&b, " · %.1f tokens/s", r.TokensPerSecond)
	}
	b.WriteByte('\n')
	line(r.toldText())
	line(r.unnamedText())
	line(r.latinText())
	b.WriteByte('\n')
	rows := [][]string{{"exercise", "n", "identified", "95 %", "METEOR", "95 %", "ROUGE-L", "95 %"}}
	for _, e := range r.Exercises {
		f := e.Value
		rows = append(rows, []string{exerciseName(e.Name), strconv.Itoa(f.N),
			orDash(f.Named, percent(f.IdentifiedShare)), span(f.IdentifiedInterval),
			fmt.Sprintf("%.3f", f.METEOR), fraction(f.METEORInterval), fmt.Sprintf("%.3f", f.ROUGEL),
			fraction(f.ROUGELInterval)})
	}
	b.WriteString(printable.Table(rows))
	line(r.fewText())
	return b.String()
}

// Notes are what is to be borne in mind with the figures, a sentence each.
func (r *FreeTextResult) Notes() (notes []string) {
	for _, note := range []string{r.failedText(), r.toldText(), r.unnamedText(), r.latinText(), r.fewText()} {
		if note != "" {
			notes = append(notes, note)
		}
	}
	return notes
}

func (r *FreeTextResult) failedText() string {
	if r.Failed == 0 {
		return ""
	}
	return dataset.Counted(r.Failed, "item more has", "items more have") +
		" no answer: counted in none of the figures"
}

// toldMark stands behind the share identified where prompts name the exercise.
func (r *FreeTextResult) toldMark() string {
	switch n := r.ExerciseTold(); n {
	case 0:
		return ""
	case r.Named:
		return ", named by the prompt"
	default:
		return fmt.Sprintf(", %d of them named by the prompt", n)
	}
}

func (r *FreeTextResult) toldText() string {
	n := r.ExerciseTold()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("The prompt names the exercise in %d of %d: to identify it there is to repeat it.", n, r.Named)
}

func (r *FreeTextResult) unnamedText() string {
	if r.Named == r.N {
		return ""
	}
	return fmt.Sprintf("%s no exercise (no \"%s\"): not counted as identified or not",
		dataset.Counted(r.N-r.Named, "expected answer names", "expected answers name"), exerciseEnd)
}

func (r *FreeTextResult) latinText() string {
	if r.TruthsWithoutLatin+r.AnswersWithoutLatin == 0 {
		return ""
	}
	return fmt.Sprintf("%s and %s no letter a–z and no digit: ROUGE-L sees no word there and is 0",
		dataset.Counted(r.TruthsWithoutLatin, "expected answer", "expected answers"),
		dataset.Counted(r.AnswersWithoutLatin, "answer has", "answers have"))
}

func (r *FreeTextResult) fewText() string {
	if !slices.ContainsFunc(r.Exercises, func(e Named[FreeTextFigures]) bool {
		return e.Value.METEORInterval != nil && e.Value.N < fewItems
	}) {
		return ""
	}
	return fmt.Sprintf("A bootstrap of fewer than %d items gives METEOR and ROUGE-L too narrow an interval.", fewItems)
}

// exerciseName is an exercise as it is shown.
func exerciseName(name string) string {
	if name == "" {
		return "(none named)"
	}
	return printable.Line(name)
}

// fewItems are too few for the percentiles of a bootstrap: its samples repeat each other.
const fewItems = 10

func (f FreeTextFigures) identifiedText() string {
	if f.Named == 0 {
		return "– (no expected answer names one)"
	}
	return fmt.Sprintf("%s of %d", withInterval(percent(f.IdentifiedShare), f.IdentifiedInterval), f.Named)
}

func meanOf(value float64, i *Interval) string {
	if i == nil {
		return fmt.Sprintf("%.3f", value)
	}
	return fmt.Sprintf("%.3f (95 %%: %s)", value, fraction(i))
}

// meteorText says what METEOR matched by.
func meteorText(synonyms string) string {
	if synonyms == textmetric.NoSynonyms {
		return "words and stems, without WordNet's synonyms"
	}
	return "words, stems and the synonyms of " + printable.Line(synonyms)
}
