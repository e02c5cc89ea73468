package train

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/views"
	"finetui/views/widget"
)

// tests are the paired tests of the runs that Compare shows, worked out beside the screen.
type tests struct {
	*shared
	request views.Request
	of      []*eval.Result // what was asked about
	splits  []testedSplit
}

// testedSplit is one split on which at least two of the compared runs were evaluated.
type testedSplit struct {
	split   string
	letters []string    // of the runs, as the board has them
	board   *eval.Board // nil: err says why
	err     error
}

// want compares the evaluations of the compared runs whenever there are others than before.
func (p *tests) want() tea.Cmd {
	var of []*eval.Result
	var letters []string
	seed := config.Default().Project.Seed
	p.eachCompared(func(letter, _ string, r *reading) {
		if r == nil {
			return
		}
		if r.config != nil && len(of) == 0 {
			seed = r.config.Project.Seed
		}
		for _, result := range r.results {
			of, letters = append(of, result), append(letters, letter)
		}
	})
	if slices.Equal(of, p.of) {
		return nil
	}
	p.of, p.splits = of, nil
	p.request.Close()
	splits := p.evaluated()
	if len(of) < 2 {
		return nil
	}
	return views.Ask(&p.request, func(context.Context) ([]testedSplit, error) {
		return testEach(splits, of, letters, uint64(seed)), nil
	})
}

// testEach compares the results of each split. letters[i] is the run of results[i].
func testEach(splits []string, results []*eval.Result, letters []string, seed uint64) []testedSplit {
	var tests []testedSplit
	for _, split := range splits {
		t := testedSplit{split: split}
		var of []*eval.Result
		for i, r := range results {
			if r.Split == split {
				of, t.letters = append(of, r), append(t.letters, letters[i])
			}
		}
		if len(of) > 1 {
			t.board, t.err = eval.CompareAll(of, nil, seed)
			tests = append(tests, t)
		}
	}
	return tests
}

// answered takes the tests, unless others have been asked for meanwhile.
func (p *tests) answered(msg views.Answer[[]testedSplit]) {
	if p.request.Takes(msg.Ticket) {
		p.request.Close()
		p.splits = msg.Value
	}
}

// lines are a line for each pair of compared runs: on how many objects
// either alone is right, and whether that tells them apart.
func (p *tests) lines(t *widget.Theme, w int) []string {
	if p.request.Pending() {
		return []string{t.Muted.Render(" testing the runs against each other …")}
	}
	var lines []string
	for _, test := range p.splits {
		if test.err != nil {
			lines = append(lines, widget.Hang(t.Warning.Render(" ! "),
				widget.Clean(test.split+": "+printable.Error(test.err)), t.Warning, w)...)
			continue
		}
		lines = append(append(lines, ""), strings.Split(test.table().View(t, w, len(test.board.Pairs)+1), "\n")...)
	}
	return lines
}

func (s testedSplit) table() widget.Table {
	table := widget.Table{Columns: []widget.Column{{Title: "on " + s.split}, {Title: "alone right", Right: true,
		Priority: 2}, {Title: "of", Right: true, Priority: 1},
		{Title: "McNemar p", Right: true, Priority: 4}, {Title: fmt.Sprintf("p for all %d", len(s.board.Pairs)),
			Right: true, Priority: 3}, {Priority: 5}}}
	next := 0
	for i, first := range s.letters {
		for _, second := range s.letters[i+1:] {
			pair := &s.board.Pairs[next]
			next++
			verdict := widget.Cell{Text: "· ", Tone: widget.Muted}
			differs, words := views.PairVerdict(pair)
			if differs {
				verdict = widget.Cell{Text: "✓ ", Tone: widget.OK}
			}
			verdict.Text += words
			table.Rows = append(table.Rows, []widget.Cell{{Text: first + " and " + second, Tone: widget.Strong},
				{Text: widget.Count(pair.OnlyFirstRight) + " and " + widget.Count(pair.OnlySecondRight)},
				{Text: widget.Count(pair.N), Tone: widget.Muted},
				{Text: widget.Probability(pair.P)}, {Text: widget.Probability(pair.PHolm), Tone: widget.Muted},
				verdict})
		}
	}
	if len(s.board.Pairs) < 2 { // nothing to adjust for
		for i := range table.Rows {
			table.Rows[i] = slices.Delete(table.Rows[i], 4, 5)
		}
		table.Columns = slices.Delete(table.Columns, 4, 5)
	}
	return table
}
