package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/integrate"
	"finetui/core/model"
	"finetui/core/printable"
	"finetui/core/session"
)

// openSession opens the configuration for questions.
func (c call) openSession() (*session.Session, *config.File, int) {
	file, ok := c.configuration()
	if !ok {
		return nil, nil, exitCall
	}
	report, done := c.progress()
	defer done()
	s, err := session.Open(c.ctx, file.Snapshot, report)
	if err != nil {
		return nil, nil, c.failure(err)
	}
	return s, file, exitDone
}

// runEval scores a subject on EVAL.SPLIT.
func runEval(c call) int {
	s, _, code := c.openSession()
	if code != exitDone {
		return code
	}
	defer s.Close()
	setting, err := s.Setting(c.words[0])
	if err != nil {
		return c.unusable(err)
	}
	c.bear(setting.Notes)
	report, done := c.progress()
	subject, err := s.Subject(c.ctx, c.words[0], report)
	var r *eval.Result
	if err == nil {
		c.bear(subject.Notes[len(setting.Notes):])
		r, err = s.Evaluate(c.ctx, c.words[0], "", report)
	}
	done()
	c.trouble(s)
	if r == nil {
		return c.unusable(err)
	}
	code = exitDone
	text, timed, textErr := inWords(s, c.words[0], r.Split)
	switch {
	case c.json && text != nil:
		code = c.printJSON(struct {
			*eval.Result
			FreeText *eval.FreeTextResult `json:"free_text"`
			Timed    *eval.TimedResult    `json:"timed_feedback,omitempty"`
		}{r, text, timed})
	case c.json:
		code = c.printJSON(r)
	default:
		var parts []string
		if timed != nil {
			parts = append(parts, timed.Text())
		}
		if text != nil {
			parts = append(parts, text.Text())
		}
		if text == nil || !r.OfFreeText() {
			parts = append(parts, r.Text())
		}
		c.print("%s", strings.TrimSuffix(strings.Join(parts, ""), "\n"))
	}
	if err == nil {
		err = textErr
	}
	if err != nil { // it was scored, and could not be kept
		return c.failure(err)
	}
	return code
}

// inWords is what the answers in free words of a subject came to, and its feedback that has its time; nil where there
// are none.
func inWords(s *session.Session, name, split string) (*eval.FreeTextResult, *eval.TimedResult, error) {
	k, err := s.Result(name, split)
	if err != nil {
		return nil, nil, nil // it could not be kept, which is said elsewhere
	}
	text, err := k.FreeText()
	if err != nil {
		return nil, nil, err
	}
	timed, err := k.Timed()
	return text, timed, err
}

// bear says what is to be borne in mind.
func (c call) bear(notes []string) {
	for _, note := range notes {
		c.note("%s", note)
	}
}

// trouble says why features were not kept, if that is so.
func (c call) trouble(s *session.Session) {
	if text := s.Trouble(); text != "" {
		c.bear([]string{text})
	}
}

// runCompare puts evaluations of the same items side by side.
func runCompare(c call) int {
	s, file, code := c.openSession()
	if code != exitDone {
		return code
	}
	defer s.Close()
	if slices.ContainsFunc(c.words, func(word string) bool { return strings.Contains(word, ",") }) {
		return c.compareRecipes(s, file.Config.Eval.Split)
	}
	var list []session.Kept
	for _, name := range c.words {
		k, err := s.Result(name, file.Config.Eval.Split)
		if err != nil {
			return c.unusable(err)
		}
		list = append(list, k)
	}
	board, err := s.Board(list)
	if err != nil {
		return c.failure(err)
	}
	path := filepath.Join(s.RunsDir(), "compare.json")
	if err := board.WriteJSON(path); err != nil {
		return c.failure(err)
	}
	words, err := session.CompareTexts(list, uint64(file.Config.Project.Seed))
	if c.json {
		if code := c.printJSON(struct {
			*eval.Board
			FreeText []*eval.FreeTextComparison `json:"free_text,omitempty"` // each with the first
		}{board, words.Pairs}); code != exitDone {
			return code
		}
	} else {
		fmt.Fprint(c.stdout, board.Text())
		c.note("written to %s", path)
		for _, pair := range words.Pairs {
			fmt.Fprintf(c.stdout, "\n%s", pair.Text())
		}
	}
	if err != nil {
		return c.failure(err)
	}
	return exitDone
}

