package train

import (
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/views"
	"finetui/views/widget"
)

// tested are the paired tests of the runs that Compare shows, worked out beside the screen.
type tested struct {
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

// test compares the evaluations of the compared runs while they are looked at, whenever there are others than before.
func (p *Pane) test() tea.Cmd {
	if p.open != compareView {
		return nil
	}
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
	if slices.Equal(of, p.tested.of) {
		return nil
	}
	p.tested.of, p.tested.splits = of, nil
	p.tested.request.Close()
	splits := p.evaluated()
	if len(of) < 2 {
		return nil
	}
	return views.Ask(&p.tested.request, func(context.Context) ([]testedSplit, error) {
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

// testAnswered takes the tests, unless others have been asked for meanwhile.
func (p *Pane) testAnswered(msg views.Answer[[]testedSplit]) {
	if p.tested.request.Takes(msg.Ticket) {
		p.tested.request.Close()
		p.tested.splits = msg.Value
	}
}

// testLines say for each pair of compared runs whether they can be told apart.
func (p *Pane) testLines(t *widget.Theme, w int) []string {
	if p.tested.request.Pending() {
		return []string{t.Muted.Render(" testing the runs against each other …")}
	}
	var lines []string
	say := func(style widget.Style, sign, text string) {
		for _, part := range widget.Wrap(widget.Clean(text), w-3) {
			lines = append(lines, " "+style.Render(sign)+" "+part)
			sign = " "
		}
	}
	for _, test := range p.tested.splits {
		if test.err != nil {
			say(t.Warning, "!", test.split+": "+test.err.Error())
			continue
		}
		next := 0
		for i, first := range test.letters {
			for _, second := range test.letters[i+1:] {
				pair := &test.board.Pairs[next]
				next++
				verdict, told := views.PairedTest(pair, len(test.board.Pairs))
				style, sign := t.Muted, "·"
				if told {
					style, sign = t.OK, "✓"
				}
				say(style, sign, fmt.Sprintf("%s and %s on %s: %s. Of %s objects %s alone is right on %s, %s alone on %s.", first, second, test.split, verdict,
					widget.Count(pair.N), first, widget.Count(pair.OnlyFirstRight), second, widget.Count(pair.OnlySecondRight)))
			}
		}
	}
	return lines
}
