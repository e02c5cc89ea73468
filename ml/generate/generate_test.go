package generate

import (
	"context"
	"math"
	"slices"
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
	got, err := Run(context.Background(), c, c.logits(), Options{MaxNew: 3, Stop: []int32{0}}, func(q int, id int32) { heard[q] = append(heard[q], id) })
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
		rows = append(rows, 1, 0, float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1)))
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
