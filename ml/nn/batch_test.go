package nn

import (
	"strings"
	"testing"
)

func TestBatchCheckNamesWhatDoesNotFit(t *testing.T) {
	fitting := func() *Batch {
		p := []int32{0, 1, 0}
		return &Batch{Starts: []int{0, 2, 3}, IDs: []int32{4, 5, 6}, Pos: [3][]int32{p, p, p},
			Features: []int32{-1, 0, -1},
			Targets:  []int32{5, -1, -1}, Weights: []float32{1, 0, 0}, Keys: []uint64{1, 2}}
	}
	if err := fitting().Check(7, 1); err != nil {
		t.Error(err)
	}
	if err := (&Batch{}).Check(7, 0); err != nil {
		t.Errorf("nothing at all: %v", err)
	}
	for want, change := range map[string]func(b *Batch){
		"sequence 0 begins at 1":          func(b *Batch) { b.Starts[0] = 1 },
		"sequence 2 begins at 1":          func(b *Batch) { b.Starts[2] = 1 },
		"2 tokens, but the last":          func(b *Batch) { b.IDs = b.IDs[:2] },
		"token 7 at position 1":           func(b *Batch) { b.IDs[1] = 7 },
		"token -1 at position 0":          func(b *Batch) { b.IDs[0] = -1 },
		"2 positions in row 1":            func(b *Batch) { b.Pos[1] = b.Pos[1][:2] },
		"0 positions in row 0":            func(b *Batch) { b.Pos = [3][]int32{} },
		"position 1 wants feature row 1 ": func(b *Batch) { b.Features[1] = 1 },
		"places for the features of 1":    func(b *Batch) { b.Features = b.Features[:1] },
		"1 targets and 3 weights":         func(b *Batch) { b.Targets = b.Targets[:1] },
		"0 targets and 3 weights":         func(b *Batch) { b.Targets = nil },
		"3 targets and 0 weights":         func(b *Batch) { b.Weights = nil },
		"target 7 at position 0":          func(b *Batch) { b.Targets[0] = 7 },
		"2 sequences, but 1 dropout":      func(b *Batch) { b.Keys = b.Keys[:1] },
	} {
		b := fitting()
		for r := range b.Pos {
			b.Pos[r] = append([]int32(nil), b.Pos[r]...)
		}
		change(b)
		if err := b.Check(7, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
