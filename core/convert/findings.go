package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/recipe"
)

// Codes of findings, beside those of what a dialect loses.
const (
	missingPicture = "missing_picture"
	longPicture    = "picture_too_long"
	copiedPicture  = "picture_copied"
	unfitRecord    = "record_unfit"
	smallWeight    = "weight_too_small"
	emptySplit     = "split_empty"
	sampling       = "sampling_written"
	noSampling     = "sampling_not_written"
	noFocal        = "loss_not_written"
	untoldObject   = "object_not_told"
	notTold        = "constant_not_told"
	weightsFolded  = "weights_as_copies"
	howToStart     = "how_to_start"
	summary        = "what_was_written"
)

// rulings are the level of a code and what to do.
var rulings = map[string]struct {
	level level.Level
	do    string
}{
	lostSystem: {level.Warn,
		"say it in CONVERT.USER_PROMPT_TEMPLATE, or choose a dialect with system turns"},
	lostWeight: {level.Warn,
		"choose ms-swift, train with this program, or set RECIPE.CLASS_WEIGHTS and CONDITION_WEIGHTS to none"},
	lostSupervision: {level.Warn, "choose ms-swift or trl, or leave such turns out"},
	missingPicture: {level.Error,
		"add the picture, or set CONVERT.KEEP_MISSING to write the record all the same"},
	longPicture: {level.Warn,
		"cut the picture into pieces, or show objects cut out (RECIPE.CONTEXT = \"crop\")"},
	copiedPicture: {level.Info, "nothing: hand on the folder with its media"},
	unfitRecord:   {level.Error, "correct the record, its class name or the template; it is left out"},
	smallWeight:   {level.Warn, "use milder weights (inverse_sqrt, effective_number), or none"},
	emptySplit:    {level.Warn, "nothing if it is meant to be; a file of an earlier call is left as it was"},
	sampling:      {level.Info, "set RECIPE.SAMPLING to instance where every sample is wanted once"},
	noSampling: {level.Warn,
		"let the trainer draw them so, choose another sampling, or train with this program"},
	notTold: {level.Info, "nothing if that is well; it is in the configuration's first lines, too"},
	weightsFolded: {level.Info,
		"set RECIPE.CLASS_WEIGHTS and CONDITION_WEIGHTS to none where every sample is wanted once"},
	noFocal: {level.Warn, "set the loss in the trainer, or train with this program"},
	untoldObject: {level.Warn,
		"put {prompt}, {position} or {x} and {y} into CONVERT.USER_PROMPT_TEMPLATE, or choose another RECIPE.CONTEXT"},
	summary:    {level.Info, "nothing"},
	howToStart: {level: level.Info}, // what to do depends on the trainer
}

// findings collects what is to be said: of each code the first record, and how many there are.
type findings struct {
	list   []dataset.Finding
	counts []int
	quiet  bool // of notes nothing is kept
}

// of notes a finding of one record; text says what is wrong with it, to be read behind its ID.
func (f *findings) of(s recipe.Sample, code, text string) {
	if f.quiet {
		return
	}
	if f.again(code) {
		return
	}
	file := s.Item.Labels
	if file == "" {
		file = s.Item.ID
	}
	f.add(dataset.Finding{Code: code, File: file, Line: s.Line(), Text: s.ID + " " + text}, 1)
}

// again counts one more record of a code, where there was one before: then its text is not asked for.
func (f *findings) again(code string) bool {
	i := slices.IndexFunc(f.list, func(x dataset.Finding) bool { return x.Code == code })
	if i >= 0 && !f.quiet {
		f.counts[i]++
	}
	return i >= 0
}

// all notes a finding of the conversion as a whole.
func (f *findings) all(code, text string) { f.add(dataset.Finding{Code: code, Text: text}, 0) }

// add fills in what the finding leaves to the ruling on its code.
func (f *findings) add(x dataset.Finding, count int) {
	x.Level = cmp.Or(x.Level, rulings[x.Code].level)
	x.Do = cmp.Or(x.Do, rulings[x.Code].do)
	f.list, f.counts = append(f.list, x), append(f.counts, count)
}

// result are the findings, the worst first. kept says that records without a picture were written.
func (f *findings) result(set *dataset.Dataset, kept bool) []dataset.Finding {
	what, _ := set.Words()
	out := make([]dataset.Finding, 0, len(f.list))
	for i, x := range f.list {
		if n := f.counts[i]; n > 1 {
			x.Text = fmt.Sprintf("%d records, first %s", n, x.Text)
		}
		switch {
		case x.Code == missingPicture && kept:
			x.Level, x.Do = level.Warn,
				"add the "+what+" before training; the record is written, as CONVERT.KEEP_MISSING says"
		case x.Code == missingPicture || x.Code == longPicture:
			x.Do = strings.ReplaceAll(x.Do, "picture", what)
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b dataset.Finding) int {
		return a.Level.Severity() -
			b.Level.Severity()
	})
	return out
}
