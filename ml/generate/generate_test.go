package generate

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// counter is a model that says the successor of each sequence's last token, and 0 after limit.
type counter struct {
	last  []int32
	limit int32
}

func (c *counter) Vocab() int { return 10 }

func (c *counter) logits() []float32 {
	out := make([]float32, 0, 10*len(c.last))
	for _, id := range c.last {
		row := make([]float32, 10)
		if id < c.limit {
			row[id+1] = 5
		} else {
			row[0] = 5
		}
		out = append(out, row...)
	}
	return out
}

func (c *counter) Next(ids []int32) ([]float32, error) {
	c.last = slices.Clone(ids)
	return c.logits(), nil
}

func (c *counter) Keep(at []int) {
	var kept []int32
	for _, i := range at {
		kept = append(kept, c.last[i])
	}
	c.last = kept
}

func TestSequencesStopOnTheirOwn(t *testing.T) {
	c := &counter{last: []int32{1, 4, 3}, limit: 5}
	heard := make([][]int32, 3)
	got, err := Run(context.Background(), c, c.logits(), Options{MaxNew: 3, Stop: []int32{0}},
		func(q int, id int32) { heard[q] = append(heard[q], id) })
	if err != nil {
		t.Fatal(err)
	}
	want := [][]int32{{2, 3, 4}, {5}, {4, 5}}
	for q := range want {
		if !slices.Equal(got[q], want[q]) || !slices.Equal(heard[q], want[q]) {
			t.Errorf("sequence %d: answer %v, heard %v, want %v", q, got[q], heard[q], want[q])
		}
	}
}

func TestTemperatureDrawsFromTheSoftmax(t *testing.T) {
	rows, n := make([]float32, 0, 4000*10), 4000
	for range n {
		rows = append(rows, 1, 0, float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1)),
			float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1)),
			float32(math.Inf(-1)))
	}
	c := &counter{last: make([]int32, n)}
	got, err := Run(context.Background(), c, rows, Options{MaxNew: 1, Temperature: .5, Seed: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := 0
	for _, a := range got {
		if a[0] == 0 {
			first++
		}
	}
	want := 1 / (1 + math.Exp(-2))
	if share := float64(first) / float64(n); math.Abs(share-want) > .02 {
		t.Errorf("token 0 came in %.3f of the draws, the softmax gives %.3f", share, want)
	}
}

func TestCancelledRunReturnsWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &counter{last: []int32{1}, limit: 9}
	got, err := Run(ctx, c, c.logits(), Options{MaxNew: 8}, func(int, int32) { cancel() })
	if err == nil || !slices.Equal(got[0], []int32{2}) {
		t.Errorf("answer %v, error %v", got[0], err)
	}
}

// The cases were computed apart from this code by the formulas in sampler.go, in float32, and equal bit for bit what
// transformers 5.23 makes of the same logits.
func TestScoresAreProcessedInTheOrderOfTransformers(t *testing.T) {
	text, err := os.ReadFile("testdata/processors.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name        string
		Logits      []float32
		Prompt      []int32
		Temperature float64
		TopP        float64    `json:"top_p"`
		Penalty     float64    `json:"repetition_penalty"`
		Want        []*float32 // null: −∞
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		before := slices.Clone(c.Logits)
		s := newSampler(Options{MaxNew: 1, Temperature: c.Temperature, TopP: c.TopP, RepetitionPenalty: c.Penalty,
			Prompts: [][]int32{c.Prompt}}, 0, len(c.Logits))
		got := s.process(c.Logits)
		for i, want := range c.Want {
			if want == nil && !math.IsInf(float64(got[i]), -1) || want != nil && got[i] != *want {
				t.Errorf("%s: scores %v, want %s", c.Name, got, text)
				break
			}
		}
		if !slices.Equal(c.Logits, before) {
			t.Errorf("%s: the logits were changed", c.Name)
		}
	}
}

// echo gives the same logits whatever was said.
type echo struct{ row []float32 }

func (e echo) Vocab() int                          { return len(e.row) }
func (e echo) Keep([]int)                          {}
func (e echo) Next(ids []int32) ([]float32, error) { return slices.Repeat(e.row, len(ids)), nil }

func TestPenaltyCountsThePromptAndTheAnswer(t *testing.T) {
	e := echo{[]float32{4, 3.9, 3, 2}}
	for _, c := range []struct {
		penalty float64
		prompt  []int32
		want    []int32
	}{
		{0, nil, []int32{0, 0, 0, 0}},
		{1, nil, []int32{0, 0, 0, 0}},
		{1.5, []int32{}, []int32{0, 1, 2, 0}},
		{1.5, []int32{0, 0, 99, -1}, []int32{1, 2, 0, 0}},
		{0.5, []int32{3, 3}, []int32{0, 0, 0, 0}},
	} {
		o := Options{MaxNew: 4, RepetitionPenalty: c.penalty, Prompts: [][]int32{c.prompt}}
		if got, err := Run(context.Background(), e, e.row, o, nil); err != nil || !slices.Equal(got[0], c.want) {
			t.Errorf("penalty %v after %v: %v (%v), want %v", c.penalty, c.prompt, got, err, c.want)
		}
	}
}

func TestTopPDrawsOnlyFromTheLikeliest(t *testing.T) {
	row := []float32{1, 3, 2, -1} // probabilities .09, .66, .24, .01
	counts := make([]int, 4)
	const n = 6000
	got, err := Run(context.Background(), echo{row}, slices.Repeat(row, n), Options{MaxNew: 1, Temperature: 1, TopP: .8,
		Seed: 5}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range got {
		counts[a[0]]++
	}
	want := 1 / (1 + math.Exp(-1))
	if share := float64(counts[1]) / n; counts[0]+counts[3] > 0 || math.Abs(share-want) > .02 {
		t.Errorf("drawn %v: token 1 should come in %.3f of the draws, 0 and 3 never", counts, want)
	}
}

func TestImpossibleOptionsAreRefused(t *testing.T) {
	e := echo{[]float32{1, 2}}
	for want, o := range map[string]Options{
		"at most 0 tokens": {},
		"temperature":      {MaxNew: 1, Temperature: -1},
		"temperature is 1": {MaxNew: 1, Temperature: 1e-60},
		"top-p is 1.5":     {MaxNew: 1, TopP: 1.5},
		"top-p is NaN":     {MaxNew: 1, TopP: math.NaN()},
		"penalty is -2":    {MaxNew: 1, RepetitionPenalty: -2},
		"0 prompts":        {MaxNew: 1, RepetitionPenalty: 2},
	} {
		if _, err := Run(context.Background(), e, e.row, o, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestOutputThatIsNoNumberIsAnError(t *testing.T) {
	row := []float32{1, float32(math.NaN())}
	if _, err := Run(context.Background(), echo{row}, row, Options{MaxNew: 1}, nil); err == nil {
		t.Error("no error")
	}
}

// flatRow is a vocabulary of Qwen2's size.
func flatRow() []float32 {
	row := make([]float32, 151936)
	for i := range row {
		row[i] = float32(i*7919%10007) / 1000
	}
	return row
}

func BenchmarkTopPOfAWholeVocabulary(b *testing.B) {
	row := flatRow()
	s := newSampler(Options{MaxNew: 1, Temperature: .7, TopP: .9}, 0, len(row))
	for b.Loop() {
		if _, err := s.pick(row); err != nil {
			b.Fatal(err)
		}
	}
}