// compareRecipes compares groups of runs, "1,2,3 4,5,6": recipes over their seeds.
func (c call) compareRecipes(s *session.Session, split string) int {
	var recipes []session.Recipe
	for _, word := range c.words {
		runs := strings.FieldsFunc(word, func(r rune) bool { return r == ',' })
		recipes = append(recipes, session.Recipe{Runs: runs})
	}
	compared, err := s.CompareRecipes(recipes, split)
	if errors.As(err, new(session.WrongGroups)) {
		return c.fail(exitCall, "%w", err)
	}
	if err != nil {
		return c.unusable(err)
	}
	path := filepath.Join(s.RunsDir(), "compare.json")
	if err := compared.WriteJSON(path); err != nil {
		return c.failure(err)
	}
	if c.json {
		return c.printJSON(compared)
	}
	fmt.Fprint(c.stdout, compared.Text())
	c.note("written to %s", path)
	return exitDone
}

// runIntegrate gives stage-1 detections their conditions.
func runIntegrate(c call) int {
	s, _, code := c.openSession()
	if code != exitDone {
		return code
	}
	defer s.Close()
	if _, err := s.Setting(c.words[0]); err != nil {
		return c.unusable(err)
	}
	report, done := c.progress()
	subject, err := s.Subject(c.ctx, c.words[0], report)
	if err != nil {
		return c.unusable(err)
	}
	c.bear(subject.Notes)
	r, findings, err := integrate.Run(c.ctx, subject.Project, subject.Model, subject.Name, report)
	done()
	c.trouble(s)
	if err != nil {
		return c.failure(err)
	}
	path := s.IntegrationPath(subject.Setting, r.Split)
	if err := r.Write(path); err != nil {
		return c.failure(err)
	}
	printFindings(c.note, findings)
	if c.json {
		return c.printJSON(r)
	}
	n, failed := 0, 0
	for _, image := range r.Images {
		for _, x := range image.Classifications {
			n++
			if x.Error != "" {
				failed++
			}
		}
	}
	fmt.Fprintf(c.stdout, "%s: %d detections (%s) in %d pictures, %d without a class\n%s\n", subject.Title(), n,
		r.Detections, len(r.Images), failed, path)
	return findingsCode(findings)
}

// runInfer asks one question about one picture, about one object of the data set ("test/slope_0266#0"), or about none.
func runInfer(c call) int {
	s, _, code := c.openSession()
	if code != exitDone {
		return code
	}
	defer s.Close()
	setting, err := s.Setting(c.words[0])
	if err != nil {
		return c.unusable(err)
	}
	q, truth, err := question(s, setting, c.words[1], strings.Join(c.words[2:], " "))
	if errors.Is(err, errNoPrompt) {
		return c.fail(exitCall, "%w", err)
	}
	if err != nil {
		return c.unusable(err)
	}
	report, done := c.progress()
	subject, err := s.Subject(c.ctx, c.words[0], report)
	done()
	if err != nil {
		return c.unusable(err)
	}
	c.bear(subject.Notes)
	c.trouble(s)
	c.note("%s is asked: %s", subject.Title(), printable.Line(q.Prompt))
	heard := func(piece string) { fmt.Fprint(c.stdout, piece) }
	if c.json {
		heard = nil
	}
	a, err := subject.Ask(c.ctx, q, heard)
	if err != nil {
		return c.failure(err)
	}
	if heard == nil {
		return c.printJSON(struct {
			Schema  int     `json:"schema"`
			Subject string  `json:"subject"`
			Media   string  `json:"media"`
			Prompt  string  `json:"prompt"`
			Answer  string  `json:"answer"`
			Truth   string  `json:"truth,omitempty"`
			Tokens  int     `json:"tokens"`
			Seconds float64 `json:"seconds"`
		}{eval.Schema, subject.Title(), c.words[1], q.Prompt, a.Text, truth, a.Tokens, a.Total.Seconds()})
	}
	fmt.Fprintln(c.stdout)
	if truth != "" {
		c.note("the truth is: %s", printable.Line(truth))
	}
	return exitDone
}

var errNoPrompt = errors.New("without a picture there has to be a prompt")

// question is what is asked about a picture file, about an object of the data set,
// whose truth is known, or about nothing that is shown ("-").
func question(s *session.Session, setting *session.Setting, media, prompt string) (model.Question, string, error) {
	if media == "-" {
		if prompt == "" {
			prompt = setting.Project.Config.Infer.Prompt
		}
		if prompt == "" {
			return model.Question{}, "", errNoPrompt
		}
		return model.Question{Prompt: prompt}, "", nil
	}
	if sample, ok := setting.Sample(media); ok {
		q, err := setting.About(sample, prompt)
		return q, sample.Answer, err
	}
	path, err := s.Media(media)
	if err != nil {
		return model.Question{}, "", err
	}
	q, err := setting.AboutFile(path, prompt)
	return q, "", err
}
