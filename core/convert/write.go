package convert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/model"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/core/recipe"
)

// Schema is the number of Result's shape in JSON.
const Schema = 1

// Result says what was written.
type Result struct {
	Schema   int               `json:"schema"`
	Dialect  config.Dialect    `json:"dialect"`
	Output   string            `json:"output"` // the folder
	Files    []File            `json:"files"`
	Pictures int               `json:"pictures"` // files drawn, in Output's media folder
	Findings []dataset.Finding `json:"findings"`
}

// File is one file of records; Split is empty for what describes the others.
type File struct {
	Path    string `json:"path"`
	Split   string `json:"split,omitempty"`
	Records int    `json:"records"`
}

// Write writes the samples of DATASET.PATH in CONVERT.DIALECT: a file for each split, in train the samples as
// often as RECIPE.SAMPLING shows them. EVAL.DATA is for
// scoring only and is not written. With a cancelled context files that are whole stay, and no half one does.
func Write(ctx context.Context, p *project.Project, report project.Progress) (*Result, error) {
	return write(ctx, p, nil, report)
}

func write(ctx context.Context, p *project.Project, h *handing, report project.Progress) (*Result, error) {
	c := p.Config.Convert
	if err := CheckTemplate(c.UserPromptTemplate); err != nil {
		return nil, err
	}
	d, err := find(c.Dialect)
	if err != nil {
		return nil, err
	}
	w := &writer{p: p, d: d, handing: h, dir: p.File.Abs(c.Output),
		ask: newAsker(c.UserPromptTemplate, p.Recipe, p.Config.Dataset)}
	defer project.Settle()()
	w.choose()
	if len(w.chosen) == 0 {
		what, _ := p.Data.Words()
		return nil, fmt.Errorf("DATASET.PATH: no %s of %s holds an object: there is nothing to convert", what,
			p.Data.Root)
	}
	if err := w.claim(); err != nil {
		return nil, err
	}
	if err := w.countTokens(ctx, report); err != nil {
		return nil, err
	}
	if err := w.draw(ctx, report); err != nil {
		return nil, err
	}
	if err := w.files(ctx, report); err != nil {
		return nil, err
	}
	var told *setup
	if h != nil {
		if told = w.setup(); told.train == "" {
			return nil, fmt.Errorf("DATASET.PATH: there is no record of the split train in %s to train on",
				printable.Line(p.Data.Root))
		}
	}
	w.sayWhole()
	if h != nil {
		if err := told.create(); err != nil {
			return nil, err
		}
	}
	if w.shows(true) {
		w.sum()
	}
	w.lint()
	w.result.Schema, w.result.Dialect, w.result.Output = Schema, d.name, w.dir
	w.result.Findings = w.said.result(p.Data, c.KeepMissing)
	return &w.result, nil
}

// writer is one conversion.
type writer struct {
	p       *project.Project
	d       *dialect
	handing *handing // nil where records alone are written
	dir     string
	ask     asker
	chosen  []object // in the order of the data set
	shown   *pictures
	tokens  Tokens // nil where no answer needs counting
	said    findings
	entries map[string]entry // for LLaMA-Factory
	result  Result
}

// object is one of the data set whose sample is written: there may be a million, and samples are made when they are
// needed.
type object struct{ item, object int32 }

func (o object) ref() dataset.Ref { return dataset.Ref{Item: int(o.item), Object: int(o.object)} }

// item is that of a sample.
func (w *writer) item(i int) *dataset.Item { return &w.p.Data.Items[w.chosen[i].item] }

// class is that of a sample.
func (w *writer) class(i int) int { return w.item(i).Objects[w.chosen[i].object].Class }

// weight is what a sample weighs in the loss by the recipe.
func (w *writer) weight(i int) float64 { return w.p.Recipe.LossWeight(w.chosen[i].ref()) }

// weighted says whether a sample weighs more or less than the others.
func (w *writer) weighted() bool {
	return slices.ContainsFunc(w.chosen, func(o object) bool { return weighs(w.p.Recipe.LossWeight(o.ref())) })
}

func (w *writer) sample(i int) recipe.Sample {
	s, _ := w.p.Recipe.Sample(w.chosen[i].ref()) // it is there: choose took it from the set
	return s
}

// splits are those of DATASET.PATH.
func (w *writer) splits() []string {
	further := w.p.Config.Eval.Data
	return slices.DeleteFunc(slices.Clone(w.p.Data.Splits), func(s string) bool {
		return further != "" &&
			s == filepath.Base(further)
	})
}

// limitStream keeps the draw of LIMIT_PER_CLASS apart from every other use of PROJECT.SEED.
const limitStream = 0x636f6e76657274

// choose takes the samples, of each class at most LIMIT_PER_CLASS over all splits, drawn with PROJECT.SEED.
func (w *writer) choose() {
	items, splits, n := w.p.Data.Items, w.splits(), 0
	for i := range items {
		if slices.Contains(splits, items[i].Split) {
			n += len(items[i].Objects)
		}
	}
	all := make([]object, 0, n)
	for _, split := range splits {
		for i := range items {
			for o := range items[i].Objects {
				if items[i].Split == split {
					all = append(all, object{int32(i), int32(o)})
				}
			}
		}
	}
	limit := w.p.Config.Convert.LimitPerClass
	if w.chosen = all; limit == 0 {
		return
	}
	byClass, counts := make([][]int32, len(w.p.Recipe.Classes)), make([]int, len(w.p.Recipe.Classes))
	for i := range all {
		counts[w.class(i)]++
	}
	for class, n := range counts {
		byClass[class] = make([]int32, 0, n)
	}
	for i := range all {
		class := w.class(i)
		byClass[class] = append(byClass[class], int32(i))
	}
	var taken []int32
	for class, rows := range byClass {
		rng := rand.New(rand.NewPCG(uint64(w.p.Config.Project.Seed)^limitStream, uint64(class)))
		rng.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
		taken = append(taken, rows[:min(limit, len(rows))]...)
	}
	slices.Sort(taken)
	w.chosen = make([]object, len(taken))
	for k, i := range taken {
		w.chosen[k] = all[i]
	}
}

// countTokens opens the base's tokenizer where weights are written by the token.
func (w *writer) countTokens(ctx context.Context, report project.Progress) error {
	if !w.d.holds.weights || !w.weighted() {
		return nil
	}
	if err := w.p.OpenBase(ctx, report); err != nil {
		return fmt.Errorf("weights in the dialect %s need the base's tokenizer: %w", w.d.name, err)
	}
	known := map[string]int{} // answers are few
	w.tokens = func(text string) int {
		n, ok := known[text]
		if !ok {
			n = len(w.p.Base.Tokenizer.Encode(text))
			known[text] = n
		}
		return n
	}
	return nil
}

func (w *writer) draw(ctx context.Context, report project.Progress) error {
	w.shown = &pictures{writer: w, copies: map[*dataset.Item]string{}, faults: map[int]error{}}
	err := w.shown.draw(ctx, report)
	w.result.Pictures = w.shown.drawn
	return err
}

// files writes the file of each split, and last what describes them.
func (w *writer) files(ctx context.Context, report project.Progress) error {
	w.entries = map[string]entry{}
	if w.d.together {
		return w.file(ctx, "", 0, len(w.chosen), report)
	}
	from := 0
	for _, split := range w.splits() {
		to := from
		for to < len(w.chosen) && w.item(to).Split == split {
			to++
		}
		if err := w.file(ctx, split, from, to, report); err != nil {
			return err
		}
		from = to
	}
	if w.d != &llamaFactory || len(w.entries) == 0 {
		return nil
	}
	if err := describe(w.dir, w.entries); err != nil {
		return err
	}
	w.result.Files = append(w.result.Files, File{Path: filepath.Join(w.dir, datasetInfo)})
	return nil
}

// errNoRows takes a file back that no record is in.
var errNoRows = errors.New("no rows")

// file writes the samples from … to of one split.
func (w *writer) file(ctx context.Context, split string, from, to int, report project.Progress) error {
	name := w.fileName(split)
	file := File{Path: filepath.Join(w.dir, name), Split: split}
	order, scale := w.rows(split, from, to)
	factor, tokens := w.weigh(order)
	samples, err := 0, error(nil)
	if scale > 0 { // findings come in the order of the data set, and once
		if samples, err = w.foresee(from, to); err != nil {
			return err
		}
	}
	var images, videos bool
	w.said.quiet = scale > 0
	err = create(file.Path, func(out io.Writer) error {
		rows := &rowWriter{out: out, lines: w.d.lines}
		for n, i := range order {
			if err := ctx.Err(); err != nil {
				return err
			}
			r, ok, err := w.record(i)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			r.Weight *= factor
			for _, row := range w.d.write(r, tokens) {
				rows.row(row)
			}
			images, videos = images || len(r.media(Image)) > 0, videos || len(r.media(Video)) > 0
			file.Records++
			if report != nil {
				report(n+1, len(order), "records of "+split)
			}
		}
		if file.Records == 0 {
			return errNoRows
		}
		return rows.end()
	})
	w.said.quiet = false
	if errors.Is(err, errNoRows) {
		what := "there is no record to write, and no file is written"
		if split != "" {
			what = fmt.Sprintf("there is no record of split %s, and no file is written for it", split)
		}
		w.said.all(emptySplit, what)
		return nil
	}
	if err != nil {
		return err
	}
	if file.Records > samples && scale > 0 {
		w.sayCopies(file.Records, samples, scale)
	}
	w.entries[entryName(w.p.Config.Project.Name, split)] = newEntry(name, images, videos)
	w.result.Files = append(w.result.Files, file)
	return nil
}

// foresee makes the records from … to for their findings, and counts them.
func (w *writer) foresee(from, to int) (samples int, err error) {
	for i := from; i < to; i++ {
		_, ok, err := w.record(i)
		if err != nil {
			return 0, err
		}
		if ok {
			samples++
		}
	}
	return samples, nil
}

// weigh returns what the weights of a file are multiplied with so that their mean over its supervised tokens is 1, and
// what counts those tokens; nil where all weigh the same, and nothing is to be written.
func (w *writer) weigh(order []int) (factor float64, tokens Tokens) {
	if w.tokens == nil {
		return 1, nil
	}
	var weights []float64
	var counts, rows []int
	for _, i := range order {
		if !w.leaves(i) {
			s := w.sample(i)
			weights, counts, rows = append(weights, s.Weight), append(counts, w.tokens(s.Answer)), append(rows, i)
		}
	}
	if !slices.ContainsFunc(weights, func(v float64) bool { return v != weights[0] }) {
		return 1, nil
	}
	factor = meanOne(weights, counts)
	told := map[int]bool{}
	for k, i := range rows {
		if _, exact := answerScale(weights[k]*factor, counts[k]); !exact && !told[i] {
			told[i] = true
			w.said.of(w.sample(i), smallWeight,
				fmt.Sprintf("should weigh %.3g, but the end of its answer (%d tokens) always weighs 1: its row "+
					"weighs more in the loss than the recipe says", weights[k]*factor, endTokens))
		}
	}
	return factor, w.tokens
}

// record makes a sample into what the dialect keeps of it; false where it is left out. An error ends the conversion.
func (w *writer) record(i int) (Record, bool, error) {
	s := w.sample(i)
	if err := w.shown.lacks(i); isTooLong(err) {
		w.said.of(s, longPicture, "is left out: "+err.Error())
		return Record{}, false, nil
	} else if err != nil {
		if !w.said.again(missingPicture) {
			w.said.of(s, missingPicture, printable.Error(err))
		}
		if !w.p.Config.Convert.KeepMissing {
			return Record{}, false, nil
		}
	}
	paths, err := w.shown.paths(s)
	if err != nil {
		return Record{}, false, err
	}
	question := Turn{Role: User}
	kind := Image
	if s.Item.Clip != nil {
		kind = Video
	}
	for _, path := range paths {
		question.Parts = append(question.Parts, Part{Kind: kind, Path: path})
	}
	question.Parts = append(question.Parts, Part{Text: w.ask.ask(s)})
	r, lost := w.d.keeps(Record{ID: s.ID, System: w.p.Config.Convert.SystemPrompt, Weight: s.Weight,
		Split:   s.Item.Split,
		Channel: w.p.Recipe.Classes[s.Class].Name, Turns: []Turn{question, Say(Assistant, s.Answer)}})
	if err := w.d.fits(r); err != nil {
		w.said.of(s, unfitRecord, err.Error())
		return Record{}, false, nil
	}
	for _, code := range lost {
		if code == lostWeight && w.handing != nil {
			continue // it is folded in
		}
		if !w.said.again(code) {
			w.said.of(s, code, w.loss(code, s.Weight))
		}
	}
	return r, true, nil
}

// loss says what the dialect loses of a sample that weighs so much.
func (w *writer) loss(code string, weight float64) string {
	switch code {
	case lostSystem:
		return "has the system turn of CONVERT.SYSTEM_PROMPT, which " + w.d.trainer + " does not take: it is left out"
	case lostWeight:
		return fmt.Sprintf("weighs %.3g in the loss by the recipe, which %s does not take: it weighs 1", weight,
			w.d.trainer)
	}
	return "has an answer that is context only, which " + w.d.trainer + " cannot tell: it is learned"
}

// sayWhole notes what no file of records can hold.
func (w *writer) sayWhole() {
	r := w.p.Config.Recipe
	if r.Loss == config.LossFocal {
		w.said.all(noFocal, "RECIPE.LOSS = \"focal\" is not in the files: a loss is the trainer's own")
	}
	if r.Context == config.ContextFull && w.shows(false) && !w.ask.holds("prompt", "position", "x", "y") {
		w.said.all(untoldObject, "the pictures are whole ones, and no question tells which object is meant")
	}
	if n := len(w.shown.copies); n > 0 {
		w.said.all(copiedPicture, dataset.Counted(n, "picture is",
			"pictures are")+" turned by EXIF, or of 16 bits or four inks, which other programs show otherwise: "+
			"records name copies as they are shown here, in "+filepath.Join(w.dir, mediaFolder))
	}
	start := w.d.start
	if w.handing != nil {
		start = strings.Join(w.handing.commands, " && ")
	}
	if w.p.Config.Model.Base == model.Tiny && w.handing == nil {
		start += "; the built-in base for it is written by finetui export base FOLDER"
	}
	from := "paths are relative to " + w.dir
	if w.d.asWritten {
		from = "paths are as the labels of " + w.p.Data.Root + " write them"
	}
	w.said.add(dataset.Finding{Code: howToStart, Text: from, Do: start}, 0)
}

// shows says whether a sample shows a clip, or a picture.
func (w *writer) shows(clip bool) bool {
	return slices.ContainsFunc(w.chosen, func(o object) bool { return (w.p.Data.Items[o.item].Clip != nil) == clip })
}

// sum says how much of what was asked for is in the files.
func (w *writer) sum() {
	records, classes := 0, map[int]bool{}
	for _, f := range w.result.Files {
		records += f.Records
	}
	for i := range w.chosen {
		if !w.leaves(i) {
			classes[w.class(i)] = true
		}
	}
	total := 0
	for i := range w.p.Data.Own().Items {
		total += len(w.p.Data.Items[i].Objects)
	}
	text := fmt.Sprintf("%s of %s", dataset.Counted(records, "clip", "clips"),
		dataset.Counted(len(classes), "class", "classes"))
	if left := total - len(w.chosen); left > 0 {
		text += fmt.Sprintf("; CONVERT.LIMIT_PER_CLASS = %d leaves out %d", w.p.Config.Convert.LimitPerClass, left)
	}
	if left := len(w.chosen) - records; left > 0 {
		text += fmt.Sprintf("; %d more are left out, as the other findings say", left)
	}
	w.said.all(summary, text)
}

// lint adds what recipe.LintPrompts finds in the recipe's prompts where they are written: no lint stands before a
// training elsewhere. The template's own words are the same for every sample and favour no answer.
func (w *writer) lint() {
	if w.ask.holds("prompt") {
		all := func(yield func(recipe.Sample) bool) {
			for i := 0; i < len(w.chosen) && yield(w.sample(i)); i++ {
			}
		}
		for _, f := range recipe.LintPrompts(all, w.p.Recipe.Classes, w.p.Recipe.Question, w.p.Recipe.ClipQuestion) {
			w.said.add(f, 0)
		}
	}
}
